//! Reads scenarios from files and from standard input.

use std::io;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use super::decoding::{read_all, read_file};
use super::discovery::{expected_results, unpacked};
use super::document::DocumentError;
use super::place::{STDIN, is_stdin};
use crate::history::{LineEnd, Lines};
use crate::model::{ByteSize, EventIds};
use crate::report::shell;
use crate::scenario::{Scenario, ScenarioError, Source};

/// Why there is no scenario.
#[derive(Debug, Error, Diagnostic)]
pub(crate) enum InputError {
    #[error("{path} is a directory")]
    #[diagnostic(help("name the files in it: passbook run {}/*.json", shell::file(path)))]
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
    #[error("{path} is {problem}")]
    TooMuch { path: String, problem: DocumentError },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Scenario(#[from] ScenarioError),
}

/// What stands after a scenario's name in the name of the file with its expected result.
const EXPECTED: &str = ".expected.json";

/// The scenario that `path` holds the expected result of, if there is one beside it: `x.json` for
/// `x.expected.json`. So a shell's `*.json` can be run as it is.
pub(crate) fn scenario_beside(path: &Path) -> Option<PathBuf> {
    let stem = path.file_name()?.to_str()?.strip_suffix(EXPECTED)?;
    let scenario = path.with_file_name(format!("{stem}.json"));
    scenario.is_file().then_some(scenario)
}

/// Reads and validates the scenario at `path`, which may be packed; `-` is standard input. No more
/// than `document_max` is read. `event_ids` overrides what it says of its event ids.
pub(crate) fn read_scenario(
    path: &Path,
    document_max: ByteSize,
    event_ids: Option<EventIds>,
) -> Result<Scenario, InputError> {
    let bytes = read(path, document_max)?;
    let source = Source::from_bytes(unpacked(&path.display().to_string()), bytes)?;
    Ok(Scenario::parse_with(&source, event_ids)?)
}

/// Takes the expected result of `scenario`, which is the file `path`, from the file beside it, if
/// there is one and the scenario says nothing itself. No more than `document_max` is read.
pub(crate) fn expect_what_stands_beside(
    path: &Path,
    document_max: ByteSize,
    scenario: &mut Scenario,
) -> Result<(), InputError> {
    if scenario.expected.is_some() {
        return Ok(());
    }
    for beside in expected_results(path) {
        let name = beside.display().to_string();
        let bytes = match read_file(&beside, document_max) {
            Ok(bytes) => bytes,
            Err(DocumentError::Unreadable(error)) if error.kind() == io::ErrorKind::NotFound => {
                continue;
            }
            Err(DocumentError::Unreadable(reason)) => {
                return Err(InputError::Unreadable { path: name, reason });
            }
            Err(problem @ (DocumentError::TooLong { .. } | DocumentError::Blank { .. })) => {
                return Err(InputError::TooMuch { path: name, problem });
            }
        };
        let expected = scenario.parse_expected(&Source::from_bytes(name, bytes)?)?;
        scenario.expected = Some(expected.output);
        scenario.warnings.extend(expected.notes);
        return Ok(());
    }
    Ok(())
}

/// Reads and validates the scenario that is the first line of standard input.
pub(crate) fn read_scenario_line(document_max: ByteSize) -> Result<Scenario, InputError> {
    let mut lines = Lines::new(io::stdin().lock(), document_max);
    let end = lines.advance().map_err(|reason| InputError::StandardInput { reason })?;
    if end == Some(LineEnd::BeyondLimit) {
        let problem = DocumentError::TooLong { limit: document_max };
        return Err(InputError::TooMuch { path: "standard input".to_owned(), problem });
    }
    Ok(Scenario::parse(&Source::from_bytes(STDIN, lines.take_bytes())?)?)
}

fn read(path: &Path, document_max: ByteSize) -> Result<Vec<u8>, InputError> {
    if is_stdin(path) {
        return read_all(io::stdin(), document_max).map_err(|error| match error {
            DocumentError::Unreadable(reason) => InputError::StandardInput { reason },
            problem @ (DocumentError::TooLong { .. } | DocumentError::Blank { .. }) => {
                InputError::TooMuch { path: "standard input".to_owned(), problem }
            }
        });
    }
    read_file(path, document_max).map_err(|error| {
        let is_directory = path.is_dir();
        let path = path.display().to_string();
        match error {
            DocumentError::Unreadable(_) if is_directory => InputError::Directory { path },
            DocumentError::Unreadable(reason) if reason.kind() == io::ErrorKind::NotFound => {
                InputError::Missing { path }
            }
            DocumentError::Unreadable(reason) => InputError::Unreadable { path, reason },
            problem @ (DocumentError::TooLong { .. } | DocumentError::Blank { .. }) => {
                InputError::TooMuch { path, problem }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expected_result_stands_beside_its_scenario() {
        let beside = |name: &str| scenario_beside(Path::new(name));
        let classic = PathBuf::from("input/read_your_writes.json");
        assert_eq!(beside("input/read_your_writes.expected.json"), Some(classic));
        for scenario in ["input/read_your_writes.json", "input/none.expected.json", "-"] {
            assert_eq!(beside(scenario), None, "{scenario}");
        }
    }
}
