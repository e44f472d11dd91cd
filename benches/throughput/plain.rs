//! The baseline: what a loop needs that applies every write to every branch, and tells the balances.
//! No actor, no message, no guarantee.

use std::collections::BTreeMap;
use std::io::Write;

use passbook::model::{BranchIndex, CustomerId, EventId, Money, Operation};
use passbook::scenario::{Scenario, Visit};

/// A branch of the loop.
#[derive(Debug)]
struct PlainBranch {
    balance_minor: i64,
    applied: Vec<(CustomerId, EventId)>,
}

/// Applies all events of `scenario` in order, and writes the final balances to `out`.
pub(crate) fn run(scenario: &Scenario, out: &mut Vec<u8>) {
    let opening = scenario.opening_balance.minor();
    let mut branches: Vec<PlainBranch> = scenario
        .roster
        .indexes()
        .map(|_| PlainBranch { balance_minor: opening, applied: Vec::new() })
        .collect();
    let mut balances = BTreeMap::new();
    for Visit { customer, events } in &scenario.visits {
        for event in events {
            let at = scenario.roster.index(event.branch).map_or(0, BranchIndex::get);
            if let Operation::Write(write) = event.operation {
                for branch in &mut branches {
                    let after = branch.balance_minor.checked_add(write.delta().minor());
                    branch.balance_minor = after.expect("small amounts");
                    branch.applied.push((*customer, event.id));
                }
            }
            balances.insert(*customer, branches[at].balance_minor);
        }
    }
    let applied: usize = branches.iter().map(|branch| branch.applied.len()).sum();
    write!(out, "{{\"name\":\"{}\",\"applied\":{applied},\"balances\":[", scenario.name)
        .expect("a buffer takes all");
    for (customer, balance) in balances {
        let balance = Money::from_minor(balance);
        write!(out, "{{\"id\":{customer},\"balance\":{balance}}}").expect("a buffer takes all");
    }
    out.extend_from_slice(b"]}\n");
}
