//! Thousands of random histories, sound and damaged: the judge says what the reference says.

use std::num::NonZeroUsize;

use passbook::check::{ByProperty, JudgeError, JudgeOptions, Overall, Property, Verdict, Verdicts};
use passbook::history::{Fact, Recorded};
use passbook::model::{BranchId, Operation, WriteId};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::generate::{Style, damages, styles, tales};
use crate::history_builder::HistoryBuilder;
use crate::reference::{self, End, Found};

pub(crate) fn config(cases: u32) -> Config {
    Config { cases, failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() }
}

/// What the judge found; `None` where there is an error.
pub(crate) fn found(verdicts: Result<Verdicts, JudgeError>) -> Option<Found> {
    let verdicts = verdicts.ok()?;
    let counts = verdicts.iter().map(|(_, verdict)| (verdict.tests(), verdict.violations()));
    Some(Found { counts: counts.collect(), lost: verdicts.lost })
}

proptest! {
    #![proptest_config(config(20_000))]

    #[test]
    fn the_judge_agrees_with_the_reference(history in styles().prop_flat_map(tales)) {
        prop_assert_eq!(found(history.judge()), reference::judge(&history, End::Known));
    }

    #[test]
    fn the_judge_agrees_with_the_reference_on_damaged_histories(
        history in styles().prop_flat_map(tales),
        damage in prop::collection::vec(damages(), 1..4),
    ) {
        let mut history = history;
        for damage in damage {
            history.damage(damage);
        }
        prop_assert_eq!(found(history.judge()), reference::judge(&history, End::Known));
    }
}

/// The order in which a branch applied writes, as the facts tell it.
fn log(history: &HistoryBuilder, at: BranchId) -> Vec<WriteId> {
    let id = |recorded: &Recorded| {
        if let Fact::WriteApplied { branch, id, .. } = recorded.fact {
            (branch == at).then_some(id)
        } else {
            None
        }
    };
    history.facts.iter().filter_map(id).collect()
}

proptest! {
    #![proptest_config(config(5000))]

    #[test]
    fn a_witness_points_at_what_is_missing(history in tales(Style::Unordered)) {
        let verdicts = history.judge().unwrap();
        let session = verdicts.iter().filter(|(property, _)| property.is_session_guarantee());
        for (property, witness) in session.filter_map(|(p, v)| Some((p, v.witness()?))) {
            let log = log(&history, witness.branch);
            let (earlier, later) = (witness.earlier.unwrap(), witness.later.unwrap());
            let limit = usize::try_from(later.position.unwrap().get()).unwrap();
            prop_assert!(earlier.request < later.request, "{property}: {witness}");
            // A read saw the first `limit` writes; a write is itself the one at `limit`.
            prop_assert!(!log[..limit].contains(&witness.write.unwrap()), "{property}: {witness}");
            match (property, later.operation) {
                (Property::ReadYourWrites | Property::MonotonicReads, Operation::Query) => {
                    prop_assert_eq!(later.branch, witness.branch);
                }
                (_, Operation::Write(_)) => {
                    let id = WriteId { customer: witness.customer.unwrap(), event: later.event };
                    prop_assert_eq!(log[limit - 1], id);
                }
                (_, Operation::Query) => prop_assert!(false, "{property}: {witness}"),
            }
        }
    }
}

proptest! {
    #![proptest_config(config(2000))]

    #[test]
    fn every_verdict_reads_back_as_it_was_written(history in styles().prop_flat_map(tales)) {
        let mut options = JudgeOptions::default();
        options.witnesses = NonZeroUsize::MAX;
        let verdicts = history.judge_with(options).unwrap().by_property;
        let text = serde_json::to_string(&verdicts).unwrap();
        prop_assert_eq!(serde_json::from_str::<ByProperty<Verdict>>(&text).unwrap(), verdicts);
    }
}

/// How often, of 2,000 histories of a style, each property has each verdict.
fn shares(style: Style) -> Vec<(Property, [usize; 3])> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    // No history of these says whether its bank settled.
    let all = Property::ALL.into_iter().filter(|property| *property != Property::Settles);
    let mut counts: Vec<_> = all.map(|property| (property, [0; 3])).collect();
    for _ in 0..2000 {
        let history = tales(style).new_tree(&mut runner).unwrap().current();
        let verdicts = history.judge().expect("an undamaged history is possible");
        for (property, verdict) in verdicts.iter() {
            let counts = &mut counts.iter_mut().find(|(of, _)| *of == property).unwrap().1;
            match verdict.summary() {
                Overall::Holds => counts[0] += 1,
                Overall::Violated => counts[1] += 1,
                Overall::Undecided => counts[2] += 1,
            }
        }
    }
    counts
}

#[test]
fn a_prompt_bank_violates_nothing_and_is_mostly_decided() {
    // The banks of these tales refuse no withdrawal.
    let shares = shares(Style::Prompt).into_iter();
    let shares = shares.filter(|(property, _)| *property != Property::NoOverdraft);
    for (property, [holds, violated, undecided]) in shares {
        assert_eq!(violated, 0, "{property}");
        assert!(holds > undecided, "{property}: {holds} hold, {undecided} undecided");
    }
}

#[test]
fn late_and_unordered_banks_violate_each_guarantee_and_also_keep_it() {
    for (property, [holds, violated, _]) in shares(Style::Unordered) {
        if property != Property::Balances {
            assert!(violated > 200 || !property.is_session_guarantee(), "{property}: {violated}");
            assert!(violated > 50, "{property}: {violated}");
        }
        assert!(holds > 200, "{property}: {holds}");
    }
}

#[test]
fn an_odd_bank_violates_what_the_whole_bank_owes() {
    for (property, [_, violated, _]) in shares(Style::Odd) {
        if property != Property::Balances {
            assert!(violated > 100, "{property}: {violated}");
        }
    }
}
