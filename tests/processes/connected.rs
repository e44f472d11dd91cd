//! `passbook run --connect`: what it says of branches that are not there, not well, or not new.

use std::io::{ErrorKind, Write};
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::fakes::{Answers, branch, hangs, idle, other_service, reply, says};
use crate::process::{Process, free_ports, passbook};

/// Customer 1 deposits 10 at branch 1, and asks at branch 2.
const DEPOSIT_AND_QUERY: &str = r#"[
    {"id": 1, "type": "branch", "balance": 0},
    {"id": 2, "type": "branch", "balance": 0},
    {"id": 1, "type": "customer", "events": [
        {"id": 1, "interface": "deposit", "money": 10, "dest": 1},
        {"id": 2, "interface": "query", "dest": 2}]}]"#;

/// What `passbook run` does with `scenario` against the branches at `addresses`, from branch 1 on.
pub(crate) fn run(scenario: &str, addresses: &[String], options: &[&str]) -> Output {
    let mut args: Vec<String> = vec!["run".to_owned(), "-".to_owned()];
    args.extend((1..).zip(addresses).map(|(id, address)| format!("--connect={id}={address}")));
    args.extend(options.iter().map(|&option| option.to_owned()));
    let mut command = passbook(&args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program runs");
    let mut input = child.stdin.take().expect("piped");
    let fed = input.write_all(scenario.as_bytes());
    drop(input);
    // What is refused by its options alone is not read.
    let is_unread = fed.as_ref().is_err_and(|error| error.kind() == ErrorKind::BrokenPipe);
    assert!(fed.is_ok() || is_unread, "{fed:?}");
    child.wait_with_output().expect("it ends")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

/// The exit code, the report, and what was said beside it.
fn report(addresses: &[String], options: &[&str]) -> (Option<i32>, Value, String) {
    let output = run(DEPOSIT_AND_QUERY, addresses, &[options, &["--format=json"]].concat());
    let told = text(&output.stderr).to_owned();
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{told}"));
    (output.status.code(), report, told)
}

/// The outcome of each event of the one customer, with the reason where there is one.
fn outcomes(report: &Value) -> Vec<String> {
    let events = report["customers"][0]["events"].as_array().expect("events");
    let outcome = |event: &Value| match event["reason"].as_str() {
        Some(reason) => format!("{}: {reason}", event["outcome"].as_str().expect("a word")),
        None => event["outcome"].as_str().expect("a word").to_owned(),
    };
    events.iter().map(outcome).collect()
}

#[test]
fn a_bank_that_runs_is_asked_and_nothing_is_claimed_that_it_cannot_tell() {
    let process = Process::serve(&["--base-port=0".to_owned()], 2);
    let addresses: Vec<String> =
        process.addresses.iter().map(|address| format!("http://{address}")).collect();
    let (code, report, told) = report(&addresses, &["--fresh"]);
    assert_eq!((code, told.as_str()), (Some(0), ""));
    assert_eq!(report["balances"], json!([{"id": 1, "balance": 10}]));
    assert_eq!(report["settled"], Value::Null);
    assert_eq!(report["seed"], Value::Null);
    assert_eq!(report["config"]["propagation"], Value::Null);
    assert_eq!(report["notes"], json!([]));
    assert_eq!(report["remote"][1], json!({"id": 2, "address": addresses[1]}));
    assert_eq!(report["branches"][1]["write_sets"], json!({"1": [1]}));
}

#[test]
fn one_listener_may_serve_all_branches() {
    let process = Process::serve(&["--single-port=0".to_owned()], 1);
    let address = format!("http://{}", process.addresses[0]);
    let (code, told, _) = report(&[address.clone(), address], &[]);
    assert_eq!((code, outcomes(&told)), (Some(0), vec!["ok".to_owned(), "ok".to_owned()]));
    assert_eq!(told["balances"], json!([{"id": 1, "balance": 10}]));
}

#[test]
fn a_branch_that_hangs_is_named_when_its_limit_is_over() {
    let addresses = [idle(0.0), hangs()];
    let (code, report, told) = report(&addresses, &["--call-limit=300ms"]);
    assert_eq!(code, Some(1));
    let unknown = "unknown: outcome unknown: branch 2 did not answer within 300ms";
    assert_eq!(outcomes(&report), ["ok", unknown]);
    assert_eq!(report["remote"][1]["silent"], "did not answer within 300ms");
    assert_eq!(report["branches_agree"], Value::Null);
    assert!(told.contains("branch 2 does not say how it stands"), "{told}");

    let quiet = run(DEPOSIT_AND_QUERY, &addresses, &["--call-limit=300ms", "-q"]);
    assert_eq!(quiet.status.code(), Some(1));
    let told = text(&quiet.stdout);
    assert!(told.contains("event 2, query: outcome unknown: branch 2 did not answer"), "{told}");
    assert!(told.contains("✗ branch 2 does not say how it stands"), "{told}");
}

#[test]
fn another_status_is_told_as_it_came() {
    let broken = branch(|_| Answers::With(reply(500, "", 0.0)));
    let (code, report, _) = report(&[broken, idle(0.0)], &[]);
    assert_eq!(code, Some(1));
    let status = "answered with the status 500, and not with 200 or 400";
    assert_eq!(outcomes(&report), [&format!("unknown: outcome unknown: branch 1 {status}"), "ok"]);
    assert_eq!(report["remote"][0]["silent"], status);
}

#[test]
fn what_is_no_branch_is_called_what_it_is() {
    let nothing = format!("http://127.0.0.1:{}", free_ports(1));
    let nameless = format!("http://{}.invalid:50051", "x".repeat(64));
    let old = says(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    let older = says(b"HTTP/1.0 400 Bad Request\r\n\r\n");
    let sealed = says(&[0x15, 3, 1, 0, 2, 2, 70]);
    let closing = says(b"");
    let other = other_service();
    for (address, problem) in [
        (&nothing, format!("nothing listens at {nothing}")),
        (&nameless, format!("{nameless} cannot be reached: the name of its host does not resolve")),
        (&old, format!("{old} speaks HTTP/1.1, not gRPC")),
        (&older, format!("{older} speaks HTTP/1.0, not gRPC")),
        (&sealed, format!("{sealed} speaks TLS, not gRPC")),
        (&closing, format!("{closing} speaks an unknown protocol, not gRPC")),
        (&other, format!("{other} has no service banking.Branch")),
    ] {
        let output = run(DEPOSIT_AND_QUERY, &[idle(0.0), address.clone()], &["-q"]);
        let told = text(&output.stderr);
        assert!(told.contains(&format!("branch 2: {problem}")), "{told}");
        assert!(!told.contains("branch 1") && !told.contains("h2"), "{told}");
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""), "{problem}");
    }
    let sealed = run(DEPOSIT_AND_QUERY, &["https://127.0.0.1:50051".to_owned()], &[]);
    assert_eq!(sealed.status.code(), Some(2));
    assert!(text(&sealed.stderr).contains("TLS, which is not spoken yet"), "{sealed:?}");
}

#[test]
fn what_branches_hold_already_is_the_opening_balance_or_refused() {
    let addresses = [idle(70.0), idle(70.0)];
    let (code, report, _) = report(&addresses, &[]);
    assert_eq!((code, &report["opening_balance"]), (Some(0), &json!(70)));
    let note =
        "before the run branch 1 holds 70, branch 2 holds 70: 70 is taken as the opening balance";
    assert_eq!(report["notes"], json!([note]));

    let quiet = run(DEPOSIT_AND_QUERY, &addresses, &["-q"]);
    assert!(text(&quiet.stderr).contains(note), "{quiet:?}");
    let refused = run(DEPOSIT_AND_QUERY, &addresses, &["--fresh"]);
    assert_eq!((refused.status.code(), text(&refused.stdout)), (Some(2), ""));
    let told = text(&refused.stderr);
    assert!(told.contains("branch 1 holds 70; branch 2 holds 70 before the run"), "{told}");
}

#[test]
fn branches_that_differ_from_the_start_are_told_to() {
    let (code, report, _) = report(&[idle(70.0), idle(0.0)], &[]);
    assert_eq!(code, Some(1));
    let note = report["notes"][0].as_str().expect("a note");
    assert!(note.contains("branch 1 holds 70, branch 2 holds 0"), "{note}");
    assert!(note.contains("the branches differ from the start"), "{note}");
    let quiet = run(DEPOSIT_AND_QUERY, &[idle(70.0), idle(0.0)], &["-q"]);
    assert_eq!(quiet.status.code(), Some(1));
    let told = text(&quiet.stdout);
    assert!(told.contains("✗ branch 2 differs from branch 1"), "{told}");
}

#[test]
fn branches_that_never_show_the_same_writes_are_not_called_settled() {
    let ahead = branch(|_| Answers::With(reply(200, "[1]", 400.0)));
    let (_, report, _) = report(&[ahead, idle(400.0)], &[]);
    let notes: Vec<&str> =
        report["notes"].as_array().expect("notes").iter().filter_map(Value::as_str).collect();
    let told = "not settled: the branches did not show the same writes within 5 s (1 time)";
    assert!(notes.iter().any(|note| note.starts_with(told)), "{notes:?}");
    assert_eq!(report["settled"], Value::Null);
}

#[test]
fn writes_of_an_earlier_run_are_told_before_they_are_taken_for_retries() {
    let used = || branch(|_| Answers::With(reply(200, "[1, 2]", 10.0)));
    let (_, report, _) = report(&[used(), used()], &[]);
    let note = report["notes"][0].as_str().expect("a note");
    assert!(
        note.contains("branch 1 holds 10 with 2 writes, such as event 1 of customer 1"),
        "{note}"
    );
    assert!(note.contains("is taken for a retry"), "{note}");
}

#[test]
fn a_400_is_told_by_what_the_branch_holds_then() {
    let refuses = || {
        branch(|request| match request.read_writes {
            true => Answers::With(reply(200, "[]", 0.0)),
            false => Answers::With(reply(400, "", 0.0)),
        })
    };
    let (code, told, _) = report(&[refuses(), refuses()], &[]);
    let (first, second) = ("refused: branch 1 answered 400", "refused: branch 2 answered 400");
    assert_eq!((code, outcomes(&told)), (Some(0), vec![first.to_owned(), second.to_owned()]));

    let asked = Arc::new(AtomicUsize::new(0));
    let applies = || {
        let asked = Arc::clone(&asked);
        branch(move |request| match (request.read_writes, asked.load(Ordering::Relaxed)) {
            (true, 0) => Answers::With(reply(200, "[]", 0.0)),
            (true, _) => Answers::With(reply(200, "[1]", 10.0)),
            (false, _) => {
                asked.fetch_add(1, Ordering::Relaxed);
                Answers::With(reply(400, "", 0.0))
            }
        })
    };
    let (code, told, _) = report(&[applies(), applies()], &[]);
    assert_eq!(code, Some(1));
    let unconfirmed = "unknown: outcome unknown: branch 1 answered 400, and holds a write of this id: \
                       not confirmed by every branch";
    assert_eq!(outcomes(&told)[0], unconfirmed);
}

/// It holds a write of this id, which is another one.
#[test]
fn a_400_with_a_reason_is_told_with_it() {
    let says = |reason: &'static str| {
        branch(move |request| match request.read_writes {
            true => Answers::With(reply(200, "[1]", 0.0)),
            false => Answers::Because(reason),
        })
    };
    let reused = || says("EVENT_REUSED: this id already names another write: deposit 7 %C3%A0 b");
    let (code, told, _) = report(&[reused(), reused()], &[]);
    assert_eq!(code, Some(0));
    let refused = "refused: branch 1 answered 400: EVENT_REUSED: this id already names another \
                   write: deposit 7 à b";
    assert_eq!(outcomes(&told)[0], refused);

    let unknown = || says("OUTCOME_UNKNOWN: not confirmed in time by branch 2");
    let (code, told, _) = report(&[unknown(), unknown()], &[]);
    assert_eq!(code, Some(1));
    assert!(
        outcomes(&told)[0]
            .contains("OUTCOME_UNKNOWN: not confirmed in time by branch 2, and holds")
    );
}

