//! A count per branch, in a bank of any size: what a version vector is as long as each branch has
//! lived once.

use std::iter;
use std::sync::Arc;

use crate::model::{BranchIndex, Roster, Sequence};

/// A count per branch. Cheap to copy: copies share their counts until one of them changes.
///
/// Each branch has one, so a bank of many branches would need memory for the square of their number
/// before anything has happened. There, only branches that have accepted a write are counted until
/// they are many.
///
/// Which of the two it is follows from what is counted, so that equal counts are equal here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Counts {
    /// A count per branch, ascending by branch.
    All(Arc<[Sequence]>),
    /// The counts above 0, in a bank of which that is a small part.
    Used(Arc<Used>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Used {
    /// How many branches the bank has.
    branches: usize,
    /// Ascending by branch.
    counts: Vec<(BranchIndex, Sequence)>,
}

/// In a bank of so few branches all are counted from the start: a vector has 8 KiB at most, and to
/// look a count up costs least. Fewer in tests, so that they come to both sides.
const FEW_BRANCHES: usize = if cfg!(test) { 64 } else { 1_024 };

/// In a larger one all are counted as soon as one of so many has accepted a write. A used count
/// takes twice as much memory.
const ALL_FROM_ONE_OF: usize = 4;

impl Counts {
    /// Nothing applied, in a bank of `roster`.
    pub(super) fn new(roster: &Roster) -> Self {
        let branches = roster.len();
        if branches <= FEW_BRANCHES {
            Self::All(iter::repeat_n(Sequence::default(), branches).collect())
        } else {
            Self::Used(Arc::new(Used { branches, counts: Vec::new() }))
        }
    }

    /// The vector with these `counts`, one per branch of `roster`, ascending by branch; `None` if
    /// there are more or fewer.
    pub(super) fn from_counts(
        counts: impl IntoIterator<Item = Sequence>,
        roster: &Roster,
    ) -> Option<Self> {
        let all: Vec<Sequence> = counts.into_iter().collect();
        if all.len() != roster.len() {
            return None;
        }
        let mut vector = Self::new(roster);
        match &mut vector {
            Self::All(counts) => *counts = all.into(),
            Self::Used(_) => {
                for (origin, sequence) in roster.indexes().zip(all) {
                    vector.cover(origin, sequence);
                }
            }
        }
        Some(vector)
    }

    /// The count of each branch, ascending by branch.
    pub(super) fn counts(&self) -> impl Iterator<Item = Sequence> {
        let (all, used) = self.parts();
        let rest = self.branches() - all.len();
        let mut used = used.iter().peekable();
        let unpacked = (0..rest).map(move |place| {
            let here = used.next_if(|(origin, _)| origin.get() == place);
            here.map_or(Sequence::default(), |(_, sequence)| *sequence)
        });
        all.iter().copied().chain(unpacked)
    }

    /// The counts above 0 with their branches, ascending by branch.
    pub(super) fn used(&self, roster: &Roster) -> impl Iterator<Item = (BranchIndex, Sequence)> {
        let (all, used) = self.parts();
        let all = roster.indexes().zip(all.iter().copied());
        all.filter(|(_, sequence)| *sequence > Sequence::default()).chain(used.iter().copied())
    }

    fn parts(&self) -> (&[Sequence], &[(BranchIndex, Sequence)]) {
        match self {
            Self::All(counts) => (counts, &[]),
            Self::Used(used) => (&[], &used.counts),
        }
    }

    fn branches(&self) -> usize {
        match self {
            Self::All(counts) => counts.len(),
            Self::Used(used) => used.branches,
        }
    }

    /// How many writes of the branch at `origin` are applied.
    pub(super) fn get(&self, origin: BranchIndex) -> Sequence {
        match self {
            Self::All(counts) => counts[origin.get()],
            Self::Used(used) => match used.place(origin) {
                Ok(place) => used.counts[place].1,
                Err(_) => Sequence::default(),
            },
        }
    }

    /// Counts one more write of the branch at `origin`.
    pub(super) fn advance(&mut self, origin: BranchIndex) {
        let count = self.count_mut(origin);
        *count = count.next();
    }

    /// Covers the first `sequence` writes of the branch at `origin` too.
    pub(super) fn cover(&mut self, origin: BranchIndex, sequence: Sequence) {
        if self.get(origin) < sequence {
            *self.count_mut(origin) = sequence;
        }
    }

    /// Makes the count of the branch at `origin` this smaller one.
    pub(super) fn lower(&mut self, origin: BranchIndex, sequence: Sequence, roster: &Roster) {
        if sequence > Sequence::default() {
            *self.count_mut(origin) = sequence;
            return;
        }
        let counts = roster.indexes().zip(self.counts());
        let lowered = counts.map(|(at, count)| if at == origin { sequence } else { count });
        let lowered: Vec<Sequence> = lowered.collect();
        *self = Self::from_counts(lowered, roster).expect("there is a count per branch");
    }

    /// The count of the branch at `origin`, which is to be more than 0.
    fn count_mut(&mut self, origin: BranchIndex) -> &mut Sequence {
        if let Self::Used(used) = &*self
            && used.place(origin).is_err()
            && (used.counts.len() + 1) * ALL_FROM_ONE_OF > used.branches
        {
            *self = Self::All(self.counts().collect());
        }
        match self {
            Self::All(counts) => &mut Arc::make_mut(counts)[origin.get()],
            Self::Used(used) => {
                let used = Arc::make_mut(used);
                let place = used.place(origin).unwrap_or_else(|place| {
                    used.counts.insert(place, (origin, Sequence::default()));
                    place
                });
                &mut used.counts[place].1
            }
        }
    }

    /// Covers all that `other` covers too.
    pub(super) fn merge(&mut self, other: &Self) {
        if other.is_covered_by(self) {
            return;
        }
        if self.is_covered_by(other) {
            self.clone_from(other);
            return;
        }
        match (&mut *self, other) {
            (Self::All(mine), Self::All(theirs)) => {
                for (mine, theirs) in Arc::make_mut(mine).iter_mut().zip(&**theirs) {
                    *mine = (*mine).max(*theirs);
                }
            }
            (Self::All(_) | Self::Used(_), Self::Used(theirs)) => {
                for &(origin, sequence) in &theirs.counts {
                    self.cover(origin, sequence);
                }
            }
            (Self::Used(mine), Self::All(_)) => {
                let mine = Arc::clone(mine);
                self.clone_from(other);
                for &(origin, sequence) in &mine.counts {
                    self.cover(origin, sequence);
                }
            }
        }
    }

    /// Whether `other` has every write that this has.
    pub(super) fn is_covered_by(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All(mine), Self::All(theirs)) => {
                Arc::ptr_eq(mine, theirs)
                    || mine.iter().zip(&**theirs).all(|(mine, theirs)| mine <= theirs)
            }
            (Self::Used(mine), Self::Used(theirs)) => {
                Arc::ptr_eq(mine, theirs) || mine.is_covered_by(theirs)
            }
            (Self::Used(mine), Self::All(theirs)) => {
                mine.counts.iter().all(|(origin, sequence)| *sequence <= theirs[origin.get()])
            }
            // More branches are above 0 than there.
            (Self::All(_), Self::Used(_)) => false,
        }
    }
}

