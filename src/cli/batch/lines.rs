//! A text of many scenarios, a line each; or one scenario that takes several lines.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use serde::de::IgnoredAny;

const BUFFER_BYTES: usize = 256 << 10;

type Source = BufReader<Box<dyn Read + Send>>;

/// What a text turns out to be.
pub(super) enum Text {
    /// A scenario a line.
    Lines(Lines),
    /// One scenario over several lines: all of it.
    Document(Vec<u8>),
}

/// A text, line by line. Blank lines are passed over.
pub(super) struct Lines {
    source: Source,
    bytes_max: u64,
    number: u64,
}

/// A line that is not blank.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Which line of the text, from 1.
    pub(super) number: u64,
    /// What it says, without its end; `None` if that is more than a scenario may have.
    pub(super) text: Option<Vec<u8>>,
}

/// Looks at the first lines of `source`: do they hold a scenario each, or is it one that goes on
/// over many? No scenario may have more than `bytes_max` bytes.
pub(super) fn open(source: Box<dyn Read + Send>, bytes_max: u64) -> io::Result<Text> {
    let mut source = BufReader::with_capacity(BUFFER_BYTES, source);
    let mut head = Vec::new();
    let first = read_line_that_says_something(&mut source, &mut head, bytes_max)?;
    if head.ends_with(b"\n") && is_unfinished(&head[first.clone()]) {
        let second = read_line_that_says_something(&mut source, &mut head, bytes_max)?;
        if goes_on(&head[first], &head[second]) {
            let rest = bytes_max.saturating_sub(len(&head)).saturating_add(1);
            source.take(rest).read_to_end(&mut head)?;
            return Ok(Text::Document(head));
        }
    }
    let whole: Box<dyn Read + Send> = Box::new(Cursor::new(head).chain(source));
    let source = BufReader::with_capacity(BUFFER_BYTES, whole);
    Ok(Text::Lines(Lines { source, bytes_max, number: 0 }))
}

/// Appends lines to `head`, the last of which says something, and returns where it stands.
fn read_line_that_says_something(
    source: &mut Source,
    head: &mut Vec<u8>,
    bytes_max: u64,
) -> io::Result<std::ops::Range<usize>> {
    loop {
        let start = head.len();
        let read = source.by_ref().take(bytes_max).read_until(b'\n', head)?;
        if read == 0 || !head[start..].trim_ascii().is_empty() {
            return Ok(start..head.len());
        }
    }
}

/// Whether `line` begins a JSON value that does not end on it.
fn is_unfinished(line: &[u8]) -> bool {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    serde_json::from_slice::<IgnoredAny>(line).is_err_and(|error| error.is_eof())
        && !line.trim_ascii().is_empty()
}

/// Whether the value that `first` does not finish goes on with `second`, rather than having been
/// cut off, with another one after it.
fn goes_on(first: &[u8], second: &[u8]) -> bool {
    let breaks_well = matches!(first.trim_ascii_end().last(), Some(b'[' | b'{' | b',' | b':'));
    let second_is_whole = serde_json::from_slice::<IgnoredAny>(second).is_ok();
    !second.trim_ascii().is_empty() && (breaks_well || !second_is_whole)
}

impl Lines {
    /// The next line that says something; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            let mut text = Vec::new();
            self.number += 1;
            // One more for the end of the line.
            let mut limited = self.source.by_ref().take(self.bytes_max.saturating_add(1));
            if limited.read_until(b'\n', &mut text)? == 0 {
                return Ok(None);
            }
            if text.pop_if(|last| *last == b'\n').is_none() && len(&text) > self.bytes_max {
                self.source.skip_until(b'\n')?;
                return Ok(Some(Line { number: self.number, text: None }));
            }
            if !text.trim_ascii().is_empty() {
                return Ok(Some(Line { number: self.number, text: Some(text) }));
            }
        }
    }

    /// Which line was read last, or could not be read.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Whether the next line may have to be waited for.
    pub(super) fn may_wait(&self) -> bool {
        self.source.buffer().is_empty()
    }
}

fn len(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(text: &str, bytes_max: u64) -> Text {
        open(Box::new(Cursor::new(text.to_owned())), bytes_max).unwrap()
    }

    fn lines(text: &str, bytes_max: u64) -> Vec<(u64, Option<String>)> {
        let Text::Lines(mut lines) = opened(text, bytes_max) else { panic!("a document") };
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
    fn a_document_is_read_a_byte_beyond_the_limit_at_most() {
        let text = format!("[\n{}]", "1,\n".repeat(1000));
        let Text::Document(found) = opened(&text, 100) else { panic!("lines") };
        assert_eq!(found.len(), 101);
    }
}
