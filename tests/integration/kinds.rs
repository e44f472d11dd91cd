//! A file of another kind is recognised by every command, and told with the command that takes it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use crate::support::program::{command, passbook, stderr, stdout};

const SCENARIO: &str = "input/read_your_writes.json";

/// Each kind of file: what is said to be in it, and the command that is named for it.
const KINDS: [(&str, &str, &str); 12] = [
    ("scenario.json", "a scenario", "passbook run "),
    ("many.jsonl", "many scenarios, one on each line", "passbook batch "),
    ("history.jsonl", "a history", "passbook check "),
    ("history.plume", "a history as Plume reads it", "passbook check --from plume "),
    ("elle.json", "a history as Elle reads it", "passbook check --from elle "),
    ("rows.jsonl", "rows of a batch", "passbook merge "),
    ("comparison.json", "a comparison", "passbook compare --baseline "),
    ("report.json", "a report", "passbook run --history FILE"),
    ("schema.json", "a JSON Schema", "passbook generate"),
    ("result.json", "an expected result", "passbook run x.json"),
    ("rows.csv", "a table (CSV)", "passbook merge"),
    ("rows.xml", "a report for CI servers (JUnit)", "passbook merge"),
];

/// The commands before and after the file, and the kinds that they take.
const COMMANDS: [(&[&str], &[&str], &[&str]); 11] = [
    (&["run"], &[], &["scenario.json"]),
    (&["batch", "--format", "json"], &[], &["scenario.json", "many.jsonl"]),
    (&["compare", "--rounds", "1"], &[], &["scenario.json"]),
    (&["serve"], &[], &["scenario.json"]),
    (&["check"], &[], &["history.jsonl"]),
    (&["draw"], &[], &["history.jsonl"]),
    (&["convert", "--to", "csv"], &[], &["history.jsonl"]),
    (&["check", "--from", "plume"], &[], &["history.plume"]),
    (&["check", "--from", "elle"], &[], &["elle.json"]),
    (&["merge"], &[], &["rows.jsonl"]),
    (&["compare", "--baseline"], &[SCENARIO], &["comparison.json"]),
];

/// A folder with a file of each kind, as it is and packed, all but the schema's scenario as the
/// program itself writes them.
fn files() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("text").to_owned();
    fs::copy(SCENARIO, at("scenario.json")).expect("copied");
    passbook(&["generate", "--count", "3", "--output", &at("many.jsonl")]).code(0);
    passbook(&["run", "-q", "--history", &at("history.jsonl"), SCENARIO]).code(0);
    for (form, name) in [("plume", "history.plume"), ("elle", "elle.json")] {
        let convert = ["convert", &at("history.jsonl"), "--to", form, "-o", &at(name)];
        passbook(&convert).code(0);
    }
    let (rows, csv, xml) = (at("rows.jsonl"), at("rows.csv"), at("rows.xml"));
    let exports = ["--export-jsonl", &rows, "--export-csv", &csv, "--export-junit", &xml];
    passbook(&[&["batch", SCENARIO][..], &exports].concat()).code(0);
    let quick = ["compare", "--rounds", "2", "--round-time", "1ms", "--transports", "mailbox"];
    passbook(&[&quick[..], &["--export-json", &at("comparison.json"), SCENARIO]].concat()).code(0);
    for (args, name) in [
        (&["run", "--format", "json", SCENARIO][..], "report.json"),
        (&["run", "--format", "customers", SCENARIO], "result.json"),
        (&["schema"], "schema.json"),
    ] {
        fs::write(at(name), stdout(&passbook(args).code(0))).expect("written");
    }
    for (name, ..) in KINDS {
        let plain = fs::read(at(name)).expect("a file");
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&plain).expect("packed");
        fs::write(at(&format!("{name}.gz")), gzip.finish().expect("packed")).expect("written");
        let zstd = compress_to_vec(&plain[..], CompressionLevel::Fastest);
        fs::write(at(&format!("{name}.zst")), zstd).expect("written");
    }
    folder
}

/// Without borders and blanks: a line of an error may end anywhere in a long path.
fn unwrapped(told: &str) -> String {
    told.chars().filter(|sign| !sign.is_whitespace() && !"│×".contains(*sign)).collect()
}

fn all_packings(folder: &Path, name: &str) -> [PathBuf; 3] {
    ["", ".gz", ".zst"].map(|end| folder.join(format!("{name}{end}")))
}

