//! Reads scenarios from files and from standard input.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use super::args::is_stdin;
use super::batch::{expected_results, read_all, unpacked};
use crate::model::EventIds;
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

/// What stands after a scenario's name in the name of the file with its expected result.
const EXPECTED: &str = ".expected.json";

/// The scenario that `path` holds the expected result of, if there is one beside it: `x.json` for
/// `x.expected.json`. So a shell's `*.json` can be run as it is.
pub(super) fn scenario_beside(path: &Path) -> Option<PathBuf> {
    let stem = path.file_name()?.to_str()?.strip_suffix(EXPECTED)?;
    let scenario = path.with_file_name(format!("{stem}.json"));
    scenario.is_file().then_some(scenario)
}

/// Reads and validates the scenario at `path`, which may be packed; `-` is standard input. `event_ids`
/// overrides what it says of its event ids.
pub(super) fn read_scenario(
    path: &Path,
    event_ids: Option<EventIds>,
) -> Result<Scenario, InputError> {
    let source = Source::from_bytes(unpacked(&path.display().to_string()), read(path)?)?;
    Ok(Scenario::parse_with(&source, event_ids)?)
}

/// Takes the expected result of `scenario`, which is the file `path`, from the file beside it, if
/// there is one and the scenario says nothing itself.
pub(super) fn expect_what_stands_beside(
    path: &Path,
    scenario: &mut Scenario,
) -> Result<(), InputError> {
    if scenario.expected.is_some() {
        return Ok(());
    }
    for beside in expected_results(path) {
        let name = beside.display().to_string();
        let bytes = match File::open(&beside).and_then(read_all) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(reason) => return Err(InputError::Unreadable { path: name, reason }),
        };
        let expected = scenario.parse_expected(&Source::from_bytes(name, bytes)?)?;
        scenario.expected = Some(expected.output);
        scenario.warnings.extend(expected.notes);
        return Ok(());
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, InputError> {
    if is_stdin(path) {
        return read_all(io::stdin()).map_err(|reason| InputError::StandardInput { reason });
    }
    File::open(path).and_then(read_all).map_err(|reason| {
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
