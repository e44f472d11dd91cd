//! What a branch wants kept before anything rests on it.

use super::LifeList;
use crate::model::{LogEntry, Refusal, Write, WriteId};

/// What is kept of a branch, a part at a time. In the order in which it was told, all of them give its
/// [`Memory`](super::Memory).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// A write came: it is applied, or was applied already when it came from another origin.
    Came(LogEntry),
    /// A write is refused, and will be whenever it is asked for again.
    Refused(Refused),
    /// That is not remembered any more, of the refusal with this number.
    Forgotten(u64),
    /// The lives that are known.
    Lives(LifeList),
}

/// A write that was refused for want of money or of room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// Which of the branch's refusals: a later one is higher.
    pub number: u64,
    /// The name of the write.
    pub id: WriteId,
    /// What it would have done.
    pub write: Write,
    /// Why it was refused.
    pub refusal: Refusal,
}
