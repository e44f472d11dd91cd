//! A comparison as a person reads it on a terminal.

use std::io::{self, Write};

use anstyle::Style;

use super::distribution::Distribution;
use super::ladder::{Ladder, Step};
use super::name;
use super::number::{latency, percent, range, rounded, times};
use super::row::{Row, UNTOLD};
use super::statistics::{Ratio, Verdict};
use super::whole::Report;
use crate::model::Shown;
use crate::model::number::{float, float_len, whole_len};
use crate::report::palette::{BAD, GOOD, MAYBE, PLAIN, QUIET, STRONG, TITLE, UNSURE};
use crate::report::phrase::{count, wrapped};
use crate::report::table::{Cell, Row as Line, write_table};

const WIDTH: usize = 96;
const BAR_MOST: usize = 40;
const BAR_LEAST: usize = 12;
/// What stands beside a step's name and its bar.
const BESIDE: usize = 40;
const PERCENTILES: [&str; 5] = ["p50", "p90", "p99", "p99.9", "max"];

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
            row("machine", report.machine_told()),
        ],
    )
}

fn latencies(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let base = report.base().map(|row| row.name.clone()).unwrap_or_default();
    heading(
        out,
        "Latency of a request",
        &format!("ratio of means to {base}; a verdict asks for 99%"),
    )?;
    let mut first = vec![head("transport")];
    first.extend(PERCENTILES.map(|text| head(text).right()));
    first.extend([head("ops/s").right(), head("ratio").right(), head("95%").right()]);
    let mut lines = vec![first];
    for row in &report.rows {
        let mut line = vec![Cell::new(STRONG, &row.name)];
        line.extend(percentiles(&row.all));
        line.push(number(rounded(row.per_second)));
        line.extend(row.ratio.map_or(vec![head("1").right()], |ratio| {
            vec![number(times(ratio.estimate)), interval(ratio), verdict(ratio.verdict)]
        }));
        lines.push(line);
    }
    write_table(out, 2, &lines)
}

fn percentiles(distribution: &Distribution) -> [Cell; 5] {
    distribution.percentiles().map(|percentile| number(percentile.to_string()))
}

fn interval(ratio: Ratio) -> Cell {
    number(ratio.interval.map_or("–".to_owned(), |both| range(both.low, both.high)))
}

fn verdict(verdict: Verdict) -> Cell {
    let (style, text) = match verdict {
        Verdict::Faster => (GOOD, "faster"),
        Verdict::Slower => (PLAIN, "slower"),
        Verdict::NoDifference => (UNSURE, "no diff."),
        Verdict::Undecided => (UNSURE, "undecided"),
    };
    Cell::new(style, text)
}

/// Only where there is more than one: a single kind is in the table above already.
fn kinds(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let has = |kind| move |row: &Row| row.kinds.iter().any(|(other, _)| *other == kind);
    let kinds: Vec<_> =
        name::KINDS.into_iter().filter(|kind| report.rows.iter().any(has(*kind))).collect();
    if kinds.len() < 2 {
        return Ok(());
    }
    heading(out, "Latency of each kind", "")?;
    let mut first = vec![head("kind"), head("transport")];
    first.extend(PERCENTILES.map(|text| head(text).right()));
    first.push(head("count").right());
    let mut lines = vec![first];
    for kind in kinds {
        let mut label = name::kind(kind);
        for row in &report.rows {
            for (_, of_kind) in row.kinds.iter().filter(|(other, _)| *other == kind) {
                let mut line = vec![Cell::new(STRONG, label), Cell::plain(&row.name)];
                line.extend(percentiles(of_kind));
                line.push(number(rounded(float(of_kind.count))));
                lines.push(line);
                label = "";
            }
        }
    }
    write_table(out, 2, &lines)
}

fn costs(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    heading(out, "What a request costs", "on average; spread: how far rounds differ")?;
    let titles = ["mean", "spread", "processor", "switches", "messages", "bytes"];
    let mut first = vec![head("transport")];
    first.extend(titles.map(|text| head(text).right()));
    let mut lines = vec![first];
    for row in &report.rows {
        let told = |cost: String| if cost == UNTOLD { head(&cost).right() } else { number(cost) };
        let mut line = vec![Cell::new(STRONG, &row.name)];
        line.extend(row.costs().map(told));
        lines.push(line);
    }
    write_table(out, 2, &lines)
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
            Cell::new(UNSURE, if step.is_noise() { "within noise" } else { "" }),
        ]);
    }
    let top = report.rows.iter().max_by_key(|row| row.transport);
    lines.push(vec![
        Cell::new(STRONG, format!("= {}", top.map_or("", |row| row.transport.name()))),
        Cell::new(STRONG, latency(*total_ns)).right(),
        Cell::new(STRONG, percent(steps.iter().map(Step::share).sum())).right(),
    ]);
    write_table(out, 2, &lines)?;
    let merged = steps.iter().flat_map(|step| &step.merged);
    let merged: Vec<String> = merged.map(|transport| transport.name().to_owned()).collect();
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

fn changes(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    if !report.has_baseline() {
        return Ok(());
    }
    heading(out, "Against the baseline", "mean latency of a request; a verdict asks for 99%")?;
    let first = ["then", "now", "× then", "95%"].map(|text| head(text).right());
    let mut lines = vec![[head("transport")].into_iter().chain(first).collect::<Line>()];
    for row in &report.rows {
        let Some(change) = row.change else { continue };
        let verdict = match change.ratio.verdict {
            Verdict::Slower => Cell::new(BAD, "slower than then"),
            Verdict::Faster => Cell::new(GOOD, "faster than then"),
            Verdict::NoDifference => Cell::new(QUIET, "no difference beyond noise"),
            Verdict::Undecided => Cell::new(UNSURE, "undecided: a single round"),
        };
        lines.push(vec![
            Cell::new(STRONG, &row.name),
            number(latency(change.mean_ns)),
            number(latency(row.mean_ns)),
            number(times(change.ratio.estimate)),
            interval(change.ratio),
            verdict,
        ]);
    }
    write_table(out, 2, &lines)
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
