//! What a simulation came to. `docs/SIMULATION.md` says how it is written.

use std::time::Duration;

use serde::Serialize;

use super::finding::{Finding, Violated};
use super::search::Found;
use super::seeds::Seeds;
use super::shrink::{Shrunk, Target};
use super::tally::Tally;
use crate::model::number::{count, micros};

/// The version of what a summary is written in.
const FORMAT: u64 = 1;

/// What a simulation came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename = "simulation")]
pub struct Summary {
    /// The version of this format.
    pub format: u64,
    /// The first of those that were asked for.
    pub first_seed: u64,
    /// The one after the last of those that were asked for.
    pub end_seed: u64,
    /// What was counted.
    #[serde(flatten)]
    pub tally: Tally,
    /// What was found, ascending by seed: the first of it.
    pub findings: Vec<FindingRow>,
    /// The smallest scenario that still shows the first of it.
    pub shrunk: Option<ShrunkRow>,
    /// Why it ended before all seeds were run, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
    /// How long it took, in real time.
    pub wall_microseconds: u64,
    /// How many threads ran seeds.
    pub jobs: u64,
    /// The version of passbook.
    pub passbook: &'static str,
}

/// What is wrong with one seed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FindingRow {
    /// Which.
    pub seed: u64,
    /// What was found.
    #[serde(flatten)]
    pub finding: Finding,
    /// The command that shows it again.
    pub again: String,
}

/// A scenario that shows what was found with as little as it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShrunkRow {
    /// The file that holds it; `None` where it could not be written.
    pub file: Option<String>,
    /// What it shows.
    #[serde(flatten)]
    pub violated: Violated,
    /// How many branches it has.
    pub branches: u64,
    /// How many customers.
    pub customers: u64,
    /// How many events.
    pub events: u64,
    /// How many faults, and messages that do not take what the others take.
    pub faults: u64,
    /// Whether none of its parts can be left out.
    pub minimal: bool,
    /// How many runs it took to find.
    pub trials: u64,
    /// The command that runs it.
    pub again: String,
}

/// Why a simulation ended before all its seeds were run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// Something was found.
    Violation,
    /// Its time was over.
    Time,
    /// Somebody interrupted it.
    Interrupted,
}

/// What a simulation knows of itself when it ends, beside what it found.
#[derive(Debug, Clone, Copy)]
pub struct Course {
    /// Which seeds were asked for.
    pub seeds: Seeds,
    /// Why it ended before their end.
    pub stopped: Option<Stopped>,
    /// How long it took, in real time.
    pub wall: Duration,
    /// How many threads ran seeds.
    pub jobs: u64,
}

impl ShrunkRow {
    /// Of a scenario that is in `file`, if it could be written.
    pub fn new(shrunk: &Shrunk, file: Option<String>, again: String) -> Self {
        let Target { property, promised } = shrunk.target;
        Self {
            file,
            violated: Violated { property, promised, sentence: shrunk.sentence.clone() },
            branches: count(shrunk.branches),
            customers: count(shrunk.customers),
            events: count(shrunk.events),
            faults: count(shrunk.faults),
            minimal: shrunk.is_minimal,
            trials: shrunk.trials,
            again,
        }
    }
}

impl Summary {
    /// Of a simulation that `found` this; `again` gives the command that runs a seed again.
    pub fn new(found: &Found, course: Course, again: impl Fn(u64) -> String) -> Self {
        let row = |(seed, finding): &(u64, Finding)| FindingRow {
            seed: *seed,
            finding: finding.clone(),
            again: again(*seed),
        };
        Self {
            format: FORMAT,
            first_seed: course.seeds.first(),
            end_seed: course.seeds.end(),
            tally: found.tally.clone(),
            findings: found.findings.iter().map(row).collect(),
            shrunk: None,
            stopped: course.stopped,
            wall_microseconds: micros(course.wall),
            jobs: course.jobs,
            passbook: env!("CARGO_PKG_VERSION"),
        }
    }

    /// How long it took, in real time.
    pub const fn wall(&self) -> Duration {
        Duration::from_micros(self.wall_microseconds)
    }

    /// How many seeds with a finding are not among those that were kept.
    pub fn findings_left_out(&self) -> u64 {
        (self.tally.violated + self.tally.failed).saturating_sub(count(self.findings.len()))
    }
}
