//! Version vectors: per origin and life, how many of its writes are applied.

use std::sync::Arc;

use super::counts::Counts;
use crate::model::{Dot, Lag, OriginLife, Roster, Sequence};

/// Per life of each origin, how many of its writes are applied: always its first ones, without a
/// gap. Cheap to copy: copies share their counts until one of them changes.
///
/// As long as each branch has lived once, it is a count per branch. Each further life that accepted
/// a write adds an entry, for ever: what a passbook or a write that waits asks of an ended life can
/// be told from what is asked of the next one.
///
/// Source: D. S. Parker et al., "Detection of Mutual Inconsistency in Distributed Systems", 1983.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionVector(Lives);

/// Which of the two it is follows from what is counted, so that equal vectors are equal here.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Lives {
    /// Writes of first lives alone.
    First(Counts),
    /// Those of later lives too.
    Several(Arc<Several>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Several {
    first: Counts,
    /// The counts above 0 of later lives, ascending; at least one.
    later: Vec<(OriginLife, Sequence)>,
}

impl VersionVector {
    /// Nothing applied, in a bank of `roster`.
    pub fn new(roster: &Roster) -> Self {
        Self(Lives::First(Counts::new(roster)))
    }

    /// The vector with these `counts` of first lives, one per branch of `roster`, ascending by
    /// branch; `None` if there are more or fewer.
    pub fn from_counts(
        counts: impl IntoIterator<Item = Sequence>,
        roster: &Roster,
    ) -> Option<Self> {
        Some(Self(Lives::First(Counts::from_counts(counts, roster)?)))
    }

    fn parts(&self) -> (&Counts, &[(OriginLife, Sequence)]) {
        match &self.0 {
            Lives::First(first) => (first, &[]),
            Lives::Several(several) => (&several.first, &several.later),
        }
    }

    /// The counts above 0: those of first lives, ascending by branch, then those of later ones,
    /// ascending by branch and life.
    pub(super) fn used(&self, roster: &Roster) -> impl Iterator<Item = (OriginLife, Sequence)> {
        let (first, later) = self.parts();
        let first = first.used(roster).map(|(branch, sequence)| (branch.into(), sequence));
        first.chain(later.iter().copied())
    }

    /// Of each life that accepted a write the last one that is applied, ascending by branch and
    /// life.
    pub fn last_dots(&self, roster: &Roster) -> Vec<Dot> {
        let used = self.used(roster);
        let mut dots: Vec<Dot> =
            used.map(|(origin, sequence)| roster.dot(origin, sequence)).collect();
        if let Lives::Several(_) = self.0 {
            dots.sort_unstable();
        }
        dots
    }

    /// How many lives beside the first ones have writes here.
    pub fn later_lives(&self) -> usize {
        self.parts().1.len()
    }

    /// How many writes of the life `origin` are applied.
    pub fn get(&self, origin: impl Into<OriginLife>) -> Sequence {
        let origin = origin.into();
        match &self.0 {
            Lives::First(first) if origin.is_first() => first.get(origin.branch()),
            Lives::First(_) => Sequence::default(),
            Lives::Several(several) => several.get(origin),
        }
    }

    /// Counts one more write of the life `origin`.
    pub fn advance(&mut self, origin: impl Into<OriginLife>) {
        let origin = origin.into();
        match &mut self.0 {
            Lives::First(first) if origin.is_first() => first.advance(origin.branch()),
            Lives::First(_) | Lives::Several(_) => {
                let next = self.get(origin).next();
                self.several_mut().raise(origin, next);
            }
        }
    }

    /// Covers the first `sequence` writes of the life `origin` too.
    pub fn cover(&mut self, origin: impl Into<OriginLife>, sequence: Sequence) {
        let origin = origin.into();
        match &mut self.0 {
            Lives::First(first) if origin.is_first() => first.cover(origin.branch(), sequence),
            Lives::First(_) | Lives::Several(_) => {
                if self.get(origin) < sequence {
                    self.several_mut().raise(origin, sequence);
                }
            }
        }
    }

    /// Covers no more than the first `sequence` writes of the life `origin`.
    pub fn limit(&mut self, origin: OriginLife, sequence: Sequence, roster: &Roster) {
        if self.get(origin) <= sequence {
            return;
        }
        match &mut self.0 {
            Lives::First(first) => first.lower(origin.branch(), sequence, roster),
            Lives::Several(several) => {
                let several = Arc::make_mut(several);
                several.lower(origin, sequence, roster);
                if several.later.is_empty() {
                    self.0 = Lives::First(several.first.clone());
                }
            }
        }
    }

    /// The counts of all lives. Who asks leaves one of a later life above 0.
    fn several_mut(&mut self) -> &mut Several {
        if let Lives::First(first) = &self.0 {
            let several = Several { first: first.clone(), later: Vec::new() };
            self.0 = Lives::Several(Arc::new(several));
        }
        match &mut self.0 {
            Lives::Several(several) => Arc::make_mut(several),
            Lives::First(_) => unreachable!("it was just made one of several lives"),
        }
    }

    /// Covers all that `other` covers too.
    pub fn merge(&mut self, other: &Self) {
        match (&mut self.0, &other.0) {
            (Lives::First(mine), Lives::First(theirs)) => mine.merge(theirs),
            (Lives::First(_) | Lives::Several(_), _) => {
                if other.is_covered_by(self) {
                    return;
                }
                let (first, later) = other.parts();
                let mine = self.several_mut();
                mine.first.merge(first);
                for &(origin, sequence) in later {
                    mine.raise(origin, mine.get(origin).max(sequence));
                }
            }
        }
    }

    /// Whether `other` has every write that this has.
    pub fn is_covered_by(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Lives::First(mine), Lives::First(theirs)) => mine.is_covered_by(theirs),
            (Lives::Several(mine), Lives::Several(theirs)) if Arc::ptr_eq(mine, theirs) => true,
            (Lives::First(_) | Lives::Several(_), _) => {
                let ((mine, later), (theirs, _)) = (self.parts(), other.parts());
                mine.is_covered_by(theirs)
                    && later.iter().all(|&(origin, sequence)| sequence <= other.get(origin))
            }
        }
    }

    /// The first write that this has and `here` has not, or `None` if `here` covers this.
    pub fn first_missing(&self, here: &Self, roster: &Roster) -> Option<Dot> {
        if self.is_covered_by(here) {
            return None;
        }
        let mut used = self.used(roster);
        let (origin, sequence) = used.find(|&(origin, sequence)| sequence > here.get(origin))?;
        Some(roster.dot(origin, sequence))
    }

    /// Everything that this has and `here` has not.
    pub fn lags(&self, here: &Self, roster: &Roster) -> impl Iterator<Item = Lag> {
        let lag = |(origin, needed)| {
            let Dot { origin: branch, life, .. } = roster.dot(origin, needed);
            Lag { origin: branch, life, needed, here: here.get(origin) }
        };
        self.used(roster).map(lag).filter(|lag| lag.needed > lag.here)
    }
}

