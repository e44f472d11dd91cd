//! `passbook completions`: what a shell completes the commands and options with.

use std::io;

use clap::{Args, Command};
use clap_complete::{Shell, generate};

use super::exit::Exit;
use super::exit_codes::ExitCodes;
use super::terminal::Terminal;

const EXAMPLES: &str = "\
Examples:
  passbook completions bash > ~/.local/share/bash-completion/completions/passbook
  passbook completions fish > ~/.config/fish/completions/passbook.fish

Where a shell looks for them is in docs/INSTALL.md.";

#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", ExitCodes::PRINTS))]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the completions of `program`.
pub(super) fn print_completions(
    args: &CompletionsArgs,
    mut program: Command,
    terminal: &mut Terminal,
) -> io::Result<Exit> {
    // Where its writing fails, it panics.
    let mut script = Vec::new();
    let name = program.get_name().to_owned();
    generate(args.shell, &mut program, name, &mut script);
    terminal.results().write_all(&script)?;
    Ok(Exit::Holds)
}
