//! Ctrl-C and SIGTERM end every command in the same way: 130 and 143, and what is done is kept.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use crate::support::program::command;

const SIGNALS: [(&str, i32); 2] = [("INT", 130), ("TERM", 143)];

/// Starts the program. Nobody reads what it prints, and its input does not end.
fn spawn(folder: &Path, args: &[&str]) -> Child {
    let mut command = command(args);
    command.current_dir(folder).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
}

/// Waits until it handles SIGTERM itself, the 15th bit of a mask in hexadecimal.
fn wait_until_it_listens(child: &Child) {
    let path = format!("/proc/{}/status", child.id());
    let listens = || {
        let status = fs::read_to_string(&path).expect("it runs");
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).expect("a mask");
        u64::from_str_radix(mask.trim(), 16).expect("a number") & (1 << 14) != 0
    };
    while !listens() {
        thread::yield_now();
    }
}

fn passbook_in(folder: &Path, args: &[&str], code: i32) {
    let ended = command(args).current_dir(folder).output().expect("the program starts");
    assert_eq!(ended.status.code(), Some(code), "{args:?}: {ended:?}");
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &child.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
}

#[test]
fn a_signal_ends_every_command_with_its_own_code() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    passbook_in(folder, &["generate", "--count=3000", "--output=many.jsonl"], 0);
    // More rows than fit into a pipe that nobody reads.
    let rows = ["batch", "many.jsonl", "--export-jsonl=rows.jsonl", "--no-check"];
    passbook_in(folder, &rows, 0);
    for args in [
        &["run", "-"][..],
        &["check", "-"],
        &["batch", "-"],
        &["merge", "--format=json", "rows.jsonl"],
        &["generate", "--count=1000000000"],
        &["compare", "--round-time=100s", "--customers=2"],
        &["simulate", "--seeds=0..1000000000", "--output=none.json"],
        &["simulate", "--seeds=0..10", "--events=1000000", "--memory-max=1TiB"],
    ] {
        for (name, code) in SIGNALS {
            let mut child = spawn(folder, args);
            wait_until_it_listens(&child);
            // Its input does not end before it does.
            let input = child.stdin.take();
            signal(&child, name);
            assert_eq!(child.wait().expect("an end").code(), Some(code), "{args:?} {name}");
            drop(input);
        }
    }
}

#[test]
fn a_server_closes_in_good_order_and_ends_with_0() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, _) in SIGNALS {
        let args = ["serve", "--base-port=0", "--branches=2"];
        let mut child = spawn(folder.path(), &args);
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        out.read_line(&mut line).expect("text");
        signal(&child, name);
        assert_eq!(child.wait().expect("an end").code(), Some(0), "{name}");
    }
}

#[test]
fn a_history_keeps_its_whole_lines() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    passbook_in(folder, &["generate", "--count=1", "--events=300000", "--output=long.json"], 0);
    for (name, code) in SIGNALS {
        let mut child = spawn(folder, &["run", "-q", "long.json", "--history=h.jsonl"]);
        let is_begun = || {
            let mut entries = fs::read_dir(folder).expect("a folder").flatten();
            entries.any(|entry| {
                let is_part = entry.file_name().to_string_lossy().starts_with("h.jsonl.part");
                is_part && entry.metadata().is_ok_and(|part| part.len() > 0)
            })
        };
        while !is_begun() {
            thread::yield_now();
        }
        signal(&child, name);
        assert_eq!(child.wait().expect("an end").code(), Some(code), "{name}");
        let kept = fs::read_to_string(folder.join("h.jsonl")).expect("a history");
        assert!(kept.ends_with('\n'), "{name}");
        for line in kept.lines() {
            serde_json::from_str::<serde_json::Value>(line).expect("a whole line");
        }
        fs::remove_file(folder.join("h.jsonl")).expect("a history");
    }
}

#[test]
fn a_comparison_shows_the_rounds_that_it_has() {
    let folder = tempfile::tempdir().expect("a folder");
    let args = [
        "compare",
        "--customers=2",
        "--transports=mailbox",
        "--rounds=10000",
        "--round-time=20ms",
        "--export-json=kept.json",
    ];
    let mut command = command(&args);
    command.current_dir(folder.path()).env("PASSBOOK_LOG", "info");
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let mut log = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut told = String::new();
    while !told.contains("round 3 of ") {
        assert!(log.read_line(&mut told).expect("text") > 0, "{told}");
    }
    signal(&child, "INT");
    log.read_to_string(&mut told).expect("text");
    let ended = child.wait_with_output().expect("an end");
    assert_eq!(ended.status.code(), Some(130));
    assert!(told.contains("interrupted; this is of the rounds that were done"), "{told}");
    let shown = String::from_utf8(ended.stdout).expect("text");
    assert!(shown.contains("mailbox"), "{shown}");
    let kept = fs::read_to_string(folder.path().join("kept.json")).expect("an export");
    let kept: serde_json::Value = serde_json::from_str(&kept).expect("JSON");
    let rounds = kept["transports"][0]["rounds"].as_array().expect("rounds").len();
    assert!((1..10_000).contains(&rounds), "{rounds}");
}
