//! What is asked of the judge of histories by hand, in short words.

use passbook::check::{Property, Verdict, Witness};
use passbook::history::{Fact, Recorded, Terms};
use passbook::model::{GuaranteePolicy, Life, Overdraft, Propagation, Sequence};

use crate::history_builder::{HistoryBuilder, branch};

pub(crate) fn verdict(history: &HistoryBuilder, property: Property) -> Verdict {
    history.judge().unwrap().of(property).expect("judged").clone()
}

pub(crate) fn witness(history: &HistoryBuilder, property: Property) -> Witness {
    verdict(history, property).witness().expect("violated").clone()
}

/// How many tests there were, and how many failed.
pub(crate) fn counts(history: &HistoryBuilder, property: Property) -> (u64, u64) {
    let verdict = verdict(history, property);
    (verdict.tested(), verdict.violations().total())
}

pub(crate) fn lost(history: &HistoryBuilder) -> u64 {
    history.judge().unwrap().lost
}

pub(crate) fn terms(propagation: Propagation, overdraft: Overdraft) -> Option<Terms> {
    let guarantees = GuaranteePolicy { all: "all".parse().unwrap(), ..GuaranteePolicy::default() };
    Some(Terms::new(guarantees, propagation, overdraft))
}

pub(crate) fn bank(branches: u32, propagation: Propagation) -> HistoryBuilder {
    HistoryBuilder::new(branches, 0).promising(terms(propagation, Overdraft::Allow))
}

/// The last apply, under this number of a life of branch 1.
pub(crate) fn numbered(history: &mut HistoryBuilder, lived: Option<u64>, number: u32) {
    let Some(Recorded { fact: Fact::WriteApplied { origin, life, sequence, .. }, .. }) =
        history.facts.last_mut()
    else {
        panic!("an apply");
    };
    (*origin, *life, *sequence) = (branch(1), lived.map(Life::new), Sequence::new(number));
}
