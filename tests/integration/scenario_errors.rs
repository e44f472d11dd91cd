//! Bad input as a person sees it: the error table of the input formats, as snapshots.

use miette::{GraphicalReportHandler, GraphicalTheme};
use passbook::scenario::{Scenario, ScenarioError, Source};

fn shown(error: &ScenarioError) -> String {
    let mut page = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::none())
        .with_width(100)
        .render_report(&mut page, error)
        .expect("an error can be shown");
    page
}

/// The errors of a list of bad inputs, each under its title.
fn errors(cases: &[(&str, &str)]) -> String {
    let page = cases.iter().map(|(title, text)| {
        let error = Scenario::parse(&Source::new("bad.json", *text)).expect_err(title);
        format!("=== {title}\n{}\n", shown(&error))
    });
    page.collect()
}

/// The errors of two branches and one customer with `event` alone.
fn event_errors(cases: &[(&str, &str)]) -> String {
    let page = cases.iter().map(|(title, event)| {
        let text = classic(event);
        let error = Scenario::parse(&Source::new("bad.json", text)).expect_err(title);
        format!("=== {title}\n{}\n", shown(&error))
    });
    page.collect()
}

fn classic(events: &str) -> String {
    format!(
        r#"[
  {{"id": 1, "type": "branch", "balance": 0}},
  {{"id": 2, "type": "branch", "balance": 0}},
  {{"id": 1, "type": "customer", "events": [
    {events}
  ]}}
]"#
    )
}

