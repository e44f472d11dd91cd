//! How much memory a judge takes, counted as facts come in. It is never less than what is taken, so
//! that a history which is too large for somebody is refused before its memory is taken.
//!
//! Each figure is what one of a kind may come to: its own size, its place in a table of ids or in a
//! tree, and what the reader of the history keeps beside it. `docs/LIMITS.md` holds the sum against
//! what was measured.

use super::reach::BLOCK;
use crate::model::number::count;

/// A branch: its log, its place in the tables of origins, and what is passed of its log at the end.
const BRANCH_BYTES: u64 = 260;
/// A write in the log of a branch.
const APPLY_BYTES: u64 = 10;
/// A write, whatever becomes of it.
const WRITE_BYTES: u64 = 230;
/// The position of a write at a branch, and what a block of so many of them takes.
const POSITION_BYTES: u64 = 8;
const BLOCK_BYTES: u64 = 288;
/// The way to a block.
const BLOCK_LINK_BYTES: u64 = 8;
/// A request with its reply.
const REQUEST_BYTES: u64 = 240;
/// A session, but for what it is owed.
const SESSION_BYTES: u64 = 1_100;
/// How many positions at each branch a session may be owed: for its writes that were acknowledged,
/// for all that it made, and for what it read.
const OWED_TO_SESSION: u64 = 3;
/// A log that ended, with what was passed of it at the end.
const ENDED_BYTES: u64 = 300;
/// A write of it that the next log did not keep.
const FORGOTTEN_BYTES: u64 = 24;
/// An answer that told of a loss.
const TOLD_BYTES: u64 = 40;
/// A message under way.
const MESSAGE_BYTES: u64 = 180;
/// A request that was given up, a write that was not applied as it should, one more content of an
/// id, a partition: what is not as usual.
const ODDITY_BYTES: u64 = 160;
/// What is told of a failed test, of each property.
const WITNESSES_BYTES: u64 = 5_000;
/// A fact takes at most so many times its text.
const TEXT_TIMES: u64 = 9;

/// What the memory of a judge grows with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Amounts {
    pub(super) branches: usize,
    /// Branches at which something was read.
    pub(super) read_at: usize,
    /// Different writes, and those of them that some branch applied.
    pub(super) writes: usize,
    pub(super) applied: usize,
    /// At how many branches the one is applied that is at most.
    pub(super) widest: usize,
    /// How many writes all logs have together.
    pub(super) applies: u64,
    /// How many writes all reads saw together.
    pub(super) seen: u64,
    pub(super) sessions: usize,
    pub(super) requests: usize,
    /// Logs that ended, and writes of them that the next ones did not keep.
    pub(super) ended: usize,
    pub(super) forgotten: usize,
    /// Answers that told of a loss.
    pub(super) told: usize,
    pub(super) messages: usize,
    pub(super) oddities: usize,
    /// How many failed tests of each property are kept.
    pub(super) witnesses: usize,
    /// What the tables of origins take.
    pub(super) origin_bytes: u64,
}

impl Amounts {
    /// How many bytes all of it takes, until there are verdicts.
    pub(super) fn bytes(&self) -> u64 {
        let mut bytes = self.origin_bytes;
        let mut add = |count: u64, each: u64| {
            bytes = bytes.saturating_add(count.saturating_mul(each));
        };
        add(count(self.branches), BRANCH_BYTES);
        add(self.applies, APPLY_BYTES);
        add(count(self.writes), WRITE_BYTES);
        add(count(self.requests), REQUEST_BYTES);
        add(count(self.sessions), SESSION_BYTES);
        add(count(self.messages), MESSAGE_BYTES);
        add(count(self.oddities), ODDITY_BYTES);
        add(count(self.witnesses), WITNESSES_BYTES);
        let reaches = count(self.sessions).saturating_mul(OWED_TO_SESSION);
        // What is passed of a log that ended may be passed of the next one too.
        let passed = count(self.read_at);
        let passed = if self.ended == 0 { passed } else { passed.saturating_mul(2) };
        let reaches = reaches.saturating_add(passed);
        // Where a loss was told, what survived is kept beside all, and all that was ever owed.
        let reaches = if self.told == 0 { reaches } else { reaches.saturating_mul(3) };
        add(count(self.ended), ENDED_BYTES.saturating_add(reaches.saturating_mul(POSITION_BYTES)));
        add(count(self.forgotten), FORGOTTEN_BYTES);
        add(count(self.told), TOLD_BYTES);
        if self.branches <= BLOCK {
            let row = count(self.branches) * POSITION_BYTES;
            add(count(self.writes).saturating_add(reaches), row);
        } else {
            let blocks = count(self.branches.div_ceil(BLOCK));
            let applied = count(self.applied);
            add(applied.saturating_add(reaches), blocks.saturating_mul(BLOCK_LINK_BYTES));
            add(self.applies.min(applied.saturating_mul(blocks)), BLOCK_BYTES);
            // What is owed has blocks of its own for no more than the writes that it is made of.
            let owed = count(self.writes).saturating_mul(2).saturating_add(self.seen);
            let owed = owed.saturating_add(self.applies);
            let owed = owed.saturating_mul(count(self.widest).min(blocks));
            add(owed.min(reaches.saturating_mul(blocks)), BLOCK_BYTES);
        }
        bytes
    }
}

/// How many bytes a line of a history takes that has so many bytes.
pub(super) fn line_bytes(line_len: usize) -> u64 {
    count(line_len).saturating_mul(TEXT_TIMES)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `passbook` takes without any history, at most.
    const PROGRAM_BYTES: u64 = 32 << 20;

    /// Peaks of whole processes, in megabytes, as `docs/LIMITS.md` has them.
    #[test]
    fn the_estimate_is_no_less_and_not_far_more_than_what_was_measured() {
        // Branches, those that were read at, writes, branches of the widest, sessions and requests;
        // what all logs have, what all reads saw, and the tables of origins.
        for (lengths, [applies, seen, origin_bytes], measured) in [
            ([2, 2, 100_000, 2, 1, 200_000], [200_000, 5_000_000_000, 1_000_000], 78),
            ([2, 2, 60_000, 2, 30_000, 120_000], [120_000, 1_800_000_000, 600_000], 60),
            ([100, 100, 8_000, 100, 100, 16_000], [800_000, 32_000_000, 200_000], 38),
            ([1_000, 10, 1_000, 1_000, 1, 1_010], [1_000_000, 5_000, 4_200_000], 40),
            ([1_000, 1_000, 1_000, 1_000, 1_000, 2_000], [1_000_000, 500_000, 4_200_000], 44),
            ([10_000, 100, 100, 10_000, 100, 200], [1_000_000, 5_000, 5_200_000], 44),
            ([10_000, 1_500, 1_500, 1, 1_500, 4_500], [1_500, 3_000, 200_000], 36),
            ([100_000, 1_500, 1_500, 1, 1_500, 4_500], [1_500, 3_000, 200_000], 90),
        ] {
            let [branches, read_at, writes, widest, sessions, requests] = lengths;
            let amounts = Amounts {
                branches,
                read_at,
                writes,
                applied: writes,
                widest,
                applies,
                seen,
                sessions,
                requests,
                origin_bytes,
                ..Amounts::default()
            };
            let bytes = PROGRAM_BYTES + amounts.bytes();
            let fits = measured * 1_000_000..=measured * 2_500_000;
            assert!(fits.contains(&bytes), "{lengths:?}: {bytes} B, measured {measured} MB");
        }
    }
}
