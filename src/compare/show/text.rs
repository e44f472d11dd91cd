//! A comparison as a person reads it on a terminal.

use std::io::{self, Write};

use anstyle::Style;

use super::tables::{self, Column, Holds, Table, Value};
use crate::compare::analyse::{Ladder, Report, Step, Verdict, latency, name, percent};
use crate::model::Shown;
use crate::model::number::{float_len, whole_len};
use crate::report::palette::{BAD, GOOD, MAYBE, PLAIN, QUIET, STRONG, TITLE, UNSURE};
use crate::report::table::{Cell, Row as Line, write_table};
use crate::report::words::{count, wrapped};

const WIDTH: usize = 96;
const BAR_MOST: usize = 40;
const BAR_LEAST: usize = 12;
/// What stands beside a step's name and its bar.
const BESIDE: usize = 40;

/// Writes `report` for a person, at most 100 columns wide.
///
/// # Errors
///
/// If `out` takes no more.
pub fn write_text(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    writeln!(out, "{TITLE}{}{TITLE:#}\n", Shown::name(&report.subject.scenario))?;
    for line in wrapped(&report.headline, WIDTH) {
        writeln!(out, "  {STRONG}{line}{STRONG:#}")?;
    }
    writeln!(out)?;
    opening(out, report)?;
    if report.rows.is_empty() {
        return warnings(out, report);
    }
    latencies(out, report)?;
    ladder(out, report)?;
    costs(out, report)?;
    kinds(out, report)?;
    changes(out, report)?;
    warnings(out, report)
}

fn heading(out: &mut dyn Write, text: &str, more: &str) -> io::Result<()> {
    let more = if more.is_empty() { String::new() } else { format!("  {QUIET}{more}{QUIET:#}") };
    writeln!(out, "\n{STRONG}{text}{STRONG:#}{more}\n")
}

fn head(text: &str) -> Cell {
    Cell::new(QUIET, text)
}

fn number(text: impl AsRef<str>) -> Cell {
    Cell::plain(text).right()
}

fn opening(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let rounds = || report.rows.iter().map(|row| row.rounds.len());
    let rounds = match (rounds().min().unwrap_or_default(), rounds().max().unwrap_or_default()) {
        (least, most) if least < most => format!("{least} to {most}"),
        (_, all) => all.to_string(),
    };
    let row = |label: &str, value: String| vec![head(label), Cell::plain(value)];
    write_table(
        out,
        2,
        &[
            row("work", name::subject(&report.subject)),
            row("load", name::load(report.load)),
            row(
                "rounds",
                format!(
                    "{rounds} of each transport, in turn; seed {} (passbook {})",
                    report.subject.seed,
                    env!("CARGO_PKG_VERSION")
                ),
            ),
            row("machine", name::machine(&report.machine)),
        ],
    )
}

fn latencies(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let base = report.base().map_or("", |row| row.name.as_str());
    let table = tables::latencies(report);
    heading(out, table.title, &format!("ratio of means to {base}; a verdict asks for 99%"))?;
    table_of(out, &table)
}

/// Only where there is more than one: a single kind is in the table above already.
fn kinds(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let kinds = tables::kinds(report);
    let [first, _, ..] = &*kinds else { return Ok(()) };
    heading(out, "Latency of each kind", "")?;
    let labelled = |label: Cell, line: Line| [label].into_iter().chain(line).collect::<Line>();
    let mut lines = vec![labelled(head("kind"), titles(first))];
    for kind in &kinds {
        for (place, row) in kind.rows.iter().enumerate() {
            let label = if place == 0 { kind.title } else { "" };
            lines.push(labelled(Cell::new(STRONG, label), line(kind, row, PLAIN)));
        }
    }
    write_table(out, 2, &lines)
}

fn costs(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let table = tables::costs(report);
    heading(out, table.title, "on average; spread: how far rounds differ")?;
    table_of(out, &table)
}

fn changes(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let Some(table) = tables::changes(report) else { return Ok(()) };
    heading(out, table.title, "mean latency of a request; a verdict asks for 99%")?;
    table_of(out, &table)
}

fn table_of(out: &mut dyn Write, table: &Table) -> io::Result<()> {
    let rows = table.rows.iter().map(|row| line(table, row, STRONG));
    write_table(out, 2, &[titles(table)].into_iter().chain(rows).collect::<Vec<_>>())
}

fn titles(table: &Table) -> Line {
    table.columns.iter().map(|column| aligned(column, head(column.on_terminal))).collect()
}

