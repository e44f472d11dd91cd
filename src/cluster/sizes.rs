//! How large a share is: large enough that the queue costs little beside it, and small enough that one worker
//! is not long at it, that its rows fit into a message, and that there are shares for all in a small job too.

use crate::model::ByteSize;
use crate::model::number::count;

/// So many scenarios or seeds are in a share where they are small.
const SCENARIOS_MOST: u64 = 8_192;
const SEEDS_MOST: u64 = 4_096;

/// So many events may be in a share: about a tenth of a second of one thread.
const EVENTS: u64 = 50_000;
const EVENTS_OF_SEEDS: u64 = 100_000;

/// So many bytes of text are in a share of scenarios that are read, unless one has more.
const PARCEL_BYTES: u64 = 2 << 20;

/// So long is a document in a parcel at most: with what stands beside it, it can still be compressed.
pub(crate) const PARCEL_DOCUMENT_MAX: ByteSize = ByteSize::new(256 << 20);

/// The first shares are so much smaller than the largest, and then each is such a part of all before it: how
/// long a job is need not be known, and each has some dozens.
const PART: u64 = 32;

/// How large the shares of a job are, in scenarios, seeds or bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ShareSizes {
    most: u64,
}

impl ShareSizes {
    /// In scenarios, of which one has up to so many events.
    pub(crate) fn of_scenarios(events: u64) -> Self {
        Self { most: (EVENTS / events.max(1)).clamp(1, SCENARIOS_MOST) }
    }

    /// In seeds, of which one has up to so many events.
    pub(crate) fn of_seeds(events: u64) -> Self {
        Self { most: (EVENTS_OF_SEEDS / events.max(1)).clamp(1, SEEDS_MOST) }
    }

    /// In bytes of text.
    pub(crate) const fn of_text() -> Self {
        Self { most: PARCEL_BYTES }
    }

    /// How large the largest are.
    pub(crate) const fn most(self) -> u64 {
        self.most
    }

    /// How large a share is that has so much `before` it in its job.
    pub(crate) fn after(self, before: u64) -> u64 {
        (before / PART).clamp((self.most / PART).max(1), self.most)
    }

    /// Whether a share of so many bytes takes `more`, after so many `before` it.
    pub(crate) fn has_room(self, before: u64, bytes: usize, more: usize) -> bool {
        count(bytes.saturating_add(more)) <= self.after(before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_as_large_as_scenarios_are_small() {
        let of_scenarios = |events| ShareSizes::of_scenarios(events).most;
        assert_eq!([0, 5, 20, 1000, 1 << 40].map(of_scenarios), [8192, 8192, 2500, 50, 1]);
        let of_seeds = |events| ShareSizes::of_seeds(events).most;
        assert_eq!([0, 20, 1000, 1 << 40].map(of_seeds), [4096, 4096, 100, 1]);
    }

    #[test]
    fn a_job_of_any_length_has_shares_for_many() {
        let shares = |scenarios: u64| {
            let sizes = ShareSizes::of_scenarios(5);
            let (mut before, mut shares) = (0, 0);
            while before < scenarios {
                before += sizes.after(before);
                shares += 1;
            }
            shares
        };
        assert_eq!([1, 1_000, 10_000, 100_000, 1_000_000].map(shares), [1, 4, 39, 114, 235]);
        assert_eq!(ShareSizes::of_scenarios(1 << 40).after(u64::MAX), 1);
    }
}
