//! Reads the JSON of one line, and says in plain words where it is none or does not fit.

use serde::de::{Deserialize, IgnoredAny};
use serde_json::error::Category;

use super::HistoryProblem;

/// Why a line is not what is wanted.
#[derive(Debug)]
pub(super) enum Misfit {
    /// No JSON.
    Broken { column: usize, reason: String },
    /// No JSON yet: it stops before its end.
    Unfinished { column: usize, reason: String },
    /// JSON, but of something else.
    Other { column: usize, reason: String },
}

impl Misfit {
    /// What is wrong with the line; `other` makes it of JSON that is something else.
    pub(super) fn into_problem(
        self,
        other: impl FnOnce(usize, String) -> HistoryProblem,
    ) -> HistoryProblem {
        match self {
            Self::Broken { column, reason } | Self::Unfinished { column, reason } => {
                HistoryProblem::NotJson { column, reason }
            }
            Self::Other { column, reason } => other(column, reason),
        }
    }
}

/// The value that `bytes` spell.
pub(super) fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Misfit> {
    serde_json::from_slice(bytes).map_err(|error| {
        let column = error.column();
        let text = error.to_string();
        // The parser sees one line, so its line number would mislead.
        let place = format!(" at line {} column {column}", error.line());
        let reason = text.strip_suffix(&place).unwrap_or(&text);
        match error.classify() {
            Category::Data => Misfit::Other { column, reason: plain(reason) },
            // The parser says the same where it wanted an object with one key.
            Category::Syntax if serde_json::from_slice::<IgnoredAny>(bytes).is_ok() => {
                let reason = match reason {
                    known @ ("number out of range" | "recursion limit exceeded") => known,
                    _ => "expected a word, or an object with one key",
                };
                Misfit::Other { column, reason: reason.to_owned() }
            }
            Category::Io | Category::Syntax => Misfit::Broken { column, reason: reason.to_owned() },
            Category::Eof => Misfit::Unfinished { column, reason: reason.to_owned() },
        }
    })
}

/// What the parser says, without the names that types have in this program.
fn plain(reason: &str) -> String {
    let Some((found, expected)) = reason.split_once(", expected ") else {
        return reason.to_owned();
    };
    let found = match found {
        "invalid type: map" => "invalid type: object",
        "invalid type: sequence" => "invalid type: array",
        other => other,
    };
    let expected = match expected.split(' ').next().unwrap_or_default() {
        "u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" => "a whole number",
        "struct" | "map" => "an object",
        "enum" | "newtype" | "unit" | "variant" | "internally" => {
            "a word, or an object with one key"
        }
        _ if expected == "a map" => "an object",
        _ if expected == "a sequence" => "an array",
        _ => expected,
    };
    format!("{found}, expected {expected}")
}
