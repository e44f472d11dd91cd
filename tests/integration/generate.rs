//! `passbook generate` as a shell sees it.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Stdio;

use crate::support::program::{command, passbook, stderr, stdout};
use assert_cmd::assert::Assert;

/// What `passbook generate` does with the words of `options`.
fn generate(options: &str) -> Assert {
    let args: Vec<&str> = ["generate"].into_iter().chain(options.split_whitespace()).collect();
    passbook(&args)
}

fn made(options: &str) -> String {
    stdout(&generate(options).code(0).stderr("")).to_owned()
}

fn path(file: &Path) -> &str {
    file.to_str().expect("text")
}

#[test]
fn the_same_options_make_the_same_bytes() {
    let options = "--count 50 --seed 7 --branches 2..6 --customers 1..3 --events 1..9 --skew 1.2";
    let first = made(options);
    assert_eq!(first.lines().count(), 50);
    assert_eq!(made(options), first);
    assert_ne!(made(&options.replace("--seed 7", "--seed 8")), first);
}

#[test]
fn any_part_is_made_without_those_before_it() {
    let all = made("--count 30 --seed 7 --events 1..9");
    let part = made("--first 21 --count 10 --seed 7 --events 1..9");
    let last: Vec<&str> = all.lines().skip(20).collect();
    assert_eq!(part.lines().collect::<Vec<_>>(), last);
    assert!(part.starts_with(r#"{"name":"generated-7-21","#), "{part}");
}

#[test]
fn each_line_runs_and_comes_to_what_it_expects() {
    for dialect in ["balances", "events", "customers", "classic"] {
        let options =
            format!("--count 5 --seed 3 --customers 1..3 --final-query --expected {dialect}");
        for line in made(&options).lines() {
            let mut run = assert_cmd::Command::from_std(command(&["run", "-"]));
            let run = run.write_stdin(line).assert().code(0).stderr("");
            assert!(stdout(&run).contains("as expected"), "{}", stdout(&run));
        }
    }
}

#[test]
fn what_the_options_ask_for_is_in_the_scenario() {
    let line = made(
        "--branches 3 --customers 2 --customer-order concurrent --propagation async \
         --guarantees ryw,mw --latency uniform:1ms..5ms --amount 7.25 --balance 12.5 \
         --mix deposit=1 --hop 0 --events 2",
    );
    let scenario: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    for (key, value) in [
        ("name", "generated-0-1"),
        ("customers", "concurrent"),
        ("propagation", "async"),
        ("guarantees", "ryw,mw"),
        ("latency", "uniform:1ms..5ms"),
    ] {
        assert_eq!(scenario[key], value, "{line}");
    }
    let processes = scenario["processes"].as_array().expect("processes");
    let of = |kind: &str| processes.iter().filter(|one| one["type"] == kind).collect::<Vec<_>>();
    assert!(of("branch").iter().all(|branch| branch["balance"] == 12.5), "{line}");
    assert_eq!((of("branch").len(), of("customer").len()), (3, 2));
    for customer in of("customer") {
        let [first, second] = customer["events"].as_array().expect("events").as_slice() else {
            panic!("two events: {line}");
        };
        assert_eq!(first["dest"], second["dest"]);
        assert!([first, second].iter().all(|event| event["interface"] == "deposit"), "{line}");
        assert!([first, second].iter().all(|event| event["money"] == 7.25), "{line}");
    }
}

#[test]
fn a_directory_gets_a_file_for_each() {
    let folder = tempfile::tempdir().expect("a folder");
    let new = folder.path().join("deep/scenarios");
    assert_eq!(made(&format!("--count 12 --seed 5 --directory {}", path(&new))), "");
    let lines = made("--count 12 --seed 5");
    for (number, line) in (1..).zip(lines.lines()) {
        let file = new.join(format!("generated-5-{number}.json"));
        assert_eq!(fs::read_to_string(&file).expect("a scenario"), format!("{line}\n"));
    }
    assert_eq!(fs::read_dir(&new).expect("the folder").count(), 12);
    let files = ["generated-5-1.json", "generated-5-12.json"].map(|name| new.join(name));
    passbook(&["run", "-q", path(&files[0]), path(&files[1])]).code(0).stderr("");
}

#[test]
fn nothing_is_overwritten_unless_it_is_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = folder.path().join("kept.json");
    let old = folder.path().join("generated-0-1.json");
    fs::write(&kept, "mine").expect("written");
    fs::write(&old, "old").expect("written");
    let here = path(folder.path());

    let refused = generate(&format!("--directory {here}")).code(2).stdout("");
    assert!(stderr(&refused).contains("is not empty"), "{}", stderr(&refused));
    let refused = generate(&format!("--output {}", path(&kept))).code(2).stdout("");
    assert!(stderr(&refused).contains("exists already"), "{}", stderr(&refused));
    assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 2);
    assert_eq!(fs::read_to_string(&old).expect("the file"), "old");

    made(&format!("--directory {here} --force"));
    assert_eq!(fs::read_to_string(&kept).expect("the file"), "mine");
    assert_eq!(fs::read_to_string(&old).expect("the file"), made(""));
    made(&format!("--output {} --force --count 2", path(&kept)));
    assert_eq!(fs::read_to_string(&kept).expect("the file"), made("--count 2"));
}

