//! A text and where it is from: what a person calls it, and where in it something stands.

use std::fmt;

/// What people are shown for the name `-`, and what its scenario is called.
const STANDARD_INPUT: &str = "<stdin>";
const STANDARD_INPUT_STEM: &str = "stdin";
pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// An input text and its name. Reading files is not done here: who has the bytes makes the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    name: String,
    text: String,
}

impl Source {
    /// The text `text` of the file `name`; `-` names standard input.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// The name as it was given: a path, or `-`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The name as errors and warnings show it.
    pub fn shown_name(&self) -> &str {
        if self.name == "-" { STANDARD_INPUT } else { &self.name }
    }

    /// Where in it something stands: `a.json:2:19`.
    pub(super) fn place(&self, span: Span) -> String {
        format!("{}:{}", self.shown_name(), Position::of(&self.text, span.start))
    }

    /// What a scenario without a name of its own is called: the file's name without `.json`.
    pub fn stem(&self) -> &str {
        if self.name == "-" {
            return STANDARD_INPUT_STEM;
        }
        let file = file_name(&self.name).unwrap_or(&self.name);
        file.strip_suffix(".json").filter(|stem| !stem.is_empty()).unwrap_or(file)
    }
}

/// The file that a path leads to, as `Path::file_name` has it, which takes paths of every kind apart.
fn file_name(path: &str) -> Option<&str> {
    let last = path.rsplit('/').find(|part| !matches!(*part, "" | "."));
    last.filter(|part| *part != "..")
}

/// A part of a text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) len: usize,
}

impl Span {
    pub(super) const fn new(start: usize, len: usize) -> Self {
        Self { start, len }
    }

    pub(super) const fn end(self) -> usize {
        self.start + self.len
    }
}

/// A place as editors count it: lines and characters from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Position {
    /// Where the byte `offset` of `text` stands.
    pub(super) fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let newlines = before.bytes().filter(|byte| *byte == b'\n').count();
        // A byte order mark is no character that an editor shows.
        let characters = before[line_start..].chars().filter(|c| *c != BYTE_ORDER_MARK).count();
        Self { line: newlines + 1, column: characters + 1 }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_called_after_its_file() {
        for (name, stem) in [
            ("input/read_your_writes.json", "read_your_writes"),
            ("two.parts.json", "two.parts"),
            ("plain", "plain"),
            (".json", ".json"),
            ("-", "stdin"),
        ] {
            assert_eq!(Source::new(name, "").stem(), stem);
        }
        assert_eq!(Source::new("-", "").shown_name(), "<stdin>");
    }

    #[test]
    fn a_file_name_is_that_of_the_standard_library() {
        for path in [
            "a",
            "a/b",
            "/a/b",
            "a/b/",
            "a//",
            "a/.",
            "a/./",
            "./a",
            ".",
            "./",
            "..",
            "a/..",
            "../a",
            "/",
            "//",
            "",
            "...",
            "a/.b",
            "é/ü.json",
        ] {
            let theirs = std::path::Path::new(path).file_name().and_then(|name| name.to_str());
            assert_eq!(file_name(path), theirs, "{path}");
        }
    }

    #[test]
    fn places_count_characters_and_lines_from_one() {
        let text = "\u{feff}é1\r\nab";
        let place = |offset| Position::of(text, offset).to_string();
        assert_eq!(place(0), "1:1");
        assert_eq!(place(text.find('1').unwrap()), "1:2");
        assert_eq!(place(text.find('b').unwrap()), "2:2");
        assert_eq!(place(text.len()), "2:3");
    }
}