impl Several {
    fn place(&self, origin: OriginLife) -> Result<usize, usize> {
        self.later.binary_search_by_key(&origin, |&(origin, _)| origin)
    }

    fn get(&self, origin: OriginLife) -> Sequence {
        if origin.is_first() {
            return self.first.get(origin.branch());
        }
        self.place(origin).map_or(Sequence::default(), |place| self.later[place].1)
    }

    /// Makes the count of the life `origin` this one, which is above 0 and not smaller.
    fn raise(&mut self, origin: OriginLife, sequence: Sequence) {
        if origin.is_first() {
            return self.first.cover(origin.branch(), sequence);
        }
        match self.place(origin) {
            Ok(place) => self.later[place].1 = sequence,
            Err(place) => self.later.insert(place, (origin, sequence)),
        }
    }

    fn lower(&mut self, origin: OriginLife, sequence: Sequence, roster: &Roster) {
        if origin.is_first() {
            self.first.lower(origin.branch(), sequence, roster);
        } else if let Ok(place) = self.place(origin) {
            self.later[place].1 = sequence;
            if sequence == Sequence::default() {
                self.later.remove(place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{BranchId, Life};
    use proptest::prelude::*;

    const BRANCHES: usize = 3;

    fn roster() -> Roster {
        let ids = (1..=BRANCHES).map(|id| BranchId::new(i64::try_from(id).unwrap()).unwrap());
        Roster::new(ids).unwrap()
    }

    type Model = BTreeMap<(u32, u64), u64>;

    /// A vector, and its counts one by one.
    fn any_vector() -> impl Strategy<Value = (VersionVector, Model)> {
        let steps = prop::collection::vec((0..BRANCHES, 1_u64..4, 0_u64..4, 0..4), 0..30);
        steps.prop_map(|steps| {
            let (roster, mut model) = (roster(), Model::new());
            let mut vector = VersionVector::new(&roster);
            for (place, life, sequence, step) in steps {
                let branch = roster.indexes().nth(place).unwrap();
                let origin = roster.in_life(branch, Life::new(life));
                let count = model.entry((roster.id(branch).get(), life)).or_default();
                match step {
                    0 => {
                        vector.cover(origin, Sequence::new(sequence));
                        *count = sequence.max(*count);
                    }
                    1 => {
                        vector.limit(origin, Sequence::new(sequence), &roster);
                        *count = sequence.min(*count);
                    }
                    _ => {
                        vector.advance(origin);
                        *count += 1;
                    }
                }
            }
            model.retain(|_, count| *count > 0);
            (vector, model)
        })
    }

    fn told(vector: &VersionVector) -> Model {
        let dots = vector.last_dots(&roster());
        let count = |dot: Dot| ((dot.origin.get(), dot.life.get()), dot.sequence.get());
        dots.into_iter().map(count).collect()
    }

    proptest! {
        #[test]
        fn it_is_a_count_per_branch_and_life(
            (vector, model) in any_vector(),
            (other, other_model) in any_vector(),
        ) {
            let roster = roster();
            prop_assert_eq!(&told(&vector), &model);
            prop_assert!(vector.last_dots(&roster).is_sorted());
            prop_assert_eq!(vector == other, model == other_model);
            let there = |key: &(u32, u64)| other_model.get(key).copied().unwrap_or_default();
            let beyond = || model.iter().filter(|(key, count)| **count > there(key));
            prop_assert_eq!(vector.is_covered_by(&other), beyond().next().is_none());
            let lags: Model = vector
                .lags(&other, &roster)
                .map(|lag| ((lag.origin.get(), lag.life.get()), lag.needed.get() - lag.here.get()))
                .collect();
            let wanted: Model = beyond().map(|(&key, count)| (key, count - there(&key))).collect();
            prop_assert_eq!(&lags, &wanted);
            let missing = vector.first_missing(&other, &roster);
            let key = missing.map(|dot| (dot.origin.get(), dot.life.get()));
            prop_assert_eq!(key.is_some(), !wanted.is_empty());
            prop_assert!(key.is_none_or(|key| wanted.contains_key(&key)));

            let mut merged = vector.clone();
            merged.merge(&other);
            let mut greater = model.clone();
            for (&key, &count) in &other_model {
                let mine = greater.entry(key).or_default();
                *mine = count.max(*mine);
            }
            prop_assert_eq!(told(&merged), greater);
        }
    }
}
