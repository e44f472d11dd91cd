//! The tables of the page. A wide one scrolls by itself, and not the page.

use std::iter;

use super::markup::escaped;
use crate::model::number::float;
use crate::report::compare::distribution::Distribution;
use crate::report::compare::ladder::Step;
use crate::report::compare::name;
use crate::report::compare::number::{latency, percent, range, rounded, times};
use crate::report::compare::row::Row;
use crate::report::compare::statistics::{Ratio, Verdict};
use crate::report::compare::whole::Report;

/// A table of text; the first column names the row, and the last `words` columns hold words.
struct Table<'a> {
    about: &'a str,
    head: Vec<&'a str>,
    rows: Vec<Vec<String>>,
    words: usize,
}

impl Table<'_> {
    fn html(&self) -> String {
        let Self { about, head, rows, words } = self;
        let about = escaped(about);
        let numbers = head.len() - words;
        let class = |place: usize| match place {
            _ if place >= numbers || place == 0 => "",
            _ => " class=\"number\"",
        };
        let cells = |row: &[String]| -> String {
            let cells = row.iter().enumerate().map(|(place, text)| match place {
                0 => format!("<th scope=\"row\">{}</th>", escaped(text)),
                _ => format!("<td{}>{}</td>", class(place), escaped(text)),
            });
            cells.collect()
        };
        let head: String = (head.iter().enumerate())
            .map(|(place, text)| {
                format!("<th scope=\"col\"{}>{}</th>", class(place), escaped(text))
            })
            .collect();
        let rows: String = rows.iter().map(|row| format!("<tr>{}</tr>\n", cells(row))).collect();
        format!(
            "<div class=\"scroll\" role=\"region\" aria-label=\"{about}\" tabindex=\"0\">\n<table>\
             <thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
        )
    }
}

pub(super) fn latencies(report: &Report) -> String {
    let rows = report.rows.iter().map(|row| {
        let mut cells = vec![row.name.clone()];
        cells.extend(percentiles(&row.all));
        cells.push(rounded(row.per_second));
        cells.extend(match row.ratio {
            Some(ratio) => [times(ratio.estimate), interval(ratio), verdict(ratio)],
            None => ["1", "", ""].map(str::to_owned),
        });
        cells
    });
    let head =
        vec!["transport", "p50", "p90", "p99", "p99.9", "max", "ops/s", "ratio", "95%", "verdict"];
    Table { about: "Latency of a request", head, rows: rows.collect(), words: 1 }.html()
}

/// The steps with what a chart has no room for; nothing where it says all.
pub(super) fn steps(report: &Report) -> String {
    let steps = &report.ladder.steps;
    if steps.iter().all(|step| step.merged.is_empty()) {
        return String::new();
    }
    let row = |step: &Step| {
        let merged: Vec<String> =
            step.merged.iter().map(|transport| transport.name().to_owned()).collect();
        vec![step.name.clone(), latency(step.adds_ns), percent(step.share()), name::all_of(&merged)]
    };
    let head = vec!["step", "adds", "share", "not measured apart"];
    let rows = steps.iter().map(row).collect();
    Table { about: "Steps of the ladder", head, rows, words: 1 }.html()
}

pub(super) fn costs(report: &Report) -> String {
    let row = |row: &Row| iter::once(row.name.clone()).chain(row.costs()).collect();
    let head = vec![
        "transport",
        "mean",
        "spread of rounds",
        "processor time",
        "context switches",
        "messages",
        "bytes",
    ];
    let rows = report.rows.iter().map(row).collect();
    Table { about: "What a request costs", head, rows, words: 0 }.html()
}

/// A table for each kind that there is.
pub(super) fn kinds(report: &Report) -> String {
    let of_kind = |kind| {
        let rows = report.rows.iter().flat_map(move |row| {
            let found = row.kinds.iter().filter(move |(other, _)| *other == kind);
            found.map(|(_, latencies)| {
                let mut cells = vec![row.name.clone()];
                cells.extend(percentiles(latencies));
                cells.push(rounded(float(latencies.count)));
                cells
            })
        });
        let rows: Vec<Vec<String>> = rows.collect();
        if rows.is_empty() {
            return String::new();
        }
        let about = name::kind(kind);
        let head = vec!["transport", "p50", "p90", "p99", "p99.9", "max", "count"];
        format!("<h3>{about}</h3>\n{}", Table { about, head, rows, words: 0 }.html())
    };
    name::KINDS.into_iter().map(of_kind).collect()
}

pub(super) fn changes(report: &Report) -> String {
    let rows = report.rows.iter().filter_map(|row| {
        let change = row.change?;
        Some(vec![
            row.name.clone(),
            latency(change.mean_ns),
            latency(row.mean_ns),
            times(change.ratio.estimate),
            interval(change.ratio),
            verdict(change.ratio),
        ])
    });
    let head = vec!["transport", "then", "now", "ratio", "95%", "verdict"];
    Table { about: "Against the baseline", head, rows: rows.collect(), words: 1 }.html()
}

fn percentiles(distribution: &Distribution) -> [String; 5] {
    distribution.percentiles().map(|percentile| percentile.to_string())
}

fn interval(ratio: Ratio) -> String {
    ratio.interval.map_or("–".to_owned(), |both| range(both.low, both.high))
}

fn verdict(ratio: Ratio) -> String {
    match ratio.verdict {
        Verdict::Faster => "▼ faster",
        Verdict::Slower => "▲ slower",
        Verdict::NoDifference => "≈ no difference",
        Verdict::Undecided => "? undecided",
    }
    .to_owned()
}
