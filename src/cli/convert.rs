//! `passbook convert`: a history in the formats of other people's tools.

use std::fmt::Display;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;

use clap::Args;

use super::document_args::{DocumentArgs, ONE_FILE};
use super::exit::{Exit, Failure};
use super::exit_codes::ExitCodes;
use super::history_input::HistoryInput;
use super::memory_args::MemoryArgs;
use super::new_file::OutputFile;
use super::terminal::Terminal;
use super::words::one_of;
use crate::history::{Extent, Reader};
use crate::report::convert::{ConvertError, Target, convert};
use crate::source::Place;

const EXAMPLES: &str = "\
Examples:
  passbook convert history.jsonl --to perfetto -o trace.pftrace     open it at ui.perfetto.dev
  passbook convert history.jsonl --to shiviz -o log.txt
  passbook convert history.jsonl --to csv | column -s, -t
  passbook convert history.jsonl.gz --to elle -o history.json";

#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", ExitCodes::CONVERT))]
pub(super) struct ConvertArgs {
    #[arg(value_name = "HISTORY")]
    #[arg(help = format!("A history, as `passbook run --history` writes it, {ONE_FILE}"))]
    history: Place,

    /// The format
    #[arg(long, value_name = "FORMAT", value_parser = one_of::<Target>())]
    to: Target,

    /// Where to write it [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    document: DocumentArgs,

    #[command(flatten)]
    memory: MemoryArgs,
}

/// Converts the history that `args` name. Where that fails, no file is left.
pub(super) fn convert_history(
    args: &ConvertArgs,
    terminal: &mut Terminal,
) -> Result<Exit, Failure> {
    let (source, input) = HistoryInput::open(&args.history, args.output.as_deref(), terminal)?;
    let mut reader = Reader::with_line_max(input, args.document.document_max)
        .map_err(|error| source.unusable("converted", error))?;
    match &args.output {
        Some(path) => {
            let mut file = OutputFile::create(path)?;
            refuse_terminal(args.to, file.is_terminal())?;
            into(args, &mut reader, &mut file, &source)?;
            file.finish()?;
        }
        None if args.to.is_text() => into(args, &mut reader, terminal.results(), &source)?,
        None => {
            let mut out = io::stdout().lock();
            refuse_terminal(args.to, out.is_terminal())?;
            into(args, &mut reader, &mut out, &source)?;
        }
    }
    match reader.extent() {
        Extent::Whole => {}
        Extent::CutOff => terminal.note(&format!(
            "{} is cut off: it was converted as far as its last whole line",
            source.name()
        )),
    }
    Ok(Exit::Holds)
}

fn into(
    args: &ConvertArgs,
    reader: &mut Reader<impl BufRead>,
    out: &mut dyn Write,
    source: &HistoryInput<'_>,
) -> Result<(), Failure> {
    let header = reader.header().clone();
    let budget = args.memory.budget();
    let refused = |what: &dyn Display| {
        Failure::bad_input(format!("{} is not converted: {what}", source.name()))
    };
    convert(args.to, budget.room(), out, &header, reader).map_err(|error| match error {
        ConvertError::Output(error) => Failure::Output(error),
        ConvertError::History(_) => source.unusable("converted", error),
        ConvertError::TooLarge => refused(&error),
        ConvertError::Memory { bytes } => refused(&budget.too_large(bytes)),
    })
}

/// What is no text is not written to a terminal.
fn refuse_terminal(to: Target, is_terminal: bool) -> Result<(), Failure> {
    if is_terminal && !to.is_text() {
        let what =
            format!("{to} is no text, and a terminal would obey it; write it to a file: -o FILE");
        return Err(Failure::bad_input(what));
    }
    Ok(())
}
