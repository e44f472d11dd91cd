//! A table of properties: in how many runs each came to which verdict.

use std::io::{self, Write};

use super::palette::{BAD, GOOD, QUIET, UNSURE};
use super::table::{Cell, Row, write_table};
use super::words::grouped;
use crate::check::{Overall, OverallCounts, Property};

/// Writes a row for each of `counts`, below one that names the verdicts.
pub(crate) fn write_verdict_counts(
    out: &mut dyn Write,
    indent: usize,
    counts: impl IntoIterator<Item = (Property, OverallCounts)>,
) -> io::Result<()> {
    let mut rows: Vec<Row> = vec![vec![Cell::plain("")]];
    rows[0].extend(Overall::ALL.map(|verdict| Cell::new(QUIET, verdict.word()).right()));
    for (property, counts) in counts {
        let mut row = vec![Cell::plain(property.to_string())];
        row.extend(Overall::ALL.map(|verdict| {
            let number = counts.of(verdict);
            let style = match verdict {
                _ if number == 0 => QUIET,
                Overall::Holds => GOOD,
                Overall::Violated => BAD,
                Overall::Undecided => UNSURE,
            };
            Cell::new(style, grouped(number)).right()
        }));
        rows.push(row);
    }
    write_table(out, indent, &rows)
}
