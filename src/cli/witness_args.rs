//! How much is shown of what is violated.

use std::num::NonZeroUsize;

use clap::Args;

use super::number::{COUNT, whole};
use crate::check::JudgeOptions;

/// How much is shown of what is violated.
#[derive(Debug, Args)]
pub(super) struct WitnessArgs {
    /// How many violations of each property to show: the first so many, in the order in which
    /// customers asked
    #[arg(long, value_name = "N", default_value_t = NonZeroUsize::MIN)]
    #[arg(value_parser = whole(COUNT))]
    witnesses: NonZeroUsize,
}

impl WitnessArgs {
    /// What is wanted of the judge.
    pub(super) fn options(&self) -> JudgeOptions {
        JudgeOptions { witnesses: self.witnesses, ..JudgeOptions::default() }
    }
}
