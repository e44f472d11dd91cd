//! Event ids that repeat or fall, amounts in quotes, and what is printed of requests that were
//! refused.

use crate::support::program::{command, passbook, stderr, stdout};
use assert_cmd::assert::Assert;
use serde_json::{Value, json};

fn reading(args: &[&str], input: &str) -> Assert {
    assert_cmd::Command::from_std(command(args)).write_stdin(input).assert()
}

fn report(done: &Assert) -> Value {
    serde_json::from_str(stdout(done)).expect("JSON")
}

/// Two branches at 0, and a customer with `events`.
fn classic(events: &str) -> String {
    format!(
        r#"[{{"id": 1, "type": "branch", "balance": 0}}, {{"id": 2, "type": "branch", "balance": 0}},
{{"id": 1, "type": "customer", "events": [
{events}]}}]"#
    )
}

/// A deposit of 400, then a withdrawal of 100 under the same id, and a query.
fn repeated() -> String {
    classic(
        r#"{"id": 1, "interface": "deposit", "money": 400, "dest": 1},
{"id": 1, "interface": "withdraw", "money": 100, "dest": 2},
{"id": 1, "interface": "query", "dest": 2}"#,
    )
}

const WARNING: &str = "<stdin>:4:8: event id 1 of customer 1 comes again, for a withdraw; its first \
                       use is the deposit at <stdin>:3:8; the customer's events are numbered from 1 \
                       (--event-ids as-written keeps the ids)";

#[test]
fn a_repeated_id_is_a_request_of_its_own() {
    let done = reading(&["run", "--format", "json", "-"], &repeated()).code(0);
    assert_eq!(stderr(&done), format!("warning: {WARNING}\n"));
    let report = report(&done);
    assert_eq!(report["warnings"], json!([WARNING]));
    assert_eq!(report["balances"], json!([{"id": 1, "balance": 300}]));
    assert_eq!(report["branches"][1]["write_sets"], json!({"1": [1, 2]}));
    let ids: Vec<_> = report["customers"][0]["events"]
        .as_array()
        .expect("events")
        .iter()
        .map(|event| (event["event_id"].as_u64(), event["written_id"].as_u64()))
        .collect();
    // The written id stands beside the other where it differs.
    assert_eq!(ids, [(Some(1), None), (Some(2), Some(1)), (Some(3), Some(1))]);
    let text = reading(&["run", "-"], &repeated()).code(0);
    let lines: Vec<&str> =
        stdout(&text).lines().filter(|line| line.contains("in the input")).collect();
    assert_eq!(lines.len(), 2, "{}", stdout(&text));
    assert!(lines[0].contains("2  withdraw  100  at branch 2 (id 1 in the input)"), "{lines:?}");
}

#[test]
fn a_batch_warns_in_the_row_and_counts_in_the_summary() {
    let lines = [repeated(), classic(r#"{"interface": "query", "dest": 1}"#)]
        .map(|scenario| scenario.replace('\n', " "))
        .join("\n");
    let done = reading(&["batch", "--format", "json", "-"], &lines).code(0);
    let rows: Vec<Value> =
        stdout(&done).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(rows[0]["balances"], json!([{"id": 1, "balance": 300}]));
    let warnings = rows[0]["warnings"].as_array().expect("warnings");
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].as_str().expect("text").starts_with("-:1:197: event id 1 of customer 1 comes again, for a withdraw; its first use is the deposit at -:1:137; "));
    assert_eq!(rows[1]["warnings"], Value::Null);
    assert_eq!(rows[2]["with_warnings"], 1);
    let kept = ["batch", "--format", "json", "--event-ids", "as-written", "-"];
    let kept = reading(&kept, &repeated().replace('\n', " ")).code(0);
    let row: Value =
        serde_json::from_str(stdout(&kept).lines().next().expect("a row")).expect("JSON");
    assert_eq!((&row["warnings"], &row["counts"]["refused"]), (&Value::Null, &json!(1)));
}

#[test]
fn as_written_a_repeated_id_is_a_retry_and_other_content_is_refused() {
    let retry = classic(
        r#"{"id": 1, "interface": "deposit", "money": 400, "dest": 1},
{"id": 1, "interface": "deposit", "money": 400, "dest": 2},
{"id": 2, "interface": "query", "dest": 2}"#,
    );
    let balances = |input: &str| {
        let args = ["run", "--format", "balances", "--event-ids", "as-written", "-"];
        let done = reading(&args, input).code(0);
        (stdout(&done).to_owned(), stderr(&done).to_owned())
    };
    assert_eq!(balances(&retry), ("[{\"id\":1,\"balance\":400}]\n".to_owned(), String::new()));
    assert_eq!(
        balances(&repeated()),
        (
            "[{\"id\":1,\"balance\":400}]\n".to_owned(),
            "note: stdin: customer 1: writes ok 1 of 2, 1 refused: the event id names another write\n"
                .to_owned()
        )
    );
}

