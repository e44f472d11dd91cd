//! Why a balance went below zero, where each branch decides alone.

use super::index::{LogRef, WriteRef, place};
use super::ledger::Ledger;
use super::overdraft::Overdrawn;
use super::writes::{ABSENT, Apply};
use crate::model::WriteKind;

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

impl Ledger {
    /// Of the withdrawals here before it the last that its own branch did not hold when it accepted
    /// it; else the first write that its own branch held and that is missing here.
    pub(super) fn cause(&self, found: &Overdrawn) -> Cause {
        let Overdrawn { at: Apply { branch, write, position, mark }, origin, .. } = *found;
        let here = self.logs.at(branch, mark.fact);
        // The first of its logs that holds it is the one in which it was accepted.
        let mut logs = self.logs.all(origin);
        let own = logs.find(|log| self.place_in(*log, write) != ABSENT);
        let own = own.unwrap_or(LogRef::last(origin));
        let accepted = self.place_in(own, write);
        let is_unknown = |other: &WriteRef| {
            let entry = self.writes.entry(*other);
            entry.write.kind == WriteKind::Withdraw
                && entry.origin != Some(origin)
                && self.place_in(own, *other) > accepted
        };
        let before = (0..place(position - 1)).rev().map(|index| self.logs.write(here, index));
        if let Some(other) = before.into_iter().find(is_unknown) {
            return Cause::AcceptedElsewhere(other);
        }
        let held = self.logs.len(own).min(place(accepted - 1));
        let mut held = (0..held).map(|index| self.logs.write(own, index));
        match held.find(|other| self.place_in(here, *other) > position) {
            Some(other) => Cause::MissingHere(other),
            None => Cause::Alone,
        }
    }
}
