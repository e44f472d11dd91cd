//! Whatever text comes in, the reader answers: a scenario, or an error that can be shown.

use miette::{GraphicalReportHandler, GraphicalTheme};
use passbook::scenario::{Scenario, ScenarioError, Source};
use proptest::prelude::*;
use proptest::sample::Index;

const CLASSIC: &str = include_str!("../../input/monotonic_writes.json");
const OWN: &str = include_str!("../../input/dialects/own_format.json");
const SPACES: &str = include_str!("../../input/dialects/stray_spaces.json");

fn parse(bytes: Vec<u8>) -> Result<Scenario, ScenarioError> {
    Source::from_bytes("any.json", bytes).and_then(|source| Scenario::parse(&source))
}

/// Reads `bytes`; an error must be shown with its place in the text and no control character.
pub(crate) fn read_and_show(bytes: &[u8]) -> Result<Scenario, ScenarioError> {
    let read = parse(bytes.to_vec());
    if let Err(error) = &read {
        let mut page = String::new();
        GraphicalReportHandler::new_themed(GraphicalTheme::none())
            .with_width(100)
            .render_report(&mut page, error)
            .expect("an error can be shown");
        assert!(page.contains("[any.json:"), "{page}");
        assert!(!page.contains("Failed to read"), "{page}");
        assert!(!page.contains(|c: char| c.is_control() && c != '\n'), "{page:?}");
        let shown = 1 + error.others().len();
        assert!(shown <= 10, "{page}");
        assert!(page.len() < shown * 4_000 && page.lines().count() < shown * 30, "{page}");
        assert!(error.line() >= 1 && error.column() >= 1);
    }
    read
}

#[test]
fn a_document_cut_off_anywhere_is_an_error() {
    for document in [CLASSIC, OWN, SPACES] {
        let document = document.trim_end();
        for end in 0..document.len() {
            read_and_show(&document.as_bytes()[..end]).expect_err(&document[..end]);
        }
    }
}

#[test]
fn a_document_without_any_one_byte_is_answered() {
    for document in [CLASSIC, OWN, SPACES] {
        for gone in 0..document.len() {
            let mut bytes = document.as_bytes().to_vec();
            bytes.remove(gone);
            drop(read_and_show(&bytes));
        }
    }
}

#[test]
fn a_hundred_thousand_events_are_read() {
    let event = r#"{"interface": "deposit", "money": 0.01, "dest": 1}"#;
    let events = vec![event; 100_000].join(",");
    let text = format!(
        r#"[{{"id": 1, "type": "branch", "balance": 0}}, {{"id": 1, "type": "customer", "events": [{events}]}}]"#
    );
    let scenario = read_and_show(text.as_bytes()).unwrap();
    let last = scenario.visits[0].events.last().unwrap();
    assert_eq!((scenario.visits[0].events.len(), last.id.get()), (100_000, 100_000));
}

#[test]
fn an_error_deep_in_a_huge_line_is_shown_short() {
    let event = r#"{"interface": "deposit", "money": 0.01, "dest": 1}"#;
    let events = vec![event; 20_000].join(",");
    for (bad, path) in [
        ("", "[1].events[20000]"),
        (r#"{"interface": "query", "dest": 2}"#, "[1].events[20000].dest"),
    ] {
        let text = format!(
            r#"[{{"id": 1, "type": "branch", "balance": 0}}, {{"id": 1, "type": "customer", "events": [{events},{bad}]}}]"#
        );
        let error = read_and_show(text.as_bytes()).unwrap_err();
        // Where the text is not JSON there is no path.
        assert!(error.path() == path || bad.is_empty(), "{error}");
        assert!(error.column() > 1_000_000);
    }
}

/// Pieces that scenarios are made of, and some that they are not.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "\\",
            "\\u",
            "\\ud800",
            " ",
            "\n",
            "\r",
            "\t",
            "//",
            "'",
            "null",
            "true",
            "None",
            "-",
            "0",
            "1",
            "1.5",
            "1e9",
            "99999999999999999999",
            "\"id\"",
            "\"type\"",
            "\"branch\"",
            "\"customer\"",
            "\"events\"",
            "\"money\"",
            "\"balance\": 0",
            "\"interface\"",
            "\"query\"",
            "\u{feff}",
            "\u{0}",
            "\u{1b}",
            "é",
            "”",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ]
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        drop(read_and_show(&bytes));
    }

    #[test]
    fn any_pieces_are_answered(pieces in proptest::collection::vec(piece(), 0..40)) {
        drop(read_and_show(pieces.concat().as_bytes()));
    }

    #[test]
    fn a_document_with_something_in_its_midst_is_answered(
        document in proptest::sample::select(vec![CLASSIC, OWN, SPACES]),
        at in any::<Index>(),
        gone in 0..12_usize,
        piece in piece(),
    ) {
        let mut bytes = document.as_bytes().to_vec();
        let start = at.index(bytes.len());
        let end = (start + gone).min(bytes.len());
        bytes.splice(start..end, piece.bytes());
        drop(read_and_show(&bytes));
    }

    /// The reader takes no text for JSON that `serde_json` does not.
    #[test]
    fn what_is_read_is_json(pieces in proptest::collection::vec(piece(), 0..12), at in any::<Index>()) {
        let mut bytes = CLASSIC.as_bytes().to_vec();
        let start = at.index(bytes.len());
        bytes.splice(start..start, pieces.concat().bytes());
        if parse(bytes.clone()).is_ok() {
            let json = serde_json::from_slice::<serde_json::Value>(&bytes);
            let marked = bytes.starts_with("\u{feff}".as_bytes());
            prop_assert!(json.is_ok() || marked, "{json:?}");
        }
    }
}
