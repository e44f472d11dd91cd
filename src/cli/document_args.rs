//! What a command may be given to read, and how much of it is read at most.

use clap::Args;

use super::exit::Failure;
use crate::cluster::PARCEL_DOCUMENT_MAX;
use crate::history::DOCUMENT_MAX;
use crate::model::ByteSize;

/// What a command may be given where all of it is read.
pub(super) const ONE_FILE: &str =
    "a file, as it is or packed by gzip or zstd, or `-` for standard input";

/// What it may be given where that may be one line as well.
pub(super) const ONE_DOCUMENT: &str = "a file, as it is or packed by gzip or zstd, one line of it \
    (`many.jsonl.zst:17`), or `-` for standard input";

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

    /// Refuses to read more than the parcels of a job take.
    pub(super) fn check_for_job(&self) -> Result<(), Failure> {
        if self.document_max <= PARCEL_DOCUMENT_MAX {
            return Ok(());
        }
        let limit = self.document_max;
        Err(Failure::bad_input(format!(
            "--document-max is {limit}, and with --nats it is at most {PARCEL_DOCUMENT_MAX}"
        )))
    }
}
