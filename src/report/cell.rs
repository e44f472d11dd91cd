//! Text as it may stand in a cell of a spreadsheet. The exact text is in other formats.

use std::borrow::Cow;

use crate::model::{Shown, is_unseen};

/// `text` as no spreadsheet takes it for a formula, with nothing in it that a terminal obeys.
///
/// A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula, whatever quotes
/// are around it. Such a text gets an apostrophe in front, which spreadsheets read as "this is
/// text". Characters that nobody sees are written as in a program: `\n`, `\u{1b}`.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@']) {
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
            ("=a\n1", r"'=a\n1"),
            ("\t=1", r"\t=1"),
            ("a\r\nb\u{1b}[31m\u{0}\u{9b}", r"a\r\nb\u{1b}[31m\u{0}\u{9b}"),
            ("\u{202e}=1", r"\u{202e}=1"),
            ("a,b \"é\" 'a", "a,b \"é\" 'a"),
        ] {
            assert_eq!(harmless(text), cell);
        }
    }
}
