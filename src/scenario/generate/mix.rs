//! How often customers deposit, withdraw and query.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::model::{OperationKind, Random};

/// How often each interface is asked for, in proportion to the others. Text:
/// `deposit=40,withdraw=20,query=40`; what is left out is never asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mix {
    deposit: u32,
    withdraw: u32,
    query: u32,
}

/// A text that is no mix.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MixError {
    /// A part of it is not a word and a number.
    #[error("'{found}' is no part of a mix; write it like deposit=40,withdraw=20,query=40")]
    Part {
        /// The part.
        found: String,
    },
    /// A word is none of the three.
    #[error("customers cannot '{found}'; they deposit, withdraw and query")]
    Word {
        /// The word.
        found: String,
    },
    /// A proportion is no number.
    #[error("'{found}' is no whole number up to {largest}", largest = u32::MAX)]
    Number {
        /// The proportion.
        found: String,
    },
    /// The same word again.
    #[error("'{interface}' is there twice")]
    Twice {
        /// The word.
        interface: OperationKind,
    },
    /// All are zero.
    #[error("customers would do nothing; let at least one of the three be more than 0")]
    Nothing,
}

impl Mix {
    /// These proportions; at least one must be more than 0.
    pub const fn new(deposit: u32, withdraw: u32, query: u32) -> Result<Self, MixError> {
        match (deposit, withdraw, query) {
            (0, 0, 0) => Err(MixError::Nothing),
            (_, _, _) => Ok(Self { deposit, withdraw, query }),
        }
    }

    /// The proportion of `interface`.
    pub const fn of(self, interface: OperationKind) -> u32 {
        match interface {
            OperationKind::Deposit => self.deposit,
            OperationKind::Withdraw => self.withdraw,
            OperationKind::Query => self.query,
        }
    }

    /// Whether anything but queries is asked for.
    pub(super) const fn has_writes(self) -> bool {
        self.deposit > 0 || self.withdraw > 0
    }

    pub(super) fn draw(self, chance: &mut Random) -> OperationKind {
        let [deposit, withdraw, query] = OperationKind::ALL.map(|one| u64::from(self.of(one)));
        match chance.below(deposit + withdraw + query) {
            drawn if drawn < deposit => OperationKind::Deposit,
            drawn if drawn < deposit + withdraw => OperationKind::Withdraw,
            _ => OperationKind::Query,
        }
    }
}

impl Default for Mix {
    fn default() -> Self {
        Self { deposit: 40, withdraw: 20, query: 40 }
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = OperationKind::ALL.into_iter().filter(|&one| self.of(one) > 0);
        let parts = parts.map(|one| format!("{one}={}", self.of(one)));
        f.pad(&parts.collect::<Vec<_>>().join(","))
    }
}

impl FromStr for Mix {
    type Err = MixError;

    fn from_str(text: &str) -> Result<Self, MixError> {
        let mut proportions = [None; 3];
        for part in text.split(',') {
            let found = || part.trim().to_owned();
            let (word, number) =
                part.split_once('=').ok_or_else(|| MixError::Part { found: found() })?;
            let (word, number) = (word.trim(), number.trim());
            let at = OperationKind::ALL.into_iter().position(|one| one.word() == word);
            let at = at.ok_or_else(|| MixError::Word { found: word.to_owned() })?;
            let number: u32 =
                number.parse().map_err(|_| MixError::Number { found: number.to_owned() })?;
            if proportions[at].replace(number).is_some() {
                return Err(MixError::Twice { interface: OperationKind::ALL[at] });
            }
        }
        let [deposit, withdraw, query] = proportions.map(Option::unwrap_or_default);
        Self::new(deposit, withdraw, query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Seed;

    #[test]
    fn mixes_are_written_as_they_are_read() {
        for text in ["deposit=40,withdraw=20,query=40", "query=1", "deposit=1,query=4294967295"] {
            assert_eq!(text.parse::<Mix>().unwrap().to_string(), text);
        }
        assert_eq!("query=2, withdraw=0, deposit=1".parse(), Mix::new(1, 0, 2));
    }

    #[test]
    fn what_is_no_mix_says_why() {
        for (text, says) in [
            ("", "'' is no part of a mix"),
            ("deposit", "'deposit' is no part of a mix"),
            ("deposit=1,", "'' is no part of a mix"),
            ("transfer=1", "customers cannot 'transfer'"),
            ("deposit=-1", "'-1' is no whole number"),
            ("deposit=0.5", "'0.5' is no whole number"),
            ("query=1,query=2", "'query' is there twice"),
            ("deposit=0,withdraw=0", "customers would do nothing"),
        ] {
            let error = text.parse::<Mix>().unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn draws_come_in_proportion() {
        let mix = Mix::new(1, 2, 5).unwrap();
        let mut chance = Random::of_part(Seed(3), 1);
        let drawn: Vec<_> = (0..80_000).map(|_| mix.draw(&mut chance)).collect();
        for (interface, ideal) in OperationKind::ALL.into_iter().zip([10_000, 20_000, 50_000]) {
            let found = drawn.iter().filter(|one| **one == interface).count();
            assert!((ideal - 500..ideal + 500).contains(&found), "{interface}: {found}");
        }
        let never = Mix::new(0, 1, 0).unwrap();
        assert!((0..1_000).all(|_| never.draw(&mut chance) == OperationKind::Withdraw));
    }
}
