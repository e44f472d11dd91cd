//! What the judge says: a line per property, and what shows that it is violated.

use std::io::{self, Write};

use super::closing::heading;
use super::verbosity::Verbosity;
use crate::check::{Property, Verdict, Verdicts, Witness};
use crate::report::Note;
use crate::report::palette::{BAD, GOOD, NO, PLAIN, QUIET, YES};
use crate::report::phrase::{count, grouped, wrapped};
use crate::report::table::{Cell, Columns, Row};

const UNTESTED: &str = "–";
const INDENT: usize = 2;
/// As far as a sentence runs to the right.
const WIDTH: usize = 96;

/// Writes the section of `verdicts`; when quiet, only what is violated.
pub(in crate::report) fn write(
    out: &mut dyn Write,
    verdicts: &Verdicts,
    verbosity: Verbosity,
) -> io::Result<()> {
    match verbosity {
        Verbosity::Normal | Verbosity::Verbose => {
            heading(out, "Check")?;
            all(out, verdicts)
        }
        Verbosity::Quiet => {
            for (property, verdict) in verdicts.iter() {
                if let Some(witness) = verdict.witness() {
                    writeln!(out, "\n  {BAD}{NO} {property}{BAD:#}")?;
                    sentence(out, witness, INDENT + 2)?;
                }
            }
            Ok(())
        }
    }
}

/// Writes what should be known beside the verdicts.
pub(super) fn notes(out: &mut dyn Write, notes: &[Note]) -> io::Result<()> {
    for note in notes {
        writeln!(out)?;
        let lines = wrapped(&format!("note: {note}"), WIDTH - INDENT);
        lines.iter().try_for_each(|line| writeln!(out, "{:INDENT$}{line}", ""))?;
    }
    Ok(())
}

/// Writes a line per property, and the witness under each that is violated.
pub(in crate::report) fn all(out: &mut dyn Write, verdicts: &Verdicts) -> io::Result<()> {
    let mut columns = Columns::default();
    for (property, verdict) in verdicts.iter() {
        columns.fit(&row(property, verdict));
    }
    for (property, verdict) in verdicts.iter() {
        columns.write(out, INDENT, &row(property, verdict))?;
        if let Some(witness) = verdict.witness() {
            sentence(out, witness, INDENT + 4)?;
        }
    }
    Ok(())
}

fn row(property: Property, verdict: &Verdict) -> Row {
    let count_of = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let (mark, says) = match verdict {
        Verdict::Holds { tested } => {
            let tests = count(count_of(*tested), "test");
            (Cell::new(GOOD, YES), Cell::plain("holds").and(QUIET, format!(" in {tests}")))
        }
        Verdict::Violated { tested, violations, .. } => {
            let (failed, tests) =
                (grouped(count_of(*violations)), count(count_of(*tested), "test"));
            let tests = format!(" in {failed} of {tests}");
            (Cell::new(BAD, NO), Cell::new(BAD, "violated").and(QUIET, tests))
        }
        Verdict::Undecided => (Cell::new(QUIET, UNTESTED), Cell::new(QUIET, "nothing to test")),
    };
    let style = if verdict.tested() > 0 { PLAIN } else { QUIET };
    vec![mark.and(style, format!(" {property}")), says]
}

fn sentence(out: &mut dyn Write, witness: &Witness, indent: usize) -> io::Result<()> {
    wrapped(&witness.sentence, WIDTH - indent)
        .iter()
        .try_for_each(|line| writeln!(out, "{:indent$}{line}", ""))
}
