//! Files that are written: never over what is read, and only whole over what was there.

#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use assert_cmd::assert::Assert;
use tempfile::TempDir;

use crate::support::program::{command, passbook, stderr, stdout};

const SCENARIO: &str = r#"[{"id":1,"type":"branch","balance":7},{"id":1,"type":"customer","events":[{"id":1,"interface":"query","dest":1}]}]"#;
/// Both branches accept what is not too much for either alone.
const TOO_MUCH: &str = r#"{"propagation":"async","latency":"constant:1s","customers":"concurrent","processes":[{"id":1,"type":"branch","balance":92233720368547757},{"id":2,"type":"branch","balance":92233720368547757},{"id":1,"type":"customer","events":[{"id":1,"interface":"deposit","money":1,"dest":1}]},{"id":2,"type":"customer","events":[{"id":1,"interface":"deposit","money":1,"dest":2}]}]}"#;
const OLD: &str = "what was there before\n";

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

fn passbook_in(folder: &Path, args: &[&str]) -> Assert {
    let mut command = command(args);
    command.current_dir(folder);
    assert_cmd::Command::from_std(command).assert()
}

/// What `passbook batch` makes of one scenario.
fn rows(folder: &Path, name: &str) {
    passbook_in(folder, &["batch", "a.json", "--export-jsonl", name]).code(0);
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).expect("a file")
}

/// The names in `folder` that say that a file is not complete.
fn parts(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string());
    names.map(|name| name.expect("text")).filter(|name| name.contains(".part-")).collect()
}

#[test]
fn an_output_that_is_an_input_is_refused_by_every_command() {
    let folder = folder(&[("a.json", SCENARIO), ("x.expected.json", "[]"), ("x.json", SCENARIO)]);
    let folder = folder.path();
    rows(folder, "rows.jsonl");
    fs::create_dir(folder.join("deep")).expect("a folder");
    symlink(folder.join("a.json"), folder.join("soft.json")).expect("a link");
    fs::hard_link(folder.join("a.json"), folder.join("hard.json")).expect("a link");
    symlink(folder, folder.join("deep/up")).expect("a link");
    fs::write(folder.join("deep/many.jsonl"), format!("{SCENARIO}\n")).expect("a file");
    fs::write(folder.join("base.json"), OLD).expect("a file");
    for args in [
        &["run", "--history", "a.json", "a.json"][..],
        &["run", "--history", "./a.json", "a.json"],
        &["run", "--history", "deep/../a.json", "a.json"],
        &["run", "--history", "soft.json", "a.json"],
        &["run", "--history", "hard.json", "a.json"],
        &["run", "--history", "a.json", "soft.json"],
        &["run", "--history", "deep/up/a.json", "a.json"],
        &["batch", "a.json", "--export-csv", "hard.json"],
        &["batch", "a.json", "--export-junit", "soft.json"],
        &["batch", "a.json", "--resume", "./a.json"],
        &["run", "--history", "x.expected.json", "x.json"],
        &["batch", "x.json", "--export-csv", "x.expected.json"],
        &["batch", "deep", "--export-jsonl", "deep/many.jsonl"],
        &["batch", ".", "--export-csv", "a.json"],
        &["batch", "deep/*.jsonl", "--export-csv", "deep/many.jsonl"],
        &["merge", "rows.jsonl", "--export-jsonl", "deep/up/rows.jsonl"],
        &["merge", "rows.jsonl", "--export-csv", "rows.jsonl"],
        &["compare", "a.json", "--export-html", "hard.json"],
        &["compare", "a.json", "--baseline", "base.json", "--export-json", "./base.json"],
    ] {
        let done = passbook_in(folder, args).code(2);
        let told = stderr(&done);
        assert!(told.contains("is read and written by the same command"), "{args:?}: {told}");
        assert_eq!(stdout(&done), "", "{args:?}");
        for (name, text) in [("a.json", SCENARIO), ("x.expected.json", "[]"), ("base.json", OLD)] {
            assert_eq!(read(folder, name), text, "{args:?}");
        }
    }
    assert!(read(folder, "rows.jsonl").contains("summary"));
    assert_eq!(parts(folder), [""; 0]);
}

#[test]
fn standard_input_and_output_are_files_too() {
    let folder = folder(&[("a.json", SCENARIO)]);
    let shell = |line: &str| {
        let mut shell = Command::new("sh");
        let program = command(&[]);
        shell.args(["-c", line]).arg(program.get_program()).current_dir(folder.path());
        assert_cmd::Command::from_std(shell).assert()
    };
    for (line, told) in [
        ("\"$0\" run --history a.json - < a.json", "- is read and written by the same"),
        ("\"$0\" run a.json >> a.json", "a.json is read and written by the same command"),
        ("\"$0\" check a.json >> a.json", "a.json is read and written by the same command"),
        ("\"$0\" batch a.json --export-csv out > out", "standard output is written twice"),
        ("\"$0\" generate --output out > out", "standard output is written twice"),
    ] {
        let done = shell(line).code(2);
        assert!(stderr(&done).contains(told), "{line}: {}", stderr(&done));
        assert_eq!(read(folder.path(), "a.json"), SCENARIO, "{line}");
    }
    shell("\"$0\" batch a.json --format text --export-csv /dev/stdout > both").code(0);
    let both = read(folder.path(), "both");
    let (csv, text) = both.split_once("\n1,a.json,").expect("a row");
    assert!(csv.starts_with("number,place,") && text.contains("none of 1 scenario"), "{both}");
    shell("\"$0\" run -q --history /dev/null a.json > /dev/null").code(0);
}

