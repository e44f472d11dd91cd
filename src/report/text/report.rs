//! The parts of the text in their order.

use std::io::{self, Write};

use super::verbosity::{EventOrder, Verbosity, rows};
use super::{closing, events, opening, verdicts, weather};
use crate::model::Shown;
use crate::report::Assessment;
use crate::report::broken::BrokenSteps;
use crate::report::elide::Limit;
use crate::report::fold::Width;
use crate::report::palette::TITLE;
use crate::run::Run;

/// How a report is written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Telling {
    /// How much it says.
    pub verbosity: Verbosity,
    /// In which order it says it.
    pub order: EventOrder,
    /// How wide it is.
    pub width: Width,
}

/// Writes the report of `run`, with ANSI colour.
pub fn write(
    out: &mut dyn Write,
    run: &Run,
    assessment: &Assessment,
    telling: &Telling,
) -> io::Result<()> {
    telling.width.fold(out, |out| write_wide(out, run, assessment, telling))
}

/// The same, with tables as wide as they are.
fn write_wide(
    out: &mut dyn Write,
    run: &Run,
    assessment: &Assessment,
    telling: &Telling,
) -> io::Result<()> {
    let &Telling { verbosity, order, width } = telling;
    let width = width.of_sentences();
    writeln!(out, "{TITLE}{}{TITLE:#}", Shown::name(&run.result.scenario))?;
    match verbosity {
        Verbosity::Quiet => {
            closing::result(out, &run.result, Limit::None)?;
            closing::failures(out, &run.result, assessment)?;
        }
        Verbosity::Normal | Verbosity::Verbose => {
            writeln!(out)?;
            opening::write(out, &run.result, width)?;
            events::write(out, run, &BrokenSteps::of(assessment), (verbosity, order))?;
            closing::branches(out, &run.result, &assessment.agreement, verbosity)?;
            closing::heading(out, "Result")?;
            closing::result(out, &run.result, rows(verbosity))?;
            closing::ended(out, &run.result)?;
            weather::write(out, &run.result, rows(verbosity))?;
        }
    }
    if let Some(judged) = &assessment.verdicts {
        verdicts::write(out, judged, verbosity, width)?;
    }
    match verbosity {
        Verbosity::Quiet => {}
        Verbosity::Normal | Verbosity::Verbose => verdicts::notes(out, &assessment.notes, width)?,
    }
    closing::expected(out, assessment, rows(verbosity))
}
