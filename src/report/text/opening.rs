//! The bank at the start.

use std::io::{self, Write};

use crate::model::QueryTiming;
use crate::report::palette::QUIET;
use crate::report::phrase::{grouped, ranges};
use crate::report::table::{Cell, Row, write_table};
use crate::runner::RunResult;

pub(super) fn write(out: &mut dyn Write, result: &RunResult) -> io::Result<()> {
    let RunResult { config, branches, customers, .. } = result;
    let branch_ids = ranges(branches.iter().map(|branch| branch.id.get()));
    let customer_ids = ranges(customers.iter().map(|customer| customer.id.get()));
    let customers = match customers.len() {
        0 => "none".to_owned(),
        number => format!("{} ({customer_ids}), {}", grouped(number), config.customers),
    };
    let mut rows = vec![
        row("branches", format!("{} ({branch_ids})", grouped(branches.len()))),
        row("opening balance", result.opening_balance.to_string()),
        row("propagation", config.propagation.to_string()),
        row("overdraft", config.overdraft.to_string()),
        row("customers", customers),
    ];
    if config.queries != QueryTiming::default() {
        rows.push(row("queries", config.queries.to_string()));
    }
    rows.push(row("seed", config.seed.to_string()));
    write_table(out, 2, &rows)
}

fn row(label: &str, value: String) -> Row {
    vec![Cell::new(QUIET, label), Cell::plain(value)]
}
