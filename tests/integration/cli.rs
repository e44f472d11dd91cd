//! The program as a shell sees it: standard output, standard error and exit codes.

use std::fmt::Write;
use std::fs;
use std::io::Read;
use std::process::Stdio;

use crate::support::program::{command, passbook, stderr, stdout};
use assert_cmd::assert::Assert;

const MONOTONIC_WRITES: &str = "input/monotonic_writes.json";
const READ_YOUR_WRITES: &str = "input/read_your_writes.json";

/// What the program does with `args` and `input` as its standard input.
fn passbook_reading(args: &[&str], input: &str) -> Assert {
    assert_cmd::Command::from_std(command(args)).write_stdin(input).assert()
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
    let branch = r#"[{"type": "branch", "id": 1, "balance": 0.001}]"#;
    let done = passbook_reading(&["run", "-"], branch).code(2).stdout("");
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

#[test]
fn a_file_without_a_scenario_is_told_apart_from_one_that_cannot_be_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("written");
        path.to_str().expect("text").to_owned()
    };
    let beyond = format!("{MONOTONIC_WRITES}/further.json");
    for (path, problem) in [
        (file("empty.json", b""), "the input is empty"),
        (file("latin.json", b"[{\"type\": \"\xe9\"}]"), "not UTF-8: the byte 0xe9"),
        (file("deep.json", "[".repeat(100_000).as_bytes()), "the text ends before"),
        (file("two.json", b"[] []"), "a second document after the end"),
        ("input".to_owned(), "input is a directory"),
        ("input/none.json".to_owned(), "does not exist"),
        (beyond, "cannot read input/monotonic_writes.json/further.json"),
    ] {
        let done = passbook(&["run", &path]).code(2).stdout("");
        assert!(stderr(&done).contains(problem), "{path}: {}", stderr(&done));
    }
}

#[test]
fn nothing_of_a_scenario_that_is_wrong_at_its_end_is_run() {
    let classic = fs::read_to_string(READ_YOUR_WRITES).expect("the scenario");
    for wrong in [classic.replace("query", "qery"), classic.clone() + "]", classic.repeat(2)] {
        passbook_reading(&["run", "-"], &wrong).code(2).stdout("");
    }
}

#[test]
fn standard_input_is_a_scenario_among_files() {
    let classic = fs::read_to_string(READ_YOUR_WRITES).expect("the scenario");
    let args = ["run", "--format", "balances", MONOTONIC_WRITES, "-"];
    let done = passbook_reading(&args, &classic).code(0).stderr("");
    assert_eq!(stdout(&done), "[{\"id\":1,\"balance\":0}]\n[{\"id\":1,\"balance\":400}]\n");
    let titled = passbook_reading(&["run", "-q", "-"], &classic).code(0);
    assert_eq!(stdout(&titled).lines().next(), Some("stdin"));
}

#[test]
fn quiet_tells_the_result_and_verbose_every_message() {
    let told = |options: &[&str]| {
        let args = [&["run"], options, &[MONOTONIC_WRITES]].concat();
        stdout(&passbook(&args).code(0).stderr("")).to_owned()
    };
    let (quiet, normal, verbose) = (told(&["-q"]), told(&[]), told(&["-v"]));
    assert_eq!(
        quiet,
        "monotonic_writes\n  customer  balance  writes ok  queries\n         \
         1        0          2        1\n\n  ✓ as expected\n"
    );
    assert!(!normal.contains('→') && normal.contains("write set [1, 2]"), "{normal}");
    assert_eq!(verbose.matches("propagate").count() - normal.matches("propagate").count(), 4);
    assert!(normal.lines().all(|line| line.chars().count() <= 80), "fits a terminal:\n{normal}");
}

