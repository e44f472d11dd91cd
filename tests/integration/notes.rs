//! What the program says beside its verdicts.

use crate::support::program::{passbook, stderr, stdout};
use serde_json::Value;

const READ_YOUR_WRITES: &str = "input/read_your_writes.json";

fn notes(args: &[&str]) -> Vec<String> {
    let fixed = ["run", "--format", "json"];
    let done = passbook(&[&fixed, args].concat());
    let report: Value = serde_json::from_str(stdout(&done)).expect("JSON");
    let notes = report["notes"].as_array().expect("a list");
    notes.iter().map(|note| note.as_str().expect("text").to_owned()).collect()
}

#[test]
fn a_run_in_which_nothing_took_time_says_that_it_shows_little() {
    let no_lag = "no message took any time, so nothing could come too late, and nothing had to be \
                  kept: --latency uniform:1ms..20ms puts read your writes, monotonic writes to the test";
    for options in [
        &["--propagation", "async"][..],
        &["--propagation", "async", "--guarantees", "none"],
        &["--propagation", "async", "--latency", "constant:0ms"],
    ] {
        let args = [&[READ_YOUR_WRITES], options].concat();
        let told = notes(&args);
        assert_eq!(told.len(), 1, "{options:?}");
        assert!(told[0].starts_with("no message took any time"), "{told:?}");
    }
    let monotonic = ["input/monotonic_writes.json", "--propagation", "async"];
    assert_eq!(notes(&monotonic), [no_lag]);
    let text = passbook(&[&["run"], &monotonic[..]].concat());
    let lines = stdout(&text).replace("\n  ", " ");
    assert!(lines.contains(&format!("note: {no_lag}")), "{}", stdout(&text));
}

#[test]
fn a_run_that_lag_could_not_break_or_did_try_says_nothing() {
    for options in [
        &[][..],
        &["--propagation", "async", "--latency", "constant:5ms"],
        &["--propagation", "async", "--no-check"],
        &["--transport", "grpc", "--propagation", "async"],
    ] {
        let args = [&[READ_YOUR_WRITES], options].concat();
        assert_eq!(notes(&args), [""; 0], "{options:?}");
    }
    // Where no verdict is shown, nothing stands beside it.
    let balances = ["run", "--format", "balances", READ_YOUR_WRITES, "--propagation", "async"];
    assert_eq!(stderr(&passbook(&balances)), "");
}
