//! Ids to dense indexes, in constant time for ids that mostly run from 1.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use crate::model::BranchIndex;

/// No index.
pub(super) const NONE: u32 = u32::MAX;

/// Ids below this many times their number are looked up directly; others, as a hostile history
/// may have, in a tree.
const SPARSENESS_MAX: usize = 8;

/// What an entry of a tree takes, in nodes that are half full.
const SPARSE_BYTES: usize = 24;

/// `index` for a slice.
pub(super) fn place(index: u32) -> usize {
    usize::try_from(index).expect("the judge runs where an address has at least 32 bits")
}

/// The id of a place.
fn id_of(place: usize) -> u32 {
    u32::try_from(place).expect("places are of ids")
}

/// A write, by its order of appearance in the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct WriteRef(pub(super) u32);

impl WriteRef {
    pub(super) fn rank(self) -> u64 {
        self.0.into()
    }

    pub(super) fn place(self) -> usize {
        place(self.0)
    }

    pub(super) fn get(self) -> u32 {
        self.0
    }
}

/// One of the logs of a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LogRef {
    pub(super) branch: BranchIndex,
    /// Which of those that ended, or `NONE`: the last one.
    pub(super) ended: u32,
}

impl LogRef {
    /// The last log of a branch.
    pub(super) const fn last(branch: BranchIndex) -> Self {
        Self { branch, ended: NONE }
    }

    /// Its place among those that ended, if it did.
    pub(super) fn ended(self) -> Option<usize> {
        (self.ended != NONE).then(|| place(self.ended))
    }
}

/// Of most small histories no table has more.
const FEW: usize = 4;

/// A map from ids to indexes.
#[derive(Debug, Default)]
pub(super) struct IdTable {
    direct: SmallVec<[u32; FEW]>,
    sparse: BTreeMap<u32, u32>,
    len: usize,
}

impl IdTable {
    pub(super) fn get(&self, id: u32) -> Option<u32> {
        match self.direct.get(place(id)) {
            Some(&index) if index != NONE => Some(index),
            Some(_) | None => self.sparse.get(&id).copied(),
        }
    }

    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut u32> {
        match self.direct.get_mut(place(id)) {
            Some(index) if *index != NONE => Some(index),
            Some(_) | None => self.sparse.get_mut(&id),
        }
    }

    /// The greatest id up to `most` whose index is one of which `is_meant` is true.
    pub(super) fn last_up_to(&self, most: u32, is_meant: impl Fn(u32) -> bool) -> Option<u32> {
        let ends = self.direct.len().min(place(most).saturating_add(1));
        let mut direct = self.direct[..ends].iter().enumerate().rev();
        let direct = direct.find(|(_, index)| **index != NONE && is_meant(**index));
        let mut sparse = self.sparse.range(..=most).rev();
        let sparse = sparse.find(|(_, index)| is_meant(**index));
        direct.map(|(id, _)| id_of(id)).max(sparse.map(|(id, _)| *id))
    }

    /// How many bytes it takes beside itself.
    pub(super) fn bytes(&self) -> usize {
        let direct = if self.direct.spilled() { self.direct.capacity() } else { 0 };
        direct * size_of::<u32>() + self.sparse.len() * SPARSE_BYTES
    }

    /// Adds an id that is not there yet.
    pub(super) fn insert(&mut self, id: u32, index: u32) {
        self.len += 1;
        let slot = place(id);
        if let Some(direct) = self.direct.get_mut(slot) {
            *direct = index;
        } else if slot / SPARSENESS_MAX <= self.len {
            if slot > self.direct.len() {
                self.direct.resize(slot, NONE);
            }
            if self.direct.len() == self.direct.capacity() {
                // Room for twice as many would be half empty, at each of a thousand branches.
                self.direct.reserve_exact(slot / 4 + FEW);
            }
            self.direct.push(index);
        } else {
            self.sparse.insert(id, index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_in_a_row_take_four_bytes_each_and_others_a_place_in_a_tree() {
        let mut table = IdTable::default();
        assert_eq!(table.bytes(), 0);
        for id in 0..1000 {
            table.insert(id, id);
        }
        // A vector that grows holds up to twice what it needs.
        let in_a_row = table.bytes();
        assert!((4 * 1000..=4 * 2000).contains(&in_a_row), "{in_a_row}");
        for far in 1..=10 {
            table.insert(far * 1_000_000, far);
        }
        assert_eq!(table.bytes(), in_a_row + 10 * SPARSE_BYTES);
    }

    proptest! {
        #[test]
        fn it_is_a_map(ids in prop::collection::btree_set(1_u32..60, 0..40), far in 1_u32..u32::MAX) {
            let mut table = IdTable::default();
            let mut model = BTreeMap::new();
            // Descending, ascending and far ids all come up.
            let order = ids.iter().rev().step_by(2).chain(ids.iter().rev().skip(1).step_by(2));
            for (id, index) in order.copied().chain([far.max(60)]).zip(0..) {
                table.insert(id, index);
                model.insert(id, index);
            }
            for id in (0..70).chain([far, u32::MAX - 1]) {
                prop_assert_eq!(table.get(id), model.get(&id).copied());
                prop_assert_eq!(table.get_mut(id), model.get_mut(&id));
                let even = model.range(..=id).filter(|(_, index)| **index % 2 == 0);
                let even = even.map(|(id, _)| *id).next_back();
                prop_assert_eq!(table.last_up_to(id, |index| index % 2 == 0), even);
            }
        }
    }
}
