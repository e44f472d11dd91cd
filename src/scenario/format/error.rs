//! An input error as people get it: the problem, its path, and the piece of the text.

use std::fmt;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, SourceCode};
use thiserror::Error;

use super::fault::{Fault, Faults};
use super::locate::Node;
use super::problem::Problem;
use super::snippet::Snippet;
use super::source::{Position, Source, Span};

/// Why a text is not a scenario or not an expected result: what is wrong, and where. Where more is
/// wrong, it is about the first, and the others are related to it.
#[derive(Error)]
#[error("{}{}", .0.lead(), .0.problem)]
pub struct ScenarioError(Box<Details>);

struct Details {
    problem: Problem,
    path: String,
    place: Position,
    labels: Vec<LabeledSpan>,
    snippet: Arc<Snippet>,
    others: Vec<ScenarioError>,
    left_out: Option<LeftOut>,
}

/// What else is wrong, and not shown.
#[derive(Debug, Clone, Copy, Error, Diagnostic)]
#[error("{0} more like these")]
struct LeftOut(usize);

impl Details {
    fn lead(&self) -> String {
        if self.path.is_empty() { String::new() } else { format!("{}: ", self.path) }
    }
}

impl ScenarioError {
    /// What is wrong in `source`, which consists of `documents`.
    pub(super) fn new(source: &Source, documents: &[Node<'_>], faults: Faults) -> Self {
        let left_out = Some(LeftOut(faults.left_out)).filter(|LeftOut(count)| *count > 0);
        let snippet = Arc::new(Snippet::new(source.shown_name(), source.text()));
        let error = |fault| Self::at(source, documents, &snippet, fault);
        let mut errors = faults.kept.into_iter().map(error);
        let mut first = errors.next().expect("there is an error because something is wrong");
        first.0.others = errors.collect();
        first.0.left_out = left_out;
        first
    }

    fn at(source: &Source, documents: &[Node<'_>], snippet: &Arc<Snippet>, fault: Fault) -> Self {
        let Fault { problem, at, other } = fault;
        let span = at.unwrap_or(Span::new(0, 0));
        let document = documents.iter().find(|document| span.start < document.span().end());
        let path = document.map_or_else(String::new, |document| document.path_to(span.start));
        let label = Some(problem.label());
        let mut labels = vec![LabeledSpan::new_primary_with_span(label, snippet.brief(span))];
        if let Some(other) = other {
            let label = Some(problem.other_label());
            labels.push(LabeledSpan::new_with_span(label, snippet.brief(other)));
        }
        let place = Position::of(source.text(), span.start);
        let (snippet, others) = (Arc::clone(snippet), Vec::new());
        Self(Box::new(Details { problem, path, place, labels, snippet, others, left_out: None }))
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

    /// What else is wrong, as far as it is shown: up to nine more.
    pub fn others(&self) -> &[Self] {
        &self.0.others
    }

    /// It and how much else is wrong, on one line.
    pub fn summary(&self) -> String {
        let left_out = self.0.left_out.map_or(0, |LeftOut(count)| count);
        match self.0.others.len() + left_out {
            0 => self.to_string(),
            more => format!("{self} (and {more} more)"),
        }
    }
}

impl Source {
    /// The text `bytes` of the file `name`, which must be UTF-8. A byte order mark is accepted.
    pub fn from_bytes(name: impl Into<String>, bytes: Vec<u8>) -> Result<Self, ScenarioError> {
        let name = name.into();
        String::from_utf8(bytes).map(|text| Self::new(&*name, text)).map_err(|error| {
            let start = error.utf8_error().valid_up_to();
            let byte = error.as_bytes().get(start).copied().unwrap_or_default();
            let source = Self::new(&*name, String::from_utf8_lossy(error.as_bytes()));
            // Three bytes: the mark that stands for the bad byte.
            let fault = Fault::new(Problem::NotUtf8 { byte }).at(Span::new(start, 3));
            ScenarioError::new(&source, &[Node::root(source.text())], fault.into())
        })
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
        Some(&*self.0.snippet)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.0.labels.iter().cloned()))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        let others = self.0.others.iter().map(|other| other as &dyn Diagnostic);
        let left_out = self.0.left_out.iter().map(|left_out| left_out as &dyn Diagnostic);
        Some(Box::new(others.chain(left_out)))
    }
}
