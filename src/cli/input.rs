//! Reads scenarios from files and from standard input.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use miette::Diagnostic;
use thiserror::Error;

use super::args::is_stdin;
use crate::scenario::{Scenario, ScenarioError, Source};

/// Why there is no scenario.
#[derive(Debug, Error, Diagnostic)]
pub(super) enum InputError {
    #[error("{path} is a directory")]
    #[diagnostic(help("name the files in it: passbook run {path}/*.json"))]
    Directory { path: String },
    #[error("{path} does not exist")]
    #[diagnostic(help("check the path; a relative one starts at the current directory"))]
    Missing { path: String },
    #[error("cannot read {path}: {reason}")]
    #[diagnostic(help("check that it is a file that you may read"))]
    Unreadable { path: String, reason: io::Error },
    #[error("cannot read standard input: {reason}")]
    #[diagnostic(help("pipe a scenario into it, or name a file"))]
    StandardInput { reason: io::Error },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Scenario(#[from] ScenarioError),
}

/// Reads and validates the scenario at `path`; `-` is standard input.
pub(super) fn read_scenario(path: &Path) -> Result<Scenario, InputError> {
    let source = Source::from_bytes(path.display().to_string(), read(path)?)?;
    Ok(Scenario::parse(&source)?)
}

fn read(path: &Path) -> Result<Vec<u8>, InputError> {
    if is_stdin(path) {
        let mut bytes = Vec::new();
        return match io::stdin().lock().read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(reason) => Err(InputError::StandardInput { reason }),
        };
    }
    fs::read(path).map_err(|reason| {
        let is_directory = path.is_dir();
        let path = path.display().to_string();
        if is_directory {
            InputError::Directory { path }
        } else if reason.kind() == io::ErrorKind::NotFound {
            InputError::Missing { path }
        } else {
            InputError::Unreadable { path, reason }
        }
    })
}
