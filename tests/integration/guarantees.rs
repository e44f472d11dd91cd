//! Each guarantee has a twin: a scenario that breaks without it, and with nothing else off.

use std::fs;

use passbook::check::{Overall, Promised, Property, Strictness, Verdicts};
use passbook::model::{Guarantee, Guarantees, Overdraft, Propagation, Receipt, RequestError};
use passbook::report::Assessment;
use passbook::run::{Run, RunOptions, run};
use passbook::scenario::{Scenario, Settings, Source};

/// A scenario, and the one guarantee without which it is violated.
struct Twin {
    path: &'static str,
    guarantee: Guarantee,
    property: Property,
    /// What the witness says.
    sentence: &'static str,
}

const TWINS: [Twin; 5] = [
    Twin {
        path: "input/guarantees/read_your_writes_lag.json",
        guarantee: Guarantee::ReadYourWrites,
        property: Property::ReadYourWrites,
        sentence: "customer 1 deposited 400 at branch 1 (event 1), then read the balance 0 at \
                   branch 2 (event 2), whose log did not yet hold that deposit: it was owed at \
                   least its own deposit",
    },
    Twin {
        path: "input/guarantees/monotonic_reads_lag.json",
        guarantee: Guarantee::MonotonicReads,
        property: Property::MonotonicReads,
        sentence: "customer 2 read the balance 400 at branch 1 (event 1), with customer 1's \
                   deposit of 400 (event 1) in it, then read the balance 0 at branch 2 (event 2), \
                   whose log did not yet hold that deposit: it was owed at least all that it had \
                   already seen",
    },
    Twin {
        path: "input/guarantees/monotonic_writes_lag.json",
        guarantee: Guarantee::MonotonicWrites,
        property: Property::MonotonicWrites,
        sentence: "customer 1 deposited 400 at branch 1 (event 1), then withdrew 400 at branch 2 \
                   (event 2), but branch 2 applied the second before the first: its writes were \
                   owed the order in which it made them, at every branch",
    },
    Twin {
        path: "input/guarantees/monotonic_writes_overdraft.json",
        guarantee: Guarantee::MonotonicWrites,
        property: Property::MonotonicWrites,
        sentence: "customer 1 deposited 400 at branch 1 (event 1), then deposited 100 at branch 2 \
                   (event 2), but branch 2 applied the second before the first: its writes were \
                   owed the order in which it made them, at every branch",
    },
    Twin {
        path: "input/guarantees/writes_follow_reads_lag.json",
        guarantee: Guarantee::WritesFollowReads,
        property: Property::WritesFollowReads,
        sentence: "customer 2 read the balance 400 at branch 1 (event 1), with customer 1's \
                   deposit of 400 (event 1) in it, then withdrew 400 at branch 2 (event 3), but \
                   branch 3 applied this write before the one that was seen: it was owed a place \
                   after all that the customer had seen, at every branch",
    },
];

fn run_at(path: &str, overrides: Settings) -> Run {
    let source = Source::new(path, fs::read_to_string(path).expect("a file"));
    let scenario = Scenario::parse(&source).expect("a scenario");
    run(&scenario, &RunOptions { overrides, ..RunOptions::default() }).expect("it runs to its end")
}

fn with(guarantees: Guarantees) -> Settings {
    Settings { guarantees: Some(guarantees), ..Settings::default() }
}

fn verdicts(run: &Run) -> &Verdicts {
    run.result.verdicts.as_ref().expect("a run is judged")
}

fn violated(run: &Run) -> Vec<Property> {
    let verdicts = verdicts(run).iter();
    verdicts
        .filter(|(_, verdict)| verdict.summary() == Overall::Violated)
        .map(|(property, _)| property)
        .collect()
}

#[test]
fn without_its_guarantee_alone_each_scenario_is_violated_in_that_and_nothing_else() {
    for Twin { path, guarantee, property, sentence } in TWINS {
        let run = run_at(path, with(Guarantees::ALL.without(guarantee)));
        assert_eq!(violated(&run), [property], "{path}");
        let witness = verdicts(&run).of(property).expect("judged").witness().expect("a witness");
        assert_eq!(witness.sentence, sentence, "{path}");
        assert_eq!(Assessment::of(&run.result).verdict(Strictness::Anything), Overall::Violated);
    }
}

