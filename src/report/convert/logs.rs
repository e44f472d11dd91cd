//! The apply log of each branch, and how much of it a read saw. A branch that comes back with less
//! than it had begins another log.

use std::collections::BTreeMap;

use crate::history::{Fact, Header};
use crate::model::{BranchId, LogPosition, Write, WriteId};

/// A write, by a number: the first that the history names is 1.
pub(super) type WriteNumber = u64;

#[derive(Debug, Default)]
pub(super) struct Logs {
    numbers: BTreeMap<(WriteId, Write), WriteNumber>,
    logs: Vec<Vec<WriteNumber>>,
    /// Which of `logs` is a branch's now.
    current: BTreeMap<BranchId, usize>,
}

/// A prefix of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Prefix {
    log: usize,
    len: usize,
}

/// Whether a write was named before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    First(WriteNumber),
    Again(WriteNumber),
}

impl Logs {
    /// An empty log for each branch.
    pub(super) fn new(header: &Header) -> Self {
        let mut logs = Self::default();
        header.roster.ids().iter().for_each(|branch| {
            logs.log(*branch);
        });
        logs
    }

    /// The number of a write.
    pub(super) fn name(&mut self, id: WriteId, write: Write) -> Naming {
        let next = crate::model::number::count(self.numbers.len()) + 1;
        match self.numbers.insert((id, write), next) {
            None => Naming::First(next),
            Some(known) => {
                self.numbers.insert((id, write), known);
                Naming::Again(known)
            }
        }
    }

    /// Takes the next fact.
    pub(super) fn add(&mut self, fact: &Fact) {
        match *fact {
            Fact::WriteApplied { branch, id, write, .. } => {
                let (Naming::First(number) | Naming::Again(number)) = self.name(id, write);
                let log = self.log(branch);
                self.logs[log].push(number);
            }
            Fact::BranchStarted { branch, kept, .. } => {
                let Prefix { log, len } = self.prefix(branch, kept);
                if len < self.logs[log].len() {
                    let kept = self.logs[log][..len].to_vec();
                    self.current.insert(branch, self.logs.len());
                    self.logs.push(kept);
                }
            }
            Fact::RequestSent { .. }
            | Fact::RequestReceived { .. }
            | Fact::MessageSent { .. }
            | Fact::MessageReceived { .. }
            | Fact::MessageLost { .. }
            | Fact::MessageDuplicated { .. }
            | Fact::WriteSetCompared { .. }
            | Fact::RequestParked { .. }
            | Fact::ReplySent { .. }
            | Fact::ReplyReceived { .. }
            | Fact::RequestGivenUp { .. }
            | Fact::BranchStopped { .. }
            | Fact::PartitionBegan { .. }
            | Fact::PartitionHealed { .. }
            | Fact::Settled {}
            | Fact::Unsettled { .. }
            | Fact::SlownessBegan { .. }
            | Fact::SlownessEnded { .. } => {}
        }
    }

    /// The first `position` writes of a branch's log as it is now.
    pub(super) fn prefix(&mut self, branch: BranchId, position: LogPosition) -> Prefix {
        let log = self.log(branch);
        let len = usize::try_from(position.get()).unwrap_or(usize::MAX);
        Prefix { log, len: len.min(self.logs[log].len()) }
    }

    /// The writes of a prefix, in order.
    pub(super) fn writes(&self, prefix: Prefix) -> &[WriteNumber] {
        &self.logs[prefix.log][..prefix.len]
    }

    /// All logs: those of the branches in their order, then those that began later.
    pub(super) fn all(&self) -> &[Vec<WriteNumber>] {
        &self.logs
    }

    fn log(&mut self, branch: BranchId) -> usize {
        *self.current.entry(branch).or_insert_with(|| {
            self.logs.push(Vec::new());
            self.logs.len() - 1
        })
    }
}
