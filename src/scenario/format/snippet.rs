//! The piece of a text around an error. A line of a megabyte is cut, and nothing moves the cursor.

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use super::source::{Position, Span};
use crate::model::{Shown, is_unseen};

/// A longer line is cut around the error.
const LINE_BYTES_MAX: usize = 160;
/// How much of a long line is left before and after the error.
const AROUND_BYTES: usize = 40;
/// No more than this of a value is underlined.
const MARK_BYTES_MAX: usize = 40;

/// A text for [`miette`] to cut pieces from.
#[derive(Debug)]
pub(super) struct Snippet {
    name: String,
    /// As long as the real text in bytes, so that places are the same; one space if that is empty.
    text: String,
}

impl Snippet {
    pub(super) fn new(name: &str, text: &str) -> Self {
        // An empty text has no line to show, and then its name is not shown either.
        let text = if text.is_empty() { " ".to_owned() } else { harmless(text) };
        Self { name: name.to_owned(), text }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What of `span` to underline: what is on its first line, and not all of a long one.
    pub(super) fn brief(&self, span: Span) -> SourceSpan {
        let start = self.floor(span.start);
        let part = &self.text[start..self.floor(span.end()).max(start)];
        let line = part.lines().next().unwrap_or_default();
        let len = self.floor(start + line.len().min(MARK_BYTES_MAX)) - start;
        (start, len).into()
    }

    fn floor(&self, offset: usize) -> usize {
        self.text.floor_char_boundary(offset)
    }

    fn lines_around(&self, start: usize, end: usize, before: usize, after: usize) -> Span {
        let mut from = self.line_start(start);
        for _ in 0..before {
            let Some(newline) = from.checked_sub(1) else { break };
            let previous = self.line_start(newline);
            if newline - previous > LINE_BYTES_MAX {
                break;
            }
            from = previous;
        }
        let mut to = self.line_end(end);
        for _ in 0..after {
            if to == self.text.len() || self.line_end(to + 1) - to > LINE_BYTES_MAX {
                break;
            }
            to = self.line_end(to + 1);
        }
        Span::new(from, to - from)
    }

    fn line_start(&self, offset: usize) -> usize {
        self.text[..offset].rfind('\n').map_or(0, |newline| newline + 1)
    }

    fn line_end(&self, offset: usize) -> usize {
        self.text[offset..].find('\n').map_or(self.text.len(), |newline| offset + newline)
    }

    /// The window of a long line, or `None` where two places are too far apart for one window.
    fn window(&self, start: usize, end: usize) -> Option<Span> {
        let fits = end - start <= LINE_BYTES_MAX && !self.text[start..end].contains('\n');
        if !fits {
            return None;
        }
        let from = self.floor(start.saturating_sub(AROUND_BYTES)).max(self.line_start(start));
        let to = self.floor((end + AROUND_BYTES).min(self.line_end(end)));
        Some(Span::new(from, to.max(end) - from))
    }
}

impl SourceCode for Snippet {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let (start, end) = (span.offset(), span.offset() + span.len());
        if self.text.get(start..end).is_none() {
            return Err(MietteError::OutOfBounds);
        }
        let part = if before == 0 && after == 0 {
            Span::new(start, end - start)
        } else {
            let lines = self.lines_around(start, end, before, after);
            let all = &self.text[lines.start..lines.end()];
            if all.lines().all(|line| line.len() <= LINE_BYTES_MAX) {
                lines
            } else {
                self.window(start, end).ok_or(MietteError::OutOfBounds)?
            }
        };
        let place = Position::of(&self.text, part.start);
        let data = &self.text[part.start..part.end()];
        Ok(Box::new(MietteSpanContents::new_named(
            Shown::new(&self.name).to_string(),
            data.as_bytes(),
            (part.start, part.len).into(),
            place.line - 1,
            place.column - 1,
            data.matches('\n').count(),
        )))
    }
}

/// The text with every character that a terminal obeys instead of showing it as `?`s; a carriage
/// return that belongs to the end of a line as a space.
fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\n' | '\t' => shown.push(c),
            '\r' if rest.peek() == Some(&'\n') => shown.push(' '),
            _ if is_unseen(c) => shown.extend(std::iter::repeat_n('?', c.len_utf8())),
            _ => shown.push(c),
        }
    }
    shown
}
