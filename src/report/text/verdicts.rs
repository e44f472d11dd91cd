//! What the judge says: a line per property, and what shows that it is violated.

use std::io::{self, Write};

use super::closing::heading;
use super::verbosity::Verbosity;
use crate::check::{
    FactPlace, Promised, Property, Split, Step, Undecided, Verdict, Verdicts, Violation, Witness,
    WitnessKind,
};
use crate::model::Operation;
use crate::report::Note;
use crate::report::palette::{BAD, GOOD, NO, PLAIN, QUIET, YES};
use crate::report::table::{Cell, Columns, Row};
use crate::report::words::{self, count, grouped, wrapped};

const UNTESTED: &str = "–";
const INDENT: usize = 2;

/// How a fact is found again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum FoundBy {
    /// By its line in a history, and its time.
    LineAndTime,
    /// By its time.
    Time,
}

/// Writes the section of `verdicts`; when quiet, only what is violated. In all of them `width` is as far
/// as a sentence runs to the right.
pub(in crate::report) fn write(
    out: &mut dyn Write,
    verdicts: &Verdicts,
    verbosity: Verbosity,
    width: usize,
) -> io::Result<()> {
    match verbosity {
        Verbosity::Normal | Verbosity::Verbose => {
            heading(out, "Check")?;
            all(out, verdicts, FoundBy::Time, width)
        }
        Verbosity::Quiet => violated(out, verdicts, FoundBy::Time, width),
    }
}

/// Writes what is violated, and nothing else.
pub(in crate::report) fn violated(
    out: &mut dyn Write,
    verdicts: &Verdicts,
    found_by: FoundBy,
    width: usize,
) -> io::Result<()> {
    for (property, verdict) in verdicts.iter() {
        if let (Some(label), Verdict::Violated(violation)) = (broken(verdict), verdict) {
            let failed = failed(violation);
            writeln!(out, "\n  {BAD}{NO} {property}: {label}{failed}{BAD:#}")?;
            witnesses(out, verdict, found_by, (INDENT + 2, width))?;
        }
    }
    Ok(())
}

/// Writes what should be known beside the verdicts.
pub(super) fn notes(out: &mut dyn Write, notes: &[Note], width: usize) -> io::Result<()> {
    for note in notes {
        writeln!(out)?;
        let lines = wrapped(&format!("note: {note}"), width - INDENT);
        lines.iter().try_for_each(|line| writeln!(out, "{:INDENT$}{line}", ""))?;
    }
    Ok(())
}

/// Writes a line per property, and the witnesses under each that is violated.
pub(in crate::report) fn all(
    out: &mut dyn Write,
    verdicts: &Verdicts,
    found_by: FoundBy,
    width: usize,
) -> io::Result<()> {
    let mut columns = Columns::default();
    for (property, verdict) in verdicts.iter() {
        columns.fit(&row(property, verdict));
    }
    for (property, verdict) in verdicts.iter() {
        columns.write(out, INDENT, &row(property, verdict))?;
        witnesses(out, verdict, found_by, (INDENT + 4, width))?;
    }
    Ok(())
}

/// Whether what is broken was promised, in words; `None` where nothing is broken.
pub(in crate::report) fn broken(verdict: &Verdict) -> Option<&'static str> {
    let is_customers_fault =
        verdict.witness().is_some_and(|witness| witness.kind == WitnessKind::IdNotUnique);
    let promised = verdict.promised()?;
    if is_customers_fault && promised == Promised::No {
        return Some("broken by the customer");
    }
    Some(words::broken(promised))
}

fn row(property: Property, verdict: &Verdict) -> Row {
    let (mark, says) = match verdict {
        Verdict::Holds { tests } => {
            let kept = format!(" in {}{}", tested(*tests), promised(property, *tests));
            (Cell::new(GOOD, YES), Cell::plain("holds").and(QUIET, kept))
        }
        Verdict::Violated(violation) => {
            let tests = failed(violation);
            let label = broken(verdict).map_or_else(String::new, |label| format!(": {label}"));
            (Cell::new(BAD, NO), Cell::new(BAD, "violated").and(QUIET, tests).and(BAD, label))
        }
        Verdict::Undecided(reason) => {
            let reason = match reason {
                Undecided::NothingToTest => "nothing to test",
                Undecided::CutOff => "undecided: the history was cut off",
                Undecided::BranchDown => "undecided: a branch was down at the end",
            };
            (Cell::new(QUIET, UNTESTED), Cell::new(QUIET, reason))
        }
    };
    let style = if verdict.tested() > 0 { PLAIN } else { QUIET };
    vec![mark.and(style, format!(" {property}")), says]
}

/// How often, of how many tests.
fn failed(violation: &Violation) -> String {
    format!(" in {} of {}", grouped(violation.failed.total()), tested(violation.tests))
}

fn tested(tests: Split) -> String {
    count(tests.total(), "test")
}

/// Whether what holds was promised, of what can be promised or not.
fn promised(property: Property, tests: Split) -> String {
    match tests {
        _ if !property.is_session_guarantee() => String::new(),
        Split { promised: 0, not_promised: 0, .. } => String::new(),
        Split { promised: 0, .. } => ", not promised".to_owned(),
        Split { not_promised: 0, .. } => ", promised".to_owned(),
        Split { promised, .. } => format!(", promised in {}", grouped(promised)),
    }
}

/// Writes what shows that `verdict` is violated, and where it stands.
fn witnesses(
    out: &mut dyn Write,
    verdict: &Verdict,
    found_by: FoundBy,
    (indent, width): (usize, usize),
) -> io::Result<()> {
    for witness in verdict.witnesses() {
        for line in wrapped(&witness.sentence, width - indent) {
            writeln!(out, "{:indent$}{line}", "")?;
        }
        let places = places(witness, found_by);
        if !places.is_empty() {
            writeln!(out, "{:indent$}{QUIET}{}{QUIET:#}", "", places.join("; "))?;
        }
    }
    Ok(())
}

/// Where the steps of a witness stand, and the fact that shows it.
fn places(witness: &Witness, found_by: FoundBy) -> Vec<String> {
    let name = |place: FactPlace| match (found_by, place.line) {
        (FoundBy::LineAndTime, Some(line)) => format!("line {line}, {}", place.at),
        (FoundBy::LineAndTime, None) | (FoundBy::Time, _) => place.at.to_string(),
    };
    let steps = [witness.earlier, witness.later].into_iter().flatten();
    let mut places: Vec<String> =
        steps.map(|step| format!("event {} at {}", step.event, name(place_of(&step)))).collect();
    places.extend(witness.shown.map(|place| format!("seen at {}", name(place))));
    places
}

/// Where a step stands: a write where it was asked for, a read where it was answered.
fn place_of(step: &Step) -> FactPlace {
    match step.operation {
        Operation::Write(_) => step.sent,
        Operation::Query => step.answered.unwrap_or(step.sent),
    }
}
