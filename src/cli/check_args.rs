//! The arguments of `passbook check`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::args::EXIT_CODES;
use super::document_args::DocumentArgs;
use super::memory_args::MemoryArgs;
use crate::check::{Demand, JudgeOptions};

const EXAMPLES: &str = "\
Examples:
  passbook run --history a.jsonl scenario.json && passbook check a.jsonl
  passbook check --format json a.jsonl
  passbook check --witnesses 10 a.jsonl
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
    witnesses: WitnessArgs,

    #[command(flatten)]
    pub(super) document: DocumentArgs,

    #[command(flatten)]
    pub(super) memory: MemoryArgs,
}

/// How much is shown of what is violated.
#[derive(Debug, Args)]
pub(super) struct WitnessArgs {
    /// How many violations of each property to show: the first so many, in the order in which
    /// customers asked
    #[arg(long, value_name = "N", default_value_t = NonZeroUsize::MIN)]
    witnesses: NonZeroUsize,
}

impl WitnessArgs {
    /// What is wanted of the judge.
    pub(super) fn options(&self) -> JudgeOptions {
        JudgeOptions { witnesses: self.witnesses, ..JudgeOptions::default() }
    }
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

    /// What is wanted of the judge.
    pub(super) fn judge(&self) -> JudgeOptions {
        self.witnesses.options()
    }
}
