//! The four session guarantees of Terry et al., "Session Guarantees for Weakly Consistent
//! Replicated Data", 1994.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::CustomerId;

/// What a customer is promised across branches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guarantee {
    /// RYW: a read sees every earlier write of its session.
    ReadYourWrites,
    /// MR: a read sees every write that an earlier read of its session saw.
    MonotonicReads,
    /// MW: a session's writes are applied in its order, at every branch.
    MonotonicWrites,
    /// WFR: a write is applied after the writes that its session had read, at every branch.
    WritesFollowReads,
}

impl Guarantee {
    /// All four, in the usual order.
    pub const ALL: [Self; 4] = [
        Self::ReadYourWrites,
        Self::MonotonicReads,
        Self::MonotonicWrites,
        Self::WritesFollowReads,
    ];

    /// The usual abbreviation, in lower case.
    pub const fn short(self) -> &'static str {
        match self {
            Self::ReadYourWrites => "ryw",
            Self::MonotonicReads => "mr",
            Self::MonotonicWrites => "mw",
            Self::WritesFollowReads => "wfr",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::ReadYourWrites => 1,
            Self::MonotonicReads => 2,
            Self::MonotonicWrites => 4,
            Self::WritesFollowReads => 8,
        }
    }
}

/// Which guarantees are kept. The default is all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Guarantees {
    bits: u8,
}

impl Guarantees {
    /// None.
    pub const NONE: Self = Self { bits: 0 };

    /// All four.
    pub const ALL: Self = Self { bits: 15 };

    /// Whether `guarantee` is kept.
    pub const fn has(self, guarantee: Guarantee) -> bool {
        self.bits & guarantee.bit() != 0
    }

    /// These and `guarantee`.
    #[must_use]
    pub const fn with(self, guarantee: Guarantee) -> Self {
        Self { bits: self.bits | guarantee.bit() }
    }

    /// These but not `guarantee`.
    #[must_use]
    pub const fn without(self, guarantee: Guarantee) -> Self {
        Self { bits: self.bits & !guarantee.bit() }
    }

    /// Those that are kept, in the usual order.
    pub fn iter(self) -> impl Iterator<Item = Guarantee> {
        Guarantee::ALL.into_iter().filter(move |&guarantee| self.has(guarantee))
    }
}

impl Default for Guarantees {
    fn default() -> Self {
        Self::ALL
    }
}

/// `all`, `none`, or abbreviations with commas between: `ryw,mw`.
impl fmt::Display for Guarantees {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ALL => f.pad("all"),
            Self::NONE => f.pad("none"),
            some => f.pad(&some.iter().map(Guarantee::short).collect::<Vec<_>>().join(",")),
        }
    }
}

/// What each customer of a bank is promised.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GuaranteePolicy {
    /// Everyone of whom nothing else is said.
    pub all: Guarantees,
    /// Single customers.
    pub single: BTreeMap<CustomerId, Guarantees>,
}

impl GuaranteePolicy {
    /// What `customer` is promised.
    pub fn to(&self, customer: CustomerId) -> Guarantees {
        self.single.get(&customer).copied().unwrap_or(self.all)
    }
}

/// A text that names no set of guarantees.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "'{found}' is no guarantee; use all, none, or some of ryw, mr, mw, wfr with commas between"
)]
pub struct GuaranteesError {
    /// The part that is not understood.
    pub found: String,
}

impl FromStr for Guarantees {
    type Err = GuaranteesError;

    fn from_str(text: &str) -> Result<Self, GuaranteesError> {
        match text {
            "all" => return Ok(Self::ALL),
            "none" => return Ok(Self::NONE),
            _ => {}
        }
        text.split(',').map(str::trim).try_fold(Self::NONE, |set, word| {
            Guarantee::ALL
                .into_iter()
                .find(|guarantee| guarantee.short() == word)
                .map(|guarantee| set.with(guarantee))
                .ok_or_else(|| GuaranteesError { found: word.to_owned() })
        })
    }
}

impl TryFrom<String> for Guarantees {
    type Error = GuaranteesError;

    fn try_from(text: String) -> Result<Self, GuaranteesError> {
        text.parse()
    }
}

impl From<Guarantees> for String {
    fn from(guarantees: Guarantees) -> Self {
        guarantees.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_of_whom_nothing_is_said_is_promised_what_all_are() {
        let customer = |id| CustomerId::new(id).unwrap();
        let single = BTreeMap::from([(customer(2), Guarantees::NONE)]);
        let policy = GuaranteePolicy { all: Guarantees::ALL, single };
        assert_eq!(policy.to(customer(1)), Guarantees::ALL);
        assert_eq!(policy.to(customer(2)), Guarantees::NONE);
    }

    #[test]
    fn sets_are_written_as_they_are_read() {
        for text in ["all", "none", "ryw", "mr,wfr", "ryw,mr,mw"] {
            assert_eq!(text.parse::<Guarantees>().unwrap().to_string(), text);
        }
        assert_eq!("wfr, mr,mw,ryw".parse(), Ok(Guarantees::ALL));
        assert_eq!(
            "ryw,raw".parse::<Guarantees>(),
            Err(GuaranteesError { found: "raw".to_owned() })
        );
    }
}
