//! Every dialect of the input comes to the same scenario, and every file of `input/` is read.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use passbook::fault::{Latency, Link};
use passbook::model::{
    Amount, BranchId, CustomerId, CustomerOrder, EventId, Guarantees, Money, Operation, Overdraft,
    Propagation, QueryTiming, Seed, Write,
};
use passbook::scenario::{BalanceRow, Event, Output, Scenario, Settings, Source, Told};

fn parse(text: &str) -> Scenario {
    Scenario::parse(&Source::new("input/dialect.json", text)).expect("a scenario")
}

fn amount(text: &str) -> Amount {
    text.parse().expect("an amount")
}

fn event(id: i64, branch: i64, operation: Operation) -> Event {
    let id = EventId::new(id).expect("an event id");
    Event { id, branch: BranchId::new(branch).expect("a branch id"), operation }
}

fn ids(scenario: &Scenario) -> Vec<Vec<u32>> {
    let ids = |events: &[Event]| events.iter().map(|event| event.id.get()).collect();
    scenario.visits.iter().map(|visit| ids(&visit.events)).collect()
}

const CLASSIC: &str = r#"[
  {"id": 1, "type": "branch", "balance": 0},
  {"id": 2, "type": "branch", "balance": 0},
  {"id": 1, "type": "customer", "events": [
    {"id": 1, "interface": "deposit", "money": 400, "dest": 1},
    {"id": 2, "interface": "withdraw", "money": 150.50, "dest": 2},
    {"id": 3, "interface": "query", "dest": 1}
  ]}
]"#;

#[test]
fn a_classic_array_is_read() {
    let scenario = parse(CLASSIC);
    assert_eq!(scenario.name, "dialect");
    assert_eq!(scenario.roster.ids(), [1, 2].map(|id| BranchId::new(id).unwrap()));
    assert_eq!(scenario.opening_balance, Money::ZERO);
    assert_eq!(scenario.settings, Settings::default());
    assert_eq!((scenario.expected, scenario.warnings), (None, vec![]));
    assert_eq!(scenario.visits.len(), 1);
    assert_eq!(scenario.visits[0].customer, CustomerId::new(1).unwrap());
    assert_eq!(
        scenario.visits[0].events,
        [
            event(1, 1, Operation::Write(Write::deposit(amount("400")))),
            event(2, 2, Operation::Write(Write::withdraw(amount("150.5")))),
            event(3, 1, Operation::Query),
        ]
    );
}

#[test]
fn every_dialect_comes_to_the_same_scenario() {
    let classic = parse(CLASSIC);
    let object = format!("{{\"processes\": {CLASSIC}}}");
    let variants = [
        ("bank", CLASSIC.replace("\"branch\"", "\"bank\"")),
        ("client", CLASSIC.replace("\"customer\"", "\"client\"")),
        ("customer-requests", CLASSIC.replace("\"events\"", "\"customer-requests\"")),
        ("customer-request-id", CLASSIC.replace("    {\"id\"", "    {\"customer-request-id\"")),
        ("branch", CLASSIC.replace("\"dest\"", "\"branch\"")),
        ("own branch", CLASSIC.replace(", \"dest\": 1", "")),
        (
            "no ids",
            CLASSIC
                .replace("    {\"id\": ", "    {\"money \": ")
                .replace("\"money \": 1, ", "")
                .replace("\"money \": 2, ", "")
                .replace("\"money \": 3, ", ""),
        ),
        ("money on a query", CLASSIC.replace("\"query\"", "\"query\", \"money\": 400")),
        (
            "a word as money on a query",
            CLASSIC.replace("\"query\"", "\"query\", \"money\": \"none\""),
        ),
        ("a list as money on a query", CLASSIC.replace("\"query\"", "\"query\", \"money\": [1e9]")),
        ("spaces around keys", CLASSIC.replace("\":", " \":").replace("{\"", "{\"\\t ")),
        ("keys with escapes", CLASSIC.replace("\"money\"", "\"\\u006doney\"")),
        ("no white space", CLASSIC.replace([' ', '\n'], "")),
        ("carriage returns", CLASSIC.replace('\n', "\r\n")),
        ("a byte order mark", format!("\u{feff}{CLASSIC}")),
        ("an object", object.clone()),
        ("an object with a schema", object.replacen('{', "{\"$schema\": \"passbook.json\", ", 1)),
    ];
    for (name, text) in variants {
        assert_ne!(text, CLASSIC, "{name}");
        assert_eq!(parse(&text), classic, "{name}");
    }
}

#[test]
fn branches_may_stand_after_customers_and_in_any_order() {
    let scenario = parse(
        r#"[
          {"id": 1, "type": "customer", "events": [{"interface": "query", "dest": 9}]},
          {"id": 9, "type": "branch", "balance": 0.5},
          {"id": 4, "type": "branch", "balance": 0.50}
        ]"#,
    );
    assert_eq!(scenario.roster.ids(), [4, 9].map(|id| BranchId::new(id).unwrap()));
    assert_eq!(scenario.opening_balance, Money::from_minor(50));
}

