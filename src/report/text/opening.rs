//! The bank at the start.

use std::collections::BTreeSet;
use std::io::{self, Write};

use crate::model::{Propagation, QueryTiming};
use crate::report::palette::QUIET;
use crate::report::phrase::{grouped, ranges};
use crate::report::table::{Cell, Row, write_table};
use crate::runner::RunResult;

pub(super) fn write(out: &mut dyn Write, result: &RunResult) -> io::Result<()> {
    let RunResult { config, branches, customers, .. } = result;
    let customer_ids: BTreeSet<u32> = customers.iter().map(|customer| customer.id.get()).collect();
    // With sync propagation no guarantee can be broken, whichever are asked for.
    let propagation = match config.propagation {
        Propagation::Sync => config.propagation.to_string(),
        Propagation::Async => format!("{}, guarantees: {}", config.propagation, config.guarantees),
    };
    let mut rows = vec![
        row("branches", ids(branches.iter().map(|branch| branch.id.get()))),
        row("opening balance", result.opening_balance.to_string()),
        row("propagation", propagation),
        row("overdraft", config.overdraft.to_string()),
        row("customers", ids(customer_ids.iter().copied())),
    ];
    if customers.len() > 1 {
        rows.push(row("visits", config.customers.to_string()));
    }
    if config.queries != QueryTiming::default() {
        rows.push(row("queries", config.queries.to_string()));
    }
    rows.push(row("seed", config.seed.to_string()));
    write_table(out, 2, &rows)
}

/// `1, 2`, and how many where that cannot be seen at a glance.
fn ids(ids: impl ExactSizeIterator<Item = u32> + Clone) -> String {
    let from_one = ids.clone().zip(1..).all(|(id, place)| id == place);
    match ids.len() {
        0 => "none".to_owned(),
        number if from_one || number < 4 => ranges(ids),
        number => format!("{} ({} in all)", ranges(ids), grouped(number)),
    }
}

fn row(label: &str, value: String) -> Row {
    vec![Cell::new(QUIET, label), Cell::plain(value)]
}
