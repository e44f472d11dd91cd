//! How a branch starts that was there before, and what it remembers then.

use super::LifeList;
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
}

/// What a branch remembers when it starts again: no more than it had.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// The newest life of each branch that it knew.
    pub lives: LifeList,
    /// What came, in order: as [`Branch::came_after`](super::Branch::came_after) gives it.
    pub came: Vec<LogEntry>,
}
