//! What came of a share, as it is sent: the rows, the same bytes as one machine writes, and then a line about
//! all of it, compressed; and whether two results of one share are the same but for times.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::compressed::{self, compress, decompress};
use crate::batch::{Overview, Row};
use crate::simulate::Found;

/// What came of a share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ShareResult {
    /// Rows of scenarios.
    Rows {
        /// What they come to together.
        about: RowsHead,
        /// A line each, as `batch` writes them.
        lines: Vec<u8>,
    },
    /// What was counted over seeds.
    Found(Box<Found>),
}

/// What rows come to together, so that whoever joins them need not read them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RowsHead {
    /// All that a summary needs.
    pub(crate) overview: Overview,
    /// How many scenarios were filtered out.
    pub(crate) filtered_out: u64,
}

/// So many bytes are the rows of a share at most: what is sent beside them is far less than the rest.
pub(crate) const RESULT_BYTES_MAX: usize = compressed::BYTES_MAX / 2;

/// The last line of a result.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum About {
    Rows(RowsHead),
    Found(Box<Found>),
}

/// Bytes that are no result of a share.
#[derive(Debug, Error)]
#[error("not the result of a share: {reason}")]
pub(crate) struct ResultError {
    reason: String,
}

/// Two results of one share that must be the same, and are not: the first lines that differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Difference {
    pub(crate) one: String,
    pub(crate) other: String,
}

impl ShareResult {
    /// As it is sent.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        let (about, mut bytes) = match self {
            Self::Rows { about, lines } => (About::Rows(about), lines),
            Self::Found(found) => (About::Found(found), Vec::new()),
        };
        serde_json::to_writer(&mut bytes, &about).expect("a line is JSON, and memory takes it");
        compress(&bytes)
    }

    /// Reads what was sent.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, ResultError> {
        let not_one = |error: &dyn std::error::Error| ResultError { reason: error.to_string() };
        let mut lines = decompress(bytes).map_err(|error| not_one(&error))?;
        let (rows, about) = split(&lines);
        let (rows, about) = (rows.len(), serde_json::from_slice(about));
        Ok(match about.map_err(|error| not_one(&error))? {
            About::Rows(about) => {
                lines.truncate(rows);
                Self::Rows { about, lines }
            }
            About::Found(found) => Self::Found(found),
        })
    }
}

/// Where the results `one` and `other` of one share differ in more than times.
pub(crate) fn difference(one: &[u8], other: &[u8]) -> Option<Difference> {
    // What nobody has compressed is shown as it is.
    let text = |bytes: &[u8]| decompress(bytes).unwrap_or_else(|_| bytes.to_vec());
    let (one, other) = (text(one), text(other));
    let ((lines, about), (other_lines, other_about)) = (split(&one), split(&other));
    if lines.is_empty() && other_lines.is_empty() && kept(about) != kept(other_about) {
        return Some(differing(about, other_about));
    }
    let mut lines = lines.split_inclusive(|byte| *byte == b'\n');
    let mut other_lines = other_lines.split_inclusive(|byte| *byte == b'\n');
    loop {
        match (lines.next(), other_lines.next()) {
            (None, None) => return None,
            (Some(line), Some(other)) if is_same_row(line, other) => {}
            (line, other) => {
                return Some(differing(line.unwrap_or_default(), other.unwrap_or_default()));
            }
        }
    }
}

fn differing(one: &[u8], other: &[u8]) -> Difference {
    let text = |line: &[u8]| String::from_utf8_lossy(line).trim_end().to_owned();
    Difference { one: text(one), other: text(other) }
}

/// What of the last line is no time: all of what was found, and of rows how many there are and of which kinds.
fn kept(about: &[u8]) -> Option<Kept> {
    Some(match serde_json::from_slice(about).ok()? {
        About::Rows(RowsHead { overview, filtered_out }) => {
            Kept::Rows { rows: overview.statuses().total(), filtered_out }
        }
        About::Found(found) => Kept::Found(found),
    })
}

#[derive(PartialEq)]
enum Kept {
    Rows { rows: u64, filtered_out: u64 },
    Found(Box<Found>),
}

fn is_same_row(one: &[u8], other: &[u8]) -> bool {
    let timeless = |line: &[u8]| -> Option<Row> {
        let row = serde_json::from_slice(line).ok()?;
        Some(Row { microseconds: 0, ..row })
    };
    one == other || timeless(one).is_some_and(|row| Some(row) == timeless(other))
}

/// The rows, and the line about them.
fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    let rows = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    bytes.split_at(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{RowHead, append_line};
    use crate::simulate::{Finding, Tally};

    fn row(number: u64, problem: &str, took_us: u64) -> Row {
        let head = RowHead {
            number,
            place: format!("-:{number}"),
            packed: None,
            options: "--seed 7".into(),
            took: std::time::Duration::from_micros(took_us),
        };
        Row::failed(head, None, problem.to_owned())
    }

    fn rows(of: &[Row]) -> Vec<u8> {
        let (mut about, mut lines) = (RowsHead::default(), Vec::new());
        for row in of {
            about.overview.add(row);
            append_line(&mut lines, row);
        }
        ShareResult::Rows { about, lines }.into_bytes()
    }

    fn found(seed: u64) -> Vec<u8> {
        let tally = Tally {
            seeds: 16,
            simulated: std::time::Duration::from_micros(1_234_567_891),
            ..Tally::default()
        };
        let findings = vec![(seed, Finding::Failed { problem: "it panicked".to_owned() })];
        ShareResult::Found(Box::new(Found { tally, findings })).into_bytes()
    }

    #[test]
    fn what_is_sent_is_read() {
        for bytes in [rows(&[]), rows(&[row(1, "a", 10), row(2, "b", 20)]), found(7)] {
            let read = ShareResult::from_bytes(&bytes).unwrap();
            assert_eq!(read.into_bytes(), bytes);
        }
        assert!(ShareResult::from_bytes(&compress(b"{}")).is_err());
        assert!(ShareResult::from_bytes(b"").is_err());
    }

    #[test]
    fn times_may_differ_and_nothing_else() {
        let one = rows(&[row(1, "a", 10), row(2, "b", 20)]);
        assert_eq!(difference(&one, &rows(&[row(1, "a", 11), row(2, "b", 900)])), None);
        let other = difference(&one, &rows(&[row(1, "a", 10), row(2, "c", 20)])).unwrap();
        assert!(other.one.contains(r#""problem":"b""#), "{other:?}");
        assert!(other.other.contains(r#""problem":"c""#), "{other:?}");
        let fewer = difference(&one, &rows(&[row(1, "a", 10)])).unwrap();
        assert_eq!(fewer.other, "");
        assert_eq!(difference(&found(7), &found(7)), None);
        assert!(difference(&found(7), &found(8)).is_some());
    }

    #[test]
    fn rows_that_are_all_filtered_out_are_the_same_only_where_as_many_are() {
        let none = |filtered_out| {
            let about = RowsHead { filtered_out, ..RowsHead::default() };
            ShareResult::Rows { about, lines: Vec::new() }.into_bytes()
        };
        assert_eq!(difference(&none(3), &none(3)), None);
        assert!(difference(&none(3), &none(4)).is_some());
    }
}