/// `names` is how the first cell stands out.
fn line(table: &Table, row: &[Value], names: Style) -> Line {
    let cells = row.iter().zip(&table.columns);
    cells.map(|(value, column)| aligned(column, cell(value, names))).collect()
}

fn aligned(column: &Column, cell: Cell) -> Cell {
    match column.holds {
        Holds::Words => cell,
        Holds::Numbers => cell.right(),
    }
}

fn cell(value: &Value, names: Style) -> Cell {
    if let Value::Verdict(verdict) = value {
        return match verdict {
            Verdict::Faster => Cell::new(GOOD, "faster"),
            Verdict::Slower => Cell::plain("slower"),
            Verdict::NoDifference => Cell::new(UNSURE, "no diff."),
            Verdict::Undecided => Cell::new(UNSURE, "undecided"),
        };
    }
    if let Value::Change(verdict) = value {
        return match verdict {
            Verdict::Slower => Cell::new(BAD, "slower than then"),
            Verdict::Faster => Cell::new(GOOD, "faster than then"),
            Verdict::NoDifference => Cell::new(QUIET, "no difference beyond noise"),
            Verdict::Undecided => Cell::new(UNSURE, "undecided: a single round"),
        };
    }
    let is_name = matches!(value, Value::Name(_));
    let style = if matches!(value, Value::Untold | Value::One) { QUIET } else { PLAIN };
    Cell::new(if is_name { names } else { style }, value.to_string())
}

fn ladder(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let Ladder { steps, total_ns } = &report.ladder;
    if steps.len() < 2 {
        return Ok(());
    }
    heading(out, "Where the time goes", "what each step adds to a request's mean latency")?;
    let longest = steps.iter().map(|step| step.name.chars().count()).max().unwrap_or_default();
    let width = 98_usize.saturating_sub(longest + BESIDE).clamp(BAR_LEAST, BAR_MOST);
    let mut lines = Vec::new();
    let mut below_ns = 0.0;
    for step in steps {
        let bar = bar((below_ns, step.adds_ns), *total_ns, width);
        below_ns += step.adds_ns;
        lines.push(vec![
            Cell::plain(&step.name),
            number(latency(step.adds_ns)),
            number(percent(step.share())),
            bar,
            Cell::new(UNSURE, if step.within_noise { "within noise" } else { "" }),
        ]);
    }
    let top = report.rows.iter().max_by_key(|row| row.transport);
    lines.push(vec![
        Cell::new(STRONG, format!("= {}", top.map_or("", |row| row.transport.word()))),
        Cell::new(STRONG, latency(*total_ns)).right(),
        Cell::new(STRONG, percent(steps.iter().map(Step::share).sum())).right(),
    ]);
    write_table(out, 2, &lines)?;
    let merged: Vec<String> = steps.iter().flat_map(Step::merged_names).collect();
    if merged.is_empty() {
        return Ok(());
    }
    let merged = name::all_of(&merged);
    writeln!(out, "\n  {QUIET}{merged} not measured: part of the step above{QUIET:#}")
}

/// From where the steps below ended to where this one does; a step down is hatched.
fn bar((below_ns, adds_ns): (f64, f64), total_ns: f64, width: usize) -> Cell {
    let widest = total_ns.max(below_ns).max(below_ns + adds_ns);
    let cells = |ns: f64| whole_len((ns / widest * float_len(width)).round()).min(width);
    let (from, to) = if adds_ns < 0.0 {
        (cells(below_ns + adds_ns), cells(below_ns))
    } else {
        (cells(below_ns), cells(below_ns + adds_ns))
    };
    let (mark, thin) = if adds_ns < 0.0 { ("░", "▕") } else { ("█", "▏") };
    let drawn = if to > from { mark.repeat(to - from) } else { thin.to_owned() };
    let style: Style = if adds_ns < 0.0 { GOOD } else { TITLE };
    Cell::plain(" ".repeat(from)).and(style, drawn)
}

fn warnings(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    if report.warnings.is_empty() {
        return Ok(());
    }
    let number = count(report.warnings.len(), "thing");
    heading(out, "Before you believe it", &format!("{number} to know"))?;
    for warning in &report.warnings {
        let lines = wrapped(&warning.to_string(), WIDTH - 2);
        for (place, line) in lines.iter().enumerate() {
            match place {
                0 => writeln!(out, "  {UNSURE}{MAYBE}{UNSURE:#} {line}")?,
                _ => writeln!(out, "    {line}")?,
            }
        }
    }
    Ok(())
}
