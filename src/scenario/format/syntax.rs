//! What is wrong with a text that is not JSON, in plain words. Knows no scenario.
//!
//! `serde_json` finds the place; what stands there and before it tells more than its message.

use thiserror::Error;

use super::error::Fault;
use super::problem::{Excerpt, Problem};
use super::source::Span;

/// Why a text is not JSON.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SyntaxProblem {
    /// It stops in the middle.
    #[error("the text ends before the document does")]
    Unfinished,
    /// A second document.
    #[error("a second document after the end of the first")]
    SecondDocument,
    /// Something else after the end.
    #[error("text after the end of the document")]
    TextAfterEnd,
    /// `[1, ]`
    #[error("a comma before the closing bracket")]
    TrailingComma,
    /// `[1,, 2]` or `[, 1]`
    #[error("a comma with nothing before it")]
    ExtraComma,
    /// `[1 2]`
    #[error("a comma is missing")]
    MissingComma,
    /// `{"a" 1}`
    #[error("a colon is missing after the key")]
    MissingColon,
    /// `[1}`
    #[error("the closing bracket `{found}` does not match the opening one")]
    WrongBracket {
        /// The bracket.
        found: char,
    },
    /// `'a'`
    #[error("text is put in double quotes, found `{found}`")]
    WrongQuote {
        /// The quote.
        found: char,
    },
    /// `// …`
    #[error("JSON has no comments")]
    Comment,
    /// `None`
    #[error("`{word}` is no JSON value")]
    BareWord {
        /// The word.
        word: Excerpt,
    },
    /// `{1: 2}`
    #[error("a key must be text in double quotes")]
    KeyNotString,
    /// `01`, `+1`, `.5`, `1.`
    #[error("`{found}` is not written as JSON writes numbers")]
    BadNumber {
        /// What stands there.
        found: Excerpt,
    },
    /// A line break or another control character in a string.
    #[error("a line break or control character inside quoted text")]
    ControlInString,
    /// `"\q"`
    #[error("an escape that JSON does not have")]
    BadEscape,
    /// Anything else.
    #[error("`{found}` does not belong here")]
    Unexpected {
        /// The character.
        found: Excerpt,
    },
}

impl SyntaxProblem {
    pub(super) fn help(&self) -> Option<String> {
        let help = match self {
            Self::Unfinished => "close what is open, or look whether the file was cut off",
            Self::SecondDocument => "put one scenario in each file",
            Self::TextAfterEnd => "remove it",
            Self::TrailingComma => "remove the comma before the bracket",
            Self::ExtraComma => "remove the comma",
            Self::MissingComma => "put a comma before this",
            Self::MissingColon => "put `:` between the key and its value",
            Self::WrongBracket { found: ']' } => "an object ends with `}`",
            Self::WrongBracket { .. } => "an array ends with `]`",
            Self::WrongQuote { .. } => "write `\"` instead",
            Self::Comment => "put the remark into `description` of a scenario object",
            Self::BareWord { .. } => {
                "put text in double quotes; `true`, `false` and `null` are written in small letters"
            }
            Self::KeyNotString => "put the key in double quotes",
            Self::BadNumber { .. } => {
                "write it like 400 or 400.50: no leading zeros, plus sign or bare point"
            }
            Self::ControlInString => "close the quotes before the end of the line, or write `\\n`",
            Self::BadEscape => "write `\\\\` for a backslash",
            Self::Unexpected { .. } => return None,
        };
        Some(help.to_owned())
    }

    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::Unfinished => "ends here",
            Self::SecondDocument => "the second starts here",
            Self::TextAfterEnd => "after the end",
            Self::TrailingComma | Self::ExtraComma => "one comma too many",
            Self::MissingComma => "no comma before this",
            Self::MissingColon => "no `:` before this",
            Self::WrongBracket { .. } => "does not match",
            Self::WrongQuote { .. } => "not a double quote",
            Self::Comment => "a comment",
            Self::BareWord { .. } => "not a JSON value",
            Self::KeyNotString => "must be a key in double quotes",
            Self::BadNumber { .. } => "not a JSON number",
            Self::ControlInString => "inside quoted text",
            Self::BadEscape => "not an escape",
            Self::Unexpected { .. } => "unexpected",
        }
    }
}

