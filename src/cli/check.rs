//! `passbook check`: judges recorded histories.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::check_foreign::check_foreign;
use super::document_args::{DocumentArgs, ONE_FILE};
use super::exit::{Exit, Failure};
use super::exit_codes::ExitCodes;
use super::history_input::{HistoryInput, KeptHistory, Text};
use super::memory_args::MemoryArgs;
use super::terminal::Terminal;
use super::witness_args::WitnessArgs;
use super::words::one_of;
use crate::check::foreign::ForeignForm;
use crate::check::{CheckError, JudgeOptions, Strictness, Verdicts, judge_history};
use crate::history::{Header, Reader};
use crate::report::judged::{self, JudgedHistory};
use crate::report::shell;
use crate::source::{Outputs, Place};

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
    pub(super) quiet: bool,

    /// Write a page with the verdicts, pictures of what is broken, and all that happened
    #[arg(long, value_name = "FILE")]
    export_html: Option<PathBuf>,

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

/// Judges the history that `args` name.
pub(super) fn check_history(args: &CheckArgs, terminal: &mut Terminal) -> Result<Exit, Failure> {
    if let Some(form) = args.from {
        return check_foreign(args, form, terminal);
    }
    let outputs = Outputs::new(args.export_html.as_deref())?;
    let (history, text) = HistoryInput::open(&args.history, &outputs, terminal)?;
    let judged = judged(args, text, args.memory.budget().room());
    let (header, verdicts) = judged.map_err(|error| match error {
        Unjudged::Check(error) => history.failure(&error, &args.memory),
        Unjudged::Page(failure) => failure,
    })?;
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

/// Why there is no verdict, or no page of it.
enum Unjudged {
    Check(CheckError),
    Page(Failure),
}

/// What the judge says of the history in `text`. It is in memory as a whole only where it is drawn.
fn judged(args: &CheckArgs, text: Text, bytes_max: u64) -> Result<(Header, Verdicts), Unjudged> {
    let line_max = args.document.document_max;
    if let Some(path) = &args.export_html {
        let kept = KeptHistory::read(text, line_max, args.judge(), bytes_max);
        let kept = kept.map_err(Unjudged::Check)?;
        let command = format!("passbook check {}", shell::file(args.history.name()));
        kept.write_page(path, "passbook check", &command).map_err(Unjudged::Page)?;
        return Ok((kept.header, kept.verdicts));
    }
    let reader = Reader::with_line_max(text, line_max).map_err(CheckError::from);
    let reader = reader.map_err(Unjudged::Check)?;
    let header = reader.header().clone();
    let verdicts = judge_history(reader, args.judge(), bytes_max).map_err(Unjudged::Check)?;
    Ok((header, verdicts))
}
