//! How branches name the writes that they accept, and what a log holds of each.

use super::{BranchId, Sequence, Write, WriteId};

/// One write by its origin and the origin's count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dot {
    /// The branch that accepted the write from the customer.
    pub origin: BranchId,
    /// Which of its writes: 1 is the first.
    pub sequence: Sequence,
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
