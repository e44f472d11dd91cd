//! What each format does with a history: it begins, takes one fact after the other, and ends.

use std::io::{self, Write};

use thiserror::Error;

use crate::history::{Entry, Header, HistoryError};

/// So many entries of lists are written at most, where each read tells all that it saw.
const ENTRIES_MAX: u64 = 100_000_000;

/// How many entries of lists are written so far.
#[derive(Debug, Default)]
pub(super) struct Entries(u64);

impl Entries {
    /// There are to be so many more.
    pub(super) fn add(&mut self, more: u64) -> Result<(), ConvertError> {
        self.0 = self.0.saturating_add(more);
        if self.0 > ENTRIES_MAX { Err(ConvertError::TooLarge) } else { Ok(()) }
    }
}

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
    /// It is kept as a whole in this format, and takes more memory than it may.
    #[error(
        "this takes {bytes} bytes of memory or more; convert a shorter history, or to another format"
    )]
    Memory {
        /// How much it takes by then.
        bytes: u64,
    },
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_a_hundred_million_entries_are_written() {
        let mut entries = Entries::default();
        assert!(matches!(entries.add(99_999_999), Ok(())));
        assert!(matches!(entries.add(1), Ok(())));
        assert!(matches!(entries.add(1), Err(ConvertError::TooLarge)));
        assert!(matches!(entries.add(u64::MAX), Err(ConvertError::TooLarge)));
    }
}
