//! Judges a history file.

use std::io::BufRead;

use thiserror::Error;

use super::memory::{Amounts, line_bytes};
use super::{Case, InvalidHistory, Judge, JudgeError, JudgeOptions, Verdicts};
use crate::history::{Extent, HistoryError, Reader, Recorded};

/// Why there is no verdict on a history file. Each names the line.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The file is no history, or not a whole one.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// It is a history that no run can have.
    #[error("line {line}: {problem}")]
    InvalidHistory {
        /// The line, from 1.
        line: u64,
        /// What is wrong with the fact on it.
        problem: InvalidHistory,
    },
    /// To judge it takes more memory than it may.
    #[error("line {line}: to judge all up to here takes {bytes} bytes of memory")]
    TooLarge {
        /// The line, from 1, at which that is known.
        line: u64,
        /// How much it takes by then.
        bytes: u64,
    },
}

/// Reads a history to its end and judges it. With its end marker it is taken for a settled one, as
/// [`judge()`](super::judge()) says; one that was cut off is judged as far as it goes, as by
/// [`judge_cut_off`](super::judge_cut_off). As soon as it would take more than `bytes_max` of
/// memory, nothing more is read of it.
pub fn judge_history<R: BufRead>(
    reader: Reader<R>,
    options: JudgeOptions,
    bytes_max: u64,
) -> Result<Verdicts, CheckError> {
    judge_and_keep(reader, options, bytes_max, |_| 0)
}

/// The same, and each fact goes to `keep`, which says how many bytes it has kept.
pub(crate) fn judge_and_keep<R: BufRead>(
    mut reader: Reader<R>,
    options: JudgeOptions,
    bytes_max: u64,
    mut keep: impl FnMut(Recorded) -> u64,
) -> Result<Verdicts, CheckError> {
    let case = Case::of(reader.header());
    let bank = Amounts { branches: case.roster.len(), ..Amounts::default() };
    check_room(1, bank.bytes(), &reader, bytes_max)?;
    let mut judge = Judge::new(case, options);
    while let Some(entry) = reader.next() {
        let entry = entry?;
        judge.observe(&entry.recorded).map_err(|JudgeError { problem, .. }| {
            CheckError::InvalidHistory { line: entry.line, problem }
        })?;
        let kept = keep(entry.recorded);
        check_room(entry.line, judge.bytes().saturating_add(kept), &reader, bytes_max)?;
    }
    if reader.extent() == Extent::CutOff {
        judge.cut_off();
    }
    // The header is line 1, so a fact stands on the line after its number.
    judge.finish().map_err(|JudgeError { fact, problem }| CheckError::InvalidHistory {
        line: fact.saturating_add(1),
        problem,
    })
}

/// Whether there is room for a judge of so many bytes beside what is read.
fn check_room<R>(
    line: u64,
    judge_bytes: u64,
    reader: &Reader<R>,
    bytes_max: u64,
) -> Result<(), CheckError> {
    let bytes = judge_bytes.saturating_add(line_bytes(reader.longest_line()));
    if bytes <= bytes_max { Ok(()) } else { Err(CheckError::TooLarge { line, bytes }) }
}
