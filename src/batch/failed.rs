//! Which scenarios of an earlier batch failed, by its rows.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::reader::{Reader, Record, RowsError};
use crate::model::ByteSize;

/// Why the rows of an earlier batch do not say what failed.
#[derive(Debug, Error)]
pub(crate) enum FailedError {
    #[error("cannot read {path}: {reason}", path = .path.display())]
    Unreadable { path: PathBuf, reason: io::Error },
    #[error("{path}: {problem}", path = .path.display())]
    Rows { path: PathBuf, problem: RowsError },
}

/// The places of the scenarios that failed, in the file of rows at `path`. What was cut off at its end
/// is passed over: it is no row.
pub(crate) fn failed_places(
    path: &Path,
    line_max: ByteSize,
) -> Result<BTreeSet<String>, FailedError> {
    let path = || path.to_owned();
    let file =
        File::open(path()).map_err(|reason| FailedError::Unreadable { path: path(), reason })?;
    let mut places = BTreeSet::new();
    for entry in Reader::with_line_max(BufReader::new(file), line_max) {
        match entry {
            Ok(entry) => match entry.record {
                Record::Scenario(row) if row.status.is_failure() => {
                    places.insert(row.place);
                }
                Record::Scenario(_) | Record::Summary(_) => {}
            },
            Err(error) if error.is_cut_off() => break,
            Err(problem) => return Err(FailedError::Rows { path: path(), problem }),
        }
    }
    Ok(places)
}
