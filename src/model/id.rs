//! Names of branches, customers, events and writes, and the counters that order them.

use std::fmt;
use std::num::TryFromIntError;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A number that cannot be an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an id is a whole number from 1 to {max}, found {found}", max = i32::MAX)]
pub struct IdError {
    /// The number as it was given.
    pub found: i64,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "i64", into = "u32")]
        pub struct $name(u32);

        impl $name {
            /// The id `number`: from 1 to `i32::MAX`, what the classic wire contract can carry.
            pub fn new(number: i64) -> Result<Self, IdError> {
                match u32::try_from(number) {
                    Ok(id @ 1..=0x7fff_ffff) => Ok(Self(id)),
                    Ok(_) | Err(_) => Err(IdError { found: number }),
                }
            }

            /// The id as a number, from 1 to `i32::MAX`.
            pub fn get(self) -> u32 {
                self.0
            }
        }

        impl TryFrom<i64> for $name {
            type Error = IdError;

            fn try_from(number: i64) -> Result<Self, IdError> {
                Self::new(number)
            }
        }

        impl From<$name> for u32 {
            fn from(id: $name) -> u32 {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// One branch of the bank.
    BranchId
}
id! {
    /// One customer; its requests are sequential.
    CustomerId
}
id! {
    /// One event of a customer. Writes of a customer bear ascending ids.
    EventId
}

/// Names a write for ever, so that redelivery is idempotent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WriteId {
    /// Who made the write.
    pub customer: CustomerId,
    /// Which of the customer's events it is.
    pub event: EventId,
}

impl fmt::Display for WriteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "write {} of customer {}", self.event, self.customer)
    }
}

macro_rules! counter {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(u64);

        impl $name {
            /// The count `number`.
            pub const fn new(number: u64) -> Self {
                Self(number)
            }

            /// The count as a number.
            pub const fn get(self) -> u64 {
                self.0
            }

            /// The one after this one.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

counter! {
    /// How many writes stood in a branch's apply log: a write at position 3 is the third.
    LogPosition
}
counter! {
    /// Which of a customer's requests this is: 1 is the first. Event ids may repeat, this does not.
    RequestNumber
}
counter! {
    /// Which of a branch's messages to other branches this is.
    MessageNumber
}
counter! {
    /// Which life of a branch: from a start to the loss of what it held. A later one is higher, and 0
    /// is none that is known.
    Life
}

/// Which of the writes of one life this is: 1 is the first that the branch accepted in it. Four bytes,
/// for it is what vectors count, and an apply log holds no more writes either.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Sequence(u32);

impl Sequence {
    /// The count `number`.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The count as a number.
    pub fn get(self) -> u64 {
        self.0.into()
    }

    /// The one after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The one before this one, which is not 0.
    #[must_use]
    pub const fn before(self) -> Self {
        Self(self.0 - 1)
    }
}

/// A count that comes from elsewhere: no branch has accepted more writes than fit.
impl TryFrom<u64> for Sequence {
    type Error = TryFromIntError;

    fn try_from(number: u64) -> Result<Self, TryFromIntError> {
        u32::try_from(number).map(Self)
    }
}

impl From<Sequence> for u32 {
    fn from(Sequence(number): Sequence) -> u32 {
        number
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Life {
    /// The one in which branches are that the bank began with.
    pub const FIRST: Self = Self(1);

    /// How far the milliseconds of a drawn number stand above its random bits.
    const RANDOM_BITS: u32 = 16;

    /// The number of a life that begins `now_ms` milliseconds after 1970, which nobody else draws: a
    /// later one is higher, and 16 `random` bits tell apart what begins at the same time.
    pub fn drawn(now_ms: u64, random: u16) -> Self {
        Self((now_ms << Self::RANDOM_BITS) | u64::from(random))
    }

    /// A number above `other`, with the random bits of this one: as if it had been drawn later than
    /// that. `None` where there is none.
    pub fn raised_above(self, other: Self) -> Option<Self> {
        let random_max = (1 << Self::RANDOM_BITS) - 1;
        let later = (other.0 | random_max).checked_add(1)?;
        Some(Self(later | (self.0 & random_max)))
    }

    /// [`Self::FIRST`], where a function is wanted.
    pub(crate) const fn first() -> Self {
        Self::FIRST
    }

    /// Whether it is [`Self::FIRST`], which is left out where a life is written.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
    pub(crate) const fn is_first(&self) -> bool {
        self.0 == Self::FIRST.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_drawn_by_its_time_and_raised_above_another() {
        let life = Life::drawn(3, 0x1234);
        assert_eq!(life.get(), 0x3_1234);
        assert!(Life::drawn(4, 0) > life && life > Life::drawn(2, u16::MAX));
        for other in [life, Life::drawn(9, u16::MAX), Life::FIRST] {
            let raised = life.raised_above(other).unwrap();
            assert!(raised > other);
            assert_eq!(raised.get() & 0xffff, 0x1234);
        }
        for last in [u64::MAX, u64::MAX << 16] {
            assert_eq!(life.raised_above(Life::new(last)), None);
        }
    }

    #[test]
    fn ids_are_what_the_classic_contract_can_carry() {
        assert_eq!(BranchId::new(1).map(BranchId::get), Ok(1));
        assert_eq!(EventId::new(i64::from(i32::MAX)).map(EventId::get), Ok(2_147_483_647));
        for found in [0, -1, i64::from(i32::MAX) + 1, i64::MAX, i64::MIN] {
            assert_eq!(CustomerId::new(found), Err(IdError { found }));
        }
    }
}
