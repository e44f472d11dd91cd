//! What a run shows: whether the branches agree, whether the customers saw what was expected, and
//! what the judge says.

use std::sync::Arc;

use super::{Agreement, Difference, Note, difference};
use crate::check::{Overall, Strictness, Verdicts};
use crate::model::RequestError;
use crate::run::RunResult;

/// What a result shows, worked out once for every format and for the exit code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// How the branches compare at the end.
    pub agreement: Agreement,
    /// Where the customers saw something else than the scenario expects; `None` if it expects
    /// nothing.
    pub differences: Option<Vec<Difference>>,
    /// What the judge says; `None` if it was not asked.
    pub verdicts: Option<Arc<Verdicts>>,
    /// How many requests got no answer, and branches did not say how they stand at the end.
    pub unanswered: usize,
    /// What should be known beside all that.
    pub notes: Vec<Note>,
}

impl Assessment {
    /// Assesses `result`.
    pub fn of(result: &RunResult) -> Self {
        let differences =
            result.expected.as_ref().map(|expected| difference::between(expected, result));
        let verdicts = result.verdicts.clone();
        Self {
            agreement: Agreement::of(&result.branches),
            differences,
            verdicts,
            unanswered: unanswered(result),
            notes: Note::all(result),
        }
    }

    /// Whether the run ended as it should: violated if the branches disagree or do not answer, a
    /// customer saw something else than expected, or the judge objects; undecided if less than
    /// `demand` was tested. That the expected result is met is a test of something, too.
    pub fn verdict(&self, demand: Strictness) -> Overall {
        let met = self.differences.as_ref().is_none_or(Vec::is_empty);
        let judged = self.verdicts.as_ref().map(|verdicts| verdicts.overall(demand));
        match judged {
            _ if !met || !self.agreement.is_whole() || self.unanswered > 0 => Overall::Violated,
            Some(Overall::Undecided)
                if demand == Strictness::Anything && self.differences.is_some() =>
            {
                Overall::Holds
            }
            Some(summary) => summary,
            None => Overall::Holds,
        }
    }
}

fn unanswered(result: &RunResult) -> usize {
    let requests = result.customers.iter().flat_map(|customer| &customer.requests);
    let without_answer = requests
        .filter(|request| matches!(request.outcome, Err(RequestError::NoAnswer { .. })))
        .count();
    without_answer + result.remote.as_ref().map_or(0, |remote| remote.silent.len())
}
