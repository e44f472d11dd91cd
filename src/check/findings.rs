//! Finds, for the first test that failed, the operations and the write that show it.

use super::index::{WriteRef, place};
use super::ledger::Ledger;
use super::sessions::{Asked, OpRef};
use crate::model::{BranchIndex, OutcomeClass};

/// A read that misses a write of its own session.
#[derive(Debug)]
pub(super) struct ReadYourWritesFailure {
    pub(super) read: OpRef,
    /// The operation that made the write, and was acknowledged.
    pub(super) written: OpRef,
    pub(super) write: WriteRef,
}

/// A read that misses a write that an earlier read of its session saw.
#[derive(Debug)]
pub(super) struct MonotonicReadsFailure {
    pub(super) earlier: OpRef,
    pub(super) later: OpRef,
    pub(super) write: WriteRef,
}

/// A branch that has the later of two writes without the earlier before it.
#[derive(Debug)]
pub(super) struct MonotonicWritesFailure {
    pub(super) earlier: OpRef,
    pub(super) first: WriteRef,
    pub(super) later: OpRef,
    pub(super) branch: BranchIndex,
}

/// A branch that has a write without all that its session had read before it.
#[derive(Debug)]
pub(super) struct WritesFollowReadsFailure {
    pub(super) read: OpRef,
    pub(super) seen: WriteRef,
    pub(super) written: OpRef,
    pub(super) branch: BranchIndex,
}

impl Ledger {
    /// The first write that `read`, which misses one of its session, misses.
    pub(super) fn find_read_your_writes(&self, read: OpRef) -> ReadYourWritesFailure {
        let branch = self.sessions.op(read).sent.branch.get();
        let position = self.position(read);
        let missing = self.sessions.before(read).find_map(|(written, op)| match op.asked {
            Asked::Write { write, class: OutcomeClass::Ok }
                if self.writes.row(write)[branch] > position =>
            {
                Some(ReadYourWritesFailure { read, written, write })
            }
            Asked::Write { .. } | Asked::Query(_) => None,
        });
        missing.expect("a read that fails its test misses a write")
    }

    /// The first read before `later` that saw a write which `later` misses.
    pub(super) fn find_monotonic_reads(&self, later: OpRef) -> MonotonicReadsFailure {
        let branch = self.sessions.op(later).sent.branch;
        let late = self.first_after(branch, self.position(later));
        let found = self.earlier_read(later, &late);
        let (earlier, write) = found.expect("a read that fails its test follows a read");
        MonotonicReadsFailure { earlier, later, write }
    }

    /// The first write of the session before `later` that `branch` has not before it.
    pub(super) fn find_monotonic_writes(
        &self,
        later: OpRef,
        branch: BranchIndex,
    ) -> MonotonicWritesFailure {
        let at = |write: WriteRef| self.writes.row(write)[branch.get()];
        let limit = self.place_of(later, branch);
        let found = self.sessions.before(later).find_map(|(earlier, op)| match op.asked {
            Asked::Write { write, class: OutcomeClass::Ok | OutcomeClass::Unknown }
                if self.writes.entry(write).took_effect() && at(write) > limit =>
            {
                Some(MonotonicWritesFailure { earlier, first: write, later, branch })
            }
            Asked::Write { .. } | Asked::Query(_) => None,
        });
        found.expect("a write that fails its test follows a write")
    }

    /// The first read before `written` that saw a write which `branch` has not before what was
    /// written.
    pub(super) fn find_writes_follow_reads(
        &self,
        written: OpRef,
        branch: BranchIndex,
    ) -> WritesFollowReadsFailure {
        let limit = self.place_of(written, branch);
        let late = self.first_after(branch, limit.saturating_sub(1));
        let found = self.earlier_read(written, &late);
        let (read, seen) = found.expect("a write that fails its test follows a read");
        WritesFollowReadsFailure { read, seen, written, branch }
    }

    /// The place at `branch` of what `written` wrote.
    fn place_of(&self, written: OpRef, branch: BranchIndex) -> u32 {
        match self.sessions.op(written).asked {
            Asked::Write { write, .. } => self.writes.row(write)[branch.get()],
            Asked::Query(_) => 0,
        }
    }

    /// For each log, its first write that is not among the first `position` of `branch`.
    fn first_after(&self, branch: BranchIndex, position: u32) -> Vec<Option<(usize, WriteRef)>> {
        let is_late = |write: WriteRef| self.writes.row(write)[branch.get()] > position;
        let logs = self.branches.iter();
        let late =
            logs.map(|log| log.writes.iter().copied().enumerate().find(|(_, seen)| is_late(*seen)));
        late.collect()
    }

    /// The first read of the session before `later` that saw one of the writes that are `late`, the
    /// first of each log.
    fn earlier_read(
        &self,
        later: OpRef,
        late: &[Option<(usize, WriteRef)>],
    ) -> Option<(OpRef, WriteRef)> {
        self.sessions.before(later).find_map(|(read, op)| {
            let (index, seen) = late[op.sent.branch.get()]?;
            (index < place(self.position(read))).then_some((read, seen))
        })
    }
}
