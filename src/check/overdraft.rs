//! No overdraft, where a withdrawal that the balance does not cover is refused.
//!
//! Each branch decides alone, from what it holds. That is what is promised: a branch accepts no
//! withdrawal that takes its own balance below zero. What several branches accept at once can do
//! so all the same, wherever it comes together.

use super::index::{WriteRef, place};
use super::test_counter::TestCounter;
use super::witness::Promised;
use super::writes::{Apply, Writes};
use crate::model::{BranchIndex, WriteKind};

/// A withdrawal that was applied, and the balance after it.
#[derive(Debug)]
pub(super) struct Overdrawn {
    pub(super) at: Apply,
    /// The branch that accepted it.
    pub(super) origin: BranchIndex,
    pub(super) balance_minor: i128,
}

/// How the balance could go below zero.
#[derive(Debug)]
pub(super) enum Cause {
    /// The branch that accepted it did not hold this withdrawal yet, which another had accepted.
    AcceptedElsewhere(WriteRef),
    /// The branch that accepted it held this write, which is missing here.
    MissingHere(WriteRef),
    /// The branch that accepted it held no more than what is here.
    Alone,
}

impl Overdrawn {
    /// Counts the test.
    pub(super) fn judge(self, test_counter: &mut TestCounter<Self>) {
        let is_own = self.at.branch == self.origin;
        let promised = if is_own { Promised::Yes } else { Promised::No };
        test_counter.test(promised);
        if self.balance_minor < 0 {
            test_counter.fail(promised, self.at.mark.fact, self);
        }
    }

    /// Of the withdrawals here before it the last that its own branch did not hold when it accepted
    /// it; else the first write that its own branch held and that is missing here.
    /// `log_of` gives the log of a branch.
    pub(super) fn cause<'a>(
        &self,
        writes: &Writes,
        log_of: impl Fn(BranchIndex) -> &'a [WriteRef],
    ) -> Cause {
        let Self { at: Apply { branch, write, position, .. }, origin, .. } = *self;
        let place_at = |other: WriteRef, branch: BranchIndex| writes.row(other)[branch.get()];
        let accepted = place_at(write, origin);
        let is_unknown = |other: &&WriteRef| {
            let entry = writes.entry(**other);
            entry.write.kind == WriteKind::Withdraw
                && entry.origin != Some(origin)
                && place_at(**other, origin) > accepted
        };
        let before = &log_of(branch)[..place(position - 1)];
        if let Some(other) = before.iter().rev().find(is_unknown) {
            return Cause::AcceptedElsewhere(*other);
        }
        let held = log_of(origin);
        let held = &held[..held.len().min(place(accepted - 1))];
        match held.iter().find(|other| place_at(**other, branch) > position) {
            Some(other) => Cause::MissingHere(*other),
            None => Cause::Alone,
        }
    }
}
