//! The program as a shell sees it: standard output, standard error and exit codes.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};

use assert_cmd::assert::Assert;

const MONOTONIC_WRITES: &str = "input/monotonic_writes.json";
const READ_YOUR_WRITES: &str = "input/read_your_writes.json";

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_passbook"));
    for variable in ["FORMAT", "COLOR", "CUSTOMERS", "OVERDRAFT", "SEED", "LOG"] {
        command.env_remove(format!("PASSBOOK_{variable}"));
    }
    command.args(args);
    command
}

fn passbook(args: &[&str]) -> Assert {
    assert_cmd::Command::from_std(command(args)).assert()
}

fn stdout(assert: &Assert) -> &str {
    std::str::from_utf8(&assert.get_output().stdout).expect("text")
}

fn stderr(assert: &Assert) -> &str {
    std::str::from_utf8(&assert.get_output().stderr).expect("text")
}

#[test]
fn the_classic_scenarios_print_the_classic_results() {
    for (format, scenario, line) in [
        ("balances", MONOTONIC_WRITES, r#"[{"id":1,"balance":0}]"#),
        ("balances", READ_YOUR_WRITES, r#"[{"id":1,"balance":400}]"#),
        (
            "events",
            READ_YOUR_WRITES,
            concat!(
                r#"[{"id":1,"recv":[{"interface":"deposit","branch":1,"result":"success"}]},"#,
                r#"{"id":1,"recv":[{"interface":"query","branch":2,"balance":400}]}]"#
            ),
        ),
        (
            "customers",
            MONOTONIC_WRITES,
            concat!(
                r#"[{"id":1,"recv":[{"interface":"deposit","result":"success"},"#,
                r#"{"interface":"withdraw","result":"success"},"#,
                r#"{"interface":"query","balance":0}]}]"#
            ),
        ),
    ] {
        let line = format!("{line}\n");
        passbook(&["run", "--format", format, scenario]).code(0).stdout(line).stderr("");
    }
}

#[test]
fn the_text_has_colour_only_where_it_is_wanted() {
    let plain = passbook(&["run", MONOTONIC_WRITES]).code(0);
    assert!(!stdout(&plain).contains('\u{1b}'));
    let coloured = passbook(&["run", "--color", "always", MONOTONIC_WRITES]).code(0);
    assert!(stdout(&coloured).contains('\u{1b}'));
    let machine = ["run", "--color", "always", "--format", "json", MONOTONIC_WRITES];
    assert!(!stdout(&passbook(&machine).code(0)).contains('\u{1b}'));
}

#[test]
fn a_scenario_that_fails_does_not_stop_the_rest() {
    let scenarios = [MONOTONIC_WRITES, "input", "input/none.json", READ_YOUR_WRITES];
    let mut args = vec!["run", "--format", "balances"];
    args.extend(scenarios);
    let done = passbook(&args).code(2);
    assert_eq!(stdout(&done), "[{\"id\":1,\"balance\":0}]\n[{\"id\":1,\"balance\":400}]\n");
    assert!(stderr(&done).contains("input is a directory"), "{}", stderr(&done));
    assert!(stderr(&done).contains("input/none.json does not exist"), "{}", stderr(&done));
}

#[test]
fn a_result_that_is_not_the_expected_one_is_shown_and_exits_with_1() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("wrong.json");
    let classic = fs::read_to_string(READ_YOUR_WRITES).expect("the scenario");
    let scenario = format!(
        r#"{{"name": "wrong", "processes": {classic}, "expected": [{{"id": 1, "balance": 7}}]}}"#
    );
    fs::write(&path, scenario).expect("written");
    let done = passbook(&["run", "-q", path.to_str().expect("text")]).code(1);
    insta::assert_snapshot!(stdout(&done));
}

#[test]
fn bad_input_is_shown_with_its_place_and_exits_with_2() {
    let done = assert_cmd::Command::from_std(command(&["run", "-"]))
        .write_stdin("[{\"type\": \"branch\", \"id\": 1, \"balance\": 0.001}]")
        .assert()
        .code(2)
        .stdout("");
    assert!(stderr(&done).contains("<stdin>:1:"), "{}", stderr(&done));
    assert!(stderr(&done).contains("[0].balance"), "{}", stderr(&done));
}

#[test]
fn wrong_arguments_exit_with_2() {
    for args in [&["run"][..], &["run", "-", "-"], &["run", "-q", "-v", "a"], &["walk"], &[]] {
        passbook(args).code(2).stdout("");
    }
}

#[test]
fn options_come_from_the_environment_too() {
    let mut command = command(&["run", READ_YOUR_WRITES]);
    command.env("PASSBOOK_FORMAT", "balances");
    assert_cmd::Command::from_std(command)
        .assert()
        .code(0)
        .stdout("[{\"id\":1,\"balance\":400}]\n");
}

#[test]
fn the_schema_is_json() {
    let done = passbook(&["schema"]).code(0);
    let schema: serde_json::Value = serde_json::from_str(stdout(&done)).expect("JSON");
    assert_eq!(schema["title"], "passbook scenario");
}

#[test]
fn a_reader_that_goes_away_ends_the_program_quietly() {
    // More than a pipe holds, so that the program is still writing when its reader has gone.
    let mut args = vec!["run", "-v"];
    args.extend([READ_YOUR_WRITES; 300]);
    let mut child =
        command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    let mut first = [0; 16];
    child.stdout.take().expect("a pipe").read_exact(&mut first).expect("some output");
    assert_eq!(&first, b"read_your_writes");
    let done = child.wait_with_output().expect("ended");
    assert_eq!((done.status.code(), &done.stderr[..]), (Some(0), &b""[..]));
}
