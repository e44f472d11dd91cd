//! Whole runs on actors, against a sequential bank that knows no actor.

use std::collections::BTreeMap;
use std::time::Duration;

use passbook::history::Fact;
use passbook::model::{
    CustomerOrder, Money, Operation, Overdraft, Propagation, QueryTiming, Receipt, RequestError,
    Seed,
};
use passbook::network::Latency;
use passbook::run::{BranchResult, Recording, Run, RunOptions, run};
use passbook::scenario::{Scenario, Settings};
use proptest::prelude::*;

use crate::support::parts::{customer, deposit, event, withdraw};
use crate::support::scenarios::{any_scenario, scenario};
use crate::support::sequential::EventOutcome;

fn run_with(scenario: &Scenario, overrides: Settings) -> Run {
    run(scenario, &RunOptions { overrides, ..RunOptions::default() }).expect("it runs to its end")
}

fn write_sets(branch: &BranchResult) -> BTreeMap<u32, Vec<u32>> {
    let mut sets = BTreeMap::<u32, Vec<u32>>::new();
    for entry in branch.log.iter() {
        sets.entry(entry.id.customer.get()).or_default().push(entry.id.event.get());
    }
    sets
}

fn told(run: &Run) -> BTreeMap<u32, Vec<EventOutcome>> {
    let told = |outcome: &Result<Receipt, RequestError>| match outcome {
        Ok(Receipt::Written) => EventOutcome::Success,
        Ok(Receipt::Balance(balance)) => EventOutcome::Balance(balance.minor()),
        Err(RequestError::Refused(_)) => EventOutcome::Refused,
        Err(
            RequestError::OutcomeUnknown { .. }
            | RequestError::VersionNotReached { .. }
            | RequestError::Unavailable { .. }
            | RequestError::Full { .. }
            | RequestError::NoAnswer { .. }
            | RequestError::Declined { .. },
        ) => panic!("without faults every outcome is known"),
        Err(error) => panic!("what is to be told of '{error}'?"),
    };
    let all = |customer: &passbook::run::CustomerResult| {
        customer.requests.iter().map(|request| told(&request.outcome)).collect()
    };
    run.result.customers.iter().map(|customer| (customer.id.get(), all(customer))).collect()
}

#[test]
fn the_classic_monotonic_writes_scenario_ends_at_nothing() {
    let events = vec![
        event(1, 1, deposit(40_000)),
        event(2, 2, withdraw(40_000)),
        event(3, 2, Operation::Query),
    ];
    let run = run_with(&scenario(2, 0, vec![(1, events)]), Settings::default());
    assert_eq!(
        told(&run)[&1],
        [EventOutcome::Success, EventOutcome::Success, EventOutcome::Balance(0)]
    );
    for branch in &run.result.branches {
        assert_eq!(write_sets(branch)[&1], [1, 2]);
        assert_eq!(branch.balance, Money::ZERO);
    }
}

#[test]
fn two_hundred_branches_all_apply_every_write() {
    let events = (1..=40).map(|id| event(id, id * 5, deposit(i64::from(id)))).collect();
    let run = run_with(&scenario(200, 7, vec![(1, events)]), Settings::default());
    assert_eq!(run.result.branches.len(), 200);
    for branch in &run.result.branches {
        assert_eq!(branch.balance, Money::from_minor(7 + 40 * 41 / 2));
        assert_eq!(write_sets(branch)[&1], (1..=40).collect::<Vec<u32>>());
    }
}

#[test]
fn a_hundred_thousand_events_keep_every_cent() {
    let events = (1..=100_000).map(|id| match id % 4 {
        0 => event(id, id % 3 + 1, Operation::Query),
        1 => event(id, id % 3 + 1, withdraw(1)),
        _ => event(id, id % 3 + 1, deposit(2)),
    });
    let run = run_with(&scenario(3, 0, vec![(1, events.collect())]), Settings::default());
    for branch in &run.result.branches {
        assert_eq!(branch.log.len(), 75_000);
        assert_eq!(branch.balance, Money::from_minor(50_000 * 2 - 25_000));
    }
}

#[test]
fn a_query_that_waits_for_settling_sees_what_others_write_meanwhile() {
    // Customer 2 asks at once, before customer 1 has made its deposits.
    let events = (1..=3).map(|id| event(id, id, deposit(100))).collect();
    let asks = vec![event(1, 3, Operation::Query)];
    let scenario = scenario(3, 0, vec![(1, events), (2, asks)]);
    let balance_seen = |queries| {
        let customers = Some(CustomerOrder::Concurrent);
        let run = run_with(
            &scenario,
            Settings { customers, queries: Some(queries), ..Settings::default() },
        );
        told(&run)[&2].clone()
    };
    assert_eq!(balance_seen(QueryTiming::InPlace), [EventOutcome::Balance(0)]);
    assert_eq!(balance_seen(QueryTiming::AfterSettling), [EventOutcome::Balance(300)]);
}

#[test]
fn balances_that_together_pass_the_range_end_in_an_error_not_in_a_wrap() {
    let half = i64::MAX / 2 + 1;
    let scenario = scenario(
        2,
        0,
        vec![(1, vec![event(1, 1, deposit(half))]), (2, vec![event(1, 2, deposit(half))])],
    );
    let overrides = Settings { customers: Some(CustomerOrder::Concurrent), ..Settings::default() };
    let error = run(&scenario, &RunOptions { overrides, ..RunOptions::default() }).unwrap_err();
    assert_eq!(error.to_string(), "the balance of branch 1 is out of range");
}

