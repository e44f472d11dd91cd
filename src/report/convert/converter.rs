//! What each format does with a history: it begins, takes one fact after the other, and ends.

use std::io::{self, Write};

use thiserror::Error;

use crate::history::{Entry, Header, HistoryError};

/// So many entries of lists are written at most, where each read tells all that it saw.
pub(super) const ENTRIES_MAX: u64 = 100_000_000;

/// Why a history is not converted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// It cannot be read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// What it is converted to cannot be written.
    #[error("cannot write: {0}")]
    Output(#[from] io::Error),
    /// Each read tells all writes that it saw, and these are too many.
    #[error(
        "each read tells every write that it saw, and that is more than {ENTRIES_MAX} entries; \
         convert a shorter history, or to another format"
    )]
    TooLarge,
}

/// Writes a history in one format.
pub(super) trait Converter {
    /// Writes what comes before the first fact.
    fn begin(&mut self, out: &mut dyn Write, header: &Header) -> io::Result<()>;

    /// Takes the next fact, and writes what it completes.
    fn add(&mut self, out: &mut dyn Write, entry: &Entry) -> Result<(), ConvertError>;

    /// Writes what is left.
    fn end(&mut self, out: &mut dyn Write) -> Result<(), ConvertError>;
}
