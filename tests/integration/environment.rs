//! What the program takes from its environment: variables, colour, and a terminal as its input.

use std::io::Write;
use std::process::{Command, Stdio};

use assert_cmd::assert::Assert;

use crate::support::program::{command, passbook, stderr, stdout};

const SCENARIO: &str = "input/read_your_writes.json";
const COLOURS: [&str; 4] = ["NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "CLICOLOR"];

fn with(variables: &[(&str, &str)], args: &[&str]) -> Assert {
    let mut command = command(args);
    for name in COLOURS {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied());
    assert_cmd::Command::from_std(command).assert()
}

#[test]
fn what_is_wrong_with_a_variable_names_it_and_the_option() {
    let connected = ["run", "--connect", "1=http://127.0.0.1:9", SCENARIO];
    let serve_one = ["serve", "--branch", "1", "--peer", "2=http://127.0.0.1:9"];
    for (name, value, option, args) in [
        ("PASSBOOK_JOBS", "0", "--jobs", &["batch", SCENARIO][..]),
        ("PASSBOOK_SEED", "-1", "--seed", &["run", SCENARIO]),
        ("PASSBOOK_SEED", "x", "--seed", &["generate"]),
        ("PASSBOOK_FORMAT", "xml", "--format", &["run", SCENARIO]),
        ("PASSBOOK_COLOR", "red", "--color", &["schema"]),
        ("PASSBOOK_MEMORY_MAX", "all", "--memory-max", &["check", "-"]),
        ("PASSBOOK_PARTITION", "1", "--partition", &["batch", SCENARIO]),
        ("PASSBOOK_LATENCY", "50ms", "--latency", &["run", SCENARIO]),
        ("PASSBOOK_FAULTS", "loss=2", "--faults", &["run", SCENARIO]),
        ("PASSBOOK_NEMESIS", "crash,crash", "--nemesis", &["batch", SCENARIO]),
        ("PASSBOOK_NEMESIS_INTERVAL", "0us", "--nemesis-interval", &["run", SCENARIO]),
        ("PASSBOOK_NEMESIS_DURATION", "long", "--nemesis-duration", &["run", SCENARIO]),
        ("PASSBOOK_THINK", "50ms", "--think", &["run", SCENARIO]),
        ("PASSBOOK_SETTLE_LIMIT", "1", "--settle-limit", &["batch", SCENARIO]),
        ("PASSBOOK_BASE_PORT", "70000", "--base-port", &["serve"]),
        ("PASSBOOK_SEED", "5", "--seed", &connected),
        ("PASSBOOK_NEMESIS", "slow", "--nemesis", &["run", "--transport", "grpc", SCENARIO]),
        ("PASSBOOK_NEMESIS", "slow", "--nemesis", &serve_one),
        (
            "PASSBOOK_LATENCY",
            "constant:1ms",
            "--latency",
            &["run", "--transport", "grpc", SCENARIO],
        ),
    ] {
        let done = with(&[(name, value)], args).code(2).stdout("");
        let says = format!("{name} of the environment stands for {option}");
        assert!(stderr(&done).contains(&says), "{says}: {}", stderr(&done));
    }
}

#[test]
fn what_is_wrong_with_an_option_names_no_variable() {
    for variables in [&[][..], &[("PASSBOOK_JOBS", "2"), ("PASSBOOK_SEED", "7")]] {
        let done = with(variables, &["batch", "--jobs", "0", SCENARIO]).code(2);
        assert!(stderr(&done).contains("invalid value '0' for '--jobs <NUMBER>': "));
        assert!(stderr(&done).contains("write a whole number from 1 to 1024"));
        assert!(!stderr(&done).contains("environment"), "{}", stderr(&done));
    }
}

#[test]
fn a_log_that_is_asked_for_wrongly_is_told_and_the_usual_one_is_kept() {
    for spec in ["chatty", "warn,passbook=loud", "debug=1"] {
        let done = with(&[("PASSBOOK_LOG", spec)], &["run", "-q", SCENARIO]).code(0);
        assert!(stderr(&done).contains("PASSBOOK_LOG"), "{spec}: {}", stderr(&done));
    }
    for spec in ["", "off", "info", "warn,passbook::grpc=debug", "passbook=trace"] {
        let done = with(&[("PASSBOOK_LOG", spec)], &["run", "-q", SCENARIO]).code(0);
        assert!(!stderr(&done).contains("PASSBOOK_LOG"), "{spec}: {}", stderr(&done));
    }
}

#[test]
fn colour_is_forced_and_forbidden_as_with_other_programs() {
    let run = ["run", SCENARIO];
    let never = ["run", "--color", "never", SCENARIO];
    let always = ["run", "--color", "always", SCENARIO];
    for (variables, args, is_coloured) in [
        (&[][..], &run[..], false),
        (&[("FORCE_COLOR", "1")], &run, true),
        (&[("FORCE_COLOR", "")], &run, false),
        (&[("FORCE_COLOR", "0")], &run, false),
        (&[("FORCE_COLOR", "0")], &always, true),
        (&[("CLICOLOR_FORCE", "1")], &run, true),
        (&[("CLICOLOR_FORCE", "0")], &run, false),
        (&[("FORCE_COLOR", "0"), ("CLICOLOR_FORCE", "1")], &run, false),
        (&[("NO_COLOR", "1"), ("FORCE_COLOR", "1")], &run, false),
        (&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], &run, false),
        (&[("NO_COLOR", ""), ("FORCE_COLOR", "1")], &run, true),
        (&[("FORCE_COLOR", "1")], &never, false),
        (&[("NO_COLOR", "1")], &always, true),
        (&[("FORCE_COLOR", "1")], &["run", "--format", "json", SCENARIO], false),
        (&[("FORCE_COLOR", "1")], &["--help"], true),
    ] {
        let done = with(variables, args).code(0);
        assert_eq!(stdout(&done).contains('\u{1b}'), is_coloured, "{variables:?} {args:?}");
    }
    // Errors too, those in the arguments as well.
    for args in [&["run", "none.json"][..], &["walk"]] {
        for (variable, is_coloured) in [("FORCE_COLOR", true), ("NO_COLOR", false)] {
            let done = with(&[(variable, "1")], args).code(2);
            assert_eq!(stderr(&done).contains('\u{1b}'), is_coloured, "{variable} {args:?}");
        }
    }
}

