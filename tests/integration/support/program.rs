//! Starts the program as a shell does.

use std::process::Command;

use assert_cmd::assert::Assert;

/// The program with `args`, in the package's folder, without what the caller's environment says.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_passbook"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    for variable in ["FORMAT", "COLOR", "CUSTOMERS", "OVERDRAFT", "EVENT_IDS", "SEED", "LOG"] {
        command.env_remove(format!("PASSBOOK_{variable}"));
    }
    command.args(args);
    command
}

/// What the program does with `args`.
pub(crate) fn passbook(args: &[&str]) -> Assert {
    assert_cmd::Command::from_std(command(args)).assert()
}

pub(crate) fn stdout(assert: &Assert) -> &str {
    std::str::from_utf8(&assert.get_output().stdout).expect("text")
}

pub(crate) fn stderr(assert: &Assert) -> &str {
    std::str::from_utf8(&assert.get_output().stderr).expect("text")
}

/// The names of all commands, as the help lists them.
pub(crate) fn commands() -> Vec<String> {
    let done = passbook(&["--help"]).code(0);
    let (_, list) = stdout(&done).split_once("Commands:\n").expect("a list of commands");
    let lines = list.lines().take_while(|line| !line.is_empty());
    // What a long line goes on with stands further in.
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}
