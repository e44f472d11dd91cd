//! What the bank as a whole owes at the end: convergence, and each write exactly once.

use std::collections::BTreeMap;

use super::index::{LogRef, WriteRef};
use super::ledger::Ledger;
use super::owed::Told;
use super::sessions::OpRef;
use super::test_counter::TestCounter;
use super::witness::{Promised, WitnessKind};
use super::writes::{ABSENT, Entry, FirstSeen, WrongApply};
use crate::model::{BranchIndex, Durability, Money, Propagation, WriteId};

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
    /// It was acknowledged, and some last logs hold it, but not all.
    Missing,
    /// It was acknowledged, and no last log holds it.
    Lost,
    RefusedButApplied,
    NobodyAsked,
    /// The customer gave its id to this write too, which was applied.
    IdNotUnique(WriteRef),
    /// It was acknowledged before this branch had applied it, and every branch was to have.
    Early(BranchIndex),
}

impl Wrong {
    pub(super) const fn kind(self) -> WitnessKind {
        match self {
            Self::Twice => WitnessKind::AppliedTwice,
            Self::Missing => WitnessKind::Missing,
            Self::Lost => WitnessKind::Lost,
            Self::RefusedButApplied => WitnessKind::RefusedButApplied,
            Self::NobodyAsked => WitnessKind::NobodyAsked,
            Self::IdNotUnique(_) => WitnessKind::IdNotUnique,
            Self::Early(_) => WitnessKind::AcknowledgedEarly,
        }
    }

    /// Everybody is owed this, but no bank can keep apart what a customer calls by one name, nor
    /// keep in memory what ends with it.
    fn promised(self, ledger: &Ledger, write: WriteRef) -> Promised {
        match self {
            Self::Twice
            | Self::Missing
            | Self::RefusedButApplied
            | Self::NobodyAsked
            | Self::Early(_) => Promised::Yes,
            Self::Lost => nothing_is_lost(ledger, write),
            Self::IdNotUnique(_) => Promised::No,
        }
    }
}

/// Whether it was promised that a write is not lost. It is where branches have disks, and where no
/// memory ended that had held it; with sync propagation, where not every branch's did.
fn nothing_is_lost(ledger: &Ledger, write: WriteRef) -> Promised {
    let has_disks = ledger.terms.as_ref().is_some_and(|terms| terms.durability == Durability::Disk);
    if has_disks || !ledger.writes.entry(write).forgotten {
        return Promised::Yes;
    }
    let mut lost_at = vec![false; ledger.roster.len()];
    for log in ledger.logs.that_lost(write) {
        lost_at[log.branch.get()] = true;
    }
    match ledger.terms.as_ref().map(|terms| terms.propagation) {
        _ if lost_at.iter().all(|is_lost| *is_lost) => Promised::No,
        Some(Propagation::Async) => Promised::No,
        Some(Propagation::Sync) => Promised::Yes,
        None => Promised::Unknown,
    }
}

/// How a write was not applied exactly once, or a session not told the truth of it.
#[derive(Debug)]
pub(super) enum Flaw {
    /// The log, or the branch, is the first where it shows.
    Write { write: WriteRef, wrong: Wrong, log: LogRef },
    /// A session was told of a loss, and this branch holds all that it was owed.
    ToldWrongly { at: OpRef, held_by: BranchIndex },
}

