//! What `passbook compare` shows, from comparisons that nobody measured.

#[path = "support/comparison.rs"]
mod made;

use std::io::{self, Write};

use made::{comparison, whole_ladder};
use passbook::report::compare::{Report, write_csv, write_json, write_markdown, write_text};

const COMMAND: &str = "passbook compare input/monotonic_writes.json";

fn written(report: &Report, write: fn(&mut dyn Write, &Report) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out, report).unwrap();
    String::from_utf8(out).unwrap()
}

fn plain(report: &Report) -> String {
    anstream::adapter::strip_str(&written(report, write_text)).to_string()
}

#[test]
fn a_person_reads_this() {
    let text = plain(&Report::of(&whole_ladder(), COMMAND, None));
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    assert!(text.lines().all(|line| line.trim_end() == line), "{text}");
    insta::assert_snapshot!(text);
}
