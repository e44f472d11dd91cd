//! The same scenario over different transports comes to the same report.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use passbook::model::{CustomerOrder, Operation, Propagation, Time};
use passbook::report::{Assessment, json, text};
use passbook::run::{Recording, Run, RunError, RunOptions, run, run_over_grpc};
use passbook::scenario::{Scenario, Settings, Source};
use proptest::prelude::*;

use crate::support::parts::{customer, deposit, event, withdraw};
use crate::support::scenarios::{any_scenario, scenario};

/// Every scenario of `input/`, whatever its dialect.
fn inputs() -> Vec<PathBuf> {
    fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).expect("input/ is there") {
            let path = entry.expect("it can be read").path();
            let name = path.to_string_lossy().into_owned();
            if path.is_dir() {
                walk(&path, found);
            } else if name.ends_with(".json") && !name.ends_with(".expected.json") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(Path::new("input"), &mut found);
    found.sort();
    found
}

fn json_of(run: &Run) -> String {
    let mut out = Vec::new();
    let assessment = Assessment::of(&run.result);
    json::write(&mut out, &run.result, &assessment).expect("memory takes all");
    String::from_utf8(out).expect("reports are UTF-8")
}

fn text_of(run: &Run) -> String {
    let mut out = Vec::new();
    let assessment = Assessment::of(&run.result);
    text::write(&mut out, run, &assessment, &text::Telling::default()).expect("memory takes all");
    String::from_utf8(out).expect("reports are UTF-8")
}

/// `run` without the times: a network takes some, and that is never the same.
fn timeless(mut run: Run) -> Run {
    run.result.ended = Time::START;
    for request in run.result.customers.iter_mut().flat_map(|customer| &mut customer.requests) {
        request.took = Duration::ZERO;
        request.waited = None;
    }
    run.facts.iter_mut().for_each(|recorded| recorded.at = Time::START);
    run
}

#[test]
fn every_input_comes_to_the_same_report_over_the_network() {
    let inputs = inputs();
    assert!(inputs.len() >= 15, "{inputs:?}");
    for path in inputs {
        let source = Source::new(path.display().to_string(), fs::read_to_string(&path).unwrap());
        let scenario = Scenario::parse(&source).unwrap();
        if scenario.settings.foul_weather.is_some() {
            let refused = run_over_grpc(&scenario, &RunOptions::default(), None).unwrap_err();
            assert!(matches!(refused, RunError::FaultsOverSockets), "{refused}");
            continue;
        }
        // What goes on at the same time goes on in another order over sockets.
        let is_ordered = scenario.settings.customers != Some(CustomerOrder::Concurrent);
        let overrides = Settings {
            customers: is_ordered.then_some(CustomerOrder::InOrder),
            ..Settings::default()
        };
        let options =
            RunOptions { overrides, recording: Recording::Facts, ..RunOptions::default() };
        let here = timeless(run(&scenario, &options).unwrap());
        let there = timeless(run_over_grpc(&scenario, &options, None).unwrap());
        if is_ordered {
            assert_eq!(json_of(&there), json_of(&here), "{}", path.display());
            assert_eq!(text_of(&there), text_of(&here), "{}", path.display());
        } else {
            assert_eq!(Assessment::of(&there.result), Assessment::of(&here.result));
        }
    }
}

#[test]
fn twenty_branches_with_a_server_each_speak_to_each_other() {
    let events = (1..=40).map(|id| event(id, id % 20 + 1, deposit(i64::from(id)))).collect();
    let scenario = scenario(20, 0, vec![(1, events)]);
    let options = RunOptions::default();
    let here = timeless(run(&scenario, &options).unwrap());
    let there = timeless(run_over_grpc(&scenario, &options, None).unwrap());
    assert_eq!(there.result, here.result);
}

#[test]
fn concurrent_customers_over_the_network_end_with_equal_branches() {
    let visit = |who: u32| {
        let events = (1..=30).map(|id| match id % 3 {
            0 => event(id, (id + who) % 3 + 1, Operation::Query),
            1 => event(id, (id + who) % 3 + 1, withdraw(7)),
            _ => event(id, (id + who) % 3 + 1, deposit(10)),
        });
        (who, events.collect())
    };
    let scenario = scenario(3, 0, (1..=5).map(visit).collect());
    for propagation in [Propagation::Sync, Propagation::Async] {
        let overrides = Settings {
            customers: Some(CustomerOrder::Concurrent),
            propagation: Some(propagation),
            ..Settings::default()
        };
        let options = RunOptions { overrides, recording: Recording::Off, ..RunOptions::default() };
        let run = timeless(run_over_grpc(&scenario, &options, None).unwrap());
        assert_eq!(run.result.customers[0].id, customer(1));
        for branch in &run.result.branches {
            assert_eq!(branch.balance.minor(), 5 * (10 * 10 - 10 * 7), "{propagation}");
            assert_eq!(branch.log.len(), 100);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn any_scenario_comes_to_the_same_result_over_the_network(scenario in any_scenario()) {
        let options = RunOptions::default();
        let here = timeless(run(&scenario, &options).unwrap());
        let there = timeless(run_over_grpc(&scenario, &options, None).unwrap());
        prop_assert_eq!(there.result, here.result);
    }
}
