//! The partitions of a history: each begins once, and heals once at most.

use std::collections::BTreeSet;

use super::InvalidHistory;

/// Those that have begun and not healed.
#[derive(Debug, Default)]
pub(super) struct Partitions(BTreeSet<u32>);

impl Partitions {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// A partition begins.
    pub(super) fn began(&mut self, partition: u32) -> Result<(), InvalidHistory> {
        let is_new = self.0.insert(partition);
        is_new.then_some(()).ok_or(InvalidHistory::PartitionTwice { partition })
    }

    /// It heals.
    pub(super) fn healed(&mut self, partition: u32) -> Result<(), InvalidHistory> {
        let is_known = self.0.remove(&partition);
        is_known.then_some(()).ok_or(InvalidHistory::PartitionTwice { partition })
    }
}
