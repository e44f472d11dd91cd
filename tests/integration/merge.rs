//! `passbook merge` as a shell sees it: result files of one batch joined to one.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::support::program::{command, passbook, stderr, stdout};
use passbook::batch::{
    BatchStats, JsonLines, Overview, Reader, Record, Row, RowHead, RowWriter, Status, Stopped,
    Summary,
};
use tempfile::TempDir;

/// A folder with result files.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().expect("a folder"))
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// Writes the result file of rows with these numbers.
    fn results(&self, name: &str, numbers: &[u64], stats: BatchStats) -> String {
        self.rows(name, numbers.iter().map(|number| row(*number)), stats)
    }

    fn rows(&self, name: &str, rows: impl IntoIterator<Item = Row>, stats: BatchStats) -> String {
        let path = self.path(name);
        let mut lines = JsonLines::new(File::create(&path).expect("a file"));
        let mut overview = Overview::default();
        for row in rows {
            overview.add(&row);
            lines.write(&row).expect("written");
        }
        lines.finish(&overview.summary(&stats)).expect("written");
        path
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("text")
    }
}

/// The row of a scenario that is as it should be.
fn row(number: u64) -> Row {
    let took = Duration::from_micros(number);
    let (place, options) = (format!("many.jsonl:{number}"), Arc::from("--guarantees none"));
    let head = RowHead { number, place, packed: None, options, took };
    let failed = Row::failed(head, Some("hop".to_owned()), String::new());
    Row { status: Status::Holds, problem: None, ..failed }
}

fn of(inputs: u64, partition: &str) -> BatchStats {
    let partition = (!partition.is_empty()).then(|| partition.parse().expect("a partition"));
    BatchStats {
        inputs: Some(inputs),
        partition,
        wall: Duration::from_secs(inputs),
        jobs: 2,
        ..BatchStats::default()
    }
}

fn read(path: &Path) -> Vec<Record> {
    let file = BufReader::new(File::open(path).expect("a file"));
    Reader::new(file).map(|entry| entry.expect("a line").record).collect()
}

fn numbers(records: &[Record]) -> Vec<u64> {
    let number = |record: &Record| match record {
        Record::Scenario(row) => Some(row.number),
        Record::Summary(_) => None,
    };
    records.iter().filter_map(number).collect()
}

fn summary(records: &[Record]) -> &Summary {
    match records.last() {
        Some(Record::Summary(summary)) => summary,
        other => panic!("{other:?} at the end"),
    }
}

/// Checks that `files` do not fit together, for the reason `said`, and that nothing is printed.
fn refused(folder: &Folder, files: &[&str], said: &str) {
    let all = folder.path("all.jsonl");
    let done = passbook(&[&["merge", "--export-jsonl", &all], files].concat()).code(2);
    let found = stderr(&done).replace(&folder.path(""), "");
    assert_eq!(found, format!("error: {said}\n"));
    assert_eq!(stdout(&done), "");
    if Path::new(&all).exists() {
        let is_summary = |record: &Record| matches!(record, Record::Summary(_));
        assert!(!read(Path::new(&all)).iter().any(is_summary), "a whole result file is left");
    }
}

