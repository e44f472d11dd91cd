//! What a job is called, on the server and by people.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::digest::Digest;

/// The name of a job: letters, digits, `-` and `_`, for it is a part of subjects and streams.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct JobName(String);

/// Why a text is no name of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a job's name has 1 to {LENGTH_MAX} letters, digits, `-` and `_`")]
pub(crate) struct JobNameError;

const LENGTH_MAX: usize = 64;

impl JobName {
    /// The name of a job that is given none: the same for the same arguments.
    pub(crate) fn of(digest: Digest) -> Self {
        Self(digest.to_string())
    }
}

impl FromStr for JobName {
    type Err = JobNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let is_name = (1..=LENGTH_MAX).contains(&text.len()) && text.chars().all(is_plain);
        if is_name { Ok(Self(text.to_owned())) } else { Err(JobNameError) }
    }
}

impl TryFrom<String> for JobName {
    type Error = JobNameError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<JobName> for String {
    fn from(name: JobName) -> Self {
        name.0
    }
}

impl fmt::Display for JobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_part_of_a_subject() {
        for name in ["a", "night-7_B", &"x".repeat(64)] {
            assert_eq!(name.parse::<JobName>().unwrap().to_string(), name);
        }
        for name in ["", "a.b", "a b", "*", ">", "ü", &"x".repeat(65)] {
            assert_eq!(name.parse::<JobName>(), Err(JobNameError), "{name}");
        }
        assert!(serde_json::from_str::<JobName>("\"a.*\"").is_err());
    }
}
