//! What is known of a history once it is closed: what survived, and in which log an answer was given.

use super::index::{LogRef, WriteRef};
use super::ledger::Ledger;
use super::sessions::{Asked, Op, OpRef};
use super::verdict::Undecided;
use super::writes::ABSENT;

impl Ledger {
    /// Whether it is known that some last log holds a write: that of a branch that is up, at the
    /// end of a whole history.
    pub(super) fn survives(&self, write: WriteRef) -> bool {
        match self.open {
            None => self.writes.entry(write).is_held(),
            Some(Undecided::BranchDown) => {
                let mut row = self.logs.last().iter().zip(self.writes.row(write).iter());
                row.any(|(log, position)| log.stopped.is_none() && *position != ABSENT)
            }
            Some(Undecided::CutOff | Undecided::NothingToTest) => false,
        }
    }

    /// Whether a session that is told of a loss is still owed a write. What has several numbers may
    /// be lost under that which the session knows.
    pub(super) fn is_left(&self, write: WriteRef) -> bool {
        self.survives(write) && !self.writes.entry(write).renumbered
    }

    /// Whether it is a write of its session: acknowledged, or answered otherwise and applied
    /// somewhere. One that nobody answered, and no last log holds, has not happened.
    pub(super) fn took_effect(&self, write: WriteRef) -> bool {
        let entry = self.writes.entry(write);
        let is_known = entry.acknowledged || entry.answered && entry.is_applied();
        entry.issued && (is_known || self.survives(write))
    }

    /// The log in which an operation was answered.
    pub(super) fn log_of(&self, op: &Op) -> LogRef {
        let branch = op.sent.branch;
        op.answered.map_or(LogRef::last(branch), |mark| self.logs.at(branch, mark.fact))
    }

    /// Where a write is first in a log, or `ABSENT`.
    pub(super) fn place_in(&self, log: LogRef, write: WriteRef) -> u32 {
        self.logs.position(&self.writes, log, write)
    }

    /// The last answer before `op` that told its session of a loss.
    pub(super) fn told_before(&self, op: OpRef) -> Option<OpRef> {
        let session = self.sessions.op(op).session;
        let told = self.told.iter().rev().filter(|told| told.is_before(op));
        told.copied().find(|told| self.sessions.op(*told).session == session)
    }

    /// How many writes a read saw; none if it was not answered.
    pub(super) fn position(&self, read: OpRef) -> u32 {
        match self.sessions.op(read).asked {
            Asked::Query(Some(seen)) => seen.position,
            Asked::Query(None) | Asked::Write { .. } => 0,
        }
    }
}
