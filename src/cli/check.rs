//! `passbook check`: judges recorded histories.

use std::io::{BufRead, BufReader, Cursor, Read};

use clap::{Args, ValueEnum};

use super::document_args::{DocumentArgs, ONE_FILE};
use super::exit::{EXIT_CODES, Exit, Failure};
use super::memory_args::MemoryArgs;
use super::terminal::Terminal;
use super::witness_args::WitnessArgs;
use crate::check::{CheckError, JudgeOptions, Strictness, Verdicts, judge_history};
use crate::history::{Header, Reader};
use crate::report::judged::{self, JudgedHistory};
use crate::scenario::{Scenario, Source};
use crate::source::{Outputs, Place};

const EXAMPLES: &str = "\
Examples:
  passbook run --history a.jsonl scenario.json && passbook check a.jsonl
  passbook check --format json a.jsonl
  passbook check --witnesses 10 a.jsonl
  passbook check a.jsonl.gz";

#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(super) struct CheckArgs {
    #[arg(value_name = "HISTORY")]
    #[arg(help = format!("A history, as `passbook run --history` writes it, {ONE_FILE}"))]
    pub(super) history: Place,

    /// What to print
    #[arg(long, short, value_enum, default_value_t)]
    #[arg(env = "PASSBOOK_CHECK_FORMAT", hide_env_values = true)]
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
    Outputs::new([])?.refuse(args.history.path())?;
    if args.history.is_line() {
        let what = format!("{} is one line; name a whole history", args.history);
        return Err(Failure::bad_input(what));
    }
    let name = if args.history.is_stdin() {
        "standard input".to_owned()
    } else {
        args.history.to_string()
    };
    let opened = args.history.open().and_then(|opened| {
        let (mut text, mut beginning) = (opened.text, Vec::new());
        text.by_ref().take(1 << 16).read_to_end(&mut beginning)?;
        let whole = Cursor::new(beginning.clone()).chain(text);
        Ok((BufReader::with_capacity(1 << 16, whole), beginning))
    });
    let (input, beginning) =
        opened.map_err(|error| Failure::bad_input(format!("cannot read {name}: {error}")))?;
    let budget = args.memory.budget();
    let judged = judged(args, input, budget.room()).map_err(|error| {
        Failure::bad_input(match error {
            CheckError::TooLarge { line, bytes } => {
                let error = budget.too_large(bytes);
                format!("{name} is not judged: up to line {line}, {error}")
            }
            CheckError::History(error) if error.line == 1 && is_scenario(args, beginning) => {
                format!(
                    "{name} is a scenario, and no history: passbook run --history FILE records one"
                )
            }
            CheckError::History(_) | CheckError::InvalidHistory { .. } => {
                format!("{name} is no history that can be judged: {error}")
            }
        })
    });
    let (header, verdicts) = judged?;
    let summary = verdicts.overall(args.demand());
    let judgement = JudgedHistory { header: &header, verdicts: &verdicts, summary };
    match args.format {
        CheckFormat::Text => judged::write_text(terminal.results(), &judgement)?,
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

/// Whether what was given is a scenario, or its first line is. Of what is no plain file, or a file
/// that is longer than a document may be, only the `beginning` is looked at.
fn is_scenario(args: &CheckArgs, beginning: Vec<u8>) -> bool {
    let place = &args.history;
    let bytes = if place.path().is_file() && !place.is_stdin() {
        place.read(args.document.document_max).unwrap_or(beginning)
    } else {
        beginning
    };
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default().to_vec();
    let is_one = |bytes| {
        let source = Source::from_bytes("history", bytes);
        source.is_ok_and(|source| Scenario::parse(&source).is_ok())
    };
    is_one(bytes) || is_one(first)
}
