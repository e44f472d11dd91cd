//! Every dialect of the input comes to the same scenario, and every file of `input/` is read.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use passbook::model::{
    Amount, BranchId, CustomerId, CustomerOrder, EventId, EventIds, Guarantees, Money, Operation,
    Overdraft, Propagation, QueryTiming, RequestNumber, Seed, Write,
};
use passbook::network::{Latency, Link};
use passbook::scenario::{
    BalanceRow, Event, Level, Output, Scenario, Settings, Source, WrittenIds,
};

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
          "queries": "after-settling", "event_ids": "as-written",
          "seed": 18446744073709551615,
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
        event_ids: Some(EventIds::AsWritten),
        seed: Some(Seed(u64::MAX)),
        ..Settings::default()
    };
    assert_eq!(scenario.settings, settings);
    assert_eq!(scenario.expected, Some(Output::Balances(vec![])));
}

#[test]
fn expected_results_are_read_in_every_output_dialect() {
    let scenario = parse(CLASSIC);
    let expected = |text: &str| {
        let expected = scenario.parse_expected(&Source::new("x", text)).unwrap();
        assert_eq!(expected.notes, [], "{text}");
        expected.output
    };
    for (name, text) in [
        ("balances", r#"[{"id":1,"balance":-249.5}]"#),
        ("nothing told", r#"[{"id":1,"balance":null}]"#),
        (
            "events",
            r#"[{"id":1,"recv":[{"interface":"deposit","branch":1,"result":"success"}]},{"id":1,"recv":[{"interface":"query","branch":2,"balance":92233720368547758.07}]}]"#,
        ),
        (
            "customers",
            r#"[{"id":1,"recv":[{"interface":"deposit","result":"fail"},{"interface":"withdraw","result":"unknown"},{"interface":"query","balance":0}]}]"#,
        ),
        (
            "classic",
            r#"[{"id":1,"recv":[{"interface":"deposit","result":"fail"},{"interface":"withdraw","result":"success"},{"interface":"query","result":"success","money":500}]}]"#,
        ),
    ] {
        assert_eq!(serde_json::to_string(&expected(text)).unwrap(), text, "{name}");
    }
    let customer = CustomerId::new(1).unwrap();
    let balance = Some(Money::from_minor(-24_950));
    let row = BalanceRow { id: customer, balance };
    assert_eq!(expected(r#"[{"id": 1, "balance": -249.50}]"#), Output::Balances(vec![row]));
}

#[test]
fn a_query_may_bear_any_id() {
    let scenario = parse(
        r#"[
          {"id": 1, "type": "branch", "balance": 0},
          {"id": 1, "type": "customer", "events": [
            {"id": 5, "interface": "query"}, {"id": 1, "interface": "deposit", "money": 1},
            {"id": 1, "interface": "query"}, {"id": 1, "interface": "query"},
            {"id": 2, "interface": "withdraw", "money": 1}, {"id": 1, "interface": "query"}]}
        ]"#,
    );
    assert_eq!(ids(&scenario), [[5, 1, 1, 1, 2, 1]]);
    assert_eq!(scenario.warnings, []);
}

/// Customers 1 and 2 come in turns; the writes of both do not rise over their visits.
const IN_TURNS: &str = r#"[
  {"id": 1, "type": "branch", "balance": 0},
  {"id": 1, "type": "customer", "events": [{"id": 7, "interface": "query", "dest": 1},
    {"id": 1, "interface": "deposit", "money": 1, "dest": 1}]},
  {"id": 2, "type": "customer", "events": [{"id": 2, "interface": "deposit", "money": 1, "dest": 1}]},
  {"id": 1, "type": "customer", "events": [{"interface": "query", "dest": 1},
    {"id": 1, "interface": "withdraw", "money": 1, "dest": 1}]},
  {"id": 2, "type": "customer", "events": [{"id": 1, "interface": "deposit", "money": 1, "dest": 1}]},
  {"id": 3, "type": "customer", "events": [{"id": 9, "interface": "deposit", "money": 1, "dest": 1}]}
]"#;

#[test]
fn writes_that_do_not_rise_number_all_visits_of_their_customer_anew() {
    let scenario = parse(IN_TURNS);
    assert_eq!(ids(&scenario), [vec![1, 2], vec![1], vec![3, 4], vec![2], vec![9]]);
    let [warning] = &scenario.warnings[..] else { panic!("{:?}", scenario.warnings) };
    assert_eq!(warning.level, Level::Warning);
    assert_eq!(
        warning.message,
        "input/dialect.json:7:12: event id 1 of customer 1 comes again, for a withdraw; its first \
         use is the deposit at input/dialect.json:4:12; the customer's events are numbered from 1, \
         as are those of another (--event-ids as-written keeps the ids)"
    );
    let written = |customer: i64| {
        let customer = CustomerId::new(customer).unwrap();
        let numbers = (1..=4).map(RequestNumber::new);
        let written = numbers.map(|number| scenario.written_ids.of(customer, number));
        written.map(|id| id.map(EventId::get)).collect::<Vec<_>>()
    };
    // The third event of customer 1 bears no id.
    assert_eq!(written(1), [Some(7), Some(1), None, Some(1)]);
    assert_eq!(written(2), [Some(2), Some(1), None, None]);
    assert_eq!(written(3), [None; 4]);
}

#[test]
fn ids_stay_as_they_are_written_where_that_is_asked_for() {
    let stay = [vec![7, 1], vec![2], vec![8, 1], vec![1], vec![9]];
    let source = Source::new("input/dialect.json", IN_TURNS);
    let overridden = Scenario::parse_with(&source, Some(EventIds::AsWritten)).unwrap();
    let own = parse(&format!("{{\"event_ids\": \"as-written\", \"processes\": {IN_TURNS}}}"));
    for scenario in [overridden, own.clone()] {
        assert_eq!(ids(&scenario), stay);
        assert_eq!(
            (&scenario.warnings[..], &scenario.written_ids),
            (&[][..], &WrittenIds::default())
        );
    }
    let text = serde_json::to_string(&own).unwrap();
    let again = Source::new("again", text);
    assert_eq!(ids(&Scenario::parse(&again).unwrap()), stay, "it is written so");
    let renumbered = Scenario::parse_with(&again, Some(EventIds::Renumber)).unwrap();
    assert_eq!(ids(&renumbered)[2], [3, 4], "the command line is heard first");
}

#[test]
fn ids_that_fall_and_ids_that_run_out_are_warned_of_too() {
    let warning = |events: &str| {
        let text = format!(
            r#"[{{"id": 1, "type": "branch", "balance": 0}},
{{"id": 1, "type": "customer", "events": [
{events}]}}]"#
        );
        let scenario = parse(&text);
        assert_eq!(ids(&scenario), [[1, 2]]);
        scenario.warnings.into_iter().map(|warning| warning.message).collect::<Vec<_>>().join("\n")
    };
    let told = warning(
        r#"{"id": 2, "interface": "deposit", "money": 1}, {"id": 1, "interface": "withdraw", "money": 1}"#,
    );
    let place = "input/dialect.json:3:";
    assert_eq!(
        told,
        format!(
            "{place}55: event id 1 of customer 1, for a withdraw, is below that of the deposit \
             before it, 2 at {place}8; the customer's events are numbered from 1 (--event-ids \
             as-written keeps the ids)"
        )
    );
    let told = warning(
        r#"{"id": 2147483647, "interface": "query"}, {"interface": "deposit", "money": 1}"#,
    );
    assert!(
        told.starts_with(&format!("{place}43: the event has no id, and customer 1 ")),
        "{told}"
    );
}

#[test]
fn amounts_in_quotes_are_numbers_and_warned_of_once() {
    let quoted = CLASSIC
        .replace("\"balance\": 0", "\"balance\": \"0\"")
        .replace("400", "\" 400 \"")
        .replace("150.50", "\"150.50\"");
    let scenario = parse(&quoted);
    let [warning] = &scenario.warnings[..] else { panic!("{:?}", scenario.warnings) };
    assert_eq!(
        (warning.level, &*warning.message),
        (
            Level::Warning,
            "input/dialect.json:2:42: an amount in quotes is read as a number, and 3 more"
        )
    );
    assert_eq!(Scenario { warnings: Vec::new(), ..scenario }, parse(CLASSIC));
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

const INPUT: [Shape; 19] = [
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
    shape("misordered_write.json", "misordered-write", [2, 1, 3, 0]),
    shape("monotonic_writes.json", "monotonic_writes", [2, 1, 3, 0]),
    shape("overdraft_rejected.json", "overdraft-rejected", [3, 1, 5, 0]),
    shape("read_your_writes.json", "read_your_writes", [2, 1, 2, 0]),
    shape("repeated_event_id.json", "repeated_event_id", [2, 1, 2, 0]),
    shape("repeated_writes.json", "repeated_writes", [2, 2, 5, 1]),
    shape("retried_write.json", "retried-write", [2, 1, 3, 0]),
    shape("stale_reads.json", "stale-reads", [2, 1, 200, 0]),
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
