//! Hostile names through the commands that work: what they print, and that it can be read back.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::names::hostile::*;
use crate::support::program::command;

/// The documents of JSON in `text`.
fn documents(text: &str) -> Vec<Value> {
    let documents = serde_json::Deserializer::from_str(text).into_iter();
    documents.map(|document| document.expect("JSON")).collect()
}

fn names(documents: &[Value], key: &str) -> BTreeSet<String> {
    documents.iter().filter_map(|of| Some(of.get(key)?.as_str()?.to_owned())).collect()
}

fn all_names() -> BTreeSet<String> {
    HOSTILE.iter().map(|(name, _)| (*name).to_owned()).collect()
}

/// That each name is in `text` as it is shown.
#[track_caller]
fn assert_shown(text: &str) {
    for (_, shown) in HOSTILE {
        assert!(text.contains(shown), "{shown}\n{text}");
    }
}

#[test]
fn a_run_shows_every_name_and_its_json_holds_it() {
    let (folder, files) = folder();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    for options in [&["-q"][..], &[], &["-v"]] {
        let (text, notes) = harmless(&said(folder.path(), &[&["run"], options, &files].concat()));
        assert_shown(&text);
        assert_shown(&notes);
        assert!(notes.lines().all(|line| line.contains("note") || line.contains("warning")));
    }
    for format in ["balances", "events", "customers", "classic"] {
        let run = ["run", "--format", format];
        let (text, notes) = harmless(&said(folder.path(), &[&run, &files[..]].concat()));
        assert_eq!(documents(&text).len(), HOSTILE.len());
        assert_shown(&notes);
    }
    let json = said(folder.path(), &[&["run", "--format", "json"], &files[..]].concat());
    assert_eq!(names(&documents(&harmless(&json).0), "scenario"), all_names());
}

#[test]
fn a_batch_shows_every_name_and_its_files_hold_it() {
    let (folder, _) = folder();
    let exports = [
        ["--export-jsonl", "out.rows"],
        ["--export-csv", "out.csv"],
        ["--export-junit", "out.xml"],
    ];
    let text = ["batch", "--format", "text", "."];
    let (text, _) = harmless(&said(folder.path(), &[&text, exports.as_flattened()].concat()));
    assert_shown(&text);
    let (lines, _) = harmless(&said(folder.path(), &["batch", "--format", "json", "."]));
    assert_eq!(names(&documents(&lines), "name"), all_names());

    let rows = fs::read_to_string(folder.path().join("out.rows")).expect("text");
    assert_eq!(names(&documents(&rows), "name"), all_names());
    let table = fs::read_to_string(folder.path().join("out.csv")).expect("text");
    assert_harmless(&table);
    let xml = fs::read_to_string(folder.path().join("out.xml")).expect("text");
    assert_harmless(&xml);
    let document = roxmltree::Document::parse(&xml).expect("XML");
    let cases: Vec<_> =
        document.descendants().filter(|node| node.has_tag_name("testcase")).collect();
    assert_eq!(cases.len(), HOSTILE.len());
    // XML has no word for these.
    let shown = ["\u{1b}", "\u{7}", "\u{8}"].map(|c| (c, c.escape_unicode().to_string()));
    let held =
        |name: &str| shown.iter().fold(name.to_owned(), |name, (c, shown)| name.replace(c, shown));
    for (name, _) in HOSTILE {
        let held = held(name);
        assert!(cases.iter().any(|case| case.attribute("name") == Some(&held)), "{held:?}\n{xml}");
    }
    let (merged, _) = harmless(&said(folder.path(), &["merge", "--format", "text", "out.rows"]));
    assert_shown(&merged);
    let (merged, _) = harmless(&said(folder.path(), &["merge", "--format", "jsonl", "out.rows"]));
    assert_eq!(names(&documents(&merged), "name"), all_names());
}

#[test]
fn a_merge_believes_no_word_of_a_row() {
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), "a.json", &scenario("a"));
    said(folder.path(), &["batch", "a.json", "--export-jsonl", "a.rows"]);
    let rows = fs::read_to_string(folder.path().join("a.rows")).expect("text");
    let (row, summary) = rows.split_once('\n').expect("two lines");
    for (name, shown) in HOSTILE {
        let mut row: Value = serde_json::from_str(row).expect("a row");
        for key in ["place", "name", "problem", "options", "passbook"] {
            row[key] = Value::from(name);
        }
        row["warnings"] = Value::from(vec![name]);
        put(folder.path(), "b.rows", &format!("{row}\n{summary}"));
        let merge = |format| said(folder.path(), &["merge", "--format", format, "b.rows"]);
        let (text, _) = harmless(&merge("text"));
        assert!(text.contains(shown), "{text}");
        let (lines, _) = harmless(&merge("jsonl"));
        for key in ["place", "name", "problem", "options", "passbook"] {
            assert!(names(&documents(&lines), key).contains(name), "{key}: {lines}");
        }
    }
    // What stands where options do is no command.
    let mut row: Value = serde_json::from_str(row).expect("a row");
    row["options"] = Value::from("--seed 1; touch pwned; $(touch pwned) `touch pwned` #");
    put(folder.path(), "b.rows", &format!("{row}\n{summary}"));
    let (text, _) = harmless(&said(folder.path(), &["merge", "--format", "text", "b.rows"]));
    let line = text.lines().find(|line| line.contains("passbook run")).expect("a command");
    let line = anstream::adapter::strip_str(line).to_string();
    assert_eq!(pasted(folder.path(), &line).status.code(), Some(2));
    assert!(!folder.path().join("pwned").exists());
}

