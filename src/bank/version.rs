//! Version vectors: per origin branch, how many of its writes are applied.

use crate::model::{BranchId, BranchIndex, Roster, Sequence};

/// One write by its origin and the origin's count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dot {
    /// The branch that accepted the write from the customer.
    pub origin: BranchId,
    /// Which of its writes: 1 is the first.
    pub sequence: Sequence,
}

/// Per origin branch, how many of its writes are applied: always its first ones, without a gap.
///
/// Source: D. S. Parker et al., "Detection of Mutual Inconsistency in Distributed Systems", 1983.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionVector {
    counts: Box<[Sequence]>,
}

impl VersionVector {
    /// Nothing applied, in a bank of `roster`.
    pub fn new(roster: &Roster) -> Self {
        Self { counts: vec![Sequence::default(); roster.len()].into() }
    }

    /// How many writes of the branch at `origin` are applied.
    pub fn get(&self, origin: BranchIndex) -> Sequence {
        self.counts[origin.get()]
    }

    /// Counts one more write of the branch at `origin`, and says how many there are now.
    pub fn advance(&mut self, origin: BranchIndex) -> Sequence {
        let count = &mut self.counts[origin.get()];
        *count = count.next();
        *count
    }

    /// The first write that `self` has and `here` has not, or `None` if `here` covers `self`.
    pub fn first_missing(&self, here: &Self, roster: &Roster) -> Option<Dot> {
        roster
            .indexes()
            .find(|&index| self.get(index) > here.get(index))
            .map(|index| Dot { origin: roster.id(index), sequence: self.get(index) })
    }
}
