//! The apply logs of branches: one after the other, where a branch lost memory.
//!
//! The last log of each branch is at hand as a whole, and so are the positions in it. Of one that
//! ended no more is kept than what the next one did not keep.

use super::InvalidHistory;
use super::index::{LogRef, NONE, WriteRef, place};
use super::sessions::Mark;
use super::writes::{ABSENT, Writes};
use crate::model::blocks::Blocks;
use crate::model::{BranchIndex, LogPosition, Money};

/// The last log of a branch.
#[derive(Debug)]
pub(super) struct BranchLog {
    /// The apply log.
    pub(super) writes: Blocks<WriteRef>,
    /// The sum of the opening balance and the log.
    pub(super) sum: i128,
    /// The balance that the branch gave last, if it gave one.
    pub(super) balance: Option<Money>,
    /// Where it stopped, if it is down.
    pub(super) stopped: Option<Mark>,
    /// Whether something was read at it.
    pub(super) is_read: bool,
    /// The first of its logs that ended, or `NONE`.
    first: u32,
    /// The one that ended last, or `NONE`.
    ended: u32,
}

impl BranchLog {
    pub(super) fn new(opening_balance: Money) -> Self {
        Self {
            writes: Blocks::default(),
            sum: opening_balance.minor().into(),
            balance: None,
            stopped: None,
            is_read: false,
            first: NONE,
            ended: NONE,
        }
    }
}

/// A log that ended: its branch started with less.
#[derive(Debug)]
pub(super) struct EndedLog {
    pub(super) branch: BranchIndex,
    /// Where the branch stopped: there its memory ended.
    pub(super) stopped: Mark,
    /// The fact with which the next log begins.
    until: u64,
    /// How many of its writes the next log kept.
    pub(super) kept: u32,
    /// The next log of its branch, if that ended too, or `NONE`.
    next: u32,
    /// Its writes after those that were kept.
    tail: Vec<WriteRef>,
    /// The position of each of those where it is first, ascending by write.
    index: Vec<(u32, u32)>,
}

impl EndedLog {
    /// Where a write is first among those that were not kept, or `ABSENT`.
    fn in_tail(&self, write: WriteRef) -> u32 {
        let found = self.index.binary_search_by_key(&write.get(), |(write, _)| *write);
        found.map_or(ABSENT, |at| self.index[at].1)
    }
}

/// All logs of a history.
#[derive(Debug)]
pub(super) struct Logs {
    last: Vec<BranchLog>,
    /// In the order in which they ended.
    ended: Vec<EndedLog>,
    /// How many writes were not kept, all together.
    forgotten: usize,
}

impl Logs {
    pub(super) fn new(branches: usize, opening_balance: Money) -> Self {
        let last = (0..branches).map(|_| BranchLog::new(opening_balance)).collect();
        Self { last, ended: Vec::new(), forgotten: 0 }
    }

    /// The last log of a branch.
    pub(super) fn of(&self, branch: BranchIndex) -> &BranchLog {
        &self.last[branch.get()]
    }

    pub(super) fn of_mut(&mut self, branch: BranchIndex) -> &mut BranchLog {
        &mut self.last[branch.get()]
    }

    /// The last log of each branch.
    pub(super) fn last(&self) -> &[BranchLog] {
        &self.last
    }

    /// Those that ended.
    pub(super) fn ended(&self) -> &[EndedLog] {
        &self.ended
    }

    /// How many writes were not kept, all together.
    pub(super) fn forgotten(&self) -> usize {
        self.forgotten
    }

    /// The log of a branch ends, and the next one begins with its first `kept` writes. Gives what
    /// was not kept.
    pub(super) fn forget(
        &mut self,
        writes: &Writes,
        (branch, kept): (BranchIndex, u32),
        (stopped, started): (Mark, Mark),
    ) -> Result<&[WriteRef], InvalidHistory> {
        let added = u32::try_from(self.ended.len()).ok().filter(|added| *added != NONE);
        let added = added.ok_or(InvalidHistory::TooMany)?;
        let log = &mut self.last[branch.get()];
        let tail = log.writes.split_off(place(kept));
        let positions = kept + 1..;
        let is_first = |write: WriteRef| writes.row(write)[branch.get()] > kept;
        let positions = tail.iter().zip(positions).filter(|(write, _)| is_first(**write));
        let mut index: Vec<_> = positions.map(|(write, at)| (write.get(), at)).collect();
        index.sort_unstable();
        index.dedup_by_key(|(write, _)| *write);
        self.forgotten += tail.len();
        if let Some(before) = self.ended.get_mut(place(log.ended)) {
            before.next = added;
        } else {
            log.first = added;
        }
        log.ended = added;
        let until = started.fact;
        self.ended.push(EndedLog { branch, stopped, until, kept, next: NONE, tail, index });
        Ok(&self.ended[place(added)].tail)
    }