#[test]
fn every_command_tells_a_file_of_another_kind_and_the_command_that_takes_it() {
    let folder = files();
    for (before, after, takes) in COMMANDS {
        for (name, holds, named) in KINDS.iter().filter(|(name, ..)| !takes.contains(name)) {
            for path in all_packings(folder.path(), name) {
                let path = path.to_str().expect("text");
                let done = passbook(&[before, &[path], after].concat());
                let output = done.get_output();
                // What is wrong with one input of a batch is in its row, the only one.
                let (code, told) = if before[0] == "batch" {
                    assert_eq!(stdout(&done).lines().count(), 2, "{path}: {}", stdout(&done));
                    (1, unwrapped(stdout(&done)))
                } else {
                    (2, unwrapped(stderr(&done)))
                };
                assert_eq!(output.status.code(), Some(code), "{before:?} {path}: {told}");
                let says = format!("{path} holds {holds}, and not ");
                assert!(told.contains(&unwrapped(&says)), "{before:?} {path}: {told}");
                assert!(told.contains(&unwrapped(named)), "{before:?} {path}: {told}");
            }
        }
    }
}

#[test]
fn an_earlier_batch_of_another_kind_is_left_as_it_is() {
    let folder = files();
    for (name, holds, _) in KINDS.iter().filter(|(name, ..)| *name != "rows.jsonl") {
        for path in all_packings(folder.path(), name) {
            let before = fs::read(&path).expect("a file");
            let path = path.to_str().expect("text");
            let done = passbook(&["batch", SCENARIO, "--resume", path]).code(2).stdout("");
            let told = unwrapped(stderr(&done));
            let says = format!("{path} holds {holds}, and not rows");
            assert!(told.contains(&unwrapped(&says)), "{told}");
            assert_eq!(fs::read(path).expect("a file"), before);
        }
    }
}

#[test]
fn packed_rows_are_to_be_unpacked_first() {
    let folder = files();
    for (end, packing) in [("gz", "gzip"), ("zst", "zstd")] {
        let path = folder.path().join(format!("rows.jsonl.{end}"));
        let path = path.to_str().expect("text");
        for args in [&["merge", path][..], &["batch", SCENARIO, "--resume", path]] {
            let told = unwrapped(stderr(&passbook(args).code(2).stdout("")));
            for says in [format!("{path} is packed by {packing}"), format!("{packing} -dk {path}")]
            {
                assert!(told.contains(&unwrapped(&says)), "{told}");
            }
        }
    }
}

#[test]
fn many_scenarios_name_batch_and_one_line_and_both_work() {
    let folder = files();
    let many = fs::read(folder.path().join("many.jsonl")).expect("a file");
    for name in ["many.jsonl", "many.json"] {
        fs::write(folder.path().join(name), &many).expect("written");
        let mut run = command(&["run", name]);
        run.current_dir(folder.path());
        let told = assert_cmd::Command::from_std(run).assert().code(2);
        // The names are short, so that no command goes over two lines.
        let told = stderr(&told).split_whitespace().collect::<Vec<_>>().join(" ");
        let commands: Vec<_> = told.split('`').skip(1).step_by(2).collect();
        assert_eq!(commands.len(), 2, "{told}");
        assert!(commands[0].starts_with("passbook batch "), "{told}");
        assert_eq!(commands[1], format!("passbook run {name}:2"));
        let program = env!("CARGO_BIN_EXE_passbook");
        for named in commands {
            let line = named.replacen("passbook", &format!("'{program}'"), 1);
            let mut shell = std::process::Command::new("sh");
            shell.current_dir(folder.path());
            let done = shell.args(["-c", &line]).stdout(Stdio::null()).status().expect("started");
            // Made from a seed, and without violations.
            assert_eq!(done.code(), Some(0), "{named}");
        }
    }
}

#[test]
fn standard_input_of_another_kind_is_told_too() {
    let folder = files();
    for (args, name, says) in [
        (&["run", "-"][..], "history.jsonl", "standard input holds a history"),
        (&["run", "-"], "many.jsonl", "`passbook batch -` runs all of them"),
        (&["check", "-"], "rows.jsonl", "standard input holds rows of a batch"),
        (&["check", "-"], "many.jsonl", "standard input holds many scenarios"),
    ] {
        let input = fs::read(folder.path().join(name)).expect("a file");
        let done = assert_cmd::Command::from_std(command(args)).write_stdin(input).assert().code(2);
        let told = unwrapped(stderr(&done));
        assert!(told.contains(&unwrapped(says)), "{says}: {told}");
    }
}