#[test]
fn an_answer_that_makes_no_sense_is_told_as_such() {
    let no_number = branch(|request| match request.read_writes {
        true => Answers::With(reply(200, "[]", 0.0)),
        false => Answers::With(reply(200, "[]", f32::NAN)),
    });
    let (code, told, _) = report(&[idle(0.0), no_number], &[]);
    let problem = "answered what makes no sense: balance: not a finite number: NaN";
    assert_eq!(code, Some(1));
    assert_eq!(outcomes(&told)[1], format!("unknown: outcome unknown: branch 2 {problem}"));

    let no_set = branch(|_| Answers::With(reply(200, "1\u{1b}[2J", 0.0)));
    let (code, told, _) = report(&[idle(0.0), no_set], &[]);
    assert_eq!(code, Some(1));
    let silent = told["remote"][1]["silent"].as_str().expect("it does not tell");
    assert!(silent.starts_with("answered what makes no sense: write_sets: expected"), "{silent}");
    assert!(!silent.contains('\u{1b}'), "{silent}");
}

/// As the programs that circulate do it: only beside a write set.
#[test]
fn a_branch_that_leaves_the_balance_out_of_its_replies_is_asked_for_it() {
    let scenario = r#"[
        {"id": 1, "type": "branch", "balance": 10},
        {"id": 1, "type": "customer", "events": [{"interface": "deposit", "money": 5}]},
        {"id": 2, "type": "customer", "events": [{"interface": "query", "dest": 1}]}]"#;
    let deposits = AtomicUsize::new(0);
    let terse = branch(move |request| {
        if request.interface == "deposit" {
            deposits.fetch_add(1, Ordering::Relaxed);
        }
        Answers::With(match (request.read_writes, deposits.load(Ordering::Relaxed)) {
            (false, _) => reply(200, "", 0.0),
            (true, 0) => reply(0, "[]", 10.0),
            (true, _) => reply(0, if request.customer_id == 1 { "[1]" } else { "[]" }, 15.0),
        })
    });
    let output = run(scenario, &[terse], &["--format=balances"]);
    assert_eq!(text(&output.stderr), "");
    let expected = "[{\"id\":1,\"balance\":15},{\"id\":2,\"balance\":15}]\n";
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), expected));
}

