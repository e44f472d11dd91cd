//! Results as people publish them, beside a scenario: lenient in form, strict in content.

use std::fs;
use std::path::PathBuf;

use crate::support::program::{passbook, stderr, stdout};
use assert_cmd::assert::Assert;
use passbook::scenario::{Level, Scenario, Source};
use serde_json::Value;
use tempfile::TempDir;

/// Customer 1 deposits 400 and sees 400; customer 2 withdraws 150.5; customer 1 comes back and sees
/// 249.5.
const SCENARIO: &str = r#"[
  {"id": 1, "type": "branch", "balance": 0}, {"id": 2, "type": "branch", "balance": 0},
  {"id": 1, "type": "customer", "events": [
    {"id": 1, "interface": "deposit", "money": 400, "dest": 1},
    {"id": 2, "interface": "query", "dest": 2}]},
  {"id": 2, "type": "customer", "events": [
    {"id": 1, "interface": "withdraw", "money": 150.5, "dest": 2}]},
  {"id": 1, "type": "customer", "events": [{"id": 3, "interface": "query", "dest": 1}]}
]"#;

struct Beside {
    scenario: PathBuf,
    _folder: TempDir,
}

impl Beside {
    /// `scenario` with `expected` in the file beside it.
    fn new(scenario: &str, expected: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.json");
        fs::write(&path, scenario).expect("written");
        fs::write(folder.path().join("x.expected.json"), expected).expect("written");
        Self { scenario: path, _folder: folder }
    }

    fn run(&self, options: &[&str]) -> Assert {
        let path = self.scenario.to_str().expect("text");
        passbook(&[&["run"], options, &[path]].concat())
    }
}

const ONE_OBJECT: &str = "an object by itself is read as an array of one";
const DOCUMENTS: &str = "another document; all are read as one array of rows";
const BORDERS: &str = "where rows begin and end is not compared";
const SEVERAL: &str =
    "a second balance of the customer; they are compared in order with its visits";
const MONEY: &str = "`money` is read as the balance that a query saw";
const BESIDE: &str = "`result` beside a balance says nothing more";
const OF_WRITE: &str = "a balance or amount on a write is not compared";
const EVENT_ID: &str = "the id of an event is not compared";
const AS_TEXT: &str = "a number in quotes is read as a number";
const LETTERS: &str = "capital letters are read as small ones";
const WORDS: &str = "ok and true are read as `success`; failed, failure and false as `fail`";
const QUOTES: &str = "single quotes are read as double quotes";
const COMMA: &str = "a comma too many is passed over";
const PYTHON: &str = "`None`, `True` and `False` are read as `null`, `true` and `false`";

