//! A comparison as JSON: all of it, so that a later one can be compared with it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::distribution::Distribution;
use super::file::{FORMAT, FiledLoad, FiledMachine, FiledRound, FiledSubject};
use super::ladder::{Ladder, Step};
use super::name;
use super::row::{Change, PerRequest, Row};
use super::statistics::Ratio;
use super::whole::Report;
use crate::model::Decimal;

/// Writes `report` as one line of JSON. [`Earlier::parse`](super::Earlier::parse) reads it.
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
    subject: FiledSubject,
    load: FiledLoad,
    machine: FiledMachine,
    codec_ns: f64,
    compared_with: Option<&'a str>,
    transports: Vec<ExportedRow<'a>>,
    ladder: ExportedLadder<'a>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct ExportedRow<'a> {
    name: &'a str,
    transport: &'static str,
    balance: Decimal,
    mean_ns: f64,
    spread: Option<f64>,
    operations_per_second: f64,
    /// Of the requests that were due, as many were answered in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    share_of_rate: Option<f64>,
    ratio: Option<Ratio>,
    baseline: Option<ExportedChange>,
    per_request: ExportedCost,
    latencies: BTreeMap<&'static str, ExportedLatencies>,
    rounds: Vec<FiledRound>,
}

#[derive(Serialize)]
struct ExportedChange {
    mean_ns: f64,
    ratio: Ratio,
}

#[derive(Serialize)]
struct ExportedCost {
    processor_ns: Option<f64>,
    context_switches: Option<f64>,
    messages: Option<f64>,
    bytes: Option<f64>,
}

#[derive(Serialize)]
struct ExportedLatencies {
    count: u64,
    mean_ns: f64,
    p50_ns: u64,
    p90_ns: u64,
    p99_ns: u64,
    p999_ns: u64,
    max_ns: u64,
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
    merged: Vec<&'static str>,
}

impl<'a> Export<'a> {
    fn of(report: &'a Report) -> Self {
        Self {
            format: FORMAT,
            program: concat!("passbook ", env!("CARGO_PKG_VERSION")),
            command: &report.command,
            headline: &report.headline,
            subject: (&report.subject).into(),
            load: report.load.into(),
            machine: (&report.machine).into(),
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
        let PerRequest { processor_ns, context_switches, messages, bytes } = row.per_request;
        Self {
            name: &row.name,
            transport: row.transport.name(),
            balance: row.balance.decimal(),
            mean_ns: row.mean_ns,
            spread: row.spread,
            operations_per_second: row.per_second,
            share_of_rate: row.share_of_rate,
            ratio: row.ratio,
            baseline: row.change.map(|Change { mean_ns, ratio }| ExportedChange { mean_ns, ratio }),
            per_request: ExportedCost { processor_ns, context_switches, messages, bytes },
            latencies: kinds
                .chain([("all", &row.all)])
                .map(|(name, latencies)| (name, ExportedLatencies::of(latencies)))
                .collect(),
            rounds: row.rounds.iter().map(FiledRound::from).collect(),
        }
    }
}

impl ExportedLatencies {
    fn of(latencies: &Distribution) -> Self {
        let filled = latencies.buckets.iter().filter(|bucket| bucket.count > 0);
        Self {
            count: latencies.count,
            mean_ns: latencies.mean_ns,
            p50_ns: latencies.p50_ns,
            p90_ns: latencies.p90_ns,
            p99_ns: latencies.p99_ns,
            p999_ns: latencies.p999_ns,
            max_ns: latencies.max_ns,
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
            merged: step.merged.iter().map(|transport| transport.name()).collect(),
        };
        Self { total_ns: ladder.total_ns, steps: ladder.steps.iter().map(step).collect() }
    }
}
