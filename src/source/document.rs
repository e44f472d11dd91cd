//! How much is read of one document: a file that is one scenario, or a line of many.

use std::io::{self, Read};

use thiserror::Error;

use crate::model::ByteSize;

/// Why a document cannot be had.
#[derive(Debug, Error)]
pub(crate) enum DocumentError {
    #[error(transparent)]
    Unreadable(#[from] io::Error),
    #[error("longer than {limit}; --document-max allows more")]
    TooLong { limit: ByteSize },
    #[error("more than {limit} of blank text; --document-max allows more")]
    Blank { limit: ByteSize },
    #[error("no line: they are counted from 1")]
    LineZero,
    #[error("a blank line")]
    BlankLine,
    #[error("past the end: there {} {lines} {}", if *.lines == 1 { "is" } else { "are" }, if *.lines == 1 { "line" } else { "lines" })]
    PastEnd { lines: u64 },
}

/// All that `source` holds, which is one document of at most `limit` bytes. No more is read.
pub(crate) fn read_document(source: impl Read, limit: ByteSize) -> Result<Vec<u8>, DocumentError> {
    let mut bytes = Vec::new();
    source.take(limit.bytes().saturating_add(1)).read_to_end(&mut bytes)?;
    match u64::try_from(bytes.len()) {
        Ok(length) if length <= limit.bytes() => Ok(bytes),
        Ok(_) | Err(_) => Err(DocumentError::TooLong { limit }),
    }
}
