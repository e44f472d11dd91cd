//! What the bank as a whole owes at the end: convergence, and each write exactly once.

use super::ledger::Ledger;
use super::tally::Tally;
use super::writes::{ABSENT, Entry, FirstSeen, WriteRef};
use crate::model::BranchIndex;

/// How two branches differ at the end.
#[derive(Debug)]
pub(super) enum Divergence {
    /// One has a write and the other has not.
    Write { write: WriteRef, held_by: BranchIndex, missing_at: BranchIndex },
    /// They give different balances.
    Balance { first: BranchIndex, other: BranchIndex },
}

/// How a write was not applied exactly once.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wrong {
    Twice,
    AcknowledgedButMissing,
    RefusedButApplied,
    NobodyAsked,
}

/// A write that was not applied exactly once, and the first branch where it shows.
#[derive(Debug)]
pub(super) struct Flaw {
    pub(super) write: WriteRef,
    pub(super) wrong: Wrong,
    pub(super) branch: BranchIndex,
}

/// All branches hold the same writes and the same balance.
pub(super) fn convergence(ledger: &Ledger) -> Tally<Divergence> {
    let mut tally = Tally::default();
    if ledger.roster.len() < 2 {
        return tally;
    }
    for (write, entry) in ledger.writes.iter().filter(|(_, entry)| entry.is_applied()) {
        tally.test();
        if let Some(missing_at) = missing_at(ledger, write, entry)
            && let Some(held_by) = applied_at(ledger, write)
        {
            tally.fail(write.rank(), Divergence::Write { write, held_by, missing_at });
        }
    }
    let mut branches = ledger.roster.indexes().zip(&ledger.branches);
    if let Some((first, log)) = branches.next() {
        for (other, _) in branches.filter(|(_, other)| other.balance != log.balance) {
            tally.fail(u64::MAX, Divergence::Balance { first, other });
        }
    }
    tally
}

/// No write is applied twice at a branch; what was acknowledged is everywhere, what was refused
/// nowhere; and nothing is applied that was not asked for with that content.
pub(super) fn exactly_once(ledger: &Ledger) -> Tally<Flaw> {
    let mut tally = Tally::default();
    for (write, entry) in ledger.writes.iter() {
        if entry.acknowledged || entry.refused || entry.is_applied() {
            tally.test();
        }
        if let Some(wrong) = wrong(ledger, entry) {
            tally.fail(write.rank(), (write, wrong));
        }
    }
    tally.map(|(write, wrong)| {
        let entry = ledger.writes.entry(write);
        let branch = match wrong {
            Wrong::Twice => again_at(ledger, write, entry),
            Wrong::AcknowledgedButMissing => missing_at(ledger, write, entry),
            Wrong::RefusedButApplied | Wrong::NobodyAsked => applied_at(ledger, write),
        };
        Flaw { write, wrong, branch: branch.expect("a write that fails its test fails somewhere") }
    })
}

fn wrong(ledger: &Ledger, entry: &Entry) -> Option<Wrong> {
    if entry.is_applied() && entry.first_seen == FirstSeen::Applied {
        Some(Wrong::NobodyAsked)
    } else if entry.is_applied() && !entry.issued {
        Some(Wrong::RefusedButApplied)
    } else if entry.again {
        Some(Wrong::Twice)
    } else if entry.acknowledged && !is_everywhere(ledger, entry) {
        Some(Wrong::AcknowledgedButMissing)
    } else {
        None
    }
}

fn is_everywhere(ledger: &Ledger, entry: &Entry) -> bool {
    usize::try_from(entry.branches) == Ok(ledger.roster.len())
}

/// The first branch that applied this write, and another time its id.
fn again_at(ledger: &Ledger, write: WriteRef, entry: &Entry) -> Option<BranchIndex> {
    let mut logs = ledger.roster.indexes().zip(&ledger.branches);
    let is_again = |log: &[WriteRef]| {
        let ids = log.iter().filter(|logged| ledger.writes.entry(**logged).id == entry.id);
        log.contains(&write) && ids.count() > 1
    };
    logs.find(|(_, log)| is_again(&log.writes)).map(|(branch, _)| branch)
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
