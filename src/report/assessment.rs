//! What a run shows: whether the branches agree, and whether the customers saw what was expected.

use super::{Agreement, Difference, difference};
use crate::runner::RunResult;

/// What a result shows, worked out once for every format and for the exit code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// How the branches compare at the end.
    pub agreement: Agreement,
    /// Where the customers saw something else than the scenario expects; `None` if it expects
    /// nothing.
    pub differences: Option<Vec<Difference>>,
}

/// Whether a run came to what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The branches agree, and the expected result is met.
    Holds,
    /// The branches disagree, or a customer saw something else than expected.
    Violated,
}

impl Assessment {
    /// Assesses `result`.
    pub fn of(result: &RunResult) -> Self {
        let differences =
            result.expected.as_ref().map(|expected| difference::between(expected, result));
        Self { agreement: Agreement::of(&result.branches), differences }
    }

    /// The verdict.
    pub fn verdict(&self) -> Verdict {
        let met = self.differences.as_ref().is_none_or(Vec::is_empty);
        if met && self.agreement.is_whole() { Verdict::Holds } else { Verdict::Violated }
    }
}
