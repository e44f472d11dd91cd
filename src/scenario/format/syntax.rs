//! What is wrong with a text that is not JSON, in plain words. Knows no scenario.
//!
//! That it is not JSON is for `serde_json` to say, and where it stumbled; what is wrong is plain
//! from what stands there, and from what could have stood there after all before it.

use serde::de::IgnoredAny;

use super::fault::{Checked, Fault};
use super::problem::{Excerpt, SyntaxProblem};
use super::source::Span;

/// Whether `text` is one JSON value.
pub(super) fn check(text: &str) -> Checked<()> {
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(IgnoredAny) => Ok(()),
        Err(error) => Err(explain(text, &error)),
    }
}

/// Why `serde_json` gave `error` on `text`.
fn explain(text: &str, error: &serde_json::Error) -> Box<Fault> {
    if error.is_eof() {
        let end = Fault::new(SyntaxProblem::Unfinished).at(Span::new(text.len(), 0));
        return match Opened::by(text).innermost() {
            Some(open) => end.and(open),
            None => end,
        };
    }
    let at = offset_of(text, error);
    let opened = Opened::by(&text[..at]);
    let first = text[at..].chars().next().unwrap_or_default();
    let fault = |problem| Fault::new(problem).at(Span::new(at, first.len_utf8()));
    let next = opened.next();
    let before = text[..at].trim_end();
    if next != Next::InString && before.ends_with(',') && matches!(first, ']' | '}') {
        return Fault::new(SyntaxProblem::TrailingComma).at(Span::new(before.len() - 1, 1));
    }
    let run = run_around(text, at);
    let found = &text[run.start..run.end()];
    let is_broken = || serde_json::from_str::<IgnoredAny>(found).is_err();
    if next != Next::InString
        && (run.start < at || next == Next::Value)
        && run.len > 0
        && is_broken()
    {
        let word = Excerpt::new(found);
        return Fault::new(if found.starts_with(char::is_alphabetic) {
            SyntaxProblem::BareWord { word }
        } else {
            SyntaxProblem::BadNumber { found: word }
        })
        .at(run);
    }
    match (next, first) {
        (Next::InString, _) => {
            // An escape is told at its last character, and a control character at the one before.
            let control =
                text[at..].find(|c: char| c < ' ').filter(|near| *near <= first.len_utf8());
            match control.filter(|_| !text[..at].ends_with('\\')) {
                Some(near) => {
                    Fault::new(SyntaxProblem::ControlInString).at(Span::new(at + near, 1))
                }
                None => fault(SyntaxProblem::BadEscape),
            }
        }
        (Next::End, '[' | '{') => fault(SyntaxProblem::SecondDocument),
        (Next::End, _) => fault(SyntaxProblem::TextAfterEnd),
        (Next::Value | Next::Key | Next::Colon, ',') => fault(SyntaxProblem::ExtraComma),
        (_, '/' | '#') => fault(SyntaxProblem::Comment),
        (_, '\'' | '`' | '“' | '”' | '‘' | '’') => {
            fault(SyntaxProblem::WrongQuote { found: first })
        }
        (Next::Colon, _) => fault(SyntaxProblem::MissingColon),
        (Next::CommaOrClose, ']' | '}') => {
            let wrong = fault(SyntaxProblem::WrongBracket { found: first });
            wrong.and(opened.innermost().unwrap_or(Span::new(0, 0)))
        }
        (Next::CommaOrClose, _) => fault(SyntaxProblem::MissingComma),
        (Next::Key, _) => fault(SyntaxProblem::KeyNotString),
        (Next::Value, _) => {
            let found = Excerpt::new(first.encode_utf8(&mut [0; 4]));
            fault(SyntaxProblem::Unexpected { found })
        }
    }
}

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    InString,
    Value,
    Key,
    Colon,
    CommaOrClose,
    End,
}

/// What a text that JSON may begin with leaves open.
#[derive(Debug, Default)]
struct Opened {
    /// Brackets, each with its place.
    brackets: Vec<(usize, u8)>,
    quote: Option<usize>,
    /// The last byte that is neither white space nor inside a string.
    last: Option<u8>,
    /// Whether the last string is a key.
    is_key: bool,
}

impl Opened {
    fn by(text: &str) -> Self {
        let mut opened = Self::default();
        let mut is_escaped = false;
        for (at, byte) in text.bytes().enumerate() {
            match (opened.quote, byte) {
                (Some(_), _) if is_escaped => is_escaped = false,
                (Some(_), b'\\') => is_escaped = true,
                (Some(_), b'"') => opened.quote = None,
                (Some(_), _) | (None, b' ' | b'\t' | b'\n' | b'\r') => continue,
                (None, b'"') => {
                    opened.is_key = opened.next() == Next::Key;
                    opened.quote = Some(at);
                }
                (None, b'[' | b'{') => opened.brackets.push((at, byte)),
                (None, b']' | b'}') => drop(opened.brackets.pop()),
                (None, _) => {}
            }
            opened.last = Some(byte);
        }
        opened
    }

    fn innermost(&self) -> Option<Span> {
        self.quote.or(self.brackets.last().map(|(at, _)| *at)).map(|at| Span::new(at, 1))
    }

    fn next(&self) -> Next {
        let in_object = matches!(self.brackets.last(), Some((_, b'{')));
        match self.last {
            _ if self.quote.is_some() => Next::InString,
            Some(b'{' | b',') if in_object => Next::Key,
            None | Some(b'[' | b',' | b':') => Next::Value,
            _ if self.brackets.is_empty() => Next::End,
            Some(b'"') if self.is_key => Next::Colon,
            Some(_) => Next::CommaOrClose,
        }
    }
}

/// What looks like a word or a number around the byte `at`.
fn run_around(text: &str, at: usize) -> Span {
    let belongs = |c: char| c.is_alphanumeric() || matches!(c, '+' | '-' | '.' | '_');
    let start = text[..at].trim_end_matches(belongs).len();
    let rest = &text[start..];
    Span::new(start, rest.len() - rest.trim_start_matches(belongs).len())
}

/// The byte that `serde_json` stumbled over. Its columns count bytes from 1; column 0 is the line
/// break before the line.
fn offset_of(text: &str, error: &serde_json::Error) -> usize {
    let lines_before = error.line().saturating_sub(1);
    let line_start: usize = text.split_inclusive('\n').take(lines_before).map(str::len).sum();
    let offset = (line_start + error.column()).saturating_sub(1);
    text.floor_char_boundary(offset.min(text.len()))
}
