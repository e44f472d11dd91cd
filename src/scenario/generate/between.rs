//! A number that is fixed, or drawn between two.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use thiserror::Error;

use crate::model::{Amount, MoneyError, Random};

/// Anything from the one to the other, both included. Text: `3`, or `2..10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Between<T> {
    min: T,
    max: T,
}

/// A text that is nothing to draw between.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BetweenError {
    /// An end of it is no count.
    #[error(
        "'{found}' is no whole number from 1; write one such as 3, or 2..10 for anything between"
    )]
    NotACount {
        /// The end.
        found: String,
    },
    /// An end of it is no amount.
    #[error("'{found}' is {reason}; write one such as 20, or 0.01..100 for anything between")]
    NotAnAmount {
        /// The end.
        found: String,
        /// Why not.
        reason: MoneyError,
    },
    /// The greatest is less than the least.
    #[error("the least comes first: write {least}..{greatest}")]
    Order {
        /// What stands on the right.
        least: String,
        /// What stands on the left.
        greatest: String,
    },
}

impl<T: Copy + Ord + fmt::Display> Between<T> {
    /// Always `number`.
    pub const fn only(number: T) -> Self {
        Self { min: number, max: number }
    }

    /// From `min` to `max`.
    pub fn new(min: T, max: T) -> Result<Self, BetweenError> {
        if min <= max {
            return Ok(Self { min, max });
        }
        Err(BetweenError::Order { least: max.to_string(), greatest: min.to_string() })
    }

    /// The least.
    pub const fn min(self) -> T {
        self.min
    }

    /// The greatest.
    pub const fn max(self) -> T {
        self.max
    }

    fn read(
        text: &str,
        end: impl Fn(&str) -> Result<T, BetweenError>,
    ) -> Result<Self, BetweenError> {
        match text.split_once("..") {
            Some((min, max)) => Self::new(end(min)?, end(max)?),
            None => end(text).map(Self::only),
        }
    }
}

impl Between<NonZeroU32> {
    /// One of the counts, each equally likely.
    pub(super) fn draw(self, chance: &mut Random) -> u32 {
        let width = u64::from(self.max.get() - self.min.get()) + 1;
        // Less than `width`, which came from a u32.
        self.min.get() + u32::try_from(chance.below(width)).unwrap_or(0)
    }
}

impl<T: fmt::Display + PartialEq> fmt::Display for Between<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { min, max } = self;
        if min == max { write!(f, "{min}") } else { write!(f, "{min}..{max}") }
    }
}

impl FromStr for Between<NonZeroU32> {
    type Err = BetweenError;

    fn from_str(text: &str) -> Result<Self, BetweenError> {
        Self::read(text, |end| {
            end.parse().map_err(|_| BetweenError::NotACount { found: end.to_owned() })
        })
    }
}

impl FromStr for Between<Amount> {
    type Err = BetweenError;

    fn from_str(text: &str) -> Result<Self, BetweenError> {
        Self::read(text, |end| {
            end.parse()
                .map_err(|reason| BetweenError::NotAnAmount { found: end.to_owned(), reason })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Seed;

    #[test]
    fn ranges_are_written_as_they_are_read() {
        for text in ["1", "2..10", "1..4294967295"] {
            assert_eq!(text.parse::<Between<NonZeroU32>>().unwrap().to_string(), text);
        }
        for text in ["0.01", "1..100", "0.5..92233720368547758.07"] {
            assert_eq!(text.parse::<Between<Amount>>().unwrap().to_string(), text);
        }
        assert_eq!("7..7".parse::<Between<NonZeroU32>>().unwrap().to_string(), "7");
    }

    #[test]
    fn what_is_no_range_says_why() {
        for (text, says) in [
            ("0", "'0' is no whole number from 1"),
            ("", "'' is no whole number from 1"),
            ("1..", "'' is no whole number from 1"),
            ("1...3", "'.3' is no whole number from 1"),
            ("1-3", "'1-3' is no whole number"),
            ("4294967296", "is no whole number"),
            ("10..2", "the least comes first: write 2..10"),
        ] {
            let error = text.parse::<Between<NonZeroU32>>().unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
        for (text, says) in [
            ("0..5", "'0' is not positive"),
            ("0.001", "'0.001' is more than two decimals"),
            ("5..much", "'much' is not a decimal number"),
            ("5..0.5", "write 0.5..5"),
        ] {
            let error = text.parse::<Between<Amount>>().unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn both_ends_are_drawn_and_nothing_beyond() {
        let range: Between<NonZeroU32> = "3..6".parse().unwrap();
        let mut chance = Random::of_part(Seed(1), 1);
        let drawn: std::collections::BTreeSet<_> =
            (0..1_000).map(|_| range.draw(&mut chance)).collect();
        assert_eq!(drawn, (3..=6).collect());
        let widest: Between<NonZeroU32> = "1..4294967295".parse().unwrap();
        assert!((0..1_000).all(|_| widest.draw(&mut chance) >= 1));
    }
}
