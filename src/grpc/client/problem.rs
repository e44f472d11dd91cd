//! What comes of a call to a branch elsewhere in place of an answer, in words that lead somewhere.

use std::error::Error;
use std::io;
use std::time::Duration;

use thiserror::Error;
use tonic::{Code, Status};

use crate::grpc::convert::FieldError;
use crate::model::Shown;

/// Why a branch elsewhere gave no answer, or none that makes sense. Reads on from the branch or its
/// address: `did not answer within 1s`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CallProblem {
    /// It may be busy, or hang.
    #[error("did not answer within {limit:?}")]
    Late {
        /// How long it was waited for.
        limit: Duration,
    },
    /// No branch is there.
    #[error(transparent)]
    Absent(#[from] Absence),
    /// It refused with a gRPC status.
    #[error("answered with the gRPC status {code:?}: {message}")]
    Grpc {
        /// The status.
        code: Code,
        /// Its message.
        message: String,
    },
    /// The status of its reply is none of the contract.
    #[error("answered with the status {status}, and not with 200 or 400")]
    Status {
        /// As it came.
        status: i32,
    },
    /// It says 400 to the question how it stands.
    #[error("answered 400{reason}, asked for its balance and a write set")]
    TellsNothing {
        /// With a colon before it; empty where it says none.
        reason: String,
    },
    /// It says 400 to a write and does not tell whether it holds it.
    #[error("answered 400{reason}: not done, or not confirmed by every branch")]
    Failed {
        /// With a colon before it; empty where it says none.
        reason: String,
    },
    /// It says 400 to a write and holds it.
    #[error("answered 400{reason}, and holds a write of this id: not confirmed by every branch")]
    Unconfirmed {
        /// With a colon before it; empty where it says none.
        reason: String,
    },
    /// It was not asked: the classic contract has no words for this.
    #[error("was not asked, for the classic contract cannot say it: {reason}")]
    Unsayable {
        /// What cannot be said.
        reason: String,
    },
    /// Its answer cannot be read.
    #[error("answered what makes no sense: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
}

/// Why no branch is where one should be. Reads on from the branch or its address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Absence {
    /// The connection was refused.
    #[error("cannot be reached: nothing listens there")]
    NothingListens,
    /// The host has no address.
    #[error("cannot be reached: the name of its host does not resolve")]
    NoSuchHost,
    /// The connection could not be had, or broke.
    #[error("cannot be reached: {reason}")]
    OutOfReach {
        /// What the system or the protocol says.
        reason: String,
    },
    /// Something else listens there.
    #[error("speaks {protocol}, not gRPC")]
    NotGrpc {
        /// What it speaks.
        protocol: &'static str,
    },
    /// It speaks gRPC, and knows nothing of the classic contract.
    #[error("has no service banking.Branch")]
    NoService,
}

impl CallProblem {
    /// What `error`, with which a field could not be read, says of an answer.
    pub(super) fn malformed(error: &FieldError) -> Self {
        Self::Malformed { reason: told(&error.to_string()) }
    }

    /// The call itself cannot be said in the contract.
    pub(super) fn unsayable(error: &FieldError) -> Self {
        Self::Unsayable { reason: told(&error.to_string()) }
    }
}

impl Absence {
    /// Why there is no connection.
    pub(super) fn of_connection(error: &(dyn Error + 'static)) -> Self {
        let mut reason = error.to_string();
        let mut cause = Some(error);
        while let Some(error) = cause {
            reason = error.to_string();
            if reason.starts_with("dns error") {
                return Self::NoSuchHost;
            }
            if let Some(error) = error.downcast_ref::<io::Error>()
                && error.kind() == io::ErrorKind::ConnectionRefused
            {
                return Self::NothingListens;
            }
            cause = error.source();
        }
        Self::OutOfReach { reason: told(&reason) }
    }
}

impl From<&Status> for CallProblem {
    fn from(status: &Status) -> Self {
        // What the other end says has no source; what keeps it from saying anything has.
        if let Some(error) = status.source() {
            return Absence::of_connection(error).into();
        }
        if status.message().starts_with("grpc-status header missing") {
            return Absence::NotGrpc { protocol: "HTTP/2" }.into();
        }
        if status.code() == Code::Unimplemented {
            return Absence::NoService.into();
        }
        Self::Grpc { code: status.code(), message: told(status.message()) }
    }
}

/// What another program says, no more than a person reads.
pub(super) fn told(text: &str) -> String {
    Shown::brief(text, LONGEST).to_string()
}

/// How much of a text from elsewhere is told.
const LONGEST: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_program_says_cannot_move_the_cursor() {
        assert_eq!(told("a\u{1b}[2J\nb"), "a\\u{1b}[2J\\nb");
        assert_eq!(told(&"é".repeat(300)), format!("{}…", "é".repeat(200)));
    }

    #[test]
    fn what_the_other_end_says_differs_from_what_keeps_it_from_saying_anything() {
        let of = |status: Status| CallProblem::from(&status).to_string();
        assert_eq!(of(Status::unimplemented("")), "has no service banking.Branch");
        assert_eq!(
            of(Status::unavailable("closing")),
            "answered with the gRPC status Unavailable: closing"
        );
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(
            of(Status::from_error(Box::new(refused))),
            "cannot be reached: nothing listens there"
        );
    }
}
