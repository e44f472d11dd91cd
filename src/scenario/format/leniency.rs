//! What is taken otherwise than it stands. Each is told once, with the first place where it was
//! needed.

use std::collections::BTreeMap;
use std::fmt;

use super::source::{Source, Span};
use crate::scenario::{Level, Warning};

/// Something that is understood though it is written in another way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Leniency {
    QuotedAmount,
    SeveralDocuments,
    SingleQuotes,
    StrayComma,
    PythonWords,
    OneObject,
    RowBorders,
    SeveralBalances,
    Money,
    ResultBeside,
    MoneyOfWrite,
    EventId,
    NumberAsText,
    LetterCase,
    OtherWord,
}

/// What was taken otherwise than it stands, where first, and how often.
#[derive(Debug, Default)]
pub(super) struct Leniencies(BTreeMap<Leniency, (Span, usize)>);

impl Leniencies {
    pub(super) fn add(&mut self, leniency: Leniency, at: Span) {
        let (first, count) = self.0.entry(leniency).or_insert((at, 0));
        *count += 1;
        if at.start < first.start {
            *first = at;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A note for each, in the order of `source`.
    pub(super) fn notes(&self, source: &Source) -> Vec<Warning> {
        let mut found: Vec<_> = self.0.iter().collect();
        found.sort_by_key(|(_, (at, _))| at.start);
        let note = |(leniency, &(at, count)): (&Leniency, &(Span, usize))| {
            let place = source.place(at);
            if *leniency != Leniency::QuotedAmount {
                return Warning::new(Level::Note, format!("{place}: {leniency}"));
            }
            let more = if count > 1 { format!(", and {} more", count - 1) } else { String::new() };
            Warning::new(Level::Warning, format!("{place}: {leniency}{more}"))
        };
        found.into_iter().map(note).collect()
    }
}

impl fmt::Display for Leniency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::QuotedAmount => "an amount in quotes is read as a number",
            Self::SeveralDocuments => "another document; all are read as one array of rows",
            Self::SingleQuotes => "single quotes are read as double quotes",
            Self::StrayComma => "a comma too many is passed over",
            Self::PythonWords => {
                "`None`, `True` and `False` are read as `null`, `true` and `false`"
            }
            Self::OneObject => "an object by itself is read as an array of one",
            Self::RowBorders => "where rows begin and end is not compared",
            Self::SeveralBalances => {
                "a second balance of the customer; they are compared in order with its visits"
            }
            Self::Money => "`money` is read as the balance that a query saw",
            Self::ResultBeside => "`result` beside a balance says nothing more",
            Self::MoneyOfWrite => "a balance or amount on a write is not compared",
            Self::EventId => "the id of an event is not compared",
            Self::NumberAsText => "a number in quotes is read as a number",
            Self::LetterCase => "capital letters are read as small ones",
            Self::OtherWord => {
                "ok and true are read as `success`; failed, failure and false as `fail`"
            }
        })
    }
}
