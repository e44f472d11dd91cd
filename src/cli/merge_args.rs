//! The arguments of `passbook merge`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::args::EXIT_CODES;
use super::document_args::DocumentArgs;
use super::exports::ExportArgs;

const EXAMPLES: &str = "\
Examples:
  passbook merge 1.jsonl 2.jsonl 3.jsonl                      what they came to together
  passbook merge --export-jsonl all.jsonl --export-junit all.xml [123].jsonl
  passbook merge --format jsonl [123].jsonl | jq 'select(.status == \"violated\")'";

#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(super) struct MergeArgs {
    /// Result files that together are one batch: one for each partition
    #[arg(required = true, value_name = "RESULTS")]
    pub(super) results: Vec<PathBuf>,

    /// What to print [default: text on a terminal or with --export-jsonl, else jsonl]
    #[arg(long, short, value_enum)]
    pub(super) format: Option<MergeFormat>,

    #[command(flatten)]
    pub(super) exports: ExportArgs,

    #[command(flatten)]
    pub(super) document: DocumentArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum MergeFormat {
    /// What all came to, the slowest, and the failures
    Text,
    /// A line of JSON per scenario in the order of the input, and a last one for all
    Jsonl,
}
