//! Going on with an earlier batch.

use crate::batch::fixture::*;
use crate::support::program::{stderr, stdout};

fn lines() -> String {
    let mut lines = many(120);
    lines.push_str(&[VIOLATED, BROKEN, UNDECIDED].join("\n"));
    lines
}

/// The file `rows.jsonl` of an uninterrupted batch.
fn whole(folder: &std::path::Path) -> String {
    batch(folder, &["many.jsonl", "--export-jsonl", "rows.jsonl"]).code(1);
    read(folder, "rows.jsonl")
}

#[test]
fn going_on_comes_to_the_same_as_never_having_stopped() {
    let folder = folder(&[("many.jsonl", &lines())]);
    let whole = whole(folder.path());
    let (all, all_summary) = rows_and_summary(&whole);
    let after_50: usize = whole.lines().take(50).map(|line| line.len() + 1).sum();
    let after_all = whole.trim_end().rfind('\n').expect("a line") + 1;
    for cut in [0, after_50, after_50 + 40, after_all, after_all + 10, whole.len()] {
        put(folder.path(), "rows.jsonl", &whole[..cut]);
        let args = ["many.jsonl", "--resume", "rows.jsonl", "--export-csv", "rows.csv"];
        let done = batch(folder.path(), &args).code(1);
        assert!(stdout(&done).starts_with("123 scenarios"), "{cut}");
        let resumed = read(folder.path(), "rows.jsonl");
        let kept = whole[..cut.min(after_all)].rfind('\n').map_or(0, |end| end + 1);
        assert_eq!(resumed[..kept], whole[..kept], "{cut}: what was there stays");
        let (rows, summary) = rows_and_summary(&resumed);
        assert_eq!(untimed(&rows), untimed(&all), "{cut}");
        assert_eq!(summary["statuses"], all_summary["statuses"], "{cut}");
        assert_eq!(summary["inputs"], 123);
        assert_eq!(read(folder.path(), "rows.csv").lines().count(), 124, "{cut}");
    }
}

#[test]
fn the_rate_is_of_what_was_run_now() {
    let folder = folder(&[("many.jsonl", &many(50))]);
    batch(folder.path(), &["many.jsonl", "--export-jsonl", "rows.jsonl"]).code(0);
    let whole = read(folder.path(), "rows.jsonl");
    let after_40: usize = whole.lines().take(40).map(|line| line.len() + 1).sum();
    put(folder.path(), "rows.jsonl", &whole[..after_40]);
    let done = batch(folder.path(), &["many.jsonl", "--resume", "rows.jsonl"]).code(0);
    let title = stdout(&done).lines().next().expect("a title");
    assert!(title.starts_with("50 scenarios, 40 of them from before  in "), "{title}");
    // Nothing is run: nothing a second.
    let again = batch(folder.path(), &["many.jsonl", "--resume", "rows.jsonl"]).code(0);
    let title = stdout(&again).lines().next().expect("a title");
    assert!(title.starts_with("50 scenarios, 50 of them from before  in "), "{title}");
    assert!(title.contains(": 0 a second"), "{title}");
}

#[test]
fn old_rows_are_kept_and_new_ones_stand_after_them() {
    let folder = folder(&[("many.jsonl", &lines())]);
    let whole = whole(folder.path());
    let old: String = whole
        .lines()
        .take(50)
        .map(|line| {
            let mut row: serde_json::Value = serde_json::from_str(line).expect("a row");
            let keys = row.as_object_mut().expect("a row");
            keys.retain(|key, _| !["format", "seed", "options", "passbook"].contains(&&**key));
            keys["counts"].as_object_mut().expect("counts").remove("refused_writes");
            format!("{row}\n")
        })
        .collect();
    put(folder.path(), "rows.jsonl", &old);
    batch(folder.path(), &["many.jsonl", "--resume", "rows.jsonl"]).code(1);
    let resumed = read(folder.path(), "rows.jsonl");
    assert!(resumed.starts_with(&old));
    let (rows, summary) = rows_and_summary(&resumed);
    let formats: Vec<_> = rows.iter().map(|row| row["format"].as_u64()).collect();
    assert_eq!(formats, [vec![None; 50], vec![Some(2); 73]].concat());
    assert_eq!(summary["rows"], 123);
}

