//! A comparison as JSON: all of it, so that a later one can be compared with it.

use std::io::{self, Write};

use crate::compare::analyse::Report;

/// Writes `report` as one line of JSON. [`Earlier::parse`](crate::compare::Earlier::parse) reads
/// it.
///
/// # Errors
///
/// If `out` takes no more.
pub fn write_json(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    serde_json::to_writer(&mut *out, report)?;
    writeln!(out)
}
