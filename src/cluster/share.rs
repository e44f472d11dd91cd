//! A share of a job: what one worker runs at once, said in full. Small, so that a queue holds many.
//! Knows no server, and not what its options mean.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::digest::Digest;
use super::job_name::JobName;
use crate::model::{UnknownVersion, Versions};

/// The formats of shares that are read.
const FORMATS: Versions =
    Versions { what: "a share", oldest: 2, newest: 2, otherwise: "use the passbook that made it" };

/// So long is a share at most as it is sent.
pub(crate) const SHARE_BYTES_MAX: usize = 64 << 10;

/// So many scenarios or seeds are in a share at most.
pub(crate) const SHARE_COUNT_MAX: u64 = 1 << 20;

/// What one worker runs at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Share {
    format: u64,
    /// The version of the passbook that is to run it: others may come to other rows.
    passbook: String,
    /// Whose share it is.
    pub(crate) job: JobName,
    /// Which in the order of the job, from 0.
    pub(crate) number: u64,
    /// What is to be run.
    pub(crate) work: Work,
}

/// What is to be run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Work {
    /// Scenarios, of which rows are made.
    Batch {
        /// The options of the batch that say how a scenario is run.
        options: Vec<String>,
        /// How much memory a scenario may take, in bytes.
        memory_max: u64,
        /// Where the scenarios come from.
        scenarios: Scenarios,
    },
    /// Seeds, which are counted.
    Seeds {
        /// The options of the simulation that say how a seed is run.
        options: Vec<String>,
        /// The parcel with the scenario that each seed runs, if it is given.
        scenario: Option<Digest>,
        /// The first seed.
        first: u64,
        /// How many there are.
        count: u64,
    },
}

/// Where the scenarios of a share come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scenarios {
    /// They are made: the options of `passbook generate`, and which of its scenarios.
    Generated {
        /// What it is given.
        options: Vec<String>,
        /// The place of the first in the whole input, from 1.
        first: u64,
        /// How many there are.
        count: u64,
    },
    /// They are in a parcel in the object store.
    Parcel {
        /// Its digest, by which it is called.
        digest: Digest,
        /// The number of the first in the whole input, from 1.
        first: u64,
        /// How many there are.
        count: u64,
    },
}

/// Why a message is no share that is run here.
#[derive(Debug, Error)]
pub(crate) enum ShareError {
    /// It is no share at all.
    #[error("not a share of a job: {reason}")]
    NotAShare {
        /// What does not fit.
        reason: String,
    },
    /// It has another format.
    #[error(transparent)]
    Format(#[from] UnknownVersion),
    /// Another version of passbook is to run it.
    #[error(
        "a share of job {job} is for passbook {wanted}, and this is {}: start workers of that \
         version", env!("CARGO_PKG_VERSION")
    )]
    OtherVersion {
        /// Whose share it is.
        job: String,
        /// The version that is to run it.
        wanted: String,
    },
    /// It is more than a share may be.
    #[error("a share has up to {SHARE_COUNT_MAX} scenarios or seeds and {SHARE_BYTES_MAX} bytes")]
    TooLarge,
}

/// What shares of every format say.
#[derive(Deserialize)]
struct Preamble {
    format: u64,
    passbook: String,
    job: String,
}

impl Share {
    /// Share `number` of `job`.
    pub(crate) fn new(job: JobName, number: u64, work: Work) -> Self {
        let passbook = env!("CARGO_PKG_VERSION").to_owned();
        Self { format: FORMATS.newest, passbook, job, number, work }
    }

