//! Which share of a batch was run: `count:1/3`.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// One of several shares of a batch, which together are the whole. Written `count:1/3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Partition {
    kind: PartitionKind,
    share: u64,
    of: u64,
}

/// How a batch is dealt out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartitionKind {
    /// In turn: every n-th scenario.
    Count,
    /// By what the scenario is called or where it stands, whatever stands around it.
    Hash,
    /// In pieces that follow each other.
    Slice,
}

/// Why a text is no partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
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

impl PartitionKind {
    const ALL: [Self; 3] = [Self::Count, Self::Hash, Self::Slice];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Hash => "hash",
            Self::Slice => "slice",
        }
    }
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
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}/{}", self.kind.word(), self.share, self.of)
    }
}

impl FromStr for Partition {
    type Err = PartitionError;

    fn from_str(text: &str) -> Result<Self, PartitionError> {
        let (kind, rest) = text.split_once(':').ok_or(PartitionError::Form)?;
        let (share, of) = rest.split_once('/').ok_or(PartitionError::Form)?;
        let kind = PartitionKind::ALL.into_iter().find(|known| known.word() == kind);
        Self::new(kind.ok_or(PartitionError::Form)?, number(share)?, number(of)?)
    }
}

fn number(text: &str) -> Result<u64, PartitionError> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(PartitionError::Form);
    }
    text.parse().map_err(|_| PartitionError::Form)
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
    use super::*;

    #[test]
    fn a_partition_reads_as_it_is_written() {
        for text in ["count:1/3", "hash:2/2", "slice:1/1"] {
            assert_eq!(text.parse::<Partition>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_partition_says_why() {
        for text in ["", "1/3", "count:1", "count:a/3", "count:+1/3", "count:/3", "odd:1/3"] {
            assert_eq!(text.parse::<Partition>(), Err(PartitionError::Form), "{text}");
        }
        for (text, share) in [("count:0/3", 0), ("count:4/3", 4)] {
            let error = PartitionError::NoSuchShare { share, of: 3 };
            assert_eq!(text.parse::<Partition>(), Err(error), "{text}");
        }
    }
}
