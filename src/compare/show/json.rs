//! A comparison as JSON: all of it, so that a later one can be compared with it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::compare::analyse::{
    Distribution, FORMAT, HALF, Ladder, Report, Row, Step, is_doubtful, name,
};
use crate::compare::measure::{Load, Machine, Round, Subject, Transport};

/// Writes `report` as one line of JSON. [`Earlier::parse`](crate::compare::Earlier::parse) reads it.
///
/// # Errors
///
/// If `out` takes no more.
pub fn write_json(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Export::of(report))?;
    writeln!(out)
}

#[derive(Serialize)]
struct Export<'a> {
    format: u64,
    program: &'static str,
    command: &'a str,
    headline: &'a str,
    subject: &'a Subject,
    load: Load,
    machine: &'a Machine,
    codec_ns: f64,
    compared_with: Option<&'a str>,
    transports: Vec<ExportedRow<'a>>,
    ladder: ExportedLadder<'a>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct ExportedRow<'a> {
    #[serde(flatten)]
    row: &'a Row,
    latencies: BTreeMap<&'static str, ExportedLatencies<'a>>,
    rounds: Vec<ExportedRound<'a>>,
}

#[derive(Serialize)]
struct ExportedRound<'a> {
    #[serde(flatten)]
    round: &'a Round,
    /// The percentiles beyond which fewer than ten requests lie.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    doubtful: &'a [&'a str],
}

#[derive(Serialize)]
struct ExportedLatencies<'a> {
    #[serde(flatten)]
    latencies: &'a Distribution,
    /// The percentiles beyond which fewer than ten requests lie.
    doubtful: Vec<&'static str>,
    /// `[from_ns, to_ns, count]`, empty buckets left out.
    histogram: Vec<(f64, f64, u64)>,
    /// `[quantile, latency_ns]`.
    percentiles: Vec<(f64, u64)>,
}

#[derive(Serialize)]
struct ExportedLadder<'a> {
    total_ns: f64,
    steps: Vec<ExportedStep<'a>>,
}

#[derive(Serialize)]
struct ExportedStep<'a> {
    name: &'a str,
    adds_ns: f64,
    share: f64,
    within_noise: bool,
    merged: &'a [Transport],
}

impl<'a> Export<'a> {
    fn of(report: &'a Report) -> Self {
        Self {
            format: FORMAT,
            program: concat!("passbook ", env!("CARGO_PKG_VERSION")),
            command: &report.command,
            headline: &report.headline,
            subject: &report.subject,
            load: report.load,
            machine: &report.machine,
            codec_ns: report.codec.as_secs_f64() * 1e9,
            compared_with: report.base().map(|row| row.name.as_str()),
            transports: report.rows.iter().map(ExportedRow::of).collect(),
            ladder: ExportedLadder::of(&report.ladder),
            warnings: report.warnings.iter().map(ToString::to_string).collect(),
        }
    }
}

impl<'a> ExportedRow<'a> {
    fn of(row: &'a Row) -> Self {
        let kinds = row.kinds.iter().map(|(kind, latencies)| (name::kind(*kind), latencies));
        Self {
            row,
            latencies: kinds
                .chain([("all", &row.all)])
                .map(|(name, latencies)| (name, ExportedLatencies::of(latencies)))
                .collect(),
            rounds: row.rounds.iter().map(ExportedRound::of).collect(),
        }
    }
}

impl<'a> ExportedRound<'a> {
    fn of(round: &'a Round) -> Self {
        let is_doubtful = is_doubtful(round.requests, HALF);
        Self { round, doubtful: if is_doubtful { &["median_ns"] } else { &[] } }
    }
}

impl<'a> ExportedLatencies<'a> {
    fn of(latencies: &'a Distribution) -> Self {
        let filled = latencies.buckets.iter().filter(|bucket| bucket.count > 0);
        Self {
            latencies,
            doubtful: latencies.doubtful().map(|percentile| percentile.key).collect(),
            histogram: filled.map(|bucket| (bucket.from_ns, bucket.to_ns, bucket.count)).collect(),
            percentiles: latencies.curve.iter().map(|point| (point.quantile, point.ns)).collect(),
        }
    }
}

impl<'a> ExportedLadder<'a> {
    fn of(ladder: &'a Ladder) -> Self {
        let step = |step: &'a Step| ExportedStep {
            name: &step.name,
            adds_ns: step.adds_ns,
            share: step.share(),
            within_noise: step.is_noise(),
            merged: &step.merged,
        };
        Self { total_ns: ladder.total_ns, steps: ladder.steps.iter().map(step).collect() }
    }
}
