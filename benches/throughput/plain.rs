//! The baseline: what a loop needs that applies every write to every branch, and prints the row
//! that a batch prints. No actor, no message, no guarantee.

use std::borrow::Cow;
use std::collections::BTreeMap;

use passbook::batch::{Counts, Row, RowKind, Status, append_line};
use passbook::model::{BranchIndex, CustomerId, EventId, Money, Operation};
use passbook::scenario::{BalanceRow, Scenario, Visit};

/// A branch of the loop.
#[derive(Debug)]
struct PlainBranch {
    balance_minor: i64,
    applied: Vec<(CustomerId, EventId)>,
}

/// Applies all events of `scenario` in order, and writes its row to `out`.
pub(crate) fn run(scenario: &Scenario, out: &mut Vec<u8>) {
    let opening = scenario.opening_balance.minor();
    let mut branches: Vec<PlainBranch> = scenario
        .roster
        .indexes()
        .map(|_| PlainBranch { balance_minor: opening, applied: Vec::new() })
        .collect();
    let mut balances = BTreeMap::new();
    let mut events = 0;
    for Visit { customer, events: asked, .. } in &scenario.visits {
        for event in asked {
            events += 1;
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
    let writes = applied / branches.len();
    let count = |number: usize| u64::try_from(number).expect("a small number");
    let row = Row {
        kind: RowKind::Scenario,
        format: 2,
        number: 1,
        place: "bench".to_owned(),
        packed: None,
        name: Some(scenario.name.clone()),
        status: Status::Undecided,
        expected: None,
        verdicts: None,
        counts: Some(Counts {
            branches: count(branches.len()),
            customers: count(balances.len()),
            writes: count(writes),
            queries: count(events - writes),
            ..Counts::default()
        }),
        balances: balances
            .into_iter()
            .map(|(id, minor)| BalanceRow { id, balance: Some(Money::from_minor(minor)) })
            .collect(),
        faults: None,
        warnings: Vec::new(),
        microseconds: 0,
        problem: None,
        notes: Vec::new(),
        seed: scenario.settings.seed,
        options: None,
        passbook: Some(Cow::Borrowed(env!("CARGO_PKG_VERSION"))),
    };
    append_line(out, &row);
}
