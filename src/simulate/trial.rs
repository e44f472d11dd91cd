//! One seed: its scenario, run and judged.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;

use super::finding::Violated;
use super::load::Load;
use super::shrink::{LIMIT, ShrinkError, Shrunk, Target, shrink};
use crate::run::{Rest, Run, RunError, RunOptions, Runner, panic_message};
use crate::scenario::Settings;

/// What is tried with each seed.
#[derive(Debug, Clone)]
pub struct Trial {
    load: Load,
    options: RunOptions,
}

/// How the run of a seed ended.
pub(super) enum Outcome {
    /// In good order.
    Ended(Box<Run>),
    /// With an error, or a panic: a defect of this program.
    Failed {
        /// Why, in words.
        problem: String,
    },
    /// It was told to stop.
    Stopped,
}

impl Trial {
    /// `load`, where `overrides` take the place of what it says of how to run it. The seed of each
    /// run is the one that is tried.
    pub fn new(load: Load, overrides: Settings) -> Self {
        let overrides = Settings { seed: None, ..overrides };
        let rest = Rest::Looked;
        Self { load, options: RunOptions { overrides, rest, ..RunOptions::default() } }
    }

    /// What is run.
    pub fn load(&self) -> &Load {
        &self.load
    }

    /// How it is run.
    pub fn options(&self) -> &RunOptions {
        &self.options
    }

    /// Runs the scenario of `seed`, unless `stop` is set before the end.
    pub(super) fn run(&self, runner: &mut Runner, seed: u64, stop: &AtomicBool) -> Outcome {
        let scenario = self.load.scenario(seed);
        let run = || runner.run_unless_stopped(&scenario, &self.options, stop);
        // A runner keeps nothing of a run that panicked.
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(Ok(run)) => Outcome::Ended(Box::new(run)),
            Ok(Err(RunError::Stopped)) => Outcome::Stopped,
            Ok(Err(error)) => Outcome::Failed { problem: error.to_string() },
            Err(panic) => {
                Outcome::Failed { problem: format!("the run panicked: {}", panic_message(&*panic)) }
            }
        }
    }

    /// The smallest scenario that still shows what `violated` says of `seed`.
    pub fn shrunk(&self, seed: u64, violated: &Violated) -> Result<Shrunk, ShrinkError> {
        let mut scenario = self.load.scenario(seed);
        scenario.settings = scenario.settings.overridden_by(&self.options.overrides);
        let &Violated { property, promised, .. } = violated;
        let target = Target { property, promised };
        shrink(&scenario, target, &mut Runner::default(), Some(LIMIT))
    }
}
