//! `passbook generate`: scenarios from a seed, as lines or as files.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::cleanup;
use super::exit::Exit;
use super::generate_args::GenerateArgs;
use super::new_file::NewFile;
use super::terminal::Terminal;
use crate::scenario::Scenario;
use crate::scenario::generate::{GenerateError, Generator};
use crate::source::Outputs;
use crate::source::is_stdin;

/// Why scenarios are not where they should be.
#[derive(Debug, Error)]
enum OutputError {
    #[error("{path} exists already; name another file, or overwrite it with --force")]
    Exists { path: PathBuf },
    #[error("{path} is not empty; name another directory, or overwrite files in it with --force")]
    NotEmpty { path: PathBuf },
    #[error("cannot write to {path}: it is not a directory")]
    NotADirectory { path: PathBuf },
    #[error("cannot write to {path}: {reason}")]
    CannotOpen { path: PathBuf, reason: io::Error },
    #[error("cannot write {path}: {reason}")]
    Lost { path: PathBuf, reason: io::Error },
}

/// Makes the scenarios that `args` ask for.
pub(super) fn generate(args: &GenerateArgs, terminal: &mut Terminal) -> io::Result<Exit> {
    let generator = match Generator::new(args.options()) {
        Ok(generator) => generator,
        Err(error) => {
            terminal.error(&format!("{}: {error}", option_of(&error)));
            return Ok(Exit::BadInput);
        }
    };
    let named = args.output.as_deref().filter(|file| !is_stdin(file));
    if let Err(error) = Outputs::new(named) {
        terminal.diagnostic(&error);
        return Ok(Exit::BadInput);
    }
    cleanup::on_signals()?;
    let written = match (&args.directory, named) {
        (Some(directory), _) => write_files(&generator, args, directory),
        (None, Some(file)) => write_file(&generator, args, file),
        (None, None) => {
            write_lines(&generator, args, terminal.results())?;
            return Ok(Exit::Holds);
        }
    };
    match written {
        Ok(()) => Ok(Exit::Holds),
        Err(OutputError::Lost { reason, .. }) if reason.kind() == io::ErrorKind::BrokenPipe => {
            Err(reason)
        }
        Err(error) => {
            terminal.error(&error.to_string());
            Ok(error.exit())
        }
    }
}

/// The option that an error is about.
const fn option_of(error: &GenerateError) -> &'static str {
    match error {
        GenerateError::TooManyBranches { .. } => "--branches",
        GenerateError::TooManyEvents { .. } => "--events",
        GenerateError::TooManyWrites { .. } => "--decodable",
        GenerateError::BalanceOutOfRange { .. } => "--amount",
        GenerateError::NegativeBalance { .. } => "--balance",
        GenerateError::ExpectedOfConcurrent | GenerateError::ExpectedOfAsync => "--expected",
    }
}

impl OutputError {
    fn exit(&self) -> Exit {
        match self {
            Self::Exists { .. }
            | Self::NotEmpty { .. }
            | Self::NotADirectory { .. }
            | Self::CannotOpen { .. } => Exit::BadInput,
            Self::Lost { .. } => Exit::Internal,
        }
    }
}

fn scenarios(generator: &Generator, args: &GenerateArgs) -> impl Iterator<Item = Scenario> {
    (args.first..args.first + args.count).map(|number| generator.scenario(number))
}

fn write_lines(generator: &Generator, args: &GenerateArgs, out: &mut dyn Write) -> io::Result<()> {
    let mut line = Vec::new();
    for scenario in scenarios(generator, args) {
        line.clear();
        serde_json::to_writer(&mut line, &scenario)?;
        line.push(b'\n');
        out.write_all(&line)?;
    }
    out.flush()
}

/// A pipe or a device is no loss if it is there already, and neither is an empty file.
fn write_file(generator: &Generator, args: &GenerateArgs, path: &Path) -> Result<(), OutputError> {
    let holds_something = path.metadata().is_ok_and(|file| file.is_file() && file.len() > 0);
    if holds_something && !args.force {
        return Err(OutputError::Exists { path: path.to_owned() });
    }
    let (new, file) = NewFile::create(path)
        .map_err(|reason| OutputError::CannotOpen { path: path.to_owned(), reason })?;
    write_lines(generator, args, &mut BufWriter::with_capacity(1 << 16, file))
        .and_then(|()| new.finish())
        .map_err(|reason| OutputError::Lost { path: path.to_owned(), reason })
}

fn write_files(
    generator: &Generator,
    args: &GenerateArgs,
    directory: &Path,
) -> Result<(), OutputError> {
    let path = directory.to_owned();
    if directory.is_file() {
        return Err(OutputError::NotADirectory { path });
    }
    match is_empty(directory) {
        Ok(true) => {}
        Ok(false) if args.force => {}
        Ok(false) => return Err(OutputError::NotEmpty { path }),
        Err(reason) => return Err(OutputError::CannotOpen { path, reason }),
    }
    let mut text = Vec::new();
    for scenario in scenarios(generator, args) {
        let path = directory.join(format!("{}.json", scenario.name));
        text.clear();
        let written = serde_json::to_writer(&mut text, &scenario).map_err(io::Error::from);
        text.push(b'\n');
        let written = written.and_then(|()| match args.force {
            true => NewFile::write(&path, &text),
            // Whatever has come there since stays.
            false => File::create_new(&path)?.write_all(&text),
        });
        written.map_err(|reason| OutputError::Lost { path, reason })?;
    }
    Ok(())
}

/// Whether there is nothing in `directory`, which is made if it does not exist.
fn is_empty(directory: &Path) -> io::Result<bool> {
    fs::create_dir_all(directory)?;
    Ok(fs::read_dir(directory)?.next().is_none())
}
