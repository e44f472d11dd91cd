//! Numbers that nobody can mean: each is refused in a line, by every command, and takes nothing.

#![cfg(unix)]

use std::path::Path;
use std::process::Stdio;

use crate::support::bounded::bounded;
use crate::support::program::{passbook, stderr, stdout};

const SCENARIO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/input/read_your_writes.json");
const MOST: &str = "18446744073709551615";

#[test]
fn a_number_that_nobody_can_mean_is_refused() {
    let run = &["run", SCENARIO][..];
    let batch = &["batch", SCENARIO][..];
    let compare = &["compare", SCENARIO, "--transports=mailbox"][..];
    let generated = &["compare", "--transports=mailbox"][..];
    let over_tcp = &["compare", "--transports=grpc-tcp"][..];
    let processes = &["compare", "--transports=processes"][..];
    let generate = &["generate"][..];
    let serve = &["serve", "--base-port=0"][..];
    for (command, flag, values) in [
        (run, "--seed", &["-1", "1.5"][..]),
        (run, "--wait-limit", &["-1s", "0.5s", "18446744073709551615h"]),
        (run, "--faults", &["loss=-1", "loss=1.5", "loss=1e9", "reorder=NaN"]),
        (run, "--nemesis-interval", &["0us", "-1s", "1000000h"]),
        (run, "--nemesis-duration", &["-1s", "1000000h"]),
        (run, "--settle-limit", &["-1s", "13h"]),
        (run, "--document-max", &["0", "-1", "1 furlong", "18446744073709551616"]),
        (batch, "--jobs", &["0", "-1", "1025", "1000000", MOST]),
        (batch, "--max-fail", &["0", "-1"]),
        (batch, "--partition", &["count:0/1", "count:2/1", "count:1/0", "hash:-1/2"]),
        (compare, "--rounds", &["0", "-1", "10001", "1000000", MOST]),
        (compare, "--in-flight", &["0", "-1", "10001", "10000000", MOST]),
        (compare, "--rate", &["0", "-1", "nan", "inf", MOST]),
        (compare, "--round-time", &["1000000h", "18446744073709551615us"]),
        (generated, "--branches", &["0", "-1", "1000000", MOST]),
        (generated, "--customers", &["0", "-1", "10001", MOST]),
        (generated, "--events", &["0", "-1", "1000001", "4294967295", MOST]),
        (over_tcp, "--branches", &["101", "10000"]),
        (processes, "--branches", &["65", "10000"]),
        (generate, "--count", &["0", "-1", MOST]),
        (generate, "--first", &["0", "-1", MOST]),
        (generate, "--branches", &["0", "-1", "1000000", MOST]),
        (generate, "--customers", &["0", "-1", "4294967295", MOST]),
        (generate, "--events", &["0", "-1", "4294967295", MOST]),
        (generate, "--hop", &["-1", "101", MOST]),
        (serve, "--branches", &["0", "-1", "1000000", MOST]),
        (&["serve"], "--base-port", &["-1", "65536", MOST]),
        (serve, "--message-bytes-max", &["0", "-1"]),
        (serve, "--calls-max", &["0", "-1", MOST]),
        (serve, "--waiting-max", &["0", "-1"]),
        (serve, "--kept-max", &["0", "-1"]),
        (serve, "--connections-max", &["0", "-1"]),
        (serve, "--address-connections-max", &["0", "-1"]),
        (serve, "--unread-bytes-max", &["0", "-1"]),
        (serve, "--call-time-max", &["-1s", "1000000h"]),
        (serve, "--log-entries-max", &["0", "-1"]),
        (serve, "--scenarios-max", &["0", "-1", "1025", MOST]),
        (serve, "--scenario-events-max", &["-1", "18446744073709551616"]),
        (serve, "--scenario-time-max", &["-1s", "1000000h"]),
        (serve, "--idle-time-max", &["-1s", "1000000h"]),
        (serve, "--header-time-max", &["-1s", "1000000h"]),
        (serve, "--body-time-max", &["-1s", "1000000h"]),
    ] {
        for value in values {
            let flag = format!("{flag}={value}");
            let args = [command, &[&*flag]].concat();
            let done = bounded(Path::new("."), &args, Stdio::null()).code(2);
            let told = stderr(&done);
            assert!(told.starts_with("error: "), "{args:?}: {told}");
            let lines = told.lines().filter(|line| !line.is_empty()).count();
            assert!(lines <= 2, "{args:?}: {told}");
        }
    }
}

#[test]
fn any_seed_is_a_seed() {
    for seed in ["0", "1", MOST] {
        let done = passbook(&["run", "-q", "--seed", seed, SCENARIO]).code(0);
        assert!(stdout(&done).starts_with("read_your_writes\n"), "{}", stdout(&done));
    }
}

/// What is allowed does not abort either, where a machine cannot have it.
#[test]
fn as_many_jobs_as_are_allowed_run_or_are_told_to_be_too_many() {
    let done = bounded(Path::new("."), &["batch", SCENARIO, "--jobs=1024"], Stdio::null());
    let told = stderr(&done).to_owned();
    let code = done.get_output().status.code();
    assert!(
        code == Some(0) || told == "error: cannot start a thread; try fewer with --jobs\n",
        "{code:?} {told}"
    );
}
