//! Files that other versions made: those of each earlier version, of which `tests/golden/` keeps a
//! sample, are read for ever; those of a later one are refused in one line that names both
//! versions.

use std::fs;

use assert_cmd::assert::Assert;

use crate::support::comparison::comparison;
use crate::support::program::{command, passbook, stderr, stdout};
use passbook::compare::{Report, Transport, write_json};

/// A sample of an earlier version.
fn sample(name: &str) -> String {
    fs::read_to_string(format!("tests/golden/{name}")).expect("a sample")
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, text).expect("written");
        path.display().to_string()
    }
}

#[track_caller]
fn assert_refused(done: Assert, told: &str) {
    let done = done.code(2);
    assert_eq!(stderr(&done), format!("error: {told}\n"));
    assert_eq!(stdout(&done), "");
}

/// `text` as a later passbook may write it: of another version, and with a key that nobody knows.
fn later(text: &str, version: &str, later: &str) -> String {
    assert!(text.contains(version), "{text}");
    text.replacen(version, &format!("{later},\"sealed\":{{\"by\":[1,null]}}"), 1)
}

#[test]
fn histories() {
    let judged = |name: &str, exit: i32| {
        let done = passbook(&["check", "--format=json", &format!("tests/golden/{name}")]);
        let judged = stdout(&done.code(exit)).to_owned();
        assert!(judged.contains("\"verdicts\":{"));
        judged
    };
    judged("history-1.jsonl", 1);
    let plain = judged("history-2.jsonl", 0);
    for packed in ["history-2.jsonl.gz", "history-2.jsonl.zst"] {
        assert_eq!(judged(packed, 0), plain, "{packed}");
    }
    let folder = Folder::new();
    for (version, known) in [("\"version\":3", "3"), ("\"version\":0", "0")] {
        let text = later(&sample("history-2.jsonl"), "\"version\":2", version);
        let file = folder.file("later.jsonl", &text);
        let told = format!(
            "{file} is no history that can be judged: line 1: a history of version {known}, and \
             this passbook takes versions 1 and 2; use the passbook that recorded it"
        );
        assert_refused(passbook(&["check", &file]), &told);
    }
}

/// Worked out by hand: customer 1 is promised to read its own deposit, so it waits for it at branch 2;
/// by then it is there for customer 2 as well.
#[test]
fn scenarios() {
    let done = passbook(&["run", "--format=balances", "tests/golden/scenario-1.json"]).code(0);
    assert_eq!(stdout(&done), "[{\"id\":1,\"balance\":400.5},{\"id\":2,\"balance\":400.25}]\n");
}

#[test]
fn rows() {
    let folder = Folder::new();
    for (name, rows, exit) in [("row-1.jsonl", 5, 1), ("row-2.jsonl", 2, 0)] {
        let path = format!("tests/golden/{name}");
        let done = passbook(&["merge", "--format=jsonl", &path]).code(exit);
        assert_eq!(stdout(&done).lines().count(), rows + 1);
        // To go on with it runs nothing: all rows are there.
        let file = folder.file(name, &sample(name));
        let scenario = "[{\"id\":1,\"type\":\"branch\",\"balance\":0}]\n";
        folder.file("many.jsonl", &scenario.repeat(rows));
        let mut batch = command(&["batch", "--resume", name, "many.jsonl"]);
        batch.current_dir(folder.0.path());
        assert_cmd::Command::from_std(batch).assert().code(exit);
        let (now, then) = (fs::read_to_string(file).expect("rows"), sample(name));
        let rows_of = |text: &str| text.lines().take(rows).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(rows_of(&now), rows_of(&then));
    }
    let row = later(&sample("row-2.jsonl"), "\"format\":2", "\"format\":3");
    let other = row.replacen("\"kind\":\"scenario\"", "\"kind\":\"attempt\"", 1);
    for text in [row, other] {
        let file = folder.file("later.jsonl", &text);
        let problem = "a row of version 3, and this passbook takes versions 1 and 2; use the \
                       passbook that made it";
        assert_refused(passbook(&["merge", &file]), &format!("{file}:1: {problem}"));
        let resumed = passbook(&["batch", "--resume", &file, "input/ten_branches.json"]);
        assert_refused(resumed, &format!("{file}: line 1: {problem}"));
        assert_eq!(fs::read_to_string(&file).expect("rows"), text, "it is left as it was");
    }
}

#[test]
fn comparisons() {
    let compared = |file: &str| {
        passbook(&[
            "compare",
            "--transports=mailbox,mailbox",
            "--rounds=2",
            "--round-time=1ms",
            "--format=json",
            &format!("--baseline={file}"),
            "input/monotonic_writes.json",
        ])
    };
    let done = compared("tests/golden/comparison-1.json").success();
    assert!(stdout(&done).contains("\"baseline\":{\"mean_ns\":"), "{}", stdout(&done));
    let folder = Folder::new();
    let text = later(&sample("comparison-1.json"), "\"format\":1", "\"format\":2");
    let file = folder.file("later.json", &text);
    let told = format!(
        "cannot compare with {file}: it is a comparison of version 2, and this passbook takes version 1; measure it \
         again"
    );
    assert_refused(compared(&file), &told);
}

/// `tests/processes/versions.rs` serves with the sample.
#[test]
fn secrets() {
    let folder = Folder::new();
    for text in ["version 2\n", "version 2\nkey 00\nkey 01\nkey 02\n"] {
        let file = folder.file("bank.secret", text);
        let told = format!(
            "{file} holds a secret of version 2, and this passbook takes version 1; use the \
             passbook that made it, or make another with 'passbook secret FILE'"
        );
        let secret = format!("--bank-secret={file}");
        assert_refused(passbook(&["serve", "--single-port=0", &secret]), &told);
    }
}

/// The keys of a JSON text, each where it stands first.
fn keys(json: &str) -> Vec<&str> {
    let mut keys = Vec::new();
    for before in json.split("\":") {
        let key = before.rsplit('"').next().expect("at least a text without quotes");
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys.pop();
    keys
}

#[test]
fn the_keys_of_a_comparison_stand_as_in_the_first_one() {
    let first = sample("comparison-1.json");
    let first = keys(&first);
    assert_eq!(first[..3], ["format", "program", "command"]);
    let twice = comparison(&[(Transport::Mailbox, 500.0), (Transport::Mailbox, 500.0)], 0.15, 3);
    let mut export = Vec::new();
    write_json(&mut export, &Report::of(&twice, "passbook compare", None)).expect("memory");
    assert_eq!(keys(&String::from_utf8(export).expect("text")), first);
}