/// All branches hold the same writes and the same balance.
pub(super) fn convergence(ledger: &Ledger) -> TestCounter<Divergence> {
    let mut test_counter = TestCounter::new(ledger.witnesses);
    if ledger.roster.len() < 2 || ledger.open.is_some() {
        return test_counter;
    }
    for (write, entry) in ledger.writes.iter().filter(|(_, entry)| entry.is_held()) {
        test_counter.test(Promised::Yes);
        if let Some(missing_at) = missing_at(ledger, write, entry)
            && let Some(held_by) = applied_at(ledger, write)
        {
            let divergence = Divergence::Write { write, held_by, missing_at };
            test_counter.fail(Promised::Yes, write.rank(), divergence);
        }
    }
    let given = ledger.roster.indexes().zip(ledger.logs.last());
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

/// No write is applied twice in a log; what was acknowledged is everywhere, with sync propagation
/// before that; what was refused is applied nowhere from then on; nothing is applied that was not asked for with that content; and
/// nothing is called lost that is not. Says how many acknowledged writes are lost, too.
pub(super) fn exactly_once(ledger: &Ledger, told: &[Told]) -> (TestCounter<Flaw>, u64) {
    let mut test_counter = TestCounter::new(ledger.witnesses);
    let mut lost = 0;
    // Under each id that names several writes, the first that was asked for and applied.
    let mut first = BTreeMap::new();
    for (write, entry) in ledger.writes.iter() {
        match wrong(ledger, write, entry, &mut first) {
            Some(Wrong::Missing | Wrong::Lost) if ledger.open.is_some() => {}
            Some(wrong) => {
                lost += u64::from(wrong == Wrong::Lost);
                let promised = wrong.promised(ledger, write);
                test_counter.test(promised);
                test_counter.fail(promised, write.rank(), Found::Write(write, wrong));
            }
            None if entry.acknowledged || entry.refused || entry.is_applied() => {
                test_counter.test(Promised::Yes);
            }
            None => {}
        }
    }
    for Told { at, held_by, promised } in told {
        if let Some(held_by) = *held_by {
            test_counter.test(*promised);
            test_counter.fail(*promised, u64::MAX, Found::Told(*at, held_by));
        } else if ledger.open.is_none() {
            test_counter.test(*promised);
        }
    }
    let flaws = test_counter.map(|found| match found {
        Found::Write(write, wrong) => {
            Flaw::Write { write, wrong, log: shown_in(ledger, write, wrong) }
        }
        Found::Told(at, held_by) => Flaw::ToldWrongly { at, held_by },
    });
    (flaws, lost)
}

/// What is found, before it is known where it shows.
enum Found {
    Write(WriteRef, Wrong),
    Told(OpRef, BranchIndex),
}

/// The log where it shows first that a write is not applied exactly once.
fn shown_in(ledger: &Ledger, write: WriteRef, wrong: Wrong) -> LogRef {
    let wrong_apply = || {
        let apply = ledger.writes.wrong_apply(write)?;
        Some(ledger.logs.at(apply.branch, apply.mark.fact))
    };
    let log = match wrong {
        Wrong::Twice | Wrong::NobodyAsked => wrong_apply(),
        Wrong::RefusedButApplied => wrong_apply().or_else(|| applied_in(ledger, write)),
        Wrong::Missing => missing_at(ledger, write, ledger.writes.entry(write)).map(LogRef::last),
        Wrong::Lost => applied_in(ledger, write).or_else(|| {
            let mut ops = ledger.sessions.ops().map(|(_, op)| op.sent);
            ops.find(|sent| sent.write == Some(write)).map(|sent| LogRef::last(sent.branch))
        }),
        Wrong::IdNotUnique(_) => applied_in(ledger, write),
        Wrong::Early(branch) => Some(LogRef::last(branch)),
    };
    log.expect("a write that fails its test fails somewhere")
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
    let is_missing = entry.acknowledged && !ledger.writes.is_everywhere(entry);
    match ledger.early.missing_at(write) {
        Some(branch) if !is_missing || ledger.open.is_some() => Some(Wrong::Early(branch)),
        Some(_) | None if !is_missing => None,
        Some(_) | None => Some(if entry.is_held() { Wrong::Missing } else { Wrong::Lost }),
    }
}

fn applied_at(ledger: &Ledger, write: WriteRef) -> Option<BranchIndex> {
    let mut row = ledger.roster.indexes().zip(ledger.writes.row(write).iter());
    row.find(|(_, position)| **position != ABSENT).map(|(branch, _)| branch)
}

/// The first log that holds a write, the last ones before those that ended.
fn applied_in(ledger: &Ledger, write: WriteRef) -> Option<LogRef> {
    let ended = || ledger.logs.applied_in_ended(write).next();
    applied_at(ledger, write).map(LogRef::last).or_else(ended)
}

fn missing_at(ledger: &Ledger, write: WriteRef, entry: &Entry) -> Option<BranchIndex> {
    if ledger.writes.is_everywhere(entry) {
        return None;
    }
    let mut row = ledger.roster.indexes().zip(ledger.writes.row(write).iter());
    row.find(|(_, position)| **position == ABSENT).map(|(branch, _)| branch)
}