#[test]
fn a_file_gets_what_standard_output_would() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("scenarios.jsonl");
    assert_eq!(made(&format!("--count 3 --output {}", path(&file))), "");
    assert_eq!(fs::read_to_string(&file).expect("the file"), made("--count 3"));
    assert_eq!(made("--count 3 --output -"), made("--count 3"));
}

#[test]
fn places_that_cannot_be_written_to_are_wrong_arguments() {
    for (options, told) in [
        ("--output Cargo.toml/x.jsonl", "cannot write to Cargo.toml/x.jsonl: "),
        ("--output src", "cannot write to src: "),
        ("--directory Cargo.toml", "cannot write to Cargo.toml: it is not a directory"),
        ("--directory Cargo.toml/x", "cannot write to Cargo.toml/x: "),
    ] {
        let refused = generate(options).code(2).stdout("");
        assert!(stderr(&refused).contains(told), "{}", stderr(&refused));
    }
}

#[test]
fn nonsense_is_refused_with_the_option_and_what_to_do() {
    for (options, told) in [
        ("--count 0", &["--count", "write a whole number from 1"][..]),
        ("--first 0", &["--first", "write a whole number from 1"]),
        ("--branches 0", &["--branches", "whole number from 1"]),
        ("--branches 10..2", &["--branches", "write 2..10"]),
        ("--branches 10001", &["--branches", "the most is 10000"]),
        ("--customers none", &["--customers", "'none' is no whole number"]),
        ("--events 10000001", &["--events", "the most is 10000000"]),
        ("--customers 4294967295 --events 4294967295", &["--events", "18446744065119617025"]),
        ("--mix deposit=50,transfer=50", &["--mix", "they deposit, withdraw and query"]),
        ("--mix deposit=0", &["--mix", "let at least one of the three be more than 0"]),
        ("--amount 0..5", &["--amount", "'0' is not positive"]),
        ("--amount 1..0.5", &["--amount", "write 0.5..1"]),
        ("--amount 0.001", &["--amount", "more than two decimals"]),
        ("--amount 92233720368547758", &["--amount", "out of range", "smaller amounts"]),
        ("--amount 5 --decodable", &["--amount", "cannot be used with '--decodable'"]),
        ("--decodable --events 57", &["--decodable", "up to 57 writes, and 56 fit"]),
        ("--balance -0.01", &["--balance", "the least is 0"]),
        ("--hop 101", &["--hop", "write a whole number from 0 to 100"]),
        ("--skew -1", &["--skew", "from 0 to 10"]),
        ("--skew 11", &["--skew", "from 0 to 10"]),
        ("--expected events --propagation async", &["--expected", "use sync"]),
        (
            "--expected events --customers 2 --customer-order concurrent",
            &["--expected", "let them come in order"],
        ),
        ("--output a --directory b", &["--output", "cannot be used with '--directory"]),
        ("--force", &["--force", "--output", "--directory"]),
    ] {
        let refused = generate(options).code(2).stdout("");
        for word in told {
            assert!(stderr(&refused).contains(word), "{options}: {}", stderr(&refused));
        }
    }
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let mut child = command(&["generate", "--count", "1000000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut first = [0; 16];
    child.stdout.take().expect("a pipe").read_exact(&mut first).expect("some output");
    assert_eq!(&first, br#"{"name":"generat"#);
    let done = child.wait_with_output().expect("ended");
    assert_eq!((done.status.code(), &done.stderr[..]), (Some(0), &b""[..]));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("the device");
    let mut to_stdout = command(&["generate"]);
    to_stdout.stdout(full);
    for (mut started, told) in [
        (to_stdout, "error: cannot write the results: "),
        (command(&["generate", "--output", "/dev/full"]), "error: cannot write /dev/full: "),
    ] {
        let done = started.stderr(Stdio::piped()).output().expect("ended");
        assert_eq!(done.status.code(), Some(70));
        let said = String::from_utf8(done.stderr).expect("text");
        assert!(said.starts_with(told), "{said}");
    }
}
