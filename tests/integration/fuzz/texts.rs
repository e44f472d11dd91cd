//! Files: scenarios, histories, rows of a batch.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::Path;

use passbook::batch::{self, JsonLines, Record, RowWriter};
use passbook::check::{JudgeOptions, judge_history};
use passbook::history::{Extent, Header, HistoryError, Reader, Recorded, Writer};
use passbook::report::convert::{Target, convert};
use passbook::run::{RunOptions, run};

use crate::fuzz::changed::cases;
use crate::scenario_any_text::read_and_show;
use crate::support::program::passbook;

/// What is larger is read, and not run.
const RUN_MAX: usize = 2000;

const WORDS: [&str; 24] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\u0000",
    "\\ud800",
    "null",
    "true",
    "\n",
    "[]",
    "{}",
    "\"\"",
    "\"id\"",
    "\"type\"",
    "\"branch\"",
    "\"events\"",
    "\"version\"",
    "\"format\"",
    "\u{feff}",
    "\u{1b}[2J",
    "é",
];

/// The content of the files at and below `place` whose names begin with `prefix`.
fn files(place: &Path, prefix: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> =
        fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let is_named = |path: &Path| path.file_name().unwrap().to_string_lossy().starts_with(prefix);
    let found = paths.iter().flat_map(|path| match path.is_dir() {
        true => files(path, prefix),
        false if is_named(path) => vec![fs::read(path).unwrap()],
        false => Vec::new(),
    });
    found.collect()
}

/// A fault is told in words, and quotes no more of the input than a person reads. How a terminal
/// shows what is quoted is its own matter.
#[track_caller]
fn assert_told(told: &str) {
    assert!(!told.is_empty() && told.chars().count() < 2000, "{told}");
}

#[test]
fn a_changed_scenario_is_run_or_its_fault_is_shown() {
    let seeds = files(Path::new("input"), "");
    assert!(seeds.len() > 30);
    for case in cases("texts::a_changed_scenario", &seeds, &WORDS) {
        let Ok(scenario) = read_and_show(&case.bytes) else { continue };
        let events: usize = scenario.visits.iter().map(|visit| visit.events.len()).sum();
        if events * scenario.roster.len() < RUN_MAX {
            let result = run(&scenario, &RunOptions::default()).expect("a run").result;
            assert_eq!(result.branches.len(), scenario.roster.len());
        }
    }
}

/// Histories that were kept, and one of each scenario that breaks a guarantee.
fn histories() -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let mut histories = files(Path::new("tests/golden"), "history-");
    let entries = fs::read_dir("input/guarantees").unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let history = folder.path().join("history.jsonl");
        let args = ["run", "-q", "--history", history.to_str().unwrap(), path.to_str().unwrap()];
        drop(passbook(&args));
        histories.push(fs::read(&history).unwrap());
    }
    histories
}

type Read = (Header, Vec<Recorded>, Extent);

fn read_history(bytes: &[u8]) -> Result<Read, HistoryError> {
    let mut reader = Reader::new(bytes)?;
    let facts: Result<Vec<_>, _> = reader.by_ref().map(|entry| Ok(entry?.recorded)).collect();
    Ok((reader.header().clone(), facts?, reader.extent()))
}

#[test]
fn a_changed_history_is_judged_or_its_fault_is_shown_and_is_written_as_it_was_read() {
    let seeds = histories();
    assert!(seeds.len() > 5);
    for case in cases("texts::a_changed_history", &seeds, &WORDS) {
        let (header, facts, extent) = match read_history(&case.bytes) {
            Ok(read) => read,
            Err(error) => {
                assert!(error.line >= 1);
                assert_told(&error.to_string());
                continue;
            }
        };
        let reader = Reader::new(case.bytes.as_slice()).expect("read above");
        if let Err(error) = judge_history(reader, JudgeOptions::default(), u64::MAX) {
            assert_told(&error.to_string());
        }
        let mut writer = Writer::new(Vec::new(), &header).expect("memory");
        for fact in &facts {
            writer.record(fact).expect("memory");
        }
        let written = writer.finish().expect("memory");
        let again = read_history(&written).expect("what is written is read");
        assert_eq!((again.0, again.1), (header, facts));
        assert!(extent == Extent::CutOff || again.2 == Extent::Whole);
    }
}

#[test]
fn a_changed_history_is_converted_to_every_format_or_its_fault_is_shown() {
    let seeds = histories();
    for case in cases("texts::a_changed_history_is_converted", &seeds, &WORDS) {
        for target in Target::ALL {
            let Ok(mut reader) = Reader::new(case.bytes.as_slice()) else { continue };
            let (header, mut out) = (reader.header().clone(), Vec::new());
            match convert(target, u64::MAX, &mut out, &header, &mut reader) {
                Ok(()) if target.is_text() => {
                    String::from_utf8(out).expect("text");
                }
                Ok(()) => assert!(!out.is_empty()),
                Err(error) => assert_told(&error.to_string()),
            }
        }
    }
}

fn read_rows(bytes: &[u8]) -> Result<Vec<Record>, batch::RowsError> {
    batch::Reader::new(bytes).map(|entry| Ok(entry?.record)).collect()
}

#[test]
fn a_changed_row_is_read_or_its_fault_is_shown_and_is_written_as_it_was_read() {
    let seeds = files(Path::new("tests/golden"), "row-");
    assert!(seeds.len() > 1);
    for case in cases("texts::a_changed_row", &seeds, &WORDS) {
        let records = match read_rows(&case.bytes) {
            Ok(records) => records,
            Err(error) => {
                assert!(error.line >= 1);
                assert_told(&error.to_string());
                continue;
            }
        };
        let mut written = Vec::new();
        let mut writer = JsonLines::new(&mut written);
        for record in &records {
            match record {
                Record::Scenario(row) => writer.write(row).expect("memory"),
                Record::Summary(summary) => writer.finish(summary).expect("memory"),
            }
        }
        assert_eq!(read_rows(&written).expect("what is written is read"), records);
    }
}
