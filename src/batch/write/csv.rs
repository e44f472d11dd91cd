//! Rows as CSV, for spreadsheets: one header, one line per row. New columns stand at the end.

use std::io;

use super::RowWriter;
use crate::batch::row::{Counts, Row};
use crate::batch::summary::Summary;
use crate::check::Property;
use crate::network::{FaultCounts, FaultKind};
use crate::report::cell::{Cell, write_row};

const FRONT: [&str; 5] = ["number", "place", "name", "status", "expected"];
const BACK: [&str; 15] = [
    "balances",
    "branches",
    "customers",
    "writes",
    "queries",
    "refused",
    "unknown",
    "microseconds",
    "problem",
    "refused_writes",
    "warnings",
    "seed",
    "options",
    "passbook",
    "faults",
];

/// Writes rows as CSV to `W`, under one header.
#[derive(Debug)]
pub struct Csv<W: io::Write> {
    out: ::csv::Writer<W>,
}

impl<W: io::Write> Csv<W> {
    /// Writes the header to `out`.
    pub fn new(out: W) -> io::Result<Self> {
        let mut out = ::csv::Writer::from_writer(out);
        let verdicts = Property::ALL.map(|of| Cell::text(format!("verdict_{}", of.word())));
        let gateway = FRONT.map(Cell::text).into_iter();
        write_row(&mut out, gateway.chain(verdicts).chain(BACK.map(Cell::text)))?;
        Ok(Self { out })
    }
}

impl<W: io::Write> RowWriter for Csv<W> {
    fn write(&mut self, row: &Row) -> io::Result<()> {
        let mut cells = vec![
            Cell::number(row.number),
            Cell::text(&row.place),
            Cell::of(row.name.as_deref(), Cell::text),
            Cell::text(row.status.word()),
            Cell::of(row.expected, |met| Cell::text(if met { "true" } else { "false" })),
        ];
        cells.extend(Property::ALL.map(|property| {
            let verdict = row.verdicts.as_ref().and_then(|verdicts| verdicts.of(property));
            Cell::of(verdict, |word| Cell::text(word.to_string()))
        }));
        cells.push(Cell::text(balances(row)));
        let counts = row.counts.map(|counts| {
            let Counts { branches, customers, writes, queries, refused, unknown, .. } = counts;
            [branches, customers, writes, queries, refused, unknown].map(Some)
        });
        let counts = counts.unwrap_or_default().into_iter();
        cells.extend(counts.map(|count| Cell::of(count, Cell::number)));
        let refused_writes = row.counts.and_then(|counts| counts.refused_writes);
        cells.extend([
            Cell::number(row.microseconds),
            Cell::of(row.problem.as_deref(), Cell::text),
            Cell::of(refused_writes, Cell::number),
            Cell::text(row.warnings.join("; ")),
            Cell::of(row.seed, Cell::number),
            Cell::of(row.options.as_deref(), Cell::text),
            Cell::of(row.passbook.as_deref(), Cell::text),
            Cell::of(row.faults.as_deref(), |faults| Cell::text(struck(faults))),
        ]);
        Ok(write_row(&mut self.out, cells)?)
    }

    fn finish(&mut self, _summary: &Summary) -> io::Result<()> {
        self.out.flush()
    }
}

/// `1=400;2=500.5`; `3=` for a customer that was told none.
fn balances(row: &Row) -> String {
    let texts = row.balances.iter().map(|of| match of.balance {
        Some(balance) => format!("{}={balance}", of.id),
        None => format!("{}=", of.id),
    });
    texts.collect::<Vec<_>>().join(";")
}

/// `loss=3;crash=1`: those that struck.
fn struck(faults: &FaultCounts) -> String {
    let kinds = FaultKind::ALL.into_iter().map(|kind| (kind, faults.of(kind)));
    let texts =
        kinds.filter(|(_, times)| *times > 0).map(|(kind, times)| format!("{kind}={times}"));
    texts.collect::<Vec<_>>().join(";")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::fixture::{error, finished, holds, unexpected, violated};

    fn written(rows: &[Row]) -> Vec<Vec<String>> {
        let mut csv = Csv::new(Vec::new()).unwrap();
        for row in rows {
            csv.write(row).unwrap();
        }
        csv.finish(&finished(rows)).unwrap();
        let bytes = csv.out.into_inner().unwrap();
        let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(&bytes[..]);
        let lines = reader.records().map(|line| line.unwrap().iter().map(str::to_owned).collect());
        lines.collect()
    }

    fn column(lines: &[Vec<String>], name: &str) -> Vec<String> {
        let place = lines[0].iter().position(|title| title == name).unwrap();
        lines[1..].iter().map(|line| line[place].clone()).collect()
    }

    #[test]
    fn every_verdict_and_every_count_has_a_column() {
        let lines = written(&[holds(1), violated(2), unexpected(3), error(4)]);
        assert_eq!(column(&lines, "number"), ["1", "2", "3", "4"]);
        assert_eq!(column(&lines, "status"), ["holds", "violated", "unexpected", "error"]);
        assert_eq!(column(&lines, "expected"), ["true", "", "false", ""]);
        assert_eq!(column(&lines, "verdict_read_your_writes"), ["holds", "violated", "holds", ""]);
        assert_eq!(column(&lines, "verdict_exactly_once"), ["holds", "holds", "holds", ""]);
        assert_eq!(column(&lines, "balances"), ["1=400", "1=400", "1=400;2=-0.05", ""]);
        assert_eq!(column(&lines, "writes"), ["1", "1", "1", ""]);
        assert_eq!(column(&lines, "problem")[3], "many.jsonl:4:3: not JSON: expected a value");
        assert_eq!(column(&lines, "refused_writes"), ["0", "0", "0", ""]);
        assert_eq!(column(&lines, "seed"), ["0", "0", "0", ""]);
        assert_eq!(column(&lines, "options"), ["'--propagation async"; 4]);
        assert_eq!(column(&lines, "passbook"), [env!("CARGO_PKG_VERSION"); 4]);
        assert!(lines.iter().all(|line| line.len() == lines[0].len()));
    }

    #[test]
    fn no_text_is_a_formula_none_breaks_the_table_and_none_has_a_control_character() {
        let nasty = |text: &str| Row {
            place: text.to_owned(),
            name: Some(text.to_owned()),
            problem: Some(text.to_owned()),
            warnings: vec![text.to_owned(), "b".to_owned()],
            options: Some(text.into()),
            ..holds(1)
        };
        let lines = written(&["=1+1", "a,b\"", "a\n\t\u{1b}"].map(nasty));
        for title in ["place", "name", "problem", "options"] {
            assert_eq!(column(&lines, title), ["'=1+1", "a,b\"", r"a\n\t\u{1b}"], "{title}");
        }
        let warnings = ["'=1+1; b", "a,b\"; b", r"a\n\t\u{1b}; b"];
        assert_eq!(column(&lines, "warnings"), warnings);
    }
}
