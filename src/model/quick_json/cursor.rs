//! A text of JSON, and how far it is read.

use std::borrow::Cow;
use std::fmt;

use serde_json::value::RawValue;

use super::digits::digits;
use super::plain_text::{plain_len, short_plain_len};

/// What is still to be read.
pub(super) struct Quick<'de> {
    /// The whole, where it is known to be UTF-8.
    text: Option<&'de str>,
    rest: &'de [u8],
}

/// It cannot be read quickly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Odd;

/// Whatever so many digits say has room in 64 bits.
const FITS: usize = 19;

impl<'de> Quick<'de> {
    /// A text.
    pub(super) fn text(text: &'de str) -> Self {
        Self { text: Some(text), rest: text.as_bytes() }
    }

    /// What may be one.
    pub(super) fn bytes(bytes: &'de [u8]) -> Self {
        Self { text: None, rest: bytes }
    }

    /// The next byte that is no white space.
    #[inline]
    pub(super) fn next_byte(&mut self) -> Option<u8> {
        self.rest = past_space(self.rest);
        self.rest.first().copied()
    }

    /// Takes the next byte, if it is `wanted`.
    #[inline]
    pub(super) fn take(&mut self, wanted: u8) -> Result<(), Odd> {
        match self.rest {
            [first, rest @ ..] if *first == wanted => {
                self.rest = rest;
                Ok(())
            }
            _ => self.take_after_space(wanted),
        }
    }

    #[inline(never)]
    fn take_after_space(&mut self, wanted: u8) -> Result<(), Odd> {
        self.rest = after(wanted, self.rest).ok_or(Odd)?;
        Ok(())
    }

    /// What `bytes` spell that were taken before the last `since` ones.
    #[inline]
    fn spelled(&self, bytes: &'de [u8], since: usize) -> Result<&'de str, Odd> {
        match self.text {
            Some(text) => {
                let end = text.len() - self.rest.len() - since;
                text.get(end - bytes.len()..end).ok_or(Odd)
            }
            None => str::from_utf8(bytes).map_err(|_| Odd),
        }
    }

    /// A key between `before` and a colon, if there is one without escapes; else nothing is taken.
    #[inline(always)]
    pub(super) fn key(&mut self, before: u8) -> Option<&'de [u8]> {
        let [first, after @ ..] = self.rest else { return None };
        if *first != before && *first > b' ' {
            return None;
        }
        // Most are short, and have no white space beside them.
        if *first == before
            && let [b'"', text @ ..] = after
            && let Some(len) = short_plain_len(text)
            && let Some((key, [b'"', b':', rest @ ..])) = text.split_at_checked(len)
        {
            self.rest = rest;
            return Some(key);
        }
        self.any_key(before)
    }

    /// The same, whatever it is, with white space after it too.
    #[inline(never)]
    fn any_key(&mut self, before: u8) -> Option<&'de [u8]> {
        let text = after(b'"', after(before, self.rest)?)?;
        let (key, rest) = text.split_at(plain_len(text));
        self.rest = past_space(after(b':', rest.strip_prefix(b"\"")?)?);
        Some(key)
    }

    /// A string, which comes next.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Cow<'de, str>, Odd> {
        match self.plain_string() {
            Some(text) => self.spelled(text, 1).map(Cow::Borrowed),
            None => self.escaped().map(Cow::Owned),
        }
    }

    /// The same as its bytes, if no escape is in it; else nothing is taken.
    #[inline]
    pub(super) fn plain_string(&mut self) -> Option<&'de [u8]> {
        if self.next_byte() != Some(b'"') {
            return None;
        }
        let text = &self.rest[1..];
        let len = plain_len(text);
        if text.get(len) != Some(&b'"') {
            return None;
        }
        self.rest = &text[len + 1..];
        Some(&text[..len])
    }

    /// The same, with escapes in it.
    #[cold]
    pub(super) fn escaped(&mut self) -> Result<String, Odd> {
        serde_json::from_str(self.cut_out()?).map_err(|_| Odd)
    }

    /// A whole number that is not negative, and comes next; else nothing is taken but white space.
    #[inline]
    pub(super) fn whole(&mut self) -> Result<u64, Odd> {
        match self.rest {
            [digit @ b'0'..=b'9', rest @ ..] if !rest.first().is_some_and(u8::is_ascii_digit) => {
                self.rest = rest;
                Ok((digit - b'0').into())
            }
            _ => self.longer_whole(),
        }
    }

    /// The same, with more than one digit or with white space before it.
    #[inline(never)]
    fn longer_whole(&mut self) -> Result<u64, Odd> {
        match self.next_byte() {
            // After it there is no other digit: what comes is read as something else, and is none.
            Some(b'0') => self.take(b'0').map(|()| 0),
            Some(b'1'..=b'9') => {
                let (len, whole) = digits(self.rest);
                if len > FITS {
                    return self.longest_whole(len);
                }
                self.rest = &self.rest[len..];
                Ok(whole)
            }
            Some(_) | None => Err(Odd),
        }
    }

    /// The same, with so many digits that it may have no room.
    #[cold]
    fn longest_whole(&mut self, len: usize) -> Result<u64, Odd> {
        let (digits, rest) = self.rest.split_at(len);
        let whole =
            str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).ok_or(Odd)?;
        self.rest = rest;
        Ok(whole)
    }

    /// The text of the next value, which is sound.
    pub(super) fn written(&mut self) -> Result<&'de str, Odd> {
        match self.next_byte() {
            Some(b'0'..=b'9') => {
                let text = self.rest;
                let (mut len, _) = digits(text);
                let is_zero_first = len > 1 && text[0] == b'0';
                if text.get(len) == Some(&b'.') {
                    len += 1 + digits(&text[len + 1..]).0;
                }
                // What ends with a point is no number.
                if let (false, b'0'..=b'9', Some(b',' | b'}')) =
                    (is_zero_first, text[len - 1], text.get(len))
                {
                    self.rest = &text[len..];
                    return self.spelled(&text[..len], 0);
                }
                self.cut_out()
            }
            Some(_) => self.cut_out(),
            None => Err(Odd),
        }
    }

    /// The same, of anything that is JSON.
    #[inline(never)]
    pub(super) fn cut_out(&mut self) -> Result<&'de str, Odd> {
        let rest = serde_json::Deserializer::from_slice(self.rest);
        let mut values = rest.into_iter::<&RawValue>();
        let raw = values.next().ok_or(Odd)?.map_err(|_| Odd)?;
        self.rest = &self.rest[values.byte_offset()..];
        Ok(raw.get())
    }
}

/// What comes after the byte `wanted`, which may have white space before it.
#[inline]
fn after(wanted: u8, text: &[u8]) -> Option<&[u8]> {
    past_space(text).strip_prefix(&[wanted])
}

/// What comes after white space: mostly none, or one.
#[inline]
fn past_space(text: &[u8]) -> &[u8] {
    match text {
        [first, ..] if *first > b' ' => text,
        [b' ', rest @ ..] if rest.first().is_some_and(|first| *first > b' ') => rest,
        _ => past_all_space(text),
    }
}

#[inline(never)]
fn past_all_space(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] = text {
        text = rest;
    }
    text
}

impl serde::de::Error for Odd {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl std::error::Error for Odd {}

impl fmt::Display for Odd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it cannot be read quickly")
    }
}
