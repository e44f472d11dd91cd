//! How branches name the writes that they accept, and what a log holds of each.

use super::{BranchId, Life, Sequence, Write, WriteId};

/// One write by its origin, the life in which that accepted it, and the count in that life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dot {
    /// The branch that accepted the write from the customer.
    pub origin: BranchId,
    /// The life in which it did.
    pub life: Life,
    /// Which of the writes of that life: 1 is the first.
    pub sequence: Sequence,
}

impl Dot {
    /// The write `sequence` that `origin` accepted in its first life.
    pub const fn first_life(origin: BranchId, sequence: Sequence) -> Self {
        Self { origin, life: Life::FIRST, sequence }
    }
}

/// A write in an apply log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogEntry {
    /// Which of its origin's writes it is.
    pub dot: Dot,
    /// Its name.
    pub id: WriteId,
    /// What it does.
    pub write: Write,
}
