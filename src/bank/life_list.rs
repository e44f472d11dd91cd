//! Which life each branch is in, as far as one of them knows.

use std::sync::Arc;

use crate::model::{BranchIndex, Life, Roster};

/// The newest known life of each branch. Every message between branches carries the sender's, which
/// says its own life and that of the receiver as it knows it. Cheap to copy, and nothing at all as
/// long as all are in their first lives: it goes with every message. Two words and not one, for a
/// message in its mailbox has 104 bytes so; mimalloc gives 96 out at a higher price.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LifeList(Option<Arc<[Life]>>);

/// What the sender of a message knew of lives, by its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SendersLives {
    /// The same as this branch does.
    Same,
    /// Not all.
    Fewer,
}

impl LifeList {
    /// Every branch is in the life that it began in with the bank.
    pub const fn of_first_lives() -> Self {
        Self(None)
    }

    /// The list of these lives, one per branch of `roster`, ascending by branch; `None` if there are
    /// more or fewer. One that is not known is 0.
    pub fn from_lives(lives: impl IntoIterator<Item = Life>, roster: &Roster) -> Option<Self> {
        let lives: Vec<Life> = lives.into_iter().collect();
        if lives.len() != roster.len() {
            return None;
        }
        let is_first = lives.iter().all(|&life| life == roster.first_life());
        Some(Self((!is_first).then(|| lives.into())))
    }

    /// The lives, one per branch, ascending by branch.
    pub fn lives(&self, roster: &Roster) -> impl Iterator<Item = Life> {
        roster.indexes().map(|branch| self.get(branch, roster))
    }

    /// The newest known life of the branch at `branch`.
    pub fn get(&self, branch: BranchIndex, roster: &Roster) -> Life {
        self.0.as_ref().map_or(roster.first_life(), |lives| lives[branch.get()])
    }

    /// Takes note that the branch at `branch` is in this life.
    pub(super) fn begin(&mut self, branch: BranchIndex, life: Life, roster: &Roster) {
        let now = |at| if at == branch { life } else { self.get(at, roster) };
        *self = Self::from_lives(roster.indexes().map(now), roster).unwrap_or_default();
    }

    /// Learns all newer lives that `other` knows. Says which branches are in a newer one.
    pub(super) fn merge(&mut self, other: &Self, roster: &Roster) -> Vec<BranchIndex> {
        if self == other {
            return Vec::new();
        }
        let newer = |at: &BranchIndex| other.get(*at, roster) > self.get(*at, roster);
        let newer: Vec<BranchIndex> = roster.indexes().filter(newer).collect();
        if !newer.is_empty() {
            let newest = |at| self.get(at, roster).max(other.get(at, roster));
            *self = Self::from_lives(roster.indexes().map(newest), roster).unwrap_or_default();
        }
        newer
    }
}