#[test]
fn a_judge_shows_what_a_history_says_of_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, shown) in HOSTILE {
        put(folder.path(), "a.json", &scenario(name));
        said(folder.path(), &["run", "--history", "a.history", "a.json"]);
        let history = fs::read_to_string(folder.path().join("a.history")).expect("text");
        let (header, facts) = history.split_once('\n').expect("lines");
        let mut header: Value = serde_json::from_str(header).expect("a header");
        header["passbook"] = Value::from(name);
        header["config"] = serde_json::json!({ (name): name });
        put(folder.path(), "b.history", &format!("{header}\n{facts}"));
        let check = |format| said(folder.path(), &["check", "--format", format, "b.history"]);
        let (text, _) = harmless(&check("text"));
        assert!(text.contains(shown), "{text}");
        let (json, _) = harmless(&check("json"));
        let judged = &documents(&json)[0];
        assert_eq!((&judged["scenario"], &judged["recorded_by"]), (&name.into(), &name.into()));
    }
}

#[test]
fn a_name_of_ten_thousand_characters_is_no_flood() {
    let folder = tempfile::tempdir().expect("a folder");
    for (part, shown) in [("x", "x"), ("\u{1b}", r"\u{1b}"), ("银", "银")] {
        let name = part.repeat(10_000);
        put(folder.path(), "a.json", &scenario(&name));
        put(folder.path(), "a.expected.json", "[{'id': 1, 'balance': 7}]");
        let exports = ["--export-jsonl", "a.rows", "--history", "a.history"];
        let [rows, history] = [&exports[..2], &exports[2..]];
        for args in [
            &["run", "-v", "a.json"][..],
            &["run", "--format", "balances", "a.json"],
            &[&["run"], history, &["a.json"]].concat(),
            &["check", "a.history"],
            &[&["batch", "--format", "text", "a.json"], rows].concat(),
            &["merge", "--format", "text", "a.rows"],
        ] {
            let (text, notes) = harmless(&said(folder.path(), args));
            assert!(text.len() + notes.len() < 12_000, "{args:?}\n{text}{notes}");
            assert!(text.contains(&format!("{shown}…")) || args[1] == "--format", "{text}");
        }
        let (json, _) = harmless(&said(folder.path(), &["run", "--format", "json", "a.json"]));
        assert_eq!(documents(&json)[0]["scenario"], name.as_str());
    }
}

/// What a shell makes of `line` in `folder`, where `passbook` is the program.
fn pasted(folder: &Path, line: &str) -> Output {
    let program = command(&[]);
    let bin = Path::new(program.get_program()).parent().expect("a folder");
    let mut path = OsString::from(bin);
    path.push(":");
    path.push(env::var_os("PATH").expect("a path"));
    let mut shell = Command::new("sh");
    shell.env("PATH", path).args(["-c", line]).current_dir(folder);
    shell.output().expect("a shell")
}

#[test]
fn the_command_to_see_a_run_again_runs_that_file_and_nothing_else() {
    let (folder, _) = folder();
    for (name, _) in HOSTILE {
        let file = format!("{name}.json");
        let (text, _) = harmless(&said(folder.path(), &["run", "--", &file]));
        let line = text.lines().find_map(|line| line.split_once("to see it again: "));
        let line = line.unwrap_or_else(|| panic!("no command: {text}")).1;
        let again = pasted(folder.path(), line);
        assert_eq!(again.status.code(), Some(1), "{line}\n{again:?}");
        assert!(!folder.path().join("pwned").exists(), "{line}");
    }
}

#[test]
fn a_service_says_where_it_listens_and_nothing_of_a_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let (name, _) = HOSTILE[0];
    put(folder.path(), "a.json", &scenario(name));
    let mut program = command(&["serve", "--base-port", "0", "--color", "always", "--bank-name"]);
    program.args([name, "a.json"]).current_dir(folder.path());
    let mut child = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    let mut text = String::new();
    for _ in 0..2 {
        out.read_line(&mut text).expect("text");
    }
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-s", "TERM", &id]).status().expect("kill runs").success());
    out.read_to_string(&mut text).expect("text");
    child.stderr.take().expect("piped").read_to_string(&mut text).expect("text");
    assert!(child.wait().expect("it ends").success(), "{text}");
    assert_harmless(&text);
    assert!(text.starts_with("branch 1 listens on "), "{text}");
}

/// The cells of the column `title` in the file `name`.
fn column(folder: &Path, name: &str, title: &str) -> Vec<String> {
    let mut table = csv::Reader::from_path(folder.join(name)).expect("a table");
    let titles = table.headers().expect("titles").clone();
    let place = titles.iter().position(|of| of == title).expect("the column");
    table.records().map(|row| row.expect("a row")[place].to_owned()).collect()
}

#[test]
fn no_spreadsheet_runs_a_name_in_the_table_of_a_comparison_or_of_a_batch() {
    let folder = tempfile::tempdir().expect("a folder");
    let compare = ["compare", "--transports=mailbox", "--rounds=2", "--round-time=1ms"];
    for (name, cell) in [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-3.2", "'-3.2"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", r"\t=1"),
        ("\r=1", r"\r=1"),
        ("1=1", "1=1"),
    ] {
        put(folder.path(), "a.json", &scenario(name));
        said(folder.path(), &[&compare[..], &["--export-csv=compared.csv", "a.json"]].concat());
        said(folder.path(), &["batch", "--export-csv=batch.csv", "a.json"]);
        assert_eq!(column(folder.path(), "compared.csv", "scenario"), [cell; 4], "all and 3 kinds");
        assert_eq!(column(folder.path(), "batch.csv", "name"), [cell]);
        let means = column(folder.path(), "compared.csv", "mean_ns");
        assert!(means.iter().all(|mean| mean.parse::<f64>().is_ok()), "{means:?}");
    }
}
