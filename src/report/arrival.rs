//! What arrived at each branch, in order: writes from customers and from other branches, queries,
//! retries, and requests that were refused.
//!
//! Put together from the apply logs and the customers' requests. A request that did not add a write
//! to the log stands where the log ended when it was answered.

use std::collections::{BTreeMap, BTreeSet};

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::model::{
    BranchId, CustomerId, Decimal, EventId, LogPosition, Operation, OutcomeClass, Write, WriteId,
};
use crate::run::{BranchResult, CustomerResult, RequestResult, RunResult};

/// Something that arrived at a branch for a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arrival<'a> {
    pub(super) event: EventId,
    pub(super) operation: Operation,
    pub(super) source: Source<'a>,
}

/// Where an arrival came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source<'a> {
    /// The customer's own write, which this branch accepted.
    Accepted,
    /// The customer's request, which added nothing to the apply log.
    Answered(&'a RequestResult),
    /// Another branch.
    Branch(BranchId),
}

/// What one branch holds of one customer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Holding<'a> {
    /// The customer's writes, in the order applied.
    pub(super) write_set: Vec<EventId>,
    /// All that arrived, in order of arrival.
    pub(super) arrivals: Vec<Arrival<'a>>,
}

/// What was asked, as it arrived: `{"event_id":1,"interface":"deposit","money":400}`.
impl Serialize for Arrival<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_struct("Arrival", 3)?;
        row.serialize_field("event_id", &self.event)?;
        row.serialize_field("interface", &self.operation.interface())?;
        if let Some(money) = money(self.operation) {
            row.serialize_field("money", &money)?;
        }
        row.end()
    }
}

/// How much is deposited or withdrawn.
pub(super) fn money(operation: Operation) -> Option<Decimal> {
    match operation {
        Operation::Write(write) => Some(write.amount.money().decimal()),
        Operation::Query => None,
    }
}

/// The requests that added nothing to an apply log, by the branch that answered them.
#[derive(Debug)]
pub(super) struct Arrivals<'a> {
    customers: Vec<CustomerId>,
    answered: BTreeMap<BranchId, Vec<Answered<'a>>>,
}

#[derive(Debug)]
struct Answered<'a> {
    customer: CustomerId,
    request: &'a RequestResult,
}

impl<'a> Arrivals<'a> {
    /// Sorts the requests of `result`: O(n log n) in their number.
    pub(super) fn of(result: &'a RunResult) -> Self {
        let mut unclaimed = accepted_writes(&result.branches);
        let mut answered: BTreeMap<BranchId, Vec<Answered<'a>>> = BTreeMap::new();
        for CustomerResult { id, requests } in &result.customers {
            for request in requests {
                // A retry finds its write claimed by the request that made it.
                let made_it =
                    may_have_made(*id, request).is_some_and(|write| unclaimed.remove(&write));
                if !made_it {
                    let at_branch = answered.entry(request.branch).or_default();
                    at_branch.push(Answered { customer: *id, request });
                }
            }
        }
        for at_branch in answered.values_mut() {
            at_branch.sort_by_key(|Answered { request, .. }| request.position);
        }
        Self { customers: result.customers.iter().map(|customer| customer.id).collect(), answered }
    }

    /// What `branch` holds, by customer. Every customer of the run is there.
    pub(super) fn at(&self, branch: &BranchResult) -> BTreeMap<CustomerId, Holding<'a>> {
        let mut holdings: BTreeMap<CustomerId, Holding<'a>> =
            self.customers.iter().map(|&customer| (customer, Holding::default())).collect();
        let mut waiting =
            self.answered.get(&branch.id).map_or(&[][..], Vec::as_slice).iter().peekable();
        let mut position = LogPosition::default();
        for write in branch.log.iter() {
            while let Some(answered) = waiting.next_if(|next| next.request.position <= position) {
                answered.arrive(&mut holdings);
            }
            position = position.next();
            let source = if write.dot.origin == branch.id {
                Source::Accepted
            } else {
                Source::Branch(write.dot.origin)
            };
            let holding = holdings.entry(write.id.customer).or_default();
            holding.write_set.push(write.id.event);
            let operation = Operation::Write(write.write);
            holding.arrivals.push(Arrival { event: write.id.event, operation, source });
        }
        waiting.for_each(|answered| answered.arrive(&mut holdings));
        holdings
    }
}

impl<'a> Answered<'a> {
    fn arrive(&self, holdings: &mut BTreeMap<CustomerId, Holding<'a>>) {
        let RequestResult { event, operation, .. } = *self.request;
        let source = Source::Answered(self.request);
        let holding = holdings.entry(self.customer).or_default();
        holding.arrivals.push(Arrival { event, operation, source });
    }
}

