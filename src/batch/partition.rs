//! Which part of a batch is run here, so that several machines share it: as nextest divides tests.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use super::Fingerprint;
use crate::model::words;

/// One of several shares of a batch, which together are the whole: `count:1/3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partition {
    kind: PartitionKind,
    share: u64,
    of: u64,
}

words! {
    /// How a batch is dealt out.
    pub enum PartitionKind {
        /// In turns: the first scenario to the first share, the second to the second, and so on.
        Count = "count",
        /// By the place alone, so that a scenario stays in its share when others come and go.
        Hash = "hash",
        /// In runs of neighbours. Needs to know how many there are.
        Slice = "slice",
    }
}

/// Why a text is no partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PartitionError {
    /// Not of the form `kind:share/of`.
    #[error("not a partition such as count:1/3, hash:1/3 or slice:1/3")]
    Form,
    /// There is no such share.
    #[error("there is no share {share} of {of}; shares count from 1")]
    NoSuchShare {
        /// The share that was asked for.
        share: u64,
        /// How many there are.
        of: u64,
    },
}

impl Partition {
    /// Share `share`, from 1, of `of`.
    pub const fn new(kind: PartitionKind, share: u64, of: u64) -> Result<Self, PartitionError> {
        if share == 0 || share > of {
            return Err(PartitionError::NoSuchShare { share, of });
        }
        Ok(Self { kind, share, of })
    }

    /// How the batch is dealt out.
    pub const fn kind(self) -> PartitionKind {
        self.kind
    }

    /// Which share, from 1.
    pub const fn share(self) -> u64 {
        self.share
    }

    /// How many shares there are.
    pub const fn of(self) -> u64 {
        self.of
    }

    /// Whether the scenario `number`, from 1, is in this share when scenarios are dealt out in
    /// turns.
    pub const fn has_number(self, number: u64) -> bool {
        number.wrapping_sub(1) % self.of == self.share - 1
    }

    /// Whether the scenario at `place` is in this share when places decide.
    pub const fn has_place(self, place: Fingerprint) -> bool {
        place.get() % self.of == self.share - 1
    }

    /// The numbers in this share when `total` scenarios are cut into runs of neighbours, the first
    /// ones longer by one where it does not come out even.
    pub const fn slice(self, total: u64) -> RangeInclusive<u64> {
        let (each, longer) = (total / self.of, total % self.of);
        let before = self.share - 1;
        let longer_before = if before < longer { before } else { longer };
        let start = before * each + longer_before;
        let len = each + if before < longer { 1 } else { 0 };
        start + 1..=start + len
    }
}

impl FromStr for Partition {
    type Err = PartitionError;

    fn from_str(text: &str) -> Result<Self, PartitionError> {
        let (kind, shares) = text.split_once(':').ok_or(PartitionError::Form)?;
        let kind = kind.parse().map_err(|_| PartitionError::Form);
        let (share, of) = shares.split_once('/').ok_or(PartitionError::Form)?;
        Self::new(kind?, number(share)?, number(of)?)
    }
}

fn number(text: &str) -> Result<u64, PartitionError> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(PartitionError::Form);
    }
    text.parse().map_err(|_| PartitionError::Form)
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}/{}", self.kind, self.share, self.of)
    }
}

impl Serialize for Partition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Partition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|error| D::Error::custom(format!("{text:?} is {error}")))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shares(of: u64) -> impl Iterator<Item = Partition> {
        (1..=of).map(move |share| Partition::new(PartitionKind::Count, share, of).unwrap())
    }

    proptest! {
        #[test]
        fn every_scenario_is_in_exactly_one_share(total in 0_u64..300, of in 1_u64..40) {
            for number in 1..=total {
                let place = Fingerprint::of(&format!("many.jsonl:{number}"));
                let numbered = shares(of).filter(|share| share.has_number(number)).count();
                let placed = shares(of).filter(|share| share.has_place(place)).count();
                let sliced = shares(of).filter(|share| share.slice(total).contains(&number)).count();
                prop_assert_eq!((numbered, placed, sliced), (1, 1, 1));
            }
        }

        #[test]
        fn slices_follow_on_each_other_and_are_of_a_size(total in 0_u64..5000, of in 1_u64..100) {
            let mut next = 1;
            for slice in shares(of).map(|share| share.slice(total)) {
                prop_assert_eq!(*slice.start(), next);
                let len = slice.end() + 1 - slice.start();
                prop_assert!(len == total / of || len == total / of + 1);
                next = slice.end() + 1;
            }
            prop_assert_eq!(next, total + 1);
        }

        #[test]
        fn what_is_shown_can_be_read(share in 1_u64..100, more in 0_u64..100) {
            for kind in PartitionKind::ALL {
                let partition = Partition::new(kind, share, share + more).unwrap();
                prop_assert_eq!(partition.to_string().parse(), Ok(partition));
            }
        }
    }

    #[test]
    fn shares_that_are_none_are_refused() {
        let parse = |text: &str| text.parse::<Partition>();
        assert_eq!(parse("count:0/3"), Err(PartitionError::NoSuchShare { share: 0, of: 3 }));
        assert_eq!(parse("hash:4/3"), Err(PartitionError::NoSuchShare { share: 4, of: 3 }));
        assert_eq!(parse("slice:1/0"), Err(PartitionError::NoSuchShare { share: 1, of: 0 }));
        for text in [
            "",
            "1/3",
            "count:1",
            "count:/3",
            "count:+1/3",
            "count:1/3/4",
            "Count:1/3",
            "hash: 1/3",
        ] {
            assert_eq!(parse(text), Err(PartitionError::Form), "{text}");
        }
    }

    #[test]
    fn shares_are_dealt_out_as_documented() {
        let second = Partition::new(PartitionKind::Count, 2, 3).unwrap();
        let dealt: Vec<u64> = (1..=10).filter(|number| second.has_number(*number)).collect();
        assert_eq!(dealt, [2, 5, 8]);
        assert_eq!(second.slice(10), 5..=7);
    }
}
