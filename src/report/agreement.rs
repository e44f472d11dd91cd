//! Whether all branches ended with the same balance and the same write sets.

use std::sync::Arc;

use crate::model::{BranchId, CustomerId, EventId, LogEntry, Write};
use crate::run::BranchResult;

/// How the branches compare at the end of a run: by the rule of convergence, which asks for the
/// same writes and the same balance. In which order a branch applied them is no matter here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// The branches that differ from the first one, ascending.
    pub dissenters: Vec<BranchId>,
    /// The others that applied the writes of some customer in another order than the first one,
    /// ascending.
    pub reordered: Vec<BranchId>,
}

impl Agreement {
    /// Compares the branches of a run.
    pub fn of(branches: &[BranchResult]) -> Self {
        let mut agreement = Self { dissenters: Vec::new(), reordered: Vec::new() };
        let Some((first, others)) = branches.split_first() else { return agreement };
        let mut reference = None;
        for other in others {
            if other.balance != first.balance {
                agreement.dissenters.push(other.id);
            } else if !same_order(&first.log, &other.log) {
                let first = reference.get_or_insert_with(|| by_customer(&first.log));
                let other_sets = by_customer(&other.log);
                if *first == other_sets {
                    continue;
                }
                if sorted(first) == sorted(&other_sets) {
                    agreement.reordered.push(other.id);
                } else {
                    agreement.dissenters.push(other.id);
                }
            }
        }
        agreement
    }

    /// Whether all branches agree.
    pub fn is_whole(&self) -> bool {
        self.dissenters.is_empty()
    }
}

/// The quick answer for most runs, where even the writes of different customers are in one order.
fn same_order(one: &Arc<Vec<LogEntry>>, other: &Arc<Vec<LogEntry>>) -> bool {
    Arc::ptr_eq(one, other) || one.iter().map(content).eq(other.iter().map(content))
}

type Content = (CustomerId, EventId, Write);

fn content(logged: &LogEntry) -> Content {
    (logged.id.customer, logged.id.event, logged.write)
}

/// The writes at one branch by customer, those of each in the order applied there.
fn by_customer(log: &[LogEntry]) -> Vec<Content> {
    let mut writes: Vec<Content> = log.iter().map(content).collect();
    writes.sort_by_key(|&(customer, ..)| customer);
    writes
}

/// The same, in no order of application.
fn sorted(by_customer: &[Content]) -> Vec<Content> {
    let mut writes = by_customer.to_vec();
    writes.sort_unstable();
    writes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Case, JudgeOptions, Overall, judge};
    use crate::history::{Fact, Recorded};
    use crate::model::Dot;
    use crate::model::{LogPosition, Money, Roster, Sequence, Time, WriteId};
    use crate::report::fixture::{Bank, amount, branch, customer, event, money};
    use proptest::prelude::*;

    #[test]
    fn the_order_of_different_customers_may_differ() {
        let mut result =
            Bank::new("two customers", 3).deposit(1, 1, 10, 1).deposit(2, 1, 5, 2).run().result;
        Arc::make_mut(&mut result.branches[2].log).swap(0, 1);
        let whole = Agreement { dissenters: Vec::new(), reordered: Vec::new() };
        assert_eq!(Agreement::of(&result.branches), whole);
    }

    #[test]
    fn the_order_of_one_customer_may_differ_too_and_is_told() {
        let mut result =
            Bank::new("one customer", 3).deposit(1, 1, 10, 1).deposit(1, 2, 5, 2).run().result;
        Arc::make_mut(&mut result.branches[2].log).swap(0, 1);
        let agreement = Agreement::of(&result.branches);
        assert!(agreement.is_whole(), "{agreement:?}");
        assert_eq!(agreement.reordered, [branch(3)]);
    }

    #[test]
    fn what_a_write_does_counts() {
        let mut result =
            Bank::new("one id", 2).deposit(1, 1, 8, 1).deposit(1, 2, 9, 1).run().result;
        let log = Arc::make_mut(&mut result.branches[1].log);
        let first = log[0].write;
        log[0].write = log[1].write;
        log[1].write = first;
        assert_eq!(Agreement::of(&result.branches).dissenters, [branch(2)]);
    }

    #[test]
    fn a_missing_write_or_another_balance_is_a_disagreement() {
        let mut result = Bank::new("odd", 3).deposit(1, 1, 10, 1).run().result;
        result.branches[1].log = Arc::default();
        result.branches[2].balance = Money::ZERO;
        assert_eq!(Agreement::of(&result.branches).dissenters, [branch(2), branch(3)]);
    }

    /// Three writes, two of them under one id; each was accepted by a branch of its own.
    const WRITES: [(i64, i64, i64); 3] = [(1, 8, 1), (1, 9, 2), (2, 8, 3)];

    fn logged((id, units, origin): (i64, i64, i64)) -> LogEntry {
        let write = Write::deposit(amount(units));
        let (id, origin) = (WriteId { customer: customer(1), event: event(id) }, branch(origin));
        LogEntry { id, write, dot: Dot::first_life(origin, Sequence::new(1)) }
    }

    /// A branch that applied these writes, and says at the end that it holds so much too much.
    fn ended(id: i64, writes: &[usize], excess: i64) -> BranchResult {
        let log: Vec<_> = writes.iter().map(|&write| logged(WRITES[write])).collect();
        let sum = log
            .iter()
            .fold(money(excess), |sum, write| sum.checked_add(write.write.delta()).unwrap());
        let balance = if log.is_empty() { Money::ZERO } else { sum };
        BranchResult { id: branch(id), balance, log: Arc::new(log) }
    }

    fn applies(at: &BranchResult) -> impl Iterator<Item = Recorded> {
        at.log.iter().zip(1..).map(
            |(&LogEntry { id, write, dot: Dot { origin, sequence, .. } }, position)| {
                let (branch, balance) = (at.id, at.balance);
                let position = LogPosition::new(position);
                let (life, at) = (None, Time::START);
                let fact = Fact::WriteApplied {
                    branch,
                    id,
                    write,
                    origin,
                    life,
                    sequence,
                    position,
                    balance,
                };
                Recorded { at, fact }
            },
        )
    }

    fn any_branch(id: i64) -> impl Strategy<Value = BranchResult> {
        let writes = Just(vec![0, 1, 2]).prop_shuffle();
        let len = prop_oneof![3 => Just(3_usize), 1 => 0_usize..3];
        let excess = prop_oneof![4 => Just(0_i64), 1 => Just(1)];
        (writes, len, excess)
            .prop_map(move |(writes, len, excess)| ended(id, &writes[..len], excess))
    }

    proptest! {
        #[test]
        fn branches_agree_where_the_judge_finds_convergence_and_nowhere_else(
            branches in (any_branch(1), any_branch(2), any_branch(3)),
        ) {
            let branches = [branches.0, branches.1, branches.2];
            let roster = Roster::new(branches.iter().map(|branch| branch.id)).unwrap();
            let case = Case { roster: roster.into(), opening_balance: Money::ZERO, terms: None };
            let facts: Vec<_> = branches.iter().flat_map(applies).collect();
            let verdicts = judge(case, JudgeOptions::default(), &facts).unwrap();
            let agreement = Agreement::of(&branches);
            let is_violated = verdicts.by_property.convergence.summary() == Overall::Violated;
            prop_assert_eq!(agreement.is_whole(), !is_violated, "{:?}", verdicts.by_property.convergence);
        }
    }
}