/// What says the same as the run of [`SCENARIO`], and what is noted of its form.
const RIGHT: &[(&str, &[&str])] = &[
    // The dialects as they are.
    (r#"[{"id":1,"balance":249.5},{"id":2,"balance":249.5}]"#, &[]),
    (
        r#"[{"id":1,"recv":[{"interface":"deposit","branch":1,"result":"success"}]},
            {"id":1,"recv":[{"interface":"query","branch":2,"balance":400}]},
            {"id":2,"recv":[{"interface":"withdraw","branch":2,"result":"success"}]},
            {"id":1,"recv":[{"interface":"query","branch":1,"balance":249.5}]}]"#,
        &[],
    ),
    (
        r#"[{"id":1,"recv":[{"interface":"deposit","result":"success"},{"interface":"query","balance":400}]},
            {"id":2,"recv":[{"interface":"withdraw","result":"success"}]},
            {"id":1,"recv":[{"interface":"query","balance":249.5}]}]"#,
        &[],
    ),
    (
        r#"[{"id":1,"recv":[{"interface":"deposit","result":"success"},{"interface":"query","result":"success","money":400}]},
            {"id":2,"recv":[{"interface":"withdraw","result":"success"}]},
            {"id":1,"recv":[{"interface":"query","result":"success","money":249.5}]}]"#,
        &[],
    ),
    // Rows: by event, by customer, in another order, some with a branch.
    (
        r#"[{"id":1,"recv":[{"interface":"deposit","result":"success"}]},
            {"id":1,"recv":[{"interface":"query","balance":400}]},
            {"id":2,"recv":[{"interface":"withdraw","result":"success"}]},
            {"id":1,"recv":[{"interface":"query","balance":249.5}]}]"#,
        &[BORDERS],
    ),
    (
        r#"[{"id":2,"recv":[{"interface":"withdraw","result":"success"}]},
            {"id":1,"recv":[{"interface":"deposit","result":"success"},
              {"interface":"query","balance":400},{"interface":"query","balance":249.5}]}]"#,
        &[BORDERS],
    ),
    (
        r#"[{"id":1,"recv":[{"interface":"deposit","branch":1,"result":"success"},{"interface":"query","balance":400}]},
            {"id":2,"recv":[{"interface":"withdraw","result":"success"}]},
            {"id":1,"recv":[{"interface":"query","balance":249.50}]}]"#,
        &[BORDERS],
    ),
    // Balances: one a visit; nothing told; an order of its own.
    (r#"[{"id":1,"balance":400},{"id":2,"balance":249.5},{"id":1,"balance":249.5}]"#, &[SEVERAL]),
    (r#"[{"id":2,"balance":249.5},{"id":1,"balance":249.5}]"#, &[]),
    // Several documents, one after the other or one a line.
    ("{\"id\":1,\"balance\":249.5}\n{\"id\":2,\"balance\":249.5}\n", &[ONE_OBJECT, DOCUMENTS]),
    ("[{\"id\":1,\"balance\":249.5}] [{\"id\":2,\"balance\":249.5}]", &[DOCUMENTS]),
    (
        "{\"id\":1,\"balance\":249.5},\n{\"id\":2,\"balance\":249.5},\n",
        &[ONE_OBJECT, DOCUMENTS, COMMA],
    ),
    (
        "\u{feff}[{\"id\":1,\"balance\":249.5}]\n{\"id\":2,\"balance\":249.5}",
        &[ONE_OBJECT, DOCUMENTS],
    ),
    // Balances under another name, with a result beside them, on writes.
    (r#"[{"id":1,"money":249.5},{"id":2,"money":249.5}]"#, &[MONEY]),
    (
        r#"[{"id":1,"recv":[{"interface":"deposit","result":"success","money":400},{"interface":"query","money":400}]},
            {"id":2,"recv":[{"interface":"withdraw","result":"success","balance":249.5}]},
            {"id":1,"recv":[{"interface":"query","balance":249.5,"result":"success"}]}]"#,
        &[OF_WRITE, MONEY, BESIDE],
    ),
    (
        r#"[{"id":1,"recv":[{"interface":"deposit","branch":1,"result":"success"}]},
            {"id":1,"recv":[{"interface":"query","branch":2,"result":"success","money":400}]},
            {"id":2,"recv":[{"interface":"withdraw","branch":2,"result":"success"}]},
            {"id":1,"recv":[{"interface":"query","branch":1,"result":"success","money":249.5}]}]"#,
        &[MONEY, BESIDE],
    ),
    (
        r#"[{"id":1,"recv":[{"interface":"deposit","result":"success"},{"interface":"query","balance":400,"money":400.00}]},
            {"id":2,"recv":[{"interface":"withdraw","result":"success"}]},
            {"id":1,"recv":[{"interface":"query","balance":249.5}]}]"#,
        &[MONEY],
    ),
    // Ids of events; one event without its array.
    (
        r#"[{"id":1,"recv":[{"id":1,"interface":"deposit","result":"success"},{"id":2,"interface":"query","balance":400}]},
            {"id":2,"recv":{"id":"a","interface":"withdraw","result":"success"}},
            {"id":1,"recv":[{"id":3,"interface":"query","balance":249.5}]}]"#,
        &[EVENT_ID, ONE_OBJECT],
    ),
    // Numbers as text, capitals, other words.
    (r#"[{"id":"1","balance":"249.50"},{"id":"2","balance":" 249.5 "}]"#, &[AS_TEXT]),
    (
        r#"[{"id":1,"recv":[{"interface":"deposit","branch":"1","result":"success"}]},
            {"id":1,"recv":[{"interface":"query","branch":"2","balance":"400"}]},
            {"id":2,"recv":[{"interface":"withdraw","branch":"2","result":"success"}]},
            {"id":1,"recv":[{"interface":"query","branch":"1","balance":"249.5"}]}]"#,
        &[AS_TEXT],
    ),
    (
        r#"[{"ID":1,"Recv":[{"Interface":"Deposit","Result":"SUCCESS"},{"interface":"QUERY","Balance":400}]},
            {"id":2,"recv":[{"interface":"withdraw","result":"Success"}]},
            {"id":1,"recv":[{"interface":"query","balance":249.5}]}]"#,
        &[LETTERS],
    ),
    (
        r#"[{"id":1,"recv":[{"interface":"deposit","result":"ok"},{"interface":"query","balance":400}]},
            {"id":2,"recv":[{"interface":"withdraw","result":true}]},
            {"id":1,"recv":[{"interface":"query","result":"OK","balance":249.5}]}]"#,
        &[WORDS, LETTERS, BESIDE],
    ),
    (
        r#"[{"id":1,"recv":[{"interface":"deposit","result":"true"},{"interface":"query","balance":400,"result":null}]},
            {"id":2,"recv":[{"interface":"withdraw","result":"success"}]},
            {"id":1,"recv":[{"interface":"query","balance":249.5}]}]"#,
        &[WORDS, BESIDE],
    ),
    // As Python prints it, and as people type it.
    ("[{'id': 1, 'balance': 249.5}, {'id': 2, 'balance': 249.5}]", &[QUOTES]),
    (
        "{'id': 1, 'balance': 249.5}\n{'id': 2, 'balance': '249.5'}\n",
        &[QUOTES, ONE_OBJECT, DOCUMENTS, AS_TEXT],
    ),
    (
        "[{'id': 1, 'recv': [{'interface': 'deposit', 'result': True, 'money': None}, {'interface': 'query', 'balance': 400}]}, \
          {'id': 2, 'recv': [{'interface': 'withdraw', 'result': 'success'}]}, \
          {'id': 1, 'recv': [{'interface': 'query', 'balance': 249.5}]}]",
        &[QUOTES, PYTHON, WORDS, OF_WRITE],
    ),
    ("[{\"id\":1,\"balance\":249.5,},{\"id\":2,\"balance\":249.5},]", &[COMMA]),
    ("[,{\"id\":1,\"balance\":249.5},,{\"id\":2,\"balance\":249.5}]", &[COMMA]),
    (
        "[{'ID': '1', 'money': '249.5',},\n{'ID': '2', 'money': '249.5',},],",
        &[QUOTES, LETTERS, AS_TEXT, MONEY, COMMA],
    ),
];

