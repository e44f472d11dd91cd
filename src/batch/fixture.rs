//! Rows made by hand, for tests.

use std::sync::Arc;
use std::time::Duration;

use super::{BatchStats, Counts, Overview, Row, RowHead, Status, Summary};
use crate::check::{self, ByProperty};
use crate::model::{Money, Seed};
use crate::report::fixture::{customer, money};
use crate::scenario::BalanceRow;

const TESTED: check::Overall = check::Overall::Holds;
const UNTESTED: check::Overall = check::Overall::Undecided;

/// Row `number` of `many.jsonl`: a deposit of 400 and a query, as they should be.
pub(super) fn holds(number: u64) -> Row {
    Row {
        name: Some("read_your_writes".to_owned()),
        status: Status::Holds,
        expected: Some(true),
        verdicts: Some(ByProperty {
            read_your_writes: TESTED,
            monotonic_reads: UNTESTED,
            monotonic_writes: UNTESTED,
            writes_follow_reads: UNTESTED,
            balances: TESTED,
            convergence: TESTED,
            exactly_once: TESTED,
            no_overdraft: None,
            settles: None,
        }),
        balances: vec![BalanceRow { id: customer(1), balance: Some(money(400)) }],
        counts: Some(Counts {
            branches: 2,
            customers: 1,
            writes: 1,
            queries: 1,
            refused: 0,
            unknown: 0,
            refused_writes: Some(0),
        }),
        problem: None,
        seed: Some(Seed::default()),
        ..Row::failed(head(number, 12), None, String::new())
    }
}

/// Of a batch that async propagation was asked of.
fn head(number: u64, microseconds: u64) -> RowHead {
    RowHead {
        number,
        place: format!("many.jsonl:{number}"),
        packed: None,
        options: Arc::from("--propagation async"),
        took: Duration::from_micros(microseconds),
    }
}

/// The same, where the query is before its time.
pub(super) fn violated(number: u64) -> Row {
    let row = holds(number);
    let verdicts = row
        .verdicts
        .map(|verdicts| ByProperty { read_your_writes: check::Overall::Violated, ..verdicts });
    let problem = "read your writes: customer 1 deposited 400 at branch 1 (event 1), then read the \
                   balance 0 at branch 2 (event 2), whose log did not yet hold that deposit: it was \
                   owed at least its own deposit";
    Row {
        status: Status::Violated,
        expected: None,
        verdicts,
        problem: Some(problem.to_owned()),
        ..row
    }
}

/// The same, where another customer was expected to see something else.
pub(super) fn unexpected(number: u64) -> Row {
    let mut row = holds(number);
    row.balances.push(BalanceRow { id: customer(2), balance: Some(Money::from_minor(-5)) });
    let problem = "customer 2: expected balance 7, got balance -0.05";
    Row {
        name: Some("overdrawn".to_owned()),
        status: Status::Unexpected,
        expected: Some(false),
        problem: Some(problem.to_owned()),
        ..row
    }
}

/// A row with nothing to test.
pub(super) fn undecided(number: u64) -> Row {
    let row = holds(number);
    let verdicts = ByProperty {
        read_your_writes: UNTESTED,
        monotonic_reads: UNTESTED,
        monotonic_writes: UNTESTED,
        writes_follow_reads: UNTESTED,
        balances: UNTESTED,
        convergence: UNTESTED,
        exactly_once: UNTESTED,
        no_overdraft: None,
        settles: None,
    };
    let name = Some("nobody".to_owned());
    let counts = row.counts.map(|counts| Counts { writes: 0, queries: 0, customers: 0, ..counts });
    Row {
        name,
        status: Status::Undecided,
        expected: None,
        verdicts: Some(verdicts),
        balances: Vec::new(),
        counts,
        ..row
    }
}

/// A row of what is no scenario.
pub(super) fn error(number: u64) -> Row {
    let problem = format!("many.jsonl:{number}:3: not JSON: expected a value");
    Row::failed(head(number, 3), None, problem)
}

/// All of them.
pub(super) fn gathered(rows: &[Row]) -> Overview {
    let mut overview = Overview::default();
    rows.iter().for_each(|row| overview.add(row));
    overview
}

/// The summary of a batch that is these rows.
pub(super) fn finished(rows: &[Row]) -> Summary {
    let inputs = u64::try_from(rows.len()).unwrap();
    gathered(rows).summary(&BatchStats { inputs: Some(inputs), jobs: 2, ..BatchStats::default() })
}
