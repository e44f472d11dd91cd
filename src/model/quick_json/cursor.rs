//! A text of JSON, and how far it is read.

use std::borrow::Cow;
use std::fmt;

use serde_json::value::RawValue;

use super::plain_text::plain_len;

/// What is still to be read.
pub(super) struct Quick<'de> {
    pub(super) text: &'de str,
    /// The byte that comes next.
    pub(super) at: usize,
}

/// It cannot be read quickly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Odd;

/// Whatever so many digits say has room in 64 bits.
const FITS: usize = 19;

impl<'de> Quick<'de> {
    fn bytes(&self) -> &'de [u8] {
        self.text.as_bytes()
    }

    /// The next byte that is no white space.
    #[inline]
    pub(super) fn next_byte(&mut self) -> Option<u8> {
        loop {
            match self.bytes().get(self.at) {
                // Most bytes are above all white space, which is seen at once.
                Some(&next) if next > b' ' => return Some(next),
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                next => return next.copied(),
            }
        }
    }

    /// Takes the next byte, if it is `wanted`.
    pub(super) fn take(&mut self, wanted: u8) -> Result<(), Odd> {
        if self.next_byte() != Some(wanted) {
            return Err(Odd);
        }
        self.at += 1;
        Ok(())
    }

    /// The bytes from here on that are `taken`.
    fn while_is(&mut self, taken: impl Fn(u8) -> bool) -> &'de str {
        let start = self.at;
        while self.bytes().get(self.at).is_some_and(|&byte| taken(byte)) {
            self.at += 1;
        }
        &self.text[start..self.at]
    }

    /// A string, which comes next.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Cow<'de, str>, Odd> {
        self.plain_string()
            .map_or_else(|| self.escaped().map(Cow::Owned), |text| Ok(Cow::Borrowed(text)))
    }

    /// The same, if no escape is in it; else nothing is taken.
    #[inline]
    pub(super) fn plain_string(&mut self) -> Option<&'de str> {
        if self.next_byte() != Some(b'"') {
            return None;
        }
        let start = self.at + 1;
        let rest = self.text.get(start..)?;
        let len = plain_len(rest.as_bytes());
        if rest.as_bytes().get(len) != Some(&b'"') {
            return None;
        }
        self.at = start + len + 1;
        rest.get(..len)
    }

    /// The same, with escapes in it.
    #[cold]
    pub(super) fn escaped(&mut self) -> Result<String, Odd> {
        serde_json::from_str(self.cut_out()?).map_err(|_| Odd)
    }

    /// The digits of a whole number that is not negative, and comes next.
    pub(super) fn whole(&mut self) -> Result<u64, Odd> {
        self.next_byte();
        let start = self.at;
        let rest = &self.bytes()[start..];
        let (mut whole, mut len) = (0_u64, 0);
        while let Some(digit @ b'0'..=b'9') = rest.get(len) {
            whole = whole.wrapping_mul(10).wrapping_add((digit - b'0').into());
            len += 1;
        }
        let is_zero_first = len > 1 && rest[0] == b'0';
        let goes_on = matches!(rest.get(len), Some(b'.' | b'e' | b'E'));
        if len == 0 || is_zero_first || goes_on {
            return Err(Odd);
        }
        self.at = start + len;
        if len <= FITS { Ok(whole) } else { self.text[start..self.at].parse().map_err(|_| Odd) }
    }

    /// The text of the next value, which is sound.
    pub(super) fn written(&mut self) -> Result<&'de str, Odd> {
        match self.next_byte() {
            Some(b'0'..=b'9') => {
                let start = self.at;
                let whole = self.while_is(|byte| byte.is_ascii_digit());
                let is_zero_first = whole.len() > 1 && whole.starts_with('0');
                if self.bytes().get(self.at) == Some(&b'.') {
                    self.at += 1;
                    self.while_is(|byte| byte.is_ascii_digit());
                }
                // What ends with a point is no number.
                if let (false, b'0'..=b'9', Some(b',' | b'}')) =
                    (is_zero_first, self.bytes()[self.at - 1], self.bytes().get(self.at))
                {
                    return Ok(&self.text[start..self.at]);
                }
                self.at = start;
                self.cut_out()
            }
            Some(_) => self.cut_out(),
            None => Err(Odd),
        }
    }

    /// The same, of anything that is JSON.
    #[inline(never)]
    pub(super) fn cut_out(&mut self) -> Result<&'de str, Odd> {
        let rest = serde_json::Deserializer::from_str(&self.text[self.at..]);
        let mut values = rest.into_iter::<&RawValue>();
        let raw = values.next().ok_or(Odd)?.map_err(|_| Odd)?;
        self.at += values.byte_offset();
        Ok(raw.get())
    }
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
