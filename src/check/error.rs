//! What no run can have recorded.

use thiserror::Error;

use crate::model::{BranchId, CustomerId, LogPosition, RequestNumber};

/// A history that no run can have: it is damaged, and there is no verdict on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("fact {fact}: {problem}")]
pub struct JudgeError {
    /// Which fact, from 1. In a history file it stands on the line after that number.
    pub fact: u64,
    /// What is wrong with it.
    #[source]
    pub problem: Impossible,
}

/// Why a fact cannot have happened after those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Impossible {
    /// A branch that the header does not have.
    #[error("branch {branch} is not a branch of this bank")]
    UnknownBranch {
        /// The branch.
        branch: BranchId,
    },
    /// Request numbers of a customer rise by one, from 1.
    #[error("customer {customer} sends request {request} where request {expected} is next")]
    RequestOutOfOrder {
        /// Who.
        customer: CustomerId,
        /// The number that it bears.
        request: RequestNumber,
        /// The number that is next.
        expected: RequestNumber,
    },
    /// A customer's requests are sequential.
    #[error(
        "customer {customer} sends request {request} before it got the reply to the one before"
    )]
    RequestsOverlap {
        /// Who.
        customer: CustomerId,
        /// The request that comes too early.
        request: RequestNumber,
    },
    /// Nobody sent the request that is received or answered.
    #[error("request {request} of customer {customer} was never sent")]
    NeverSent {
        /// Whose it would be.
        customer: CustomerId,
        /// Which request.
        request: RequestNumber,
    },
    /// The request was sent to another branch.
    #[error("request {request} of customer {customer} was sent to branch {asked}, not {found}")]
    OtherBranch {
        /// Whose it is.
        customer: CustomerId,
        /// Which request.
        request: RequestNumber,
        /// Where it was sent.
        asked: BranchId,
        /// Who has it or answers it.
        found: BranchId,
    },
    /// A request has one reply.
    #[error("request {request} of customer {customer} is answered a second time")]
    AnsweredTwice {
        /// Whose it is.
        customer: CustomerId,
        /// Which request.
        request: RequestNumber,
    },
    /// A reply that is received was sent before, and is received once.
    #[error("no reply to request {request} of customer {customer} is under way")]
    NoReply {
        /// Whose it is.
        customer: CustomerId,
        /// Which request.
        request: RequestNumber,
    },
    /// A query is answered with a balance, and a write is not.
    #[error("the outcome does not fit what request {request} of customer {customer} asked")]
    OtherKind {
        /// Whose it is.
        customer: CustomerId,
        /// Which request.
        request: RequestNumber,
    },
    /// A write's place is the one after the write before it.
    #[error("branch {branch} applies a write at position {said} where {expected} is next")]
    ApplyOutOfPlace {
        /// Where.
        branch: BranchId,
        /// The position that the fact gives.
        said: LogPosition,
        /// The position that is next.
        expected: LogPosition,
    },
    /// The log that answered is the log that was applied.
    #[error("branch {branch} answers from a log of {said} writes, but its log holds {held}")]
    OtherLogLength {
        /// Where.
        branch: BranchId,
        /// The length that the fact gives.
        said: LogPosition,
        /// How many writes were applied there.
        held: LogPosition,
    },
    /// More than the judge can count.
    #[error("more than four thousand million writes or requests")]
    TooMany,
}
