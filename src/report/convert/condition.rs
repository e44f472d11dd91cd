//! What lasts for a while in a run: a branch is down or slow, a partition stands.

use std::collections::BTreeMap;
use std::fmt;

use crate::history::{Entry, Fact};
use crate::model::{BranchId, Time};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Condition {
    Down(BranchId),
    Slow(BranchId),
    Partition(u32),
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Down(branch) => write!(f, "branch {branch} is down"),
            Self::Slow(branch) => write!(f, "branch {branch} is slow"),
            Self::Partition(number) => write!(f, "partition {number}"),
        }
    }
}

/// Since when one lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Began {
    pub(super) at: Time,
    /// The line of the history that says so.
    pub(super) line: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Began(Condition),
    Ended(Condition, Began),
}

/// Those that last now.
#[derive(Debug, Default)]
pub(super) struct Conditions(BTreeMap<Condition, Began>);

impl Conditions {
    /// Takes the next fact. What ends that never began is no change.
    pub(super) fn add(&mut self, entry: &Entry) -> Option<Change> {
        match entry.recorded.fact {
            Fact::BranchStopped { branch } => self.begin(Condition::Down(branch), entry),
            Fact::BranchStarted { branch, .. } => self.end(Condition::Down(branch)),
            Fact::SlownessBegan { branch, .. } => self.begin(Condition::Slow(branch), entry),
            Fact::SlownessEnded { branch } => self.end(Condition::Slow(branch)),
            Fact::PartitionBegan { partition, .. } => {
                self.begin(Condition::Partition(partition), entry)
            }
            Fact::PartitionHealed { partition } => self.end(Condition::Partition(partition)),
            Fact::RequestSent { .. }
            | Fact::RequestReceived { .. }
            | Fact::WriteApplied { .. }
            | Fact::MessageSent { .. }
            | Fact::MessageReceived { .. }
            | Fact::MessageLost { .. }
            | Fact::MessageDuplicated { .. }
            | Fact::WriteSetCompared { .. }
            | Fact::RequestParked { .. }
            | Fact::ReplySent { .. }
            | Fact::ReplyReceived { .. }
            | Fact::RequestGivenUp { .. }
            | Fact::Settled {}
            | Fact::Unsettled { .. } => None,
        }
    }

    /// Those that lasted when the history ended.
    pub(super) fn take_open(&mut self) -> impl Iterator<Item = (Condition, Began)> + use<> {
        std::mem::take(&mut self.0).into_iter()
    }

    /// A branch may become slower while it is slow: that is no new condition.
    fn begin(&mut self, condition: Condition, entry: &Entry) -> Option<Change> {
        let began = Began { at: entry.recorded.at, line: entry.line };
        match self.0.insert(condition, began) {
            None => Some(Change::Began(condition)),
            Some(before) => {
                self.0.insert(condition, before);
                None
            }
        }
    }

    fn end(&mut self, condition: Condition) -> Option<Change> {
        Some(Change::Ended(condition, self.0.remove(&condition)?))
    }
}