#[test]
fn a_stopped_batch_goes_on_after_its_failure() {
    let folder = folder(&[("many.jsonl", &[HOLDS, BROKEN, HOLDS, BROKEN, HOLDS].join("\n"))]);
    for rows_so_far in [2, 4, 5] {
        batch(folder.path(), &["many.jsonl", "--resume", "rows.jsonl", "--fail-fast"]).code(1);
        let (rows, _) = rows_and_summary(&read(folder.path(), "rows.jsonl"));
        assert_eq!(numbers(&rows), (1..=rows_so_far).collect::<Vec<_>>());
    }
}

#[test]
fn rows_in_any_order_can_be_gone_on_with() {
    let folder = folder(&[("many.jsonl", &many(30))]);
    batch(folder.path(), &["many.jsonl", "--export-jsonl", "rows.jsonl"]).code(0);
    let whole = read(folder.path(), "rows.jsonl");
    let mut some: Vec<&str> = whole.lines().take(30).step_by(3).collect();
    some.reverse();
    put(folder.path(), "rows.jsonl", some.join("\n") + "\n");
    batch(folder.path(), &["many.jsonl", "--resume", "rows.jsonl"]).code(0);
    let (rows, _) = rows_and_summary(&read(folder.path(), "rows.jsonl"));
    let mut numbers = numbers(&rows);
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=30).collect::<Vec<_>>());
}

#[test]
fn standard_output_has_all_rows_where_it_is_asked_for_them() {
    let folder = folder(&[("many.jsonl", &lines())]);
    let whole = whole(folder.path());
    put(folder.path(), "rows.jsonl", &whole[..whole.len() / 2]);
    let args = ["many.jsonl", "--resume", "rows.jsonl", "--format", "json"];
    let done = batch(folder.path(), &args).code(1);
    let (kept, _) = rows_and_summary(&read(folder.path(), "rows.jsonl"));
    assert_eq!(rows(&done), kept);
}

#[test]
fn rows_of_other_inputs_are_refused_and_kept() {
    let folder = folder(&[("many.jsonl", &many(10)), ("other.jsonl", &many(10))]);
    batch(folder.path(), &["many.jsonl", "--export-jsonl", "rows.jsonl"]).code(0);
    let whole = read(folder.path(), "rows.jsonl");
    let after_4: usize = whole.lines().take(4).map(|line| line.len() + 1).sum();
    let twice = format!("{0}{0}", &whole[..after_4]);
    put(folder.path(), "few.jsonl", many(3));
    for (rows, args, told) in [
        (&whole[..after_4], &["other.jsonl"][..], "a row of another scenario 1 than other.jsonl:1"),
        (&whole[..after_4], &["few.jsonl", "many.jsonl"], "another scenario 1 than few.jsonl:1"),
        (
            &whole[..after_4],
            &["many.jsonl", "--partition", "count:1/2"],
            "a row of scenario 2, which is not",
        ),
        (&twice, &["many.jsonl"], "two rows of scenario 1"),
        ("no row\n", &["many.jsonl"], "line 1: not JSON"),
    ] {
        put(folder.path(), "rows.jsonl", rows);
        let done = batch(folder.path(), &[args, &["--resume", "rows.jsonl"]].concat()).code(2);
        assert!(stderr(&done).contains(told), "{args:?}: {}", stderr(&done));
        let kept = read(folder.path(), "rows.jsonl");
        assert!(kept.starts_with(rows), "{args:?}");
    }
    put(folder.path(), "many.jsonl", many(3));
    put(folder.path(), "rows.jsonl", &whole[..after_4]);
    let done = batch(folder.path(), &["many.jsonl", "--resume", "rows.jsonl"]).code(2);
    assert!(stderr(&done).contains("a row of scenario 4, which is not among the inputs"));
}
