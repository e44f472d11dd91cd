//! Reads a history, a line at a time, and says of the first bad line what is wrong with it.
//!
//! Checks the form, the time and the Lamport clocks. What the facts mean is for the judge.

use std::io::BufRead;

use serde_json::error::Category;

use super::clock::Clocks;
use super::line::{FORMAT, HeaderLine, Line, Preamble, VERSION};
use super::lines::{DOCUMENT_MAX, LineEnd, Lines};
use super::{Header, HistoryError, HistoryProblem, Lamport, Recorded};
use crate::model::{ByteSize, Roster, Time};

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

/// Reads a history from `R`: an iterator over its facts, which ends at the end marker or after
/// the first error.
#[derive(Debug)]
pub struct Reader<R> {
    lines: Lines<R>,
    header: Header,
    clocks: Clocks,
    now: Time,
    facts: u64,
    done: bool,
}

impl<R: BufRead> Reader<R> {
    /// Reads the header. No line may be longer than [`DOCUMENT_MAX`].
    pub fn new(input: R) -> Result<Self, HistoryError> {
        Self::with_line_max(input, DOCUMENT_MAX)
    }

    /// Reads the header. No line may be longer than `line_max`.
    pub fn with_line_max(input: R, line_max: ByteSize) -> Result<Self, HistoryError> {
        let mut lines = Lines::new(input, line_max);
        let header = match next(&mut lines) {
            Ok(Some(bytes)) => header(bytes),
            Ok(None) => Err(HistoryProblem::Empty),
            Err(problem) => Err(problem),
        };
        match header {
            Ok(header) => Ok(Self {
                lines,
                header,
                clocks: Clocks::default(),
                now: Time::START,
                facts: 0,
                done: false,
            }),
            Err(problem) => Err(HistoryError { line: 1, problem }),
        }
    }

    /// What the history says of its run.
    pub fn header(&self) -> &Header {
        &self.header
    }

    fn entry(&mut self) -> Result<Option<Entry>, HistoryProblem> {
        let Some(bytes) = next(&mut self.lines)? else {
            return Err(HistoryProblem::CutOff { facts: self.facts });
        };
        let line: Line =
            parse(bytes, |column, reason| HistoryProblem::NotAFact { column, reason })?;
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
        Ok(Some(Entry { line: self.lines.number(), lamport, recorded }))
    }

    fn check_order(&mut self, recorded: &Recorded, clock: Lamport) -> Result<(), HistoryProblem> {
        let Recorded { at, fact } = recorded;
        if *at < self.now {
            return Err(HistoryProblem::TimeBackwards { at: *at, before: self.now });
        }
        if let Some(process) = fact.process()
            && let Some(before) = self.clocks.last(process)
            && clock <= before
        {
            return Err(HistoryProblem::ClockBackwards { process, clock, before });
        }
        if let Some(sent) = self.clocks.heard(fact)
            && clock <= sent
        {
            return Err(HistoryProblem::ReceivedBeforeSent { clock, sent });
        }
        self.now = *at;
        self.clocks.advance(fact, clock);
        Ok(())
    }

    fn end(&mut self, said: u64) -> Result<Option<Entry>, HistoryProblem> {
        if said != self.facts {
            return Err(HistoryProblem::CountDiffers { said, found: self.facts });
        }
        match next(&mut self.lines)? {
            Some(_) => Err(HistoryProblem::AfterEnd),
            None => Ok(None),
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
        entry.map_err(|problem| HistoryError { line: self.lines.number(), problem }).transpose()
    }
}

/// The next line without its end, or `None` after the last.
fn next<R: BufRead>(lines: &mut Lines<R>) -> Result<Option<&[u8]>, HistoryProblem> {
    match lines.advance().map_err(HistoryProblem::Unreadable)? {
        None => Ok(None),
        Some(LineEnd::Newline | LineEnd::Input) => Ok(Some(lines.bytes())),
        Some(LineEnd::BeyondLimit) => Err(HistoryProblem::TooLong { limit: lines.line_max() }),
    }
}

fn header(bytes: &[u8]) -> Result<Header, HistoryProblem> {
    let not_a_header = |column, reason| HistoryProblem::NotAHeader { column, reason };
    let preamble: Preamble = parse(bytes, not_a_header)?;
    if preamble.history != FORMAT {
        return Err(HistoryProblem::OtherFormat { found: preamble.history });
    }
    if preamble.version != VERSION {
        return Err(HistoryProblem::OtherVersion { found: preamble.version, known: VERSION });
    }
    let line: HeaderLine = parse(bytes, not_a_header)?;
    Ok(Header {
        scenario: line.scenario,
        seed: line.seed,
        roster: Roster::new(line.branches)?.into(),
        opening_balance: line.opening_balance_minor,
        config: line.config,
    })
}

/// The value that `bytes` spell; JSON that is something else becomes the error `misfit` makes.
fn parse<'a, T: serde::Deserialize<'a>>(
    bytes: &'a [u8],
    misfit: impl FnOnce(usize, String) -> HistoryProblem,
) -> Result<T, HistoryProblem> {
    serde_json::from_slice(bytes).map_err(|error| {
        let column = error.column();
        let text = error.to_string();
        // The parser sees one line, so its line number would mislead.
        let place = format!(" at line {} column {column}", error.line());
        let reason = text.strip_suffix(&place).unwrap_or(&text).to_owned();
        match error.classify() {
            Category::Data => misfit(column, reason),
            Category::Io | Category::Syntax | Category::Eof => {
                HistoryProblem::NotJson { column, reason }
            }
        }
    })
}
