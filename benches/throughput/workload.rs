//! The scenarios that are run, and how.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use passbook::batch::{Row, RowHead, append_line};
use passbook::check::Strictness;
use passbook::report::Assessment;
use passbook::run::{Judging, RunOptions, Runner};
use passbook::scenario::{Scenario, Source};

/// A scenario, as text.
#[derive(Debug)]
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) events: u32,
    pub(crate) text: String,
}

impl Workload {
    /// The workloads of the table.
    pub(crate) fn all() -> [Self; 4] {
        let classic = include_str!("../../input/monotonic_writes.json");
        let many = |name, branches, events| Self { name, events, text: deposits(branches, events) };
        [
            Self { name: "classic, 2 branches, 3 events", events: 3, text: classic.to_owned() },
            many("60,000 events, 2 branches", 2, 60_000),
            many("60,000 events, 10 branches", 10, 60_000),
            many("300 events, 1,000 branches", 1_000, 300),
        ]
    }
}

/// One customer who makes `events` deposits, at one branch after the other.
pub(crate) fn deposits(branches: u32, events: u32) -> String {
    let mut text = String::from("[\n");
    for id in 1..=branches {
        writeln!(text, r#"{{"id": {id}, "type": "branch", "balance": 0}},"#).expect("a string");
    }
    text.push_str("{\"id\": 1, \"type\": \"customer\", \"events\": [");
    for id in 1..=events {
        let (comma, branch) = (if id == 1 { "" } else { "," }, id % branches + 1);
        let event = format!(
            r#"{{"id": {id}, "interface": "deposit", "dest": {branch}, "money": {}}}"#,
            id % 100 + 1
        );
        write!(text, "{comma}\n  {event}").expect("a string");
    }
    text.push_str("\n]}]\n");
    text
}

/// Reads, runs and writes the row of a scenario `times` times, and says how much it wrote.
pub(crate) fn run(text: &str, judging: Judging, times: usize) -> usize {
    let mut line = Vec::new();
    let mut written = 0;
    let mut runner = Runner::default();
    let options = RunOptions { judging, ..RunOptions::default() };
    let no_options: Arc<str> = Arc::from("");
    for number in 1..=times {
        line.clear();
        let run = runner.run(&parse(text), &options, None).expect("it runs to its end");
        let number = u64::try_from(number).expect("a small number");
        let (place, options) = ("bench".to_owned(), Arc::clone(&no_options));
        let head = RowHead { number, place, packed: None, options, took: Duration::ZERO };
        let assessment = Assessment::of(&run.result);
        let row = Row::of(head, &run.result, &assessment, Strictness::Anything);
        append_line(&mut line, &row);
        written += line.len();
    }
    written
}

pub(crate) fn parse(text: &str) -> Scenario {
    let source = Source::from_bytes("bench.json".to_owned(), text.as_bytes().to_vec());
    Scenario::parse(&source.expect("it is UTF-8")).expect("it is a scenario")
}
