//! The three ways in which a request ends, in one word.

use crate::model::{Outcome, RequestError, words};

words! {
    /// How a request ended, without the details.
    pub(crate) enum Ending {
        /// It was done.
        Ok = "ok",
        /// It was not done, and never will be.
        Refused = "refused",
        /// Nobody can say yet.
        Unknown = "unknown",
    }
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
}