impl Used {
    /// Where the count of the branch at `origin` is, or where it would be.
    fn place(&self, origin: BranchIndex) -> Result<usize, usize> {
        self.counts.binary_search_by_key(&origin, |&(origin, _)| origin)
    }

    fn is_covered_by(&self, other: &Self) -> bool {
        let mut theirs = other.counts.iter();
        self.counts.iter().all(|(origin, sequence)| {
            let same = theirs.find(|(other, _)| other >= origin);
            same.is_some_and(|(other, theirs)| other == origin && sequence <= theirs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::BranchId;
    use proptest::prelude::*;

    const BRANCHES: usize = 80;

    fn roster() -> Roster {
        let ids = (1..=BRANCHES).map(|id| BranchId::new(i64::try_from(id).unwrap()).unwrap());
        Roster::new(ids).unwrap()
    }

    /// A vector, and its counts one by one.
    fn any_vector() -> impl Strategy<Value = (Counts, Vec<u64>)> {
        // Around the number from which on all are counted, and far below and above it.
        let steps = prop::collection::vec((0..BRANCHES, 1_u64..4), 0..60);
        (steps, 1_usize..=BRANCHES).prop_map(|(steps, among)| {
            let (mut vector, mut counts) = (Counts::new(&roster()), vec![0; BRANCHES]);
            for (place, sequence) in steps {
                let place = place % among;
                let origin = roster().indexes().nth(place).unwrap();
                if sequence == 1 {
                    vector.advance(origin);
                    counts[place] += 1;
                } else {
                    vector.cover(origin, Sequence::new(sequence));
                    counts[place] = counts[place].max(sequence);
                }
            }
            (vector, counts)
        })
    }

    fn counts(vector: &Counts) -> Vec<u64> {
        vector.counts().map(Sequence::get).collect()
    }

    proptest! {
        #[test]
        fn it_is_a_count_per_branch(
            (vector, model) in any_vector(),
            (other, other_model) in any_vector(),
        ) {
            let roster = roster();
            prop_assert_eq!(&counts(&vector), &model);
            for (origin, count) in roster.indexes().zip(&model) {
                prop_assert_eq!(vector.get(origin).get(), *count);
            }
            let same = Counts::from_counts(vector.counts(), &roster);
            prop_assert_eq!(same.as_ref(), Some(&vector));

            let pairs = || model.iter().zip(&other_model);
            prop_assert_eq!(vector == other, model == other_model);
            prop_assert_eq!(vector.is_covered_by(&other), pairs().all(|(mine, theirs)| mine <= theirs));
            let mut merged = vector.clone();
            merged.merge(&other);
            let greater: Vec<u64> = pairs().map(|(mine, theirs)| *mine.max(theirs)).collect();
            prop_assert_eq!(&counts(&merged), &greater);
            let same = greater.iter().copied().map(Sequence::new);
            prop_assert_eq!(Counts::from_counts(same, &roster), Some(merged));
        }
    }
}
