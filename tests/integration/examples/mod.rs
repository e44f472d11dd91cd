//! The examples of the library, as a student runs them.

use std::env;
use std::process::Command;

/// What an example prints. `cargo test` builds the examples beside the tests.
fn printed(example: &str) -> String {
    let test = env::current_exe().expect("a test has a file");
    let built = test.parent().and_then(|deps| deps.parent()).expect("it lies in deps");
    let file = built.join("examples").join(format!("{example}{}", env::consts::EXE_SUFFIX));
    assert!(file.exists(), "{} is not there: cargo build --examples", file.display());
    let done = Command::new(file).output().expect("it can be started");
    assert!(done.status.success(), "{example}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("text")
}

#[test]
fn each_is_run_by_a_test() {
    let files = std::fs::read_dir("examples").expect("the examples");
    let mut names: Vec<String> = files
        .map(|file| file.expect("a file").file_name().into_string().expect("a name"))
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "drive_a_branch.rs",
            "enforce_with_a_token.rs",
            "judge_your_history.rs",
            "run_a_scenario.rs"
        ]
    );
}

/// Client 1 reads 0 after it has added 1. Replica 1 lacks the write of client 2 until the last line:
/// that is a fault at the end, and none where more may come.
#[test]
fn judge_your_history() {
    assert_eq!(printed("judge_your_history"), include_str!("judge_your_history.txt"));
}

#[test]
fn drive_a_branch() {
    assert_eq!(printed("drive_a_branch"), include_str!("drive_a_branch.txt"));
}

#[test]
fn run_a_scenario() {
    assert_eq!(printed("run_a_scenario"), include_str!("run_a_scenario.txt"));
}

#[test]
fn enforce_with_a_token() {
    assert_eq!(printed("enforce_with_a_token"), include_str!("enforce_with_a_token.txt"));
}