#[test]
fn a_branch_that_dies_in_the_middle_is_named_and_the_rest_goes_on() {
    let dies = branch(|request| match request.read_writes {
        true => Answers::With(reply(200, "[]", 0.0)),
        false => Answers::Dies,
    });
    let (code, told, _) = report(&[dies, idle(0.0)], &["--call-limit=5s"]);
    assert_eq!(code, Some(1));
    let outcomes = outcomes(&told);
    assert!(outcomes[0].starts_with("unknown: outcome unknown: branch 1 "), "{outcomes:?}");
    assert_eq!(outcomes[1], "ok");
    let silent = told["remote"][0]["silent"].as_str().expect("it does not tell");
    assert_eq!(silent, "cannot be reached: nothing listens there");
}

#[test]
fn a_failure_is_seen_again_where_it_was_seen() {
    let addresses = [idle(70.0), idle(0.0)];
    let output = run(DEPOSIT_AND_QUERY, &addresses, &["--call-limit=2s"]);
    let again = format!(
        "passbook run --connect 1={} --connect 2={} --call-limit 2s the-same-input",
        addresses[0], addresses[1]
    );
    let told = text(&output.stdout);
    assert!(told.contains(&again), "{told}");
    assert!(!told.contains("propagation") && !told.contains("seed"), "{told}");
    assert!(told.contains("the last answer came after"), "{told}");
    assert!(!told.contains("settled"), "{told}");
}

#[test]
fn what_does_nothing_there_is_refused_or_warned_of() {
    let addresses = [idle(0.0), idle(0.0)];
    let refused = run(DEPOSIT_AND_QUERY, &addresses, &["--strict"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("'--strict'"), "{refused:?}");

    let scenario = format!(
        r#"{{"processes": {DEPOSIT_AND_QUERY}, "propagation": "async", "guarantees": "none", "seed": 7}}"#
    );
    let warned = run(&scenario, &[&addresses[..], &[idle(0.0)]].concat(), &["-q"]);
    let told = text(&warned.stderr);
    assert!(told.contains("says of propagation, guarantees, the seed does nothing"), "{told}");
    assert!(told.contains("no branch 3; its --connect does nothing"), "{told}");
}
