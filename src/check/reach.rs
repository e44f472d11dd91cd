//! A position per branch, many times over: of each write, and of what each session wrote and saw.
//!
//! In a bank of many branches that would be too much where little happens. There, positions come in
//! blocks of neighbouring branches, which are shared as long as they are equal.

use std::ops::Index;
use std::sync::Arc;

use super::index::LogRef;
use crate::model::BranchIndex;

/// How many branches a block is of. A bank of no more has no blocks.
pub(super) const BLOCK: usize = 64;

type Block = [u32; BLOCK];

/// The blocks of a bank, ascending by branch. The last one may be of more branches than there are.
#[derive(Debug, Clone)]
pub(super) struct Blocks(Box<[Arc<Block>]>);

impl Blocks {
    /// The same position at every branch.
    pub(super) fn filled(branches: usize, position: u32) -> Self {
        let block = Arc::new([position; BLOCK]);
        Self(vec![block; branches.div_ceil(BLOCK)].into())
    }

    pub(super) fn set(&mut self, branch: usize, position: u32) {
        Arc::make_mut(&mut self.0[branch / BLOCK])[branch % BLOCK] = position;
    }

    fn get(&self, branch: usize) -> &u32 {
        &self.0[branch / BLOCK][branch % BLOCK]
    }

    fn lower(&mut self, to: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&to.0) {
            lower(&mut Arc::make_mut(mine)[..], &theirs[..]);
        }
    }

    fn raise(&mut self, to: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&to.0) {
            let pairs = || mine.iter().zip(&**theirs);
            if Arc::ptr_eq(mine, theirs) || pairs().all(|(mine, theirs)| mine >= theirs) {
                continue;
            }
            if pairs().all(|(mine, theirs)| mine <= theirs) {
                *mine = Arc::clone(theirs);
            } else {
                raise(&mut Arc::make_mut(mine)[..], &theirs[..]);
            }
        }
    }
}

/// The position of a write at each branch, `ABSENT` where it is not.
#[derive(Debug, Clone, Copy)]
pub(super) enum Row<'a> {
    Flat(&'a [u32]),
    Blocks(&'a Blocks),
}

impl<'a> Row<'a> {
    /// All positions, ascending by branch.
    pub(super) fn iter(self) -> impl Iterator<Item = &'a u32> {
        let (flat, blocks): (&[u32], &[Arc<Block>]) = match self {
            Self::Flat(flat) => (flat, &[]),
            Self::Blocks(blocks) => (&[], &blocks.0),
        };
        flat.iter().chain(blocks.iter().flat_map(|block| block.iter()))
    }
}

impl Index<usize> for Row<'_> {
    type Output = u32;

    fn index(&self, branch: usize) -> &u32 {
        match self {
            Self::Flat(flat) => &flat[branch],
            Self::Blocks(blocks) => blocks.get(branch),
        }
    }
}

/// For each log, how long it must be to hold everything of some set of writes.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    last: LastReach,
    /// Of the logs that ended.
    ended: Vec<u32>,
}

#[derive(Debug, Clone)]
enum LastReach {
    Flat(Vec<u32>),
    Blocks(Blocks),
}

impl Reach {
    /// Of no write, where so many logs ended.
    pub(super) fn new(branches: usize, ended: usize) -> Self {
        let last = if branches <= BLOCK {
            LastReach::Flat(vec![0; branches])
        } else {
            LastReach::Blocks(Blocks::filled(branches, 0))
        };
        Self { last, ended: vec![0; ended] }
    }

    /// Of the write too that has these positions in the last logs, and these in those that ended.
    pub(super) fn add(&mut self, row: Row<'_>, ended: &[u32]) {
        self.add_last(row);
        if !ended.is_empty() {
            raise(&mut self.ended, ended);
        }
    }