/// The fault behind `error`, which `serde_json` found in `text`.
pub(super) fn explain(text: &str, error: &serde_json::Error) -> Box<Fault> {
    let fault = |problem, at| Fault::new(Problem::Syntax(problem), at);
    if error.is_eof() {
        let unfinished = fault(SyntaxProblem::Unfinished, Span::new(text.len(), 0));
        return match innermost_open(text) {
            Some(open) => unfinished.and(open),
            None => unfinished,
        };
    }
    let at = offset_of(text, error);
    let (before, rest) = (text[..at].trim_end(), &text[at..]);
    let message = error.to_string();
    let first = rest.chars().next().unwrap_or('\0');
    let here = Span::new(at, first.len_utf8());
    if before.ends_with(',') && matches!(first, ']' | '}') {
        return fault(SyntaxProblem::TrailingComma, Span::new(before.len() - 1, 1));
    }
    if message.starts_with("trailing characters") {
        let problem = match first {
            '[' | '{' => SyntaxProblem::SecondDocument,
            _ => SyntaxProblem::TextAfterEnd,
        };
        return fault(problem, here);
    }
    if let Some(problem) = inside_string(&message) {
        return fault(problem, here);
    }
    if message.starts_with("invalid number") || matches!(first, '+' | '.') {
        let span = extent(text, at, |c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
        let found = Excerpt::new(text.get(span.start..span.end()).unwrap_or_default());
        return fault(SyntaxProblem::BadNumber { found }, span);
    }
    match first {
        ',' => fault(SyntaxProblem::ExtraComma, here),
        '/' | '#' => fault(SyntaxProblem::Comment, here),
        '\'' | '`' | '“' | '”' | '‘' | '’' => {
            fault(SyntaxProblem::WrongQuote { found: first }, here)
        }
        _ if message.starts_with("expected `:`") => fault(SyntaxProblem::MissingColon, here),
        ']' | '}' if message.starts_with("expected `,`") => {
            let wrong = fault(SyntaxProblem::WrongBracket { found: first }, here);
            match innermost_open(&text[..at]) {
                Some(open) => wrong.and(open),
                None => wrong,
            }
        }
        _ if message.starts_with("expected `,`") => fault(SyntaxProblem::MissingComma, here),
        _ if message.starts_with("key must be a string") => {
            fault(SyntaxProblem::KeyNotString, here)
        }
        _ if first.is_alphanumeric() || message.starts_with("expected ident") => {
            let span = extent(text, at, char::is_alphanumeric);
            let word = Excerpt::new(text.get(span.start..span.end()).unwrap_or_default());
            fault(SyntaxProblem::BareWord { word }, span)
        }
        _ => {
            let found = Excerpt::new(rest.get(..first.len_utf8()).unwrap_or_default());
            fault(SyntaxProblem::Unexpected { found }, here)
        }
    }
}

fn inside_string(message: &str) -> Option<SyntaxProblem> {
    if message.starts_with("control character") {
        return Some(SyntaxProblem::ControlInString);
    }
    let about_escapes =
        ["invalid escape", "invalid unicode", "lone leading", "unexpected end of hex"];
    about_escapes.iter().any(|start| message.starts_with(start)).then_some(SyntaxProblem::BadEscape)
}

/// The byte that `serde_json` stumbled over. Its columns count bytes from 1; column 0 is the line
/// break before the line.
fn offset_of(text: &str, error: &serde_json::Error) -> usize {
    let lines_before = error.line().saturating_sub(1);
    let line_start: usize = text.split_inclusive('\n').take(lines_before).map(str::len).sum();
    let offset = (line_start + error.column()).saturating_sub(1);
    text.floor_char_boundary(offset.min(text.len()))
}

/// The run of characters that `belongs` around the byte `at`.
fn extent(text: &str, at: usize, belongs: impl Fn(char) -> bool) -> Span {
    let start = text[..at].trim_end_matches(&belongs).len();
    let rest = &text[at..];
    let end = at + (rest.len() - rest.trim_start_matches(&belongs).len());
    Span::new(start, end - start)
}

/// The last bracket or quote that is not closed.
fn innermost_open(text: &str) -> Option<Span> {
    let mut open = Vec::new();
    let mut quote = None;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(_), b'"') => quote = None,
            (Some(_), _) => {}
            (None, b'"') => quote = Some(at),
            (None, b'[' | b'{') => open.push(at),
            (None, b']' | b'}') => drop(open.pop()),
            (None, _) => {}
        }
    }
    quote.or(open.pop()).map(|at| Span::new(at, 1))
}
