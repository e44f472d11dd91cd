//! The report that a person reads: aligned, coloured by ANSI codes that the caller strips where
//! they are not wanted, and cut in the middle where it would be a flood.

mod closing;
mod events;
mod messages;
mod opening;
#[cfg(test)]
mod snapshots;
mod steps;

use std::io::{self, Write};

use super::Assessment;
use super::elide::Limit;
use super::palette::TITLE;
use crate::runner::{Recording, Run};
use crate::scenario::Scenario;

/// How much is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Verbosity {
    /// The result alone.
    Quiet,
    /// What happened at each event, as far as it can be read.
    #[default]
    Normal,
    /// Everything, with every message.
    Verbose,
}

/// Events in a scenario, up to which each is shown.
const EVENTS_MOST: usize = 200;
/// Applied writes in a whole run, up to which it is worth recording how they came about.
const APPLIES_MOST: usize = 50_000;

/// Whether a report of `scenario` needs the facts of the run.
pub fn recording(scenario: &Scenario, verbosity: Verbosity) -> Recording {
    match verbosity {
        Verbosity::Quiet => Recording::Off,
        Verbosity::Verbose => Recording::Facts,
        Verbosity::Normal => {
            let events: usize = scenario.visits.iter().map(|visit| visit.events.len()).sum();
            let applies = events.saturating_mul(scenario.roster.len());
            if events <= EVENTS_MOST && applies <= APPLIES_MOST {
                Recording::Facts
            } else {
                Recording::Off
            }
        }
    }
}

/// Writes the report of `run`, with ANSI colour.
pub fn write(
    out: &mut dyn Write,
    run: &Run,
    assessment: &Assessment,
    verbosity: Verbosity,
) -> io::Result<()> {
    writeln!(out, "{TITLE}{}{TITLE:#}", run.result.scenario)?;
    match verbosity {
        Verbosity::Quiet => closing::result(out, &run.result, Limit::None)?,
        Verbosity::Normal | Verbosity::Verbose => {
            opening::write(out, &run.result)?;
            events::write(out, run, verbosity)?;
            closing::branches(out, &run.result, &assessment.agreement, verbosity)?;
            closing::heading(out, "Result")?;
            closing::result(out, &run.result, rows(verbosity))?;
        }
    }
    closing::expected(out, assessment, rows(verbosity))
}

/// How many rows of a table are shown.
fn rows(verbosity: Verbosity) -> Limit {
    match verbosity {
        Verbosity::Quiet | Verbosity::Normal => Limit::Middle { most: 24, head: 12, tail: 4 },
        Verbosity::Verbose => Limit::None,
    }
}

/// How many ids or events are shown in one cell.
fn items(verbosity: Verbosity) -> Limit {
    match verbosity {
        Verbosity::Quiet | Verbosity::Normal => Limit::Middle { most: 5, head: 2, tail: 1 },
        Verbosity::Verbose => Limit::None,
    }
}
