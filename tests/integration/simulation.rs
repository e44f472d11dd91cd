//! Whole runs in simulated time: random scenarios, latencies and seeds, under every set of
//! guarantees, judged from their facts alone.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroU32;
use std::time::Duration;

use passbook::check::{JudgeOptions, Overall, Property, Verdicts, judge_history};
use passbook::history::Reader;
use passbook::model::{
    CustomerOrder, Guarantee, Guarantees, Operation, Overdraft, Propagation, RequestError, Seed,
    Time,
};
use passbook::network::Latency;
use passbook::run::{Judging, Recording, Run, RunOptions, Runner, run};
use passbook::scenario::generate::{Between, GenerateOptions, Generator};
use passbook::scenario::{Scenario, Settings};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::support::parts::{branch, customer, deposit, event, withdraw};
use crate::support::scenarios::{any_scenario, scenario};

const PROPERTIES: [(Guarantee, Property); 4] = [
    (Guarantee::ReadYourWrites, Property::ReadYourWrites),
    (Guarantee::MonotonicReads, Property::MonotonicReads),
    (Guarantee::MonotonicWrites, Property::MonotonicWrites),
    (Guarantee::WritesFollowReads, Property::WritesFollowReads),
];
const OF_THE_BANK: [Property; 3] =
    [Property::Balances, Property::Convergence, Property::ExactlyOnce];

/// `scenario` as a careful customer would have it: no event id names two different writes. Where
/// propagation is async and nothing is promised, two branches could accept one each.
fn careful(mut scenario: Scenario) -> Scenario {
    let mut named = BTreeMap::new();
    for visit in &mut scenario.visits {
        let customer = visit.customer;
        visit.events.retain(|event| match event.operation {
            Operation::Query => true,
            Operation::Write(write) => *named.entry((customer, event.id)).or_insert(write) == write,
        });
    }
    scenario
}

/// All sixteen.
fn every_set() -> impl Iterator<Item = Guarantees> {
    (0..16_u32).map(|bits| {
        let chosen = Guarantee::ALL.iter().enumerate().filter(|(place, _)| bits >> place & 1 == 1);
        chosen.fold(Guarantees::NONE, |set, (_, &guarantee)| set.with(guarantee))
    })
}

fn any_latency() -> impl Strategy<Value = Latency> {
    let ms = |range: std::ops::Range<u64>| range.prop_map(Duration::from_millis);
    prop_oneof![
        Just(Latency::None),
        ms(1..50).prop_map(Latency::Constant),
        (ms(0..5), ms(5..50)).prop_map(|(min, max)| Latency::Uniform { min, max }),
        ms(1..30).prop_map(Latency::Exponential),
    ]
}

/// What is drawn beside the scenario.
fn any_settings() -> impl Strategy<Value = Settings> {
    let orders = prop_oneof![Just(CustomerOrder::InOrder), Just(CustomerOrder::Concurrent)];
    let overdrafts = prop_oneof![Just(Overdraft::Allow), Just(Overdraft::Reject)];
    (any_latency(), any::<u64>(), orders, overdrafts).prop_map(
        |(latency, seed, customers, overdraft)| Settings {
            latency: Some(latency),
            seed: Some(Seed(seed)),
            customers: Some(customers),
            overdraft: Some(overdraft),
            ..Settings::default()
        },
    )
}

fn run_with(scenario: &Scenario, overrides: Settings) -> Run {
    run(scenario, &RunOptions { overrides, ..RunOptions::default() }).expect("it runs to its end")
}

fn verdicts(run: &Run) -> &Verdicts {
    run.result.verdicts.as_ref().expect("a run is judged")
}

fn is_violated(run: &Run, property: Property) -> bool {
    verdicts(run).of(property).expect("judged").summary() == Overall::Violated
}

