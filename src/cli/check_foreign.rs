//! `passbook check --from`: judges histories of other programs.

use super::check_args::{CheckArgs, CheckFormat};
use super::exit::{Exit, Failure};
use super::history_input::HistoryInput;
use super::terminal::Terminal;
use crate::check::foreign::{ForeignForm, judge_foreign};
use crate::model::ByteSize;
use crate::report::foreign::{JudgedForeign, Told, write_json, write_text};
use crate::source::Kind;

/// Judges the history that `args` name, which has another program's `form`.
pub(super) fn check_foreign(
    args: &CheckArgs,
    form: ForeignForm,
    terminal: &mut Terminal,
) -> Result<Exit, Failure> {
    let kind = match form {
        ForeignForm::Plume => Kind::Plume,
        ForeignForm::Elle => Kind::Elle,
    };
    let (history, text) = HistoryInput::open_as(&args.history, kind, None, terminal)?;
    // All of it is in memory, and what is made of it takes some ten times as much.
    let room = args.document.document_max.bytes().min(args.memory.budget().room() / 10);
    let judged = judge_foreign(form, text, ByteSize::new(room));
    let verdicts = judged
        .map_err(|error| history.unfit(&format!("history of {form} that can be judged"), error))?;
    let name = history.name();
    let summary = verdicts.overall(args.demand());
    let judged = JudgedForeign { name: &name, form, verdicts: &verdicts, summary };
    let width = terminal.width();
    match args.format {
        CheckFormat::Text => {
            let told = if args.quiet { Told::WhatIsWrong } else { Told::All };
            write_text(terminal.results(), &judged, told, width)?;
        }
        CheckFormat::Json => write_json(terminal.results(), &judged)?,
    }
    Ok(summary.into())
}
