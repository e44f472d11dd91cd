//! `passbook check --from`: judges histories of other programs.

use std::io::BufReader;

use super::check_args::{CheckArgs, CheckFormat};
use super::exit::{Exit, Failure};
use super::terminal::Terminal;
use crate::check::foreign::{ForeignForm, judge_foreign};
use crate::model::ByteSize;
use crate::report::foreign::{JudgedForeign, Told, write_json, write_text};
use crate::source::Outputs;

/// Judges the history that `args` name, which has another program's `form`.
pub(super) fn check_foreign(
    args: &CheckArgs,
    form: ForeignForm,
    terminal: &mut Terminal,
) -> Result<Exit, Failure> {
    Outputs::new([])?.refuse(args.history.path())?;
    let name = args.history.name();
    terminal.before_reading(&args.history, "a history");
    let opened = args.history.open();
    let opened =
        opened.map_err(|error| Failure::bad_input(format!("cannot read {name}: {error}")))?;
    // All of it is in memory, and what is made of it takes some ten times as much.
    let room = args.document.document_max.bytes().min(args.memory.budget().room() / 10);
    let judged = judge_foreign(form, BufReader::new(opened.text), ByteSize::new(room));
    let verdicts = judged.map_err(|error| {
        Failure::bad_input(format!("{name} is no history of {form} that can be judged: {error}"))
    })?;
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
