//! `passbook convert`, as a shell sees it.

use std::fs;
use std::path::Path;

use crate::names::hostile::{self, HOSTILE, assert_harmless};
use crate::support::program::{passbook, stderr, stdout};

const FORMATS: [&str; 9] =
    ["mermaid", "perfetto", "chrome", "shiviz", "jepsen", "elle", "plume", "otlp", "csv"];
const HISTORY: &str = "tests/golden/history-2.jsonl";

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().expect("text").to_owned()
}

#[test]
fn the_plume_text_of_a_history_is_what_another_converter_made_of_it() {
    for number in 1..=23 {
        let name = format!("tests/foreign/plume/{number:02}");
        let done = passbook(&["convert", &format!("{name}.jsonl"), "--to", "plume"]).code(0);
        let expected = fs::read_to_string(format!("{name}.plume")).expect("plume text");
        assert_eq!(stdout(&done), expected, "{name}");
    }
}

#[test]
fn a_file_holds_what_goes_to_standard_output_in_every_format() {
    let folder = tempfile::tempdir().expect("a folder");
    for format in FORMATS {
        let printed = passbook(&["convert", HISTORY, "--to", format]).code(0);
        let file = path(folder.path(), format);
        let done = passbook(&["convert", HISTORY, "--to", format, "-o", &file]).code(0);
        assert_eq!((stdout(&done), stderr(&done)), ("", ""), "{format}");
        let written = fs::read(&file).expect("a file");
        assert!(written.len() > 40 && written == printed.get_output().stdout, "{format}");
    }
}

#[test]
fn a_history_that_is_cut_off_is_converted_as_far_as_it_goes() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = fs::read_to_string(HISTORY).expect("a history");
    let lines: Vec<&str> = whole.lines().collect();
    // The last whole line is the answer to the first request.
    let answered = lines.iter().position(|line| line.contains("reply_received")).expect("one");
    let history = path(folder.path(), "cut.jsonl");
    fs::write(&history, format!("{}\n{{\"at_us\":", lines[..=answered].join("\n")))
        .expect("a file");
    let done = passbook(&["convert", &history, "--to", "csv"]).code(0);
    assert_eq!(stdout(&done).lines().count(), 2);
    assert!(stderr(&done).contains("is cut off: it was converted as far as its last whole line"));
}

#[test]
fn a_history_that_is_broken_is_told_with_its_line_and_leaves_what_was_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let history = path(folder.path(), "broken.jsonl");
    let whole = fs::read_to_string(HISTORY).expect("a history");
    let lines: Vec<&str> = whole.lines().collect();
    fs::write(&history, format!("{}\nno fact\n{}\n", lines[0], lines[1])).expect("a file");
    for format in FORMATS {
        let (old, new) = (path(folder.path(), "old"), path(folder.path(), "new"));
        fs::write(&old, "old").expect("a file");
        for file in [&old, &new] {
            let done = passbook(&["convert", &history, "--to", format, "-o", file]).code(2);
            let told = stderr(&done);
            assert!(
                told.contains("is no history that can be converted: line 2: not JSON"),
                "{told}"
            );
        }
        assert_eq!(fs::read_to_string(&old).expect("a file"), "old");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2, "{format}");
    }
}

#[test]
fn what_is_no_history_is_told_what_it_is_and_nothing_is_written_over_what_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let scenario = ["convert", "input/read_your_writes.json", "--to", "csv"];
    let done = passbook(&scenario).code(2);
    assert!(stderr(&done).contains("holds a scenario, and not a history"), "{}", stderr(&done));
    let history = path(folder.path(), "h.jsonl");
    fs::copy(HISTORY, &history).expect("a copy");
    let done = passbook(&["convert", &history, "--to", "csv", "-o", &history]).code(2);
    assert!(stderr(&done).contains("is read and written by the same command"));
    assert_eq!(fs::read(&history).expect("a file"), fs::read(HISTORY).expect("a file"));
}

#[test]
fn names_of_scenarios_do_no_harm_in_any_format() {
    let folder = tempfile::tempdir().expect("a folder");
    let (scenario, history) = (path(folder.path(), "s.json"), path(folder.path(), "h.jsonl"));
    for (name, _) in HOSTILE {
        fs::write(&scenario, hostile::scenario(name)).expect("a file");
        passbook(&["run", "-q", "--history", &history, &scenario]);
        for format in FORMATS {
            let file = path(folder.path(), "out");
            passbook(&["convert", &history, "--to", format, "-o", &file]).code(0);
            let written = fs::read(&file).expect("a file");
            match format {
                // Its texts are read back beside its converter.
                "perfetto" => assert!(!written.contains(&0x1b)),
                _ => assert_harmless(&String::from_utf8(written).expect("text")),
            }
        }
    }
}
