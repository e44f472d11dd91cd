//! How a branch starts that was there before, and what it remembers then.

use super::{LifeList, Refused};
use crate::model::{Life, LogEntry};

/// How a branch starts that was there before.
#[derive(Debug, Clone)]
pub enum Start {
    /// It remembers all that it had said: its life goes on.
    SameLife(Memory),
    /// It does not, or there is nothing to remember. It begins this life, and serves nobody until
    /// all others have answered or its return limit is over.
    NewLife {
        /// Higher than any before it, and given to it alone.
        life: Life,
        /// What it still remembers.
        memory: Memory,
    },
    /// It remembers all that was kept on its disk, which is all that it had said, unless the disk is
    /// an older copy of it. It serves nobody until all others have answered or its return limit is
    /// over; where one of them holds more of its life than it does, it begins another.
    FromDisk {
        /// That other life: higher than any before it, and given to it alone.
        spare: Life,
        /// What was kept.
        memory: Memory,
    },
}

/// What a branch remembers when it starts again: no more than it had.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// The newest life of each branch that it knew.
    pub lives: LifeList,
    /// What came, in order: as [`Branch::came_after`](super::Branch::came_after) gives it.
    pub came: Vec<LogEntry>,
    /// The writes that it has refused, ascending by number.
    pub refused: Vec<Refused>,
}
