//! Going on with an earlier batch: what its result file holds, and whether it is of these inputs.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::fingerprint::Fingerprint;
use super::reader::{Entry, Reader, Record, RowsError, RowsProblem};
use super::row::Row;
use crate::model::ByteSize;

const BUFFER_BYTES: usize = 1 << 16;

/// Why a batch cannot go on with an earlier one.
#[derive(Debug, Error)]
pub(crate) enum ResumeError {
    #[error("cannot open {file}: {reason}")]
    Open { file: String, reason: io::Error },
    #[error("{file}: {reason}; go on with a file that --export-jsonl or --resume wrote")]
    Rows { file: String, reason: RowsError },
    #[error("{file}: {reason}")]
    OtherFormat { file: String, reason: RowsError },
    #[error("{file} has two rows of scenario {number}; begin again with another file")]
    Twice { file: String, number: u64 },
    #[error(
        "{file} has a row of another scenario {number} than {place}; go on with the inputs of that \
         file, in the same order, or begin another file"
    )]
    OtherScenario { file: String, number: u64, place: String },
    #[error(
        "{file} has a row of scenario {number}, which is not among the inputs; go on with the inputs \
         and the --partition of that file, or begin another file"
    )]
    NotAnInput { file: String, number: u64 },
}

impl ResumeError {
    fn rows(file: String, reason: RowsError) -> Self {
        match reason.problem {
            RowsProblem::Format(_) => Self::OtherFormat { file, reason },
            RowsProblem::Unreadable(_)
            | RowsProblem::Torn
            | RowsProblem::TooLong { .. }
            | RowsProblem::NotJson { .. }
            | RowsProblem::NotARow { .. }
            | RowsProblem::AfterSummary => Self::Rows { file, reason },
        }
    }
}

/// The result file of an earlier batch.
#[derive(Debug)]
pub(crate) struct Earlier {
    path: PathBuf,
    file: File,
    line_max: ByteSize,
    /// Where its rows end, if something follows: a torn line or a summary.
    rows_end: Option<u64>,
}

/// The scenarios whose rows an earlier batch has left.
#[derive(Debug, Default)]
pub(crate) struct EarlierRows {
    file: String,
    /// Number and fingerprint of the place, ascending.
    rows: Vec<(u64, Fingerprint)>,
    next: usize,
}

impl Earlier {
    /// Reads the result file at `path`, which is begun where there is none. None of its lines may
    /// be longer than `line_max`.
    pub(crate) fn open(
        path: &Path,
        line_max: ByteSize,
    ) -> Result<(Self, EarlierRows), ResumeError> {
        let opened =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let file = opened.map_err(|reason| cannot_open(path, reason))?;
        let (held, rows_end) = EarlierRows::of(&file, path, line_max)?;
        Ok((Self { path: path.to_owned(), file, line_max, rows_end }, held))
    }

    /// Hands each row to `take`, in the order of the file.
    pub(crate) fn replay<E: From<ResumeError>>(
        &self,
        mut take: impl FnMut(Row) -> Result<(), E>,
    ) -> Result<(), E> {
        let file = || self.path.display().to_string();
        let mut source = &self.file;
        source.rewind().map_err(|reason| ResumeError::Open { file: file(), reason })?;
        let rows = source.take(self.rows_end.unwrap_or(u64::MAX));
        let buffered = BufReader::with_capacity(BUFFER_BYTES, rows);
        for entry in Reader::with_line_max(buffered, self.line_max) {
            let entry = entry.map_err(|reason| ResumeError::rows(file(), reason))?;
            match entry.record {
                Record::Scenario(row) => take(row)?,
                Record::Summary(_) => {}
            }
        }
        Ok(())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file, ready for the row after the last one.
    pub(crate) fn into_file(mut self) -> io::Result<File> {
        if let Some(end) = self.rows_end {
            self.file.set_len(end)?;
        }
        self.file.seek(SeekFrom::End(0))?;
        Ok(self.file)
    }
}

impl EarlierRows {
    /// Reads the result file at `path` and leaves it as it is; none has no rows.
    pub(crate) fn read(path: &Path, line_max: ByteSize) -> Result<Self, ResumeError> {
        match File::open(path) {
            Ok(file) => Ok(Self::of(&file, path, line_max)?.0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(reason) => Err(cannot_open(path, reason)),
        }
    }

    /// What `file` at `path` holds, and where its rows end if something follows.
    fn of(
        file: &File,
        path: &Path,
        line_max: ByteSize,
    ) -> Result<(Self, Option<u64>), ResumeError> {
        let shown = path.display().to_string();
        let mut rows = Vec::new();
        let mut cut = None;
        let buffered = BufReader::with_capacity(BUFFER_BYTES, file);
        for entry in Reader::with_line_max(buffered, line_max) {
            match entry {
                Ok(Entry { record: Record::Scenario(row), .. }) => {
                    rows.push((row.number, Fingerprint::of(&row.place)));
                }
                Ok(Entry { record: Record::Summary(_), offset, .. })
                | Err(RowsError { problem: RowsProblem::Torn, offset, .. }) => {
                    cut.get_or_insert(offset);
                }
                Err(reason) => return Err(ResumeError::rows(shown, reason)),
            }
        }
        rows.sort_unstable();
        if let Some(twice) = rows.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(ResumeError::Twice { file: shown, number: twice[0].0 });
        }
        Ok((Self { file: shown, rows, next: 0 }, cut))
    }

    /// Whether the file holds the row of scenario `number` at `place`. To be asked in ascending
    /// order of numbers, about every scenario that is to be run.
    pub(crate) fn holds(&mut self, number: u64, place: &str) -> Result<bool, ResumeError> {
        let file = || self.file.clone();
        match self.rows.get(self.next) {
            Some((held, _)) if *held < number => {
                Err(ResumeError::NotAnInput { file: file(), number: *held })
            }
            Some((held, at)) if *held == number => {
                if *at != Fingerprint::of(place) {
                    let place = place.to_owned();
                    return Err(ResumeError::OtherScenario { file: file(), number, place });
                }
                self.next += 1;
                Ok(true)
            }
            Some(_) | None => Ok(false),
        }
    }

    /// To be asked when there are no more scenarios.
    pub(crate) fn has_met_all(&self) -> Result<(), ResumeError> {
        match self.rows.get(self.next) {
            Some((number, _)) => {
                Err(ResumeError::NotAnInput { file: self.file.clone(), number: *number })
            }
            None => Ok(()),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

fn cannot_open(path: &Path, reason: io::Error) -> ResumeError {
    ResumeError::Open { file: path.display().to_string(), reason }
}
