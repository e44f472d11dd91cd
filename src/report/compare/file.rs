//! The shape of an exported comparison, for those who write it and those who read it again.

use serde::{Deserialize, Serialize};

use super::distribution::{HALF, is_doubtful};
use crate::model::number::nanos;
use crate::model::{Propagation, Seed, Shown};
use crate::runner::compare::{Load, Machine, Round, Subject};

/// Raised whenever a reader of the old shape would misread the new one.
pub(super) const FORMAT: u64 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(expecting = "what was measured")]
pub(super) struct FiledSubject {
    pub(super) scenario: String,
    pub(super) seed: Seed,
    pub(super) propagation: Propagation,
    pub(super) branches: usize,
    pub(super) customers: usize,
    pub(super) requests: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "loop", rename_all = "snake_case")]
pub(super) enum FiledLoad {
    Closed,
    Open { requests_per_second: f64 },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(expecting = "a machine")]
pub(super) struct FiledMachine {
    pub(super) system: String,
    pub(super) processor: Option<String>,
    pub(super) threads: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(expecting = "a round")]
pub(super) struct FiledRound {
    pub(super) place: usize,
    pub(super) requests: u64,
    pub(super) elapsed_ns: u64,
    pub(super) mean_ns: f64,
    pub(super) median_ns: u64,
    pub(super) processor_ns: Option<u64>,
    pub(super) context_switches: Option<u64>,
    pub(super) messages: Option<u64>,
    pub(super) bytes: Option<u64>,
    /// The percentiles beyond which fewer than ten requests lie.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) doubtful: Vec<String>,
}

impl From<&Subject> for FiledSubject {
    fn from(subject: &Subject) -> Self {
        let Subject { scenario, seed, propagation, branches, customers, requests } = subject;
        Self {
            scenario: scenario.clone(),
            seed: *seed,
            propagation: *propagation,
            branches: *branches,
            customers: *customers,
            requests: *requests,
        }
    }
}

impl From<Load> for FiledLoad {
    fn from(load: Load) -> Self {
        match load {
            Load::Closed => Self::Closed,
            Load::Open { rate } => Self::Open { requests_per_second: rate },
        }
    }
}

impl From<&Machine> for FiledMachine {
    fn from(Machine { system, processor, threads }: &Machine) -> Self {
        Self { system: system.clone(), processor: processor.clone(), threads: *threads }
    }
}

impl FiledMachine {
    /// `AMD EPYC, 2 threads, linux x86_64`.
    pub(super) fn told(&self) -> String {
        let processor =
            Shown::name(self.processor.as_deref().unwrap_or("a processor without a name"));
        let plural = if self.threads == 1 { "" } else { "s" };
        format!("{processor}, {} thread{plural}, {}", self.threads, Shown::name(&self.system))
    }
}

impl From<&Round> for FiledRound {
    fn from(round: &Round) -> Self {
        Self {
            place: round.place,
            requests: round.requests,
            elapsed_ns: nanos(round.elapsed),
            mean_ns: round.mean_ns,
            median_ns: round.median_ns,
            processor_ns: round.effort.map(|effort| nanos(effort.processor)),
            context_switches: round.effort.map(|effort| effort.context_switches),
            messages: round.messages,
            bytes: round.bytes,
            doubtful: if is_doubtful(round.requests, HALF) {
                vec!["median_ns".to_owned()]
            } else {
                Vec::new()
            },
        }
    }
}
