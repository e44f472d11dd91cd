//! Reads Elle's list-append histories as JSON: a list of operations, or one a line.

use std::io::{BufRead, Read};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::finding::ForeignError;
use crate::model::number::count;
use crate::model::{ByteSize, Shown};

/// A transaction of a session that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListTransaction {
    /// The line on which its end stands, from 1.
    pub(super) line: u64,
    pub(super) session: String,
    pub(super) end: End,
    pub(super) operations: Vec<ListOperation>,
}

/// How a transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Done,
    /// Nobody knows whether it took effect.
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ListOperation {
    Append { key: String, element: String },
    Read { key: String, elements: Vec<String> },
}

#[derive(Deserialize)]
struct Transaction {
    r#type: String,
    process: Value,
    #[serde(default)]
    value: Option<Vec<(String, Value, Option<Value>)>>,
}

/// Reads all transactions that may have taken effect, in the order in which they ended.
pub(super) fn read(
    input: impl BufRead,
    room: ByteSize,
) -> Result<Vec<ListTransaction>, ForeignError> {
    let mut bytes = Vec::new();
    let limit = room.bytes().saturating_add(1);
    input.take(limit).read_to_end(&mut bytes)?;
    if count(bytes.len()) == limit {
        return Err(ForeignError::TooLarge { limit: room });
    }
    let malformed = |line: u64, problem: String| ForeignError::Malformed { line, problem };
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| malformed(1, "this is no text in UTF-8".to_owned()))?;
    let no_json = |line: u64, error: &serde_json::Error| {
        let told = error.to_string();
        malformed(line, format!("this is no history of Elle as JSON: {told}"))
    };
    let is_list = text.trim_start().starts_with('[');
    let raw: Vec<&RawValue> = if is_list {
        serde_json::from_str(text).map_err(|error| no_json(count(error.line()), &error))?
    } else {
        let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
        let read =
            |(line, number)| serde_json::from_str(line).map_err(|error| no_json(number, &error));
        lines.map(read).collect::<Result<_, _>>()?
    };
    let (mut transactions, mut at, mut line) = (Vec::new(), 0, 1);
    for raw in raw {
        let skipped = text[at..].find(raw.get()).unwrap_or_default();
        line += count(text[at..at + skipped].matches('\n').count());
        at += skipped;
        let read: Transaction =
            serde_json::from_str(raw.get()).map_err(|error| no_json(line, &error))?;
        let end = match &*read.r#type {
            "ok" => End::Done,
            "info" => End::Unknown,
            "invoke" | "fail" => continue,
            other => {
                let other = Shown::name(other);
                return Err(malformed(line, format!("no operation is of the type {other}")));
            }
        };
        let operations = read.value.unwrap_or_default().into_iter().map(operation);
        let operations: Option<Vec<ListOperation>> = operations.collect();
        let operations = operations.ok_or_else(|| {
            let problem =
                "an operation reads `[\"append\", key, element]` or `[\"r\", key, [elements]]`";
            malformed(line, problem.to_owned())
        })?;
        let session = read.process.to_string();
        transactions.push(ListTransaction { line, session, end, operations });
    }
    Ok(transactions)
}

fn operation((what, key, value): (String, Value, Option<Value>)) -> Option<ListOperation> {
    let key = key.to_string();
    match (&*what, value) {
        ("append", Some(element)) => {
            Some(ListOperation::Append { key, element: element.to_string() })
        }
        ("r", Some(Value::Array(elements))) => {
            let elements = elements.iter().map(Value::to_string).collect();
            Some(ListOperation::Read { key, elements })
        }
        // Of a read that did not end nobody knows what it saw; of an empty list some write nothing.
        ("r", None) => Some(ListOperation::Read { key, elements: Vec::new() }),
        (_, _) => None,
    }
}
