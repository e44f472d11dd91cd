//! Aligned columns, as wide as what they hold.

use std::io::{self, Write};

use anstyle::Style;
use unicode_width::UnicodeWidthStr;

use super::palette::PLAIN;
use crate::model::Shown;

/// What stands in one column of one row.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    parts: Vec<Part>,
    align: Align,
}

#[derive(Debug, Clone)]
struct Part {
    style: Style,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Align {
    Left,
    Right,
}

pub(crate) type Row = Vec<Cell>;

impl Part {
    fn new(style: Style, text: &str) -> Self {
        Self { style, text: Shown::new(text).to_string() }
    }
}

impl Cell {
    /// What comes from elsewhere is shown so that no terminal obeys it.
    pub(crate) fn new(style: Style, text: impl AsRef<str>) -> Self {
        Self { parts: vec![Part::new(style, text.as_ref())], align: Align::Left }
    }

    pub(crate) fn plain(text: impl AsRef<str>) -> Self {
        Self::new(PLAIN, text)
    }

    /// The same cell with more text, in another style.
    pub(crate) fn and(mut self, style: Style, text: impl AsRef<str>) -> Self {
        self.parts.push(Part::new(style, text.as_ref()));
        self
    }

    /// The same cell, its text at the right edge of the column: for numbers.
    pub(crate) fn right(mut self) -> Self {
        self.align = Align::Right;
        self
    }

    fn width(&self) -> usize {
        self.parts.iter().map(|part| part.text.width()).sum()
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        for Part { style, text } in &self.parts {
            write!(out, "{style}{text}{style:#}")?;
        }
        Ok(())
    }
}

/// The widths of some columns.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    widths: Vec<usize>,
}

const GAP: usize = 2;
/// What is wider runs on, and does not push the other rows apart.
const WIDTH_MOST: usize = 80;

impl Columns {
    /// Makes room for `row`. What ends a row may run on, so it takes no room in its column.
    pub(crate) fn fit(&mut self, row: &Row) {
        let last = row.len().saturating_sub(1);
        for (place, cell) in row.iter().enumerate() {
            if place == self.widths.len() {
                self.widths.push(0);
            }
            if place < last || cell.align == Align::Right {
                self.widths[place] = self.widths[place].max(cell.width().min(WIDTH_MOST));
            }
        }
    }

    /// Where the second column starts.
    pub(crate) fn second(&self) -> usize {
        self.widths.first().map_or(0, |first| first + GAP)
    }

    /// Writes `row` as a line, `indent` spaces from the edge.
    pub(crate) fn write(&self, out: &mut dyn Write, indent: usize, row: &Row) -> io::Result<()> {
        let last = row.len().saturating_sub(1);
        let mut owed = indent;
        for (place, cell) in row.iter().enumerate() {
            let space = self.widths[place].saturating_sub(cell.width());
            let (before, after) = match cell.align {
                Align::Left => (0, space),
                Align::Right => (space, 0),
            };
            if cell.width() > 0 {
                write!(out, "{:width$}", "", width = owed + before)?;
                cell.write(out)?;
                owed = 0;
            } else {
                owed += before;
            }
            owed += after + if place < last { GAP } else { 0 };
        }
        writeln!(out)
    }
}

/// Writes `rows` as a table of their own.
pub(crate) fn write_table(out: &mut dyn Write, indent: usize, rows: &[Row]) -> io::Result<()> {
    let mut columns = Columns::default();
    rows.iter().for_each(|row| columns.fit(row));
    rows.iter().try_for_each(|row| columns.write(out, indent, row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_no_line_ends_in_spaces() {
        let rows = [
            vec![Cell::plain("a"), Cell::plain("7").right(), Cell::plain("x")],
            vec![Cell::plain("abc"), Cell::plain("1,234").right(), Cell::plain("")],
            vec![Cell::plain("✓"), Cell::plain("the end of a row may run on")],
        ];
        let mut out = Vec::new();
        write_table(&mut out, 1, &rows).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, " a        7  x\n abc  1,234\n ✓    the end of a row may run on\n");
    }
    #[test]
    fn a_cell_that_is_very_long_runs_on_by_itself() {
        let long = "1, ".repeat(100_000);
        let rows = [
            vec![Cell::plain(long.clone()), Cell::plain("x")],
            vec![Cell::plain("a"), Cell::plain("y")],
        ];
        let mut out = Vec::new();
        write_table(&mut out, 0, &rows).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, format!("{long}  x\na{}y\n", " ".repeat(WIDTH_MOST - 1 + GAP)));
    }
}
