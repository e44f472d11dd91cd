//! A list that grows by blocks.

use std::ops::{Index, Range};
use std::{iter, mem};

/// How many items a block holds.
const BLOCK: usize = 64;

/// For how many there is room at first. Four entries of the log have a size for which the allocator
/// takes its slow way.
const FIRST: usize = 5;

/// A list to which items are mostly added at its end. It leaves at most one block empty, and once it
/// has filled the first nothing is moved any more: a bank of a thousand branches has thousands that
/// grow together.
#[derive(Debug, Clone)]
pub(crate) struct Blocks<T> {
    full: Vec<Box<[T]>>,
    /// Empty only if the list is.
    last: Vec<T>,
}

impl<T> Default for Blocks<T> {
    fn default() -> Self {
        Self { full: Vec::new(), last: Vec::new() }
    }
}

impl<T> Blocks<T> {
    pub(crate) fn len(&self) -> usize {
        self.full.len() * BLOCK + self.last.len()
    }

    pub(crate) fn push(&mut self, item: T) {
        if self.last.len() == BLOCK {
            let full = mem::replace(&mut self.last, Vec::with_capacity(BLOCK));
            self.full.push(full.into_boxed_slice());
        }
        if self.last.len() == self.last.capacity() {
            let len = self.last.len();
            self.last.reserve_exact(len.max(FIRST).min(BLOCK - len));
        }
        self.last.push(item);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.last.is_empty()
    }

    pub(crate) fn last(&self) -> Option<&T> {
        self.last.last()
    }

    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        match self.full.get(index / BLOCK) {
            Some(block) => block.get(index % BLOCK),
            None => self.last.get(index - self.full.len() * BLOCK),
        }
    }

    /// The items from `first` on.
    pub(crate) fn from(
        &self,
        first: usize,
    ) -> impl ExactSizeIterator<Item = &T> + DoubleEndedIterator {
        self.range(first.min(self.len())..self.len())
    }

    /// The items at these places, all of which there are.
    pub(crate) fn range(
        &self,
        places: Range<usize>,
    ) -> impl ExactSizeIterator<Item = &T> + DoubleEndedIterator {
        places.map(|place| &self[place])
    }

    /// How many of the first items are `meant`, after which none is.
    pub(crate) fn partition_point(&self, meant: impl Fn(&T) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if meant(&self[middle]) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

impl<T: Copy> Blocks<T> {
    /// Adds an item at a place, and moves all from there on by one, a block at a time.
    pub(crate) fn insert(&mut self, place: usize, item: T) {
        self.push(item);
        let mut carried = item;
        let blocks = self.full.iter_mut().map(|block| &mut **block).chain([&mut *self.last]);
        let firsts = iter::once(place % BLOCK).chain(iter::repeat(0));
        for (block, first) in blocks.skip(place / BLOCK).zip(firsts) {
            let moved = &mut block[first..];
            let next = moved[moved.len() - 1];
            moved.copy_within(..moved.len() - 1, 1);
            moved[0] = carried;
            carried = next;
        }
    }

    /// Takes the items from `first` on.
    pub(crate) fn split_off(&mut self, first: usize) -> Vec<T> {
        let taken = self.from(first).copied().collect();
        let blocks = self.full.len().min(first.saturating_sub(1) / BLOCK);
        if let Some(block) = self.full.drain(blocks..).next() {
            self.last = block.into_vec();
        }
        self.last.truncate(first - self.full.len() * BLOCK);
        taken
    }
}

impl<T> Index<usize> for Blocks<T> {
    type Output = T;

    fn index(&self, place: usize) -> &T {
        self.get(place).expect("a place is of what is in the list")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_there_in_order_however_many_blocks_it_fills() {
        for len in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 3 * BLOCK + 5] {
            let mut blocks = Blocks::default();
            (0..len).for_each(|item| blocks.push(item));
            assert_eq!(blocks.len(), len);
            assert!(blocks.last.capacity() <= BLOCK);
            assert!(len != 1 || blocks.last.capacity() == FIRST);
            assert!((0..len).all(|item| blocks.get(item) == Some(&item)));
            assert_eq!(blocks.get(len), None);
            for first in [0, len / 2, len.saturating_sub(1), len] {
                let mut before = blocks.clone();
                assert!(before.split_off(first).into_iter().eq(first..len));
                before.push(first);
                assert!(before.from(0).copied().eq(0..=first), "{len}: {first}");
                assert_eq!(before.last(), Some(&first));
                let mut more = blocks.clone();
                more.insert(first, usize::MAX);
                let expected = (0..first).chain([usize::MAX]).chain(first..len);
                assert!(more.from(0).copied().eq(expected), "{len}: {first}");
                assert_eq!(blocks.partition_point(|item| *item < first), first);
            }
            for first in [0, len / 2, len, len + 1] {
                assert!(blocks.from(first).copied().eq(first..len.max(first)));
                assert!(blocks.from(first).rev().copied().eq((first..len.max(first)).rev()));
            }
        }
    }
}
