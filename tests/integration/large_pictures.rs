//! Pictures of histories that are too large to be drawn at once. The program has two gigabytes and a
//! minute for each: what is drawn has an end, and says what is left out.

#![cfg(unix)]

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use tempfile::TempDir;

use crate::support::bounded::bounded;
use crate::support::program::{stderr, stdout};

/// A history of so many branches.
fn history(branches: u32, facts: impl Iterator<Item = String>) -> String {
    let ids: Vec<String> = (1..=branches).map(|id| id.to_string()).collect();
    let mut text = format!(
        r#"{{"history":"passbook","version":1,"scenario":"large","seed":0,"branches":[{}],"opening_balance_minor":0,"config":{{}}}}"#,
        ids.join(",")
    );
    let mut number = 0;
    for fact in facts {
        number += 1;
        write!(text, "\n{{\"at_us\":{number}000,\"lamport\":{number},\"fact\":{fact}}}")
            .expect("in memory");
    }
    write!(text, "\n{{\"end\":{{\"facts\":{number}}}}}\n").expect("in memory");
    text
}

/// A branch that stops and starts again; nobody sends a message.
fn restarts() -> String {
    let pair = |number: u32| {
        let life = number + 2;
        [
            r#"{"branch_stopped":{"branch":1}}"#.to_owned(),
            format!(
                r#"{{"branch_started":{{"branch":1,"life":{life},"kept":0,"balance_minor":0}}}}"#
            ),
        ]
    };
    history(1, (0..30_000).flat_map(pair))
}

/// A customer who asks one branch again and again.
fn requests() -> String {
    let query = |number: u32| {
        let who = format!(r#""customer":1,"request":{number},"branch":1"#);
        let answer = r#""position":0,"outcome":{"balance_minor":0}"#;
        [
            format!(r#"{{"request_sent":{{{who},"event":1,"operation":"query"}}}}"#),
            format!(r#"{{"reply_sent":{{{who},{answer}}}}}"#),
            format!(r#"{{"reply_received":{{{who}}}}}"#),
        ]
    };
    history(1, (1..=20_000).flat_map(query))
}

/// A write that goes to ten thousand branches.
fn branches() -> String {
    let write = r#"{"kind":"deposit","amount_minor":100}"#;
    let who = r#""customer":1,"request":1,"branch":1"#;
    let id = r#"{"customer":1,"event":1}"#;
    let applied = |branch: u32| {
        format!(
            r#"{{"write_applied":{{"branch":{branch},"id":{id},"write":{write},"origin":1,"sequence":1,"position":1,"balance_minor":100}}}}"#
        )
    };
    let message = |branch: u32| {
        format!(r#""from":1,"to":{branch},"number":{branch},"body":{{"propagate":{{"id":{id}}}}}"#)
    };
    let sent = (2..=10_000).map(|branch| format!(r#"{{"message_sent":{{{}}}}}"#, message(branch)));
    let come = (2..=10_000).flat_map(|branch| {
        [format!(r#"{{"message_received":{{{}}}}}"#, message(branch)), applied(branch)]
    });
    let asked =
        format!(r#"{{"request_sent":{{{who},"event":1,"operation":{{"write":{write}}}}}}}"#);
    let told = format!(r#"{{"reply_sent":{{{who},"position":1,"outcome":"written"}}}}"#);
    let heard = format!(r#"{{"reply_received":{{{who}}}}}"#);
    history(10_000, [asked, applied(1), told, heard].into_iter().chain(sent).chain(come))
}

fn folder(text: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("h.jsonl"), text).expect("a file");
    folder
}

fn drawn(folder: &Path, file: &str) -> String {
    let done = bounded(folder, &["draw", "h.jsonl", "-o", file], Stdio::null()).code(0);
    assert_eq!((stdout(&done), stderr(&done)), ("", ""));
    fs::read_to_string(folder.join(file)).expect("a picture")
}

#[test]
fn every_picture_of_a_large_history_has_an_end_and_says_what_is_left_out() {
    for (text, of_text, of_mermaid, of_svg, of_page) in [
        (
            restarts(),
            "left out: 59,800 moments (drawn as far as 200 ms)",
            "left out: 59,500 moments (drawn as far as 500 ms)",
            "left out: 40,000 moments (drawn as far as 20 s)",
            "60,000 moments, too many to be drawn at once",
        ),
        (
            requests(),
            "left out: 39,960 messages (drawn as far as 60 ms)",
            "left out: 39,900 messages (drawn as far as 150 ms)",
            "left out: 35,000 messages (drawn as far as 7.5 s)",
            "40,000 messages, too many to be drawn at once",
        ),
        (
            branches(),
            "left out: 9,995 messages and 9,995 processes",
            "left out: 9,951 messages and 9,951 processes",
            "left out: 9,901 messages and 9,901 processes",
            "10,001 messages, too many to be drawn at once",
        ),
    ] {
        let folder = folder(&text);
        for (file, told, bytes_max) in [
            ("a.txt", of_text, 100_000),
            ("a.mmd", of_mermaid, 100_000),
            ("a.svg", of_svg, 10_000_000),
            ("a.html", of_page, 3_000_000),
        ] {
            let picture = drawn(folder.path(), file);
            assert!(picture.contains(told), "{file}, {told}: {}", &picture[picture.len() - 300..]);
            assert!(picture.len() < bytes_max, "{file}: {}", picture.len());
        }
        let done = bounded(folder.path(), &["draw", "h.jsonl"], Stdio::null()).code(0);
        assert!(stdout(&done).contains(of_text) && stdout(&done).lines().count() < 300);
    }
}

#[test]
fn what_is_kept_as_a_whole_to_be_converted_has_a_bound() {
    let folder = folder(&requests());
    let convert = |format: &str, code| {
        let args = ["convert", "h.jsonl", "--to", format, "-o", "a", "--memory-max", "36MB"];
        bounded(folder.path(), &args, Stdio::null()).code(code)
    };
    let done = convert("mermaid", 2);
    let told = stderr(&done);
    assert!(told.starts_with("error: h.jsonl is not converted: this takes about "), "{told}");
    assert!(told.ends_with("or allow more with --memory-max\n"), "{told}");
    assert!(!folder.path().join("a").exists());
    convert("csv", 0);
}