/// A write and the branch that accepted it from the customer.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Accepted {
    branch: BranchId,
    id: WriteId,
    write: Write,
}

fn accepted_writes(branches: &[BranchResult]) -> BTreeSet<Accepted> {
    let own = branches.iter().flat_map(|branch| {
        let own = branch.log.iter().filter(|logged| logged.dot.origin == branch.id);
        own.map(|logged| Accepted { branch: branch.id, id: logged.id, write: logged.write })
    });
    own.collect()
}

/// The write that the request can have added to the log; none of a query, and of one that was
/// refused.
fn may_have_made(customer: CustomerId, request: &RequestResult) -> Option<Accepted> {
    let Operation::Write(write) = request.operation else { return None };
    let id = WriteId { customer, event: request.event };
    match OutcomeClass::of(&request.outcome) {
        OutcomeClass::Ok | OutcomeClass::Unknown => {
            Some(Accepted { branch: request.branch, id, write })
        }
        OutcomeClass::Refused => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::{Bank, branch, customer};

    /// What arrived at a branch for a customer, and from whom, in short.
    fn arrived(result: &RunResult, at: i64, of: i64) -> Vec<String> {
        let arrivals = Arrivals::of(result);
        let at = result.branches.iter().find(|other| other.id == branch(at)).unwrap();
        let holding = &arrivals.at(at)[&customer(of)];
        let text = |arrival: &Arrival<'_>| {
            let source = match arrival.source {
                Source::Accepted => "accepted".to_owned(),
                Source::Answered(_) => "answered".to_owned(),
                Source::Branch(origin) => format!("from {origin}"),
            };
            format!("{} {} {source}", arrival.event, arrival.operation)
        };
        holding.arrivals.iter().map(text).collect()
    }

    #[test]
    fn a_query_stands_where_the_log_ended() {
        let result = Bank::new("a", 2)
            .query(1, 1, 2)
            .deposit(1, 2, 400, 1)
            .query(1, 3, 2)
            .withdraw(1, 4, 100, 2)
            .query(1, 5, 2)
            .run()
            .result;
        assert_eq!(
            arrived(&result, 2, 1),
            [
                "1 query answered",
                "2 deposit 400 from 1",
                "3 query answered",
                "4 withdraw 100 accepted",
                "5 query answered"
            ]
        );
        assert_eq!(arrived(&result, 1, 1), ["2 deposit 400 accepted", "4 withdraw 100 from 2"]);
    }

    #[test]
    fn a_retry_arrives_as_well_as_the_write_it_repeats() {
        let result = Bank::new("a", 2)
            .deposit(1, 1, 400, 1)
            .retry(1, 1, 400, 1)
            .retry(1, 1, 400, 2)
            .run()
            .result;
        assert_eq!(arrived(&result, 1, 1), ["1 deposit 400 accepted", "1 deposit 400 answered"]);
        assert_eq!(arrived(&result, 2, 1), ["1 deposit 400 from 1", "1 deposit 400 answered"]);
    }

    #[test]
    fn a_refused_write_arrives_and_is_in_no_write_set() {
        let result = Bank::new("a", 2)
            .deposit(1, 1, 5, 1)
            .refuse(1, 2, 9, 2)
            .withdraw(1, 3, 4, 2)
            .run()
            .result;
        assert_eq!(
            arrived(&result, 2, 1),
            ["1 deposit 5 from 1", "2 withdraw 9 answered", "3 withdraw 4 accepted"]
        );
        let arrivals = Arrivals::of(&result);
        let write_set = &arrivals.at(&result.branches[1])[&customer(1)].write_set;
        assert_eq!(write_set.iter().map(|id| id.get()).collect::<Vec<_>>(), [1, 3]);
    }

    #[test]
    fn a_write_refused_first_and_accepted_later_arrives_twice() {
        let result = Bank::new("a", 2)
            .refuse(1, 1, 9, 1)
            .deposit(2, 1, 9, 2)
            .withdraw(1, 1, 9, 1)
            .run()
            .result;
        assert_eq!(arrived(&result, 1, 1), ["1 withdraw 9 answered", "1 withdraw 9 accepted"]);
        assert_eq!(arrived(&result, 1, 2), ["1 deposit 9 from 2"]);
    }

    #[test]
    fn a_customer_of_whom_nothing_arrived_is_there_with_nothing() {
        let result = Bank::new("a", 2).query(1, 1, 1).run().result;
        assert_eq!(arrived(&result, 2, 1), [] as [&str; 0]);
    }
}
