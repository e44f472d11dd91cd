//! The command that a failure is shown with: whoever pastes it into a shell sees it fail again.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Output};

use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use crate::batch::fixture::*;
use crate::support::program::{command, stderr, stdout};

/// What a batch and a run say of [`VIOLATED`], with whatever is between its words.
const STALE: &str = "owed at least its own deposit";
const STALE_READ: &[&str] =
    &["--propagation", "async", "--latency", "constant:50ms", "--guarantees", "none"];

fn zstd(text: &str) -> Vec<u8> {
    compress_to_vec(text.as_bytes(), CompressionLevel::Fastest)
}

/// The commands in `text`.
fn commands(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| line.contains("passbook run")).collect()
}

/// What a shell makes of `line` in `folder`, where `passbook` is the program.
fn pasted(folder: &Path, line: &str) -> Output {
    let program = command(&[]);
    let bin = Path::new(program.get_program()).parent().expect("a folder");
    let mut path = OsString::from(bin);
    path.push(":");
    path.push(env::var_os("PATH").expect("a path"));
    let mut shell = Command::new("sh");
    for (variable, _) in program.get_envs() {
        shell.env_remove(variable);
    }
    shell.env("PATH", path).args(["-c", line]).current_dir(folder);
    shell.output().expect("a shell")
}

