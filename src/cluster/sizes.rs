//! How large a share is: large enough that the queue costs little beside it, and small enough that one worker
//! is not long at it, and that its rows fit into a message.

/// So many scenarios or seeds are in a share where they are small.
const SCENARIOS_MOST: u64 = 1_000;
const SEEDS_MOST: u64 = 4_096;

/// So many events may be in a share: about a tenth of a second of one thread.
const EVENTS: u64 = 20_000;
const EVENTS_OF_SEEDS: u64 = 100_000;

/// So many bytes of text are in a share of scenarios that are read, unless one has more.
pub(crate) const PARCEL_BYTES: usize = 512 << 10;

/// How many scenarios are in a share where one has up to so many events.
pub(crate) fn scenarios_of(events: u64) -> u64 {
    (EVENTS / events.max(1)).clamp(1, SCENARIOS_MOST)
}

/// How many seeds are in a share where one has up to so many events.
pub(crate) fn seeds_of(events: u64) -> u64 {
    (EVENTS_OF_SEEDS / events.max(1)).clamp(1, SEEDS_MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_as_large_as_scenarios_are_small() {
        assert_eq!([0, 5, 20, 1000, 1 << 40].map(scenarios_of), [1000, 1000, 1000, 20, 1]);
        assert_eq!([0, 20, 1000, 1 << 40].map(seeds_of), [4096, 4096, 100, 1]);
    }
}
