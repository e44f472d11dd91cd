//! Reads scenarios from files and from standard input.

use std::io;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use super::discovery::{expected_results, unpacked};
use super::document::DocumentError;
use super::kind::{Kind, OtherKind};
use super::place::{Place, STDIN};
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
    Unfit { path: String, problem: DocumentError },
    #[error(transparent)]
    #[diagnostic(transparent)]
    OtherKind(#[from] OtherKind),
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

/// Reads and validates the scenario at `place`. No more than `document_max` is read. `event_ids`
/// overrides what it says of its event ids.
pub(crate) fn read_scenario(
    place: &Place,
    document_max: ByteSize,
    event_ids: Option<EventIds>,
) -> Result<Scenario, InputError> {
    parse_scenario(place, read_text(place, document_max)?, event_ids)
}

/// Reads what stands at `place`, without looking what it is. No more than `document_max` is read.
pub(crate) fn read_text(place: &Place, document_max: ByteSize) -> Result<Vec<u8>, InputError> {
    place.read(document_max).map_err(|error| InputError::at(place, error))
}

/// Validates the scenario that stands at `place` and says `bytes`.
pub(crate) fn parse_scenario(
    place: &Place,
    bytes: Vec<u8>,
    event_ids: Option<EventIds>,
) -> Result<Scenario, InputError> {
    let source = Source::from_bytes(unpacked(&place.to_string()), bytes)?;
    let parsed = Scenario::parse_with(&source, event_ids);
    let mut scenario = parsed.map_err(|error| not_a_scenario(place, &source, error))?;
    if place.is_line() && !scenario.warnings.is_empty() {
        // The place says the line already: what follows it is the column.
        let (lines, column) = (format!("{}:1:", source.shown_name()), format!("{place}:"));
        for warning in &mut scenario.warnings {
            warning.message = warning.message.replace(&lines, &column);
        }
    }
    Ok(scenario)
}

/// Takes the expected result of `scenario`, which stands at `place`, from the file beside it, if it
/// is a file that has one and the scenario says nothing itself. No more than `document_max` is
/// read.
pub(crate) fn expect_what_stands_beside(
    place: &Place,
    document_max: ByteSize,
    scenario: &mut Scenario,
) -> Result<(), InputError> {
    if scenario.expected.is_some() {
        return Ok(());
    }
    match what_stands_beside(place, document_max)? {
        Some((name, bytes)) => expect_what_says(name, bytes, scenario),
        None => Ok(()),
    }
}

/// The file beside `place` that may have what is expected of it, with its name, if there is one. No
/// more than `document_max` is read.
pub(crate) fn what_stands_beside(
    place: &Place,
    document_max: ByteSize,
) -> Result<Option<(String, Vec<u8>)>, InputError> {
    let Some(path) = place.whole_file() else { return Ok(None) };
    for beside in expected_results(path) {
        let beside = Place::whole(beside);
        match beside.read(document_max).map_err(|error| InputError::at(&beside, error)) {
            Ok(bytes) => return Ok(Some((beside.to_string(), bytes))),
            Err(InputError::Missing { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Takes the expected result of `scenario` from `bytes`, which is the file `name`, unless the
/// scenario says it itself.
pub(crate) fn expect_what_says(
    name: String,
    bytes: Vec<u8>,
    scenario: &mut Scenario,
) -> Result<(), InputError> {
    if scenario.expected.is_none() {
        let expected = scenario.parse_expected(&Source::from_bytes(name, bytes)?)?;
        scenario.expected = Some(expected.output);
        scenario.warnings.extend(expected.notes);
    }
    Ok(())
}

/// Reads and validates the scenario that is the first line of standard input.
pub(crate) fn read_scenario_line(document_max: ByteSize) -> Result<Scenario, InputError> {
    let mut lines = Lines::new(io::stdin().lock(), document_max);
    let end = lines.advance().map_err(|reason| InputError::StandardInput { reason })?;
    if end == Some(LineEnd::BeyondLimit) {
        let error = DocumentError::TooLong { limit: document_max };
        return Err(InputError::at(&Place::whole(STDIN), error));
    }
    let source = Source::from_bytes(STDIN, lines.take_bytes())?;
    Scenario::parse(&source).map_err(|error| not_a_scenario(&Place::whole(STDIN), &source, error))
}

/// Why the text of `source`, which stands at `place`, is no scenario: it is something else, or has
/// an `error`.
fn not_a_scenario(place: &Place, source: &Source, error: ScenarioError) -> InputError {
    match OtherKind::of(place, source.text().as_bytes(), Kind::Scenario) {
        Some(other) => other.into(),
        None => error.into(),
    }
}

impl InputError {
    /// Why nothing can be read at `place`.
    fn at(place: &Place, error: DocumentError) -> Self {
        let path = place.name();
        match error {
            DocumentError::Unreadable(reason) if place.is_stdin() => Self::StandardInput { reason },
            DocumentError::Unreadable(reason) if reason.kind() == io::ErrorKind::IsADirectory => {
                Self::Directory { path }
            }
            DocumentError::Unreadable(reason) if reason.kind() == io::ErrorKind::NotFound => {
                Self::Missing { path }
            }
            DocumentError::Unreadable(reason) => Self::Unreadable { path, reason },
            problem @ (DocumentError::TooLong { .. }
            | DocumentError::Blank { .. }
            | DocumentError::LineZero
            | DocumentError::BlankLine
            | DocumentError::PastEnd { .. }) => Self::Unfit { path, problem },
        }
    }
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
