//! The bank at the start.

use std::collections::BTreeSet;
use std::io::{self, Write};

use crate::model::{EventIds, GuaranteePolicy, Guarantees, Propagation, QueryTiming, Shown};
use crate::report::elide::Limit;
use crate::report::palette::QUIET;
use crate::report::table::{Cell, Row, write_table};
use crate::report::words::{grouped, listed, ranges, span, wrapped};
use crate::run::{ConnectedBank, RunConfig, RunResult};

const INDENT: usize = 2;
/// A longer description is cut.
const DESCRIPTION_MAX: usize = 2000;
const FEW: Limit = Limit::Middle { most: 5, head: 4, tail: 1 };

/// `width`: as far as a sentence runs to the right.
pub(super) fn write(out: &mut dyn Write, result: &RunResult, width: usize) -> io::Result<()> {
    let description = result.description.as_deref().filter(|text| !text.trim().is_empty());
    if let Some(description) = description {
        for line in wrapped(&Shown::brief(description, DESCRIPTION_MAX).to_string(), width - INDENT)
        {
            writeln!(out, "{:INDENT$}{QUIET}{line}{QUIET:#}", "")?;
        }
        writeln!(out)?;
    }
    let RunResult { config, branches, customers, .. } = result;
    let customer_ids: BTreeSet<u32> = customers.iter().map(|customer| customer.id.get()).collect();
    let branch_ids: BTreeSet<u32> = match &result.remote {
        // Those too that do not say how they stand.
        Some(remote) => remote.addresses.keys().map(|id| id.get()).collect(),
        None => branches.iter().map(|branch| branch.id.get()).collect(),
    };
    let mut rows = vec![
        row("branches", ids(branch_ids.iter().copied())),
        row("opening balance", result.opening_balance.to_string()),
    ];
    match &result.remote {
        Some(remote) => rows.push(row("which run at", addresses(remote))),
        None => {
            rows.push(row("propagation", config.propagation.to_string()));
            rows.extend(promised(config).map(|promised| row("guarantees", promised)));
            rows.extend(lag(config));
            rows.push(row("overdraft", config.overdraft.to_string()));
            let weather = config.weather_in_words().into_iter();
            rows.extend(weather.map(|(name, said)| row(&name.replace('_', " "), said)));
        }
    }
    rows.push(row("customers", ids(customer_ids.iter().copied())));
    if customers.len() > 1 {
        rows.push(row("visits", config.customers.to_string()));
    }
    if config.queries != QueryTiming::default() {
        rows.push(row("queries", config.queries.to_string()));
    }
    if config.event_ids != EventIds::default() {
        rows.push(row("event ids", config.event_ids.to_string()));
    }
    let version = env!("CARGO_PKG_VERSION");
    if result.remote.is_none() {
        rows.push(row("seed", format!("{} (passbook {version})", config.seed)));
    }
    write_table(out, INDENT, &rows)
}

/// `1=http://127.0.0.1:50051, …`
fn addresses(remote: &ConnectedBank) -> String {
    let addresses: Vec<String> =
        remote.addresses.iter().map(|(id, address)| format!("{id}={address}")).collect();
    listed(&addresses, FEW)
}

/// What customers are promised. With sync propagation, customers who come one after the other would
/// get all of it anyway, so there it is told only where it is not everything.
fn promised(config: &RunConfig) -> Option<String> {
    let RunConfig { propagation, guarantees: GuaranteePolicy { all: guarantees, single }, .. } =
        config;
    let is_everything = *guarantees == Guarantees::ALL && single.is_empty();
    if *propagation == Propagation::Sync && is_everything {
        return None;
    }
    let others: Vec<String> = single
        .iter()
        .map(|(customer, promised)| format!("customer {customer}: {promised}"))
        .collect();
    if others.is_empty() {
        return Some(guarantees.to_string());
    }
    Some(format!("{guarantees}; {}", listed(&others, FEW)))
}

/// How long messages take, and how long requests wait for them.
fn lag(config: &RunConfig) -> Vec<Row> {
    let RunConfig { latencies, wait_limit, .. } = config;
    if latencies.is_none() {
        return Vec::new();
    }
    let mut latency = latencies.default.to_string();
    let others: Vec<String> = latencies
        .links
        .iter()
        .map(|(link, latency)| format!("{} → {}: {latency}", link.from, link.to))
        .collect();
    if !others.is_empty() {
        latency = format!("{latency}; {}", listed(&others, FEW));
    }
    vec![row("latency", latency), row("wait limit", span(*wait_limit))]
}

/// `1, 2`, and how many where that cannot be seen at a glance.
fn ids(ids: impl ExactSizeIterator<Item = u32> + Clone) -> String {
    let from_one = ids.clone().zip(1..).all(|(id, place)| id == place);
    match ids.len() {
        0 => "none".to_owned(),
        number if from_one || number < 4 => ranges(ids),
        number => format!("{} ({} in all)", ranges(ids), grouped(number)),
    }
}

fn row(label: &str, value: String) -> Row {
    vec![Cell::new(QUIET, label), Cell::plain(value)]
}
