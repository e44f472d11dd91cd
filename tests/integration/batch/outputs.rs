//! Files that a batch writes beside standard output.

use crate::batch::fixture::*;
use crate::support::program::{stderr, stdout};

#[test]
fn every_format_has_every_row() {
    let folder = folder(&[("many.jsonl", &[HOLDS, VIOLATED, BROKEN].join("\n"))]);
    let args = ["many.jsonl", "--format", "json", "--export-jsonl", "rows.jsonl"];
    let exports = ["--export-csv", "rows.csv", "--export-junit", "rows.xml"];
    let done = batch(folder.path(), &[&args[..], &exports].concat()).code(1);
    assert_eq!(read(folder.path(), "rows.jsonl"), stdout(&done));
    let csv = read(folder.path(), "rows.csv");
    let places: Vec<_> = csv.lines().filter_map(|line| line.split(',').nth(1)).collect();
    assert_eq!(places, ["place", "many.jsonl:1", "many.jsonl:2", "many.jsonl:3"]);
    let xml = read(folder.path(), "rows.xml");
    let document = roxmltree::Document::parse(&xml).expect("XML");
    assert_eq!(document.descendants().filter(|node| node.has_tag_name("testcase")).count(), 3);
}

#[test]
fn where_rows_go_to_a_file_people_are_told_what_they_came_to() {
    let folder = folder(&[("a.json", HOLDS)]);
    let done = batch(folder.path(), &["a.json", "--export-jsonl", "rows.jsonl"]).code(0);
    assert!(stdout(&done).ends_with("none of 1 scenario failed\n"), "{}", stdout(&done));
    assert_eq!(stderr(&done), "");
}

#[test]
fn results_in_the_folder_of_the_inputs_are_not_read_as_such() {
    let folder = folder(&[("cases/a.json", HOLDS)]);
    for _ in 0..2 {
        let args = ["cases", "--export-jsonl", "cases/rows.jsonl"];
        batch(folder.path(), &args).code(0);
        let (rows, _) = rows_and_summary(&read(folder.path(), "cases/rows.jsonl"));
        assert_eq!(places(&rows), [("cases/a.json", "holds")]);
    }
}

#[test]
fn a_violation_that_there_is_no_memory_to_draw_has_a_warning_instead_of_a_picture() {
    // To keep its facts takes some 8 MB beside the 2 MB of its run.
    let pair = |number: u32| {
        let (write, read) = (2 * number, 2 * number + 1);
        format!(
            r#"{{"id":{write},"interface":"deposit","money":1,"dest":1}},{{"id":{read},"interface":"query","dest":2}}"#
        )
    };
    let events: Vec<String> = (1..=1_000).map(pair).collect();
    let (before, after) = VIOLATED.split_once("[{\"id\":1,\"interface\"").expect("events");
    let (_, end) = after.split_once(']').expect("their end");
    let scenario = format!("{before}[{}]{end}", events.join(","));
    let folder = folder(&[("many.jsonl", &scenario)]);
    for (memory, is_drawn) in [("36MB", false), ("64MB", true)] {
        let args = ["many.jsonl", "-f", "json", "--export-html", "page.html", "--memory-max"];
        let done = batch(folder.path(), &[&args[..], &[memory]].concat()).code(1);
        let (row, page) = (&rows(&done)[0], read(folder.path(), "page.html"));
        assert_eq!(row["status"], "violated", "{row}");
        assert_eq!(page.contains("<figure"), is_drawn, "{memory}");
        let told = "not drawn: this takes about ";
        assert_eq!(row["warnings"].to_string().contains(told), !is_drawn, "{row}");
        assert_eq!(page.contains(told), !is_drawn, "{memory}");
    }
}
