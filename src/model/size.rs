//! Sizes as people write them: `64MiB`, `1.5GB`, or plain bytes.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(u64);

/// Why a text is no size.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SizeError {
    /// It does not begin with a number, or is negative.
    #[error("a size is a number and a unit, as in 64MiB, 1.5GB or 4096")]
    NotANumber,
    /// What stands after the number.
    #[error("`{0}` is no unit of size; there are B, kB, MB, GB, TB, and KiB, MiB, GiB, TiB")]
    Unit(String),
    /// Nothing fits.
    #[error("0 bytes hold nothing")]
    Zero,
    /// It is beyond 64 bits.
    #[error("more bytes than any machine has")]
    TooLarge,
}

/// The units, the largest first. A letter alone is one of the powers of two, as for `ls` and `dd`.
const UNITS: [(&str, u64); 13] = [
    ("TiB", 1 << 40),
    ("T", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("G", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("M", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("K", 1 << 10),
    ("kB", 1000),
    ("B", 1),
];

impl ByteSize {
    /// So many bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// How many bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for ByteSize {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = (&text[..end], text[end..].trim());
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
            return Err(SizeError::NotANumber);
        }
        let named = |(name, _): &&(&str, u64)| name.eq_ignore_ascii_case(unit);
        let factor = match unit {
            "" => 1,
            unit => UNITS.iter().find(named).ok_or_else(|| SizeError::Unit(unit.to_owned()))?.1,
        };
        let whole: u64 = whole.parse().map_err(|_| SizeError::TooLarge)?;
        // A trillionth of a terabyte is a byte: more digits say nothing.
        let fraction = &fraction[..fraction.len().min(12)];
        let parts = fraction.parse::<u128>().map_err(|_| SizeError::NotANumber)?;
        let of = 10_u128.pow(u32::try_from(fraction.len()).unwrap_or_default());
        let bytes = u128::from(whole) * u128::from(factor) + parts * u128::from(factor) / of;
        match u64::try_from(bytes) {
            Ok(0) => Err(SizeError::Zero),
            Ok(bytes) => Ok(Self(bytes)),
            Err(_) => Err(SizeError::TooLarge),
        }
    }
}

/// In the largest unit that it is a whole number of, so that it can be read back.
impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(name, unit): &&(&str, u64)| {
            name.len() > 1 && self.0 >= *unit && self.0.is_multiple_of(*unit)
        };
        match UNITS.iter().find(fits) {
            Some((name, unit)) => write!(f, "{}{name}", self.0 / unit),
            None => write!(f, "{}B", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("4096", 4096),
            ("1B", 1),
            ("64MiB", 67_108_864),
            ("64 mib", 67_108_864),
            ("64M", 67_108_864),
            ("1GB", 1_000_000_000),
            ("1.5kB", 1500),
            ("0.5GiB", 536_870_912),
            ("2TiB", 2_199_023_255_552),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for (text, error) in [
            ("", SizeError::NotANumber),
            ("MiB", SizeError::NotANumber),
            ("-1", SizeError::NotANumber),
            ("1.", SizeError::NotANumber),
            ("1.2.3", SizeError::NotANumber),
            ("1 furlong", SizeError::Unit("furlong".to_owned())),
            ("0", SizeError::Zero),
            ("0.1", SizeError::Zero),
            ("18446744073709551616", SizeError::TooLarge),
            ("16777216TiB", SizeError::TooLarge),
        ] {
            assert_eq!(text.parse::<ByteSize>(), Err(error), "{text}");
        }
    }

    #[test]
    fn a_size_is_shown_as_it_can_be_read_back() {
        for (bytes, shown) in
            [(67_108_864, "64MiB"), (1_000_000_000, "1GB"), (1500, "1500B"), (1000, "1kB")]
        {
            assert_eq!(ByteSize(bytes).to_string(), shown);
            assert_eq!(shown.parse(), Ok(ByteSize(bytes)));
        }
    }
}
