//! A short number for bytes that is the same on every machine, and that nobody makes by chance.

use std::fmt::{self, Write};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// The first 128 bits of the SHA-256 hash of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Digest([u8; LENGTH]);

/// A text is no digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a digest of {} hexadecimal digits", 2 * LENGTH)]
pub(crate) struct DigestError;

const LENGTH: usize = 16;

impl Digest {
    /// Of `bytes`.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let hash = Sha256::digest(bytes);
        let mut first = [0; LENGTH];
        first.copy_from_slice(&hash[..LENGTH]);
        Self(first)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_digest = text.len() == 2 * LENGTH && text.bytes().all(|b| b.is_ascii_hexdigit());
        if !is_digest {
            return Err(DigestError);
        }
        let mut bytes = [0; LENGTH];
        for (byte, place) in bytes.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(&text[place..place + 2], 16).map_err(|_| DigestError)?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Digest {
    type Error = DigestError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        let mut text = Self::with_capacity(2 * LENGTH);
        write!(text, "{digest}").expect("a text takes what is written");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_beginning_of_the_published_hash() {
        // FIPS 180-4, the example of one block.
        let digest = Digest::of(b"abc");
        assert_eq!(digest.to_string(), "ba7816bf8f01cfea414140de5dae2223");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        for text in ["", "ba7816bf", "ba7816bf8f01cfea414140de5dae222g"] {
            assert_eq!(text.parse::<Digest>(), Err(DigestError));
        }
    }
}
