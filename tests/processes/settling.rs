//! `--settle-before-query`, the same over every transport.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::connected::run;
use crate::fakes::{Answers, branch, reply};
use crate::process::Process;

/// Customer 1 asks; customer 2 deposits 100, withdraws 20, and asks.
const ASK_BESIDE_WRITES: &str = r#"[
    {"id": 1, "type": "branch", "balance": 0},
    {"id": 2, "type": "branch", "balance": 0},
    {"id": 1, "type": "customer", "events": [{"id": 1, "interface": "query", "dest": 1}]},
    {"id": 2, "type": "customer", "events": [
        {"id": 1, "interface": "deposit", "money": 100, "dest": 2},
        {"id": 2, "interface": "withdraw", "money": 20, "dest": 1},
        {"id": 3, "interface": "query", "dest": 2}]}]"#;

fn balances(scenario: &str, addresses: &[String], options: &[&str]) -> Value {
    let fixed = ["--format=balances", "--settle-before-query"];
    let output = run(scenario, addresses, &[&fixed, options].concat());
    // A guarantee that is not asked for may be broken, which is no matter here.
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn concurrent_customers_ask_together_when_all_have_written() {
    let both_see_80 = json!([{"id": 1, "balance": 80}, {"id": 2, "balance": 80}]);
    let concurrent = "--customers=concurrent";
    for options in [
        &[concurrent][..],
        &[concurrent, "--propagation=async", "--latency=uniform:1ms..50ms", "--seed=7"],
        &[concurrent, "--propagation=async", "--guarantees=none", "--latency=constant:5ms"],
        &[concurrent, "--transport=grpc"],
        &[concurrent, "--transport=grpc", "--propagation=async"],
    ] {
        assert_eq!(balances(ASK_BESIDE_WRITES, &[], options), both_see_80, "{options:?}");
    }
    for propagation in ["sync", "async"] {
        let serve = ["--base-port=0".to_owned(), format!("--propagation={propagation}")];
        let process = Process::serve(&serve, 2);
        let addresses: Vec<String> =
            process.addresses.iter().map(|address| format!("http://{address}")).collect();
        let seen = balances(ASK_BESIDE_WRITES, &addresses, &[concurrent]);
        assert_eq!(seen, both_see_80, "{propagation}");
    }
}

/// Nobody writes while the others' queries are answered: what customer 2 deposits after its query
/// comes after customer 1's first query, and before the second one.
#[test]
fn nobody_goes_on_until_all_are_answered() {
    let scenario = r#"[
        {"id": 1, "type": "branch", "balance": 0},
        {"id": 2, "type": "branch", "balance": 0},
        {"id": 1, "type": "customer", "events": [
            {"interface": "query", "dest": 1}, {"interface": "query", "dest": 1}]},
        {"id": 2, "type": "customer", "events": [
            {"interface": "deposit", "money": 1, "dest": 2}, {"interface": "query", "dest": 2},
            {"interface": "deposit", "money": 2, "dest": 2}]},
        {"id": 3, "type": "customer", "events": [
            {"interface": "deposit", "money": 4, "dest": 1}]}]"#;
    let query = |balance: i64| json!({"interface": "query", "balance": balance});
    for transport in ["mailbox", "grpc"] {
        let transport = format!("--transport={transport}");
        let options = ["--format=customers", "--settle-before-query", "--customers=concurrent"];
        let output = run(scenario, &[], &[&options[..], &[&transport]].concat());
        let rows: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(rows[0]["recv"], json!([query(5), query(7)]), "{transport}");
        assert_eq!(rows[1]["recv"][1], query(5), "{transport}");
    }
}

/// Branch 2 has the deposit only when it has been asked for its write set three times.
#[test]
fn branches_elsewhere_are_asked_until_they_hold_the_same() {
    let scenario = r#"[
        {"id": 1, "type": "branch", "balance": 0},
        {"id": 2, "type": "branch", "balance": 0},
        {"id": 1, "type": "customer", "events": [
            {"id": 1, "interface": "deposit", "money": 100, "dest": 1},
            {"id": 2, "interface": "query", "dest": 2}]}]"#;
    let deposits = Arc::new(AtomicUsize::new(0));
    let made = Arc::clone(&deposits);
    let first = branch(move |request| {
        if request.interface == "deposit" {
            made.fetch_add(1, Ordering::Relaxed);
        }
        Answers::With(match made.load(Ordering::Relaxed) {
            0 => reply(200, "[]", 0.0),
            _ => reply(200, "[1]", 100.0),
        })
    });
    let reads = AtomicUsize::new(0);
    let second = branch(move |request| {
        if request.read_writes && deposits.load(Ordering::Relaxed) > 0 {
            reads.fetch_add(1, Ordering::Relaxed);
        }
        Answers::With(match reads.load(Ordering::Relaxed) {
            0..3 => reply(200, "[]", 0.0),
            _ => reply(200, "[1]", 100.0),
        })
    });
    assert_eq!(balances(scenario, &[first, second], &[]), json!([{"id": 1, "balance": 100}]));
}
