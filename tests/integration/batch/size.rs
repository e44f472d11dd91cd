//! Memory does not grow with the number of scenarios.

#![cfg(target_os = "linux")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::thread;

use crate::batch::fixture::{HOLDS, folder};
use crate::support::program::command;

const SCENARIOS: usize = 200_000;

#[test]
fn two_hundred_thousand_scenarios_fit_into_150_mb() {
    let folder = folder(&[]);
    let mut command = command(&["batch", "-", "--format", "json"]);
    command.args(["--export-csv", "rows.csv", "--export-junit", "rows.xml"]);
    command.current_dir(folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut input = child.stdin.take().expect("a pipe");
    let writer = thread::spawn(move || {
        let line = format!("{HOLDS}\n");
        for _ in 0..SCENARIOS {
            input.write_all(line.as_bytes()).expect("it reads");
        }
        input
    });
    let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = Vec::new();
    for _ in 0..SCENARIOS {
        line.clear();
        output.read_until(b'\n', &mut line).expect("a row");
        assert!(line.starts_with(br#"{"kind":"scenario""#));
    }
    // It has done everything, and waits for the end of its input.
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).expect("a process");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
    let peak_kb: u64 = peak.trim().trim_end_matches("kB").trim().parse().expect("a number");
    drop(writer.join().expect("the writer"));
    assert_eq!(child.wait().expect("an end").code(), Some(0));
    assert!(peak_kb < 150_000, "{peak_kb} kB");
}
