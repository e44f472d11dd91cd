//! The step that broke a guarantee is marked where it stands, and so is that nothing was promised.

use std::fmt::Write;
use std::fs;

use crate::support::program::{passbook, stderr, stdout};
use serde_json::{Value, json};

const OWN_WRITE: &str = "input/guarantees/read_your_writes_lag.json";
const ORDER: &str = "input/guarantees/monotonic_writes_lag.json";
const SEEN: &str = "input/guarantees/writes_follow_reads_lag.json";

/// What a run without promises tells, by line.
fn unpromised(options: &[&str], path: &str) -> Vec<String> {
    let args = [&["run", "--guarantees", "none"], options, &[path]].concat();
    stdout(&passbook(&args).code(1).stderr("")).lines().map(str::to_owned).collect()
}

fn with_mark(lines: &[String]) -> Vec<&str> {
    lines.iter().map(|line| line.trim()).filter(|line| line.contains("breaks")).collect()
}

#[test]
fn a_read_or_write_that_broke_a_guarantee_bears_its_name() {
    for verbosity in [&[][..], &["-v"]] {
        assert_eq!(
            with_mark(&unpromised(verbosity, OWN_WRITE)),
            ["2  query         at branch 2  ✗ balance 0, breaks read your writes (not promised)"]
        );
    }
    assert_eq!(
        with_mark(&unpromised(&[], ORDER)),
        [
            "2  withdraw  400  at branch 2  ✗ ok, breaks monotonic writes at branch 2 (not promised)",
            "3  query          at branch 2  ✗ balance -400, breaks read your writes (not promised)",
        ]
    );
    assert_eq!(
        with_mark(&unpromised(&[], SEEN)),
        [
            "2  query          at branch 2  ✗ balance 0, breaks monotonic reads (not promised)",
            "3  withdraw  400  at branch 2  ✗ ok, breaks writes follow reads at branches 2, 3 (not \
             promised)",
        ]
    );
    let kept = passbook(&["run", OWN_WRITE]).code(0);
    assert!(!stdout(&kept).contains('✗'), "{}", stdout(&kept));
    assert_eq!(stderr(&kept), "");
}

#[test]
fn the_json_report_names_what_each_event_broke() {
    let report = &unpromised(&["--format", "json"], SEEN)[0];
    let report: Value = serde_json::from_str(report).expect("JSON");
    let violates = |event: usize| &report["customers"][1]["events"][event]["violates"];
    assert_eq!(*violates(0), Value::Null);
    assert_eq!(*violates(1), json!(["monotonic_reads"]));
    assert_eq!(*violates(2), json!(["writes_follow_reads"]));
}

/// What `-q` said before: as expected, with a violation above it.
#[test]
fn results_as_expected_are_not_said_alone_where_a_guarantee_is_broken() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("told.json");
    let scenario = fs::read_to_string(OWN_WRITE).expect("the scenario");
    fs::write(&path, scenario.replace(r#""balance": 400}]}"#, r#""balance": 0}]}"#))
        .expect("written");
    let path = path.to_str().expect("text");
    for verbosity in [&["-q"][..], &[], &["-v"]] {
        let told = unpromised(verbosity, path);
        let line = "  ✓ results as expected; ✗ read your writes broken (not promised)";
        assert!(told.contains(&line.to_owned()), "{told:#?}");
        assert!(!told.contains(&"  ✓ as expected".to_owned()), "{told:#?}");
    }
    let kept = passbook(&["run", "-q", OWN_WRITE]).code(0);
    assert_eq!(stdout(&kept).lines().last(), Some("  ✓ as expected"));
}

/// A customer that deposits 1 at branch 1 and asks branch 2 after each deposit whose number is a
/// multiple of `every`.
fn long(events: u32, every: u32) -> String {
    let mut text = String::from(
        r#"{"propagation": "async", "latency": "constant:50ms", "guarantees": "none",
        "processes": [{"id": 1, "type": "branch", "balance": 0},
        {"id": 2, "type": "branch", "balance": 0}, {"id": 1, "type": "customer", "events": ["#,
    );
    for id in 1..=events {
        let comma = if id == events { "" } else { "," };
        let what = match id % every {
            0 => r#""interface": "query", "dest": 2"#,
            _ => r#""interface": "deposit", "money": 1, "dest": 1"#,
        };
        write!(text, r#"{{"id": {id}, {what}}}{comma}"#).expect("memory");
    }
    text + "]}]}"
}

#[test]
fn what_broke_a_guarantee_in_the_middle_of_a_long_run_is_shown_or_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("long.json");
    let path = path.to_str().expect("text");
    let middle = |every| {
        fs::write(path, long(300, every)).expect("written");
        let told = unpromised(&[], path);
        let is_of_middle = |line: &&String| line.contains("breaks") || line.contains("… ");
        let lines = told.iter().take_while(|line| *line != "Branches at the end");
        lines.filter(is_of_middle).map(|line| line.trim().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        middle(150),
        [
            "… 139 more events; -v shows all",
            "150  query       at branch 2  ✗ balance 0, breaks read your writes (not promised)",
            "… 140 more events; -v shows all",
            "300  query       at branch 2  ✗ balance 0, breaks read your writes (not promised)",
        ]
    );
    // Every tenth: 10 of the first ten, 20 to 110 are shown, 120 to 290 are counted.
    let told = middle(10);
    assert_eq!(told.iter().filter(|line| line.contains("query")).count(), 12);
    assert_eq!(
        told[told.len() - 2],
        "… 180 more events, 18 of which break a guarantee; -v shows all"
    );
    fs::write(path, long(300, 10)).expect("written");
    assert_eq!(with_mark(&unpromised(&["-v"], path)).len(), 30, "-v does show all");
}

#[test]
fn the_mark_is_red_where_there_is_colour() {
    let told = unpromised(&["--color", "always"], OWN_WRITE).join("\n");
    assert!(told.contains("\u{1b}[1m\u{1b}[31m✗"), "{told:?}");
}
