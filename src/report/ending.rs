//! The three ways in which a request ends, in one word.

use crate::model::{Outcome, RequestError};

/// How a request ended, without the details.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It was done.
    Ok,
    /// It was not done, and never will be.
    Refused,
    /// Nobody can say yet.
    Unknown,
}

impl Ending {
    pub(crate) fn of(outcome: &Outcome) -> Self {
        match outcome {
            Ok(_) => Self::Ok,
            Err(
                RequestError::Refused(_)
                | RequestError::VersionNotReached { .. }
                | RequestError::Unavailable { .. }
                | RequestError::Full { .. }
                | RequestError::Declined { .. },
            ) => Self::Refused,
            Err(RequestError::OutcomeUnknown { .. } | RequestError::NoAnswer { .. }) => {
                Self::Unknown
            }
        }
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }
}