fn text(bytes: Vec<u8>) -> String {
    let text = String::from_utf8(bytes).expect("text");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Runs a batch of which one scenario fails with `code` and what is `told`, and does as its text
/// says; the text of a merge says the same.
fn fails_again(folder: &Path, args: &[&str], stdin: &[u8], (code, told): (i32, &str)) {
    let shown = ["--format", "text", "--export-jsonl", "rows.jsonl"];
    let done = with_stdin(folder, &[&shown[..], args].concat(), stdin).code(1);
    let found = commands(stdout(&done));
    let [line] = *found else { panic!("no command, or several: {}", stdout(&done)) };
    assert!(text(stdout(&done).into()).contains(told), "{}", stdout(&done));
    let again = pasted(folder, line);
    let output = format!("{} {}", text(again.stdout), text(again.stderr));
    assert!(again.status.code() == Some(code) && output.contains(told), "{line}\n{output}");
    let mut merge = command(&["merge", "--format", "text", "rows.jsonl"]);
    let merged = merge.current_dir(folder).output().expect("the program starts").stdout;
    assert_eq!(commands(&String::from_utf8(merged).expect("text")), [line]);
}

#[test]
fn a_file_of_its_own_fails_again_whatever_it_is_called() {
    for name in [
        "a.json",
        "it's a \"case\" of $HOME.json",
        "-a.json",
        "sub folder/a.json",
        "a\nb\tc\\n'.json",
        "*[a]?;&|<>.json",
        "é.json",
        "a.json:17.json",
        "\u{9b}2J\u{202e}nosj.json",
        "$(touch pwned) `touch pwned`.json",
    ] {
        let folder = folder(&[(name, VIOLATED)]);
        fails_again(folder.path(), &["."], b"", (1, STALE));
        if name.starts_with('-') {
            fails_again(folder.path(), &["--", name], b"", (1, STALE));
        }
    }
}

#[test]
fn a_line_of_a_file_fails_again_whatever_it_is_called_and_however_it_is_packed() {
    let lines = ["", HOLDS, VIOLATED, HOLDS, ""].join("\r\n");
    let files = [
        ("many.jsonl", lines.clone().into_bytes()),
        ("it's many.ndjson", lines.clone().into_bytes()),
        ("-many.jsonl", lines.clone().into_bytes()),
        ("./-", lines.clone().into_bytes()),
        ("many.jsonl.gz", gzip(&lines)),
        ("it's many.jsonl.gz", gzip(&lines)),
        ("not what it says.jsonl", gzip(&lines)),
        ("not packed.jsonl.gz", lines.into_bytes()),
    ];
    for (name, bytes) in files {
        let folder = folder(&[]);
        put(folder.path(), name, bytes);
        fails_again(folder.path(), &["--", name], b"", (1, STALE));
    }
}

#[test]
fn a_packed_scenario_fails_again() {
    for (name, bytes) in [
        ("a.json.gz", gzip(VIOLATED)),
        ("a.json.zst", zstd(VIOLATED)),
        ("not what it says.json", zstd(VIOLATED)),
    ] {
        let folder = folder(&[]);
        put(folder.path(), name, bytes);
        fails_again(folder.path(), &[name], b"", (1, STALE));
    }
}

#[test]
fn what_was_piped_in_fails_again_where_it_was_kept() {
    let lines = [HOLDS, VIOLATED].join("\n");
    let document = VIOLATED.replace("{\"name\"", "{\n\"name\"");
    for input in
        [lines.clone().into_bytes(), gzip(&lines), document.clone().into_bytes(), gzip(&document)]
    {
        let folder = folder(&[]);
        put(folder.path(), "the-same-input", &input);
        fails_again(folder.path(), &["-"], &input, (1, STALE));
    }
}

#[test]
fn the_options_of_the_batch_make_it_fail_again() {
    let overdrawn = HOLDS.replace("deposit", "withdraw");
    let expected = "\"expected\":[{\"id\":1,\"balance\":-400}],\"processes\":";
    let overdrawn = format!("{{{expected}{overdrawn}}}");
    let settle = ["--settle-before-query", "--customers", "in-order", "--seed", "7"];
    for (scenario, options, told) in [
        (HOLDS, STALE_READ.to_vec(), STALE),
        (HOLDS, [STALE_READ, &["--strict", "--wait-limit", "2s"]].concat(), STALE),
        (&*overdrawn, vec!["--overdraft", "reject"], "-400"),
        (&*overdrawn, vec!["--overdraft", "reject", "--no-check"], "-400"),
        (UNEXPECTED, settle.to_vec(), "500"),
    ] {
        let folder = folder(&[("many.jsonl", scenario), ("a.json", scenario)]);
        for name in ["many.jsonl", "a.json"] {
            fails_again(folder.path(), &[&options[..], &[name]].concat(), b"", (1, told));
        }
    }
}

#[test]
fn an_expected_result_that_is_in_the_scenario_is_not_met_again() {
    let folder = folder(&[("many.jsonl", &[HOLDS, UNEXPECTED].join("\n"))]);
    fails_again(folder.path(), &["many.jsonl"], b"", (1, "500"));
}

#[test]
fn what_is_no_scenario_is_refused_again() {
    let folder = folder(&[("many.jsonl", &[HOLDS, BROKEN].join("\n")), ("a.json", BROKEN)]);
    for name in ["many.jsonl", "a.json"] {
        fails_again(folder.path(), &[name], b"", (2, "unknown type `bransh`"));
    }
}

#[test]
fn a_generated_scenario_fails_again() {
    let args = ["generate", "--count", "40", "--seed", "7", "--directory"];
    let folder = folder(&[]);
    let files = folder.path().join("files");
    let done = command(&args).arg(&files).status().expect("the program starts");
    assert!(done.success());
    let options = [STALE_READ, &["--filter", "generated-7-10"]].concat();
    fails_again(folder.path(), &[&options[..], &["files"]].concat(), b"", (1, "owed"));
    let lines = command(&args[..5]).output().expect("the program starts").stdout;
    put(folder.path(), "the-same-input", &lines);
    fails_again(folder.path(), &[&options[..], &["-"]].concat(), &lines, (1, "owed"));
}

#[test]
fn an_expected_result_beside_its_scenario_fails_again() {
    let folder = folder(&[("a.json", HOLDS), ("a.expected.json", r#"[{"id":1,"balance":500}]"#)]);
    fails_again(folder.path(), &["a.json"], b"", (1, "500"));
}

#[test]
fn what_failed_is_run_again_and_nothing_else() {
    let many = [HOLDS, VIOLATED, HOLDS, BROKEN].join("\n");
    let folder = folder(&[("many.jsonl", &many), ("a.json", HOLDS), ("b.json", BROKEN)]);
    let inputs = ["many.jsonl", "a.json", "b.json"];
    batch(folder.path(), &[&inputs[..], &["--export-jsonl", "rows.jsonl"]].concat()).code(1);
    let places = |args: &[&str], code| {
        let done = batch(folder.path(), args).code(code);
        let rows = rows(&done);
        rows.iter()
            .map(|row| row["place"].as_str().expect("a place").to_owned())
            .collect::<Vec<_>>()
    };
    let failed = ["many.jsonl:2", "many.jsonl:4", "b.json"];
    let sorted = ["b.json", "many.jsonl:2", "many.jsonl:4"];
    assert_eq!(places(&["--rerun-failed", "rows.jsonl"], 1), sorted);
    let given = [&["--rerun-failed", "rows.jsonl"], &inputs[..]].concat();
    assert_eq!(places(&given, 1), failed);
    assert_eq!(places(&["--rerun-failed", "rows.jsonl", "many.jsonl"], 1), failed[..2]);

    let kept = read(folder.path(), "rows.jsonl");
    let over = ["--rerun-failed", "rows.jsonl", "--export-jsonl", "./rows.jsonl"];
    let done = batch(folder.path(), &over).code(2);
    assert!(stderr(&done).contains("read and written by the same command"), "{}", stderr(&done));
    assert_eq!(read(folder.path(), "rows.jsonl"), kept);

    batch(folder.path(), &["a.json", "--export-jsonl", "good.jsonl"]).code(0);
    let done = batch(folder.path(), &["--rerun-failed", "good.jsonl"]).code(0);
    assert_eq!((stdout(&done), stderr(&done)), ("", "note: nothing failed in good.jsonl\n"));
    put(folder.path(), "no_rows.jsonl", "[[[[");
    let done = batch(folder.path(), &["--rerun-failed", "no_rows.jsonl"]).code(2);
    assert!(stderr(&done).contains("no_rows.jsonl: line 1: "), "{}", stderr(&done));
    let done = batch(folder.path(), &["--rerun-failed", "gone.jsonl"]).code(2);
    assert!(stderr(&done).contains("cannot read gone.jsonl: "), "{}", stderr(&done));
    let done = batch(folder.path(), &["--rerun-failed", "a.json"]).code(2);
    assert!(
        stderr(&done).contains("a.json") && stderr(&done).contains("a scenario"),
        "{}",
        stderr(&done)
    );
}
