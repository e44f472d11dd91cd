//! Judges a history file.

use std::io::BufRead;

use thiserror::Error;

use super::{Case, Impossible, Judge, JudgeError, JudgeOptions, Verdicts};
use crate::history::{Extent, HistoryError, Reader};

/// Why there is no verdict on a history file. Each names the line.
#[derive(Debug, Error)]
pub enum CheckError {
    /// The file is no history, or not a whole one.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// It is a history that no run can have.
    #[error("line {line}: {problem}")]
    Impossible {
        /// The line, from 1.
        line: u64,
        /// What is wrong with the fact on it.
        problem: Impossible,
    },
}

/// Reads a history to its end and judges it. One that was cut off is judged as far as it goes.
pub fn judge_history<R: BufRead>(
    mut reader: Reader<R>,
    options: JudgeOptions,
) -> Result<Verdicts, CheckError> {
    let mut judge = Judge::new(Case::of(reader.header()), options);
    for entry in reader.by_ref() {
        let entry = entry?;
        judge.observe(&entry.recorded).map_err(|JudgeError { problem, .. }| {
            CheckError::Impossible { line: entry.line, problem }
        })?;
    }
    if reader.extent() == Extent::CutOff {
        judge.cut_off();
    }
    // The header is line 1, so a fact stands on the line after its number.
    judge.finish().map_err(|JudgeError { fact, problem }| CheckError::Impossible {
        line: fact.saturating_add(1),
        problem,
    })
}
