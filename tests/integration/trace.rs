//! What a run tells of one event id that two branches have accepted, and of a promise that was
//! broken.

use std::sync::Arc;

use passbook::check::{JudgeOptions, Overall, Promised, Split, StepsKept, Verdict};
use passbook::model::Dialect;
use passbook::report::{Assessment, text};
use passbook::run::{Judging, Recording, Run, RunOptions, run};
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
    let mut judge = JudgeOptions::default();
    judge.steps = StepsKept::All;
    let options = RunOptions {
        recording: Recording::Facts,
        judging: Judging::On,
        judge,
        ..RunOptions::default()
    };
    run(&scenario, &options).expect("it runs to its end")
}

fn told(run: &Run) -> String {
    let mut out = Vec::new();
    let assessment = Assessment::of(&run.result);
    text::write(&mut out, run, &assessment, &text::Telling::default()).expect("memory");
    let told = String::from_utf8(out).expect("text");
    let told = anstream::adapter::strip_str(&told).to_string();
    let convergence = &assessment.verdicts.as_ref().expect("judged").by_property.convergence;
    assert_eq!(
        assessment.agreement.is_whole(),
        convergence.summary() == Overall::Holds,
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

#[test]
fn a_retry_at_another_branch_after_the_news_asks_all_others_and_is_told_as_its_own() {
    let run = run_with_one_id(
        3,
        r#""propagation": "sync", "guarantees": "none""#,
        r#"{"interface": "deposit", "money": 400, "dest": 1}, {"interface": "deposit", "money": 400, "dest": 2}"#,
    );
    let told = told(&run);
    let steps: Vec<&str> = told.lines().skip_while(|line| !line.contains("at branch 2")).collect();
    assert_eq!(
        steps[..5],
        [
            "  1  deposit  400  at branch 2  ✓ ok",
            "     branch 2  asked by customer 1     already applied, answered again  propagated to branches 1, 3",
            "     branch 1  received from branch 2  already applied                  confirmed to branch 2",
            "     branch 3  received from branch 2  already applied                  confirmed to branch 2",
            "     check     ✓ all 3 branches hold write set [1]",
        ],
        "{told}"
    );
}

/// Branch 3 confirms the first write, with the second before it, when branch 1 has not heard of
/// that.
#[test]
fn a_branch_that_held_both_writes_earlier_is_not_called_different_for_ever() {
    let run = run_with_one_id(
        3,
        r#""propagation": "async", "guarantees": "none", "latency": "constant:1ms",
        "links": [{"from": 2, "to": 1, "latency": "constant:50ms"},
        {"from": 1, "to": 3, "latency": "constant:5ms"}]"#,
        r#"{"interface": "deposit", "money": 8, "dest": 1}, {"interface": "deposit", "money": 9, "dest": 2}"#,
    );
    let told = told(&run);
    let checks: Vec<&str> = told.lines().filter(|line| line.contains("  check  ")).collect();
    assert_eq!(
        checks,
        [
            "     check     ? branch 3 held another write set than branch 1, and holds [1, 1] now",
            "     check     ✓ all 3 branches hold write set [1, 1]",
        ],
        "{told}"
    );
}

#[test]
fn a_promise_that_was_broken_is_told_so_at_the_step_and_at_the_end() {
    let mut run = run_with_one_id(
        2,
        LAG,
        r#"{"interface": "deposit", "money": 8, "dest": 1}, {"interface": "query", "dest": 2}"#,
    );
    // Our bank breaks none, so that is put in the judge's mouth.
    let verdicts = Arc::make_mut(run.result.verdicts.as_mut().expect("judged"));
    verdicts.failed_steps[0].promised = Promised::Yes;
    let Verdict::Violated(violation) = &mut verdicts.by_property.read_your_writes else {
        panic!("it lags")
    };
    violation.failed = Split { promised: 1, ..Split::default() };
    run.result.expected = Some(run.result.output(Dialect::Balances));
    let told = told(&run);
    assert!(told.contains("✗ balance 0, breaks read your writes (PROMISED)"), "{told}");
    let last = told.lines().last().expect("a line");
    assert_eq!(last, "  ✓ results as expected; ✗ read your writes broken (PROMISED)");
}
