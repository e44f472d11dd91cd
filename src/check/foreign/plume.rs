//! Reads Plume's text: `r|w(key,value,session,transaction)`, an operation a line.

use std::io::{BufRead, Read};

use super::finding::ForeignError;
use crate::model::ByteSize;
use crate::model::number::count;

/// An operation of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyOperation {
    pub(super) line: u64,
    pub(super) action: Action,
    pub(super) key: u64,
    pub(super) value: u64,
    pub(super) session: u64,
    pub(super) transaction: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Read,
    Write,
}

/// As long as a line gets: four numbers.
const LINE_MAX: u64 = 128;

/// Reads all operations, in the order of their lines.
pub(super) fn read(
    mut input: impl BufRead,
    room: ByteSize,
) -> Result<Vec<KeyOperation>, ForeignError> {
    let (mut operations, mut text) = (Vec::new(), String::new());
    let (mut line, mut bytes) = (0, 0);
    loop {
        text.clear();
        line += 1;
        let problem = |problem: &str| ForeignError::Malformed { line, problem: problem.to_owned() };
        let read = input.by_ref().take(LINE_MAX).read_line(&mut text);
        match read {
            Ok(0) => return Ok(operations),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                return Err(problem("this is no text in UTF-8"));
            }
            Err(error) => return Err(error.into()),
        }
        bytes += count(text.len());
        if bytes > room.bytes() {
            return Err(ForeignError::TooLarge { limit: room });
        }
        let told = text.trim();
        if told.is_empty() {
            continue;
        }
        let operation = operation(told, line);
        operations.push(operation.ok_or_else(|| {
            problem("this is no operation; one reads `r(key,value,session,transaction)`, or `w(…)`, with whole numbers")
        })?);
    }
}

fn operation(text: &str, line: u64) -> Option<KeyOperation> {
    let action = match text.split_at_checked(1)? {
        ("r", _) => Action::Read,
        ("w", _) => Action::Write,
        (_, _) => return None,
    };
    let numbers = text[1..].strip_prefix('(')?.strip_suffix(')')?;
    let mut numbers = numbers.split(',').map(|number| number.trim().parse().ok());
    let mut next = || numbers.next().flatten();
    let (key, value, session, transaction) = (next()?, next()?, next()?, next()?);
    let is_all = next().is_none();
    is_all.then_some(KeyOperation { line, action, key, value, session, transaction })
}
