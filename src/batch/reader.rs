//! Reads the lines of a result file back, one by one.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::Path;

use serde::Deserialize;
use serde_json::error::Category;
use thiserror::Error;

use super::row::{FORMATS, first_format};
use super::{Row, Summary};
use crate::history::{DOCUMENT_MAX, LineEnd, Lines};
use crate::model::{ByteSize, UnknownVersion};

/// Reads a result file. Ends after its last line, or after the first error.
#[derive(Debug)]
pub struct Reader<R> {
    lines: Lines<R>,
    ended: bool,
    summarized: bool,
}

/// One line of a result file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number, from 1.
    pub line: u64,
    /// Where it begins, in bytes from the start: to go on from there, cut the file here.
    pub offset: u64,
    /// What it says.
    pub record: Record,
}

/// What a line of a result file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// The result of one scenario.
    Scenario(Row),
    /// The result of all: the last line.
    Summary(Summary),
}

/// A result file that cannot be read, and where.
#[derive(Debug, Error)]
#[error("line {line}: {problem}")]
#[non_exhaustive]
pub struct RowsError {
    /// The line, from 1.
    pub line: u64,
    /// Where it begins, in bytes from the start.
    pub offset: u64,
    /// What is wrong with it.
    #[source]
    pub problem: RowsProblem,
}

/// What is wrong with a line of a result file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RowsProblem {
    /// The source failed.
    #[error("cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// The last line has no newline at its end.
    #[error("the line has no end: it was cut off while it was written")]
    Torn,
    /// More than is read of one line.
    #[error("longer than {limit}; --document-max allows more")]
    TooLong {
        /// The longest line that is read.
        limit: ByteSize,
    },
    /// The line is no JSON.
    #[error("not JSON: {reason} (column {column})")]
    NotJson {
        /// Where in the line, in bytes from 1.
        column: usize,
        /// What the JSON parser says.
        reason: String,
    },
    /// The line is JSON, but neither a row nor a summary.
    #[error("neither a row nor the summary of a batch: {reason} (column {column})")]
    NotARow {
        /// Where in the line, in bytes from 1.
        column: usize,
        /// What does not fit.
        reason: String,
    },
    /// A row of another passbook's format.
    #[error(transparent)]
    Format(#[from] UnknownVersion),
    /// Something follows the summary.
    #[error("a line after the summary")]
    AfterSummary,
}

#[derive(Deserialize)]
struct Preamble {
    kind: Kind,
    #[serde(default = "first_format")]
    format: u64,
}

/// The part of a line that every format has.
#[derive(Deserialize)]
struct FormatOnly {
    #[serde(default = "first_format")]
    format: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Scenario,
    Summary,
}

impl RowsError {
    /// Whether it is of a line that was cut off while it was written.
    pub(super) const fn is_cut_off(&self) -> bool {
        matches!(self.problem, RowsProblem::Torn)
    }
}

impl<R: BufRead> Reader<R> {
    /// Reads from `input`. No line may be longer than [`DOCUMENT_MAX`].
    pub fn new(input: R) -> Self {
        Self::with_line_max(input, DOCUMENT_MAX)
    }

    /// Reads from `input`. No line may be longer than `line_max`.
    pub fn with_line_max(input: R, line_max: ByteSize) -> Self {
        Self { lines: Lines::new(input, line_max), ended: false, summarized: false }
    }

    /// Goes to `line`, which begins at `offset`, to read on from there.
    pub(super) fn go_to(&mut self, offset: u64, line: u64) -> Result<(), RowsError>
    where
        R: Seek,
    {
        let here = self.lines.next_offset();
        let input = self.lines.moved(line, offset);
        // Relative, because what is buffered may hold the place already.
        let by = i64::try_from(i128::from(offset) - i128::from(here));
        let moved = match by {
            Ok(by) => input.seek_relative(by),
            Err(_) => input.seek(SeekFrom::Start(offset)).map(|_| ()),
        };
        moved.map_err(|error| RowsError {
            line,
            offset,
            problem: RowsProblem::Unreadable(error),
        })?;
        (self.ended, self.summarized) = (false, false);
        Ok(())
    }

    fn record(&mut self) -> Result<Option<Record>, RowsProblem> {
        if !self.advance()? {
            return Ok(None);
        }
        if self.summarized {
            return Err(RowsProblem::AfterSummary);
        }
        match kind(self.lines.bytes())? {
            Kind::Scenario => Ok(Some(Record::Scenario(parse(self.lines.bytes())?))),
            Kind::Summary => {
                self.summarized = true;
                Ok(Some(Record::Summary(parse(self.lines.bytes())?)))
            }
        }
    }

    /// Goes to the next line; false after the last.
    fn advance(&mut self) -> Result<bool, RowsProblem> {
        match self.lines.advance().map_err(RowsProblem::Unreadable)? {
            None => Ok(false),
            Some(LineEnd::Newline) => Ok(true),
            Some(LineEnd::Input) => Err(RowsProblem::Torn),
            Some(LineEnd::BeyondLimit) => {
                Err(RowsProblem::TooLong { limit: self.lines.line_max() })
            }
        }
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Entry, RowsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let record = self.record();
        self.ended = !matches!(record, Ok(Some(_)));
        let (line, offset) = (self.lines.number(), self.lines.offset());
        match record {
            Ok(record) => record.map(|record| Ok(Entry { line, offset, record })),
            Err(problem) => Some(Err(RowsError { line, offset, problem })),
        }
    }
}

/// Which kind of line it is. Of another format it may be of any kind.
fn kind(line: &[u8]) -> Result<Kind, RowsProblem> {
    let preamble = parse(line);
    let format = match &preamble {
        Ok(Preamble { format, .. }) => Ok(*format),
        Err(_) => parse(line).map(|FormatOnly { format }| format),
    };
    if let Ok(format) = format {
        FORMATS.check(format)?;
    }
    preamble.map(|Preamble { kind, .. }| kind)
}

fn parse<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T, RowsProblem> {
    // With its end, a line that stops short would be said to stop in the next one.
    serde_json::from_slice(line.trim_ascii_end()).map_err(|error| {
        let column = error.column();
        let text = error.to_string();
        // The parser sees one line, so its line number would mislead.
        let place = format!(" at line {} column {column}", error.line());
        let reason = text.strip_suffix(&place).unwrap_or(&text).to_owned();
        match error.classify() {
            Category::Data => RowsProblem::NotARow { column, reason },
            Category::Io | Category::Syntax | Category::Eof => {
                RowsProblem::NotJson { column, reason }
            }
        }
    })
}
/// Whether the file at `path` has nothing but rows of an earlier batch, or nothing at all.
pub fn holds_rows(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    match Reader::new(BufReader::new(file)).next() {
        None | Some(Ok(_) | Err(RowsError { problem: RowsProblem::Torn, .. })) => true,
        Some(Err(_)) => false,
    }
}
