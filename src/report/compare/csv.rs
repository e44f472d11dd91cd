//! A comparison as CSV: a row for each transport and kind.

use std::io::{self, Write};

use super::distribution::Distribution;
use super::name;
use super::row::Row;
use super::statistics::Ratio;
use super::whole::Report;
use crate::report::cell::harmless;

const COLUMNS: [&str; 26] = [
    "scenario",
    "transport",
    "kind",
    "count",
    "mean_ns",
    "p50_ns",
    "p90_ns",
    "p99_ns",
    "p999_ns",
    "max_ns",
    "operations_per_second",
    "rounds",
    "spread",
    "ratio",
    "ratio_low",
    "ratio_high",
    "verdict",
    "processor_ns_per_request",
    "context_switches_per_request",
    "messages_per_request",
    "bytes_per_request",
    "baseline_ratio",
    "baseline_verdict",
    "doubtful",
    "share_of_rate",
    "passbook",
];
/// The columns that only the row of kind `all` has.
const ONLY_OF_ALL: usize = 13;

const PASSBOOK: &str = env!("CARGO_PKG_VERSION");

/// Writes `report` as CSV with a header. What was measured for all kinds together stands in the
/// row of kind `all` and nowhere else; what nobody measured is empty. New columns stand at the end.
///
/// # Errors
///
/// If `out` takes no more.
pub fn write_csv(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record(COLUMNS)?;
    for row in &report.rows {
        let scenario = &report.subject.scenario;
        let mut fields = of_kind(scenario, row, "all", &row.all);
        // A mean over rounds, as the ratio is of.
        fields[4] = format!("{:.1}", row.mean_ns);
        fields.extend(of_row(row));
        fields.extend([doubtful(&row.all), decimal(row.share_of_rate), PASSBOOK.to_owned()]);
        table.write_record(&fields)?;
        for (kind, latencies) in &row.kinds {
            let mut fields = of_kind(scenario, row, name::kind(*kind), latencies);
            fields.resize(fields.len() + ONLY_OF_ALL, String::new());
            fields.extend([doubtful(latencies), String::new(), PASSBOOK.to_owned()]);
            table.write_record(&fields)?;
        }
    }
    table.flush()
}

fn of_kind(scenario: &str, row: &Row, kind: &str, latencies: &Distribution) -> Vec<String> {
    let mut fields = vec![
        harmless(scenario).into_owned(),
        row.name.clone(),
        kind.to_owned(),
        latencies.count.to_string(),
        format!("{:.1}", latencies.mean_ns),
    ];
    fields.extend(latencies.percentiles().map(|percentile| percentile.ns.to_string()));
    fields
}

/// `p99_ns;p999_ns`
fn doubtful(latencies: &Distribution) -> String {
    latencies.doubtful().map(|percentile| percentile.key).collect::<Vec<_>>().join(";")
}

fn of_row(row: &Row) -> Vec<String> {
    let interval = row.ratio.and_then(|ratio| ratio.interval);
    let cost = &row.per_request;
    let change = row.change.map(|change| change.ratio);
    vec![
        format!("{:.1}", row.per_second),
        row.rounds.len().to_string(),
        decimal(row.spread),
        decimal(row.ratio.map(|ratio| ratio.estimate)),
        decimal(interval.map(|both| both.low)),
        decimal(interval.map(|both| both.high)),
        verdict(row.ratio),
        decimal(cost.processor_ns),
        decimal(cost.context_switches),
        decimal(cost.messages),
        decimal(cost.bytes),
        decimal(change.map(|ratio| ratio.estimate)),
        verdict(change),
    ]
}

fn decimal(number: Option<f64>) -> String {
    number.map(|number| format!("{number:.4}")).unwrap_or_default()
}

fn verdict(ratio: Option<Ratio>) -> String {
    ratio.map(|ratio| ratio.verdict.to_string()).unwrap_or_default()
}
