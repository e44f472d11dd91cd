//! Reads Elle's list-append histories as JSON: a list of operations, or one a line.

use std::borrow::Cow;
use std::io::{BufRead, Read};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::finding::ForeignError;
use crate::model::number::count;
use crate::model::{ByteSize, Shown};

/// A transaction of a session that has ended. Its values are JSON, as `plain` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListTransaction<'a> {
    /// The line on which what tells its end begins, from 1.
    pub(super) line: u64,
    pub(super) session: Cow<'a, str>,
    pub(super) end: End,
    pub(super) operations: Vec<ListOperation<'a>>,
}

/// How a transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Done,
    /// Nobody knows whether it took effect.
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ListOperation<'a> {
    Append { key: Cow<'a, str>, element: Cow<'a, str> },
    Read { key: Cow<'a, str>, elements: Vec<Cow<'a, str>> },
}

#[derive(Deserialize)]
struct Transaction<'a> {
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    process: &'a RawValue,
    #[serde(borrow, default)]
    value: Option<Vec<Step<'a>>>,
}

/// What is done, to which key, with what.
type Step<'a> = (&'a RawValue, &'a RawValue, Option<&'a RawValue>);

/// All of `input`, if it is no longer than `room`.
pub(super) fn text(input: impl BufRead, room: ByteSize) -> Result<String, ForeignError> {
    let mut bytes = Vec::new();
    let limit = room.bytes().saturating_add(1);
    input.take(limit).read_to_end(&mut bytes)?;
    if count(bytes.len()) == limit {
        return Err(ForeignError::TooLarge { limit: room });
    }
    String::from_utf8(bytes).map_err(|_| malformed(1, "this is no text in UTF-8".to_owned()))
}

/// Reads all transactions that may have taken effect, in the order in which they ended.
pub(super) fn read(text: &str) -> Result<Vec<ListTransaction<'_>>, ForeignError> {
    let is_list = text.trim_start().starts_with('[');
    let raw: Vec<&RawValue> = if is_list {
        serde_json::from_str(text).map_err(|error| no_json(1, &error))?
    } else {
        let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
        let read =
            |(line, number)| serde_json::from_str(line).map_err(|error| no_json(number, &error));
        lines.map(read).collect::<Result<_, _>>()?
    };
    let (mut transactions, mut at, mut line) = (Vec::new(), 0, 1);
    for raw in raw {
        // All of them are parts of the text.
        let begins = raw.get().as_ptr().addr() - text.as_ptr().addr();
        line += count(text[at..begins].matches('\n').count());
        at = begins;
        let read: Transaction<'_> =
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
        let operations: Option<Vec<ListOperation<'_>>> = operations.collect();
        let operations = operations.ok_or_else(|| {
            let problem =
                "an operation reads `[\"append\", key, element]` or `[\"r\", key, [elements]]`";
            malformed(line, problem.to_owned())
        })?;
        transactions.push(ListTransaction { line, session: plain(read.process), end, operations });
    }
    Ok(transactions)
}

fn operation((what, key, value): Step<'_>) -> Option<ListOperation<'_>> {
    let key = plain(key);
    match (&*plain(what), value) {
        ("\"append\"", Some(element)) => {
            Some(ListOperation::Append { key, element: plain(element) })
        }
        ("\"r\"", Some(elements)) => {
            let elements: Vec<&RawValue> = serde_json::from_str(elements.get()).ok()?;
            Some(ListOperation::Read { key, elements: elements.into_iter().map(plain).collect() })
        }
        // Of a read that did not end nobody knows what it saw; of an empty list some write nothing.
        ("\"r\"", None) => Some(ListOperation::Read { key, elements: Vec::new() }),
        (_, _) => None,
    }
}

/// The JSON of a value, the same for equal values. Most stand like that in the text already.
fn plain(value: &RawValue) -> Cow<'_, str> {
    let text = value.get();
    let is_whole = text.bytes().all(|byte| byte.is_ascii_digit());
    if is_whole || (text.starts_with('"') && !text.contains('\\')) {
        return Cow::Borrowed(text);
    }
    let value = serde_json::from_str::<Value>(text);
    value.map_or(Cow::Borrowed(text), |value| Cow::Owned(value.to_string()))
}

fn malformed(line: u64, problem: String) -> ForeignError {
    ForeignError::Malformed { line, problem }
}

/// What is wrong with the JSON that begins on `line`.
fn no_json(line: u64, error: &serde_json::Error) -> ForeignError {
    let told = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let told = told.strip_suffix(&place).unwrap_or(&told);
    let line = line + count(error.line()).saturating_sub(1);
    malformed(line, format!("this is no history of Elle as JSON: {told}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_has_its_own_line_however_it_is_written() {
        let read_x = r#"{"type":"ok","process":1,"value":[["r","x",[1]]]}"#;
        let long = read_x.replace(',', ",\n");
        // The long one is on lines 5 to 9.
        let text = format!("[\n{read_x},\n{read_x},\n{read_x},\n{long},\n{read_x}\n]");
        let lines: Vec<u64> = read(&text).unwrap().iter().map(|of| of.line).collect();
        assert_eq!(lines, [2, 3, 4, 5, 10]);
        let text = format!("{read_x}\n\n{read_x}\n{read_x}\n");
        let lines: Vec<u64> = read(&text).unwrap().iter().map(|of| of.line).collect();
        assert_eq!(lines, [1, 3, 4]);
    }

    #[test]
    fn what_is_wrong_is_told_with_the_line_that_it_is_on() {
        for (text, told) in [
            ("[{\"type\":\"ok\",\n\"process\":1},\n{\"type\":\n7}]", "line 4: "),
            ("[\n{\"type\":\"ok\"},\n7]", "line 2: "),
            ("{\"type\":\"ok\",\"process\":1}\n{\"type\":\"ok\"", "line 2: "),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.starts_with(told) && !error.contains("column"), "{error}");
        }
    }

    #[test]
    fn equal_values_have_equal_texts() {
        for (one, other) in [
            (r#""\u0061b""#, r#""ab""#),
            ("[1, 2]", "[1,2]"),
            ("{\"a\" : 1}", "{\"a\":1}"),
            ("-1", "-1"),
            ("18446744073709551617", "18446744073709551617"),
        ] {
            let [one, other]: [&RawValue; 2] =
                [one, other].map(|text| serde_json::from_str(text).unwrap());
            assert_eq!(plain(one), plain(other));
        }
        let large: [&RawValue; 2] = ["18446744073709551617", "18446744073709551618"]
            .map(|text| serde_json::from_str(text).unwrap());
        assert_ne!(plain(large[0]), plain(large[1]));
    }
}
