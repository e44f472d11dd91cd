//! What every command may be given to read: a file, packed or not, or one line of it.

use std::path::Path;

use assert_cmd::assert::Assert;
use serde_json::Value;

use crate::batch::fixture::{HOLDS, VIOLATED, batch, folder, gzip, put, rows};
use crate::support::program::{command, stderr, stdout};

/// Of three lines the second is blank, and the third breaks a guarantee.
fn packed() -> tempfile::TempDir {
    let folder = folder(&[]);
    put(folder.path(), "many.jsonl.gz", gzip(&[HOLDS, "", VIOLATED].join("\n")));
    folder
}

/// The commands that read one scenario, with what else they need to end soon.
const READERS: [&[&str]; 3] = [
    &["run", "--format", "json"],
    &["compare", "--transports", "mailbox,mailbox", "--rounds", "2", "--round-time", "1ms"],
    &["serve", "--base-port", "0", "--until-stdin-ends"],
];

fn given(folder: &Path, args: &[&str], place: &str) -> Assert {
    let mut command = command(args);
    command.arg(place).current_dir(folder);
    assert_cmd::Command::from_std(command).write_stdin("").assert()
}

#[test]
fn one_line_of_a_packed_file_is_a_scenario_for_every_command() {
    let folder = packed();
    for args in READERS {
        given(folder.path(), args, "many.jsonl.gz:1").code(0);
    }
    let run = given(folder.path(), READERS[0], "many.jsonl.gz:3").code(1);
    let report: Value = serde_json::from_str(stdout(&run)).expect("a report");
    assert_eq!(report["scenario"], "stale read");
    let done = batch(folder.path(), &["many.jsonl.gz:3", "many.jsonl.gz:1"]).code(1);
    let rows = rows(&done);
    let told: Vec<_> = rows.iter().map(|row| (&row["place"], &row["status"])).collect();
    assert_eq!(
        serde_json::json!(told),
        serde_json::json!([["many.jsonl.gz:3", "violated"], ["many.jsonl.gz:1", "holds"]])
    );
}

#[test]
fn a_line_that_is_not_there_is_said_by_every_command() {
    let folder = packed();
    for (line, says) in [
        (0, "no line: they are counted from 1"),
        (2, "a blank line"),
        (4, "past the end: there are 3 lines"),
    ] {
        let place = format!("many.jsonl.gz:{line}");
        for args in READERS {
            let done = given(folder.path(), args, &place).code(2);
            assert!(stderr(&done).contains(&format!("{place} is {says}")), "{}", stderr(&done));
        }
        let done = batch(folder.path(), &[&place]).code(1);
        assert_eq!(rows(&done)[0]["problem"], says);
    }
}

#[test]
fn a_history_may_be_packed_and_is_judged_whole() {
    let folder = folder(&[("a.json", VIOLATED)]);
    given(folder.path(), &["run", "--history", "a.jsonl"], "a.json").code(1);
    let history = std::fs::read_to_string(folder.path().join("a.jsonl")).expect("a history");
    put(folder.path(), "a.jsonl.gz", gzip(&history));
    let plain = given(folder.path(), &["check", "--format", "json"], "a.jsonl").code(1);
    let packed = given(folder.path(), &["check", "--format", "json"], "a.jsonl.gz").code(1);
    assert_eq!(stdout(&plain), stdout(&packed));
    let line = given(folder.path(), &["check"], "a.jsonl:1").code(2);
    assert!(stderr(&line).contains("a.jsonl:1 is one line; name a whole history"));
}
