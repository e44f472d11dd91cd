//! The branches of one bank, and a dense index for each.

use thiserror::Error;

use super::BranchId;

/// Which place a branch has in its [`Roster`]: 0 is the branch with the lowest id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BranchIndex(usize);

impl BranchIndex {
    /// The place as an index into a slice that has one element per branch.
    pub const fn get(self) -> usize {
        self.0
    }
}

/// The branches that replicate one account, ascending by id. It does not change during a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster {
    ids: Box<[BranchId]>,
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
            None => Ok(Self { ids }),
        }
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
