//! A comparison as CSV: a row for each transport and kind.

use std::io::{self, Write};

use super::tables::{self, Value};
use crate::compare::analyse::Report;
use crate::report::cell::{Cell, write_row};

/// Writes `report` as CSV with a header. What was measured for all kinds together stands in the row
/// of kind `all` and nowhere else; what was not measured is empty. New columns stand at the end.
///
/// # Errors
///
/// If `out` takes no more.
pub fn write_csv(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    let table = tables::measurements(report);
    write_row(&mut csv, table.columns.iter().map(|column| Cell::text(column.title)))?;
    for row in &table.rows {
        write_row(&mut csv, row.iter().map(cell))?;
    }
    csv.flush()
}

/// Numbers as a spreadsheet reckons with them.
fn cell(value: &Value) -> Cell<'_> {
    match value {
        Value::Nothing | Value::Untold | Value::Interval(None) => Cell::Empty,
        Value::Name(text) | Value::Step { name: text, .. } => Cell::text(text),
        Value::Verdict(verdict) | Value::Change(verdict) => Cell::text(verdict.to_string()),
        Value::Interval(Some(both)) => Cell::text(format!("{};{}", both.low, both.high)),
        Value::One => Cell::number(1),
        Value::Count(count) => Cell::number(count),
        Value::Percentile(percentile) => Cell::number(percentile.ns),
        Value::Latency(number) | Value::Rate(number) => Cell::number(format_args!("{number:.1}")),
        Value::Times(number)
        | Value::Share(number)
        | Value::Amount(number)
        | Value::Bytes(number) => Cell::number(format_args!("{number:.4}")),
    }
}