    /// As it is sent.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, ShareError> {
        let bytes = serde_json::to_vec(self).expect("a share is JSON, and memory takes it");
        if bytes.len() > SHARE_BYTES_MAX { Err(ShareError::TooLarge) } else { Ok(bytes) }
    }

    /// Reads what was sent.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, ShareError> {
        if bytes.len() > SHARE_BYTES_MAX {
            return Err(ShareError::TooLarge);
        }
        let not_one =
            |error: serde_json::Error| ShareError::NotAShare { reason: error.to_string() };
        let Preamble { format, passbook, job } = serde_json::from_slice(bytes).map_err(not_one)?;
        if passbook != env!("CARGO_PKG_VERSION") {
            return Err(ShareError::OtherVersion { job, wanted: passbook });
        }
        FORMATS.check(format)?;
        let share: Self = serde_json::from_slice(bytes).map_err(not_one)?;
        if share.count() > SHARE_COUNT_MAX {
            return Err(ShareError::TooLarge);
        }
        Ok(share)
    }

    /// What tells it from another share with its number, of other arguments or inputs.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(&serde_json::to_vec(self).expect("a share is JSON, and memory takes it"))
    }

    /// How many scenarios or seeds it has.
    pub(crate) const fn count(&self) -> u64 {
        match &self.work {
            Work::Batch {
                scenarios: Scenarios::Generated { count, .. } | Scenarios::Parcel { count, .. },
                ..
            }
            | Work::Seeds { count, .. } => *count,
        }
    }

    /// Which scenarios or seeds it has.
    pub(crate) fn told(&self) -> String {
        let (what, first) = match &self.work {
            Work::Batch {
                scenarios: Scenarios::Generated { first, .. } | Scenarios::Parcel { first, .. },
                ..
            } => ("scenario", first),
            Work::Seeds { first, .. } => ("seed", first),
        };
        match self.count() {
            1 => format!("{what} {first}"),
            count => {
                format!("{what}s {first} to {}", first.saturating_add(count).saturating_sub(1))
            }
        }
    }

    /// Whether it is of seeds.
    pub(crate) const fn is_of_seeds(&self) -> bool {
        matches!(self.work, Work::Seeds { .. })
    }

    /// The parcel that it needs, if it needs one.
    pub(crate) const fn parcel(&self) -> Option<Digest> {
        match &self.work {
            Work::Batch { scenarios: Scenarios::Parcel { digest, .. }, .. } => Some(*digest),
            Work::Batch { scenarios: Scenarios::Generated { .. }, .. } => None,
            Work::Seeds { scenario, .. } => *scenario,
        }
    }
}

#[cfg(test)]
pub(super) mod fixture {
    use super::*;

    pub(crate) fn share(number: u64) -> Share {
        let scenarios = Scenarios::Generated {
            options: vec!["--seed".to_owned(), "7".to_owned()],
            first: number * 10 + 1,
            count: 10,
        };
        let work = Work::Batch { options: Vec::new(), memory_max: 1 << 30, scenarios };
        Share::new("night".parse().unwrap(), number, work)
    }
}

#[cfg(test)]
mod tests {
    use super::fixture::share;
    use super::*;

    #[test]
    fn what_is_sent_is_read() {
        let share = share(7);
        assert_eq!(Share::from_bytes(&share.to_bytes().unwrap()).unwrap(), share);
        let seeds = Work::Seeds {
            options: Vec::new(),
            scenario: Some(Digest::of(b"a")),
            first: 1,
            count: 2,
        };
        let seeds = Share::new("night".parse().unwrap(), 1, seeds);
        assert_eq!(Share::from_bytes(&seeds.to_bytes().unwrap()).unwrap(), seeds);
        assert_eq!((seeds.parcel(), seeds.count()), (Some(Digest::of(b"a")), 2));
        assert_eq!(
            (seeds.told(), share.told()),
            ("seeds 1 to 2".into(), "scenarios 71 to 80".into())
        );
    }

    #[test]
    fn a_share_of_another_version_is_refused_whatever_else_it_says() {
        let told = |text: &str| Share::from_bytes(text.as_bytes()).unwrap_err().to_string();
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            told(r#"{"format":9,"passbook":"9.0.0","job":"night","more":[]}"#),
            format!(
                "a share of job night is for passbook 9.0.0, and this is {version}: start workers of \
                 that version"
            )
        );
        let format = format!(r#"{{"format":9,"passbook":"{version}","job":"night"}}"#);
        assert!(told(&format).contains("use the passbook that made it"), "{}", told(&format));
        assert!(told("{}").starts_with("not a share of a job: "));
    }

    #[test]
    fn what_is_more_than_a_share_is_refused() {
        assert!(matches!(
            Share::from_bytes(&[b' '; SHARE_BYTES_MAX + 1]),
            Err(ShareError::TooLarge)
        ));
        let seeds = Work::Seeds {
            options: Vec::new(),
            scenario: None,
            first: 0,
            count: SHARE_COUNT_MAX + 1,
        };
        let bytes = Share::new("night".parse().unwrap(), 0, seeds).to_bytes().unwrap();
        assert!(matches!(Share::from_bytes(&bytes), Err(ShareError::TooLarge)));
        let options = vec!["x".repeat(SHARE_BYTES_MAX)];
        let seeds = Work::Seeds { options, scenario: None, first: 0, count: 1 };
        let share = Share::new("night".parse().unwrap(), 0, seeds);
        assert!(matches!(share.to_bytes(), Err(ShareError::TooLarge)));
    }

    #[test]
    fn shares_of_the_same_number_differ_where_their_work_does() {
        assert_eq!(share(7).digest(), share(7).digest());
        let mut other = share(7);
        let Work::Batch { memory_max, .. } = &mut other.work else { panic!("a batch") };
        *memory_max += 1;
        assert_ne!(share(7).digest(), other.digest());
    }
}