#[test]
fn a_misordered_write_is_seen_to_be_refused_in_every_format() {
    let path = "input/misordered_write.json";
    let quiet = passbook(&["run", "-q", path]).code(0).stderr("");
    let line = "  customer 1: writes ok 1 of 2, 1 refused: out of order\n";
    assert!(stdout(&quiet).contains(line), "{}", stdout(&quiet));
    let text = passbook(&["run", path]).code(0);
    assert!(stdout(&text).contains(line), "{}", stdout(&text));
    assert!(stdout(&text).contains("event ids        as-written"), "{}", stdout(&text));
    let json = report(&passbook(&["run", "--format", "json", path]).code(0));
    assert_eq!(json["counts"]["refused"], 1);
    assert_eq!(json["config"]["event_ids"], "as-written");
    let refused = &json["customers"][0]["events"][1];
    assert_eq!(refused["outcome"], "refused");
    assert!(refused["reason"].as_str().expect("text").starts_with("out of order"), "{refused}");
    for format in ["events", "customers", "classic"] {
        let done = passbook(&["run", "--format", format, path]).code(0);
        assert_eq!(stdout(&done).matches(r#""result":"fail""#).count(), 1, "{}", stdout(&done));
    }
    passbook(&["run", "--format", "balances", path])
        .code(0)
        .stdout("[{\"id\":1,\"balance\":400}]\n")
        .stderr("note: misordered-write: customer 1: writes ok 1 of 2, 1 refused: out of order\n");
    // Each a request of its own: nothing is refused.
    let renumbered = ["run", "--format", "balances", "--event-ids", "renumber", path];
    let done = passbook(&renumbered).code(1).stdout("[{\"id\":1,\"balance\":300}]\n");
    assert!(stderr(&done).contains("event id 1 of customer 1, for a withdraw, is below"));
}

#[test]
fn a_replay_keeps_the_ids_as_the_run_did() {
    let lagging = classic(
        r#"{"id": 1, "interface": "deposit", "money": 400, "dest": 1},
{"id": 2, "interface": "query", "dest": 2}"#,
    );
    let args = ["run", "--event-ids", "as-written", "--propagation", "async"];
    let args = [&args[..], &["--latency", "constant:50ms", "--guarantees", "none", "-"]].concat();
    let done = reading(&args, &lagging).code(1);
    assert!(stdout(&done).contains("--event-ids as-written"), "{}", stdout(&done));
}

#[test]
fn amounts_in_quotes_run_with_a_warning() {
    let quoted = classic(r#"{"interface": "deposit", "money": "50", "dest": 1}"#);
    let done = reading(&["run", "--format", "balances", "-"], &quoted).code(0);
    assert_eq!(stdout(&done), "[{\"id\":1,\"balance\":50}]\n");
    assert_eq!(stderr(&done), "warning: <stdin>:3:35: an amount in quotes is read as a number\n");
    let exact = quoted.replace("50", "92233720368547758.07");
    reading(&["run", "--format", "balances", "-"], &exact)
        .code(0)
        .stdout("[{\"id\":1,\"balance\":92233720368547758.07}]\n");
    for wrong in ["", "fifty", "-50", "5e1", "0.001", "50 USD"] {
        let text = quoted.replace("50", wrong);
        let done = reading(&["run", "-"], &text).code(2).stdout("");
        assert!(stderr(&done).contains("[2].events[0].money: "), "{wrong}: {}", stderr(&done));
    }
}

/// The bank opens with 10. The customer deposits 25 and asks elsewhere, where the deposit is not
/// yet when the wait limit is over.
const KEPT_BACK: &str = r#"{"name": "kept back", "propagation": "async", "guarantees": "ryw",
  "latency": "constant:1s", "wait_limit": "10ms", "processes": [
    {"id": 1, "type": "branch", "balance": 10}, {"id": 2, "type": "branch", "balance": 10},
    {"id": 1, "type": "customer", "events": [
      {"id": 1, "interface": "deposit", "money": 25, "dest": 1},
      {"id": 2, "interface": "query", "dest": 2}]},
    {"id": 2, "type": "customer", "events": []}
  ]}"#;

#[test]
fn the_balance_of_a_customer_is_the_one_in_its_last_reply_that_succeeded() {
    let printed =
        |format: &str| stdout(&reading(&["run", "--format", format, "-"], KEPT_BACK)).to_owned();
    assert_eq!(printed("balances"), "[{\"id\":1,\"balance\":35},{\"id\":2,\"balance\":null}]\n");
    let report: Value = serde_json::from_str(&printed("json")).expect("JSON");
    assert_eq!(report["balances"][0]["balance"], 35);
    let text = printed("text");
    let row = text.lines().rfind(|line| line.trim_start().starts_with("1 ")).expect("a row");
    assert_eq!(row.split_whitespace().collect::<Vec<_>>()[..2], ["1", "35"], "{text}");
    let nobody = text.lines().rfind(|line| line.trim_start().starts_with("2 ")).expect("a row");
    assert_eq!(nobody.split_whitespace().collect::<Vec<_>>()[..2], ["2", "—"], "{text}");
    assert!(text.contains("queries ok 0 of 1, 1 refused: not served in time"), "{text}");
    let one_line = KEPT_BACK.replace('\n', " ");
    let batch = reading(&["batch", "--format", "json", "-"], &one_line);
    let row: Value =
        serde_json::from_str(stdout(&batch).lines().next().expect("a row")).expect("JSON");
    assert_eq!(row["balances"], json!([{"id": 1, "balance": 35}, {"id": 2, "balance": null}]));
}

#[test]
fn null_is_expected_of_whoever_was_told_nothing() {
    let run = |expected: &str| {
        let text = KEPT_BACK.replacen('{', &format!(r#"{{"expected": {expected}, "#), 1);
        reading(&["run", "-q", "--no-check", "-"], &text)
    };
    run(r#"[{"id": 1, "balance": 35}, {"id": 2, "balance": null}]"#).code(0);
    run(r#"[{"id": 1, "balance": 35}]"#).code(0);
    run(r#"[{"id": 1, "balance": 10}]"#).code(1);
    let events = |told: &str| {
        run(&format!(
            r#"[{{"id": 1, "recv": [{{"interface": "deposit", "result": "success"}},
                {{"interface": "query", {told}}}]}}]"#
        ))
    };
    events(r#""result": "fail""#).code(0);
    events(r#""balance": null"#).code(0);
    events(r#""balance": 10"#).code(1);
}
