//! The arguments on which the row of a scenario depends, wherever it is made.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;

use super::document_args::DocumentArgs;
use super::memory_args::MemoryArgs;
use super::settings_args::SettingsArgs;
use crate::batch::{Filter, Job, RowLines};
use crate::check::{JudgeOptions, Strictness};
use crate::run::{Chances, Judging, MemoryBudget, Recording, Rest, RunOptions};

#[derive(Debug, Args)]
pub(super) struct RowArgs {
    #[command(flatten)]
    pub(super) document: DocumentArgs,

    #[command(flatten)]
    pub(super) settings: SettingsArgs,

    #[command(flatten)]
    pub(super) memory: MemoryArgs,

    /// Do not judge the runs
    #[arg(long)]
    no_check: bool,

    /// Take a scenario for undecided where any property had nothing to test
    #[arg(long, conflicts_with = "no_check")]
    strict: bool,
}

impl RowArgs {
    pub(super) fn demand(&self) -> Strictness {
        if self.strict { Strictness::Everything } else { Strictness::Anything }
    }

    pub(super) fn judging(&self) -> Judging {
        if self.no_check { Judging::Off } else { Judging::On }
    }

    /// What is done with each scenario; nothing is left of it but its row.
    pub(super) fn job(&self, filters: Vec<Filter>, memory: MemoryBudget, lines: RowLines) -> Job {
        Job {
            options: RunOptions {
                overrides: self.settings.overrides(),
                recording: Recording::Off,
                judging: self.judging(),
                judge: JudgeOptions::default(),
                chances: Chances::Forgotten,
                rest: Rest::Taken,
            },
            memory,
            allowed: None,
            demand: self.demand(),
            replay: Arc::from(self.replay_options()),
            filters,
            only: None,
            histories: None,
            draws: AtomicBool::new(false),
            document_max: self.document.document_max,
            lines,
        }
    }

    /// The options after `passbook run` that run one of the scenarios again as it was.
    pub(super) fn replay_options(&self) -> String {
        let mut options = self.settings.options();
        options.extend(self.document.options());
        options.extend(self.settings.overrides().seed.map(|seed| format!("--seed {seed}")));
        options.extend(self.memory.option());
        options.extend(self.no_check.then(|| "--no-check".to_owned()));
        options.extend(self.strict.then(|| "--strict".to_owned()));
        options.join(" ")
    }
}
