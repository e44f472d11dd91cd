//! What can be read, what its places are called, and what is wrong with the rest.

use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use crate::batch::fixture::*;
use crate::support::program::{stderr, stdout};

fn zstd(text: &str) -> Vec<u8> {
    compress_to_vec(text.as_bytes(), CompressionLevel::Fastest)
}

#[test]
fn a_folder_is_read_by_name_with_all_that_is_below() {
    let folder = folder(&[
        ("cases/b.json", HOLDS),
        ("cases/a/deep/many.jsonl", &[HOLDS, UNDECIDED].join("\n")),
        ("cases/a/README.md", "# no scenario"),
        ("cases/.hidden.json", BROKEN),
        ("cases/c.ndjson", HOLDS),
    ]);
    let done = batch(folder.path(), &["cases"]).code(3);
    let expected = [
        ("cases/a/deep/many.jsonl:1", "holds"),
        ("cases/a/deep/many.jsonl:2", "undecided"),
        ("cases/b.json", "holds"),
        ("cases/c.ndjson:1", "holds"),
    ];
    assert_eq!(places(&rows(&done)), expected);
}

#[test]
fn the_folder_of_inputs_comes_to_what_stands_beside_them() {
    let package = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let done = batch(package, &["input"]).code(0);
    let rows = rows(&done);
    let beside = rows.iter().find(|row| row["place"] == "input/dialects/own_branch.json");
    assert_eq!(beside.expect("it is there")["expected"], true, "its result stands beside it");
    assert!(rows.iter().all(|row| !row["place"].to_string().contains("expected")));
}

