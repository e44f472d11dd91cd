//! What `passbook check` is asked for.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::document_args::{DocumentArgs, ONE_FILE};
use super::exit_codes::ExitCodes;
use super::memory_args::MemoryArgs;
use super::witness_args::WitnessArgs;
use super::words::one_of;
use crate::check::foreign::ForeignForm;
use crate::check::{JudgeOptions, Strictness};
use crate::source::Place;

const EXAMPLES: &str = "\
Examples:
  passbook run --history a.jsonl scenario.json && passbook check a.jsonl
  passbook check --format json a.jsonl
  passbook check -q a.jsonl                        nothing, unless something is wrong
  passbook check --witnesses 10 a.jsonl
  passbook check a.jsonl.gz
  passbook check --data bank                       what is in a folder of 'serve --data'";

#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", ExitCodes::CHECK))]
pub(super) struct CheckArgs {
    #[arg(value_name = "HISTORY", required_unless_present = "data")]
    #[arg(help = format!("A history, as `passbook run --history` writes it, {ONE_FILE}"))]
    pub(super) history: Option<Place>,

    /// Look at what `passbook serve --data` has kept in this folder, while nobody serves it: whether
    /// logs are in order, what their sums are, and what is missing where
    #[arg(long, value_name = "DIR")]
    #[arg(conflicts_with_all = ["history", "from", "export_html", "strict", "witnesses"])]
    pub(super) data: Option<PathBuf>,

    /// Write what the folder tells of the bank's history to this file
    #[arg(long, value_name = "FILE", requires = "data")]
    pub(super) export_history: Option<PathBuf>,

    /// What to print
    #[arg(long, short, value_enum, default_value_t)]
    #[arg(env = "PASSBOOK_CHECK_FORMAT", hide_env_values = true)]
    pub(super) format: CheckFormat,

    /// Print only what is wrong (text)
    #[arg(long, short)]
    pub(super) quiet: bool,

    /// Write a page with the verdicts, pictures of what is broken, and all that happened
    #[arg(long, value_name = "FILE")]
    pub(super) export_html: Option<PathBuf>,

    /// Judge the history of another program: plume (a key per write, 0 or 1), or elle (list-append,
    /// as JSON)
    #[arg(long, value_name = "FORMAT", value_parser = one_of::<ForeignForm>())]
    #[arg(conflicts_with_all = ["export_html", "witnesses"])]
    pub(super) from: Option<ForeignForm>,

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

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum CheckFormat {
    /// A line per property, and what shows that it is violated
    #[default]
    Text,
    /// The same as one line of JSON
    Json,
}

impl CheckArgs {
    pub(super) fn demand(&self) -> Strictness {
        if self.strict { Strictness::Everything } else { Strictness::AGuarantee }
    }

    /// What is wanted of the judge.
    pub(super) fn judge(&self) -> JudgeOptions {
        self.witnesses.options()
    }
}