#[test]
fn what_says_the_same_passes_and_each_leniency_is_noted_once() {
    for (text, notes) in RIGHT {
        let beside = Beside::new(SCENARIO, text);
        let done =
            beside.run(&["-q"]).try_success().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert!(stdout(&done).contains("✓ as expected"), "{text}: {}", stdout(&done));
        let told = stderr(&done);
        assert_eq!(told.lines().count(), notes.len(), "{text}: {told}");
        for note in *notes {
            let line = told.lines().find(|line| line.ends_with(note));
            let line = line.unwrap_or_else(|| panic!("{text}: no {note:?} in {told}"));
            assert!(line.starts_with("note: ") && line.contains("x.expected.json:"), "{line}");
        }
    }
}

/// What does not say the same: what is shown of it.
const DIFFERENT: &[(&str, &str)] = &[
    (r#"[{"id":1,"balance":249.49},{"id":2,"balance":249.5}]"#, "balance 249.49"),
    (r#"[{"id":1,"balance":249.5}]"#, "customer 2"),
    (r#"[{"id":1,"balance":null},{"id":2,"balance":249.5}]"#, "no balance"),
    (
        r#"[{"id":1,"balance":249.5},{"id":2,"balance":249.5},{"id":1,"balance":400}]"#,
        "customer 1, visit 1",
    ),
    (
        r#"[{"id":1,"balance":400},{"id":2,"balance":249.5},{"id":1,"balance":249.5},{"id":1,"balance":249.5}]"#,
        "customer 1, visit 3",
    ),
    (
        r#"[{"id":1,"balance":249.5},{"id":2,"balance":249.5},{"id":2,"balance":249.5}]"#,
        "customer 2, visit 2",
    ),
    // A balance that a float would take for another.
    (
        r#"[{"id":1,"balance":90071992547409.92},{"id":2,"balance":249.5}]"#,
        "balance 90071992547409.92",
    ),
    // An event too few, one too many, in another order, of another kind, at another branch.
    (
        r#"[{"id":1,"recv":[{"interface":"deposit","result":"success"},{"interface":"query","balance":400}]},
            {"id":2,"recv":[{"interface":"withdraw","result":"success"}]}]"#,
        "customer 1, request 3",
    ),
    (
        r#"[{"id":1,"recv":[{"interface":"deposit","result":"success"},{"interface":"query","balance":400}]},
            {"id":2,"recv":[{"interface":"withdraw","result":"success"},{"interface":"query","balance":249.5}]},
            {"id":1,"recv":[{"interface":"query","balance":249.5}]}]"#,
        "customer 2, request 2",
    ),
    (
        r#"[{"id":1,"recv":[{"interface":"query","balance":400},{"interface":"deposit","result":"success"}]},
            {"id":2,"recv":[{"interface":"withdraw","result":"success"}]},
            {"id":1,"recv":[{"interface":"query","balance":249.5}]}]"#,
        "customer 1, request 1",
    ),
    (
        r#"[{"id":1,"recv":[{"interface":"deposit","result":"ok"},{"interface":"query","money":400}]},
            {"id":2,"recv":[{"interface":"deposit","result":"ok"}]},
            {"id":1,"recv":[{"interface":"query","money":249.5}]}]"#,
        "customer 2, request 1",
    ),
    (
        r#"[{"id":1,"recv":[{"interface":"deposit","branch":2,"result":"success"}]},
            {"id":1,"recv":[{"interface":"query","branch":2,"balance":400}]},
            {"id":2,"recv":[{"interface":"withdraw","branch":2,"result":"success"}]},
            {"id":1,"recv":[{"interface":"query","branch":1,"balance":249.5}]}]"#,
        "deposit at branch 2",
    ),
    (
        "[{'id': 1, 'recv': [{'interface': 'deposit', 'result': False}, {'interface': 'query', 'balance': 400}]}, \
          {'id': 2, 'recv': [{'interface': 'withdraw', 'result': 'success'}]}, \
          {'id': 1, 'recv': [{'interface': 'query', 'balance': 249.5}]}]",
        "deposit: fail",
    ),
    (
        r#"[{"id":1,"recv":[{"interface":"deposit","result":null},{"interface":"query","balance":null}]},
            {"id":2,"recv":[{"interface":"withdraw","result":"success"}]},
            {"id":1,"recv":[{"interface":"query","result":"unknown"}]}]"#,
        "query: nothing",
    ),
];

