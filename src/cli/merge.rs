//! `passbook merge`: joins the result files of one batch.

use std::fs::File;
use std::io::{self, BufReader, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Args;

use super::batch_args::BatchFormat;
use super::document_args::DocumentArgs;
use super::exit::{Exit, Failure};
use super::exit_codes::ExitCodes;
use super::exports::{ExportArgs, Exports, PartialRows};
use super::terminal::Terminal;
use crate::batch::{self, Joined, JsonLines, Overview, Part, RowWriter};
use crate::source::{Kind, OtherKind, Outputs, Place};

const EXAMPLES: &str = "\
Examples:
  passbook merge 1.jsonl 2.jsonl 3.jsonl                      what they came to together
  passbook merge --export-jsonl all.jsonl --export-junit all.xml [123].jsonl
  passbook merge --format json [123].jsonl | jq 'select(.status == \"violated\")'";

#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", ExitCodes::MERGE))]
pub(super) struct MergeArgs {
    /// Result files that together are one batch: one for each partition
    #[arg(required = true, value_name = "RESULTS")]
    pub(super) results: Vec<PathBuf>,

    /// What to print [default: text on a terminal, or where rows go to a file; else json]
    #[arg(long, short, value_enum, env = "PASSBOOK_BATCH_FORMAT", hide_env_values = true)]
    pub(super) format: Option<BatchFormat>,

    #[command(flatten)]
    pub(super) exports: ExportArgs,

    #[command(flatten)]
    pub(super) document: DocumentArgs,
}

/// Joins the files that `args` name. Nothing is written to files where they do not fit together,
/// nor printed, unless that shows only on the way; then the summary is left out.
pub(super) fn merge_results(args: &MergeArgs, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let outputs = Outputs::new(args.exports.paths())?;
    args.results.iter().try_for_each(|path| outputs.refuse(path))?;
    let part = |path: &PathBuf| {
        if let Some(other) = OtherKind::at_unpacked(&Place::whole(path), Kind::Rows) {
            return Err(other.into());
        }
        let name = path.display().to_string();
        let input = open(path)
            .map_err(|error| Failure::bad_input(format!("cannot read {name}: {error}")))?;
        Ok(Part { name, input })
    };
    let parts = args.results.iter().map(part).collect::<Result<_, Failure>>()?;
    let joined = batch::join(parts, args.document.document_max)?;
    write(args, joined, Exports::create(&args.exports, PartialRows::Useless)?, terminal)
}

fn write(
    args: &MergeArgs,
    joined: Joined<BufReader<File>>,
    mut exports: Exports,
    terminal: &mut Terminal,
) -> Result<Exit, Failure> {
    let format = format(args);
    let stats = joined.stats().clone();
    let mut overview = Overview::default();
    let mut lines = match format {
        BatchFormat::Text => None,
        BatchFormat::Json => Some(JsonLines::new(terminal.results())),
    };
    for row in joined {
        let row = row?;
        overview.add(&row);
        exports.write(&row)?;
        if let Some(lines) = &mut lines {
            lines.write(&row)?;
        }
    }
    let summary = overview.summary(&stats);
    exports.finish(&summary)?;
    match &mut lines {
        Some(lines) => lines.finish(&summary)?,
        None => batch::write_text(terminal.results(), &overview, &summary)?,
    }
    Ok(summary.statuses.worst().map_or(Exit::Holds, Exit::from))
}

fn format(args: &MergeArgs) -> BatchFormat {
    let is_for_people = args.exports.export_jsonl.is_some() || io::stdout().is_terminal();
    let usual = if is_for_people { BatchFormat::Text } else { BatchFormat::Json };
    args.format.unwrap_or(usual)
}

/// Files are read twice, so a pipe will not do.
fn open(path: &Path) -> io::Result<BufReader<File>> {
    let file = File::open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !kind.is_file() {
        let what = "not a file; it is read twice, so write it to a file first";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    }
    Ok(BufReader::with_capacity(1 << 16, file))
}
