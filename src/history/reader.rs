//! Reads a history, a line at a time, and says of the first bad line what is wrong with it.
//!
//! Checks the form, the time and the Lamport clocks. What the facts mean is for the judge.

use std::io::BufRead;

use serde::de::{Deserialize, IgnoredAny};
use serde_json::error::Category;

use super::lamport::LamportClocks;
use super::line::{FORMAT, HeaderLine, Line, Preamble, VERSIONS};
use super::lines::{DOCUMENT_MAX, LineEnd, Lines};
use super::{Header, HistoryError, HistoryProblem, Lamport, Recorded};
use crate::model::{ByteSize, Roster, Time, quick_json};

/// What some editors put in front of a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A fact as a history holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The line that it stands on, from 1; the header is line 1.
    pub line: u64,
    /// Its Lamport clock.
    pub lamport: Lamport,
    /// When, and what.
    pub recorded: Recorded,
}

/// Whether a history has come to its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Extent {
    /// Its end marker was read.
    #[default]
    Whole,
    /// It was cut off: it goes no further than its last whole line.
    CutOff,
}

/// Reads a history from `R`: an iterator over its facts, which ends at the end marker or after
/// the first error. A history that was cut off ends after its last whole line, which
/// [`Reader::extent`] says.
#[derive(Debug)]
pub struct Reader<R> {
    lines: FilledLines<R>,
    header: Header,
    clocks: LamportClocks,
    now: Time,
    facts: u64,
    done: bool,
    extent: Extent,
}

impl<R> Reader<R> {
    /// How long the longest line is that was read, in bytes.
    pub fn longest_line(&self) -> usize {
        self.lines.longest
    }
}

impl<R: BufRead> Reader<R> {
    /// Reads the header. No line may be longer than [`DOCUMENT_MAX`].
    pub fn new(input: R) -> Result<Self, HistoryError> {
        Self::with_line_max(input, DOCUMENT_MAX)
    }

    /// Reads the header. No line may be longer than `line_max`.
    pub fn with_line_max(input: R, line_max: ByteSize) -> Result<Self, HistoryError> {
        let mut lines = FilledLines { lines: Lines::new(input, line_max), number: 0, longest: 0 };
        let header = match lines.next() {
            Ok(Some(line)) => {
                header(line.bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line.bytes))
            }
            Ok(None) => Err(HistoryProblem::Empty),
            Err(problem) => Err(problem),
        };
        match header {
            Ok(header) => Ok(Self {
                lines,
                header,
                clocks: LamportClocks::default(),
                now: Time::START,
                facts: 0,
                done: false,
                extent: Extent::CutOff,
            }),
            Err(problem) => Err(HistoryError { line: 1, problem }),
        }
    }

    /// What the history says of its run.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Whether the end marker was read. A reader that has not come to its end yet says
    /// [`Extent::CutOff`].
    pub fn extent(&self) -> Extent {
        self.extent
    }

    fn entry(&mut self) -> Result<Option<Entry>, HistoryProblem> {
        let Some(RawLine { bytes, is_ended }) = self.lines.next()? else {
            return Ok(None);
        };
        let line: Line = match parse(bytes) {
            Ok(line) => line,
            Err(Misfit::Unfinished { .. }) if !is_ended => return Ok(None),
            Err(misfit) => {
                return Err(misfit
                    .into_problem(|column, reason| HistoryProblem::NotAFact { column, reason }));
            }
        };
        let (at, lamport, fact) = match line {
            Line { at_us: None, lamport: None, fact: None, end: Some(end) } => {
                return self.end(end.facts);
            }
            Line { end: Some(_), .. } => return Err(HistoryProblem::FactAndEnd),
            Line { at_us: Some(at), lamport: Some(lamport), fact: Some(fact), end: None } => {
                (at, lamport, fact)
            }
            Line { fact: None, .. } => return Err(HistoryProblem::MissingKey { key: "fact" }),
            Line { at_us: None, .. } => return Err(HistoryProblem::MissingKey { key: "at_us" }),
            Line { .. } => return Err(HistoryProblem::MissingKey { key: "lamport" }),
        };
        let recorded = Recorded { at, fact };
        self.check_order(&recorded, lamport)?;
        self.facts += 1;
        Ok(Some(Entry { line: self.lines.number, lamport, recorded }))
    }

    fn check_order(&mut self, recorded: &Recorded, clock: Lamport) -> Result<(), HistoryProblem> {
        let Recorded { at, fact } = recorded;
        if *at < self.now {
            return Err(HistoryProblem::TimeBackwards { at: *at, before: self.now });
        }
        if let Some(process) = fact.process()
            && let Some(before) = self.clocks.advance(process, clock)
            && clock <= before
        {
            return Err(HistoryProblem::ClockBackwards { process, clock, before });
        }
        if let Some(sent) = self.clocks.hear(fact)
            && clock <= sent
        {
            return Err(HistoryProblem::ReceivedBeforeSent { clock, sent });
        }
        self.now = *at;
        self.clocks.tell(fact, clock);
        Ok(())
    }

    fn end(&mut self, said: u64) -> Result<Option<Entry>, HistoryProblem> {
        if said != self.facts {
            return Err(HistoryProblem::CountDiffers { said, found: self.facts });
        }
        match self.lines.next()? {
            Some(_) => Err(HistoryProblem::AfterEnd),
            None => {
                self.extent = Extent::Whole;
                Ok(None)
            }
        }
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Entry, HistoryError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let entry = self.entry();
        self.done = !matches!(entry, Ok(Some(_)));
        entry.map_err(|problem| HistoryError { line: self.lines.number, problem }).transpose()
    }
}

