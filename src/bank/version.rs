//! Version vectors: per origin branch, how many of its writes are applied.

use std::sync::Arc;

use crate::model::{BranchId, BranchIndex, Lag, Roster, Sequence};

/// One write by its origin and the origin's count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dot {
    /// The branch that accepted the write from the customer.
    pub origin: BranchId,
    /// Which of its writes: 1 is the first.
    pub sequence: Sequence,
}

/// Per origin branch, how many of its writes are applied: always its first ones, without a gap.
/// Cheap to copy: copies share their counts until one of them changes.
///
/// Source: D. S. Parker et al., "Detection of Mutual Inconsistency in Distributed Systems", 1983.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionVector {
    counts: Arc<[Sequence]>,
}

impl VersionVector {
    /// Nothing applied, in a bank of `roster`.
    pub fn new(roster: &Roster) -> Self {
        Self { counts: vec![Sequence::default(); roster.len()].into() }
    }

    /// The vector with these `counts`, one per branch of `roster`, ascending by branch; `None` if
    /// there are more or fewer.
    pub fn from_counts(
        counts: impl IntoIterator<Item = Sequence>,
        roster: &Roster,
    ) -> Option<Self> {
        let counts: Arc<[Sequence]> = counts.into_iter().collect();
        (counts.len() == roster.len()).then_some(Self { counts })
    }

    /// How many writes of each branch, ascending by branch.
    pub fn counts(&self) -> &[Sequence] {
        &self.counts
    }

    /// How many writes of the branch at `origin` are applied.
    pub fn get(&self, origin: BranchIndex) -> Sequence {
        self.counts[origin.get()]
    }

    /// Counts one more write of the branch at `origin`.
    pub fn advance(&mut self, origin: BranchIndex) {
        let count = &mut Arc::make_mut(&mut self.counts)[origin.get()];
        *count = count.next();
    }

    /// Covers the first `sequence` writes of the branch at `origin` too.
    pub fn cover(&mut self, origin: BranchIndex, sequence: Sequence) {
        if self.get(origin) < sequence {
            Arc::make_mut(&mut self.counts)[origin.get()] = sequence;
        }
    }

    /// Covers all that `other` covers too.
    pub fn merge(&mut self, other: &Self) {
        if other.is_covered_by(self) {
            return;
        }
        if self.is_covered_by(other) {
            self.clone_from(other);
            return;
        }
        for (mine, theirs) in Arc::make_mut(&mut self.counts).iter_mut().zip(&*other.counts) {
            *mine = (*mine).max(*theirs);
        }
    }

    /// Whether `other` has every write that this has.
    pub fn is_covered_by(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.counts, &other.counts) || are_covered(&self.counts, &other.counts)
    }

    /// The first write that this has and `here` has not, or `None` if `here` covers this.
    pub fn first_missing(&self, here: &Self, roster: &Roster) -> Option<Dot> {
        if self.is_covered_by(here) {
            return None;
        }
        roster
            .indexes()
            .find(|&index| self.get(index) > here.get(index))
            .map(|index| Dot { origin: roster.id(index), sequence: self.get(index) })
    }

    /// Everything that this has and `here` has not.
    pub fn lags(&self, here: &Self, roster: &Roster) -> impl Iterator<Item = Lag> {
        roster.indexes().filter(|&index| self.get(index) > here.get(index)).map(|index| Lag {
            origin: roster.id(index),
            needed: self.get(index),
            here: here.get(index),
        })
    }
}

/// Whether each of `mine` is at most what stands in its place in `theirs`. A bank of a thousand
/// branches asks this at each apply, so it decides once for many counts.
fn are_covered(mine: &[Sequence], theirs: &[Sequence]) -> bool {
    let covered = |(mine, theirs): (&[Sequence], &[Sequence])| {
        mine.iter().zip(theirs).fold(true, |covered, (mine, theirs)| covered & (mine <= theirs))
    };
    mine.chunks(32).zip(theirs.chunks(32)).all(covered)
}
