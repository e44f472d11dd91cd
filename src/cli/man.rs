//! `passbook man`: the manual, a page for each command.

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::{Args, Command};
use clap_mangen::Man;
use thiserror::Error;

use super::exit::{Exit, Failure};
use super::exit_codes::ExitCodes;
use super::new_file::NewFile;

const EXAMPLES: &str = "\
Examples:
  passbook man ~/.local/share/man/man1
  man passbook-run";

#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", ExitCodes::MAN))]
pub(super) struct ManArgs {
    /// The folder that they are written to; it is made where there is none
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Why a page was not written.
#[derive(Debug, Error)]
pub(super) enum PageError {
    #[error("cannot make the folder {folder}: {reason}", folder = .folder.display())]
    Folder { folder: PathBuf, reason: io::Error },
    #[error("cannot write {page}: {reason}", page = .page.display())]
    Page { page: PathBuf, reason: io::Error },
}

/// Writes a page of `program`, and one of each of its commands.
pub(super) fn write_pages(args: &ManArgs, mut program: Command) -> Result<Exit, Failure> {
    // Names the commands in full, and gives each the options of all.
    program.build();
    let commands = program.get_subcommands().filter(|command| command.get_name() != "help");
    let commands = commands.cloned().collect::<Vec<_>>();
    let folder = &args.folder;
    fs::create_dir_all(folder)
        .map_err(|reason| PageError::Folder { folder: folder.clone(), reason })?;
    let source = format!("passbook {}", program.get_version().unwrap_or_default());
    for command in [program].into_iter().chain(commands) {
        let man = Man::new(command).source(&source).manual("passbook");
        let page = folder.join(man.get_filename());
        let mut text = Vec::new();
        let written = man.render(&mut text).and_then(|()| NewFile::write(&page, &text));
        written.map_err(|reason| PageError::Page { page, reason })?;
    }
    Ok(Exit::Holds)
}

impl From<PageError> for Failure {
    fn from(error: PageError) -> Self {
        Self::bad_input(error)
    }
}
