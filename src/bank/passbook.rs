//! The passbook that a customer carries from branch to branch: what it has written and seen.

use super::VersionVector;
use crate::model::{Dot, Guarantee, Guarantees, Roster};

/// What a session has written and what it has read, as the branches count writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passbook {
    /// Covers every write of the session that may have taken effect.
    pub writes: VersionVector,
    /// Covers every write that the session's reads may have seen.
    pub reads: VersionVector,
}

/// What a reply adds to a passbook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Entry {
    /// Nothing: the request had no effect and told nothing.
    #[default]
    Nothing,
    /// The session made this write, or may have.
    Wrote(Dot),
    /// The session saw what these cover.
    Read(VersionVector),
    /// All that this passbook holds: the session's own, entered elsewhere.
    Passbook(Passbook),
    /// No writes after these are left of their lives, and the session is told so: it goes on without
    /// the others.
    Lost(Vec<Dot>),
}

impl Passbook {
    /// A new passbook, for a bank of `roster`.
    pub fn new(roster: &Roster) -> Self {
        let nothing = VersionVector::new(roster);
        Self { writes: nothing.clone(), reads: nothing }
    }

    /// Enters what a reply says.
    pub fn enter(&mut self, entry: &Entry, roster: &Roster) {
        match entry {
            Entry::Nothing => {}
            Entry::Wrote(dot) => {
                if let Some(origin) = roster.origin(*dot) {
                    self.writes.cover(origin, dot.sequence);
                }
            }
            Entry::Read(seen) => self.reads.merge(seen),
            Entry::Passbook(entered) => self.merge(entered),
            Entry::Lost(last) => {
                for &dot in last {
                    if let Some(origin) = roster.origin(dot) {
                        self.writes.limit(origin, dot.sequence);
                        self.reads.limit(origin, dot.sequence);
                    }
                }
            }
        }
    }

    /// Whether `entry` says nothing new.
    pub fn holds(&self, entry: &Entry) -> bool {
        match entry {
            Entry::Nothing => true,
            // A write is told once, or once more after a retry; a loss once.
            Entry::Wrote(_) | Entry::Lost(_) => false,
            Entry::Read(seen) => seen.is_covered_by(&self.reads),
            Entry::Passbook(Self { writes, reads }) => {
                writes.is_covered_by(&self.writes) && reads.is_covered_by(&self.reads)
            }
        }
    }

    /// Enters all that `other` holds.
    pub fn merge(&mut self, other: &Self) {
        self.writes.merge(&other.writes);
        self.reads.merge(&other.reads);
    }

    /// What a branch must hold before it answers a read of this session.
    pub fn needed_to_read(&self, kept: Guarantees) -> Option<VersionVector> {
        self.needed(kept.has(Guarantee::ReadYourWrites), kept.has(Guarantee::MonotonicReads))
    }

    /// What any branch must hold before it applies a write of this session.
    pub fn needed_to_write(&self, kept: Guarantees) -> Option<VersionVector> {
        self.needed(kept.has(Guarantee::MonotonicWrites), kept.has(Guarantee::WritesFollowReads))
    }

    fn needed(&self, its_writes: bool, its_reads: bool) -> Option<VersionVector> {
        match (its_writes, its_reads) {
            (false, false) => None,
            (true, false) => Some(self.writes.clone()),
            (false, true) => Some(self.reads.clone()),
            (true, true) => {
                let mut both = self.writes.clone();
                both.merge(&self.reads);
                Some(both)
            }
        }
    }
}
