//! Which seeds are tried, and how that is written.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Seeds one after the other. Text: `0..1000`, of which 1000 is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seeds {
    first: u64,
    end: u64,
}

/// Why a text names no seeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SeedsError {
    /// It is no range of numbers.
    #[error("write the first seed and the one after the last, such as 0..1000")]
    Form,
    /// No seed is in it.
    #[error(
        "{first}..{end} holds no seed; the second number is above the first, and is none of them"
    )]
    Empty {
        /// The first.
        first: u64,
        /// The one after the last.
        end: u64,
    },
}

impl Seeds {
    /// All that there are.
    pub const ALL: Self = Self { first: 0, end: u64::MAX };

    /// From `first` on, without `end`.
    pub const fn new(first: u64, end: u64) -> Result<Self, SeedsError> {
        if first < end { Ok(Self { first, end }) } else { Err(SeedsError::Empty { first, end }) }
    }

    /// `seed` alone; the greatest of all numbers is none.
    pub const fn only(seed: u64) -> Result<Self, SeedsError> {
        Self::new(seed, seed.saturating_add(1))
    }

    /// The first.
    pub const fn first(self) -> u64 {
        self.first
    }

    /// The one after the last.
    pub const fn end(self) -> u64 {
        self.end
    }

    /// How many there are.
    pub const fn count(self) -> u64 {
        self.end - self.first
    }
}

impl FromStr for Seeds {
    type Err = SeedsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (first, end) = text.split_once("..").ok_or(SeedsError::Form)?;
        let number = |text: &str| text.parse().map_err(|_| SeedsError::Form);
        Self::new(number(first)?, number(end)?)
    }
}

impl fmt::Display for Seeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.first, self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_written_as_it_is_read() {
        for text in ["0..1", "0..1000000", "41418..41419", "0..18446744073709551615"] {
            assert_eq!(text.parse::<Seeds>().unwrap().to_string(), text);
        }
        assert_eq!("7..10".parse::<Seeds>().unwrap().count(), 3);
    }

    #[test]
    fn what_holds_no_seed_is_refused_with_what_to_write() {
        let told = |text: &str| text.parse::<Seeds>().unwrap_err().to_string();
        let form = "write the first seed and the one after the last, such as 0..1000";
        for text in ["", "7", "..", "0..", "..9", "0..=9", "0...9", "-1..3", "0.5..2", "a..b"] {
            assert_eq!(told(text), form, "{text}");
        }
        let empty = "9..9 holds no seed; the second number is above the first, and is none of them";
        assert_eq!(told("9..9"), empty);
        assert!(Seeds::only(u64::MAX).is_err());
    }
}
