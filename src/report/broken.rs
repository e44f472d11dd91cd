//! Which steps of a run broke a guarantee, as the judge found them, and what is broken in all.

use std::collections::BTreeMap;

use super::Assessment;
use super::trace::RequestKey;
use super::words::branches;
use crate::check::{FailedStep, Promised, Property, Verdicts, WitnessKind};
use crate::model::{BranchId, Operation};

/// The steps that broke a guarantee, by request. Empty where the judge was not asked for them.
#[derive(Debug, Default)]
pub(super) struct BrokenSteps {
    by_request: BTreeMap<RequestKey, BTreeMap<Property, Broken>>,
}

/// One guarantee that a step broke.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) promised: Promised,
    /// The branches where it shows.
    pub(super) branches: Vec<BranchId>,
}

impl BrokenSteps {
    pub(super) fn of(assessment: &Assessment) -> Self {
        let failed = assessment.verdicts.iter().flat_map(|verdicts| &verdicts.failed_steps);
        let mut steps = Self::default();
        for &FailedStep { property, customer, request, branch, promised } in failed {
            let key = RequestKey { customer, number: request };
            let broken = steps.by_request.entry(key).or_default().entry(property);
            let broken = broken.or_insert(Broken { promised, branches: Vec::new() });
            broken.branches.push(branch);
        }
        steps
    }

    pub(super) fn has(&self, key: RequestKey) -> bool {
        self.by_request.contains_key(&key)
    }

    /// What the request broke, in the order of a report.
    pub(super) fn at(&self, key: RequestKey) -> impl Iterator<Item = (Property, &Broken)> {
        let broken = self.by_request.get(&key).into_iter().flatten();
        broken.map(|(&property, broken)| (property, broken))
    }

    /// In words: `breaks read your writes (not promised)`; of a write, at which branches too.
    pub(super) fn in_words(&self, key: RequestKey, operation: Operation) -> Option<String> {
        let mut texts = self.at(key).map(|(property, broken)| {
            let place = match operation {
                Operation::Write(_) => format!(" at {}", branches(&broken.branches)),
                Operation::Query => String::new(),
            };
            format!("breaks {property}{place} ({})", label(broken.promised))
        });
        let first = texts.next()?;
        Some(texts.fold(first, |text, more| format!("{text} and {more}")))
    }
}

/// What is broken in a run, in words: `read your writes broken (not promised)`.
pub(super) fn in_words(verdicts: &Verdicts) -> Vec<String> {
    let broken = verdicts.iter().filter_map(|(property, verdict)| {
        let promised = verdict.promised()?;
        let is_customers_fault = verdict.witness()?.kind == WitnessKind::IdNotUnique;
        let label = if is_customers_fault && promised == Promised::No {
            "by the customer".to_owned()
        } else {
            label(promised)
        };
        Some(format!("{property} broken ({label})"))
    });
    broken.collect()
}

/// A broken promise is the bank's fault, and is not to be overlooked.
fn label(promised: Promised) -> String {
    match promised {
        Promised::Yes => "PROMISED".to_owned(),
        Promised::No | Promised::Unknown => promised.to_string(),
    }
}