    /// The log that a branch had when the fact number `fact` happened.
    pub(super) fn at(&self, branch: BranchIndex, fact: u64) -> LogRef {
        if self.ended.is_empty() {
            return LogRef::last(branch);
        }
        let is_later = |log: &LogRef| match log.ended() {
            Some(ended) => self.ended[ended].until > fact,
            None => true,
        };
        self.all(branch).find(is_later).expect("the last log has no end")
    }

    /// The logs of a branch, one after the other.
    pub(super) fn all(&self, branch: BranchIndex) -> impl Iterator<Item = LogRef> {
        let first = LogRef { branch, ended: self.of(branch).first };
        std::iter::successors(Some(first), |log| self.next(*log))
    }

    /// The log after this one.
    pub(super) fn next(&self, log: LogRef) -> Option<LogRef> {
        let ended = log.ended()?;
        Some(LogRef { branch: log.branch, ended: self.ended[ended].next })
    }

    /// The log before this one, which is to say the one that it kept something of.
    pub(super) fn before(&self, log: LogRef) -> Option<LogRef> {
        self.all(log.branch).take_while(|other| *other != log).last()
    }

    /// The `index`-th write of a log, from 0.
    pub(super) fn write(&self, mut log: LogRef, index: usize) -> WriteRef {
        while let Some(ended) = log.ended() {
            let EndedLog { kept, next, tail, .. } = &self.ended[ended];
            if let Some(beyond) = index.checked_sub(place(*kept)) {
                return tail[beyond];
            }
            log.ended = *next;
        }
        self.of(log.branch).writes[index]
    }

    /// How many writes a log holds.
    pub(super) fn len(&self, log: LogRef) -> usize {
        match log.ended() {
            Some(ended) => place(self.ended[ended].kept) + self.ended[ended].tail.len(),
            None => self.of(log.branch).writes.len(),
        }
    }

    /// Where a write is first in a log, or `ABSENT`.
    pub(super) fn position(&self, writes: &Writes, log: LogRef, write: WriteRef) -> u32 {
        let last = writes.row(write)[log.branch.get()];
        let (mut found, mut kept, mut log) = (ABSENT, ABSENT, log);
        // What the next log kept of this one is the same in both.
        while let Some(ended) = log.ended() {
            let ended = &self.ended[ended];
            let position = ended.in_tail(write);
            if position <= kept {
                found = position;
            }
            kept = kept.min(ended.kept);
            log.ended = ended.next;
        }
        if last <= kept { last } else { found }
    }

    /// Where a write is first in each log that ended, or `ABSENT`.
    #[inline]
    pub(super) fn positions(&self, writes: &Writes, write: WriteRef, into: &mut Vec<u32>) {
        if !self.ended.is_empty() {
            self.fill_positions(writes, write, into);
        }
    }

    fn fill_positions(&self, writes: &Writes, write: WriteRef, into: &mut Vec<u32>) {
        into.clear();
        into.resize(self.ended.len(), ABSENT);
        for (at, log) in self.ended.iter().enumerate().rev() {
            let kept = match into.get(place(log.next)) {
                Some(position) => *position,
                None => writes.row(write)[log.branch.get()],
            };
            into[at] = if kept <= log.kept { kept } else { log.in_tail(write) };
        }
    }

    /// Of a write with these positions in the logs that ended: those logs that the next one did not
    /// keep it of, and where it was first.
    pub(super) fn applied(&self, positions: &[u32]) -> impl Iterator<Item = (LogRef, u32)> {
        let logs = (0..).zip(&self.ended).zip(positions);
        let applied =
            logs.filter(|((_, log), position)| **position != ABSENT && **position > log.kept);
        applied.map(|((ended, log), position)| (LogRef { branch: log.branch, ended }, *position))
    }

    /// Whether a log of a branch that ended held a write which the next one did not keep.
    pub(super) fn has_forgotten(&self, branch: BranchIndex, write: WriteRef) -> bool {
        self.that_lost(write).any(|log| log.branch == branch)
    }

    /// The logs that ended and held a write which the next one did not keep, as `LogRef`s.
    pub(super) fn applied_in_ended(&self, write: WriteRef) -> impl Iterator<Item = LogRef> {
        let logs = (0..).zip(&self.ended).filter(move |(_, log)| log.in_tail(write) != ABSENT);
        logs.map(|(ended, log)| LogRef { branch: log.branch, ended })
    }

    /// The logs that ended and held a write which the next one did not keep, in the order in which
    /// they ended.
    pub(super) fn that_lost(&self, write: WriteRef) -> impl Iterator<Item = &EndedLog> {
        self.ended.iter().filter(move |log| log.in_tail(write) != ABSENT)
    }
}

/// How long a log is.
pub(super) fn log_length(log: &Blocks<WriteRef>) -> Result<LogPosition, InvalidHistory> {
    u64::try_from(log.len()).map(LogPosition::new).map_err(|_| InvalidHistory::TooMany)
}

/// A place in a log, as a number that fits a table.
pub(super) fn position(said: LogPosition) -> Result<u32, InvalidHistory> {
    match u32::try_from(said.get()) {
        Ok(position) if position != ABSENT => Ok(position),
        Ok(_) | Err(_) => Err(InvalidHistory::TooMany),
    }
}