#[test]
fn ids_that_are_left_out_go_on_over_a_customers_visits() {
    let scenario = parse(
        r#"[
          {"id": 1, "type": "branch", "balance": 0},
          {"id": 2, "type": "branch", "balance": 0},
          {"id": 1, "type": "customer", "events": [{"interface": "query"}, {"interface": "query"}]},
          {"id": 2, "type": "customer", "events": [{"interface": "query"}]},
          {"id": 1, "type": "customer", "events": [{"interface": "query"}, {"id": 7, "interface": "query"}]},
          {"id": 1, "type": "customer", "events": [{"interface": "query"}]}
        ]"#,
    );
    assert_eq!(ids(&scenario), [vec![1, 2], vec![1], vec![3, 7], vec![8]]);
    assert_eq!(scenario.warnings, []);
}

#[test]
fn a_bank_without_visitors_is_a_scenario() {
    assert_eq!(parse(r#"[{"id": 1, "type": "branch", "balance": 0}]"#).visits, []);
    let text =
        r#"[{"id": 1, "type": "branch", "balance": 0}, {"id": 5, "type": "client", "events": []}]"#;
    assert_eq!(parse(text).visits[0].events, []);
}

#[test]
fn an_object_says_how_to_run_it() {
    let scenario = parse(
        r#"{
          "name": "a day at the bank", "description": "no more",
          "propagation": "async", "guarantees": "ryw, mw", "latency": "uniform:1ms..50ms",
          "links": [{"from": 1, "to": 2, "latency": "constant:1h"}], "wait_limit": "2s",
          "overdraft": "reject", "customers": "concurrent",
          "queries": "after-settling", "seed": 18446744073709551615,
          "processes": [
            {"id": 1, "type": "branch", "balance": 0}, {"id": 2, "type": "branch", "balance": 0},
            {"id": 7, "type": "customer", "guarantees": "none", "events": []},
            {"id": 7, "type": "customer", "events": []}
          ],
          "expected": []
        }"#,
    );
    assert_eq!(scenario.name, "a day at the bank");
    let branch = |id| BranchId::new(id).unwrap();
    let link = Link { from: branch(1), to: branch(2) };
    let settings = Settings {
        propagation: Some(Propagation::Async),
        guarantees: Some("ryw,mw".parse().unwrap()),
        customer_guarantees: [(CustomerId::new(7).unwrap(), Guarantees::NONE)].into(),
        latency: Some("uniform:1ms..50ms".parse().unwrap()),
        links: [(link, Latency::Constant(Duration::from_hours(1)))].into(),
        wait_limit: Some(Duration::from_secs(2)),
        overdraft: Some(Overdraft::Reject),
        customers: Some(CustomerOrder::Concurrent),
        queries: Some(QueryTiming::AfterSettling),
        seed: Some(Seed(u64::MAX)),
    };
    assert_eq!(scenario.settings, settings);
    assert_eq!(scenario.expected, Some(Output::Balances(vec![])));
}

#[test]
fn expected_results_are_read_in_every_output_dialect() {
    let scenario = parse(CLASSIC);
    let expected = |text: &str| scenario.parse_expected(&Source::new("x", text)).unwrap();
    for (name, text) in [
        ("balances", r#"[{"id":1,"balance":-249.5}]"#),
        (
            "events",
            r#"[{"id":1,"recv":[{"interface":"deposit","branch":1,"result":"success"}]},{"id":1,"recv":[{"interface":"query","branch":2,"balance":92233720368547758.07}]}]"#,
        ),
        (
            "customers",
            r#"[{"id":1,"recv":[{"interface":"deposit","result":"fail"},{"interface":"withdraw","result":"unknown"},{"interface":"query","balance":0}]}]"#,
        ),
    ] {
        assert_eq!(serde_json::to_string(&expected(text)).unwrap(), text, "{name}");
    }
    let customer = CustomerId::new(1).unwrap();
    let balance = Money::from_minor(-24_950);
    let row = BalanceRow { id: customer, balance };
    assert_eq!(expected(r#"[{"id": 1, "balance": -249.50}]"#), Output::Balances(vec![row]));

    let grouped = r#"[{"id": 1, "recv": [
        {"interface": "deposit", "branch": 1, "result": "success"},
        {"interface": "query", "branch": 2, "result": "unknown"}]}]"#;
    let Output::Events(rows) = expected(grouped) else { panic!("not dialect events") };
    let told: Vec<Told> = rows.iter().map(|row| row.recv[0].told).collect();
    assert_eq!(told, [Told::Success, Told::Unknown]);
}

#[test]
fn a_repeated_event_id_is_warned_of_with_both_places() {
    let (file, text) = input("repeated_event_id.json");
    let scenario = Scenario::parse(&Source::new("input/repeated_event_id.json", text)).unwrap();
    let [warning] = &scenario.warnings[..] else { panic!("{file:?}: {:?}", scenario.warnings) };
    assert_eq!(
        warning.message,
        "input/repeated_event_id.json:6:12: event id 1 of customer 1 comes again, for a query; \
         its first use is the deposit at input/repeated_event_id.json:5:12"
    );
}

#[test]
fn many_repeated_event_ids_make_few_warnings() {
    let event = r#"{"id": 3, "interface": "query"}"#;
    let visit = format!(r#"{{"id": 1, "type": "customer", "events": [{event}, {event}]}}"#);
    let visits = vec![visit; 50].join(",\n");
    let text = format!("[{{\"id\": 1, \"type\": \"branch\", \"balance\": 0}},\n{visits}]");
    let messages: Vec<String> =
        parse(&text).warnings.into_iter().map(|warning| warning.message).collect();
    assert_eq!(messages.len(), 6);
    let first_use = "its first use is the query at input/dialect.json:2:49";
    assert_eq!(
        messages[1],
        format!(
            "input/dialect.json:3:49: event id 3 of customer 1 comes again, for a query; {first_use}"
        )
    );
    assert_eq!(messages[5], "input/dialect.json: and 94 more repeated event ids");
}

/// A file of `input/` and what must be in it.
struct Shape {
    file: &'static str,
    name: &'static str,
    branches: usize,
    visits: usize,
    events: usize,
    warnings: usize,
}

const fn shape(
    file: &'static str,
    name: &'static str,
    [branches, visits, events, warnings]: [usize; 4],
) -> Shape {
    Shape { file, name, branches, visits, events, warnings }
}

const INPUT: [Shape; 15] = [
    shape("concurrent_customers.json", "concurrent-customers", [4, 5, 15, 0]),
    shape("dialects/bank_and_client.json", "bank_and_client", [2, 1, 3, 0]),
    shape("dialects/branch_as_destination.json", "branch_as_destination", [2, 1, 2, 0]),
    shape("dialects/customer_requests.json", "customer_requests", [2, 1, 3, 0]),
    shape("dialects/money_on_a_query.json", "money_on_a_query", [2, 1, 2, 0]),
    shape("dialects/no_event_ids.json", "no_event_ids", [2, 2, 5, 0]),
    shape("dialects/own_branch.json", "own_branch", [3, 3, 5, 0]),
    shape("dialects/own_format.json", "own-format", [2, 1, 2, 0]),
    shape("dialects/several_visits.json", "several_visits", [2, 3, 5, 0]),
    shape("dialects/stray_spaces.json", "stray_spaces", [2, 1, 2, 0]),
    shape("monotonic_writes.json", "monotonic_writes", [2, 1, 3, 0]),
    shape("overdraft_rejected.json", "overdraft-rejected", [3, 1, 5, 0]),
    shape("read_your_writes.json", "read_your_writes", [2, 1, 2, 0]),
    shape("repeated_event_id.json", "repeated_event_id", [2, 1, 2, 1]),
    shape("ten_branches.json", "ten-branches", [10, 6, 60, 0]),
];

fn input(file: &str) -> (PathBuf, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("input").join(file);
    let text = fs::read_to_string(&path).expect("a file of input/");
    (path, text)
}

#[test]
fn every_file_of_input_is_read_and_has_an_expected_result() {
    for shape in INPUT {
        let (path, text) = input(shape.file);
        let source = Source::new(path.to_str().unwrap(), text);
        let scenario = Scenario::parse(&source).unwrap();
        let events: usize = scenario.visits.iter().map(|visit| visit.events.len()).sum();
        assert_eq!(scenario.name, shape.name);
        assert_eq!(
            [scenario.roster.len(), scenario.visits.len(), events, scenario.warnings.len()],
            [shape.branches, shape.visits, shape.events, shape.warnings],
            "{}",
            shape.file
        );
        let beside = path.with_extension("expected.json");
        assert_ne!(scenario.expected.is_some(), beside.exists(), "{}", shape.file);
        if beside.exists() {
            let text = fs::read_to_string(&beside).unwrap();
            scenario.parse_expected(&Source::new(beside.to_str().unwrap(), text)).unwrap();
        }
    }
}

#[test]
fn no_file_of_input_is_left_out_of_the_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("input");
    let mut files: Vec<String> = ["", "dialects"]
        .iter()
        .flat_map(|folder| fs::read_dir(root.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned())
        .filter(|file| !file.ends_with(".expected.json"))
        .collect();
    files.sort();
    assert_eq!(files, INPUT.map(|shape| shape.file));
}
