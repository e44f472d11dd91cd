//! How much every command reads of one document at most.

use clap::Args;

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
