//! The arguments of a run against branches that run somewhere already.

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Args;

use super::serve_args::PeerArg;
use crate::model::BranchId;
use crate::network::{parse_span, show_span};
use crate::run::{Connection, Opening};
use crate::scenario::Settings;

#[derive(Debug, Args)]
pub(super) struct ConnectArgs {
    /// Where a branch runs already; once for each branch of the scenario. How such branches
    /// propagate and what they promise is their own
    // Nothing that only a bank of ours heeds, and no judging: facts are not known here.
    #[arg(long, value_name = "ID=URL", conflicts_with_all = [
        "propagation", "guarantees", "latency", "wait_limit", "overdraft", "seed", "transport",
        "history", "no_check", "strict", "memory_max", "faults", "nemesis", "nemesis_interval",
        "nemesis_duration", "settle_limit", "disk",
    ])]
    connect: Vec<PeerArg>,

    /// How long each call to a branch of `--connect` may take before its outcome is unknown
    #[arg(long, value_name = "SPAN", default_value = "15s", value_parser = parse_span)]
    #[arg(requires = "connect")]
    call_limit: Duration,

    /// Refuse branches of `--connect` that hold another balance than the scenario says, or writes
    /// of its customers
    #[arg(long, requires = "connect")]
    fresh: bool,
}

impl ConnectArgs {
    /// The bank elsewhere, if there is one.
    pub(super) fn connection(&self) -> Option<Connection> {
        let Self { connect, call_limit, fresh } = self;
        (!connect.is_empty()).then(|| Connection {
            endpoints: connect.iter().map(|peer| (peer.id, peer.endpoint.clone())).collect(),
            call_limit: *call_limit,
            opening: if *fresh { Opening::Fresh } else { Opening::AsFound },
        })
    }

    /// Whether the branches run elsewhere.
    pub(super) fn is_given(&self) -> bool {
        !self.connect.is_empty()
    }

    /// A branch that is named twice.
    pub(super) fn named_twice(&self) -> Option<BranchId> {
        let mut named = BTreeSet::new();
        self.connect.iter().map(|peer| peer.id).find(|&id| !named.insert(id))
    }

    /// The options of a command line that does the same again.
    pub(super) fn options(&self) -> Vec<String> {
        let Self { connect, call_limit, fresh } = self;
        if connect.is_empty() {
            return Vec::new();
        }
        let at = |peer: &PeerArg| format!("--connect {}={}", peer.id, peer.endpoint.address());
        let mut options: Vec<String> = connect.iter().map(at).collect();
        options.push(format!("--call-limit {}", show_span(*call_limit)));
        options.extend(fresh.then(|| "--fresh".to_owned()));
        options
    }
}

/// How the lag of a scenario is named among its idle settings.
pub(super) const LATENCY: &str = "latency";

/// What the scenario says that only a bank of ours heeds.
pub(super) fn idle_settings(settings: &Settings) -> Vec<&'static str> {
    let Settings { propagation, guarantees, customer_guarantees, .. } = settings;
    let Settings { overdraft, latency, links, wait_limit, seed, .. } = settings;
    [
        ("propagation", propagation.is_some()),
        ("guarantees", guarantees.is_some() || !customer_guarantees.is_empty()),
        ("overdraft", overdraft.is_some()),
        (LATENCY, latency.is_some() || !links.is_empty()),
        ("the wait limit", wait_limit.is_some()),
        ("the seed", seed.is_some()),
    ]
    .into_iter()
    .filter_map(|(name, is_said)| is_said.then_some(name))
    .collect()
}