#[test]
fn every_message_between_branches_is_recorded_at_both_ends() {
    let events = vec![event(1, 1, deposit(100)), event(2, 2, withdraw(30))];
    let scenario = scenario(3, 0, vec![(1, events)]);
    let options = RunOptions { recording: Recording::Facts, ..RunOptions::default() };
    let facts = run(&scenario, &options).unwrap().facts;
    let count = |is: fn(&Fact) -> bool| facts.iter().filter(|recorded| is(&recorded.fact)).count();
    // Two writes, each to two other branches, each acknowledged.
    assert_eq!(count(|fact| matches!(fact, Fact::MessageSent { .. })), 8);
    assert_eq!(count(|fact| matches!(fact, Fact::MessageReceived { .. })), 8);
    assert_eq!(count(|fact| matches!(fact, Fact::WriteApplied { .. })), 6);
    assert_eq!(count(|fact| matches!(fact, Fact::WriteSetCompared { agrees: true, .. })), 4);
    assert_eq!(count(|fact| matches!(fact, Fact::ReplyReceived { .. })), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn customers_in_order_see_what_a_sequential_bank_tells(
        scenario in any_scenario(),
        overdraft in prop_oneof![Just(Overdraft::Allow), Just(Overdraft::Reject)],
    ) {
        let overrides = Settings { overdraft: Some(overdraft), ..Settings::default() };
        let run = run_with(&scenario, overrides);
        let expected = crate::support::sequential::run(&scenario, overdraft);
        prop_assert_eq!(told(&run), expected.told);
        for branch in &run.result.branches {
            prop_assert_eq!(branch.balance.minor(), expected.balance);
            let mut sets = expected.write_sets.clone();
            sets.retain(|_, set| !set.is_empty());
            prop_assert_eq!(write_sets(branch), sets);
        }
    }

    #[test]
    fn concurrent_customers_end_with_equal_branches_and_the_right_total(
        scenario in any_scenario(),
        overdraft in prop_oneof![Just(Overdraft::Allow), Just(Overdraft::Reject)],
    ) {
        let overrides = Settings {
            overdraft: Some(overdraft),
            customers: Some(CustomerOrder::Concurrent),
            ..Settings::default()
        };
        let run = run_with(&scenario, overrides);
        let first = &run.result.branches[0];
        // Every write that a customer was told of, once, however often it was sent.
        let mut told = BTreeMap::new();
        for customer in &run.result.customers {
            for request in &customer.requests {
                if let (Operation::Write(write), Ok(_)) = (request.operation, &request.outcome) {
                    told.insert((customer.id, request.event), write.delta().minor());
                }
            }
        }
        let total = scenario.opening_balance.minor() + told.values().sum::<i64>();
        for branch in &run.result.branches {
            prop_assert_eq!(branch.balance.minor(), total);
            prop_assert_eq!(write_sets(branch), write_sets(first));
            prop_assert_eq!(branch.log.len(), told.len());
        }
    }

    /// All queries that are the first of their customers see the same, and all that are the second.
    #[test]
    fn concurrent_customers_that_settle_ask_in_rounds(
        scenario in any_scenario(),
        propagation in prop_oneof![Just(Propagation::Sync), Just(Propagation::Async)],
        seed in any::<u64>(),
    ) {
        let latency = Latency::Uniform { min: Duration::ZERO, max: Duration::from_millis(50) };
        let overrides = Settings {
            customers: Some(CustomerOrder::Concurrent),
            queries: Some(QueryTiming::AfterSettling),
            propagation: Some(propagation),
            latency: Some(latency),
            seed: Some(Seed(seed)),
            ..Settings::default()
        };
        let run = run_with(&scenario, overrides);
        // By round: what was written before it, once however often it was sent, and what was seen.
        let (mut written, mut seen) = (BTreeMap::new(), BTreeMap::<usize, Vec<i64>>::new());
        for customer in &run.result.customers {
            let mut round = 0;
            for request in &customer.requests {
                match (request.operation, &request.outcome) {
                    (Operation::Write(write), Ok(_)) => {
                        let write = (round, write.delta().minor());
                        written.entry((customer.id, request.event)).or_insert(write);
                    }
                    (Operation::Query, Ok(Receipt::Balance(balance))) => {
                        seen.entry(round).or_default().push(balance.minor());
                        round += 1;
                    }
                    (Operation::Write(_) | Operation::Query, _) => {}
                }
            }
        }
        for (round, balances) in seen {
            let before = written.values().filter(|(of, _)| *of <= round);
            let total = scenario.opening_balance.minor() + before.map(|(_, by)| by).sum::<i64>();
            prop_assert!(balances.iter().all(|&balance| balance == total), "{}", round);
        }
    }

    #[test]
    fn the_same_scenario_leaves_the_same_history(scenario in any_scenario()) {
        let overrides =
            Settings { customers: Some(CustomerOrder::Concurrent), ..Settings::default() };
        let options = RunOptions { overrides, recording: Recording::Facts, ..RunOptions::default() };
        let once = run(&scenario, &options).unwrap();
        let again = run(&scenario, &options).unwrap();
        prop_assert_eq!(once.facts, again.facts);
        prop_assert_eq!(once.result, again.result);
    }
}

#[test]
fn customers_are_listed_in_the_order_in_which_they_come_up() {
    let scenario = scenario(1, 0, vec![(9, vec![]), (2, vec![]), (9, vec![])]);
    let run = run_with(&scenario, Settings::default());
    let ids: Vec<_> = run.result.customers.iter().map(|customer| customer.id).collect();
    assert_eq!(ids, [customer(9), customer(2)]);
}
