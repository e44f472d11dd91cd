//! How many requests from outside wait for their branch. A mailbox takes any number, so that whoever
//! fills it has to count.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Counts requests.
#[derive(Debug, Default)]
pub struct Tally {
    waiting: AtomicUsize,
    turned_away: AtomicU64,
}

/// A place among the requests that wait; given back when it is dropped.
#[derive(Debug)]
pub struct Place(Arc<Tally>);

/// All places are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoPlace {
    /// How many requests wait.
    pub waiting: usize,
}

impl Tally {
    /// One of `most` places, if one is free.
    pub fn place(tally: &Arc<Self>, most: usize) -> Result<Place, NoPlace> {
        let waiting = tally.waiting.fetch_add(1, Ordering::Relaxed);
        let place = Place(Arc::clone(tally));
        if waiting < most { Ok(place) } else { Err(NoPlace { waiting }) }
    }

    /// Counts a request that was turned away.
    pub fn turn_away(&self) {
        self.turned_away.fetch_add(1, Ordering::Relaxed);
    }

    /// How many were.
    pub fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_can_be_taken_again_when_it_is_given_back() {
        let tally = Arc::new(Tally::default());
        let first = Tally::place(&tally, 1).unwrap();
        assert_eq!(Tally::place(&tally, 1).err(), Some(NoPlace { waiting: 1 }));
        drop(first);
        assert!(Tally::place(&tally, 1).is_ok());
    }
}