#[test]
fn help_is_a_command_too() {
    for name in ["run", "batch", "check", "serve"] {
        let told = stdout(&passbook(&["help", name]).code(0)).to_owned();
        assert_eq!(told, stdout(&passbook(&[name, "--help"]).code(0)));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_every_command_says_that_it_waits() {
    let line = r#"[{"id": 1, "type": "branch", "balance": 0}]"#;
    for (args, what) in [
        ("run -q -", "a scenario"),
        ("batch -", "scenarios"),
        ("check -", "a history"),
        ("compare --rounds 1 --round-time 1ms --transports mailbox -", "a scenario"),
    ] {
        let program = format!("'{}' {args}", env!("CARGO_BIN_EXE_passbook"));
        // It gives the program a terminal for its input.
        let mut script = Command::new("script")
            .args(["-qec", &program, "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let mut input = script.stdin.take().expect("a pipe");
        writeln!(input, "{line}\n\u{4}").expect("written");
        drop(input);
        let done = script.wait_with_output().expect("ended");
        let told = String::from_utf8_lossy(&done.stdout);
        let says = format!("waiting for {what} from standard input; Ctrl-D ends it");
        assert!(told.contains(&says), "{args}: {told}");
    }
    let piped =
        assert_cmd::Command::from_std(command(&["run", "-q", "-"])).write_stdin(line).assert();
    assert!(!stderr(&piped).contains("waiting"));
}

#[test]
fn a_comparison_of_nothing_in_particular_is_of_its_default() {
    let quick = ["compare", "--rounds", "1", "--round-time", "1ms", "--transports", "mailbox"];
    let done = passbook(&quick).code(0);
    assert!(stdout(&done).contains("mailbox"), "{}", stdout(&done));
}

#[test]
fn a_quiet_check_prints_only_what_is_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    let history = folder.path().join("history.jsonl");
    let history = history.to_str().expect("text");
    let late = ["--propagation", "async", "--latency", "constant:50ms"];
    for (guarantees, code) in [("all", 0), ("none", 1)] {
        let run = ["run", "-q", "--guarantees", guarantees, "--history", history, SCENARIO];
        passbook(&[&run[..], &late].concat()).code(code);
        let told = stdout(&passbook(&["check", "-q", history]).code(code)).to_owned();
        if code == 0 {
            assert_eq!(told, "");
        } else {
            assert!(told.contains("✗ read your writes"), "{told}");
            assert!(!told.contains('✓') && !told.contains('–'), "{told}");
        }
    }
}
