//! What no worker can run is given up after five answers: the job ends, and says of what and why.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Process, done, passbook, timeless};
use crate::server::Server;

/// A worker with less memory than a bank of a thousand branches takes, which is 38 MiB.
fn small_worker(url: &str) -> Process {
    let memory = ["--memory-max", "33MiB"];
    Process::start(passbook(&[&["worker", "--threads", "1", "--nats", url][..], &memory].concat()))
}

const WHY: &str = "given up, for five workers could not run it: this takes about 38MiB of memory, \
                   and may take 33MiB";

/// The rows in `text`, and the summary at its end.
fn rows(text: &str) -> (Vec<Value>, Value) {
    let text = timeless(text);
    let mut rows: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let summary = rows.pop().unwrap();
    (rows, summary)
}

#[test]
fn a_share_that_no_worker_can_run_becomes_rows_that_say_so() {
    let server = Server::start();
    let url = server.url();
    let worker = small_worker(&url);
    let folder = TempDir::new().unwrap();
    let made = |args: &[&str]| done(passbook(&[&["generate"], args].concat())).stdout;
    let small = made(&["--count", "300", "--seed", "3"]);
    let large = made(&["--branches", "1000", "--customers", "1", "--events", "3", "--count", "1"]);
    // It is the 301st.
    let many = folder.path().join("many.jsonl");
    fs::write(&many, [small.as_str(), &large, &small].concat()).unwrap();
    let many = many.display().to_string();
    let run = |more: &[&str]| {
        let args = ["batch", &many, "--format", "json", "--memory-max", "1GiB"];
        done(passbook(&[&args, more].concat()))
    };
    let (here, elsewhere) = (run(&[]), run(&["--nats", &url]));
    assert_eq!((here.code, elsewhere.code), (0, 1), "{}{}", here.stderr, elsewhere.stderr);
    let told = |what: &str| elsewhere.stderr.matches(what).count();
    assert_eq!((told("it is tried again"), told("it is given up")), (4, 1), "{}", elsewhere.stderr);
    let ((here, _), (elsewhere, summary)) = (rows(&here.stdout), rows(&elsewhere.stdout));
    assert_eq!((here.len(), elsewhere.len()), (601, 601));
    let mut given_up = Vec::new();
    for (here, elsewhere) in here.iter().zip(&elsewhere) {
        if elsewhere["status"] != "error" {
            assert_eq!(here, elsewhere);
            continue;
        }
        let problem = elsewhere["problem"].as_str().unwrap();
        assert!(problem.starts_with(WHY), "{problem}");
        assert_eq!((&here["number"], &here["place"]), (&elsewhere["number"], &elsewhere["place"]));
        given_up.push(elsewhere["number"].as_u64().unwrap());
    }
    // The large one, and what is in one share with it.
    let (first, last) = (*given_up.first().unwrap(), *given_up.last().unwrap());
    assert!((2..=301).contains(&first) && (301..601).contains(&last), "{first} to {last}");
    assert_eq!(given_up, Vec::from_iter(first..=last));
    assert_eq!(summary["statuses"]["error"], given_up.len());
    // The worker that could not goes on.
    worker.terminate();
    let ended = worker.end();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("this takes about 38MiB of memory"), "{}", ended.stderr);
}

#[test]
fn seeds_that_no_worker_can_run_become_a_finding_of_the_first() {
    let server = Server::start();
    let url = server.url();
    let _worker = small_worker(&url);
    let load = ["--seeds", "7..12", "--branches", "1000", "--events", "3", "--memory-max", "1GiB"];
    let form = ["simulate", "--format", "json", "--output", "/dev/null", "--nats", &url];
    let ended = done(passbook(&[&form[..], &load].concat()));
    assert_eq!(ended.code, 70, "{}", ended.stderr);
    let told = |what: &str| ended.stderr.matches(what).count();
    assert_eq!((told("it is tried again"), told("it is given up")), (4, 1), "{}", ended.stderr);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let finding = &report["findings"][0];
    assert_eq!((&report["failed"], &finding["seed"]), (&Value::from(1), &Value::from(7)));
    let problem = finding["problem"].as_str().unwrap();
    assert!(problem.starts_with("given up, for five workers could not run it: "), "{problem}");
    assert!(problem.contains("may take 33MiB"), "{problem}");
}
