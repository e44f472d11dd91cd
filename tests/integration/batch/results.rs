//! What the rows say, in which order they come, and how the program ends.

use crate::batch::fixture::*;
use crate::support::program::{stderr, stdout};

#[test]
fn a_broken_a_violated_and_an_undecided_scenario_are_three_rows() {
    let files = [("a.json", BROKEN), ("b.json", VIOLATED), ("c.json", UNDECIDED)];
    let folder = folder(&files);
    let done = batch(folder.path(), &[".", "--format", "json", "--export-junit", "j.xml"]).code(1);
    let (rows, summary) = rows_and_summary(stdout(&done));
    let expected = [("./a.json", "error"), ("./b.json", "violated"), ("./c.json", "undecided")];
    assert_eq!(places(&rows), expected);
    assert_eq!(
        rows[0]["problem"],
        "./a.json:1:20: [0].type: unknown type `bransh`; did you mean `branch`?"
    );
    assert_eq!(rows[1]["name"], "stale read");
    assert_eq!(rows[1]["verdicts"]["read_your_writes"], "violated");
    assert_eq!(rows[1]["balances"], serde_json::json!([{"id": 1, "balance": 0}]));
    let counts = serde_json::json!(
        {"holds": 0, "undecided": 1, "unexpected": 0, "violated": 1, "error": 1}
    );
    assert_eq!((&summary["statuses"], &summary["inputs"]), (&counts, &serde_json::json!(3)));

    let xml = read(folder.path(), "j.xml");
    let document = roxmltree::Document::parse(&xml).expect("XML that a parser reads");
    let told: Vec<_> = document
        .descendants()
        .filter(|node| node.has_tag_name("testcase"))
        .map(|case| {
            let outcome = case.children().find(roxmltree::Node::is_element);
            (case.attribute("classname"), outcome.map(|node| node.tag_name().name()))
        })
        .collect();
    let cases = [
        (Some("./a.json"), Some("error")),
        (Some("./b.json"), Some("failure")),
        (Some("./c.json"), Some("skipped")),
    ];
    assert_eq!(told, cases);
}

/// Customer 1 withdraws 50 of 5, where that is refused; event id 1 comes twice.
const REFUSED: &str = r#"[{"id":1,"type":"branch","balance":0},{"id":1,"type":"customer","events":[{"id":1,"interface":"deposit","money":5,"dest":1},{"id":1,"interface":"withdraw","money":50,"dest":1}]}]"#;

#[test]
fn refused_writes_and_warnings_are_in_the_row_and_counted_in_the_summary() {
    let folder = folder(&[("many.jsonl", &[REFUSED, HOLDS].join("\n"))]);
    let args = ["many.jsonl", "--overdraft", "reject"];
    let done = batch(folder.path(), &[&args[..], &["--format", "json"]].concat());
    let (rows, summary) = rows_and_summary(stdout(&done));
    let refused =
        |row: usize| (&rows[row]["counts"]["refused"], &rows[row]["counts"]["refused_writes"]);
    assert_eq!(refused(0), (&1.into(), &1.into()));
    assert_eq!(refused(1), (&0.into(), &0.into()));
    let warnings = rows[0]["warnings"].as_array().expect("warnings");
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].as_str().is_some_and(|text| text.contains("event id 1")), "{warnings:?}");
    assert_eq!(rows[1].get("warnings"), None);
    assert_eq!((&summary["with_warnings"], &summary["refused_writes"]), (&1.into(), &1.into()));
    let done = batch(folder.path(), &[&args[..], &["--format", "text"]].concat());
    let told = stdout(&done);
    assert!(told.contains("\n  refused writes  1\n  with warnings   1\n"), "{told}");
}

#[test]
fn rows_say_which_passbook_made_them_from_which_seed_with_which_options() {
    let folder = folder(&[("many.jsonl", &[HOLDS, BROKEN].join("\n"))]);
    let all =
        ["--seed", "7", "--propagation", "async", "--latency", "uniform:1ms..20ms", "--strict"];
    let done = batch(folder.path(), &[&["many.jsonl"][..], &all].concat()).code(1);
    let rows = rows(&done);
    for row in &rows {
        assert_eq!(
            (&row["format"], &row["passbook"]),
            (&2.into(), &env!("CARGO_PKG_VERSION").into())
        );
        let options = "--propagation async --latency uniform:1ms..20ms --seed 7 --strict";
        assert_eq!(row["options"], options);
    }
    assert_eq!((&rows[0]["seed"], rows[1].get("seed")), (&7.into(), None));
    let done = batch(folder.path(), &["many.jsonl"]).code(1);
    assert_eq!(crate::batch::fixture::rows(&done)[0]["options"], "", "none, which is not unknown");
}

