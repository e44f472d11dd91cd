//! The last thing before standard output and standard error: whatever text comes, a terminal is
//! given words, ends of lines and colours. Knows nothing of what the text says.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

use crate::model::is_unseen;

/// What becomes of colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colours {
    Kept,
    Dropped,
}

/// Writes to `W`, text in whole pieces. Anything but a colour that a terminal would obey is written
/// as in JSON, `\u001b`: so JSON stays what it is, and in text it is shown. Text for people comes
/// with its names made harmless already, by [`Shown`](crate::model::Shown).
pub(super) struct Guard<W> {
    out: W,
    colours: Colours,
}

impl<W: Write> Guard<W> {
    /// Whether there is to be colour is for `out` to know.
    pub(super) fn new(out: W) -> Self {
        Self { out, colours: Colours::Kept }
    }

    pub(super) fn with(out: W, colours: Colours) -> Self {
        Self { out, colours }
    }

    pub(super) fn get_ref(&self) -> &W {
        &self.out
    }
}

impl<W: Write> Write for Guard<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write_all(&harmless(bytes, self.colours))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn harmless(bytes: &[u8], colours: Colours) -> Cow<'_, [u8]> {
    if bytes.chunks(PIECE).all(is_plain) {
        return Cow::Borrowed(bytes);
    }
    let text = String::from_utf8_lossy(bytes);
    let mut safe = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(c) = rest.chars().next() {
        if let Some(len) = colour_len(rest) {
            if colours == Colours::Kept {
                safe.push_str(&rest[..len]);
            }
            rest = &rest[len..];
            continue;
        }
        if is_unseen(c) && !matches!(c, '\n' | '\t') {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(safe, "\\u{unit:04x}").expect("a text takes all");
            }
        } else {
            safe.push(c);
        }
        rest = &rest[c.len_utf8()..];
    }
    Cow::Owned(safe.into_bytes())
}

/// So many bytes are looked at together.
const PIECE: usize = 256;

/// Whether all of it stands for itself. Looks at each byte, whatever the others are: that takes one
/// step for many.
fn is_plain(piece: &[u8]) -> bool {
    piece.iter().fold(true, |plain, byte| plain & matches!(byte, b'\n' | b' '..=b'~'))
}

/// How long the colour is that `text` begins with, if it does: `ESC [ 1 ; 31 m`.
fn colour_len(text: &str) -> Option<usize> {
    let codes = text.strip_prefix("\u{1b}[")?;
    let end = codes.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    codes[end..].starts_with('m').then_some(text.len() - codes.len() + end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guarded(text: &str) -> String {
        written(text, Colours::Kept)
    }

    fn written(text: &str, colours: Colours) -> String {
        let mut guard = Guard::with(Vec::new(), colours);
        guard.write_all(text.as_bytes()).unwrap();
        String::from_utf8(guard.out).unwrap()
    }

    #[test]
    fn colours_are_dropped_where_none_are_wanted_and_nothing_else_is() {
        for (text, told) in [
            ("\u{1b}[1;31merror\u{1b}[0m: é 银行\n", "error: é 银行\n"),
            ("\u{1b}[2J", r"\u001b[2J"),
            ("\u{1b}[\u{1b}[mm", r"\u001b[m"),
        ] {
            assert_eq!(written(text, Colours::Dropped), told);
        }
    }

    #[test]
    fn colours_and_words_pass() {
        for text in ["plain\n\ttext", "\u{1b}[1;31merror\u{1b}[0m: é 银行 👩‍👧\n", "\u{1b}[m", ""]
        {
            assert_eq!(guarded(text), text);
        }
    }

    #[test]
    fn nothing_else_is_obeyed() {
        for (text, told) in [
            ("\u{1b}[2J\u{1b}]8;;x\u{7}", r"\u001b[2J\u001b]8;;x\u0007"),
            ("\u{1b}[31\u{1b}", r"\u001b[31\u001b"),
            ("a\rb\u{9b}2J\u{7f}\u{202e}", r"a\u000db\u009b2J\u007f\u202e"),
            ("\u{e0001}", r"\udb40\udc01"),
        ] {
            assert_eq!(guarded(text), told);
        }
    }

    #[test]
    fn json_stays_what_it_is() {
        let name = "a\u{1b}\u{9b}\u{202e}\u{7f}\u{e0001}\n\té";
        let guarded = guarded(&serde_json::to_string(name).unwrap());
        assert!(!guarded.contains(is_unseen), "{guarded:?}");
        assert_eq!(serde_json::from_str::<String>(&guarded).unwrap(), name);
    }
}
