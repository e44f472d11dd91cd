//! How many requests wait for their branch, and how many were turned away.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::status::CallError;

/// Counts requests.
#[derive(Debug, Default)]
pub(super) struct Tally {
    waiting: AtomicUsize,
    turned_away: AtomicU64,
}

/// A place among the requests that wait; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<Tally>);

impl Tally {
    /// One of `most` places, if one is free.
    pub(super) fn place(tally: &Arc<Self>, most: usize) -> Result<Place, CallError> {
        let waiting = tally.waiting.fetch_add(1, Ordering::Relaxed);
        let place = Place(Arc::clone(tally));
        if waiting < most { Ok(place) } else { Err(CallError::Overloaded { waiting }) }
    }

    /// Counts a request that was turned away.
    pub(super) fn turn_away(&self) {
        self.turned_away.fetch_add(1, Ordering::Relaxed);
    }

    /// How many were.
    pub(super) fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
