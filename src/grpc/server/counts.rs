//! Counters, one for each of a closed list.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::Word;

/// A counter for each of a closed list.
#[derive(Debug)]
pub(super) struct Counts<T> {
    /// In the order of the list.
    counts: Box<[AtomicU64]>,
    of: PhantomData<T>,
}

impl<T: Word> Default for Counts<T> {
    fn default() -> Self {
        Self { counts: T::ALL.iter().map(|_| AtomicU64::new(0)).collect(), of: PhantomData }
    }
}

impl<T: Word> Counts<T> {
    /// Counts one more of `what`.
    pub(super) fn add(&self, what: T) {
        if let Some(place) = T::ALL.iter().position(|&listed| listed == what) {
            self.counts[place].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// All counts, in the order of the list.
    pub(super) fn all(&self) -> impl Iterator<Item = (T, u64)> {
        T::ALL.iter().zip(&self.counts).map(|(&what, count)| (what, count.load(Ordering::Relaxed)))
    }
}
