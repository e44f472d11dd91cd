//! The scenarios that are run.

use std::fmt::Write;

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
