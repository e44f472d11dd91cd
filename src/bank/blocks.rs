//! A list that grows by blocks.

use std::mem;

/// How many items a block holds.
const BLOCK: usize = 64;

/// For how many there is room at first. Four entries of the log have a size for which the allocator
/// takes its slow way.
const FIRST: usize = 5;

/// A list to which items are only added. It leaves at most one block empty, and once it has filled
/// the first nothing is moved any more: a bank of a thousand branches has a thousand that grow
/// together.
#[derive(Debug, Clone)]
pub(super) struct Blocks<T> {
    full: Vec<Box<[T]>>,
    last: Vec<T>,
}

impl<T> Default for Blocks<T> {
    fn default() -> Self {
        Self { full: Vec::new(), last: Vec::new() }
    }
}

impl<T> Blocks<T> {
    pub(super) fn len(&self) -> usize {
        self.full.len() * BLOCK + self.last.len()
    }

    pub(super) fn push(&mut self, item: T) {
        if self.last.len() == BLOCK {
            let full = mem::replace(&mut self.last, Vec::with_capacity(BLOCK));
            self.full.push(full.into_boxed_slice());
        }
        if self.last.len() == self.last.capacity() {
            self.last.reserve_exact(self.last.len().clamp(FIRST, BLOCK - self.last.len()));
        }
        self.last.push(item);
    }

    pub(super) fn get(&self, index: usize) -> Option<&T> {
        match self.full.get(index / BLOCK) {
            Some(block) => block.get(index % BLOCK),
            None => self.last.get(index - self.full.len() * BLOCK),
        }
    }

    /// All items from `first` on.
    pub(super) fn from(
        &self,
        first: usize,
    ) -> impl ExactSizeIterator<Item = &T> + DoubleEndedIterator {
        let item = |index| self.get(index).expect("an index is of what is in the list");
        (first.min(self.len())..self.len()).map(item)
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
            assert!((0..len).all(|item| blocks.get(item) == Some(&item)));
            assert_eq!(blocks.get(len), None);
            for first in [0, len / 2, len, len + 1] {
                assert!(blocks.from(first).copied().eq(first..len.max(first)));
                assert!(blocks.from(first).rev().copied().eq((first..len.max(first)).rev()));
            }
        }
    }
}