#[test]
fn with_all_guarantees_each_scenario_holds_and_comes_to_what_it_expects() {
    for Twin { path, property, .. } in TWINS {
        let run = run_at(path, with(Guarantees::ALL));
        assert_eq!(violated(&run), [], "{path}");
        assert_eq!(
            verdicts(&run).of(property).expect("judged").summary(),
            Overall::Holds,
            "{path}"
        );
        let assessment = Assessment::of(&run.result);
        assert_eq!(assessment.verdict(Strictness::AGuarantee), Overall::Holds, "{path}");
        assert_eq!(assessment.differences, Some(vec![]), "{path}");
    }
}

#[test]
fn each_guarantee_alone_is_enough_for_its_own_scenario() {
    for Twin { path, guarantee, property, .. } in TWINS {
        let run = run_at(path, with(Guarantees::NONE.with(guarantee)));
        assert_eq!(
            verdicts(&run).of(property).expect("judged").summary(),
            Overall::Holds,
            "{path}"
        );
    }
}

#[test]
fn with_sync_propagation_nothing_needs_to_be_promised() {
    for Twin { path, .. } in TWINS {
        let overrides = Settings { propagation: Some(Propagation::Sync), ..with(Guarantees::NONE) };
        let run = run_at(path, overrides);
        assert_eq!(violated(&run), [], "{path}");
    }
}

#[test]
fn a_broken_order_costs_the_customer_a_withdrawal() {
    let path = "input/guarantees/monotonic_writes_overdraft.json";
    let last = |guarantees| {
        let run = run_at(path, with(guarantees));
        run.result.customers[0].requests.last().expect("a withdrawal").outcome.clone()
    };
    assert_eq!(last(Guarantees::ALL), Ok(Receipt::Written));
    let refused = last(Guarantees::ALL.without(Guarantee::MonotonicWrites));
    assert!(matches!(refused, Err(RequestError::Refused(_))), "{refused:?}");
}

#[test]
fn branches_that_decide_alone_overdraw_together() {
    let path = "input/guarantees/overdraft_at_two_branches.json";
    let late = Settings { propagation: Some(Propagation::Async), ..Settings::default() };
    let run = run_at(path, late.clone());
    assert_eq!(violated(&run), [Property::NoOverdraft]);
    let balances: Vec<String> =
        run.result.branches.iter().map(|branch| branch.balance.to_string()).collect();
    assert_eq!(balances, ["-60", "-60"]);
    let verdict = verdicts(&run).of(Property::NoOverdraft).expect("judged");
    assert_eq!(verdict.promised(), Some(Promised::No), "what each accepted, it could cover");
    let witness = verdict.witness().expect("a witness");
    let other = (witness.branch.get(), witness.write.expect("a withdrawal").customer.get());
    assert!([(1, 2), (2, 1)].contains(&other), "{witness}");
    assert_eq!(violated(&run_at(path, Settings::default())), []);
    // Where overdraft is allowed, nobody asks.
    let allowed = Settings { overdraft: Some(Overdraft::Allow), ..late };
    assert!(verdicts(&run_at(path, allowed)).of(Property::NoOverdraft).is_none());
}

#[test]
fn one_customer_may_be_promised_more_than_another() {
    let path = "input/guarantees/monotonic_reads_lag.json";
    let source = Source::new(path, fs::read_to_string(path).expect("a file"));
    let mut scenario = Scenario::parse(&source).expect("a scenario");
    let reader = scenario.visits[1].customer;
    scenario.settings.guarantees = Some(Guarantees::NONE);
    let judged = |scenario: &Scenario| {
        let run = run(scenario, &RunOptions::default()).expect("it runs to its end");
        verdicts(&run).by_property.monotonic_reads.summary()
    };
    assert_eq!(judged(&scenario), Overall::Violated);
    let promise = Guarantees::NONE.with(Guarantee::MonotonicReads);
    scenario.settings.customer_guarantees.insert(reader, promise);
    assert_eq!(judged(&scenario), Overall::Holds);
}
