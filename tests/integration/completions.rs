//! `passbook completions`: what shells are given.

use std::process::Command;

use crate::support::program::{commands, passbook, stderr, stdout};

#[test]
fn each_shell_is_told_every_command_and_its_options() {
    let commands = commands();
    assert!(
        ["run", "batch", "serve", "completions"]
            .iter()
            .all(|name| commands.contains(&(*name).to_owned()))
    );
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let done = passbook(&["completions", shell]).code(0).stderr("");
        let script = stdout(&done);
        for word in commands.iter().map(String::as_str).chain(["seed", "base-port", "export-csv"]) {
            assert!(script.contains(word), "{shell} is not told {word}");
        }
        assert!(!script.contains('\u{1b}'), "{shell}");
    }
}

#[test]
fn bash_completes_with_them() {
    let done = passbook(&["completions", "bash"]).code(0);
    let completed = |words: &str, at: usize| {
        let script = format!(
            "{}\nCOMP_WORDS=({words}); COMP_CWORD={at}\n\
             _passbook passbook \"${{COMP_WORDS[{at}]}}\" \"${{COMP_WORDS[{}]}}\"\n\
             printf '%s ' \"${{COMPREPLY[@]}}\"",
            stdout(&done),
            at - 1
        );
        let output = Command::new("bash").args(["-c", &script]).output().expect("bash runs");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    };
    assert_eq!(completed("passbook compl", 1), "completions");
    assert_eq!(completed("passbook run --settle-b", 2), "--settle-before-query");
    assert_eq!(completed("passbook run --overdraft ''", 3), "allow reject");
}

#[test]
fn a_shell_that_is_not_known_is_refused_with_those_that_are() {
    let done = passbook(&["completions", "tcsh"]).code(2).stdout("");
    let told = stderr(&done);
    assert!(told.contains("bash, elvish, fish, powershell, zsh"), "{told}");
}
