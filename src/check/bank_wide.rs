//! What the bank as a whole owes at the end: convergence, and each write exactly once.

use std::collections::BTreeMap;

use super::index::WriteRef;
use super::ledger::Ledger;
use super::test_counter::TestCounter;
use super::verdict::Undecided;
use super::witness::{Promised, WitnessKind};
use super::writes::{ABSENT, Entry, FirstSeen, WrongApply};
use crate::history::Extent;
use crate::model::{BranchIndex, Money, WriteId};

/// How two branches differ at the end.
#[derive(Debug)]
pub(super) enum Divergence {
    /// One has a write and the other has not.
    Write { write: WriteRef, held_by: BranchIndex, missing_at: BranchIndex },
    /// They give different balances.
    Balance { first: (BranchIndex, Money), other: (BranchIndex, Money) },
}

/// How a write was not applied exactly once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    Twice,
    AcknowledgedButMissing,
    RefusedButApplied,
    NobodyAsked,
    /// The customer gave its id to this write too, which was applied.
    IdNotUnique(WriteRef),
}

impl Wrong {
    pub(super) const fn kind(self) -> WitnessKind {
        match self {
            Self::Twice => WitnessKind::AppliedTwice,
            Self::AcknowledgedButMissing => WitnessKind::Missing,
            Self::RefusedButApplied => WitnessKind::RefusedButApplied,
            Self::NobodyAsked => WitnessKind::NobodyAsked,
            Self::IdNotUnique(_) => WitnessKind::IdNotUnique,
        }
    }

    /// Everybody is owed this, but no bank can keep apart what a customer calls by one name.
    const fn promised(self) -> Promised {
        match self {
            Self::Twice
            | Self::AcknowledgedButMissing
            | Self::RefusedButApplied
            | Self::NobodyAsked => Promised::Yes,
            Self::IdNotUnique(_) => Promised::No,
        }
    }
}

/// A write that was not applied exactly once, and the first branch where it shows.
#[derive(Debug)]
pub(super) struct Flaw {
    pub(super) write: WriteRef,
    pub(super) wrong: Wrong,
    pub(super) branch: BranchIndex,
}

/// Why what needs the end of a history, at all branches, is undecided in this one.
pub(super) fn without_end(ledger: &Ledger) -> Option<Undecided> {
    match ledger.extent {
        Extent::CutOff => Some(Undecided::CutOff),
        Extent::Whole if ledger.branches.iter().any(|log| log.is_down) => {
            Some(Undecided::BranchDown)
        }
        Extent::Whole => None,
    }
}

/// All branches hold the same writes and the same balance.
pub(super) fn convergence(ledger: &Ledger) -> TestCounter<Divergence> {
    let mut test_counter = TestCounter::new(ledger.witnesses);
    if ledger.roster.len() < 2 || without_end(ledger).is_some() {
        return test_counter;
    }
    for (write, entry) in ledger.writes.iter().filter(|(_, entry)| entry.is_applied()) {
        test_counter.test(Promised::Yes);
        if let Some(missing_at) = missing_at(ledger, write, entry)
            && let Some(held_by) = applied_at(ledger, write)
        {
            let divergence = Divergence::Write { write, held_by, missing_at };
            test_counter.fail(Promised::Yes, write.rank(), divergence);
        }
    }
    let given = ledger.roster.indexes().zip(&ledger.branches);
    let mut given = given.filter_map(|(branch, log)| Some((branch, log.balance?)));
    if let Some(first) = given.next() {
        for other in given {
            test_counter.test(Promised::Yes);
            if other.1 != first.1 {
                test_counter.fail(Promised::Yes, u64::MAX, Divergence::Balance { first, other });
            }
        }
    }
    test_counter
}

/// No write is applied twice at a branch; what was acknowledged is everywhere; what was refused is
/// applied nowhere from then on; and nothing is applied that was not asked for with that content.
pub(super) fn exactly_once(ledger: &Ledger) -> TestCounter<Flaw> {
    let mut test_counter = TestCounter::new(ledger.witnesses);
    let is_open = without_end(ledger).is_some();
    // Under each id that names several writes, the first that was asked for and applied.
    let mut first = BTreeMap::new();
    for (write, entry) in ledger.writes.iter() {
        match wrong(ledger, write, entry, &mut first) {
            Some(Wrong::AcknowledgedButMissing) if is_open => {}
            Some(wrong) => {
                test_counter.test(wrong.promised());
                test_counter.fail(wrong.promised(), write.rank(), (write, wrong));
            }
            None if entry.acknowledged || entry.refused || entry.is_applied() => {
                test_counter.test(Promised::Yes);
            }
            None => {}
        }
    }
    test_counter.map(|(write, wrong)| {
        let branch = match wrong {
            Wrong::Twice | Wrong::NobodyAsked => {
                ledger.writes.wrong_apply(write).map(|apply| apply.branch)
            }
            Wrong::RefusedButApplied => {
                let wrong = ledger.writes.wrong_apply(write).map(|apply| apply.branch);
                wrong.or_else(|| applied_at(ledger, write))
            }
            Wrong::AcknowledgedButMissing => missing_at(ledger, write, ledger.writes.entry(write)),
            Wrong::IdNotUnique(_) => applied_at(ledger, write),
        };
        Flaw { write, wrong, branch: branch.expect("a write that fails its test fails somewhere") }
    })
}

fn wrong(
    ledger: &Ledger,
    write: WriteRef,
    entry: &Entry,
    first: &mut BTreeMap<WriteId, WriteRef>,
) -> Option<Wrong> {
    let is_shared = entry.is_applied()
        && entry.first_seen == FirstSeen::Asked
        && ledger.writes.is_shared(entry.id);
    let first = is_shared.then(|| *first.entry(entry.id).or_insert(write));
    match entry.wrong {
        Some(WrongApply::Unasked) => return Some(Wrong::NobodyAsked),
        Some(WrongApply::AfterRefusal) => return Some(Wrong::RefusedButApplied),
        Some(WrongApply::Again) | None if entry.is_applied() && !entry.issued => {
            return Some(Wrong::RefusedButApplied);
        }
        Some(WrongApply::Again) => return Some(Wrong::Twice),
        None => {}
    }
    if let Some(first) = first.filter(|first| *first != write) {
        return Some(Wrong::IdNotUnique(first));
    }
    (entry.acknowledged && !is_everywhere(ledger, entry)).then_some(Wrong::AcknowledgedButMissing)
}

fn is_everywhere(ledger: &Ledger, entry: &Entry) -> bool {
    usize::try_from(entry.branches) == Ok(ledger.roster.len())
}

fn applied_at(ledger: &Ledger, write: WriteRef) -> Option<BranchIndex> {
    let mut row = ledger.roster.indexes().zip(ledger.writes.row(write).iter());
    row.find(|(_, position)| **position != ABSENT).map(|(branch, _)| branch)
}

fn missing_at(ledger: &Ledger, write: WriteRef, entry: &Entry) -> Option<BranchIndex> {
    if is_everywhere(ledger, entry) {
        return None;
    }
    let mut row = ledger.roster.indexes().zip(ledger.writes.row(write).iter());
    row.find(|(_, position)| **position == ABSENT).map(|(branch, _)| branch)
}
