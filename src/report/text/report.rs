//! The parts of the text in their order.

use std::io::{self, Write};

use super::verbosity::{Verbosity, rows};
use super::{closing, events, opening, verdicts};
use crate::model::Shown;
use crate::report::Assessment;
use crate::report::broken::BrokenSteps;
use crate::report::elide::Limit;
use crate::report::palette::TITLE;
use crate::run::Run;

/// Writes the report of `run`, with ANSI colour.
pub fn write(
    out: &mut dyn Write,
    run: &Run,
    assessment: &Assessment,
    verbosity: Verbosity,
) -> io::Result<()> {
    writeln!(out, "{TITLE}{}{TITLE:#}", Shown::name(&run.result.scenario))?;
    match verbosity {
        Verbosity::Quiet => {
            closing::result(out, &run.result, Limit::None)?;
            closing::failures(out, &run.result, assessment)?;
        }
        Verbosity::Normal | Verbosity::Verbose => {
            writeln!(out)?;
            opening::write(out, &run.result)?;
            events::write(out, run, &BrokenSteps::of(assessment), verbosity)?;
            closing::branches(out, &run.result, &assessment.agreement, verbosity)?;
            closing::heading(out, "Result")?;
            closing::result(out, &run.result, rows(verbosity))?;
            closing::ended(out, &run.result)?;
        }
    }
    if let Some(judged) = &assessment.verdicts {
        verdicts::write(out, judged, verbosity)?;
    }
    match verbosity {
        Verbosity::Quiet => {}
        Verbosity::Normal | Verbosity::Verbose => verdicts::notes(out, &assessment.notes)?,
    }
    closing::expected(out, assessment, rows(verbosity))
}
