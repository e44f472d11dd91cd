//! `passbook man`: the manual pages.

use std::fs;
use std::path::Path;

use crate::support::program::{commands, passbook, stderr};

fn written(folder: &Path) -> Vec<String> {
    passbook(&["man", folder.to_str().expect("text")]).code(0).stdout("").stderr("");
    let entries = fs::read_dir(folder).expect("the folder");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .collect();
    names.sort();
    names
}

fn page_of(name: &String) -> String {
    format!("passbook-{name}.1")
}

#[test]
fn there_is_a_page_for_the_program_and_for_each_command() {
    let folder = tempfile::tempdir().unwrap();
    let mut expected: Vec<String> =
        commands().iter().filter(|name| *name != "help").map(page_of).collect();
    expected.push("passbook.1".to_owned());
    expected.sort();
    // The folder is made, and pages that are there are replaced.
    let pages = folder.path().join("share/man1");
    assert_eq!(written(&pages), expected);
    fs::write(pages.join("passbook.1"), "old").unwrap();
    assert_eq!(written(&pages), expected);
    for name in &expected {
        let page = fs::read_to_string(pages.join(name)).unwrap();
        assert!(page.contains(".TH passbook"), "{name}");
        assert!(page.contains(".SH SYNOPSIS") && page.contains(".SH OPTIONS"), "{name}");
        assert!(!page.contains('\u{1b}'), "{name}");
    }
    let page = |name: &str| fs::read_to_string(pages.join(name)).unwrap();
    assert!(page("passbook-run.1").contains(r"\fB\-\-settle\-before\-query\fR"));
    assert!(page("passbook.1").contains("passbook\\-batch(1)"));
    assert!(page("passbook-health.1").contains("Exit codes:\n   0  the bank takes requests"));
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let below = file.join("man1");
    let taken = folder.path().join("taken");
    fs::create_dir_all(taken.join("passbook.1")).unwrap();
    for (place, told) in [
        (&file, format!("cannot make the folder {}: ", file.display())),
        (&below, format!("cannot make the folder {}: ", below.display())),
        (&taken, format!("cannot write {}: ", taken.join("passbook.1").display())),
    ] {
        let done = passbook(&["man", place.to_str().unwrap()]).code(2).stdout("");
        assert!(stderr(&done).contains(&told), "{}", stderr(&done));
    }
}
