//! Rows as CSV, for spreadsheets: one header, one line per row. New columns stand at the end.

use std::io;

use super::RowWriter;
use crate::batch::row::VERDICT_KEYS;
use crate::batch::row::{Counts, Row};
use crate::batch::summary::Summary;
use crate::report::cell::harmless;

const FRONT: [&str; 5] = ["number", "place", "name", "status", "expected"];
const BACK: [&str; 14] = [
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
        for title in FRONT {
            out.write_field(title)?;
        }
        for key in VERDICT_KEYS {
            out.write_field(format!("verdict_{key}"))?;
        }
        out.write_record(BACK)?;
        Ok(Self { out })
    }
}

impl<W: io::Write> RowWriter for Csv<W> {
    fn write(&mut self, row: &Row) -> io::Result<()> {
        let out = &mut self.out;
        out.write_field(row.number.to_string())?;
        out.write_field(&*harmless(&row.place))?;
        out.write_field(&*harmless(row.name.as_deref().unwrap_or_default()))?;
        out.write_field(row.status.word())?;
        out.write_field(row.expected.map_or("", |met| if met { "true" } else { "false" }))?;
        match &row.verdicts {
            Some(verdicts) => {
                for verdict in verdicts.words() {
                    out.write_field(verdict.map(|word| word.to_string()).unwrap_or_default())?;
                }
            }
            None => VERDICT_KEYS.iter().try_for_each(|_| out.write_field(""))?,
        }
        out.write_field(balances(row))?;
        match row.counts {
            Some(Counts { branches, customers, writes, queries, refused, unknown, .. }) => {
                for count in [branches, customers, writes, queries, refused, unknown] {
                    out.write_field(count.to_string())?;
                }
            }
            None => [""; 6].iter().try_for_each(|none| out.write_field(none))?,
        }
        out.write_field(row.microseconds.to_string())?;
        out.write_field(&*harmless(row.problem.as_deref().unwrap_or_default()))?;
        let refused_writes = row.counts.and_then(|counts| counts.refused_writes);
        out.write_field(refused_writes.map(|writes| writes.to_string()).unwrap_or_default())?;
        out.write_field(&*harmless(&row.warnings.join("; ")))?;
        out.write_field(row.seed.map(|seed| seed.to_string()).unwrap_or_default())?;
        out.write_field(&*harmless(row.options.as_deref().unwrap_or_default()))?;
        out.write_field(&*harmless(row.passbook.as_deref().unwrap_or_default()))?;
        out.write_record(None::<&[u8]>)?;
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::sample::{error, finished, holds, unexpected, violated};

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
