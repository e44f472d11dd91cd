//! Finds, for the first test that failed, the operations and the write that show it.

use super::index::place;
use super::ledger::Ledger;
use super::sessions::{Asked, OpRef, Told};
use super::writes::WriteRef;
use crate::model::BranchIndex;

/// A read that misses a write of its own session.
#[derive(Debug)]
pub(super) struct Unread {
    pub(super) read: OpRef,
    /// The operation that made the write, and was acknowledged.
    pub(super) written: OpRef,
    pub(super) write: WriteRef,
}

/// A read that misses a write that the session's read before it saw.
#[derive(Debug)]
pub(super) struct Unseen {
    pub(super) earlier: OpRef,
    pub(super) later: OpRef,
    pub(super) write: WriteRef,
}

/// A branch that has a write without all that its session had read before it.
#[derive(Debug)]
pub(super) struct Unfollowed {
    pub(super) read: OpRef,
    pub(super) seen: WriteRef,
    pub(super) written: OpRef,
    pub(super) branch: BranchIndex,
}

impl Ledger {
    /// The first write that `read`, which misses one of its session, misses.
    pub(super) fn find_unread(&self, read: OpRef) -> Unread {
        let branch = self.sessions.op(read).sent.branch.get();
        let position = self.position(read);
        let missing = self.sessions.before(read).find_map(|(written, op)| match op.asked {
            Asked::Write { write, told: Told::Written }
                if self.writes.row(write)[branch] > position =>
            {
                Some(Unread { read, written, write })
            }
            Asked::Write { .. } | Asked::Query(_) => None,
        });
        missing.expect("a read that fails its test misses a write")
    }

    /// The first write that `earlier` saw and `later` misses.
    pub(super) fn find_unseen(&self, earlier: OpRef, later: OpRef) -> Unseen {
        let branch = self.sessions.op(later).sent.branch.get();
        let position = self.position(later);
        let saw = self.prefix(self.sessions.op(earlier).sent.branch, self.position(earlier));
        let missing = saw.iter().find(|write| self.writes.row(**write)[branch] > position);
        let write = *missing.expect("a read that fails its test misses a write");
        Unseen { earlier, later, write }
    }

    /// The first read before `written` that saw a write which `branch` has not before what was
    /// written.
    pub(super) fn find_unfollowed(&self, written: OpRef, branch: BranchIndex) -> Unfollowed {
        let at = |write: WriteRef| self.writes.row(write)[branch.get()];
        let limit = match self.sessions.op(written).asked {
            Asked::Write { write, .. } => at(write),
            Asked::Query(_) => 0,
        };
        // For each log, its first write that is too late.
        let late: Vec<Option<(usize, WriteRef)>> = self
            .branches
            .iter()
            .map(|log| log.writes.iter().copied().enumerate().find(|(_, seen)| at(*seen) >= limit))
            .collect();
        let found = self.sessions.before(written).find_map(|(read, op)| {
            let (index, seen) = late[op.sent.branch.get()]?;
            (index < place(self.position(read))).then_some(Unfollowed {
                read,
                seen,
                written,
                branch,
            })
        });
        found.expect("a write that fails its test follows a read")
    }
}
