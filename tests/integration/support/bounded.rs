//! The program with so much memory and no more, so that what grows without a bound shows.

use std::path::Path;
use std::process::Stdio;

use assert_cmd::assert::{Assert, OutputAssertExt};

use crate::support::program::command;

/// Far less than the inputs of these tests, and more than the program needs.
const ADDRESS_SPACE_KIB: u32 = 2 << 20;
/// Nothing here takes long.
const CPU_SECONDS: u32 = 60;

/// What the program does with `args` in `folder`, when it may have two gigabytes and a minute.
pub(crate) fn bounded(folder: &Path, args: &[&str], stdin: impl Into<Stdio>) -> Assert {
    let program = command(&[]);
    let mut shell = std::process::Command::new("sh");
    let limits = format!("ulimit -v {ADDRESS_SPACE_KIB} && ulimit -t {CPU_SECONDS}");
    shell.args(["-c", &format!("{limits} && exec \"$0\" \"$@\"")]).arg(program.get_program());
    for (variable, value) in program.get_envs() {
        match value {
            Some(value) => shell.env(variable, value),
            None => shell.env_remove(variable),
        };
    }
    shell.args(args).current_dir(folder).stdin(stdin);
    shell.stdout(Stdio::piped()).stderr(Stdio::piped());
    shell.output().expect("a shell").assert()
}
