//! The arguments of `passbook check`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::args::EXIT_CODES;
use super::document::DocumentArgs;
use crate::check::Demand;

const EXAMPLES: &str = "\
Examples:
  passbook run --history a.jsonl scenario.json && passbook check a.jsonl
  passbook check --format json a.jsonl
  zcat a.jsonl.gz | passbook check -";

#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(super) struct CheckArgs {
    /// A history, as `passbook run --history` writes it; `-` is standard input
    #[arg(value_name = "HISTORY")]
    pub(super) history: PathBuf,

    /// What to print
    #[arg(
        long,
        short,
        value_enum,
        default_value_t,
        env = "PASSBOOK_CHECK_FORMAT",
        hide_env_values = true
    )]
    pub(super) format: CheckFormat,

    /// Exit with 3 where any property had nothing to test, not only where no guarantee had
    #[arg(long)]
    strict: bool,

    #[command(flatten)]
    pub(super) document: DocumentArgs,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum CheckFormat {
    /// A line per property, and what shows that it is violated
    #[default]
    Text,
    /// The same as one line of JSON
    Json,
}

impl CheckArgs {
    pub(super) fn demand(&self) -> Demand {
        if self.strict { Demand::Everything } else { Demand::AGuarantee }
    }
}
