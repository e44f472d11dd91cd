//! A simulation, as a person reads it.

use std::io::{self, Write};

use crate::model::Shown;
use crate::network::FaultKind;
use crate::report::palette::{BAD, GOOD, MAYBE, NO, QUIET, STRONG, TITLE, UNSURE, YES};
use crate::report::table::{Cell, Row, write_table};
use crate::report::verdict_counts::write_verdict_counts;
use crate::report::words::{broken, count, grouped, rate, readable, span, wrapped};
use crate::simulate::{Finding, FindingRow, ShrunkRow, Stopped, Summary, Tally, Violated};

const INDENT: usize = 2;
/// As far as a sentence runs to the right.
const WIDTH: usize = 96;

/// Writes `summary`, with ANSI colour.
pub fn write_text(out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
    title(out, summary)?;
    write_table(out, INDENT, &numbers(summary))?;
    if summary.tally.faults.total() > 0 {
        heading(out, "Faults")?;
        write_table(out, INDENT, &faults(summary))?;
    }
    if !summary.tally.verdicts.is_empty() {
        heading(out, "Properties")?;
        let counts = summary.tally.verdicts.iter().map(|(&property, &counts)| (property, counts));
        write_verdict_counts(out, INDENT, counts)?;
    }
    if !summary.findings.is_empty() {
        heading(out, "Found")?;
        findings(out, summary)?;
    }
    if let Some(shrunk) = &summary.shrunk {
        heading(out, "Shrunk")?;
        write_shrunk(out, shrunk)?;
    }
    writeln!(out)?;
    closing(out, summary)
}

fn heading(out: &mut dyn Write, text: &str) -> io::Result<()> {
    writeln!(out, "\n{STRONG}{text}{STRONG:#}\n")
}

/// `1,000 seeds  in 1.5 s: 666 a second, 2 jobs; passbook 0.1.0`
fn title(out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
    let (seeds, jobs) = (count(summary.tally.seeds, "seed"), count(summary.jobs, "job"));
    let took = span(readable(summary.wall()));
    let rate = match rate(summary.tally.seeds, summary.wall()) {
        Some(rate) => format!(": {} a second", grouped(rate)),
        None => String::new(),
    };
    let by = summary.passbook;
    writeln!(
        out,
        "{TITLE}{seeds}{TITLE:#}  {QUIET}in {took}{rate}, {jobs}; passbook {by}{QUIET:#}\n"
    )
}

fn numbers(summary: &Summary) -> Vec<Row> {
    let row = |label: &str, number: String| vec![Cell::plain(label), Cell::plain(number).right()];
    let mut rows = vec![
        row("operations", grouped(summary.tally.operations)),
        row("messages", grouped(summary.tally.messages)),
        row("simulated time", span(readable(summary.tally.simulated))),
    ];
    if summary.tally.undecided > 0 {
        rows.push(row("undecided seeds", grouped(summary.tally.undecided)));
    }
    if summary.tally.lost > 0 {
        let mut lost = row("lost writes", grouped(summary.tally.lost));
        lost.push(Cell::new(QUIET, "acknowledged, and gone with the memory that held them"));
        rows.push(lost);
    }
    rows
}

/// A row for each kind that struck.
fn faults(summary: &Summary) -> Vec<Row> {
    let label = |text: &str| Cell::new(QUIET, text).right();
    let mut rows =
        vec![vec![Cell::plain(""), label("struck"), label("in seeds, before the last request")]];
    for kind in FaultKind::ALL.into_iter().filter(|&kind| summary.tally.faults.of(kind) > 0) {
        rows.push(vec![
            Cell::plain(kind.word()),
            Cell::plain(grouped(summary.tally.faults.of(kind))).right(),
            Cell::plain(grouped(summary.tally.struck_in_time.of(kind))).right(),
        ]);
    }
    rows
}

/// Each finding that was kept, with what shows it and how to see it again.
fn findings(out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
    for FindingRow { seed, finding, again } in &summary.findings {
        let what = match finding {
            Finding::Violated(violated) => what(violated),
            Finding::Failed { .. } => "failed".to_owned(),
        };
        writeln!(out, "  {BAD}{NO} seed {seed}: {what}{BAD:#}")?;
        sentence(out, finding.told(), again)?;
    }
    let more = summary.findings_left_out();
    if more > 0 {
        writeln!(out, "  {QUIET}… {}{QUIET:#}", count(more, "more seed"))?;
    }
    Ok(())
}

/// `read your writes: not promised, and broken`
fn what(Violated { property, promised, .. }: &Violated) -> String {
    format!("{property}: {}", broken(*promised))
}

fn sentence(out: &mut dyn Write, told: &str, again: &str) -> io::Result<()> {
    let indent = INDENT + 2;
    for line in wrapped(told, WIDTH - indent) {
        writeln!(out, "{:indent$}{line}", "")?;
    }
    writeln!(out, "{:indent$}{QUIET}to see it again: {}{QUIET:#}", "", Shown::new(again))
}

fn write_shrunk(out: &mut dyn Write, shrunk: &ShrunkRow) -> io::Result<()> {
    let size = [
        count(shrunk.events, "event"),
        count(shrunk.customers, "customer"),
        branches(shrunk.branches),
        count(shrunk.faults, "fault"),
    ];
    let minimal = match shrunk.minimal {
        true => "no part of it can be left out",
        false => "time was over before it was known to be minimal",
    };
    writeln!(out, "  {}; {minimal}", size.join(", "))?;
    if let Some(file) = &shrunk.file {
        writeln!(out, "  {QUIET}written to {}{QUIET:#}", Shown::name(file))?;
    }
    writeln!(out)?;
    writeln!(out, "  {BAD}{NO} {}{BAD:#}", what(&shrunk.violated))?;
    sentence(out, &shrunk.violated.sentence, &shrunk.again)
}

fn branches(number: u64) -> String {
    if number == 1 { "1 branch".to_owned() } else { format!("{} branches", grouped(number)) }
}

/// One line that says it all.
fn closing(out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
    if let Some(stopped) = summary.stopped {
        let why = match stopped {
            Stopped::Violation => "at the lowest seed with a finding; --keep-going runs the others",
            Stopped::Time => "its time was over",
            Stopped::Interrupted => "interrupted",
        };
        writeln!(out, "  {UNSURE}{MAYBE} stopped before the end: {why}{UNSURE:#}")?;
    }
    let seeds = count(summary.tally.seeds, "seed");
    let Tally { violated, failed, .. } = summary.tally;
    let [of_violated, of_failed] = [violated, failed].map(grouped);
    if violated > 0 && failed > 0 {
        writeln!(
            out,
            "  {BAD}{NO} {of_violated} of {seeds} violated, and {of_failed} failed{BAD:#}"
        )
    } else if violated > 0 {
        writeln!(out, "  {BAD}{NO} {of_violated} of {seeds} violated{BAD:#}")
    } else if failed > 0 {
        writeln!(out, "  {BAD}{NO} {of_failed} of {seeds} failed{BAD:#}")
    } else if !summary.tally.has_tested() {
        writeln!(out, "  {UNSURE}{MAYBE} nothing could be tested in {seeds}{UNSURE:#}")
    } else {
        writeln!(out, "  {GOOD}{YES}{GOOD:#} all that was promised holds in {seeds}")
    }
}
