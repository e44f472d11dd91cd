//! The result of a batch: the last line of a result file.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Status;
use super::partition::Partition;
use crate::model::counts;

/// The result of a batch. `docs/RESULTS.md` says how it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename = "summary")]
pub struct Summary {
    /// How many scenarios the whole input holds, before any is filtered out or left to another
    /// partition; `None` if it was not read to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<u64>,
    /// How many rows there are.
    pub rows: u64,
    /// How many rows of each status.
    pub statuses: StatusCounts,
    /// How many scenarios say what they expect, and met it.
    pub as_expected: u64,
    /// How many say what they expect, and did not meet it.
    pub not_as_expected: u64,
    /// How many scenarios have warnings.
    #[serde(default, skip_serializing_if = "is_none")]
    pub with_warnings: u64,
    /// How many scenarios of this share of the input were filtered out.
    pub filtered_out: u64,
    /// How many writes were refused; what rows of the first format do not tell is not counted.
    #[serde(default)]
    pub refused_writes: u64,
    /// Which share of the input was run; `None` if all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<Partition>,
    /// Why it ended before its end; `None` if it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
    /// How long it took, in real time.
    pub wall_microseconds: u64,
    /// How many scenarios ran at the same time.
    pub jobs: u64,
    /// The version of the passbook that wrote it; the rows say which made them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passbook: Option<Cow<'static, str>>,
}

/// Why a batch ended before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stopped {
    /// Somebody interrupted it.
    Interrupted,
    /// There were as many failures as were allowed.
    Failures,
}

counts! {
    /// How many rows there are of each status.
    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct StatusCounts of Status {
        /// Everything is as it should be.
        holds: Holds,
        /// Nothing could be decided.
        undecided: Undecided,
        /// The customers saw something else than expected.
        unexpected: Unexpected,
        /// The judge objects, or the branches disagree at the end.
        violated: Violated,
        /// The scenario is wrong, or could not be run.
        error: Error,
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_none(count: &u64) -> bool {
    *count == 0
}

impl Summary {
    /// How long it took.
    pub const fn wall(&self) -> Duration {
        Duration::from_micros(self.wall_microseconds)
    }
}

impl StatusCounts {
    /// How many of them somebody must look at.
    pub fn failures(&self) -> u64 {
        let failures = Status::ALL.into_iter().filter(|status| status.is_failure());
        failures.map(|status| self.of(status)).sum()
    }

    /// The worst status that there is; `None` without rows.
    pub fn worst(&self) -> Option<Status> {
        Status::ALL.into_iter().rev().find(|status| self.of(*status) > 0)
    }
}