#[test]
fn the_exit_code_is_of_the_worst_row() {
    for (files, code) in [
        (&[HOLDS][..], 0),
        (&[HOLDS, UNDECIDED], 3),
        (&[UNDECIDED, UNEXPECTED], 1),
        (&[HOLDS, VIOLATED], 1),
        (&[BROKEN, HOLDS], 1),
    ] {
        let folder = folder(&[("many.jsonl", &files.join("\n"))]);
        let done = batch(folder.path(), &["many.jsonl"]).code(code);
        assert_eq!(rows(&done).len(), files.len(), "the batch goes on");
        assert_eq!(stderr(&done), "");
    }
}

#[test]
fn strict_takes_what_was_not_tested_for_undecided() {
    let folder = folder(&[("a.json", HOLDS)]);
    batch(folder.path(), &["a.json"]).code(0);
    let done = batch(folder.path(), &["a.json", "--strict"]).code(3);
    assert_eq!(places(&rows(&done)), [("a.json", "undecided")]);
}

#[test]
fn unjudged_rows_have_no_verdicts() {
    let folder = folder(&[("a.json", VIOLATED)]);
    let done = batch(folder.path(), &["a.json", "--no-check"]).code(0);
    assert_eq!(rows(&done)[0].get("verdicts"), None);
}

#[test]
fn settings_of_the_command_line_hold_for_all() {
    let folder = folder(&[("many.jsonl", &[VIOLATED, VIOLATED].join("\n"))]);
    let done = batch(folder.path(), &["many.jsonl", "--guarantees", "all"]).code(0);
    assert_eq!(places(&rows(&done)), [("many.jsonl:1", "holds"), ("many.jsonl:2", "holds")]);
}

#[test]
fn rows_keep_the_order_of_the_input_however_many_work() {
    let folder = folder(&[("many.jsonl", &many(1000))]);
    let one = batch(folder.path(), &["many.jsonl", "-j", "1"]).code(0);
    let (alone, _) = rows_and_summary(stdout(&one));
    assert_eq!(numbers(&alone), (1..=1000).collect::<Vec<_>>());
    assert_eq!(alone[6]["balances"][0]["balance"], 7);
    let four = batch(folder.path(), &["many.jsonl", "-j", "4"]).code(0);
    assert_eq!(untimed(&rows(&four)), untimed(&alone));
    let unordered = batch(folder.path(), &["many.jsonl", "-j", "4", "--unordered"]).code(0);
    let mut any = untimed(&rows(&unordered));
    any.sort_by_key(|row| row["number"].as_u64());
    assert_eq!(any, untimed(&alone));
}

#[test]
fn the_text_shows_what_failed_and_how_to_see_it_again() {
    let folder = folder(&[("many.jsonl", &[HOLDS, VIOLATED].join("\n"))]);
    let args = ["many.jsonl", "--format", "text", "--seed", "7"];
    let done = batch(folder.path(), &args).code(1);
    let text = stdout(&done);
    assert!(text.starts_with("2 scenarios  in "), "{text}");
    assert!(text.contains("passbook run --seed 7 many.jsonl:2\n"), "{text}");
    assert!(text.ends_with("✗ 1 of 2 scenarios failed\n"), "{text}");
    assert_eq!(stderr(&done), "", "no progress where nobody watches");
}

#[test]
fn a_batch_without_scenarios_has_tested_nothing() {
    let folder = folder(&[("none.jsonl", "\n\n")]);
    let done = batch(folder.path(), &["none.jsonl"]).code(3);
    assert_eq!(stderr(&done), "warning: no scenario was run\n");
    assert_eq!(rows_and_summary(stdout(&done)).1["inputs"], 0);
    with_stdin(folder.path(), &["-"], "").code(3);
}
