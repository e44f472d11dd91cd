//! Filters and partitions.

use std::collections::BTreeSet;

use crate::batch::fixture::*;
use crate::support::program::{passbook, stdout};

fn lines() -> String {
    [HOLDS, VIOLATED, BROKEN, UNEXPECTED, HOLDS, UNDECIDED, HOLDS].join("\n")
}

#[test]
fn filters_are_of_names_and_places() {
    let folder = folder(&[("many.jsonl", &lines()), ("lone.json", HOLDS)]);
    for (filters, numbers_left) in [
        (&["stale"][..], &[3][..]),
        (&["stale", "hopeful"], &[3, 5]),
        (&["*.jsonl:[34]"], &[4, 5]),
        (&["lone"], &[1]),
        (&["hope*"], &[5]),
    ] {
        let mut args = vec!["lone.json", "many.jsonl"];
        args.extend(filters.iter().flat_map(|filter| ["--filter", *filter]));
        let done = batch(folder.path(), &args);
        let (rows, summary) = rows_and_summary(stdout(&done));
        assert_eq!(numbers(&rows), numbers_left, "{filters:?}");
        assert_eq!(summary["filtered_out"], 8 - numbers_left.len());
        assert_eq!(summary["inputs"], 8);
    }
    batch(folder.path(), &["many.jsonl", "--filter", "nowhere"]).code(3);
}

#[test]
fn shares_are_disjoint_and_together_everything() {
    let folder = folder(&[("cases/many.jsonl", &lines()), ("cases/a.json", HOLDS)]);
    let all = untimed(&rows(&batch(folder.path(), &["cases", "--filter", ":"])));
    for kind in ["count", "hash", "slice"] {
        let mut seen = BTreeSet::new();
        let mut together = Vec::new();
        let mut files = Vec::new();
        for share in 1..=3 {
            let partition = format!("{kind}:{share}/3");
            let file = format!("{kind}-{share}.jsonl");
            let args =
                ["cases", "--filter", ":", "--partition", &partition, "--export-jsonl", &file];
            batch(folder.path(), &args);
            let (rows, summary) = rows_and_summary(&read(folder.path(), &file));
            assert_eq!((&summary["partition"], &summary["inputs"]), (&partition.into(), &8.into()));
            assert!(numbers(&rows).iter().all(|number| seen.insert(*number)));
            together.extend(untimed(&rows));
            files.push(folder.path().join(file).display().to_string());
        }
        together.sort_by_key(|row| row["number"].as_u64());
        assert_eq!(together, all, "{kind}");
        let mut args = vec!["merge", "--format", "jsonl"];
        args.extend(files.iter().map(String::as_str));
        let merged = passbook(&args).code(1);
        assert_eq!(untimed(&rows(&merged)), all, "{kind}");
    }
}

#[test]
fn shares_are_dealt_out_as_documented() {
    let folder = folder(&[("many.jsonl", &many(10))]);
    let share = |partition: &str| {
        let done = batch(folder.path(), &["many.jsonl", "--partition", partition]).code(0);
        numbers(&rows(&done))
    };
    assert_eq!(share("count:2/3"), [2, 5, 8]);
    assert_eq!(share("slice:1/3"), [1, 2, 3, 4]);
    assert_eq!(share("slice:3/3"), [8, 9, 10]);
    // FNV-1a of `many.jsonl:1` to `many.jsonl:10`, modulo 3, worked out with another program.
    assert_eq!(share("hash:1/3"), [1, 6, 8]);
    assert_eq!(share("slice:11/11"), [0_u64; 0], "a share may be empty");
}
