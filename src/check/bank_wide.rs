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
#[derive(Debug)]
pub(super) enum Wrong {
    Twice { branch: BranchIndex },
    AcknowledgedButMissing { branch: BranchIndex },
    RefusedButApplied { branch: BranchIndex },
    NobodyAsked { branch: BranchIndex },
}

/// All branches hold the same writes and the same balance.
pub(super) fn convergence(ledger: &Ledger) -> Tally<Divergence> {
    let mut tally = Tally::default();
    if ledger.roster.len() < 2 {
        return tally;
    }
    for (write, entry) in ledger.writes.iter().filter(|(_, entry)| entry.is_applied()) {
        tally.test();
        if let (Some(held_by), Some(missing_at)) =
            (applied_at(ledger, write), missing_at(ledger, write, entry))
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
pub(super) fn exactly_once(ledger: &Ledger) -> Tally<(WriteRef, Wrong)> {
    let mut tally = Tally::default();
    for (write, entry) in ledger.writes.iter() {
        if entry.acknowledged || entry.refused || entry.is_applied() {
            tally.test();
        }
        if let Some(wrong) = wrong(ledger, write, entry) {
            tally.fail(write.rank(), (write, wrong));
        }
    }
    tally
}

fn wrong(ledger: &Ledger, write: WriteRef, entry: &Entry) -> Option<Wrong> {
    if let Some(branch) = applied_at(ledger, write) {
        match entry.first_seen {
            FirstSeen::Applied => return Some(Wrong::NobodyAsked { branch }),
            FirstSeen::Asked if entry.issued.is_none() => {
                return Some(Wrong::RefusedButApplied { branch });
            }
            FirstSeen::Asked => {}
        }
    }
    let twice = entry.twice_at.map(|branch| Wrong::Twice { branch });
    let missing = || {
        let branch = missing_at(ledger, write, entry).filter(|_| entry.acknowledged)?;
        Some(Wrong::AcknowledgedButMissing { branch })
    };
    twice.or_else(missing)
}

fn applied_at(ledger: &Ledger, write: WriteRef) -> Option<BranchIndex> {
    let mut row = ledger.roster.indexes().zip(ledger.writes.row(write));
    row.find(|(_, position)| **position != ABSENT).map(|(branch, _)| branch)
}

fn missing_at(ledger: &Ledger, write: WriteRef, entry: &Entry) -> Option<BranchIndex> {
    if usize::try_from(entry.branches) == Ok(ledger.roster.len()) {
        return None;
    }
    let mut row = ledger.roster.indexes().zip(ledger.writes.row(write));
    row.find(|(_, position)| **position == ABSENT).map(|(branch, _)| branch)
}
