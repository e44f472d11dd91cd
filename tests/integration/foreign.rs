//! `check --from`: histories of other programs, judged where they say enough.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use crate::support::bounded::bounded;
use crate::support::program::{passbook, stderr, stdout};

const GUARANTEES: [&str; 4] =
    ["read_your_writes", "monotonic_reads", "monotonic_writes", "writes_follow_reads"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/plume")
}

/// What is judged of the file at `path`, as JSON.
fn judged(form: &str, path: &Path) -> Value {
    let path = path.to_str().expect("a path of text");
    let done = passbook(&["check", "--from", form, "-f", "json", path]);
    let found: Value = serde_json::from_str(stdout(&done)).expect("JSON");
    let code = match found["verdict"].as_str() {
        Some("holds") => 0,
        Some("violated") => 1,
        Some("undecided") => 3,
        other => panic!("a verdict: {other:?}"),
    };
    done.code(code);
    found
}

#[test]
fn every_history_of_plume_has_the_verdicts_of_an_independent_judge() {
    let table = fs::read_to_string(folder().join("verdicts.tsv")).expect("a table");
    let mut cases = 0;
    for line in table.lines().skip(1) {
        let [case, _, violated] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("three columns: {line}");
        };
        let found = judged("plume", &folder().join(format!("{case}.plume")));
        for guarantee in GUARANTEES {
            let is_violated = violated.split(',').any(|one| one == guarantee);
            let verdict = &found["verdicts"][guarantee]["verdict"];
            assert_eq!(verdict == "violated", is_violated, "{case}: {guarantee}: {found}");
        }
        cases += 1;
    }
    assert_eq!(cases, 23);
}

#[test]
fn a_history_in_lists_is_judged_by_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("history.json");
    fs::write(
        &path,
        r#"[{"type":"invoke","process":0,"f":"txn","value":[["append","x",1]]},
{"type":"ok","process":0,"f":"txn","value":[["append","x",1]]},
{"type":"ok","process":0,"f":"txn","value":[["r","x",[]],["r","y",null]]},
{"type":"fail","process":1,"f":"txn","value":[["append","y",9]]},
{"type":"ok","process":1,"f":"txn","value":[["append","y",2]]}]"#,
    )
    .expect("a file");
    let found = judged("elle", &path);
    let of = &found["verdicts"]["read_your_writes"];
    assert_eq!((of["tested"].as_u64(), of["violations"].as_u64()), (Some(1), Some(1)));
    assert_eq!(of["witness"]["line"], 3);
    let undecided = found["undecided"][0].as_str().expect("a reason");
    assert!(undecided.starts_with("across keys"), "{undecided}");
    let done = passbook(&["check", "--from", "elle", path.to_str().expect("text")]).code(1);
    let told = stdout(&done);
    assert!(told.contains("✗ read your writes     violated in 1 of 1 test"), "{told}");
    assert!(
        told.contains("line 3: session 0 read \"x\" without 1, which it had appended"),
        "{told}"
    );
}

#[test]
fn what_is_wrong_is_named_by_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("history");
    let name = path.to_str().expect("text");
    for (form, text, why) in [
        ("plume", "w(1,1,1,1)\nx(1,1,1,1)\n", "line 2: this is no operation"),
        ("plume", "w(1,1,1)", "line 1: this is no operation"),
        ("plume", "w(1,1,1,99999999999999999999999)", "line 1: this is no operation"),
        (
            "elle",
            "[\n{\"type\":\"ok\",\"process\":1,\"value\":3}]",
            "line 2: this is no history of Elle",
        ),
        (
            "elle",
            "{\"type\":\"odd\\u001b[31m\",\"process\":1}",
            "line 1: no operation is of the type",
        ),
        ("elle", "{:type :ok}", "line 1: this is no history of Elle as JSON"),
    ] {
        fs::write(&path, text).expect("a file");
        let done = passbook(&["check", "--from", form, name]).code(2);
        assert!(stderr(&done).contains(why), "{}", stderr(&done));
        assert!(!stderr(&done).contains('\u{1b}'));
    }
    passbook(&["check", "--from", "plume", name, "--export-html", "page.html"]).code(2);
    passbook(&["check", "--from", "porcupine", name]).code(2);
    fs::write(&path, "w(1,1,1,1)\n").expect("a file");
    let done = passbook(&["check", "--from", "plume", name]).code(3);
    assert!(stdout(&done).contains("nothing to test"), "{}", stdout(&done));
    passbook(&["check", "--strict", "--from", "plume", folder.path().to_str().expect("text")])
        .code(2);
}

#[test]
fn a_history_is_a_whole_file_and_a_limit_names_its_flag() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("history.plume");
    fs::write(&path, "w(1,1,1,1)\n".repeat(100)).expect("a file");
    let name = path.to_str().expect("text");
    let line = format!("{name}:3");
    for (args, why) in [
        (&[&*line][..], "is one line; name a whole history"),
        (&[name, "--document-max", "1kB"], "larger than 1kB; --document-max allows more"),
        (&[name, "--memory-max", "32MiB"], "or allow more with --memory-max"),
    ] {
        let done = passbook(&[&["check", "--from", "plume"], args].concat()).code(2);
        assert!(stderr(&done).contains(why), "{}", stderr(&done));
    }
}

/// The program has a minute. In proportion to its square, each would take several.
#[test]
fn a_long_history_takes_time_in_proportion_to_its_length() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut keys, mut lists) = (String::new(), String::new());
    for number in 1..=60_000 {
        keys += &format!("w({number},1,{number},1)\n");
    }
    for number in 1..=60_000 {
        keys += &format!("r({number},1,70000,{number})\n");
    }
    for number in 0..20_000 {
        let append = format!(r#"["append","x",{number}]"#);
        lists += &format!("{{\"type\":\"info\",\"process\":1,\"value\":[{append}]}}\n");
    }
    lists += &"{\"type\":\"ok\",\"process\":2,\"value\":[[\"r\",\"x\",[19999]]]}\n".repeat(20_000);
    for (form, text, verdict, code) in [
        ("plume", keys, "– read your writes     nothing to test", 3),
        ("elle", lists, "✓ monotonic reads", 0),
    ] {
        fs::write(folder.path().join("history"), text).expect("a file");
        let args = ["check", "--from", form, "history"];
        let done = bounded(folder.path(), &args, Stdio::null()).code(code);
        assert!(stdout(&done).contains(verdict), "{}", stdout(&done));
    }
}