    /// The same where no log ended.
    #[inline]
    pub(super) fn add_last(&mut self, row: Row<'_>) {
        match (&mut self.last, row) {
            (LastReach::Flat(reach), Row::Flat(row)) => raise(reach, row),
            (LastReach::Blocks(reach), Row::Blocks(row)) => reach.raise(row),
            (LastReach::Flat(_), Row::Blocks(_)) | (LastReach::Blocks(_), Row::Flat(_)) => {
                panic!("a row and a reach are of one bank")
            }
        }
    }

    /// Of all that `other` is of too.
    pub(super) fn join(&mut self, other: &Self) {
        let row = match &other.last {
            LastReach::Flat(flat) => Row::Flat(flat),
            LastReach::Blocks(blocks) => Row::Blocks(blocks),
        };
        self.add(row, &other.ended);
    }

    /// Of what both are of: nowhere must a log be longer than for either.
    pub(super) fn meet(&mut self, other: &Self) {
        match (&mut self.last, &other.last) {
            (LastReach::Flat(mine), LastReach::Flat(theirs)) => lower(mine, theirs),
            (LastReach::Blocks(mine), LastReach::Blocks(theirs)) => mine.lower(theirs),
            (LastReach::Flat(_), LastReach::Blocks(_))
            | (LastReach::Blocks(_), LastReach::Flat(_)) => {
                panic!("both are of one bank")
            }
        }
        lower(&mut self.ended, &other.ended);
    }

    /// How long this log must be.
    pub(super) fn at(&self, log: LogRef) -> u32 {
        match log.ended() {
            None => self.last(log.branch),
            Some(ended) => self.ended[ended],
        }
    }

    /// How long the last log of a branch must be.
    pub(super) fn last(&self, branch: BranchIndex) -> u32 {
        match &self.last {
            LastReach::Flat(flat) => flat[branch.get()],
            LastReach::Blocks(blocks) => *blocks.get(branch.get()),
        }
    }
}

fn raise(reach: &mut [u32], to: &[u32]) {
    for (reach, position) in reach.iter_mut().zip(to) {
        *reach = (*reach).max(*position);
    }
}

fn lower(reach: &mut [u32], to: &[u32]) {
    for (reach, position) in reach.iter_mut().zip(to) {
        *reach = (*reach).min(*position);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::writes::ABSENT;
    use proptest::prelude::*;

    const BRANCHES: usize = 150;

    /// Positions of writes at a few branches.
    fn any_rows() -> impl Strategy<Value = Vec<Vec<(usize, u32)>>> {
        let row = prop::collection::vec((0..BRANCHES, 1_u32..9), 0..5);
        prop::collection::vec(row, 0..6)
    }

    proptest! {
        #[test]
        fn blocks_hold_what_a_number_per_branch_would(rows in any_rows()) {
            let mut blocks = Reach::new(BRANCHES, 1);
            let mut flat =
                Reach { last: LastReach::Flat(vec![0; BRANCHES]), ended: vec![0] };
            for (row, ended) in rows.into_iter().zip([3_u32, 1, 5, 2, 4, 6]) {
                let (mut in_blocks, mut in_a_row) =
                    (Blocks::filled(BRANCHES, ABSENT), vec![ABSENT; BRANCHES]);
                for (branch, position) in row {
                    in_blocks.set(branch, position);
                    in_a_row[branch] = position;
                }
                let (row, model) = (Row::Blocks(&in_blocks), Row::Flat(&in_a_row));
                prop_assert!(row.iter().take(BRANCHES).eq(model.iter()));
                blocks.add(row, &[ended]);
                flat.add(model, &[ended]);
                let twice = blocks.clone();
                blocks.join(&twice);
                for branch in (0..BRANCHES).map(BranchIndex::new) {
                    prop_assert_eq!(row[branch.get()], model[branch.get()]);
                    prop_assert_eq!(blocks.last(branch), flat.last(branch));
                    let log = LogRef { branch, ended: 0 };
                    prop_assert_eq!(blocks.at(log), flat.at(log));
                }
            }
        }
    }
}
