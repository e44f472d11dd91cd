//! `batch --list`: what a batch would run, and nothing run.

use crate::batch::fixture::*;
use crate::support::program::{stderr, stdout};

#[test]
fn what_would_be_run_is_listed_with_its_name() {
    let many = [HOLDS, VIOLATED, UNEXPECTED].join("\n");
    let folder = folder(&[("many.jsonl", &many), ("a.json", VIOLATED)]);
    let list = |args: &[&str], code| {
        let listed = ["--list", "-f", "text", "a.json", "many.jsonl"];
        stdout(&batch(folder.path(), &[&listed, args].concat()).code(code)).to_owned()
    };
    let all = "a.json\tstale read\nmany.jsonl:1\tmany.jsonl:1\nmany.jsonl:2\tstale read\nmany.jsonl:3\thopeful\n";
    assert_eq!(list(&[], 0), all);
    let stale = "a.json\tstale read\nmany.jsonl:2\tstale read\n";
    assert_eq!(list(&["--filter", "stale"], 0), stale);
    assert_eq!(list(&["--partition", "count:2/4"], 0), "many.jsonl:1\tmany.jsonl:1\n");
    let json =
        stdout(&batch(folder.path(), &["--list", "-f", "json", "a.json"]).code(0)).to_owned();
    assert_eq!(json, "{\"number\":1,\"place\":\"a.json\",\"name\":\"stale read\"}\n");
    batch(folder.path(), &["many.jsonl", "--export-jsonl", "rows.jsonl"]).code(1);
    let again = ["--list", "-f", "text", "--rerun-failed", "rows.jsonl"];
    let failed = "many.jsonl:2\tstale read\nmany.jsonl:3\thopeful\n";
    assert_eq!(stdout(&batch(folder.path(), &again).code(0)), failed);
}

#[test]
fn what_cannot_be_read_is_listed_and_told() {
    let folder = folder(&[("a.json", HOLDS), ("b.json", BROKEN)]);
    let done = batch(folder.path(), &["--list", "-f", "text", "."]).code(1);
    assert_eq!(stdout(&done), "./a.json\ta\n./b.json\n");
    assert!(stderr(&done).starts_with("warning: ./b.json:1:20: "), "{}", stderr(&done));
}

#[test]
fn a_list_begins_no_file_and_leaves_one_as_it_is() {
    let many = [HOLDS, VIOLATED, UNEXPECTED].join("\n");
    let folder = folder(&[("many.jsonl", &many)]);
    let list = |rows: &str| {
        let args = ["--list", "-f", "text", "many.jsonl", "--resume", rows];
        stdout(&batch(folder.path(), &args).code(0)).lines().count()
    };
    assert_eq!(list("new.jsonl"), 3);
    assert!(!folder.path().join("new.jsonl").exists());
    batch(folder.path(), &["many.jsonl", "--export-jsonl", "rows.jsonl"]).code(1);
    let whole = read(folder.path(), "rows.jsonl");
    let half_a_line = whole.find('\n').expect("a row") + 20;
    put(folder.path(), "torn.jsonl", &whole[..half_a_line]);
    assert_eq!(list("torn.jsonl"), 2);
    assert_eq!(read(folder.path(), "torn.jsonl"), whole[..half_a_line]);
}
