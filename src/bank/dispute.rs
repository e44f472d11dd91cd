//! Writes of this branch that every branch has acknowledged and not every one agreed on. Most will
//! never be agreed on, for an order of applies is for ever; but where an id names two writes,
//! branches agree as soon as all have heard of both. So a request that is made again is answered
//! anew.

use std::collections::BTreeSet;

use crate::model::Sequence;

/// How many are remembered one by one.
const REMEMBERED_MAX: usize = 10_000;

/// The disputed ones among the writes of this branch.
#[derive(Debug, Clone, Default)]
pub(super) struct Disputes {
    disputed: BTreeSet<Sequence>,
    /// Up to and with this one all are taken to be disputed: which of them were is not remembered.
    /// To ask about one that was not costs a round of messages, and is right all the same.
    forgotten: Sequence,
}

impl Disputes {
    /// From now on each of the first writes until `until` is taken to be disputed.
    pub(super) fn enter_all_until(&mut self, until: Sequence) {
        self.forgotten = self.forgotten.max(until);
    }

    /// Remembers that some branch did not agree on the write `sequence`.
    pub(super) fn enter(&mut self, sequence: Sequence) {
        self.disputed.insert(sequence);
        if self.disputed.len() > REMEMBERED_MAX
            && let Some(lowest) = self.disputed.pop_first()
        {
            self.forgotten = self.forgotten.max(lowest);
        }
    }

    /// Whether the write `sequence` is disputed or may be.
    pub(super) fn holds(&self, sequence: Sequence) -> bool {
        self.disputed.contains(&sequence) || sequence <= self.forgotten
    }

    /// Takes out the write `sequence`.
    pub(super) fn forget(&mut self, sequence: Sequence) {
        self.disputed.remove(&sequence);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_remembered_is_taken_to_be_disputed() {
        let mut disputes = Disputes::default();
        let even = |count: u32| Sequence::new(2 * count);
        for count in 1..=10_000 {
            disputes.enter(even(count));
        }
        assert!(!disputes.holds(Sequence::new(1)) && !disputes.holds(Sequence::new(3)));
        disputes.enter(even(10_001));
        disputes.enter(even(10_002));
        assert_eq!(disputes.disputed.len(), 10_000);
        assert!([1, 2, 3, 4].map(Sequence::new).into_iter().all(|old| disputes.holds(old)));
        assert!(!disputes.holds(Sequence::new(5)) && disputes.holds(even(3)));
        disputes.forget(even(3));
        assert!(!disputes.holds(even(3)));
    }
}
