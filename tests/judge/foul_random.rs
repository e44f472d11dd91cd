//! Thousands of random histories in foul weather, sound and damaged, whole and cut off: the judge says
//! what the reference says. `PASSBOOK_JUDGE_CASES` asks for more of them.

use std::collections::BTreeMap;
use std::env;
use std::num::NonZeroUsize;

use passbook::check::{JudgeOptions, Overall, Promised, Property, StepsKept, WitnessKind};
use passbook::history::Fact;
use passbook::model::Roster;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::foul_tales::foul_tales;
use crate::generate::damages;
use crate::history_builder::branch;
use crate::random::{config, found};
use crate::reference::{self, End};

fn cases(usual: u32) -> Config {
    let asked = env::var("PASSBOOK_JUDGE_CASES").ok();
    config(asked.map_or(usual, |text| text.parse().expect("a number of cases")))
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn the_judge_agrees_with_the_reference_in_foul_weather(history in foul_tales()) {
        // That each witness is told, too.
        let mut options = JudgeOptions::default();
        (options.witnesses, options.steps) = (NonZeroUsize::MAX, StepsKept::All);
        let verdicts = history.judge_with(options);
        prop_assert_eq!(found(verdicts), reference::judge(&history, End::Known));
    }

    #[test]
    fn the_judge_agrees_with_the_reference_where_the_end_is_lost(
        history in foul_tales(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut history = history;
        history.facts.truncate(cut.index(history.facts.len() + 1));
        prop_assert_eq!(found(history.judge_cut_off()), reference::judge(&history, End::Lost));
    }

    #[test]
    fn the_judge_agrees_with_the_reference_on_damaged_foul_histories(
        history in foul_tales(),
        damage in prop::collection::vec(damages(), 1..4),
    ) {
        let mut history = history;
        for damage in damage {
            history.damage(damage);
        }
        prop_assert_eq!(found(history.judge()), reference::judge(&history, End::Known));
    }

    /// A bank of many branches keeps positions in another way.
    #[test]
    fn the_judge_agrees_with_the_reference_in_a_large_bank_in_foul_weather(
        history in foul_tales(),
    ) {
        let mut history = history;
        history.roster = Roster::new((1..=70).map(branch)).unwrap().into();
        prop_assert_eq!(found(history.judge()), reference::judge(&history, End::Known));
    }

    /// What speaks of the past is decided, whatever comes after it.
    #[test]
    fn a_guarantee_that_is_violated_stays_so(
        history in foul_tales(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut before = history.clone();
        before.facts.truncate(cut.index(history.facts.len() + 1));
        let before = before.judge_cut_off().unwrap();
        let after = history.judge().unwrap();
        for property in Property::ALL.into_iter().filter(|of| of.is_session_guarantee()) {
            let failed = |verdicts: &passbook::check::Verdicts| {
                verdicts.of(property).unwrap().violations().total()
            };
            prop_assert!(failed(&before) <= failed(&after), "{property}");
        }
    }
}

#[test]
fn foul_histories_hold_all_that_can_go_wrong_and_much_that_goes_well() {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[5; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let mut count = |what: String| *seen.entry(what).or_insert(0) += 1;
    for _ in 0..4000 {
        let history = foul_tales().new_tree(&mut runner).unwrap().current();
        let mut options = JudgeOptions::default();
        options.witnesses = NonZeroUsize::MAX;
        let verdicts = history.judge_with(options).expect("an undamaged history is possible");
        for (property, verdict) in verdicts.iter() {
            count(format!("{property} {:?}", verdict.summary()));
            for witness in verdict.witnesses() {
                count(format!("{:?} {:?}", witness.kind, witness.promised));
            }
        }
        if history.facts.iter().any(|recorded| matches!(recorded.fact, Fact::RequestGivenUp { .. }))
        {
            count("given up".to_owned());
        }
    }
    let of = |what: &str| seen.get(what).copied().unwrap_or(0);
    for property in Property::ALL.into_iter().filter(|property| *property != Property::Balances) {
        for summary in [Overall::Holds, Overall::Violated] {
            let what = format!("{property} {summary:?}");
            assert!(of(&what) > 100, "{what}: {}", of(&what));
        }
    }
    for (kind, promised) in [
        (WitnessKind::Lost, Promised::Yes),
        (WitnessKind::Lost, Promised::No),
        (WitnessKind::Lost, Promised::Unknown),
        (WitnessKind::Missing, Promised::Yes),
        (WitnessKind::ToldWrongly, Promised::Yes),
        (WitnessKind::ToldWrongly, Promised::No),
        (WitnessKind::BelowZero, Promised::No),
        (WitnessKind::RefusedButApplied, Promised::Yes),
    ] {
        let what = format!("{kind:?} {promised:?}");
        assert!(of(&what) > 20, "{what}: {}", of(&what));
    }
    assert!(of("given up") > 1000);
}
