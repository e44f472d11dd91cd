//! A text of many scenarios, a line each; or one scenario that takes several lines.

use std::collections::VecDeque;
use std::io::{self, BufReader, Read};

use serde::de::IgnoredAny;

use super::document::{DocumentError, read_document};
use crate::history::{self, LineEnd};
use crate::model::ByteSize;

const BUFFER_BYTES: usize = 256 << 10;

type Source = BufReader<Box<dyn Read + Send>>;

/// What a text turns out to be.
pub(crate) enum Text {
    /// A scenario a line.
    Lines(Lines),
    /// One scenario over several lines: all of it.
    Document(Vec<u8>),
}

/// A text, line by line. Blank lines are passed over.
pub(crate) struct Lines {
    source: history::Lines<Source>,
    /// Lines that were read to see what the text is.
    ahead: VecDeque<Line>,
}

/// A line that is not blank.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Which line of the text, from 1.
    pub(crate) number: u64,
    /// What it says, without its end; `None` if that is more than a scenario may have.
    pub(crate) text: Option<Vec<u8>>,
}

/// Looks at the first lines of `source`: do they hold a scenario each, or is it one that goes on
/// over many? No scenario may have more than `document_max` bytes.
pub(crate) fn open(
    source: Box<dyn Read + Send>,
    document_max: ByteSize,
) -> Result<Text, DocumentError> {
    let mut lines = Lines::new(source, document_max);
    let Some(first) = lines.read()? else { return Ok(Text::Lines(lines)) };
    if !first.text.as_deref().is_some_and(is_unfinished) {
        lines.ahead.push_back(first);
        return Ok(Text::Lines(lines));
    }
    match (first.text, lines.read()?) {
        (Some(text), Some(second)) if goes_on(&text, second.text.as_deref()) => {
            let second_text = second.text.ok_or(DocumentError::TooLong { limit: document_max })?;
            let end = if lines.source.has_newline() { "\n" } else { "" };
            // Blank lines are not kept, but what stands below them keeps its place.
            let whole = blank_lines(first.number - 1)
                .chain(&*text)
                .chain(blank_lines(second.number - first.number))
                .chain(&*second_text)
                .chain(end.as_bytes())
                .chain(lines.source.into_input());
            Ok(Text::Document(read_document(whole, document_max)?))
        }
        (text, second) => {
            lines.ahead.push_back(Line { number: first.number, text });
            lines.ahead.extend(second);
            Ok(Text::Lines(lines))
        }
    }
}

/// So many line ends.
fn blank_lines(count: u64) -> impl Read {
    io::repeat(b'\n').take(count)
}

/// Whether `line` begins a JSON value that does not end on it.
fn is_unfinished(line: &[u8]) -> bool {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    serde_json::from_slice::<IgnoredAny>(line).is_err_and(|error| error.is_eof())
}

/// Whether the value that `first` does not finish goes on with `second`, rather than having been
/// cut off, with another one after it. `None` is a line that is too long.
fn goes_on(first: &[u8], second: Option<&[u8]>) -> bool {
    let breaks_well = matches!(first.trim_ascii_end().last(), Some(b'[' | b'{' | b',' | b':'));
    let is_whole = |text| serde_json::from_slice::<IgnoredAny>(text).is_ok();
    breaks_well || second.is_some_and(|second| !is_whole(second))
}

impl Lines {
    /// Lines of `source`, each of at most `document_max` bytes.
    pub(crate) fn new(source: Box<dyn Read + Send>, document_max: ByteSize) -> Self {
        let source = BufReader::with_capacity(BUFFER_BYTES, source);
        Self { source: history::Lines::new(source, document_max), ahead: VecDeque::new() }
    }

