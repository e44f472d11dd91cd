//! Lines that fit a terminal: what is wider goes on below, where a word ends.

use std::io::{self, Write};

use textwrap::{Options, WordSeparator, WordSplitter};

/// How wide a text is that people read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Width {
    /// No terminal says it: sentences have lines of 96 columns, and tables are as wide
    /// as they are.
    #[default]
    Unknown,
    /// So many columns, for all.
    Columns(usize),
}

impl Width {
    /// How wide a sentence is at most: lines that are longer are hard to read.
    pub(crate) const SENTENCE: usize = 96;
    /// Narrower than this nothing can be read.
    const LEAST: usize = 40;

    /// As far as a sentence runs to the right.
    pub(crate) fn of_sentences(self) -> usize {
        match self {
            Self::Unknown => Self::SENTENCE,
            Self::Columns(columns) => columns.clamp(Self::LEAST, Self::SENTENCE),
        }
    }

    /// As far as a picture runs to the right.
    pub(crate) fn of_pictures(self) -> usize {
        match self {
            Self::Unknown => 80,
            Self::Columns(columns) => columns.max(Self::LEAST),
        }
    }

    /// Writes what `write` writes, folded.
    pub(crate) fn fold(
        self,
        out: &mut dyn Write,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        match self {
            Self::Unknown => write(out),
            Self::Columns(columns) => {
                let mut folded =
                    Folded { out, columns: columns.max(Self::LEAST), line: Vec::new() };
                write(&mut folded)?;
                folded.end_line()
            }
        }
    }
}

struct Folded<'a> {
    out: &'a mut dyn Write,
    columns: usize,
    /// What is not written yet.
    line: Vec<u8>,
}

impl Folded<'_> {
    fn end_line(&mut self) -> io::Result<()> {
        let line = String::from_utf8_lossy(&self.line);
        // ANSI codes take no room.
        if textwrap::core::display_width(&line) <= self.columns {
            self.out.write_all(&self.line)?;
        } else {
            let text = line.trim_end_matches('\n').trim_start_matches(' ');
            let indent = " ".repeat(line.len() - line.trim_start_matches(' ').len());
            let below = format!("{indent}  ");
            let options = Options::new(self.columns)
                .initial_indent(&indent)
                .subsequent_indent(&below)
                .word_separator(WordSeparator::AsciiSpace)
                .word_splitter(WordSplitter::NoHyphenation);
            for folded in textwrap::wrap(text, options) {
                writeln!(self.out, "{folded}")?;
            }
        }
        self.line.clear();
        Ok(())
    }
}

impl Write for Folded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.end_line()?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str, columns: usize) -> String {
        let mut out = Vec::new();
        let width = Width::Columns(columns);
        width.fold(&mut out, |out| out.write_all(text.as_bytes())).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_that_is_too_wide_goes_on_below_where_a_word_ends() {
        let text = "short\n  one two three four five six seven eight nine ten\n\nend";
        let below = "short\n  one two three four five six seven eight\n    nine ten\n\nend";
        assert_eq!(folded(text, 44), below);
        assert_eq!(folded(text, 80), text);
    }

    #[test]
    fn colour_takes_no_room_and_a_wide_character_takes_two_columns() {
        let coloured = format!("\u{1b}[31m{}\u{1b}[0m\n", "x".repeat(40));
        assert_eq!(folded(&coloured, 40), coloured);
        let wide = format!("{} {}\n", "界".repeat(15), "界".repeat(6));
        assert_eq!(folded(&wide, 40), format!("{}\n  {}\n", "界".repeat(15), "界".repeat(6)));
    }

    #[test]
    fn sentences_are_no_wider_than_people_read() {
        for (width, columns) in
            [(Width::Unknown, 96), (Width::Columns(80), 80), (Width::Columns(300), 96)]
        {
            assert_eq!(width.of_sentences(), columns);
        }
    }
}
