//! An input error as people get it: the problem, its path, and the piece of the text.

use std::fmt;

use miette::{Diagnostic, LabeledSpan, SourceCode};
use thiserror::Error;

use super::json::{self, Node};
use super::problem::Problem;
use super::snippet::Snippet;
use super::source::{Place, Source, Span};

/// Why a text is not a scenario or not an expected result: what is wrong, and where.
#[derive(Error)]
#[error("{}{}", .0.lead(), .0.problem)]
pub struct ScenarioError(Box<Details>);

struct Details {
    problem: Problem,
    path: String,
    place: Place,
    labels: Vec<LabeledSpan>,
    snippet: Snippet,
}

impl Details {
    fn lead(&self) -> String {
        if self.path.is_empty() { String::new() } else { format!("{}: ", self.path) }
    }
}

impl ScenarioError {
    pub(super) fn new(source: &Source, fault: &Fault) -> Self {
        Self::at(source, fault, json::path_to(source.text(), fault.at.start))
    }

    /// The same in one of several documents, or in a text that is almost JSON: as `documents` have
    /// it.
    pub(super) fn within(source: &Source, documents: &[Node<'_>], fault: &Fault) -> Self {
        let at = fault.at.start;
        let document = documents.iter().find(|document| at < document.span().end());
        let path = document.map_or_else(String::new, |document| json::path_in(*document, at));
        Self::at(source, fault, path)
    }

    fn at(source: &Source, fault: &Fault, path: String) -> Self {
        let (text, problem) = (source.text(), fault.problem.clone());
        let snippet = Snippet::new(source.shown_name(), text);
        let at = snippet.brief(fault.at);
        let mut labels = vec![LabeledSpan::new_primary_with_span(Some(problem.label()), at)];
        if let Some(other) = fault.other {
            let label = Some(problem.other_label());
            labels.push(LabeledSpan::new_with_span(label, snippet.brief(other)));
        }
        let place = Place::of(text, fault.at.start);
        Self(Box::new(Details { problem, path, place, labels, snippet }))
    }

    pub(super) fn not_utf8(source: &Source, start: usize, byte: u8) -> Self {
        // Three bytes: the mark that stands for the bad byte.
        Self::new(source, &Fault::new(Problem::NotUtf8 { byte }, Span::new(start, 3)))
    }

    /// What is wrong.
    pub fn problem(&self) -> &Problem {
        &self.0.problem
    }

    /// The path in the document, such as `[2].events[0].money`. Empty for the document as a
    /// whole, and where the text is not JSON.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The name of the input as it is shown.
    pub fn source_name(&self) -> &str {
        self.0.snippet.name()
    }

    /// The line, from 1.
    pub fn line(&self) -> usize {
        self.0.place.line
    }

    /// The column in characters, from 1.
    pub fn column(&self) -> usize {
        self.0.place.column
    }
}

impl fmt::Debug for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScenarioError({}:{}: {self})", self.source_name(), self.0.place)
    }
}

impl Diagnostic for ScenarioError {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.problem.help().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.0.snippet)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.0.labels.iter().cloned()))
    }
}

/// A problem and where in the text it is, while the text is being read.
#[derive(Debug)]
pub(super) struct Fault {
    problem: Problem,
    at: Span,
    other: Option<Span>,
}

/// What reading a part of the text comes to.
pub(super) type Checked<T> = Result<T, Box<Fault>>;

impl Fault {
    pub(super) fn new(problem: Problem, at: Span) -> Box<Self> {
        Box::new(Self { problem, at, other: None })
    }

    /// Whether the text is not JSON.
    pub(super) const fn is_syntax(&self) -> bool {
        matches!(self.problem, Problem::Syntax(_))
    }

    /// The same, with a second place that has to do with it.
    pub(super) fn and(mut self: Box<Self>, other: Span) -> Box<Self> {
        self.other = Some(other);
        self
    }

    /// The same, `start` bytes further on.
    pub(super) fn shifted(mut self: Box<Self>, start: usize) -> Box<Self> {
        self.at.start += start;
        if let Some(other) = &mut self.other {
            other.start += start;
        }
        self
    }
}