/// Lines, of which only the last ones may be blank: those are passed over.
#[derive(Debug)]
struct FilledLines<R> {
    lines: Lines<R>,
    /// The line that was asked for last, from 1, even if it is not there.
    number: u64,
    /// How long the longest is.
    longest: usize,
}

/// A line without its end.
struct RawLine<'a> {
    bytes: &'a [u8],
    /// Whether it had an end.
    is_ended: bool,
}

impl<R: BufRead> FilledLines<R> {
    /// The next line, or `None` after the last.
    fn next(&mut self) -> Result<Option<RawLine<'_>>, HistoryProblem> {
        if !self.fill()? {
            return Ok(None);
        }
        if self.is_blank() {
            let (blank, begins, limit) = (self.number, self.lines.offset(), self.lines.line_max());
            while self.fill()? {
                if self.lines.offset() - begins > limit.bytes() {
                    return Err(HistoryProblem::BlankText { limit });
                }
                if !self.is_blank() {
                    self.number = blank;
                    return Err(HistoryProblem::Blank);
                }
            }
            return Ok(None);
        }
        Ok(Some(RawLine { bytes: self.lines.bytes(), is_ended: self.lines.has_newline() }))
    }

    /// Reads the next line; there may be none.
    fn fill(&mut self) -> Result<bool, HistoryProblem> {
        let end = self.lines.advance();
        self.number = self.lines.number();
        self.longest = self.longest.max(self.lines.bytes().len());
        match end.map_err(HistoryProblem::Unreadable)? {
            None => Ok(false),
            Some(LineEnd::Newline | LineEnd::Input) => Ok(true),
            Some(LineEnd::BeyondLimit) => {
                Err(HistoryProblem::TooLong { limit: self.lines.line_max() })
            }
        }
    }

    fn is_blank(&self) -> bool {
        self.lines.bytes().trim_ascii().is_empty()
    }
}

fn header(bytes: &[u8]) -> Result<Header, HistoryProblem> {
    let not_a_header = |misfit: Misfit| {
        misfit.into_problem(|column, reason| HistoryProblem::NotAHeader { column, reason })
    };
    let preamble: Preamble = parse(bytes).map_err(not_a_header)?;
    if preamble.history != FORMAT {
        return Err(HistoryProblem::OtherFormat { found: preamble.history });
    }
    VERSIONS.check(preamble.version)?;
    let line: HeaderLine = parse(bytes).map_err(not_a_header)?;
    Ok(Header {
        passbook: line.passbook,
        scenario: line.scenario,
        seed: line.seed,
        roster: Roster::new(line.branches)?.into(),
        opening_balance: line.opening_balance_minor,
        terms: line.promised.map(Into::into),
        config: line.config,
    })
}

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
    if let Ok(value) = quick_json::read_bytes(bytes) {
        return Ok(value);
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Else it would still be read, and take twice the time.
    #[test]
    fn what_is_written_is_read_in_one_pass() {
        for text in [
            r#"{"at_us":0,"lamport":1,"fact":{"request_sent":{"customer":1,"request":1,"branch":1,"event":1,"operation":{"write":{"kind":"deposit","amount_minor":40000}}}}}"#,
            r#"{"at_us":0,"lamport":2,"fact":{"request_received":{"branch":1,"customer":1,"request":1}}}"#,
            r#"{"at_us":0,"lamport":3,"fact":{"write_applied":{"branch":1,"id":{"customer":1,"event":1},"write":{"kind":"deposit","amount_minor":40000},"origin":1,"sequence":1,"position":1,"balance_minor":40000}}}"#,
            r#"{"at_us":0,"lamport":4,"fact":{"reply_sent":{"branch":1,"customer":1,"request":1,"position":1,"outcome":"written"}}}"#,
            r#"{"at_us":0,"lamport":5,"fact":{"message_sent":{"from":1,"to":2,"number":1,"body":{"propagate":{"id":{"customer":1,"event":1}}}}}}"#,
            r#"{"at_us":0,"lamport":5,"fact":{"reply_received":{"customer":1,"request":1,"branch":1}}}"#,
            r#"{"at_us":50000,"lamport":8,"fact":{"message_received":{"from":1,"to":2,"number":1,"body":{"propagate":{"id":{"customer":1,"event":1}}}}}}"#,
            r#"{"at_us":100000,"lamport":12,"fact":{"write_set_compared":{"branch":1,"with":2,"id":{"customer":1,"event":1},"agrees":true}}}"#,
            r#"{"end":{"facts":15}}"#,
        ] {
            assert!(quick_json::read_bytes::<Line>(text.as_bytes()).is_ok(), "{text}");
        }
    }
}
