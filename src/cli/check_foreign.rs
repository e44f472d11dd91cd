//! `passbook check --from`: judges histories of other programs.

use super::check_args::{CheckArgs, CheckFormat};
use super::exit::{Exit, Failure};
use super::history_input::HistoryInput;
use super::terminal::Terminal;
use crate::check::foreign::{ForeignError, ForeignForm, judge_foreign};
use crate::report::foreign::{JudgedForeign, Told, write_json, write_text};
use crate::source::Kind;
use crate::source::Place;

/// Judges the history that `args` name, which has another program's `form`.
pub(super) fn check_foreign(
    args: &CheckArgs,
    (form, place): (ForeignForm, &Place),
    terminal: &mut Terminal,
) -> Result<Exit, Failure> {
    let kind = match form {
        ForeignForm::Plume => Kind::Plume,
        ForeignForm::Elle => Kind::Elle,
    };
    let (history, text) = HistoryInput::open_as(place, kind, None, terminal)?;
    let document_max = args.document.document_max;
    let fits = form.text_max(args.memory.budget().room());
    let judged = judge_foreign(form, text, document_max.min(fits));
    let verdicts = judged.map_err(|error| match error {
        // All of it is in memory, with what is made of it.
        ForeignError::TooLarge { .. } if fits < document_max => Failure::bad_input(format!(
            "{} is not judged: more than {fits} of text may take more memory than there is for it; \
             use a shorter history, or allow more with --memory-max",
            history.name()
        )),
        ForeignError::TooLarge { .. }
        | ForeignError::Malformed { .. }
        | ForeignError::Unreadable(_) => {
            history.unfit(&format!("history of {form} that can be judged"), error)
        }
    })?;
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