#[test]
fn what_says_something_else_is_a_difference_in_whatever_form() {
    for (text, told) in DIFFERENT {
        let done = Beside::new(SCENARIO, text).run(&["-q"]).code(1);
        assert!(stdout(&done).contains("✗ not as expected"), "{text}: {}", stdout(&done));
        assert!(stdout(&done).contains(told), "{text}: {}", stdout(&done));
    }
}

/// What says nothing that could be compared: where, and what is wrong.
const WRONG: &[(&str, &str, &str)] = &[
    (r#"[{"id":3,"balance":0}]"#, "1:8", "customer 3 is not in the scenario"),
    (r#"[{"id":1,"ballance":0}]"#, "1:10", "unknown key `ballance`"),
    (r#"[{"id":1}]"#, "1:2", "needs `balance`"),
    (r#"[{"id":1,"balance":"four"}]"#, "1:20", "four is no balance"),
    (r#"[{"id":1,"balance":4e2}]"#, "1:20", "written with an exponent"),
    (r#"[{"id":1,"balance":1,"Balance":1}]"#, "1:22", "the key `balance` is given twice"),
    (r#"[{"id":1,"balance":1,"money":2}]"#, "1:22", "both `balance` and `money`"),
    (r#"[{"id":1.5,"balance":1}]"#, "1:8", "1.5 is not a whole number"),
    (r#"[{"id":1,"balance":1},{"id":2,"recv":[]}]"#, "1:31", "different output dialects"),
    (
        r#"[{"id":1,"recv":[{"interface":"transfer","result":"ok"}]}]"#,
        "1:31",
        "unknown interface `transfer`",
    ),
    (
        r#"[{"id":1,"recv":[{"interface":"deposit","result":"done"}]}]"#,
        "1:50",
        "unknown result `done`",
    ),
    (r#"[{"id":1,"recv":[{"interface":"deposit","result":1}]}]"#, "1:50", "expected a string"),
    (r#"[{"id":1,"recv":[{"interface":"deposit"}]}]"#, "1:18", "the result of a deposit is"),
    (
        r#"[{"id":1,"recv":[{"interface":"query","result":"success"}]}]"#,
        "1:48",
        "the result of a query is",
    ),
    (
        r#"[{"id":1,"recv":[{"interface":"query","result":"fail","balance":1}]}]"#,
        "1:48",
        "the result of a query is",
    ),
    (
        r#"[{"id":1,"recv":[{"interface":"query","branch":3,"balance":0}]}]"#,
        "1:48",
        "there is no branch 3",
    ),
    (
        r#"[{"id":1,"recv":[{"interface":"query","balance":0,"dest":1}]}]"#,
        "1:51",
        "unknown key `dest`",
    ),
    // Places are right in a text that is not quite JSON, too.
    ("[{'id': 1, 'balance': 249.5},\n {'id': 3, 'balance': 0},]", "2:9", "[1].id: customer 3"),
    ("{'id': 1, 'balance': 0}\n{'id': 'é', 'balance': 0}", "2:8", "id: an id is from 1"),
    ("{\"id\":1,\"balance\":0}\n{\"id\":2,\"balance\":x}", "2:19", "`x` is no JSON value"),
    ("[{'id': 1 'balance': 0}]", "1:11", "a comma is missing"),
    ("[{'id': 1, 'balance': 0}", "1:3", "not JSON"),
    ("# rows\n[{\"id\":1,\"balance\":0}]", "1:1", "JSON has no comments"),
    ("", "1:1", "the input is empty"),
    ("249.5", "1:1", "expected an array, found a number"),
];

#[test]
fn what_is_wrong_in_an_expected_result_is_told_with_its_place() {
    for (text, place, told) in WRONG {
        let done = Beside::new(SCENARIO, text).run(&[]).code(2).stdout("");
        let shown = stderr(&done).replace("\n  │ ", " ");
        assert!(shown.contains(told), "{text}: {shown}");
        assert!(shown.contains(&format!("x.expected.json:{place}]")), "{text}: {shown}");
    }
}

#[test]
fn an_expected_result_that_is_cut_off_or_lacks_a_byte_is_answered() {
    let scenario = Scenario::parse(&Source::new("x.json", SCENARIO)).expect("a scenario");
    let answered = |text: &str| match scenario.parse_expected(&Source::new("y", text)) {
        Ok(expected) => expected.notes.iter().all(|note| note.level == Level::Note),
        Err(error) => error.line() >= 1 && error.column() >= 1,
    };
    for (text, _) in RIGHT {
        let places = || text.char_indices().map(|(place, _)| place);
        for place in places() {
            let (before, after) = text.split_at(place);
            let rest = after.get(1..).unwrap_or_default();
            for text in [before, &format!("{before}{rest}"), &format!("{before}'{after}")] {
                assert!(answered(text), "{text}");
            }
        }
    }
}

#[test]
fn run_compares_with_the_file_beside_a_scenario_in_every_format() {
    let wrong = r#"[{"id":1,"balance":7},{"id":2,"balance":249.5}]"#;
    let beside = Beside::new(SCENARIO, wrong);
    let text = beside.run(&[]).code(1);
    assert!(stdout(&text).contains("✗ not as expected: 1 difference"), "{}", stdout(&text));
    assert!(stdout(&text).contains("customer 1  balance 7  balance 249.5"), "{}", stdout(&text));
    let json = beside.run(&["--format", "json"]).code(1);
    let report: Value = serde_json::from_str(stdout(&json)).expect("JSON");
    assert_eq!(
        report["expected"],
        serde_json::json!({
            "met": false, "differences": [{"customer": 1, "expected": 7, "got": 249.5}]
        })
    );
    for format in ["balances", "events", "customers", "classic"] {
        beside.run(&["--format", format]).code(1).stderr("");
    }
    let right = r#"[{"id":1,"balance":249.5},{"id":2,"balance":249.5}]"#;
    beside_is_met(&Beside::new(SCENARIO, right));
}

fn beside_is_met(beside: &Beside) {
    let json = beside.run(&["--format", "json"]).code(0);
    let report: Value = serde_json::from_str(stdout(&json)).expect("JSON");
    assert_eq!(report["expected"]["met"], true);
}

#[test]
fn the_result_in_a_scenario_wins_over_the_one_beside_it() {
    let within = format!(r#"{{"processes": {SCENARIO}, "expected": {{"ID": 1, "recv": []}}}}"#);
    let done = Beside::new(&within, "nonsense").run(&["-q"]).code(1);
    assert!(stdout(&done).contains("customer 1, request 1"), "{}", stdout(&done));
    assert!(stderr(&done).contains(ONE_OBJECT) && stderr(&done).contains(LETTERS));
    let met = r#"[{"id":1,"balance":249.5},{"id":2,"balance":249.5}]"#;
    let within = format!(r#"{{"processes": {SCENARIO}, "expected": {met}}}"#);
    beside_is_met(&Beside::new(&within, "nonsense"));
}

#[test]
fn a_batch_compares_in_the_same_way_and_keeps_the_notes_in_the_row() {
    let beside = Beside::new(SCENARIO, "{'id': 1, 'balance': 249.5}\n{'id': 2, 'balance': 249.5}");
    let path = beside.scenario.to_str().expect("text");
    let done = passbook(&["batch", "--format", "json", path]).code(0).stderr("");
    let row: Value =
        serde_json::from_str(stdout(&done).lines().next().expect("a row")).expect("JSON");
    assert_eq!((&row["status"], &row["expected"]), (&"holds".into(), &true.into()));
    let notes = row["notes"].as_array().expect("notes");
    assert_eq!(notes.len(), 3, "{notes:?}");
    assert!(
        notes[0]
            .as_str()
            .expect("text")
            .ends_with("x.expected.json:1:1: an object by itself is read as an array of one")
    );
}

#[test]
fn the_oldest_form_is_printed_row_by_visit() {
    let beside = Beside::new(SCENARIO, r#"[{"id":1,"balance":249.5},{"id":2,"balance":249.5}]"#);
    beside.run(&["--format", "classic"]).code(0).stdout(concat!(
        r#"[{"id":1,"recv":[{"interface":"deposit","result":"success"},"#,
        r#"{"interface":"query","result":"success","money":400}]},"#,
        r#"{"id":2,"recv":[{"interface":"withdraw","result":"success"}]},"#,
        r#"{"id":1,"recv":[{"interface":"query","result":"success","money":249.5}]}]"#,
        "\n"
    ));
    beside.run(&["--format", "customers"]).code(0).stdout(concat!(
        r#"[{"id":1,"recv":[{"interface":"deposit","result":"success"},"#,
        r#"{"interface":"query","balance":400}]},"#,
        r#"{"id":2,"recv":[{"interface":"withdraw","result":"success"}]},"#,
        r#"{"id":1,"recv":[{"interface":"query","balance":249.5}]}]"#,
        "\n"
    ));
}
