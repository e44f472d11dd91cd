//! The last thing before standard output and standard error: whatever text comes, a terminal is
//! given words, ends of lines and colours. Knows nothing of what the text says.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

use crate::model::is_unseen;

/// Writes to `W`, text in whole pieces. Anything but a colour that a terminal would obey is written
/// as in JSON, `\u001b`: so JSON stays what it is, and in text it is shown. Text for people comes
/// with its names made harmless already, by [`Shown`](crate::model::Shown).
pub(super) struct Guard<W>(W);

impl<W: Write> Guard<W> {
    pub(super) fn new(out: W) -> Self {
        Self(out)
    }

    pub(super) fn get_ref(&self) -> &W {
        &self.0
    }
}

impl<W: Write> Write for Guard<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_all(&harmless(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn harmless(bytes: &[u8]) -> Cow<'_, [u8]> {
    if bytes.iter().all(|byte| matches!(byte, b'\n' | b' '..=b'~')) {
        return Cow::Borrowed(bytes);
    }
    let text = String::from_utf8_lossy(bytes);
    let mut safe = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(c) = rest.chars().next() {
        let len = colour_len(rest).unwrap_or(c.len_utf8());
        if is_unseen(c) && len == c.len_utf8() && !matches!(c, '\n' | '\t') {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(safe, "\\u{unit:04x}").expect("a text takes all");
            }
        } else {
            safe.push_str(&rest[..len]);
        }
        rest = &rest[len..];
    }
    Cow::Owned(safe.into_bytes())
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
        let mut guard = Guard::new(Vec::new());
        guard.write_all(text.as_bytes()).unwrap();
        String::from_utf8(guard.0).unwrap()
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
