//! One run: a System, a bank of branches, the customers of a scenario.

use thiserror::Error;

use super::RunResult;
use crate::history::Recorded;
use crate::scenario::{Scenario, Settings};

/// How to run a scenario, beyond what it says itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunOptions {
    /// What overrides the scenario's own settings.
    pub overrides: Settings,
    /// Whether facts are recorded.
    pub recording: Recording,
}

/// Whether a run records its facts. Recording costs time and memory with every message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Recording {
    /// Only the result is kept.
    #[default]
    Off,
    /// Every fact is kept.
    Facts,
}

/// What a run leaves.
#[derive(Debug, Clone)]
pub struct Run {
    /// What it came to.
    pub result: RunResult,
    /// What happened, in causal order; empty if nothing was recorded.
    pub facts: Vec<Recorded>,
}

/// Why a run did not come to its end. Each is a defect of this program.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RunError {
    /// An actor stopped before its work was done.
    #[error("an actor stopped before its work was done")]
    ActorStopped,
    /// The actors' runtime could not be had.
    #[error("cannot start the actors' runtime: {0}")]
    Runtime(String),
}

/// Runs `scenario` to its end in virtual time.
pub fn run(_scenario: &Scenario, _options: &RunOptions) -> Result<Run, RunError> {
    Err(RunError::ActorStopped)
}
