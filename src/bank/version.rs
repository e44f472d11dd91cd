//! Version vectors: per origin and life, how many of its writes are applied.

use std::iter;
use std::sync::Arc;

use crate::model::{BranchIndex, Dot, Lag, OriginLife, Roster, Sequence};

/// Per life of each origin, how many of its writes are applied: always its first ones, without a
/// gap. Cheap to copy: copies share their counts until one of them changes.
///
/// Each branch has one, so a bank of many branches would need memory for the square of their number
/// before anything has happened. There, only lives that have accepted a write are counted until
/// they are many. So are they where a branch has begun a later life, and writes are from that: each
/// has an entry then, for ever, for what a passbook or a write that waits asks of an ended life is
/// told from what is asked of the next one.
///
/// Source: D. S. Parker et al., "Detection of Mutual Inconsistency in Distributed Systems", 1983.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionVector {
    counts: Counts,
}

/// Which of the two it is follows from what is counted, so that equal vectors are equal here.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Counts {
    /// A count per branch, of its first life, ascending by branch.
    All(Arc<[Sequence]>),
    /// The counts above 0, in a bank of which that is a small part, or with those of later lives.
    Used(Arc<Used>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Used {
    /// How many branches the bank has.
    branches: usize,
    /// Ascending by branch and life.
    counts: Vec<(OriginLife, Sequence)>,
}

/// In a bank of so few branches all are counted from the start: a vector has 4 KiB at most, and to
/// look a count up costs least. Fewer in tests, so that they come to both sides.
const FEW_BRANCHES: usize = if cfg!(test) { 64 } else { 1_024 };

/// In a larger one all are counted as soon as one of so many has accepted a write. A used count
/// takes six times as much memory.
const ALL_FROM_ONE_OF: usize = 4;

/// Whether all are counted, of so many `branches`, as long as none has begun a later life.
const fn are_all_counted(used: usize, branches: usize) -> bool {
    branches <= FEW_BRANCHES || used * ALL_FROM_ONE_OF > branches
}

impl VersionVector {
    /// Nothing applied, in a bank of `roster`.
    pub fn new(roster: &Roster) -> Self {
        let branches = roster.len();
        let counts = if are_all_counted(0, branches) {
            Counts::All(iter::repeat_n(Sequence::default(), branches).collect())
        } else {
            Counts::Used(Arc::new(Used { branches, counts: Vec::new() }))
        };
        Self { counts }
    }

    /// The vector with these `counts` of first lives, one per branch of `roster`, ascending by
    /// branch; `None` if there are more or fewer.
    pub fn from_counts(
        counts: impl IntoIterator<Item = Sequence>,
        roster: &Roster,
    ) -> Option<Self> {
        let all: Arc<[Sequence]> = counts.into_iter().collect();
        if all.len() != roster.len() {
            return None;
        }
        let vector = Self { counts: Counts::All(all) };
        let used = vector.used().count();
        let is_right = are_all_counted(used, roster.len());
        Some(if is_right { vector } else { Self::of(vector.used().collect(), roster.len()) })
    }

    /// The vector with these counts above 0, in a bank of so many `branches`.
    fn of(used: Vec<(OriginLife, Sequence)>, branches: usize) -> Self {
        let is_of_first_lives = used.iter().all(|(origin, _)| origin.is_first());
        if !is_of_first_lives || !are_all_counted(used.len(), branches) {
            return Self { counts: Counts::Used(Arc::new(Used { branches, counts: used })) };
        }
        let mut used = used.into_iter().peekable();
        let all = (0..branches).map(|place| {
            let here = used.next_if(|(origin, _)| origin.branch().get() == place);
            here.map_or(Sequence::default(), |(_, sequence)| sequence)
        });
        Self { counts: Counts::All(all.collect()) }
    }

    /// The counts above 0 with their lives, ascending by branch and life.
    pub(super) fn used(&self) -> impl Iterator<Item = (OriginLife, Sequence)> {
        let (all, used): (&[Sequence], &[_]) = match &self.counts {
            Counts::All(counts) => (counts, &[]),
            Counts::Used(used) => (&[], &used.counts),
        };
        let of_place = |(place, &sequence)| (BranchIndex::new(place).into(), sequence);
        let all = all.iter().enumerate().map(of_place);
        let is_used = |&(_, sequence): &(OriginLife, Sequence)| sequence > Sequence::default();
        all.chain(used.iter().copied()).filter(is_used)
    }

    /// Of each life that accepted a write the last one that is applied, ascending by branch and
    /// life.
    pub fn last_dots(&self, roster: &Roster) -> Vec<Dot> {
        let dot = |(origin, sequence)| roster.dot(origin, sequence);
        let mut dots: Vec<Dot> = self.used().map(dot).collect();
        // The life that a bank begins in need not have the lowest number.
        if let Counts::Used(_) = &self.counts {
            dots.sort_unstable();
        }
        dots
    }

    /// How many lives beside the first ones have writes here.
    pub fn later_lives(&self) -> usize {
        match &self.counts {
            Counts::All(_) => 0,
            Counts::Used(used) => used.later_lives(),
        }
    }

    /// How many branches the bank has.
    fn branches(&self) -> usize {
        match &self.counts {
            Counts::All(counts) => counts.len(),
            Counts::Used(used) => used.branches,
        }
    }

    /// How many writes of the life `origin` are applied.
    #[inline]
    pub fn get(&self, origin: impl Into<OriginLife>) -> Sequence {
        let origin = origin.into();
        match &self.counts {
            Counts::All(counts) if origin.is_first() => counts[origin.branch().get()],
            Counts::All(_) => Sequence::default(),
            Counts::Used(used) => used.get(origin),
        }
    }

    /// Counts one more write of the life `origin`.
    pub fn advance(&mut self, origin: impl Into<OriginLife>) {
        let count = self.count_mut(origin.into());
        *count = count.next();
    }

    /// Covers the first `sequence` writes of the life `origin` too.
    pub fn cover(&mut self, origin: impl Into<OriginLife>, sequence: Sequence) {
        let origin = origin.into();
        if self.get(origin) < sequence {
            *self.count_mut(origin) = sequence;
        }
    }

    /// Covers no more than the first `sequence` writes of the life `origin`.
    pub fn limit(&mut self, origin: impl Into<OriginLife>, sequence: Sequence) {
        let origin = origin.into();
        if self.get(origin) <= sequence {
            return;
        }
        *self.count_mut(origin) = sequence;
        if sequence == Sequence::default() {
            *self = Self::of(self.used().collect(), self.branches());
        }
    }

    /// The count of the life `origin`, which is to be more than 0.
    fn count_mut(&mut self, origin: OriginLife) -> &mut Sequence {
        match &self.counts {
            Counts::All(_) if origin.is_first() => {}
            Counts::All(_) => self.count_used(),
            Counts::Used(used) => {
                if used.place(origin).is_err() && used.is_full_with(origin) {
                    self.count_all();
                }
            }
        }
        match &mut self.counts {
            Counts::All(counts) => &mut Arc::make_mut(counts)[origin.branch().get()],
            Counts::Used(used) => {
                let used = Arc::make_mut(used);
                let place = used.place(origin).unwrap_or_else(|place| {
                    used.counts.insert(place, (origin, Sequence::default()));
                    place
                });
                &mut used.counts[place].1
            }
        }
    }

    #[cold]
    fn count_used(&mut self) {
        let (branches, counts) = (self.branches(), self.used().collect());
        self.counts = Counts::Used(Arc::new(Used { branches, counts }));
    }

    #[cold]
    fn count_all(&mut self) {
        let mut all = vec![Sequence::default(); self.branches()];
        for (origin, sequence) in self.used() {
            all[origin.branch().get()] = sequence;
        }
        self.counts = Counts::All(all.into());
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
        match (&mut self.counts, &other.counts) {
            (Counts::All(mine), Counts::All(theirs)) => {
                for (mine, theirs) in Arc::make_mut(mine).iter_mut().zip(&**theirs) {
                    *mine = (*mine).max(*theirs);
                }
            }
            (Counts::All(_) | Counts::Used(_), _) => {
                let mut both: Vec<_> = self.used().chain(other.used()).collect();
                both.sort_unstable();
                both.dedup_by(|next, kept| {
                    let is_same = next.0 == kept.0;
                    if is_same {
                        kept.1 = next.1;
                    }
                    is_same
                });
                *self = Self::of(both, self.branches());
            }
        }
    }

    /// Whether `other` has every write that this has.
    #[inline]
    pub fn is_covered_by(&self, other: &Self) -> bool {
        match (&self.counts, &other.counts) {
            (Counts::All(mine), Counts::All(theirs)) => {
                // Without a way out in between several are compared at once.
                let are_covered = |all, (mine, theirs)| all & (mine <= theirs);
                Arc::ptr_eq(mine, theirs) || mine.iter().zip(&**theirs).fold(true, are_covered)
            }
            (Counts::All(_) | Counts::Used(_), _) => self.are_used_covered_by(other),
        }
    }

    #[inline(never)]
    fn are_used_covered_by(&self, other: &Self) -> bool {
        match (&self.counts, &other.counts) {
            (Counts::Used(mine), Counts::Used(theirs)) => {
                Arc::ptr_eq(mine, theirs) || mine.is_covered_by(theirs)
            }
            (Counts::All(_) | Counts::Used(_), _) => {
                self.used().all(|(origin, sequence)| sequence <= other.get(origin))
            }
        }
    }

    /// The first write that this has and `here` has not, or `None` if `here` covers this.
    #[inline]
    pub fn first_missing(&self, here: &Self, roster: &Roster) -> Option<Dot> {
        if self.is_covered_by(here) { None } else { self.find_missing(here, roster) }
    }

    fn find_missing(&self, here: &Self, roster: &Roster) -> Option<Dot> {
        let (origin, sequence) =
            self.used().find(|&(origin, sequence)| sequence > here.get(origin))?;
        Some(roster.dot(origin, sequence))
    }

    /// Everything that this has and `here` has not.
    pub fn lags(&self, here: &Self, roster: &Roster) -> impl Iterator<Item = Lag> {
        let lag = |(origin, needed)| {
            let Dot { origin: branch, life, .. } = roster.dot(origin, needed);
            Lag { origin: branch, life, needed, here: here.get(origin) }
        };
        self.used().map(lag).filter(|lag| lag.needed > lag.here)
    }
}

impl Used {
    /// Where the count of the life `origin` is, or where it would be.
    fn place(&self, origin: OriginLife) -> Result<usize, usize> {
        self.counts.binary_search_by_key(&origin, |&(origin, _)| origin)
    }

    #[inline(never)]
    fn get(&self, origin: OriginLife) -> Sequence {
        self.place(origin).map_or(Sequence::default(), |place| self.counts[place].1)
    }

    /// Whether all are counted when the life `origin` is counted too.
    fn is_full_with(&self, origin: OriginLife) -> bool {
        origin.is_first()
            && are_all_counted(self.counts.len() + 1, self.branches)
            && self.later_lives() == 0
    }

    fn later_lives(&self) -> usize {
        self.counts.iter().filter(|(origin, _)| !origin.is_first()).count()
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
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{BranchId, Life};
    use proptest::prelude::*;

    /// A small bank, and one in which those that are counted are few at first.
    const BRANCHES: [usize; 2] = [3, 80];

    fn roster(branches: usize) -> Roster {
        let ids = (1..=branches).map(|id| BranchId::new(i64::try_from(id).unwrap()).unwrap());
        Roster::new(ids).unwrap()
    }

    /// By branch and life, how many writes.
    type Model = BTreeMap<(u32, u64), u32>;

    /// A vector, and its counts one by one.
    fn any_vector(branches: usize) -> impl Strategy<Value = (VersionVector, Model)> {
        // Around the number from which on all are counted, and far below and above it; with later
        // lives and without.
        let steps = prop::collection::vec((0..branches, 0_u64..3, 0_u32..4, 0..5), 0..60);
        let roster = roster(branches);
        (steps, 1..=branches, 1_u64..4).prop_map(move |(steps, among, lives)| {
            let (mut vector, mut model) = (VersionVector::new(&roster), Model::new());
            for (place, life, sequence, step) in steps {
                let branch = roster.indexes().nth(place % among).unwrap();
                let life = 1 + life % lives;
                let origin = roster.in_life(branch, Life::new(life));
                let count = model.entry((roster.id(branch).get(), life)).or_default();
                match step {
                    0 | 1 => {
                        vector.cover(origin, Sequence::new(sequence));
                        *count = sequence.max(*count);
                    }
                    2 => {
                        vector.limit(origin, Sequence::new(sequence));
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

    fn any_two() -> impl Strategy<Value = (Roster, [(VersionVector, Model); 2])> {
        let banks = prop::sample::select(&BRANCHES[..]);
        banks.prop_flat_map(|branches| {
            let two = [any_vector(branches), any_vector(branches)];
            two.prop_map(move |two| (roster(branches), two))
        })
    }

    fn told(vector: &VersionVector, roster: &Roster) -> Model {
        let dots = vector.last_dots(roster);
        let count = |dot: Dot| ((dot.origin.get(), dot.life.get()), dot.sequence.into());
        dots.into_iter().map(count).collect()
    }

    /// The vector of which `model` says the counts.
    fn built(model: &Model, roster: &Roster) -> VersionVector {
        let mut vector = VersionVector::new(roster);
        for (&(branch, life), &count) in model {
            let branch = roster.index(BranchId::new(branch.into()).unwrap()).unwrap();
            vector.cover(roster.in_life(branch, Life::new(life)), Sequence::new(count));
        }
        vector
    }

    proptest! {
        #[test]
        fn it_is_a_count_per_branch_and_life(
            (roster, [(vector, model), (other, other_model)]) in any_two(),
        ) {
            prop_assert_eq!(&told(&vector, &roster), &model);
            prop_assert!(vector.last_dots(&roster).is_sorted());
            prop_assert_eq!(&vector, &built(&model, &roster));
            prop_assert_eq!(vector == other, model == other_model);
            let later = model.keys().filter(|&&(_, life)| life > 1).count();
            prop_assert_eq!(vector.later_lives(), later);
            if later == 0 {
                let counts = roster.indexes().map(|branch| vector.get(branch));
                let same = VersionVector::from_counts(counts, &roster);
                prop_assert_eq!(same.as_ref(), Some(&vector));
            }

            let there = |key: &(u32, u64)| other_model.get(key).copied().unwrap_or_default();
            let beyond = || model.iter().filter(|(key, count)| **count > there(key));
            prop_assert_eq!(vector.is_covered_by(&other), beyond().next().is_none());
            let lag = |lag: Lag| ((lag.origin.get(), lag.life.get()), (lag.needed, lag.here));
            let lags: Vec<_> = vector.lags(&other, &roster).map(lag).collect();
            let wanted: Vec<_> = beyond()
                .map(|(&key, &count)| (key, (Sequence::new(count), Sequence::new(there(&key)))))
                .collect();
            prop_assert_eq!(&lags, &wanted);
            let missing = vector.first_missing(&other, &roster);
            let missing = missing.map(|dot| ((dot.origin.get(), dot.life.get()), dot.sequence));
            prop_assert_eq!(missing, wanted.first().map(|&(key, (needed, _))| (key, needed)));

            let mut merged = vector.clone();
            merged.merge(&other);
            let mut greater = model.clone();
            for (&key, &count) in &other_model {
                let mine = greater.entry(key).or_default();
                *mine = count.max(*mine);
            }
            prop_assert_eq!(told(&merged, &roster), greater.clone());
            prop_assert_eq!(merged, built(&greater, &roster));
        }
    }
}
