//! Whether the bank settled, where a history says that it did, or that it did not.
//!
//! That it did is not taken on trust: a branch that is down then, or a log of another length, is a
//! violation too. Which writes differ at the end is for convergence to say.

use super::logs::{BranchLog, Logs};
use super::sessions::Mark;
use super::test_counter::TestCounter;
use super::witness::Promised;
use crate::model::number::count;
use crate::model::{BranchIndex, Life, Roster};

/// What shows that the bank had not settled, and where.
#[derive(Debug)]
pub(super) struct Unsettled {
    pub(super) mark: Mark,
    pub(super) branch: BranchIndex,
    pub(super) why: Why,
}

#[derive(Debug)]
pub(super) enum Why {
    /// It lacked so many writes that `origin` had accepted.
    Lacks { origin: BranchIndex, life: Life, writes: u64 },
    /// It is said to have settled, and was down.
    Down,
    /// It is said to have settled, and held so many writes where another held other many.
    Holds { writes: u64, other: (BranchIndex, u64) },
}

/// The tests of it, where there are any. A bank is owed to settle, whatever was promised.
#[derive(Debug)]
pub(super) struct Settlings {
    tests: Option<TestCounter<Unsettled>>,
    witnesses: usize,
}

impl Settlings {
    pub(super) fn new(witnesses: usize) -> Self {
        Self { tests: None, witnesses }
    }

    /// Takes note that a branch had not come to hold what it was owed.
    pub(super) fn unsettled(&mut self, found: Unsettled) {
        self.test(Some(found));
    }

    /// Takes note that the bank is said to have settled.
    pub(super) fn settled(&mut self, mark: Mark, logs: &Logs, roster: &Roster) {
        let found = contradiction(logs, roster);
        self.test(found.map(|(branch, why)| Unsettled { mark, branch, why }));
    }

    /// The tests; none is left.
    pub(super) fn take(&mut self) -> Option<TestCounter<Unsettled>> {
        self.tests.take()
    }

    fn test(&mut self, found: Option<Unsettled>) {
        let tests = self.tests.get_or_insert_with(|| TestCounter::new(self.witnesses));
        tests.test(Promised::Yes);
        if let Some(found) = found {
            tests.fail(Promised::Yes, found.mark.fact, found);
        }
    }
}

/// The first branch that cannot have settled.
fn contradiction(logs: &Logs, roster: &Roster) -> Option<(BranchIndex, Why)> {
    let all = || roster.indexes().zip(logs.last());
    if let Some((branch, _)) = all().find(|(_, log)| log.stopped.is_some()) {
        return Some((branch, Why::Down));
    }
    let len = |log: &BranchLog| count(log.writes.len());
    let (first, longest) = all().next().map(|(branch, log)| (branch, len(log)))?;
    let (branch, log) = all().find(|(_, log)| len(log) != longest)?;
    Some((branch, Why::Holds { writes: len(log), other: (first, longest) }))
}
