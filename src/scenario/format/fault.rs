//! A problem on its way out of the reader, and all that are found in an input.

use std::fmt;

use serde::de;

use super::problem::{Excerpt, Problem};
use super::source::Span;

/// A problem, and where in the text it is, once that is known.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) problem: Problem,
    pub(super) at: Option<Span>,
    pub(super) other: Option<Span>,
}

/// The result of reading a part of the text.
pub(super) type Checked<T> = Result<T, Box<Fault>>;

impl Fault {
    pub(super) fn new(problem: impl Into<Problem>) -> Box<Self> {
        Box::new(Self { problem: problem.into(), at: None, other: None })
    }

    /// The same, at `span` if no place of it is known yet.
    pub(super) fn at(mut self: Box<Self>, span: Span) -> Box<Self> {
        self.at.get_or_insert(span);
        self
    }

    /// The same, with a second place that has to do with it.
    pub(super) fn and(mut self: Box<Self>, other: Span) -> Box<Self> {
        self.other.get_or_insert(other);
        self
    }

    /// The same, `start` bytes further on.
    pub(super) fn shifted(mut self: Box<Self>, start: usize) -> Box<Self> {
        for span in [&mut self.at, &mut self.other].into_iter().flatten() {
            span.start += start;
        }
        self
    }

    /// The same, found in `object` if nothing is said yet of what it was found in.
    pub(super) fn in_object(mut self: Box<Self>, object: &'static str) -> Box<Self> {
        if let Problem::UnknownKey { of, .. } | Problem::MissingKey { of, .. } = &mut self.problem
            && of.is_empty()
        {
            *of = object;
        }
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl std::error::Error for Fault {}

/// What `serde` says of keys and words, as a problem. What has the key or the word is told later.
impl de::Error for Box<Fault> {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Fault::new(Problem::Other { message: Excerpt::new(&message.to_string()) })
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        Fault::new(Problem::UnknownKey { key: Excerpt::new(key), of: "", known })
    }

    fn missing_field(key: &'static str) -> Self {
        Fault::new(Problem::MissingKey { of: "", key })
    }

    fn duplicate_field(key: &'static str) -> Self {
        Fault::new(Problem::DuplicateKey { key })
    }

    fn unknown_variant(found: &str, known: &'static [&'static str]) -> Self {
        let (found, known) = (Excerpt::new(found), known.to_vec());
        Fault::new(Problem::UnknownWord { of: "", found, known })
    }
}

/// What is wrong with an input: the first of it in the order of the text, and how much more there
/// is.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) kept: Vec<Fault>,
    pub(super) left_out: usize,
}

impl Faults {
    /// No more than this many are shown.
    const KEPT_MAX: usize = 10;

    pub(super) fn add(&mut self, fault: Box<Fault>) {
        let start = |fault: &Fault| fault.at.map(|span| span.start);
        let place = self.kept.partition_point(|kept| start(kept) <= start(&fault));
        self.kept.insert(place, *fault);
        if self.kept.len() > Self::KEPT_MAX {
            self.kept.pop();
            self.left_out += 1;
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}

impl From<Box<Fault>> for Faults {
    fn from(fault: Box<Fault>) -> Self {
        Self { kept: vec![*fault], left_out: 0 }
    }
}
