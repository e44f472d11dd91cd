//! Text from a file or the network as a person is shown it. Knows nothing of a terminal but what
//! characters do to one.

use std::fmt::{self, Write};

/// Whether a terminal obeys `c` instead of showing it, or a reader does not see that it is there:
/// control characters, ends of lines, the order in which text is read, and marks without width.
/// What joins letters and pictures to one is none of these.
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0001}'
        )
}

/// Text on one line, with nothing unseen in it: such a character is written as in a program, `\n`,
/// `\u{1b}`. Shown again, it stays the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown<'a> {
    text: &'a str,
    characters_max: usize,
}

impl<'a> Shown<'a> {
    /// Of a longer name, this many characters are shown.
    pub const NAME_MAX: usize = 200;

    /// All of `text`.
    pub const fn new(text: &'a str) -> Self {
        Self { text, characters_max: usize::MAX }
    }

    /// A name: one of 10,000 characters is cut.
    pub const fn name(name: &'a str) -> Self {
        Self::brief(name, Self::NAME_MAX)
    }

    /// The first `characters_max` characters of `text`, with `…` after them where it is longer.
    pub const fn brief(text: &'a str, characters_max: usize) -> Self {
        Self { text, characters_max }
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = |byte: u8| matches!(byte, b' '..=b'~');
        if self.text.len() <= self.characters_max && self.text.bytes().all(is_plain) {
            return f.write_str(self.text);
        }
        let mut rest = self.text.chars();
        for c in rest.by_ref().take(self.characters_max) {
            if is_unseen(c) { write!(f, "{}", c.escape_default())? } else { f.write_char(c)? }
        }
        if rest.next().is_some() { f.write_char('…') } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_instead() {
        for (text, told) in [
            ("a\u{1b}[2J\nb\tc\r\u{7}\u{7f}\u{0}", r"a\u{1b}[2J\nb\tc\r\u{7}\u{7f}\u{0}"),
            ("\u{85}\u{9b}31m", r"\u{85}\u{9b}31m"),
            ("\u{202e}cba\u{2066}\u{200f}\u{2028}", r"\u{202e}cba\u{2066}\u{200f}\u{2028}"),
            ("a\u{200b}\u{feff}\u{ad}b", r"a\u{200b}\u{feff}\u{ad}b"),
            (r"C:\n", r"C:\n"),
        ] {
            assert_eq!(Shown::new(text).to_string(), told);
            assert_eq!(Shown::new(told).to_string(), told);
        }
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in
            ["Überweisung à Zoë", "银行", "שלום", "👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ❤️", "می‌خواهم", "<a> & 'b' \"c\" `d` |"]
        {
            assert_eq!(Shown::new(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_too_long_is_cut_before_it_is_escaped() {
        assert_eq!(Shown::brief("ééé", 3).to_string(), "ééé");
        assert_eq!(Shown::brief("éé\u{1b}é", 3).to_string(), "éé\\u{1b}…");
        assert_eq!(Shown::name(&"x".repeat(10_000)).to_string().chars().count(), 201);
    }
}
