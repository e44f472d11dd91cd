//! Every scenario of `input/` through the program, in every output dialect, against the result that
//! stands beside it or in it.

use std::fs;
use std::path::Path;

use crate::support::program::{passbook, stderr, stdout};
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// The scenarios whose expected result stands beside them, and its dialect.
const BESIDE: [(&str, &str); 13] = [
    ("monotonic_writes", "balances"),
    ("read_your_writes", "balances"),
    ("repeated_event_id", "balances"),
    ("repeated_writes", "customers"),
    ("stale_reads", "balances"),
    ("dialects/bank_and_client", "events"),
    ("dialects/branch_as_destination", "customers"),
    ("dialects/customer_requests", "events"),
    ("dialects/money_on_a_query", "balances"),
    ("dialects/no_event_ids", "customers"),
    ("dialects/own_branch", "events"),
    ("dialects/several_visits", "customers"),
    ("dialects/stray_spaces", "balances"),
];

/// The scenarios that state their expected result themselves.
const WITHIN: [&str; 9] = [
    "concurrent_customers",
    "misordered_write",
    "overdraft_rejected",
    "retried_write",
    "ten_branches",
    "dialects/own_format",
    "faults/lost_message",
    "faults/lost_write",
    "faults/partition",
];

#[test]
fn every_scenario_prints_what_is_expected_beside_it() {
    for (name, dialect) in BESIDE {
        let scenario = format!("input/{name}.json");
        let done = passbook(&["run", "--format", dialect, &scenario]).code(0);
        let beside = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("input")
            .join(name)
            .with_extension("expected.json");
        let expected = fs::read_to_string(beside).expect("a result beside the scenario");
        assert_eq!(json(stdout(&done)), json(&expected), "{name}");
        assert_eq!(stdout(&done).find('\n'), Some(stdout(&done).len() - 1), "{name}: one line");
        let warns = name == "repeated_writes";
        assert_eq!(stderr(&done).starts_with("warning: input/"), warns, "{name}");
        assert_eq!(stderr(&done).lines().count(), usize::from(warns), "{name}");
    }
}

#[test]
fn every_scenario_that_says_what_it_expects_comes_to_it() {
    for name in WITHIN {
        let scenario = format!("input/{name}.json");
        let quiet = passbook(&["run", "-q", &scenario]).code(0).stderr("");
        assert!(stdout(&quiet).contains("✓ as expected"), "{name}");
        let report = passbook(&["run", "--format", "json", &scenario]).code(0);
        assert_eq!(json(stdout(&report))["expected"]["met"], true, "{name}");
    }
}

#[test]
fn half_of_the_reads_of_a_balanced_load_are_stale_unless_read_your_writes_is_promised() {
    let draws = [("none", 1, "violated", Some(54)), ("ryw", 0, "holds", None)];
    for (guarantees, code, verdict, stale) in draws {
        let run = ["run", "input/stale_reads.json", "--guarantees", guarantees];
        let report = passbook(&[&run[..], &["--format", "json"]].concat()).code(code);
        let judged = &json(stdout(&report))["verdicts"]["read_your_writes"];
        assert_eq!(judged["verdict"], verdict, "{guarantees}");
        assert_eq!(judged["tested"], 100, "{guarantees}");
        assert_eq!(judged["violations"].as_u64(), stale, "{guarantees}");
    }
    let unkept = passbook(&["run", "input/stale_reads.json", "--guarantees", "none"]).code(1);
    assert!(stdout(&unkept).contains("violated in 54 of 100 tests"));
}

#[test]
fn a_glob_of_a_folder_runs_its_scenarios_and_passes_over_expected_results() {
    let names = ["input/monotonic_writes", "input/read_your_writes"];
    let glob: Vec<String> = names
        .iter()
        .flat_map(|name| [format!("{name}.expected.json"), format!("{name}.json")])
        .collect();
    let mut args = vec!["run", "--format", "balances"];
    args.extend(glob.iter().map(String::as_str));
    let note = "note: 2 files hold expected results, such as \
                input/monotonic_writes.expected.json; passed over\n";
    passbook(&args)
        .code(0)
        .stdout("[{\"id\":1,\"balance\":0}]\n[{\"id\":1,\"balance\":400}]\n")
        .stderr(note);
}

#[test]
fn an_expected_result_by_itself_is_no_scenario() {
    let done = passbook(&["run", "input/monotonic_writes.expected.json"]).code(2).stdout("");
    assert_eq!(
        stderr(&done),
        "error: input/monotonic_writes.expected.json holds an expected result; its scenario is \
         beside it: passbook run input/monotonic_writes.json\n"
    );
}

#[test]
fn a_branch_lists_its_write_sets_and_what_arrived_by_customer() {
    let done = passbook(&["run", "--format", "json", "input/dialects/several_visits.json"]);
    let report = json(stdout(&done.code(0)));
    let all = serde_json::json!([
        {"event_id": 1, "interface": "deposit", "money": 400},
        {"event_id": 2, "interface": "withdraw", "money": 100},
        {"event_id": 3, "interface": "deposit", "money": 25},
        {"event_id": 4, "interface": "query"},
    ]);
    let first = &report["branches"][0];
    assert_eq!(first["id"], 1);
    assert_eq!(first["balance"], 330);
    assert_eq!(first["write_sets"], serde_json::json!({"1": [1, 2, 3], "2": [1]}));
    assert_eq!(first["events"]["1"], all);
    assert_eq!(report["scenario"], "several_visits");
    assert_eq!(report["seed"], 0);
    assert_eq!(report["passbook"], env!("CARGO_PKG_VERSION"));
    assert_eq!(report["balances"][0], serde_json::json!({"id": 1, "balance": 330}));
    let query = &report["customers"][0]["events"][3];
    assert_eq!((&query["outcome"], &query["balance"]), (&json("\"ok\""), &json("330")));
}
