//! One seed: its scenario, run and judged.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::finding::{Finding, Violated};
use super::load::Load;
use super::shrink::{LIMIT, ShrinkError, Shrunk, Target, shrink};
use crate::run::{Run, RunOptions, Runner};
use crate::scenario::Settings;

/// What is tried with each seed.
#[derive(Debug, Clone)]
pub struct Trial {
    load: Load,
    options: RunOptions,
}

impl Trial {
    /// `load`, where `overrides` take the place of what it says of how to run it. The seed of each
    /// run is the one that is tried.
    pub fn new(load: Load, overrides: Settings) -> Self {
        let overrides = Settings { seed: None, ..overrides };
        Self { load, options: RunOptions { overrides, ..RunOptions::default() } }
    }

    /// What is run.
    pub fn load(&self) -> &Load {
        &self.load
    }

    /// How it is run.
    pub fn options(&self) -> &RunOptions {
        &self.options
    }

    /// Runs the scenario of `seed`. A run that panics is a finding, and so is one that ends with an
    /// error.
    pub(super) fn run(&self, runner: &mut Runner, seed: u64) -> (Option<Run>, Option<Finding>) {
        let scenario = self.load.scenario(seed);
        // A runner keeps nothing of a run that panicked.
        let run = catch_unwind(AssertUnwindSafe(|| runner.run(&scenario, &self.options, None)));
        match run {
            Ok(Ok(run)) => {
                let verdicts = run.result.verdicts.as_deref();
                let finding = verdicts.and_then(Violated::first_of).map(Finding::Violated);
                (Some(run), finding)
            }
            Ok(Err(error)) => (None, Some(Finding::Failed { problem: error.to_string() })),
            Err(panic) => (None, Some(Finding::Failed { problem: panicked(&*panic) })),
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

fn panicked(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the run panicked: {}", text.unwrap_or("no message"))
}
