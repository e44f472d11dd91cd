//! Names of any characters through each format of a report, in memory.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use passbook::batch;
use passbook::batch::{
    BatchStats, Csv, JsonLines, Junit, Overview, Row, RowHead, RowWriter, Summary,
};
use passbook::compare::Comparison;
use passbook::compare::{
    Earlier, Report, write_csv, write_html, write_json, write_markdown, write_text,
};
use passbook::report::shell;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use crate::names::hostile::{HOSTILE, assert_harmless, is_obeyed};
use crate::support::comparison::whole_ladder;

/// What most harm is made of, with some letters.
const PARTS: &str = "\u{1b}[]2Jm8;\u{7}\r\n\t\u{0}\u{7f}\u{9b}\u{85}\u{202e}\u{2066}\u{2028}\u{200b}\u{feff}\u{fffe}<>&\"'`|=+-@$(){}\\#*_~! aé银🏦";

fn any_name() -> impl Strategy<Value = String> {
    let parts: Vec<char> = PARTS.chars().collect();
    vec(select(parts), 1..40).prop_map(|parts| parts.into_iter().collect())
}

/// A row with `name` in every field that is text.
fn row(name: &str) -> Row {
    let head = RowHead {
        number: 1,
        place: name.to_owned(),
        packed: None,
        options: Arc::from(name),
        took: Duration::ZERO,
    };
    let row = Row::failed(head, Some(name.to_owned()), name.to_owned());
    let (warnings, passbook) = (vec![name.to_owned()], Some(name.to_owned().into()));
    Row { warnings, passbook, notes: vec![name.to_owned()], ..row }
}

fn overview(row: &Row) -> (Overview, Summary) {
    let mut overview = Overview::default();
    overview.add(row);
    let summary = overview.summary(&BatchStats::default());
    (overview, summary)
}

/// A place that a writer writes to and that is read afterwards.
#[derive(Clone, Default)]
struct Shared(Arc<std::sync::Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn written<W: RowWriter>(row: &Row, writer: impl FnOnce(Shared) -> W) -> String {
    let out = Shared::default();
    let mut writer = writer(out.clone());
    writer.write(row).expect("memory");
    writer.finish(&overview(row).1).expect("memory");
    drop(writer);
    String::from_utf8(out.0.lock().expect("nobody panics").clone()).expect("text")
}

/// That `name` comes through every format of a batch, and whole through JSON and XML.
fn through_a_batch(name: &str) {
    let row = row(name);
    let (overview, summary) = overview(&row);
    let mut text = Vec::new();
    batch::write_text(&mut text, &overview, &summary).expect("memory");
    assert_harmless(&String::from_utf8(text).expect("text"));

    let line = written(&row, JsonLines::new);
    let line: Value = serde_json::from_str(line.lines().next().expect("a row")).expect("JSON");
    for key in ["place", "name", "problem", "options", "passbook"] {
        assert_eq!(line[key], name);
    }

    let table = written(&row, |out| Csv::new(out).expect("memory"));
    assert_harmless(&table);
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let rows: Vec<_> = reader.records().map(|row| row.expect("CSV")).collect();
    assert_eq!(rows.len(), 1);
    assert!(rows[0].iter().all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t'])), "{table}");

    let xml = written(&row, |out| Junit::new(out).expect("memory"));
    assert_harmless(&xml);
    let document = roxmltree::Document::parse(&xml).expect("XML");
    let case = document.descendants().find(|node| node.has_tag_name("testcase")).expect("a case");
    let held = case.attribute("name").expect("a name");
    let is_lost = |c: char| (c < ' ' && !"\t\n\r".contains(c)) || c == '\u{fffe}';
    if name.contains(is_lost) {
        assert!(!held.contains(is_lost), "{held:?}");
    } else {
        assert_eq!(held, name);
    }
}

fn text(report: &Report, write: fn(&mut dyn Write, &Report) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out, report).expect("memory");
    String::from_utf8(out).expect("text")
}

/// That `name` comes through every format of a comparison, and whole through JSON. The machine is
/// called so too, and an earlier one with which this is compared.
fn through_a_comparison(name: &str, comparison: &mut Comparison) {
    comparison.machine.processor = Some(format!("earlier {name}"));
    name.clone_into(&mut comparison.subject.scenario);
    let first = Report::of(comparison, "passbook compare", None);
    let json = text(&first, write_json);
    let value: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(value["subject"]["scenario"], name);

    let earlier = Earlier::parse(json.as_bytes()).expect("a comparison");
    let baseline = earlier.of_the_same(&comparison.subject, comparison.load).expect("the same");
    comparison.machine.processor = Some(name.to_owned());
    let command = format!("passbook compare {}", shell::file(name));
    let report = Report::of(comparison, &command, Some(&baseline));
    for write in [write_text, write_csv, write_markdown, write_html] {
        assert_harmless(&text(&report, write).replace('\u{2060}', ""));
    }
    let page = text(&report, write_html);
    assert_eq!(page.matches("<script").count(), 0);
    assert_eq!((page.matches("<h1>").count(), page.matches("</h1>").count()), (1, 1));
    let table = text(&report, write_csv);
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    for row in reader.records() {
        assert!(!row.expect("CSV")[0].starts_with(['=', '+', '-', '@', '\t']), "{table}");
    }
    let markdown = text(&report, write_markdown);
    let words = markdown.trim_end().rsplit_once('\n').expect("the command stands last").0;
    let markup = words.replace("\\<", "").replace("\\[", "").replace("\\`", "");
    assert!(!markup.contains(['<', '[', '`']), "{markdown}");
    let heading = markdown.lines().next().expect("a heading");
    assert!(heading.starts_with("### ") && !heading.replace("\\|", "").contains('|'), "{heading}");
}

#[test]
fn every_format_takes_every_hostile_name() {
    let mut comparison = whole_ladder();
    for (name, _) in HOSTILE {
        through_a_batch(name);
        through_a_comparison(name, &mut comparison);
    }
    let long = "\u{1b}".repeat(10_000);
    through_a_batch(&long);
    through_a_comparison(&long, &mut comparison);
    let report = Report::of(&comparison, "passbook compare", None);
    for write in [write_text, write_markdown, write_html] {
        assert!(text(&report, write).matches("u{1b}").count() < 1500);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn a_batch_takes_any_name(name in any_name()) {
        through_a_batch(&name);
    }

    #[test]
    fn a_command_takes_any_name(name in any_name()) {
        let word = shell::file(&name);
        prop_assert!(!word.contains(|c| is_obeyed(c) || c == '\n'));
        prop_assert!(!word.starts_with('-') && !word.is_empty());
    }
}

#[test]
fn a_comparison_takes_any_name() {
    let comparison = whole_ladder();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(20)
    });
    let ran = runner.run(&any_name(), |name| {
        through_a_comparison(&name, &mut comparison.clone());
        Ok(())
    });
    ran.unwrap_or_else(|error| panic!("{error}"));
}
