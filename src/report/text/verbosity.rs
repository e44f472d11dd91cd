//! How much the text says, and what a run has to record for it.

use crate::report::elide::Limit;
use crate::run::Recording;
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

/// In which order events are told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EventOrder {
    /// Customer by customer, where they come concurrently; else as it happened.
    #[default]
    Customer,
    /// As it happened, with the time of each.
    Time,
}

/// Events in a scenario, up to which each is shown.
pub(super) const EVENTS_MOST: usize = 200;
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

/// How many rows of a table are shown.
pub(super) fn rows(verbosity: Verbosity) -> Limit {
    match verbosity {
        Verbosity::Quiet | Verbosity::Normal => Limit::Middle { most: 24, head: 12, tail: 4 },
        Verbosity::Verbose => Limit::None,
    }
}

/// How many ids or events are shown in one cell.
pub(super) fn items(verbosity: Verbosity) -> Limit {
    match verbosity {
        Verbosity::Quiet | Verbosity::Normal => Limit::Middle { most: 5, head: 2, tail: 1 },
        Verbosity::Verbose => Limit::None,
    }
}

/// How many ids of a write set are shown after each write. Every write makes the set longer, so
/// that showing all of it each time would take a text that grows with the square of the run.
pub(super) fn running_items(verbosity: Verbosity) -> Limit {
    match verbosity {
        Verbosity::Quiet | Verbosity::Normal => items(verbosity),
        Verbosity::Verbose => Limit::Middle { most: 20, head: 8, tail: 8 },
    }
}