#[test]
fn a_result_beside_a_scenario_is_what_is_expected_of_it() {
    let folder = folder(&[
        ("met.json", HOLDS),
        ("met.expected.json", r#"[{"id":1,"balance":400}]"#),
        ("missed.json", HOLDS),
        (
            "missed.expected.json",
            r#"[{"id":1,"recv":[{"interface":"deposit","result":"fail"},{"interface":"query","balance":400}]}]"#,
        ),
        ("odd.json", HOLDS),
        ("odd.expected.json", r#"[{"id":9,"balance":400}]"#),
        ("none.json", HOLDS),
    ]);
    let done = batch(folder.path(), &["."]).code(1);
    let rows = rows(&done);
    let told: Vec<_> =
        rows.iter().map(|row| (row["status"].as_str(), row["expected"].as_bool())).collect();
    let (holds, error) = (Some("holds"), Some("error"));
    let expected =
        [(holds, Some(true)), (Some("unexpected"), Some(false)), (holds, None), (error, None)];
    assert_eq!(told, expected);
    let problem = rows[3]["problem"].as_str().expect("a problem");
    assert!(problem.starts_with("./odd.expected.json:1:"), "{problem}");
}

#[test]
fn packed_files_are_recognised_by_what_they_hold() {
    let folder = folder(&[]);
    let lines = [HOLDS, UNDECIDED, HOLDS].join("\n");
    put(folder.path(), "a.json.gz", gzip(HOLDS));
    put(folder.path(), "b.jsonl.zst", zstd(&lines));
    put(folder.path(), "c.jsonl.gz", gzip(&lines));
    put(folder.path(), "d.json", zstd(HOLDS));
    put(folder.path(), "e.jsonl.gz", &lines);
    let done = batch(folder.path(), &["."]).code(3);
    let rows = rows(&done);
    assert_eq!(rows.len(), 1 + 3 + 3 + 1 + 3);
    assert_eq!(rows[0]["name"], "a");
    assert_eq!(rows[3]["place"], "./b.jsonl.zst:3");
    assert!(rows.iter().all(|row| row["status"] != "error"));
    for packed in [gzip(&lines), zstd(&lines)] {
        let done = with_stdin(folder.path(), &["-"], packed).code(3);
        assert_eq!(crate::batch::fixture::rows(&done).len(), 3);
    }
}

#[test]
fn a_packed_file_that_is_cut_off_is_a_failed_row_after_the_whole_ones() {
    let folder = folder(&[("z.json", HOLDS)]);
    let whole = gzip(&many(300));
    put(folder.path(), "many.jsonl.gz", &whole[..whole.len() - 20]);
    let done = batch(folder.path(), &["."]).code(1);
    let rows = rows(&done);
    let (last, others) = rows.split_last().expect("rows");
    assert_eq!((&last["place"], &last["status"]), (&"./z.json".into(), &"holds".into()));
    let (cut, whole) = others.split_last().expect("rows");
    assert!(whole.iter().all(|row| row["status"] == "holds"));
    assert_eq!(cut["status"], "error");
    let problem = cut["problem"].as_str().expect("a problem");
    assert!(problem.starts_with("cannot read on from here: "), "{problem}");
}

#[test]
fn an_error_names_the_file_the_line_and_the_column() {
    let mut lines = vec![HOLDS; 16];
    lines.insert(3, "");
    lines.push(BROKEN);
    let folder = folder(&[("many.jsonl", &lines.join("\n"))]);
    let done = batch(folder.path(), &["many.jsonl"]).code(1);
    let rows = rows(&done);
    assert_eq!(rows.len(), 17, "the blank line is none");
    assert_eq!((&rows[16]["number"], &rows[16]["place"]), (&17.into(), &"many.jsonl:18".into()));
    let problem = rows[16]["problem"].as_str().expect("a problem");
    assert!(problem.starts_with("many.jsonl:18:20: [0].type: unknown type `bransh`"), "{problem}");
}

#[test]
fn standard_input_is_a_scenario_a_line_or_one_over_many() {
    let folder = folder(&[]);
    let done = with_stdin(folder.path(), &["-"], [HOLDS, VIOLATED].join("\n")).code(1);
    assert_eq!(places(&rows(&done)), [("-:1", "holds"), ("-:2", "violated")]);
    let value: serde_json::Value = serde_json::from_str(VIOLATED).expect("JSON");
    let pretty = serde_json::to_string_pretty(&value).expect("JSON");
    let done = with_stdin(folder.path(), &["-"], pretty).code(1);
    assert_eq!(places(&rows(&done)), [("-", "violated")]);
    let done =
        with_stdin(folder.path(), &["-"], "[\n{\"id\": 1,\n\"type\": \"bransh\"}\n]").code(1);
    let problem = rows(&done)[0]["problem"].to_string();
    assert!(problem.contains("-:3:9: [0].type"), "{problem}");
}

#[test]
fn globs_and_files_are_taken_in_their_order() {
    let folder = folder(&[
        ("cases/a.json", HOLDS),
        ("cases/a.expected.json", r#"[{"id":1,"balance":400}]"#),
        ("cases/deep/b.json", HOLDS),
        ("first", HOLDS),
    ]);
    let done = batch(folder.path(), &["first", "cases/**/*.json"]).code(0);
    let expected =
        [("first:1", "holds"), ("cases/a.json", "holds"), ("cases/deep/b.json", "holds")];
    assert_eq!(places(&rows(&done)), expected);
}

#[test]
fn what_is_not_there_is_told_before_anything_runs() {
    let folder = folder(&[("a.json", HOLDS), ("empty/x.txt", "")]);
    for (args, told) in [
        (&["a.json", "none.json"][..], "none.json does not exist"),
        (&["a.json", "none*.json"], "nothing fits none*.json"),
        (&["a.json", "[.json"], "[.json is no pattern"),
        (&["a.json", "empty"], "there is no scenario in empty"),
        (&["-", "-"], "standard input (`-`) can be read only once"),
        (&["a.json", "--export-csv", "a.json"], "a.json is read and written by the same command"),
        (&["a.json", "--export-csv", "no/where.csv"], "cannot write no/where.csv"),
        (&["a.json", "--export-csv", "x", "--export-junit", "x"], "x is written twice"),
        (&["a.json", "--filter", "["], "'[' for '--filter"),
        (&["a.json", "--partition", "count:3/2"], "there is no share 3 of 2"),
        (&["a.json", "-j", "0"], "'0' for '--jobs"),
        (&["-", "--partition", "slice:1/2"], "a slice needs to know how many scenarios there are"),
    ] {
        let done = batch(folder.path(), args).code(2);
        assert_eq!(stdout(&done), "", "{args:?}");
        assert!(stderr(&done).contains(told), "{args:?}: {}", stderr(&done));
        assert_eq!(read(folder.path(), "a.json"), HOLDS);
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_walked_is_told_before_anything_runs() {
    let folder = folder(&[("cases/a.json", HOLDS)]);
    // A link that leads back up goes round in circles, for root too.
    std::os::unix::fs::symlink("..", folder.path().join("cases/up")).expect("a link");
    let done = batch(folder.path(), &["cases"]).code(2);
    assert_eq!(stdout(&done), "");
    assert!(stderr(&done).contains("cannot read cases/up"), "{}", stderr(&done));
}
