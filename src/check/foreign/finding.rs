//! What is said of a history of another program.

use std::io;

use serde::Serialize;
use thiserror::Error;

use crate::check::{Overall, Property, Strictness};
use crate::model::ByteSize;

/// Why nothing is said.
#[derive(Debug, Error)]
pub(crate) enum ForeignError {
    #[error("line {line}: {problem}")]
    Malformed { line: u64, problem: String },
    #[error("it is larger than {limit}; --document-max allows more")]
    TooLarge { limit: ByteSize },
    #[error("{0}")]
    Unreadable(#[from] io::Error),
}

/// What is said of one guarantee.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Finding {
    /// How many tests there were.
    pub(crate) tested: u64,
    /// How many of them failed.
    pub(crate) failed: u64,
    /// The first that failed.
    pub(crate) witness: Option<ForeignWitness>,
}

/// What shows that a guarantee is broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ForeignWitness {
    /// The line of the read that shows it, from 1.
    pub(crate) line: u64,
    pub(crate) sentence: String,
}

/// What is said of the four guarantees.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ForeignVerdicts {
    findings: [Finding; GUARANTEES.len()],
    /// What cannot be decided, and why: a sentence each.
    pub(crate) undecided: Vec<String>,
}

const GUARANTEES: [Property; 4] = [
    Property::ReadYourWrites,
    Property::MonotonicReads,
    Property::MonotonicWrites,
    Property::WritesFollowReads,
];

impl Finding {
    pub(crate) const fn verdict(&self) -> Overall {
        match (self.tested, self.failed) {
            (0, _) => Overall::Undecided,
            (_, 0) => Overall::Holds,
            (_, _) => Overall::Violated,
        }
    }
}

impl ForeignVerdicts {
    /// Nothing is decided, for this reason.
    pub(super) fn none(reason: String) -> Self {
        Self { undecided: vec![reason], ..Self::default() }
    }

    /// The four guarantees in the order of a report.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Property, &Finding)> {
        GUARANTEES.into_iter().zip(&self.findings)
    }

    /// Counts a test of `guarantee`. `failure` is what shows, and on which line, that it failed.
    pub(super) fn test(
        &mut self,
        guarantee: Property,
        failure: Option<(u64, impl FnOnce() -> String)>,
    ) {
        let place = GUARANTEES.iter().position(|&one| one == guarantee);
        let Some(finding) = place.and_then(|place| self.findings.get_mut(place)) else { return };
        finding.tested += 1;
        if let Some((line, sentence)) = failure {
            finding.failed += 1;
            let is_first = finding.witness.as_ref().is_none_or(|first| line < first.line);
            if is_first {
                finding.witness = Some(ForeignWitness { line, sentence: sentence() });
            }
        }
    }

    /// The verdict on the whole: violated if any is; undecided if less than `demand` was tested.
    pub(crate) fn overall(&self, demand: Strictness) -> Overall {
        let mut tested = self.findings.iter().map(|finding| finding.tested > 0);
        let is_met = match demand {
            Strictness::Anything | Strictness::AGuarantee => tested.any(|is_tested| is_tested),
            Strictness::Everything => tested.all(|is_tested| is_tested),
        };
        if self.findings.iter().any(|finding| finding.failed > 0) {
            Overall::Violated
        } else if is_met {
            Overall::Holds
        } else {
            Overall::Undecided
        }
    }
}
