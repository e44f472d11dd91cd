//! Which scenarios of an earlier batch failed, by its rows.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::fingerprint::Fingerprint;
use super::reader::{Entry, Reader, Record, RowsError};
use crate::model::ByteSize;
use crate::source::Place;

/// Why the rows of an earlier batch do not say what failed.
#[derive(Debug, Error)]
pub(crate) enum FailedError {
    #[error("cannot read {path}: {reason}", path = .path.display())]
    Unreadable { path: PathBuf, reason: io::Error },
    #[error("{path}: {problem}", path = .path.display())]
    Rows { path: PathBuf, problem: RowsError },
}

/// The scenarios that failed in an earlier batch. Few bytes of each, however many they are.
#[derive(Debug, Default)]
pub(crate) struct Failed {
    /// Where they stand.
    places: BTreeSet<Fingerprint>,
    /// The files that hold them.
    files: BTreeSet<PathBuf>,
}

impl Failed {
    /// Whether nothing failed.
    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Whether the scenario at `place` is one of them.
    pub(super) fn has(&self, place: &str) -> bool {
        self.places.contains(&Fingerprint::of(place))
    }

    /// The files that hold them.
    pub(crate) fn files(&self) -> impl Iterator<Item = Place> {
        self.files.iter().map(Place::whole)
    }
}

/// What failed, by the file of rows at `path`. What was cut off at its end is passed over: it is no
/// row.
pub(crate) fn failed(path: &Path, line_max: ByteSize) -> Result<Failed, FailedError> {
    let file = File::open(path)
        .map_err(|reason| FailedError::Unreadable { path: path.to_owned(), reason })?;
    let mut failed = Failed::default();
    let mut is_begun = false;
    for entry in Reader::with_line_max(BufReader::new(file), line_max) {
        let was_begun = std::mem::replace(&mut is_begun, true);
        match entry {
            Ok(Entry { record: Record::Scenario(row), .. }) if row.status.is_failure() => {
                failed.places.insert(Fingerprint::of(&row.place));
                let place = Place::from(OsString::from(row.place));
                if !failed.files.contains(place.path()) {
                    failed.files.insert(place.path().to_owned());
                }
            }
            Ok(Entry { record: Record::Scenario(_) | Record::Summary(_), .. }) => {}
            Err(error) if was_begun && error.is_cut_off() => break,
            Err(problem) => return Err(FailedError::Rows { path: path.to_owned(), problem }),
        }
    }
    Ok(failed)
}
