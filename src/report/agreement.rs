//! Whether all branches ended with the same balance and the same write sets.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{BranchId, CustomerId, EventId};
use crate::runner::{BranchResult, LoggedWrite};

/// How the branches compare at the end of a run. Customers' writes may be applied in another order
/// at another branch; the writes of one customer may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// The branches that differ from the first one, ascending.
    pub dissenters: Vec<BranchId>,
}

impl Agreement {
    /// Compares the branches of a run.
    pub fn of(branches: &[BranchResult]) -> Self {
        let Some((first, others)) = branches.split_first() else {
            return Self { dissenters: Vec::new() };
        };
        let mut reference = None;
        let mut agrees = |other: &BranchResult| {
            other.balance == first.balance
                && (same_order(&first.log, &other.log)
                    || *reference.get_or_insert_with(|| write_sets(&first.log))
                        == write_sets(&other.log))
        };
        let dissenters = others.iter().filter(|other| !agrees(other)).map(|other| other.id);
        Self { dissenters: dissenters.collect() }
    }

    /// Whether all branches agree.
    pub fn is_whole(&self) -> bool {
        self.dissenters.is_empty()
    }
}

/// The quick answer for most runs, where even the writes of different customers are in one order.
fn same_order(one: &Arc<Vec<LoggedWrite>>, other: &Arc<Vec<LoggedWrite>>) -> bool {
    Arc::ptr_eq(one, other)
        || one.len() == other.len()
            && one.iter().zip(other.iter()).all(|(one, other)| one.id == other.id)
}

/// At one branch, the writes of each customer in the order applied there.
fn write_sets(log: &[LoggedWrite]) -> BTreeMap<CustomerId, Vec<EventId>> {
    let mut sets: BTreeMap<CustomerId, Vec<EventId>> = BTreeMap::new();
    for write in log {
        sets.entry(write.id.customer).or_default().push(write.id.event);
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example::{Bank, branch};

    #[test]
    fn the_order_of_different_customers_may_differ() {
        let mut result =
            Bank::new("two customers", 3).deposit(1, 1, 10, 1).deposit(2, 1, 5, 2).run().result;
        Arc::make_mut(&mut result.branches[2].log).swap(0, 1);
        assert!(Agreement::of(&result.branches).is_whole());
    }

    #[test]
    fn the_order_of_one_customer_may_not() {
        let mut result =
            Bank::new("one customer", 3).deposit(1, 1, 10, 1).deposit(1, 2, 5, 2).run().result;
        Arc::make_mut(&mut result.branches[2].log).swap(0, 1);
        assert_eq!(Agreement::of(&result.branches).dissenters, [branch(3)]);
    }

    #[test]
    fn a_missing_write_or_another_balance_is_a_disagreement() {
        let mut result = Bank::new("odd", 3).deposit(1, 1, 10, 1).run().result;
        result.branches[1].log = Arc::default();
        result.branches[2].balance = crate::model::Money::ZERO;
        assert_eq!(Agreement::of(&result.branches).dissenters, [branch(2), branch(3)]);
    }
}