#[test]
fn text_that_is_not_json() {
    let page = errors(&[
        ("empty", ""),
        ("white space alone", " \n\n"),
        ("comma before a bracket", "[\n  {\"id\": 1, \"type\": \"branch\", \"balance\": 0},\n]"),
        ("comma before a brace", "[{\"id\": 1, \"type\": \"branch\", \"balance\": 0,}]"),
        ("two commas", "[{\"id\": 1,, \"type\": \"branch\"}]"),
        ("text after the end", "[{\"id\": 1, \"type\": \"branch\", \"balance\": 0}]\nthe end"),
        ("two arrays", "[{\"id\": 1, \"type\": \"branch\", \"balance\": 0}]\n[]"),
        ("cut off in an array", "[\n  {\"id\": 1, \"type\": \"branch\", \"balance\": 0},\n"),
        ("cut off in a string", "[\n  {\"id\": 1, \"ty"),
        ("no comma between processes", "[\n  {\"id\": 1}\n  {\"id\": 2}\n]"),
        ("no colon", "[{\"id\" 1}]"),
        ("wrong bracket", "[\n  {\"id\": 1]\n]"),
        ("single quotes", "[{'id': 1}]"),
        ("single quotes around a value", "[{\"type\": 'branch'}]"),
        ("a comment", "[\n  // branches\n  {\"id\": 1}\n]"),
        ("a word of another language", "[{\"id\": None}]"),
        ("a word of another language that begins well", "[{\"id\": nil}]"),
        ("a number as key", "[{1: 2}]"),
        ("leading zero", "[{\"id\": 01}]"),
        ("plus sign", "[{\"id\": +1}]"),
        ("bare point", "[{\"money\": .5}]"),
        ("nothing after the point", "[{\"money\": 5.}]"),
        ("line break in a string", "[{\"type\": \"bra\nnch\"}]"),
        ("unknown escape", r#"[{"type": "bra\nch\q"}]"#),
        ("half of a surrogate pair", r#"[{"type": "\ud800"}]"#),
        ("plain text", "deposit 400 at branch 1"),
        ("a control character", "[\u{1b}[31m]"),
    ]);
    insta::assert_snapshot!(page);
}

#[test]
fn text_that_is_not_utf8() {
    let cases: [(&str, &[u8]); 2] = [
        ("Latin 1", b"{\"name\": \"caf\xe9\", \"processes\": []}"),
        ("UTF-16", b"\xff\xfe[\0{\0}\0]\0"),
    ];
    let page: String = cases
        .iter()
        .map(|(title, bytes)| {
            let error = Source::from_bytes("bad.json", bytes.to_vec()).expect_err(title);
            format!("=== {title}\n{}\n", shown(&error))
        })
        .collect();
    insta::assert_snapshot!(page);
}

#[test]
fn documents_of_the_wrong_shape() {
    let long_line = format!(
        "[{}{{\"id\": 7, \"type\": \"brunch\", \"balance\": 0}}{}]",
        "{\"id\": 1, \"type\": \"branch\", \"balance\": 0}, ".repeat(20),
        ", {\"id\": 1, \"type\": \"branch\", \"balance\": 0}".repeat(20)
    );
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let page = errors(&[
        ("a lone number", "17"),
        ("a lone null", "null"),
        ("a process that is text", r#"["branch"]"#),
        (
            "events that are an object",
            r#"[{"id": 1, "type": "branch", "balance": 0}, {"id": 1, "type": "customer", "events": {}}]"#,
        ),
        ("an event that is a number", &classic("17")),
        ("deep nesting", &nested),
        ("a very long line", &long_line),
        ("a key given twice", r#"[{"id": 1, "type": "branch", "balance": 0, "id": 2}]"#),
        (
            "a key given twice but for spaces",
            "[{\"id\": 1,\n  \"type\": \"branch\",\n  \"balance\": 0,\n  \" id \": 2}]",
        ),
        ("a key misspelled", r#"[{"id": 1, "type": "branch", "balanse": 0}]"#),
        ("a key unlike any other", r#"[{"id": 1, "type": "branch", "colour": "red"}]"#),
        ("a key with odd characters", "[{\"id\": 1, \"b\\u001b[31m\": 0}]"),
        ("events at a branch", r#"[{"id": 1, "type": "branch", "balance": 0, "events": []}]"#),
        (
            "a balance at a customer",
            r#"[{"id": 1, "type": "customer", "balance": 0, "events": []}]"#,
        ),
        ("no type", r#"[{"id": 1, "balance": 0}]"#),
        ("unknown type", r#"[{"id": 1, "type": "costumer", "events": []}]"#),
        ("type in capitals", r#"[{"id": 1, "type": "Branch", "balance": 0}]"#),
        (
            "two event lists",
            r#"[{"id": 1, "type": "customer", "events": [], "customer-requests": []}]"#,
        ),
        (
            "no event list",
            r#"[{"id": 1, "type": "branch", "balance": 0}, {"id": 1, "type": "customer"}]"#,
        ),
    ]);
    insta::assert_snapshot!(page);
}

#[test]
fn banks_that_cannot_be() {
    let page = errors(&[
        ("no processes", "[]"),
        ("customers alone", r#"[{"id": 1, "type": "customer", "events": []}]"#),
        (
            "the same branch twice",
            "[\n  {\"id\": 1, \"type\": \"branch\", \"balance\": 0},\n  {\"id\": 2, \"type\": \"branch\", \"balance\": 0},\n  {\"id\": 1, \"type\": \"branch\", \"balance\": 0}\n]",
        ),
        (
            "unequal balances",
            "[\n  {\"id\": 1, \"type\": \"branch\", \"balance\": 400},\n  {\"id\": 2, \"type\": \"branch\", \"balance\": 400.5}\n]",
        ),
        ("no balance", r#"[{"id": 1, "type": "branch"}]"#),
        ("a balance below zero", r#"[{"id": 1, "type": "branch", "balance": -0.01}]"#),
        ("a balance in words", r#"[{"id": 1, "type": "branch", "balance": "four hundred"}]"#),
        ("a balance with three decimals", r#"[{"id": 1, "type": "branch", "balance": 0.001}]"#),
        ("no id", r#"[{"type": "branch", "balance": 0}]"#),
        ("id zero", r#"[{"id": 0, "type": "branch", "balance": 0}]"#),
        ("id below zero", r#"[{"id": -1, "type": "branch", "balance": 0}]"#),
        ("id too large", r#"[{"id": 2147483648, "type": "branch", "balance": 0}]"#),
        (
            "id far too large",
            r#"[{"id": 99999999999999999999999999999999999999999999, "type": "branch", "balance": 0}]"#,
        ),
        ("id with a fraction", r#"[{"id": 1.0, "type": "branch", "balance": 0}]"#),
        ("id with an exponent", r#"[{"id": 1e0, "type": "branch", "balance": 0}]"#),
        ("id in quotes", r#"[{"id": "1", "type": "branch", "balance": 0}]"#),
    ]);
    insta::assert_snapshot!(page);
}

#[test]
fn events_that_cannot_be() {
    let page = event_errors(&[
        ("no interface", r#"{"id": 1, "dest": 1}"#),
        ("unknown interface", r#"{"id": 1, "interface": "withdrawal", "money": 5, "dest": 1}"#),
        (
            "interface unlike any other",
            r#"{"id": 1, "interface": "transfer", "money": 5, "dest": 1}"#,
        ),
        ("no money", r#"{"id": 1, "interface": "deposit", "dest": 1}"#),
        ("negative money", r#"{"id": 1, "interface": "deposit", "money": -5, "dest": 1}"#),
        ("zero money", r#"{"id": 1, "interface": "deposit", "money": 0, "dest": 1}"#),
        ("three decimals", r#"{"id": 1, "interface": "deposit", "money": 1.234, "dest": 1}"#),
        ("exponent", r#"{"id": 1, "interface": "deposit", "money": 1e3, "dest": 1}"#),
        (
            "huge money",
            r#"{"id": 1, "interface": "deposit", "money": 100000000000000000000, "dest": 1}"#,
        ),
        ("money in words", r#"{"id": 1, "interface": "deposit", "money": "400 cents", "dest": 1}"#),
        ("money that is null", r#"{"id": 1, "interface": "withdraw", "money": null, "dest": 1}"#),
        ("unknown destination", r#"{"id": 1, "interface": "query", "dest": 3}"#),
        ("two destinations", r#"{"id": 1, "interface": "query", "dest": 1, "branch": 2}"#),
        ("two ids", r#"{"id": 1, "customer-request-id": 1, "interface": "query", "dest": 1}"#),
        ("id zero", r#"{"id": 0, "interface": "query", "dest": 1}"#),
        ("key misspelled", r#"{"id": 1, "interface": "query", "destination": 1}"#),
    ]);
    insta::assert_snapshot!(page);
}

#[test]
fn destinations_of_other_banks() {
    let bank = |branches: std::ops::RangeInclusive<u32>, event: &str| {
        let branches: Vec<String> = branches
            .map(|id| format!(r#"{{"id": {id}, "type": "branch", "balance": 0}}"#))
            .collect();
        let customer = format!(r#"{{"id": 999, "type": "customer", "events": [{event}]}}"#);
        format!("[\n{},\n{customer}\n]", branches.join(",\n"))
    };
    let page = errors(&[
        ("one branch", &bank(4..=4, r#"{"interface": "query", "dest": 5}"#)),
        ("many branches", &bank(1..=200, r#"{"interface": "query", "dest": 201}"#)),
        ("no branch of the customer's own", &bank(1..=3, r#"{"interface": "query"}"#)),
    ]);
    insta::assert_snapshot!(page);
}

/// A scenario object with `members` after its processes.
fn own_format(members: &str) -> String {
    format!(
        "{{\n  \"processes\": [\n    {{\"id\": 1, \"type\": \"branch\", \"balance\": 0}},\n    \
             {{\"id\": 1, \"type\": \"customer\", \"events\": [{{\"interface\": \"query\"}}]}}\n  ],\n  \
             {members}\n}}"
    )
}

/// A classic array with a customer that has `members` besides its events.
fn customer_with(members: &str) -> String {
    format!(
        r#"[
  {{"id": 1, "type": "branch", "balance": 0}},
  {{"id": 1, "type": "customer", {members}, "events": []}}
]"#
    )
}

/// A scenario object of two branches with `links` between.
fn two_linked(links: &str) -> String {
    format!(
        r#"{{"links": [{links}], "processes": [
  {{"id": 1, "type": "branch", "balance": 0}}, {{"id": 2, "type": "branch", "balance": 0}}
]}}"#
    )
}

#[test]
fn scenario_objects_that_cannot_be() {
    let page = errors(&[
        ("no processes", r#"{"name": "empty"}"#),
        ("one process alone", r#"{"id": 1, "type": "branch", "balance": 0}"#),
        ("no branches", r#"{"processes": []}"#),
        ("an error inside", r#"{"processes": [{"id": 1, "type": "branch", "balance": -1}]}"#),
        ("unknown key", &own_format(r#""overdrafts": "allow""#)),
        ("unknown overdraft policy", &own_format(r#""overdraft": "refuse""#)),
        ("unknown propagation", &own_format(r#""propagation": "asinc""#)),
        ("no guarantee", &own_format(r#""guarantees": "ryw,raw""#)),
        ("guarantees without commas", &own_format(r#""guarantees": "ryw mr""#)),
        ("guarantees in an array", &own_format(r#""guarantees": ["ryw"]"#)),
        ("no guarantee of a customer", &customer_with(r#""guarantees": "ALL""#)),
        (
            "guarantees that differ",
            r#"[{"id": 1, "type": "branch", "balance": 0},
 {"id": 7, "type": "customer", "guarantees": "ryw", "events": []},
 {"id": 7, "type": "customer", "guarantees": "mr", "events": []}]"#,
        ),
        (
            "guarantees of a branch",
            r#"[{"id": 1, "type": "branch", "balance": 0, "guarantees": "all"}]"#,
        ),
        ("no latency", &own_format(r#""latency": "20ms""#)),
        ("no span in a latency", &own_format(r#""latency": "constant:20""#)),
        ("a latency that runs backwards", &own_format(r#""latency": "uniform:5ms..1ms""#)),
        ("a latency that is a number", &own_format(r#""latency": 20"#)),
        ("no wait limit", &own_format(r#""wait_limit": "13h""#)),
        ("a link without a latency", &two_linked(r#"{"from": 1, "to": 2}"#)),
        ("a link to nowhere", &two_linked(r#"{"from": 1, "to": 3, "latency": "none"}"#)),
        ("a link to itself", &two_linked(r#"{"from": 1, "to": 1, "latency": "none"}"#)),
        ("a link misspelled", &two_linked(r#"{"form": 1, "to": 2, "latency": "none"}"#)),
        (
            "the same link twice",
            &two_linked(
                r#"{"from": 1, "to": 2, "latency": "none"}, {"from": 1, "to": 2, "latency": "none"}"#,
            ),
        ),
        ("unknown order", &own_format(r#""customers": "in_order""#)),
        ("unknown timing", &own_format(r#""queries": "settled""#)),
        ("unknown choice of event ids", &own_format(r#""event_ids": "as_written""#)),
        (
            "no id is left",
            r#"{"event_ids": "as-written", "processes": [
  {"id": 1, "type": "branch", "balance": 0},
  {"id": 1, "type": "customer", "events": [
    {"id": 2147483647, "interface": "query"},
    {"interface": "query"}
  ]}
]}"#,
        ),
        ("a seed below zero", &own_format(r#""seed": -1"#)),
        ("a blank name", &own_format(r#""name": " ""#)),
        ("a name that is a number", &own_format(r#""name": 1"#)),
        ("a description that is a number", &own_format(r#""description": 1"#)),
    ]);
    insta::assert_snapshot!(page);
}

#[test]
fn expected_results_that_cannot_be() {
    let page = errors(&[
        ("a customer that is not there", &own_format(r#""expected": [{"id": 2, "balance": 0}]"#)),
        (
            "a branch that is not there",
            &own_format(
                r#""expected": [{"id": 1, "recv": [{"interface": "query", "branch": 2, "balance": 0}]}]"#,
            ),
        ),
        (
            "two dialects in a row",
            &own_format(r#""expected": [{"id": 1, "balance": 0, "recv": []}]"#),
        ),
        (
            "two dialects in two rows",
            &own_format(
                "\"expected\": [\n    {\"id\": 1, \"recv\": [{\"interface\": \"query\", \"balance\": 0}]},\n    {\"id\": 1, \"balance\": 0}\n  ]",
            ),
        ),
        ("neither", &own_format(r#""expected": [{"id": 1}]"#)),
        (
            "a query that succeeds",
            &own_format(
                r#""expected": [{"id": 1, "recv": [{"interface": "query", "result": "success"}]}]"#,
            ),
        ),
        (
            "a write with a balance",
            &own_format(
                r#""expected": [{"id": 1, "recv": [{"interface": "deposit", "balance": 5}]}]"#,
            ),
        ),
        (
            "unknown result",
            &own_format(
                r#""expected": [{"id": 1, "recv": [{"interface": "deposit", "result": "filed"}]}]"#,
            ),
        ),
        ("a balance with an exponent", &own_format(r#""expected": [{"id": 1, "balance": 4e2}]"#)),
        ("a number", &own_format(r#""expected": 400"#)),
        (
            "two balances of a query",
            &own_format(
                r#""expected": [{"id": 1, "recv": [{"interface": "query", "balance": 5, "money": 6}]}]"#,
            ),
        ),
        (
            "a query that failed with a balance",
            &own_format(
                r#""expected": [{"id": 1, "recv": [{"interface": "query", "balance": 5, "result": "fail"}]}]"#,
            ),
        ),
    ]);
    insta::assert_snapshot!(page);
}

#[test]
fn an_error_tells_its_place_as_data() {
    let text = classic(r#"{"id": 1, "interface": "deposit", "money": 1.234, "dest": 1}"#);
    let error = Scenario::parse(&Source::new("-", text)).unwrap_err();
    assert_eq!(error.path(), "[2].events[0].money");
    assert_eq!((error.source_name(), error.line(), error.column()), ("<stdin>", 5, 48));
}

#[test]
fn all_that_is_wrong_is_told_in_the_order_of_the_text() {
    let page = errors(&[
        (
            "processes and events",
            r#"[
  {"id": 1, "type": "branch", "balance": 0},
  {"id": 2, "type": "branch", "balanse": 0},
  {"id": 3, "type": "branch", "balance": -4},
  {"id": 1, "type": "customer", "events": [
    {"id": 1, "interface": "deposit", "money": -5, "dest": 9},
    {"id": 2, "interface": "deposite", "money": 5, "dest": 1},
    {"id": 3, "interface": "query", "dest": 1, "oops": 1},
    {"id": 4}, 17
  ]}
]"#,
        ),
        (
            "settings, links and events",
            r#"{"propagation": "asinc", "links": [{"from": 1, "to": 1, "latency": "none"}, 5],
 "processes": [{"id": 1, "type": "branch", "balance": 0},
  {"id": 1, "type": "customer", "events": [{"interface": "query", "dest": 2}]}],
 "seed": "7"}"#,
        ),
        (
            "rows of an expected result",
            &own_format(
                r#""expected": [{"id": 2, "balance": 0}, {"id": 1, "balanse": 0}, {"id": 1, "balance": "x"}]"#,
            ),
        ),
        // Where a branch is not understood, no event is blamed for going there.
        (
            "a branch that others need",
            r#"[{"id": 1, "type": "branch", "balance": "none"},
 {"id": 1, "type": "customer", "events": [{"interface": "query", "dest": 1}]}]"#,
        ),
    ]);
    insta::assert_snapshot!(page);
}

#[test]
fn ten_errors_are_shown_and_the_others_counted() {
    let events = vec![r#"{"interface": "query", "dest": 3}"#; 25].join(",\n    ");
    let error = Scenario::parse(&Source::new("bad.json", classic(&events))).unwrap_err();
    let lines: Vec<usize> = error.others().iter().map(ScenarioError::line).collect();
    assert_eq!((error.line(), lines), (5, (6..=14).collect()));
    assert_eq!(error.summary(), "[2].events[0].dest: there is no branch 3 (and 24 more)");
    let page = shown(&error);
    assert_eq!(page.matches("there is no branch 3").count(), 10, "{page}");
    assert!(page.contains("15 more like these"), "{page}");
}