    /// The next line that says something; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Line>, DocumentError> {
        match self.ahead.pop_front() {
            Some(line) => Ok(Some(line)),
            None => self.read(),
        }
    }

    fn read(&mut self) -> Result<Option<Line>, DocumentError> {
        let limit = self.source.line_max();
        let mut blank = 0_u64;
        loop {
            let Some(end) = self.source.advance()? else { return Ok(None) };
            let number = self.source.number();
            if end == LineEnd::BeyondLimit {
                self.source.skip_rest()?;
                return Ok(Some(Line { number, text: None }));
            }
            if !self.source.bytes().trim_ascii().is_empty() {
                return Ok(Some(Line { number, text: Some(self.source.take_bytes()) }));
            }
            blank += self.source.next_offset() - self.source.offset();
            if blank > limit.bytes() {
                return Err(DocumentError::Blank { limit });
            }
        }
    }

    /// Which line was read last, or could not be read.
    pub(crate) fn number(&self) -> u64 {
        self.source.number()
    }

    /// Whether the next line may have to be waited for.
    pub(crate) fn may_wait(&self) -> bool {
        self.ahead.is_empty() && self.source.input().buffer().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn opened(text: &str, document_max: u64) -> Text {
        open(Box::new(Cursor::new(text.to_owned())), ByteSize::new(document_max)).unwrap()
    }

    fn lines(text: &str, document_max: u64) -> Vec<(u64, Option<String>)> {
        let Text::Lines(mut lines) = opened(text, document_max) else { panic!("a document") };
        let mut all = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            let text = line.text.map(|bytes| String::from_utf8(bytes).unwrap());
            all.push((line.number, text));
        }
        all
    }

    #[test]
    fn lines_are_numbered_as_an_editor_does() {
        let text = "\n[1]\r\n  \n\n[2]\n[3";
        let line = |number, text: &str| (number, Some(text.to_owned()));
        assert_eq!(lines(text, 1000), [line(2, "[1]\r"), line(5, "[2]"), line(6, "[3")]);
        assert_eq!(lines("", 1000), []);
        assert_eq!(lines("\n\n", 1000), []);
    }

    #[test]
    fn a_line_that_is_too_long_is_left_out_and_the_next_is_read() {
        let text = "[1]\n[1,2,3,4,5]\n[2]\n[345]\n[3456]";
        let found = lines(text, 5);
        let told: Vec<_> = found.iter().map(|(number, text)| (*number, text.as_deref())).collect();
        let expected =
            [(1, Some("[1]")), (2, None), (3, Some("[2]")), (4, Some("[345]")), (5, None)];
        assert_eq!(told, expected);
    }

    #[test]
    fn one_scenario_over_many_lines_is_recognised() {
        for text in [
            "[\n  {\"id\": 1}\n]\n",
            "\n\n{\n  \"name\": \"a\"\n}",
            "\u{feff}[\n{}]",
            "[{\"id\": 1},\n {\"id\": 2}]",
            "[{\"id\": 1}\n,{\"id\": 2}]",
            "[{\"id\": 1,\n\"x\": 2}]\n",
            "[\n{\"id\": 1}\n]",
        ] {
            let Text::Document(found) = opened(text, 1000) else { panic!("lines: {text}") };
            assert_eq!(String::from_utf8(found).unwrap(), text);
        }
    }

    #[test]
    fn a_line_that_was_cut_off_does_not_swallow_the_others() {
        for text in ["[1]\n[2]\n", "[{\"id\": 1\n[2]\n", "[{\"id\"\n{}\n", "x\n[1]\n", "[1"] {
            assert_eq!(lines(text, 1000).len(), text.lines().count(), "{text}");
        }
    }

    #[test]
    fn a_document_that_is_too_long_is_refused() {
        for text in [format!("[\n{}]", "1,\n".repeat(1000)), format!("[\n{}]", "1,".repeat(1000))] {
            let opened = open(Box::new(Cursor::new(text)), ByteSize::new(100));
            let error = opened.err().expect("a refusal");
            assert_eq!(error.to_string(), "longer than 100B; --document-max allows more");
        }
    }

    #[test]
    fn blank_text_is_passed_over_up_to_the_limit() {
        let text = |blank: usize| format!("[1]\n{}[2]\n", "  \n".repeat(blank));
        assert_eq!(lines(&text(30), 100).len(), 2);
        let Text::Lines(mut lines) = opened(&text(40), 100) else { panic!("a document") };
        assert_eq!(lines.next().unwrap().unwrap().number, 1);
        let error = lines.next().unwrap_err();
        assert_eq!(error.to_string(), "more than 100B of blank text; --document-max allows more");
    }
}
