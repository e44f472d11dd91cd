//! A text, line by line, none of which is longer than a limit. The one reader of lines: of
//! histories, of rows, and of scenarios.

use std::io::{self, BufRead};

use memchr::memchr;

use crate::model::ByteSize;
use crate::model::number::count;

/// The most that a line may have, or a document, unless somebody says otherwise.
pub const DOCUMENT_MAX: ByteSize = ByteSize::new(64 << 20);

/// Reads lines from `R`. Its buffer grows with what has come, up to the limit.
#[derive(Debug)]
pub struct Lines<R> {
    input: R,
    line_max: ByteSize,
    number: u64,
    offset: u64,
    bytes: Vec<u8>,
    /// How much of the input the line is, with its end.
    taken: u64,
    has_newline: bool,
}

/// How the line that was read ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnd {
    /// With a newline.
    Newline,
    /// With the input.
    Input,
    /// Not within the limit: this is its beginning.
    BeyondLimit,
}

impl<R: BufRead> Lines<R> {
    /// Lines of `input`, each of at most `line_max` bytes without its end.
    pub fn new(input: R, line_max: ByteSize) -> Self {
        let bytes = Vec::new();
        Self { input, line_max, number: 0, offset: 0, bytes, taken: 0, has_newline: false }
    }

    /// Goes to the next line, and says how it ends; `None` after the last.
    pub fn advance(&mut self) -> io::Result<Option<LineEnd>> {
        self.number += 1;
        self.offset += self.taken;
        self.bytes.clear();
        self.taken = 0;
        // One more for the end of the line.
        let most = self.line_max.bytes().saturating_add(1);
        self.has_newline = self.take_line(most)?;
        if self.has_newline {
            return Ok(Some(LineEnd::Newline));
        }
        Ok(match self.taken {
            0 => None,
            taken if taken < most => Some(LineEnd::Input),
            _ => Some(LineEnd::BeyondLimit),
        })
    }

    /// Takes up to `most` bytes of the input, up to the end of a line. Whether it came to that. As
    /// `BufRead::read_until`, which looks for the end eight bytes at a time.
    fn take_line(&mut self, most: u64) -> io::Result<bool> {
        while self.taken < most {
            let coming = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                coming => coming?,
            };
            let room = usize::try_from(most - self.taken).unwrap_or(usize::MAX);
            let coming = &coming[..coming.len().min(room)];
            let end = memchr(b'\n', coming);
            self.bytes.extend_from_slice(&coming[..end.unwrap_or(coming.len())]);
            let taken = end.map_or(coming.len(), |end| end + 1);
            self.input.consume(taken);
            self.taken += count(taken);
            if end.is_some() || taken == 0 {
                return Ok(end.is_some());
            }
        }
        Ok(false)
    }

    /// Passes over the rest of a line that is too long.
    pub fn skip_rest(&mut self) -> io::Result<()> {
        self.bytes.clear();
        let passed = self.input.skip_until(b'\n')?;
        self.taken = self.taken.saturating_add(count(passed));
        Ok(())
    }
}

impl<R> Lines<R> {
    /// The line, without the newline after it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same, to keep.
    pub fn take_bytes(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// Its number, from 1; after the last line one more than there are.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Where it begins, in bytes from the start.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Where the next one begins.
    pub fn next_offset(&self) -> u64 {
        self.offset + self.taken
    }

    /// The most that a line may have.
    pub fn line_max(&self) -> ByteSize {
        self.line_max
    }

    /// Whether the line has a newline after it.
    pub fn has_newline(&self) -> bool {
        self.has_newline
    }

    /// What it reads from, which stands at [`Lines::next_offset`].
    pub fn input(&self) -> &R {
        &self.input
    }

    /// What it reads from, whose place `number` and `offset` are those of the line to come next.
    pub fn moved(&mut self, number: u64, offset: u64) -> &mut R {
        self.bytes.clear();
        (self.number, self.offset, self.taken) = (number - 1, offset, 0);
        &mut self.input
    }

    /// What it reads from.
    pub fn into_input(self) -> R {
        self.input
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_a_number_a_place_and_an_end() {
        let mut lines = Lines::new(&b"one\n\n12345\n123456\nlast"[..], ByteSize::new(5));
        let mut seen = Vec::new();
        while let Some(end) = lines.advance().unwrap() {
            let text = String::from_utf8(lines.bytes().to_vec()).unwrap();
            seen.push((lines.number(), lines.offset(), text, end));
            if end == LineEnd::BeyondLimit {
                lines.skip_rest().unwrap();
            }
        }
        let line = |number, offset, text: &str, end| (number, offset, text.to_owned(), end);
        let expected = [
            line(1, 0, "one", LineEnd::Newline),
            line(2, 4, "", LineEnd::Newline),
            line(3, 5, "12345", LineEnd::Newline),
            line(4, 11, "123456", LineEnd::BeyondLimit),
            line(5, 18, "last", LineEnd::Input),
        ];
        assert_eq!(seen, expected);
        assert_eq!((lines.number(), lines.next_offset()), (6, 22));
    }

    #[test]
    fn a_line_without_an_end_is_not_gathered() {
        let input = io::BufReader::new(io::repeat(b'x'));
        let mut lines = Lines::new(input, ByteSize::new(1000));
        assert_eq!(lines.advance().unwrap(), Some(LineEnd::BeyondLimit));
        assert_eq!(lines.bytes().len(), 1001);
    }
}
