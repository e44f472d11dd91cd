//! Finds, for the first test that failed, the operations and the write that show it.

use super::index::{LogRef, WriteRef, place};
use super::ledger::Ledger;
use super::sessions::{Asked, Heard, OpRef};
use crate::model::OutcomeClass;

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

/// A log that has the later of two writes without the earlier before it.
#[derive(Debug)]
pub(super) struct MonotonicWritesFailure {
    pub(super) earlier: OpRef,
    pub(super) first: WriteRef,
    pub(super) later: OpRef,
    pub(super) log: LogRef,
}

/// A log that has a write without all that its session had read before it.
#[derive(Debug)]
pub(super) struct WritesFollowReadsFailure {
    pub(super) read: OpRef,
    pub(super) seen: WriteRef,
    pub(super) written: OpRef,
    pub(super) log: LogRef,
}

impl Ledger {
    /// The first write that `read`, which misses one of its session, misses.
    pub(super) fn find_read_your_writes(&self, read: OpRef) -> ReadYourWritesFailure {
        let log = self.log_of(self.sessions.op(read));
        let position = self.position(read);
        let told = self.told_before(read);
        let missing = self.sessions.before(read).find_map(|(written, op)| match op.asked {
            Asked::Write { write, class: OutcomeClass::Ok, .. }
                if self.is_owed((written, write), told) && self.place_in(log, write) > position =>
            {
                Some(ReadYourWritesFailure { read, written, write })
            }
            Asked::Write { .. } | Asked::Query(_) => None,
        });
        missing.expect("a read that fails its test misses a write")
    }

    /// The first read before `later` that saw a write which `later` misses.
    pub(super) fn find_monotonic_reads(&self, later: OpRef) -> MonotonicReadsFailure {
        let log = self.log_of(self.sessions.op(later));
        let found = self.earlier_read(later, (log, self.position(later)));
        let (earlier, write) = found.expect("a read that fails its test follows a read");
        MonotonicReadsFailure { earlier, later, write }
    }

    /// The first write of the session before `later` that `log` has not before it.
    pub(super) fn find_monotonic_writes(
        &self,
        later: OpRef,
        log: LogRef,
    ) -> MonotonicWritesFailure {
        let limit = self.place_of(later, log);
        let told = self.told_before(later);
        let found = self.sessions.before(later).find_map(|(earlier, op)| match op.asked {
            Asked::Write {
                write,
                class: OutcomeClass::Ok | OutcomeClass::Unknown,
                heard: Heard::Answer,
            } if self.took_effect(write)
                && self.is_owed((earlier, write), told)
                && self.place_in(log, write) > limit =>
            {
                Some(MonotonicWritesFailure { earlier, first: write, later, log })
            }
            Asked::Write { .. } | Asked::Query(_) => None,
        });
        found.expect("a write that fails its test follows a write")
    }

    /// The first read before `written` that saw a write which `log` has not before what was written.
    pub(super) fn find_writes_follow_reads(
        &self,
        written: OpRef,
        log: LogRef,
    ) -> WritesFollowReadsFailure {
        let limit = self.place_of(written, log);
        let found = self.earlier_read(written, (log, limit));
        let (read, seen) = found.expect("a write that fails its test follows a read");
        WritesFollowReadsFailure { read, seen, written, log }
    }

    /// The place in `log` of what `written` wrote.
    fn place_of(&self, written: OpRef, log: LogRef) -> u32 {
        match self.sessions.op(written).asked {
            Asked::Write { write, .. } => self.place_in(log, write),
            Asked::Query(_) => 0,
        }
    }

    /// Whether a session is still owed a write that it made or saw at `at`, after it was told of a
    /// loss for the last time.
    fn is_owed(&self, (at, write): (OpRef, WriteRef), told: Option<OpRef>) -> bool {
        told.is_none_or(|told| told.is_before(at) || self.is_left(write))
    }

    /// The first read of the session before `later` that saw a write which it is owed, and which is
    /// not among the first `position` of `log`; and the first such write.
    fn earlier_read(
        &self,
        later: OpRef,
        (log, position): (LogRef, u32),
    ) -> Option<(OpRef, WriteRef)> {
        let told = self.told_before(later);
        // Reads before the loss was told are owed less.
        let mut late = [Vec::new(), Vec::new()];
        self.sessions.before(later).find_map(|(read, op)| {
            let seen = self.position(read);
            if seen == 0 {
                return None;
            }
            let of = self.log_of(op);
            let is_late = |write: WriteRef| {
                self.is_owed((read, write), told) && self.place_in(log, write) > position
            };
            let late = &mut late[usize::from(told.is_some_and(|told| read.is_before(told)))];
            let first = late.iter().find(|(log, _)| *log == of).map(|(_, first)| *first);
            let first = first.unwrap_or_else(|| {
                let mut all = (0..self.logs.len(of)).map(|at| (at, self.logs.write(of, at)));
                let first = all.find(|(_, write)| is_late(*write));
                late.push((of, first));
                first
            });
            let (index, write) = first?;
            (index < place(seen)).then_some((read, write))
        })
    }
}
