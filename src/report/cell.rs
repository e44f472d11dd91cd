//! Cells of CSV. Texts stand there so that no spreadsheet runs them; the exact text is in other
//! formats.

use std::borrow::Cow;
use std::fmt::Display;
use std::io;

use crate::model::{Shown, is_unseen};

/// What stands in a cell.
#[derive(Debug)]
pub(crate) enum Cell<'a> {
    Empty,
    /// Of this program's making: a spreadsheet reckons with it, below zero too.
    Number(String),
    /// It may come from anywhere.
    Text(Cow<'a, str>),
}

impl<'a> Cell<'a> {
    pub(crate) fn number(number: impl Display) -> Self {
        Self::Number(number.to_string())
    }

    pub(crate) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    /// An empty one where there is nothing.
    pub(crate) fn of<T>(found: Option<T>, cell: impl FnOnce(T) -> Self) -> Self {
        found.map_or(Self::Empty, cell)
    }
}

/// Writes `cells` as one row. No other function writes a cell.
pub(crate) fn write_row<'a, W: io::Write>(
    out: &mut csv::Writer<W>,
    cells: impl IntoIterator<Item = Cell<'a>>,
) -> csv::Result<()> {
    for cell in cells {
        match cell {
            Cell::Empty => out.write_field("")?,
            Cell::Number(number) => out.write_field(number)?,
            Cell::Text(text) => out.write_field(&*harmless(&text))?,
        }
    }
    out.write_record(None::<&[u8]>)
}

/// `text` as no spreadsheet takes it for a formula, with nothing in it that a terminal obeys.
///
/// A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula, whatever quotes
/// are around it; some take the wide forms of these too. Such a text gets an apostrophe in front,
/// which spreadsheets read as "this is text". Characters that are not visible are written as in a
/// program: `\n`, `\u{1b}`.
fn harmless(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) {
        Cow::Owned(format!("'{}", Shown::new(text)))
    } else if text.chars().any(is_unseen) {
        Cow::Owned(Shown::new(text).to_string())
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_a_formula_or_has_a_control_character() {
        for (text, cell) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("＝1+1", "'＝1+1"),
            ("=a\n1", r"'=a\n1"),
            ("\t=1", r"\t=1"),
            ("a\r\nb\u{1b}[31m\u{0}\u{9b}", r"a\r\nb\u{1b}[31m\u{0}\u{9b}"),
            ("\u{202e}=1", r"\u{202e}=1"),
            ("a,b \"é\" 'a", "a,b \"é\" 'a"),
        ] {
            assert_eq!(harmless(text), cell);
        }
    }

    #[test]
    fn a_number_below_zero_stays_a_number() {
        let mut out = csv::Writer::from_writer(Vec::new());
        let cells = [Cell::number(-3.2), Cell::text("-3.2"), Cell::Empty, Cell::text("=a,b")];
        write_row(&mut out, cells).unwrap();
        assert_eq!(out.into_inner().unwrap(), b"-3.2,'-3.2,,\"'=a,b\"\n");
    }
}