#[test]
fn options_overrule_the_scenario() {
    let rejected = ["run", "--format", "balances", "input/overdraft_rejected.json"];
    passbook(&rejected).code(0).stdout("[{\"id\":1,\"balance\":0}]\n");
    let allowed = [&rejected[..], &["--overdraft", "allow"]].concat();
    passbook(&allowed).code(1);

    let withdraw = r#"[{"type": "branch", "id": 1, "balance": 5},
        {"type": "customer", "id": 1, "events": [{"interface": "withdraw", "money": 5.01}]}]"#;
    let line = |option| {
        let done = passbook_reading(
            &["run", "--format", "customers", "--overdraft", option, "-"],
            withdraw,
        );
        stdout(&done.code(0)).to_owned()
    };
    assert!(line("allow").contains(r#""result":"success""#));
    assert!(line("reject").contains(r#""result":"fail""#));
}

#[test]
fn concurrent_customers_and_settled_queries_can_be_asked_for() {
    let bank = r#"[{"type": "branch", "id": 1, "balance": 0}, {"type": "branch", "id": 2, "balance": 0},
        {"type": "customer", "id": 1, "events": [{"interface": "deposit", "money": 7, "dest": 1}]},
        {"type": "customer", "id": 2, "events": [{"interface": "query", "dest": 2}]}]"#;
    let seen = |options: &[&str]| {
        let args = [&["run", "--format", "customers"], options, &["-"]].concat();
        stdout(&passbook_reading(&args, bank).code(0)).to_owned()
    };
    let queried =
        |balance| format!(r#"{{"id":2,"recv":[{{"interface":"query","balance":{balance}}}]}}"#);
    let concurrent = ["--customers", "concurrent"];
    assert!(seen(&[]).contains(&queried(7)));
    assert!(seen(&concurrent).contains(&queried(0)));
    assert!(seen(&[&concurrent[..], &["--settle-before-query"]].concat()).contains(&queried(7)));
    assert!(seen(&[&concurrent[..], &["--overdraft", "reject"]].concat()).contains(&queried(0)));
}

#[test]
fn as_written_a_second_write_with_the_same_id_is_a_retry_or_refused() {
    let bank = r#"[{"type": "branch", "id": 1, "balance": 0}, {"type": "branch", "id": 2, "balance": 0},
        {"type": "customer", "id": 1, "events": [
          {"id": 2, "interface": "deposit", "money": 7, "dest": 1},
          {"id": 2, "interface": "deposit", "money": 7, "dest": 2},
          {"id": 2, "interface": "deposit", "money": 8, "dest": 1},
          {"id": 1, "interface": "deposit", "money": 9, "dest": 2},
          {"id": 2, "interface": "query", "dest": 2}]}]"#;
    let args = ["run", "--format", "customers", "--event-ids", "as-written", "-"];
    let done = passbook_reading(&args, bank).code(0).stderr("");
    assert_eq!(
        stdout(&done),
        concat!(
            r#"[{"id":1,"recv":[{"interface":"deposit","result":"success"},"#,
            r#"{"interface":"deposit","result":"success"},{"interface":"deposit","result":"fail"},"#,
            r#"{"interface":"deposit","result":"fail"},{"interface":"query","balance":7}]}]"#,
            "\n"
        )
    );
}

/// A classic array with `events` deposits of a cent by one customer, who goes round the branches.
fn rounds(branches: usize, events: usize) -> String {
    let mut text = String::from("[");
    for id in 1..=branches {
        write!(text, r#"{{"id":{id},"type":"branch","balance":0}},"#).expect("memory");
    }
    text.push_str(r#"{"id":1,"type":"customer","events":["#);
    for event in 1..=events {
        let dest = event % branches + 1;
        let comma = if event < events { "," } else { "" };
        write!(text, r#"{{"interface":"deposit","money":0.01,"dest":{dest}}}{comma}"#)
            .expect("memory");
    }
    text + "]}]"
}

#[test]
fn large_scenarios_are_run_and_reported_in_every_format() {
    for (branches, events, balance) in [(3, 100_000, "1000"), (200, 500, "5")] {
        let scenario = rounds(branches, events);
        let told = |options: &[&str]| {
            let args = [&["run"], options, &["-"]].concat();
            stdout(&passbook_reading(&args, &scenario).code(0).stderr("")).to_owned()
        };
        assert_eq!(
            told(&["--format", "balances"]),
            format!("[{{\"id\":1,\"balance\":{balance}}}]\n")
        );
        let text = told(&[]);
        assert!(text.contains(&format!("all {branches} branches hold {balance}")));
        assert!(text.lines().count() < 100, "{text}");
        let report: serde_json::Value =
            serde_json::from_str(&told(&["--format", "json"])).expect("JSON");
        assert_eq!(report["branches"].as_array().expect("branches").len(), branches);
        assert_eq!(report["customers"][0]["events"].as_array().expect("events").len(), events);
        assert_eq!(report["branches_agree"], true);
    }
}

#[test]
fn every_message_of_a_long_run_can_be_told() {
    let done = passbook_reading(&["run", "-v", "-"], &rounds(2, 3_000)).code(0).stderr("");
    assert_eq!(stdout(&done).matches("acknowledge").count(), 2 * 3_000);
    assert!(stdout(&done).len() < 5_000_000, "{}", stdout(&done).len());
}

#[test]
fn amounts_are_exact_up_to_the_largest() {
    let bank = |money: &str| {
        format!(
            r#"[{{"type": "branch", "id": 1, "balance": 0.1}}, {{"type": "customer", "id": 1,
            "events": [{{"interface": "deposit", "money": {money}}}]}}]"#
        )
    };
    let run = |money| passbook_reading(&["run", "--format", "balances", "-"], &bank(money));
    let largest = "[{\"id\":1,\"balance\":92233720368547758.07}]\n";
    run("92233720368547757.97").code(0).stdout(largest);
    run("0.2").code(0).stdout("[{\"id\":1,\"balance\":0.3}]\n");
    run("92233720368547758.08").code(2).stdout("");
    let past = passbook_reading(&["run", "--format", "customers", "-"], &bank("92233720368547758"));
    past.code(0)
        .stdout("[{\"id\":1,\"recv\":[{\"interface\":\"deposit\",\"result\":\"fail\"}]}]\n");
}

#[cfg(target_os = "linux")]
#[test]
fn results_that_cannot_be_written_are_an_error() {
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").expect("the device");
    for args in [&["run", MONOTONIC_WRITES][..], &["schema"]] {
        let done = command(args).stdout(full()).stderr(Stdio::piped()).output().expect("ended");
        assert_eq!(done.status.code(), Some(70));
        let told = String::from_utf8(done.stderr).expect("text");
        assert!(told.starts_with("error: cannot write the results: "), "{told}");
    }
}

#[test]
fn every_kind_of_bad_input_is_refused_whole() {
    let branches =
        r#"{"type": "branch", "id": 1, "balance": 0}, {"type": "branch", "id": 2, "balance": 0}"#;
    let with_event = |event: &str| {
        format!(r#"[{branches}, {{"type": "customer", "id": 1, "events": [{{{event}}}]}}]"#)
    };
    let with_money =
        |money: &str| with_event(&format!(r#""interface": "deposit", "money": {money}"#));
    for (text, told) in [
        ("balance = 0".to_owned(), "not JSON"),
        (format!("[{branches},]"), "comma"),
        (format!("[{branches}] x"), "after the end"),
        (format!("[{branches}][{branches}]"), "second document"),
        ("[]".to_owned(), "no branch"),
        (format!("[{branches}, {branches}]"), "branch 1"),
        (format!("[{branches}, {{\"type\": \"teller\", \"id\": 1}}]"), "unknown type `teller`"),
        (with_event(r#""interface": "withdrawal", "money": 1"#), "did you mean `withdraw`?"),
        (with_event(r#""interface": "deposit""#), "`money`"),
        (with_money("-1"), "-1"),
        (with_money("0"), "more than 0"),
        (with_money("0.001"), "decimals"),
        (with_money("1e3"), "1e3"),
        (with_money("92233720368547758.08"), "92233720368547758.08"),
        (with_money("\"much\""), "much"),
        (with_event(r#""interface": "query", "dest": 7"#), "the branches are 1, 2"),
        (format!("[{branches}, {{\"type\": \"branch\", \"id\": 3, \"balance\": 1}}]"), "balance"),
        (with_event(r#""interface": "query", "interface": "query""#), "twice"),
        (with_event(r#""id": 0, "interface": "query""#), "from 1 to 2147483647"),
        (with_event(r#""interfase": "query""#), "did you mean `interface`?"),
    ] {
        let done =
            passbook_reading(&["run", "--format", "balances", "-"], &text).code(2).stdout("");
        assert!(stderr(&done).contains("[<stdin>:1:"), "{text}: {}", stderr(&done));
        assert!(stderr(&done).contains(told), "{text}: {}", stderr(&done));
    }
}

#[test]
fn a_report_says_what_its_scenario_says_of_itself_and_fits_the_terminal() {
    let file = "input/guarantees/writes_follow_reads_lag.json";
    let run = |args: &[&str]| {
        let mut command = command(&[&["run", file], args].concat());
        let shown = command.env("COLUMNS", "70").output().expect("it starts");
        String::from_utf8(shown.stdout).expect("text")
    };
    let text = run(&["--guarantees", "none"]);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("Your partner deposits 400 at branch 1, whose line to branch 3 is slow.")
    );
    assert!(words.contains("and overtakes the deposit. Without writes follow reads"));
    // A command is to be pasted whole.
    let mut lines = text.lines().filter(|line| !line.contains("passbook run"));
    assert!(lines.all(|line| line.chars().count() <= 70), "{text}");
    let in_time = run(&["--guarantees", "none", "--customers", "concurrent", "--by", "time"]);
    assert!(in_time.contains("\n  0.000 ms  1  deposit   400  at branch 1  ✓ ok\n"), "{in_time}");
    assert!(!run(&["-q"]).contains("Your partner"));
}
