//! `batch --history`: a file for each scenario, which `passbook check` judges as the batch did.

use std::fs::{self, File};
use std::path::Path;

use assert_cmd::assert::OutputAssertExt;

use crate::batch::fixture::*;
use crate::support::program::{command, stderr};

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    names.sort();
    names
}

fn check(folder: &Path, history: &str, code: i32) {
    let mut check = command(&["check", "-q", history]);
    check.current_dir(folder).assert().code(code);
}

#[test]
fn what_is_violated_leaves_a_history_that_is_judged_alike() {
    let many = [HOLDS, VIOLATED, HOLDS, BROKEN, UNEXPECTED].join("\n");
    let folder = folder(&[("many.jsonl", &many)]);
    let plain = batch(folder.path(), &["many.jsonl"]).code(1);
    let with = batch(folder.path(), &["many.jsonl", "--history", "new/kept"]).code(1);
    let statuses = |of| rows(of).iter().map(|row| row["status"].clone()).collect::<Vec<_>>();
    assert_eq!(statuses(&with), statuses(&plain));
    assert_eq!(names(&folder.path().join("new/kept")), ["2-stale_read.jsonl"]);
    check(folder.path(), "new/kept/2-stale_read.jsonl", 1);

    let all = ["many.jsonl", "--history", "all", "--history-of", "all"];
    batch(folder.path(), &all).code(1);
    let kept = names(&folder.path().join("all"));
    assert_eq!(kept.len(), 4, "{kept:?}");
    check(folder.path(), "all/2-stale_read.jsonl", 1);
    check(folder.path(), &format!("all/{}", kept[0]), 0);
    let seen = read(folder.path(), "all/2-stale_read.jsonl");
    assert_eq!(seen, read(folder.path(), "new/kept/2-stale_read.jsonl"));
}

#[test]
fn a_folder_that_cannot_hold_histories_is_refused_before_anything_runs() {
    let folder = folder(&[("cases/a.json", VIOLATED), ("file", "")]);
    for (to, why) in [
        ("cases/new", "cases/new is written to, and is in a folder that the same command reads"),
        ("cases", "cases is written to"),
        ("file", "cannot write to file: "),
    ] {
        let done = batch(folder.path(), &["cases", "--history", to, "--export-csv", "c"]).code(2);
        assert!(stderr(&done).contains(why), "{}", stderr(&done));
        assert_eq!(names(folder.path()), ["cases", "file"]);
        assert_eq!(names(&folder.path().join("cases")), ["a.json"]);
    }
    batch(folder.path(), &["cases", "--history-of", "all"]).code(2);
}

#[test]
fn no_history_is_written_over_what_is_read_or_written_otherwise() {
    let folder = folder(&[("out/1-stale_read.jsonl", VIOLATED), ("cases/a.json", VIOLATED)]);
    let refused = |args: &[&str], stdin: Option<File>| {
        let mut batch = command(&["batch"]);
        batch.args(args).args(["--history", "cases/../out"]).current_dir(folder.path());
        stdin.map(|file| batch.stdin(file));
        let done = batch.assert().code(2);
        let told = stderr(&done);
        assert!(told.contains("is in cases/../out, where the same command may"), "{told}");
        assert_eq!(read(folder.path(), "out/1-stale_read.jsonl"), VIOLATED, "{args:?}");
        assert_eq!(names(&folder.path().join("out")), ["1-stale_read.jsonl"], "{args:?}");
    };
    for args in [
        &["out/1-stale_read.jsonl"][..],
        &["out/1-stale_read.jsonl:1"],
        &["out/*.jsonl"],
        &["cases/a.json", "--export-jsonl", "out/2-b.jsonl"],
    ] {
        refused(args, None);
    }
    refused(&["-"], Some(File::open(folder.path().join("out/1-stale_read.jsonl")).expect("one")));
    #[cfg(unix)]
    {
        let (link, from) = (folder.path().join("link.jsonl"), "out/1-stale_read.jsonl");
        std::os::unix::fs::symlink(from, link).expect("a link");
        refused(&["link.jsonl"], None);
    }
    // No history is called like these rows.
    let beside = ["cases", "--history", "out", "--export-jsonl", "out/rows.jsonl"];
    batch(folder.path(), &beside).code(1);
    let rerun = ["--rerun-failed", "out/rows.jsonl", "--history", "out"];
    batch(folder.path(), &rerun).code(1);
}
