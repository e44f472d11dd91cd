//! The branches of one bank, and a dense index for each.

use thiserror::Error;

use super::{BranchId, Dot, Life, Sequence};

/// Which place a branch has in its [`Roster`]: 0 is the branch with the lowest id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BranchIndex(usize);

impl BranchIndex {
    /// The branch that stands at `place`, from 0.
    pub(crate) const fn new(place: usize) -> Self {
        Self(place)
    }

    /// The place as an index into a slice that has one element per branch.
    pub const fn get(self) -> usize {
        self.0
    }
}

/// One life of a branch by the branch's place in its [`Roster`]. First lives come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OriginLife {
    branch: BranchIndex,
    /// 0 is the roster's first life: so it costs nothing to see that it is that one.
    later: Life,
}

impl OriginLife {
    /// The place of its branch.
    pub const fn branch(self) -> BranchIndex {
        self.branch
    }

    /// Whether it is the life in which its branch was when the bank began.
    pub const fn is_first(self) -> bool {
        self.later.get() == 0
    }
}

/// The first life of the branch.
impl From<BranchIndex> for OriginLife {
    fn from(branch: BranchIndex) -> Self {
        Self { branch, later: Life::new(0) }
    }
}

/// The branches that replicate one account, ascending by id. It does not change during a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster {
    ids: Box<[BranchId]>,
    first_life: Life,
}

/// Why a set of branches is not a bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RosterError {
    /// No branch at all.
    #[error("a bank has at least one branch")]
    Empty,
    /// The same id twice.
    #[error("branch {0} is there twice")]
    Duplicate(BranchId),
}

impl Roster {
    /// A bank of the branches `ids`, given in any order.
    pub fn new(ids: impl IntoIterator<Item = BranchId>) -> Result<Self, RosterError> {
        let mut ids: Box<[BranchId]> = ids.into_iter().collect();
        ids.sort_unstable();
        if ids.is_empty() {
            return Err(RosterError::Empty);
        }
        match ids.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(RosterError::Duplicate(pair[0])),
            None => Ok(Self { ids, first_life: Life::FIRST }),
        }
    }

    /// The same branches, of which those that the bank begins with are in this life. Vectors and logs
    /// count it at the least cost; what they hold is the same, whichever it is.
    #[must_use]
    pub fn beginning_in(self, first_life: Life) -> Self {
        Self { first_life, ..self }
    }

    /// The life in which branches are that the bank begins with.
    pub const fn first_life(&self) -> Life {
        self.first_life
    }

    /// The life `life` of the branch at `branch`.
    pub fn in_life(&self, branch: BranchIndex, life: Life) -> OriginLife {
        let later = if life == self.first_life { Life::new(0) } else { life };
        OriginLife { branch, later }
    }

    /// The life that accepted `dot`, or `None` if that was no branch of this bank.
    pub fn origin(&self, dot: Dot) -> Option<OriginLife> {
        Some(self.in_life(self.index(dot.origin)?, dot.life))
    }

    /// The number of the life `origin`.
    pub fn life(&self, origin: OriginLife) -> Life {
        if origin.is_first() { self.first_life } else { origin.later }
    }

    /// The write `sequence` of the life `origin`.
    pub fn dot(&self, origin: OriginLife, sequence: Sequence) -> Dot {
        Dot { origin: self.id(origin.branch), life: self.life(origin), sequence }
    }

    /// How many branches there are: at least one.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Never: a bank has at least one branch.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// All ids, ascending.
    pub fn ids(&self) -> &[BranchId] {
        &self.ids
    }

    /// All indexes, ascending.
    pub fn indexes(&self) -> impl Iterator<Item = BranchIndex> + use<> {
        (0..self.ids.len()).map(BranchIndex)
    }

    /// The id of the branch at `index`.
    pub fn id(&self, index: BranchIndex) -> BranchId {
        self.ids[index.0]
    }

    /// Where `id` stands, or `None` if it is no branch of this bank.
    pub fn index(&self, id: BranchId) -> Option<BranchIndex> {
        // Ids mostly run from 1 without a gap, so the guess mostly hits.
        let guess = usize::try_from(id.get() - 1).ok()?;
        if self.ids.get(guess) == Some(&id) {
            return Some(BranchIndex(guess));
        }
        self.ids.binary_search(&id).ok().map(BranchIndex)
    }
}
