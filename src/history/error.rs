//! Why a text is not a history.

use std::io;

use thiserror::Error;

use super::{Lamport, Process};
use crate::model::{ByteSize, RosterError, Time, UnknownVersion};

/// A history that cannot be read, and where.
#[derive(Debug, Error)]
#[error("line {line}: {problem}")]
#[non_exhaustive]
pub struct HistoryError {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong with it.
    #[source]
    pub problem: HistoryProblem,
}

/// What is wrong with a line of a history.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HistoryProblem {
    /// The source failed.
    #[error("cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// More than is read of one line.
    #[error("longer than {limit}; --document-max allows more")]
    TooLong {
        /// The longest line that is read.
        limit: ByteSize,
    },
    /// More lines without anything in them than are read.
    #[error("more than {limit} of blank text; --document-max allows more")]
    BlankText {
        /// How much is read.
        limit: ByteSize,
    },
    /// The line is no JSON.
    #[error("not JSON: {reason} (column {column})")]
    NotJson {
        /// Where in the line, in bytes from 1.
        column: usize,
        /// What the JSON parser says.
        reason: String,
    },
    /// The first line is JSON, but no header.
    #[error("not the header of a history: {reason} (column {column})")]
    NotAHeader {
        /// Where in the line, in bytes from 1.
        column: usize,
        /// What does not fit.
        reason: String,
    },
    /// Some other kind of history.
    #[error("a history of {found:?}; `history` must be \"passbook\"")]
    OtherFormat {
        /// What it calls itself.
        found: String,
    },
    /// A version that this program does not read.
    #[error(transparent)]
    OtherVersion(#[from] UnknownVersion),
    /// The branches of the header are no bank.
    #[error("`branches` of the header: {0}")]
    Branches(#[from] RosterError),
    /// The line is JSON, but no fact.
    #[error("not a fact: {reason} (column {column})")]
    NotAFact {
        /// Where in the line, in bytes from 1.
        column: usize,
        /// What does not fit.
        reason: String,
    },
    /// A fact without one of its keys.
    #[error("not a fact: the key `{key}` is missing")]
    MissingKey {
        /// The key.
        key: &'static str,
    },
    /// A line that is both a fact and the end marker.
    #[error("both a fact and the end marker")]
    FactAndEnd,
    /// There is no line at all.
    #[error("the history is empty: its header is missing")]
    Empty,
    /// A line with nothing in it, and others after it.
    #[error("an empty line before the end of the history")]
    Blank,
    /// The end marker has counted other facts.
    #[error("the end marker counts {said} facts, but there are {found}")]
    CountDiffers {
        /// What the end marker says.
        said: u64,
        /// How many facts there are.
        found: u64,
    },
    /// Something follows the end marker.
    #[error("a line after the end marker")]
    AfterEnd,
    /// Earlier than the fact before it.
    #[error("time goes backwards: {at_us} us after {before_us} us", at_us = at.us(), before_us = before.us())]
    TimeBackwards {
        /// The time of this fact.
        at: Time,
        /// The time of the fact before.
        before: Time,
    },
    /// Not after the fact before it at the same process.
    #[error("the Lamport clock of {process} goes from {before} to {clock}; it must rise")]
    ClockBackwards {
        /// Whose clock.
        process: Process,
        /// The clock of this fact.
        clock: Lamport,
        /// The clock of the process's fact before.
        before: Lamport,
    },
    /// Not after the sending of what it received.
    #[error("Lamport clock {clock}, though it was sent at {sent}; it must be later")]
    ReceivedBeforeSent {
        /// The clock of this fact.
        clock: Lamport,
        /// The clock of the sending.
        sent: Lamport,
    },
}
