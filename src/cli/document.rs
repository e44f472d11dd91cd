//! How much is read of one document: a file that is one scenario, or a line of many.

use std::io::{self, Read};

use clap::Args;
use thiserror::Error;

use crate::history::DOCUMENT_MAX;
use crate::model::ByteSize;

/// What every command that reads has.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct DocumentArgs {
    /// Read no file that is one scenario, and no line of a file of many, that is longer than this,
    /// unpacked
    #[arg(long, value_name = "SIZE", default_value_t = DOCUMENT_MAX)]
    pub(super) document_max: ByteSize,
}

impl DocumentArgs {
    /// The options of a command line that reads as much.
    pub(super) fn options(&self) -> Option<String> {
        let limit = self.document_max;
        (limit != DOCUMENT_MAX).then(|| format!("--document-max {limit}"))
    }
}

/// Why a document cannot be had.
#[derive(Debug, Error)]
pub(super) enum DocumentError {
    #[error(transparent)]
    Unreadable(#[from] io::Error),
    #[error("longer than {limit}; --document-max allows more")]
    TooLong { limit: ByteSize },
    #[error("more than {limit} of blank text; --document-max allows more")]
    Blank { limit: ByteSize },
}

/// All that `source` holds, which is one document of at most `limit` bytes. No more is read.
pub(super) fn read_document(source: impl Read, limit: ByteSize) -> Result<Vec<u8>, DocumentError> {
    let mut bytes = Vec::new();
    source.take(limit.bytes().saturating_add(1)).read_to_end(&mut bytes)?;
    match u64::try_from(bytes.len()) {
        Ok(length) if length <= limit.bytes() => Ok(bytes),
        Ok(_) | Err(_) => Err(DocumentError::TooLong { limit }),
    }
}