#[test]
fn shares_of_a_batch_become_the_whole_in_its_order() {
    let folder = Folder::new();
    let one = folder.results("1.jsonl", &[1, 4, 7], of(7, "count:1/3"));
    let two = folder.results("2.jsonl", &[2, 5], of(7, "count:2/3"));
    let three = folder.results("3.jsonl", &[3, 6], of(7, "count:3/3"));
    let all = folder.path("all.jsonl");
    let done = passbook(&["merge", "--export-jsonl", &all, &three, &one, &two]).code(0);
    let records = read(Path::new(&all));
    assert_eq!(numbers(&records), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(records[4], Record::Scenario(row(5)));
    let summary = summary(&records);
    assert_eq!((summary.inputs, summary.rows, summary.partition), (Some(7), 7, None));
    assert_eq!((summary.wall(), summary.jobs), (Duration::from_secs(7), 6));
    insta::assert_snapshot!(stdout(&done).replace(env!("CARGO_PKG_VERSION"), "(version)"));

    // What was merged is a result file like any other.
    let again = passbook(&["merge", &all]).code(0);
    assert_eq!(stdout(&again), folder.text("all.jsonl"));
}

/// A batch with the first format, whose rows do not say how they were made.
const FIRST_FORMAT: &str = include_str!("../golden/row-1.jsonl");

#[test]
fn rows_of_the_first_format_stay_as_they_are_beside_new_ones() {
    let folder = Folder::new();
    let (old, summary) = FIRST_FORMAT.trim_end().rsplit_once('\n').expect("lines");
    let share = |partition| format!("\"partition\":\"{partition}\",\"wall");
    let summary = summary.replace("\"inputs\":5", "\"inputs\":6");
    let one = folder.path("1.jsonl");
    let text = format!("{old}\n{}\n", summary.replace("\"wall", &share("slice:1/2")));
    fs::write(&one, text).expect("written");
    let failed = Row { status: Status::Violated, problem: Some("why".to_owned()), ..row(6) };
    let two = folder.rows("2.jsonl", [failed], of(6, "slice:2/2"));
    let all = folder.path("all.jsonl");
    let done = passbook(&["merge", "--export-jsonl", &all, &one, &two]).code(1);
    let merged = folder.text("all.jsonl");
    assert_eq!(merged.lines().take(5).collect::<Vec<_>>(), old.lines().collect::<Vec<_>>());
    let new = merged.lines().nth(5).expect("a row");
    assert!(new.starts_with(r#"{"kind":"scenario","format":2,"number":6,"#), "{new}");
    let told = stdout(&done);
    assert!(told.contains("passbook run many.jsonl:2\n"), "{told}");
    assert!(told.contains("passbook run --guarantees none many.jsonl:6\n"), "{told}");
    assert!(told.contains("Rows of an earlier passbook do not say which options"), "{told}");
}

#[test]
fn rows_that_are_not_in_order_come_into_it() {
    let folder = Folder::new();
    let one = folder.results("1.jsonl", &[6, 1, 5], of(6, "hash:1/2"));
    let two = folder.results("2.jsonl", &[2, 4, 3], of(6, "hash:2/2"));
    let all = folder.path("all.jsonl");
    passbook(&["merge", "--export-jsonl", &all, &one, &two]).code(0);
    assert_eq!(numbers(&read(Path::new(&all))), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn the_exit_code_is_of_the_worst_row() {
    let folder = Folder::new();
    for (status, code) in [
        (Status::Holds, 0),
        (Status::Undecided, 3),
        (Status::Unexpected, 1),
        (Status::Violated, 1),
        (Status::Error, 1),
    ] {
        let rows = [row(1), Row { status, ..row(2) }];
        let path = folder.rows("a.jsonl", rows, of(2, ""));
        passbook(&["merge", &path]).code(code);
    }
}

#[test]
fn every_form_of_results_is_written_from_one_pass() {
    let folder = Folder::new();
    let failed = Row { status: Status::Violated, problem: Some("why".to_owned()), ..row(2) };
    let path = folder.rows("a.jsonl", [row(1), failed], of(2, ""));
    let (csv, junit) = (folder.path("a.csv"), folder.path("a.xml"));
    passbook(&["merge", "--export-csv", &csv, "--export-junit", &junit, &path]).code(1);
    let csv = folder.text("a.csv");
    assert_eq!(csv.lines().count(), 3);
    assert!(csv.lines().nth(2).is_some_and(|line| line.starts_with("2,many.jsonl:2,hop,violated")));
    let xml = folder.text("a.xml");
    let document = roxmltree::Document::parse(&xml).expect("XML");
    let failures: Vec<_> = document.descendants().filter(|it| it.has_tag_name("failure")).collect();
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].attribute("message"), Some("why"));
}

#[test]
fn a_filtered_batch_is_whole_with_what_was_filtered_out() {
    let folder = Folder::new();
    let filtered = |partition, filtered_out| BatchStats { filtered_out, ..of(7, partition) };
    let one = folder.results("1.jsonl", &[1, 5], filtered("count:1/2", 2));
    let two = folder.results("2.jsonl", &[4], filtered("count:2/2", 2));
    let done = passbook(&["merge", "--format", "json", &one, &two]).code(0);
    let merged = folder.path("merged.jsonl");
    fs::write(&merged, stdout(&done)).expect("written");
    let records = read(Path::new(&merged));
    assert_eq!(numbers(&records), [1, 4, 5]);
    assert_eq!(summary(&records).filtered_out, 4);

    let two = folder.results("2.jsonl", &[4], filtered("count:2/2", 1));
    refused(
        &folder,
        &[&one, &two],
        "3 rows and 3 filtered out are not the 7 scenarios of the input",
    );
}

#[test]
fn what_is_missing_is_named() {
    let folder = Folder::new();
    let one = folder.results("1.jsonl", &[1, 4, 7], of(9, "count:1/3"));
    let three = folder.results("3.jsonl", &[3, 6, 9], of(9, "count:3/3"));
    let said = "3 of 9 scenarios are missing: 2, 5, 8; no file is of share count:2/3";
    refused(&folder, &[&one, &three], said);

    let slice = folder.results("s.jsonl", &[5, 6, 8], of(1_000, "slice:1/1"));
    let said = "997 of 1,000 scenarios are missing: 1–4, 7, 9–1000";
    refused(&folder, &[&slice], said);
}

#[test]
fn what_is_doubled_is_named_with_both_its_places() {
    let folder = Folder::new();
    let one = folder.results("1.jsonl", &[1, 3, 4], of(4, "count:1/2"));
    let two = folder.results("2.jsonl", &[2, 4], of(4, "count:2/2"));
    refused(&folder, &[&one, &two], "scenario 4 is there twice: 1.jsonl:3 and 2.jsonl:2");
    refused(&folder, &[&one, &one], "scenario 1 is there twice: 1.jsonl:1 and 1.jsonl:1");
    // Even where the count comes out right.
    let short = folder.results("2.jsonl", &[4], of(4, "count:2/2"));
    refused(&folder, &[&one, &short], "scenario 4 is there twice: 1.jsonl:3 and 2.jsonl:1");
    let itself = folder.results("i.jsonl", &[2, 1, 2], of(3, ""));
    refused(&folder, &[&itself], "scenario 2 is there twice: i.jsonl:1 and i.jsonl:3");
}

#[test]
fn files_of_different_batches_do_not_fit() {
    let folder = Folder::new();
    let one = folder.results("1.jsonl", &[1], of(2, "count:1/2"));
    let other = Row { place: "other.jsonl:1".to_owned(), ..row(1) };
    let same_number = folder.rows("2.jsonl", [other], of(2, "count:2/2"));
    refused(
        &folder,
        &[&one, &same_number],
        "scenario 1 is \"many.jsonl:1\" in 1.jsonl:1 and \"other.jsonl:1\" in 2.jsonl:1: they are \
         of different inputs",
    );
    let more = folder.results("2.jsonl", &[2], of(3, "count:2/2"));
    refused(
        &folder,
        &[&one, &more],
        "1.jsonl is of an input with 2 scenarios, 2.jsonl of one with 3 scenarios: they are not of \
         one batch",
    );
    let slice = folder.results("2.jsonl", &[2], of(2, "slice:2/2"));
    refused(
        &folder,
        &[&one, &slice],
        "1.jsonl is share count:1/2, 2.jsonl is share slice:2/2: they are not of one batch",
    );
    let whole = folder.results("2.jsonl", &[2], of(2, ""));
    refused(
        &folder,
        &[&one, &whole],
        "1.jsonl is share count:1/2, 2.jsonl is a whole batch: they are not of one batch",
    );
    let beyond = folder.results("3.jsonl", &[3, 4], of(2, ""));
    refused(&folder, &[&beyond], "3.jsonl:1: there is no scenario 3 in an input of 2");
}

#[test]
fn a_file_that_is_not_whole_is_told_from_a_broken_one() {
    let folder = Folder::new();
    let path = folder.results("a.jsonl", &[1, 2], of(2, ""));
    let text = folder.text("a.jsonl");
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let cut = |to: String| fs::write(&path, to).expect("written");

    cut(lines[..2].concat());
    refused(
        &folder,
        &[&path],
        "a.jsonl ends after 2 rows without its summary: it was cut off; `passbook batch --resume` \
         goes on with it",
    );
    cut(format!("{}{}", lines[0], &lines[1][..30]));
    refused(
        &folder,
        &[&path],
        "a.jsonl:2: the line has no end: it was cut off while it was written",
    );
    cut(format!("{}{}\n{}", lines[0], &lines[1][..30], lines[2]));
    let said = "a.jsonl:2: not JSON: EOF while parsing a value (column 30)";
    refused(&folder, &[&path], said);
    cut(format!("{}{}", lines[0], lines[2]));
    refused(
        &folder,
        &[&path],
        "a.jsonl: the summary counts 2 rows, but there are 1: lines were added or removed",
    );
    cut(text.replacen("holds", "error", 1));
    refused(
        &folder,
        &[&path],
        "a.jsonl: the summary does not count the statuses that its rows have: lines were changed",
    );
    let stopped = BatchStats { stopped: Some(Stopped::Interrupted), ..of(2, "") };
    let stopped = folder.results("s.jsonl", &[1], stopped);
    refused(
        &folder,
        &[&stopped],
        "s.jsonl is not whole: the batch was interrupted; `passbook batch --resume` goes on with it",
    );
}

#[test]
fn a_file_to_merge_is_never_written_over() {
    let folder = Folder::new();
    let path = folder.results("a.jsonl", &[1], of(1, ""));
    let before = folder.text("a.jsonl");
    let done = passbook(&["merge", "--export-jsonl", &path, &path]).code(2);
    assert!(stderr(&done).contains("is read and written by the same command"), "{}", stderr(&done));
    assert_eq!(folder.text("a.jsonl"), before);
}

#[test]
fn what_is_no_file_is_an_error() {
    let folder = Folder::new();
    let done = passbook(&["merge", &folder.path("none.jsonl")]).code(2);
    assert!(stderr(&done).starts_with("error: cannot read "), "{}", stderr(&done));
    let done = passbook(&["merge", &folder.path("")]).code(2);
    assert!(stderr(&done).contains("is a directory"), "{}", stderr(&done));
    if cfg!(unix) {
        let done = passbook(&["merge", "/dev/null"]).code(2);
        assert!(stderr(&done).contains("it is read twice"), "{}", stderr(&done));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told() {
    let folder = Folder::new();
    let path = folder.results("a.jsonl", &[1], of(1, ""));
    let done = passbook(&["merge", "--export-csv", "/dev/full", &path]).code(70);
    assert!(stderr(&done).contains("/dev/full"), "{}", stderr(&done));
    let mut merge = command(&["merge", &path]);
    let status = merge.stdout(File::create("/dev/full").expect("there")).status().expect("run");
    assert_eq!(status.code(), Some(70));
}