#[test]
fn what_cannot_be_written_is_told_before_anything_runs() {
    for place in [".", "none/history.jsonl"] {
        let done = passbook(&["run", "--history", place, "input/read_your_writes.json"]).code(2);
        assert!(stderr(&done).contains("cannot write the history"), "{}", stderr(&done));
        assert_eq!(stdout(&done), "");
    }
}

#[test]
fn a_page_or_picture_that_cannot_be_written_is_told_before_the_work() {
    let folder = folder(&[("a.json", SCENARIO), ("h.jsonl", "no history")]);
    symlink("none/a.html", folder.path().join("lost.html")).expect("a link");
    for (args, name) in [
        (&["run", "a.json", "--export-html"][..], "none/a.html"),
        (&["check", "h.jsonl", "--export-html"], "none/a.html"),
        (&["draw", "h.jsonl", "-o"], "none/a.svg"),
        (&["compare", "a.json", "--rounds=2", "--round-time=1ms", "--export-html"], "lost.html"),
    ] {
        let done = passbook_in(folder.path(), &[args, &[name]].concat()).code(2);
        let told = format!("cannot write {name}: ");
        assert!(stderr(&done).contains(&told), "{args:?}: {}", stderr(&done));
        assert_eq!(stdout(&done), "", "{args:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_lost_while_it_is_written_is_no_fault_of_the_arguments() {
    let folder = folder(&[("a.json", SCENARIO)]);
    let folder = folder.path();
    passbook_in(folder, &["run", "-q", "a.json", "--history", "h.jsonl"]).code(0);
    for (args, name) in [
        (&["run", "-q", "a.json", "--export-html"][..], "full.html"),
        (&["check", "-q", "h.jsonl", "--export-html"], "full.html"),
        (&["draw", "h.jsonl", "-o"], "full.html"),
        (&["draw", "h.jsonl", "-o"], "full.svg"),
        (&["draw", "h.jsonl", "-o"], "full.txt"),
        (&["convert", "h.jsonl", "--to", "csv", "-o"], "full.csv"),
        (&["batch", "a.json", "--export-csv"], "full.csv"),
        (&["batch", "a.json", "--export-html"], "full.html"),
    ] {
        let full = folder.join(name);
        symlink("/dev/full", &full).expect("a link");
        let done = passbook_in(folder, &[args, &[name]].concat()).code(70);
        let told = format!("cannot write the results: {name}: No space left");
        assert!(stderr(&done).contains(&told), "{args:?}: {}", stderr(&done));
        fs::remove_file(full).expect("a link");
    }
}

#[test]
fn no_file_is_written_twice() {
    let folder = folder(&[("a.json", SCENARIO), ("old", OLD)]);
    fs::hard_link(folder.path().join("old"), folder.path().join("other")).expect("a link");
    rows(folder.path(), "rows.jsonl");
    for args in [
        &["batch", "a.json", "--export-csv", "new", "--export-junit", "./new"][..],
        &["batch", "a.json", "--export-csv", "old", "--export-junit", "other"],
        &["batch", "a.json", "--resume", "rows.jsonl", "--export-csv", "rows.jsonl"],
        &["merge", "rows.jsonl", "--export-csv", "old", "--export-jsonl", "other"],
        &["compare", "a.json", "--export-csv", "new", "--export-html", "new"],
        &["compare", "a.json", "--propagation=both", "--export-csv=x", "--export-html=./x"],
    ] {
        let done = passbook_in(folder.path(), args).code(2);
        assert!(stderr(&done).contains(" is written twice"), "{args:?}: {}", stderr(&done));
        assert_eq!(read(folder.path(), "old"), OLD, "{args:?}");
    }
}

#[test]
fn a_run_that_fails_leaves_the_old_file() {
    let folder = folder(&[("a.json", SCENARIO), ("bad.json", TOO_MUCH), ("old", OLD)]);
    let folder = folder.path();
    rows(folder, "rows.jsonl");
    let half = read(folder, "rows.jsonl").replace(r#""inputs":1"#, r#""inputs":2"#);
    fs::write(folder.join("half.jsonl"), half).expect("a file");
    fs::write(folder.join("other.json"), SCENARIO).expect("a file");
    for args in [
        &["run", "--history", "old", "bad.json"][..],
        &["merge", "half.jsonl", "--export-jsonl", "old"],
        // Its rows are of another input.
        &["batch", "other.json", "--resume", "rows.jsonl", "--export-csv", "old"],
        &["generate", "--branches", "3", "--output", "old"],
        &["run", "--export-html", "old", "bad.json"],
        &["check", "--export-html", "old", "a.json"],
        &["convert", "--to", "csv", "--output", "old", "a.json"],
    ] {
        passbook_in(folder, args).code(2);
        assert_eq!(read(folder, "old"), OLD, "{args:?}");
        assert_eq!(parts(folder), [""; 0], "{args:?}");
    }
}

#[test]
fn what_comes_to_its_end_replaces_the_old_file_with_its_permissions() {
    let folder = folder(&[("a.json", SCENARIO)]);
    let folder = folder.path();
    rows(folder, "rows.jsonl");
    let compare = ["compare", "a.json", "--transports=mailbox", "--rounds=2", "--round-time=1ms"];
    for args in [
        &["run", "--history", "old", "a.json"][..],
        &["batch", "a.json", "--export-csv", "old"],
        &["batch", "a.json", "--export-junit", "old"],
        &["batch", "a.json", "--export-jsonl", "old"],
        &["merge", "rows.jsonl", "--export-csv", "old"],
        &["merge", "rows.jsonl", "--export-jsonl", "old"],
        &[&compare[..], &["--export-json", "old"]].concat(),
        &[&compare[..], &["--export-markdown", "old"]].concat(),
        &["generate", "--force", "--output", "old"],
    ] {
        let old = folder.join("old");
        fs::write(&old, OLD).expect("a file");
        fs::set_permissions(&old, fs::Permissions::from_mode(0o604)).expect("a file");
        passbook_in(folder, args).code(0);
        let text = read(folder, "old");
        assert!(text != OLD && text.len() > 50, "{args:?}: {text}");
        let mode = old.metadata().expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o604, "{args:?}");
        assert_eq!(parts(folder), [""; 0], "{args:?}");
    }
}

fn spawn(folder: &Path, args: &[&str]) -> Child {
    let mut command = command(args);
    command.current_dir(folder).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
}

fn wait_for_part(folder: &Path, name: &str) {
    while !parts(folder).iter().any(|part| part.starts_with(name)) {
        thread::yield_now();
    }
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status();
    assert!(sent.expect("kill").success());
}

#[test]
fn a_run_that_is_killed_leaves_the_old_file() {
    let folder = folder(&[("a.json", SCENARIO), ("old", OLD)]);
    let folder = folder.path();
    for args in [
        &["batch", "-", "--export-csv", "old"][..],
        &["batch", "-", "--export-jsonl", "old"],
        &["generate", "--count=1000000000", "--force", "--output=old"],
    ] {
        let mut child = spawn(folder, args);
        wait_for_part(folder, "old.part-");
        signal(&child, "-KILL");
        child.wait().expect("an end");
        assert_eq!(read(folder, "old"), OLD, "{args:?}");
        for part in parts(folder) {
            fs::remove_file(folder.join(part)).expect("a file");
        }
    }
}

#[test]
fn a_signal_takes_what_is_not_complete_away() {
    let folder = folder(&[("old", OLD)]);
    let folder = folder.path();
    for name in ["-INT", "-TERM"] {
        let args = ["generate", "--count=1000000000", "--force", "--output=old"];
        let mut child = spawn(folder, &args);
        wait_for_part(folder, "old.part-");
        signal(&child, name);
        let code = if name == "-INT" { 130 } else { 143 };
        assert_eq!(child.wait().expect("an end").code(), Some(code));
        assert_eq!(read(folder, "old"), OLD);
        assert_eq!(parts(folder), [""; 0]);
    }
}

/// The rows so far are beside the old ones, and a batch can go on with them.
#[test]
fn an_interrupted_batch_leaves_the_old_rows_and_says_where_the_new_ones_are() {
    let folder = folder(&[("old.jsonl", OLD), ("old.csv", OLD)]);
    let folder = folder.path();
    let args = ["batch", "-", "--format=json", "--export-jsonl=old.jsonl", "--export-csv=old.csv"];
    let mut child = spawn(folder, &[&args[..], &["--export-junit=new.xml"]].concat());
    let mut input = child.stdin.take().expect("a pipe");
    writeln!(input, "{SCENARIO}").expect("it reads");
    let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
    output.read_line(&mut String::new()).expect("a row");
    signal(&child, "-INT");
    let ended = child.wait_with_output().expect("an end");
    assert_eq!(ended.status.code(), Some(130));
    let told = String::from_utf8(ended.stderr).expect("text");
    let [part] = &parts(folder)[..] else { panic!("{:?}", parts(folder)) };
    assert!(told.contains(&format!("interrupted; --resume {part} goes on")), "{told}");
    assert_eq!([read(folder, "old.jsonl"), read(folder, "old.csv")], [OLD, OLD]);
    assert!(read(folder, "new.xml").contains("testsuites"), "what was not there is complete");
    fs::write(folder.join("two.jsonl"), format!("{SCENARIO}\n{SCENARIO}\n")).expect("a file");
    let rows = read(folder, part).replace("\"-:1\"", "\"two.jsonl:1\"");
    fs::write(folder.join(part), rows).expect("a file");
    passbook_in(folder, &["batch", "two.jsonl", "--resume", part]).code(0);
    assert_eq!(read(folder, part).matches(r#""kind":"scenario""#).count(), 2);
}
