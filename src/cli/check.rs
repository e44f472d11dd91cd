//! `passbook check`: judges recorded histories.

use std::io::BufRead;

use super::check_args::{CheckArgs, CheckFormat};
use super::check_data::check_data;
use super::check_foreign::check_foreign;
use super::exit::{Exit, Failure};
use super::history_input::HistoryInput;
use super::kept_history::KeptHistory;
use super::new_file::OutputFile;
use super::terminal::Terminal;
use crate::check::{CheckError, Verdicts, judge_history};
use crate::history::{Header, Reader};
use crate::report::judged::{self, JudgedHistory};
use crate::report::shell;

/// Judges the history that `args` name.
pub(super) fn check_history(args: &CheckArgs, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let Some(place) = &args.history else {
        let Some(path) = &args.data else { unreachable!("one of them is required") };
        return check_data(args, path, terminal);
    };
    if let Some(form) = args.from {
        return check_foreign(args, (form, place), terminal);
    }
    let page = args.export_html.as_deref();
    let (history, text) = HistoryInput::open(place, page, terminal)?;
    let page = page.map(OutputFile::create).transpose()?;
    let room = args.memory.budget().room();
    let unjudged = |error: CheckError| history.unjudged(&error, &args.memory);
    let (header, verdicts) = match page {
        // It is in memory as a whole only where it is drawn.
        Some(page) => {
            let line_max = args.document.document_max;
            let kept = KeptHistory::read(text, line_max, args.judge(), room).map_err(unjudged)?;
            let command = format!("passbook check {}", shell::file(place.name()));
            kept.write_page(page, "passbook check", &command)?;
            (kept.header, kept.verdicts)
        }
        None => judged(args, text, room).map_err(unjudged)?,
    };
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

/// What the judge says of the history in `text`.
fn judged(
    args: &CheckArgs,
    text: impl BufRead,
    bytes_max: u64,
) -> Result<(Header, Verdicts), CheckError> {
    let reader = Reader::with_line_max(text, args.document.document_max)?;
    let header = reader.header().clone();
    let verdicts = judge_history(reader, args.judge(), bytes_max)?;
    Ok((header, verdicts))
}
