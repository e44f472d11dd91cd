//! A comparison as Markdown, for a README or a pull request.

use std::io::{self, Write};

use super::name;
use super::number::{latency, percent, range, rounded, times};
use super::row::Row;
use super::statistics::{Ratio, Verdict};
use super::whole::Report;

/// Writes `report` as GitHub's Markdown.
///
/// # Errors
///
/// If `out` takes no more.
pub fn write_markdown(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    writeln!(out, "### {}\n", escaped(&report.subject.scenario))?;
    writeln!(out, "{}\n", escaped(&report.headline))?;
    let base = report.base().map_or("", |row| row.name.as_str());
    writeln!(out, "| transport | p50 | p90 | p99 | p99.9 | max | ops/s | × {base} | 95% | |")?;
    writeln!(out, "|---|--:|--:|--:|--:|--:|--:|--:|--:|---|")?;
    for row in &report.rows {
        writeln!(out, "{}", latency_line(row))?;
    }
    if report.ladder.steps.len() > 1 {
        writeln!(out, "\n| where the time goes | adds | share |\n|---|--:|--:|")?;
        for step in &report.ladder.steps {
            let noise = if step.is_noise() { " (within noise)" } else { "" };
            let (adds, share) = (latency(step.adds_ns), percent(step.share()));
            writeln!(out, "| {}{noise} | {adds} | {share} |", step.name)?;
        }
    }
    costs(out, report)?;
    changes(out, report)?;
    writeln!(out)?;
    for warning in &report.warnings {
        writeln!(out, "- {}", escaped(&warning.to_string()))?;
    }
    if !report.warnings.is_empty() {
        writeln!(out)?;
    }
    writeln!(
        out,
        "{}; {}. {}. Seed {}, passbook {}. `{}`",
        escaped(&name::subject(&report.subject)),
        name::load(report.load),
        escaped(&report.machine_told()),
        report.subject.seed,
        env!("CARGO_PKG_VERSION"),
        report.command.replace(['`', '\n', '\r'], " ")
    )
}

fn latency_line(row: &Row) -> String {
    let mut cells = vec![row.name.clone()];
    cells.extend(row.all.percentiles().map(|percentile| percentile.to_string()));
    cells.push(rounded(row.per_second));
    match row.ratio {
        Some(ratio) => {
            cells.extend([times(ratio.estimate), interval(ratio), ratio.verdict.to_string()])
        }
        None => cells.extend(["1", "", ""].map(str::to_owned)),
    }
    format!("| {} |", cells.join(" | "))
}

fn costs(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    writeln!(
        out,
        "\n| per request | mean | spread of rounds | processor | context switches | messages | bytes |"
    )?;
    writeln!(out, "|---|--:|--:|--:|--:|--:|--:|")?;
    for row in &report.rows {
        writeln!(out, "| {} | {} |", row.name, row.costs().join(" | "))?;
    }
    Ok(())
}

fn changes(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    if !report.has_baseline() {
        return Ok(());
    }
    writeln!(out, "\n| against the baseline | then | now | × then | 95% | |")?;
    writeln!(out, "|---|--:|--:|--:|--:|---|")?;
    for row in &report.rows {
        let Some(change) = row.change else { continue };
        let verdict = match change.ratio.verdict {
            Verdict::Slower | Verdict::Faster => format!("**{}**", change.ratio.verdict),
            Verdict::NoDifference | Verdict::Undecided => change.ratio.verdict.to_string(),
        };
        let cells = [
            row.name.clone(),
            latency(change.mean_ns),
            latency(row.mean_ns),
            times(change.ratio.estimate),
            interval(change.ratio),
            verdict,
        ];
        writeln!(out, "| {} |", cells.join(" | "))?;
    }
    Ok(())
}

fn interval(ratio: Ratio) -> String {
    ratio.interval.map_or("–".to_owned(), |both| range(both.low, both.high))
}

/// Text in which nothing is markup.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '\n' | '\r' => safe.push(' '),
            '\\' | '`' | '*' | '_' | '|' | '<' | '>' | '[' | ']' | '#' | '~' => {
                safe.extend(['\\', sign]);
            }
            _ => safe.push(sign),
        }
    }
    safe
}
