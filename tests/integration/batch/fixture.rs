//! Scenarios whose outcome is known, folders to put them in, and what a batch says of them.

use std::fs;
use std::io::Write;
use std::path::Path;

use assert_cmd::assert::Assert;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::program::{command, stdout};

/// The classic: a deposit at one branch, read at another.
pub(crate) const HOLDS: &str = r#"[{"id":1,"type":"branch","balance":0},{"id":2,"type":"branch","balance":0},{"id":1,"type":"customer","events":[{"id":1,"interface":"deposit","money":400,"dest":1},{"id":2,"interface":"query","dest":2}]}]"#;

/// The customer reads before its deposit has arrived, and is promised nothing.
pub(crate) const VIOLATED: &str = r#"{"name":"stale read","propagation":"async","guarantees":"none","latency":"constant:50ms","processes":[{"id":1,"type":"branch","balance":0},{"id":2,"type":"branch","balance":0},{"id":1,"type":"customer","events":[{"id":1,"interface":"deposit","money":400,"dest":1},{"id":2,"interface":"query","dest":2}]}]}"#;

/// It comes to 400, and expects 500.
pub(crate) const UNEXPECTED: &str = r#"{"name":"hopeful","expected":[{"id":1,"balance":500}],"processes":[{"id":1,"type":"branch","balance":0},{"id":1,"type":"customer","events":[{"id":1,"interface":"deposit","money":400,"dest":1},{"id":2,"interface":"query","dest":1}]}]}"#;

/// Nobody comes, so nothing can be tested.
pub(crate) const UNDECIDED: &str = r#"[{"id":1,"type":"branch","balance":10}]"#;

/// No type of process is called so.
pub(crate) const BROKEN: &str = r#"[{"id": 1, "type": "bransh"}]"#;

/// A folder with these files.
pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        put(folder.path(), name, text);
    }
    folder
}

pub(crate) fn put(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, bytes).expect("a file");
}

pub(crate) fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).expect("a file of text")
}

/// `passbook batch` with `args`, in `folder`.
pub(crate) fn batch(folder: &Path, args: &[&str]) -> Assert {
    with_stdin(folder, args, Vec::new())
}

/// The same with something on standard input.
pub(crate) fn with_stdin(folder: &Path, args: &[&str], stdin: impl Into<Vec<u8>>) -> Assert {
    let mut command = command(&["batch"]);
    for variable in ["JOBS", "PARTITION", "BATCH_FORMAT"] {
        command.env_remove(format!("PASSBOOK_{variable}"));
    }
    command.current_dir(folder).args(args);
    assert_cmd::Command::from_std(command).write_stdin(stdin).assert()
}

/// The lines of JSON in `text`: the rows, and the summary that comes last.
pub(crate) fn rows_and_summary(text: &str) -> (Vec<Value>, Value) {
    assert!(text.ends_with('\n'), "the last line is whole");
    let parse = |line: &str| serde_json::from_str::<Value>(line).expect("a line of JSON");
    let mut rows: Vec<Value> = text.lines().map(parse).collect();
    let summary = rows.pop().expect("a line");
    assert_eq!(summary["kind"], "summary");
    assert!(rows.iter().all(|row| row["kind"] == "scenario"));
    (rows, summary)
}

pub(crate) fn rows(done: &Assert) -> Vec<Value> {
    rows_and_summary(stdout(done)).0
}

/// Of each row the place and the status.
pub(crate) fn places(rows: &[Value]) -> Vec<(&str, &str)> {
    let word = |row: &'_ Value, key: &str| row[key].is_string();
    assert!(rows.iter().all(|row| word(row, "place") && word(row, "status")));
    rows.iter()
        .map(|row| {
            (row["place"].as_str().unwrap_or_default(), row["status"].as_str().unwrap_or_default())
        })
        .collect()
}

/// Of each row the number.
pub(crate) fn numbers(rows: &[Value]) -> Vec<u64> {
    rows.iter().map(|row| row["number"].as_u64().expect("a number")).collect()
}

/// The rows without how long they took, which differs from run to run.
pub(crate) fn untimed(rows: &[Value]) -> Vec<Value> {
    let mut rows = rows.to_vec();
    for row in &mut rows {
        let took = row.as_object_mut().and_then(|row| row.remove("microseconds"));
        assert!(took.is_some_and(|took| took.is_u64()));
    }
    rows
}

/// `count` lines of the classic scenario, each with a balance of its own, and now and then a long
/// one.
pub(crate) fn many(count: u32) -> String {
    let mut text = String::new();
    for number in 1..=count {
        let events: Vec<String> = (1..=if number % 50 == 0 { 600 } else { 1 })
            .map(|id| format!(r#"{{"id":{id},"interface":"deposit","money":{number},"dest":1}}"#))
            .collect();
        text.push_str(&format!(
            r#"[{{"id":1,"type":"branch","balance":0}},{{"id":2,"type":"branch","balance":0}},{{"id":1,"type":"customer","events":[{}]}}]"#,
            events.join(",")
        ));
        text.push('\n');
    }
    text
}

/// `text` packed by gzip.
pub(crate) fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).expect("memory");
    encoder.finish().expect("memory")
}
