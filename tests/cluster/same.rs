//! The same command with and without `--nats` comes to the same.

use std::fs;

use tempfile::TempDir;

use crate::program::{assert_same, done, passbook, timeless, timeless_csv, timeless_junit, worker};
use crate::server::Server;

/// Some shares of few scenarios each, some of which are violated.
const GENERATE: &str = "--count 900 --seed 7 --customers 2 --events 30 --branches 3";
const FOUL: [&str; 6] =
    ["--propagation", "async", "--guarantees", "none", "--latency", "uniform:1ms..20ms"];

#[test]
fn rows_of_two_workers_are_the_file_of_one_machine() {
    let server = Server::start();
    let url = server.url();
    let _workers = [worker(&url), worker(&url)];
    let folder = TempDir::new().unwrap();
    let run = |name: &str, more: &[&str]| {
        let exports = ["jsonl", "csv", "junit"].map(|kind| {
            format!("--export-{kind}={}", folder.path().join(format!("{name}.{kind}")).display())
        });
        let exports = exports.iter().map(String::as_str);
        let args: Vec<&str> =
            ["batch", "--generate", GENERATE].into_iter().chain(FOUL).chain(exports).collect();
        let output = done(passbook(&[&args, more].concat()));
        assert_eq!(output.code, 1, "{}", output.stderr);
        let read =
            |kind: &str| fs::read_to_string(folder.path().join(format!("{name}.{kind}"))).unwrap();
        [timeless(&read("jsonl")), timeless_csv(&read("csv")), timeless_junit(&read("junit"))]
    };
    let (here, elsewhere) = (run("here", &[]), run("there", &["--nats", &url]));
    let [_, csv, junit] = &here;
    assert!(csv.contains(",violated,") && junit.contains("<failure"), "nothing to tell apart");
    for (here, elsewhere) in here.iter().zip(&elsewhere) {
        assert_same(here, elsewhere);
    }
    // Nothing is left of it.
    let jobs = done(passbook(&["jobs", "--nats", &url]));
    assert_eq!((jobs.stdout, jobs.code), (String::new(), 0));
}

#[test]
fn scenarios_that_are_made_are_those_that_are_piped_in() {
    let folder = TempDir::new().unwrap();
    let piped = folder.path().join("made.jsonl");
    let made = done(passbook(&["generate", "--count", "300", "--seed", "9"]));
    fs::write(&piped, &made.stdout).unwrap();
    let mut command = std::process::Command::new("sh");
    let program = env!("CARGO_BIN_EXE_passbook");
    command.arg("-c").arg(format!("{program} batch --format json - < {}", piped.display()));
    let piped = done(command);
    let args = ["batch", "--format", "json", "--generate", "--count 300 --seed 9"];
    let made = done(passbook(&args));
    assert_same(&timeless(&piped.stdout), &timeless(&made.stdout));
}

#[test]
fn the_lowest_seed_is_told_as_on_one_machine() {
    let server = Server::start();
    let url = server.url();
    let _workers = [worker(&url), worker(&url)];
    let foul = ["--faults", "loss=0.02,reorder", "--nemesis", "partition"];
    let scenario = ["input/stale_reads.json", "--propagation", "async", "--latency"];
    for (args, code) in [
        (vec!["--seeds", "0..9000", "--events", "20"], 0),
        (vec!["--seeds", "5..9000", "--guarantees", "mr,mw,wfr"], 1),
        (vec!["--seeds", "0..3000", "--guarantees", "none", "--keep-going"], 1),
        ([&scenario[..], &["uniform:1ms..9ms", "--seeds", "0..90"]].concat(), 0),
    ] {
        let run = |more: &[&str]| {
            let common = ["simulate", "--format", "json", "--output", "/dev/null"];
            let args = [&common[..], &foul, &args, more].concat();
            let output = done(passbook(&args));
            assert_eq!(output.code, code, "{args:?} {}", output.stderr);
            timeless(&output.stdout)
        };
        assert_same(&run(&[]), &run(&["--nats", &url]));
    }
}
