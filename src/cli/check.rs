//! `passbook check`: judges recorded histories.

use std::io::BufRead;

use clap::{Args, ValueEnum};

use super::document_args::{DocumentArgs, ONE_FILE};
use super::exit::{Exit, Failure};
use super::exit_codes::ExitCodes;
use super::history_input::HistoryInput;
use super::memory_args::MemoryArgs;
use super::terminal::Terminal;
use super::witness_args::WitnessArgs;
use crate::check::{CheckError, JudgeOptions, Strictness, Verdicts, judge_history};
use crate::history::{Header, Reader};
use crate::report::judged::{self, JudgedHistory};
use crate::source::Place;

const EXAMPLES: &str = "\
Examples:
  passbook run --history a.jsonl scenario.json && passbook check a.jsonl
  passbook check --format json a.jsonl
  passbook check -q a.jsonl                        nothing, unless something is wrong
  passbook check --witnesses 10 a.jsonl
  passbook check a.jsonl.gz";

#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", ExitCodes::CHECK))]
pub(super) struct CheckArgs {
    #[arg(value_name = "HISTORY")]
    #[arg(help = format!("A history, as `passbook run --history` writes it, {ONE_FILE}"))]
    pub(super) history: Place,

    /// What to print
    #[arg(long, short, value_enum, default_value_t)]
    #[arg(env = "PASSBOOK_CHECK_FORMAT", hide_env_values = true)]
    pub(super) format: CheckFormat,

    /// Print only what is wrong (text)
    #[arg(long, short)]
    quiet: bool,

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

/// Judges the history that `args` name.
pub(super) fn check_history(args: &CheckArgs, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let (source, input) = HistoryInput::open(&args.history, None, terminal)?;
    let budget = args.memory.budget();
    let judged = judged(args, input, budget.room()).map_err(|error| match error {
        CheckError::TooLarge { line, bytes } => {
            let error = budget.too_large(bytes);
            let name = source.name();
            Failure::bad_input(format!("{name} is not judged: up to line {line}, {error}"))
        }
        CheckError::History(_) | CheckError::InvalidHistory { .. } => {
            source.unusable("judged", error)
        }
    });
    let (header, verdicts) = judged?;
    let summary = verdicts.overall(args.demand());
    let judgement = JudgedHistory { header: &header, verdicts: &verdicts, summary };
    let width = terminal.width();
    match args.format {
        CheckFormat::Text if args.quiet => {
            judged::write_what_is_wrong(terminal.results(), &judgement, width)?
        }
        CheckFormat::Text => judged::write_text(terminal.results(), &judgement, width)?,
        CheckFormat::Json => judged::write_json(terminal.results(), &judgement)?,
    }
    Ok(summary.into())
}

fn judged(
    args: &CheckArgs,
    input: impl BufRead,
    bytes_max: u64,
) -> Result<(Header, Verdicts), CheckError> {
    let reader = Reader::with_line_max(input, args.document.document_max)?;
    let header = reader.header().clone();
    Ok((header, judge_history(reader, args.judge(), bytes_max)?))
}
