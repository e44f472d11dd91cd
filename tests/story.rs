//! What a run tells of one event id that two branches have accepted.

use passbook::check::Summary;
use passbook::report::{Assessment, text};
use passbook::runner::{Judging, Recording, Run, RunOptions, run};
use passbook::scenario::{Scenario, Source};

/// A run of a scenario whose customer's writes all bear the id 1.
fn run_with_one_id(branches: u32, rest: &str, events: &str) -> Run {
    let branches: Vec<String> = (1..=branches)
        .map(|id| format!(r#"{{"type": "branch", "id": {id}, "balance": 0}}"#))
        .collect();
    let text = format!(
        r#"{{"name": "one id", {rest}, "processes": [{}, {{"type": "customer", "id": 1, "events": [{events}]}}]}}"#,
        branches.join(", ")
    );
    let mut scenario = Scenario::parse(&Source::new("one_id.json", text)).expect("a scenario");
    let first = scenario.visits[0].events[0].id;
    for visit in &mut scenario.visits {
        visit.events.iter_mut().for_each(|event| event.id = first);
    }
    let options = RunOptions { recording: Recording::Facts, judging: Judging::On, ..RunOptions::default() };
    run(&scenario, &options).expect("it runs to its end")
}

fn told(run: &Run) -> String {
    let mut out = Vec::new();
    let assessment = Assessment::of(&run.result);
    text::write(&mut out, run, &assessment, text::Verbosity::Normal).expect("memory");
    let told = String::from_utf8(out).expect("text");
    let told = anstream::adapter::strip_str(&told).to_string();
    let convergence = &assessment.verdicts.as_ref().expect("judged").convergence;
    assert_eq!(
        assessment.agreement.is_whole(),
        convergence.summary() == Summary::Holds,
        "they are one rule:\n{told}"
    );
    told
}

const LAG: &str = r#""propagation": "async", "guarantees": "none", "latency": "constant:50ms""#;

#[test]
fn a_retry_at_another_branch_before_the_news_is_accepted_there_and_told_as_its_own() {
    let run = run_with_one_id(
        3,
        LAG,
        r#"{"interface": "deposit", "money": 400, "dest": 1}, {"interface": "deposit", "money": 400, "dest": 2}"#,
    );
    insta::assert_snapshot!(told(&run));
}

#[test]
fn one_id_for_two_writes_is_told_as_two() {
    let run = run_with_one_id(
        2,
        LAG,
        r#"{"interface": "deposit", "money": 8, "dest": 1}, {"interface": "deposit", "money": 9, "dest": 2}"#,
    );
    insta::assert_snapshot!(told(&run));
}
