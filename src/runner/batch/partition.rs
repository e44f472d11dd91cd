//! Which part of a batch is run here, so that several machines share it: as nextest divides tests.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use thiserror::Error;

use super::Fingerprint;

/// One part of a batch that is divided in some way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partition {
    /// How the batch is divided.
    pub by: By,
    /// Which part.
    pub shard: Shard,
}

/// How a batch is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// In turns: the first scenario to the first part, the second to the second, and so on.
    Count,
    /// By the place alone, so that a scenario stays in its part when others come and go.
    Hash,
    /// In runs of neighbours. Needs to know how many there are.
    Slice,
}

/// One of several parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: u64,
    of: u64,
}

/// Why a text names no part of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PartitionError {
    /// No such way to divide.
    #[error("write it as count:1/3, hash:1/3 or slice:1/3")]
    Shape,
    /// A part that there is not.
    #[error("part {index} of {of} is none; parts are counted from 1 to {of}")]
    NoSuchPart {
        /// The part.
        index: u64,
        /// How many there are.
        of: u64,
    },
    /// Divided into nothing.
    #[error("a batch is divided into 1 part at least")]
    NoParts,
}

impl Shard {
    /// Part `index` of `of` parts, from 1.
    pub const fn new(index: u64, of: u64) -> Result<Self, PartitionError> {
        if of == 0 {
            Err(PartitionError::NoParts)
        } else if index == 0 || index > of {
            Err(PartitionError::NoSuchPart { index, of })
        } else {
            Ok(Self { index, of })
        }
    }

    /// Whether the scenario `number`, from 1, is in this part when scenarios are dealt out in turns.
    pub const fn by_count(self, number: u64) -> bool {
        number.wrapping_sub(1) % self.of == self.index - 1
    }

    /// Whether the scenario whose place has `fingerprint` is in this part.
    pub const fn by_hash(self, fingerprint: Fingerprint) -> bool {
        fingerprint.get() % self.of == self.index - 1
    }

    /// The numbers that are in this part when `total` scenarios are cut into runs of neighbours,
    /// the first ones longer by one where it does not come out even.
    pub const fn slice(self, total: u64) -> RangeInclusive<u64> {
        let (each, longer) = (total / self.of, total % self.of);
        let before = self.index - 1;
        let longer_before = if before < longer { before } else { longer };
        let start = before * each + longer_before;
        let len = each + if before < longer { 1 } else { 0 };
        start + 1..=start + len
    }
}

impl FromStr for Partition {
    type Err = PartitionError;

    fn from_str(text: &str) -> Result<Self, PartitionError> {
        let (by, shard) = text.split_once(':').ok_or(PartitionError::Shape)?;
        let by = match by {
            "count" => By::Count,
            "hash" => By::Hash,
            "slice" => By::Slice,
            _ => return Err(PartitionError::Shape),
        };
        let (index, of) = shard.split_once('/').ok_or(PartitionError::Shape)?;
        let number = |digits: &str| digits.parse().map_err(|_| PartitionError::Shape);
        Ok(Self { by, shard: Shard::new(number(index)?, number(of)?)? })
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = match self.by {
            By::Count => "count",
            By::Hash => "hash",
            By::Slice => "slice",
        };
        write!(f, "{by}:{}/{}", self.shard.index, self.shard.of)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shards(of: u64) -> impl Iterator<Item = Shard> {
        (1..=of).map(move |index| Shard::new(index, of).unwrap())
    }

    proptest! {
        #[test]
        fn every_scenario_is_in_exactly_one_part(total in 0_u64..300, of in 1_u64..40) {
            for number in 1..=total {
                let place = format!("many.jsonl:{number}");
                let by_count = shards(of).filter(|shard| shard.by_count(number)).count();
                let by_hash =
                    shards(of).filter(|shard| shard.by_hash(Fingerprint::of(&place))).count();
                let sliced = shards(of).filter(|shard| shard.slice(total).contains(&number)).count();
                prop_assert_eq!((by_count, by_hash, sliced), (1, 1, 1));
            }
        }

        #[test]
        fn slices_follow_on_each_other_and_are_of_a_size(total in 0_u64..5000, of in 1_u64..100) {
            let slices: Vec<_> = shards(of).map(|shard| shard.slice(total)).collect();
            let mut next = 1;
            for slice in &slices {
                prop_assert_eq!(*slice.start(), next);
                let len = slice.end() + 1 - slice.start();
                prop_assert!(len == total / of || len == total / of + 1);
                next = slice.end() + 1;
            }
            prop_assert_eq!(next, total + 1);
        }

        #[test]
        fn what_is_shown_can_be_read(index in 1_u64..100, more in 0_u64..100) {
            for by in [By::Count, By::Hash, By::Slice] {
                let shard = Shard::new(index, index + more).unwrap();
                let partition = Partition { by, shard };
                prop_assert_eq!(partition.to_string().parse(), Ok(partition));
            }
        }
    }

    #[test]
    fn parts_that_are_none_are_refused() {
        let parse = |text: &str| text.parse::<Partition>();
        assert_eq!(parse("count:0/3"), Err(PartitionError::NoSuchPart { index: 0, of: 3 }));
        assert_eq!(parse("hash:4/3"), Err(PartitionError::NoSuchPart { index: 4, of: 3 }));
        assert_eq!(parse("slice:1/0"), Err(PartitionError::NoParts));
        for text in ["", "1/3", "count:1", "count:1/3/4", "count:-1/3", "Count:1/3", "count: 1/3"] {
            assert_eq!(parse(text), Err(PartitionError::Shape), "{text}");
        }
    }

    #[test]
    fn parts_are_dealt_out_as_documented() {
        let second = Shard::new(2, 3).unwrap();
        let dealt: Vec<u64> = (1..=10).filter(|number| second.by_count(*number)).collect();
        assert_eq!(dealt, [2, 5, 8]);
        assert_eq!(second.slice(10), 5..=7);
    }
}