/// What must hold of any run, whatever is promised.
fn check(run: &Run, promised: Guarantees) -> Result<(), TestCaseError> {
    for property in OF_THE_BANK {
        prop_assert!(
            !is_violated(run, property),
            "{property}: {:?}",
            verdicts(run).of(property).expect("judged")
        );
    }
    for (guarantee, property) in PROPERTIES {
        let verdict = verdicts(run).of(property).expect("judged");
        prop_assert!(
            !promised.has(guarantee) || verdict.summary() != Overall::Violated,
            "{promised} promised, {property}: {verdict:?}"
        );
    }
    let first = &run.result.branches[0];
    for branch in &run.result.branches {
        prop_assert_eq!(branch.balance, first.balance);
        prop_assert_eq!(branch.log.len(), first.log.len());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_is_promised_holds_and_all_branches_converge(
        scenario in any_scenario().prop_map(careful),
        settings in any_settings(),
    ) {
        for propagation in [Propagation::Sync, Propagation::Async] {
            for promised in every_set() {
                let overrides = Settings {
                    propagation: Some(propagation),
                    guarantees: Some(promised),
                    ..settings.clone()
                };
                check(&run_with(&scenario, overrides), promised)?;
            }
        }
    }

    #[test]
    fn in_a_bank_of_many_branches_it_holds_too(
        seed in any::<u64>(),
        settings in any_settings(),
        promised in 0..16_usize,
    ) {
        let many = |number| Between::only(NonZeroU32::new(number).expect("more than none"));
        let options = GenerateOptions {
            seed: Seed(seed),
            branches: many(24),
            customers: many(4),
            events: many(12),
            ..GenerateOptions::default()
        };
        let scenario = Generator::new(options).expect("possible").scenario(1);
        for propagation in [Propagation::Sync, Propagation::Async] {
            let promised = every_set().nth(promised).expect("there are sixteen");
            let overrides = Settings {
                propagation: Some(propagation),
                guarantees: Some(promised),
                ..settings.clone()
            };
            check(&run_with(&scenario, overrides), promised)?;
        }
    }

    #[test]
    fn sync_propagation_with_customers_in_order_breaks_nothing(
        scenario in any_scenario(),
        latency in any_latency(),
    ) {
        let overrides = Settings {
            guarantees: Some(Guarantees::NONE),
            latency: Some(latency),
            ..Settings::default()
        };
        check(&run_with(&scenario, overrides), Guarantees::ALL)?;
    }

    /// Banks of other sizes, with and without lag, after each other: each as if it came first.
    #[test]
    fn no_run_knows_of_those_before_it(
        scenarios in prop::collection::vec((any_scenario().prop_map(careful), any_settings()), 2..6),
    ) {
        let mut runner = Runner::default();
        for (scenario, overrides) in scenarios {
            let recording = Recording::Facts;
            let options = RunOptions { overrides, recording, ..RunOptions::default() };
            let told = runner.run(&scenario, &options, None).expect("it runs to its end");
            let alone = run(&scenario, &options).expect("it runs to its end");
            prop_assert_eq!(told.result, alone.result);
            prop_assert_eq!(told.facts, alone.facts);
        }
    }

    #[test]
    fn the_same_seed_leaves_the_same_history_byte_for_byte(
        scenario in any_scenario().prop_map(careful),
        settings in any_settings(),
        promised in 0..16_usize,
    ) {
        let overrides = Settings {
            propagation: Some(Propagation::Async),
            guarantees: every_set().nth(promised),
            ..settings
        };
        let options = RunOptions { overrides, ..RunOptions::default() };
        let folder = tempfile::tempdir().expect("a folder");
        // The second run comes after the first on the same stage, and knows nothing of it.
        let mut runner = Runner::default();
        let mut record = |name: &str| {
            let path = folder.path().join(name);
            let file = fs::File::create(&path).expect("a file");
            let history = Box::new(std::io::BufWriter::new(file));
            let run = runner.run(&scenario, &options, Some(history));
            (run.expect("it runs to its end"), fs::read(path).expect("a history"))
        };
        let (once, first) = record("once");
        let (again, second) = record("again");
        prop_assert_eq!(&once.result, &again.result);
        prop_assert!(first == second, "two histories of one seed differ");
        // Judged from the file, it gets the verdicts that it got while it ran.
        let reader = Reader::new(first.as_slice()).expect("a history");
        prop_assert_eq!(&judge_history(reader, JudgeOptions::default(), u64::MAX).expect("a possible one"), verdicts(&once));
    }
}

/// Over some hundred random scenarios: each guarantee, off while the other three are on, is found
/// violated in a share of runs. A judge or a generator that saw nothing would show here.
#[test]
fn what_is_not_promised_is_found_violated_in_a_share_of_runs() {
    const RUNS: u32 = 300;
    let mut violated = [0_u32; 4];
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    for _ in 0..RUNS {
        let drawn = (any_scenario().prop_map(careful), any_settings())
            .new_tree(&mut runner)
            .expect("a tree");
        let (scenario, settings) = drawn.current();
        for (count, (guarantee, property)) in violated.iter_mut().zip(PROPERTIES) {
            let overrides = Settings {
                propagation: Some(Propagation::Async),
                guarantees: Some(Guarantees::ALL.without(guarantee)),
                ..settings.clone()
            };
            *count += u32::from(is_violated(&run_with(&scenario, overrides), property));
        }
    }
    for (count, (guarantee, _)) in violated.into_iter().zip(PROPERTIES) {
        assert!(count * 50 > RUNS, "without {}: {count} of {RUNS} runs", guarantee.short());
    }
}

#[test]
fn an_id_that_names_two_writes_is_judged_and_not_hidden() {
    let events = vec![event(1, 1, deposit(400)), event(1, 2, deposit(500))];
    let settings = |propagation| Settings {
        propagation: Some(propagation),
        guarantees: Some(Guarantees::NONE),
        latency: Some(Latency::Constant(Duration::from_millis(50))),
        ..Settings::default()
    };
    let scenario = scenario(2, 0, vec![(1, events)]);
    let run = run_with(&scenario, settings(Propagation::Async));
    assert!(is_violated(&run, Property::ExactlyOnce));
    assert!(!is_violated(&run, Property::Convergence), "every branch holds both");
    let refused = run_with(&scenario, settings(Propagation::Sync));
    assert!(!is_violated(&refused, Property::Convergence));
    assert!(refused.result.customers[0].requests[1].outcome.is_err());
}

#[test]
fn a_scenario_of_many_simulated_hours_runs_at_once() {
    let events = (1..=40).map(|id| match id % 2 {
        0 => event(id, 2, Operation::Query),
        _ => event(id, 1, deposit(100)),
    });
    let scenario = scenario(3, 0, vec![(1, events.collect())]);
    let hours = |hours| Some(Latency::Constant(Duration::from_hours(hours)));
    for propagation in [Propagation::Sync, Propagation::Async] {
        let run = run_with(
            &scenario,
            Settings {
                propagation: Some(propagation),
                latency: hours(11),
                wait_limit: Some(Duration::from_hours(12)),
                ..Settings::default()
            },
        );
        // Twenty round trips, or twenty ways there and one back.
        let trips = if propagation == Propagation::Sync { 40 } else { 21 };
        assert_eq!(run.result.ended, Time::START.after(Duration::from_hours(11 * trips)));
        assert!(run.result.customers[0].requests.iter().all(|request| request.outcome.is_ok()));
    }
}

#[test]
fn past_the_wait_limit_a_request_fails_and_the_run_goes_on() {
    let events = vec![
        event(1, 1, deposit(100)),
        event(2, 2, Operation::Query),
        event(3, 1, Operation::Query),
    ];
    let scenario = scenario(2, 0, vec![(1, events)]);
    let run = run_with(
        &scenario,
        Settings {
            propagation: Some(Propagation::Async),
            latency: Some(Latency::Constant(Duration::from_secs(9))),
            wait_limit: Some(Duration::from_secs(2)),
            ..Settings::default()
        },
    );
    let requests = &run.result.customers[0].requests;
    assert!(matches!(requests[1].outcome, Err(RequestError::VersionNotReached { .. })));
    assert_eq!(requests[1].took, Duration::from_secs(2));
    assert!(requests[2].outcome.is_ok());
}

#[test]
fn a_link_of_its_own_latency_delays_its_direction_alone() {
    let events = vec![event(1, 1, deposit(100)), event(2, 3, Operation::Query)];
    let mut scenario = scenario(3, 0, vec![(1, events)]);
    let link = |from, to| passbook::network::Link { from: branch(from), to: branch(to) };
    let slow = Latency::Constant(Duration::from_millis(70));
    scenario.settings.propagation = Some(Propagation::Async);
    scenario.settings.links = [(link(1, 3), slow)].into();
    let took = |scenario: &Scenario| {
        run_with(scenario, Settings::default()).result.customers[0].requests[1].took
    };
    assert_eq!(took(&scenario), Duration::from_millis(70));
    scenario.settings.links = [(link(3, 1), slow), (link(1, 2), slow)].into();
    assert_eq!(took(&scenario), Duration::ZERO);
}

#[test]
fn a_run_that_nobody_judges_has_no_verdicts() {
    let scenario = scenario(2, 0, vec![(1, vec![event(1, 1, withdraw(100))])]);
    let options = RunOptions { judging: Judging::Off, ..RunOptions::default() };
    let run = run(&scenario, &options).expect("it runs to its end");
    assert_eq!(run.result.verdicts, None);
    assert_eq!(run.result.customers[0].id, customer(1));
}
