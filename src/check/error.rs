//! What no run can have recorded.

use thiserror::Error;

use crate::model::{BranchId, CustomerId, LogPosition, MessageNumber, RequestNumber, Sequence};

/// A history that no run can have: it is damaged, and there is no verdict on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("fact {fact}: {problem}")]
#[non_exhaustive]
pub struct JudgeError {
    /// Which fact, from 1. In a history file it stands on the line after that number.
    pub fact: u64,
    /// What is wrong with it.
    #[source]
    pub problem: InvalidHistory,
}

/// Why a fact cannot have happened after those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidHistory {
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
    /// A request is received once.
    #[error("request {request} of customer {customer} is received a second time")]
    ReceivedTwice {
        /// Whose it is.
        customer: CustomerId,
        /// Which request.
        request: RequestNumber,
    },
    /// What is answered was received before, in a history with receptions.
    #[error("request {request} of customer {customer} was answered, and nobody had received it")]
    NeverReceived {
        /// Whose it is.
        customer: CustomerId,
        /// Which request.
        request: RequestNumber,
    },
    /// Only what a customer waits for can be given up.
    #[error("request {request} of customer {customer} is given up, and nobody waits for it")]
    NotAwaited {
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
    /// A number of an origin names one write.
    #[error("number {sequence} of branch {origin} names two different writes")]
    NumberNamesTwo {
        /// Whose number it is.
        origin: BranchId,
        /// The number.
        sequence: Sequence,
    },
    /// Writes of one origin are applied in the order of their numbers. Some may be left out.
    #[error("branch {branch} applies number {said} of branch {origin} after number {last}")]
    NumberFalls {
        /// Where.
        branch: BranchId,
        /// Whose numbers they are.
        origin: BranchId,
        /// The number that the fact gives.
        said: Sequence,
        /// The number that was applied last.
        last: Sequence,
    },
    /// A number tells a branch's messages apart.
    #[error("branch {from} sends a message {number}, and one with that number is on its way")]
    MessageSentTwice {
        /// The sender.
        from: BranchId,
        /// The number.
        number: MessageNumber,
    },
    /// A message is received or lost once, and once more for each copy that the network made.
    #[error("no message {number} of branch {from} is on its way")]
    MessageNotUnderWay {
        /// The sender.
        from: BranchId,
        /// The number.
        number: MessageNumber,
    },
    /// A message goes where it was sent.
    #[error("message {number} of branch {from} was sent to branch {sent}, not {found}")]
    MessageElsewhere {
        /// The sender.
        from: BranchId,
        /// The number.
        number: MessageNumber,
        /// Where it was sent.
        sent: BranchId,
        /// Where it is said to be.
        found: BranchId,
    },
    /// A message says what it said when it was sent.
    #[error("message {number} of branch {from} said something else when it was sent")]
    MessageChanged {
        /// The sender.
        from: BranchId,
        /// The number.
        number: MessageNumber,
    },
    /// Nothing happens at a branch that has stopped.
    #[error("something happens at branch {branch}, which has stopped")]
    Stopped {
        /// The branch.
        branch: BranchId,
    },
    /// Only a branch that has stopped starts again.
    #[error("branch {branch} starts, and it had not stopped")]
    NotStopped {
        /// The branch.
        branch: BranchId,
    },
    /// A branch starts with what it had, at most.
    #[error("branch {branch} starts with {kept} writes, but its log held {held}")]
    KeptTooMuch {
        /// The branch.
        branch: BranchId,
        /// How many it has kept.
        kept: LogPosition,
        /// How many it held.
        held: LogPosition,
    },
    /// A partition begins once and heals once.
    #[error("partition {partition} begins twice, or heals before it began")]
    PartitionTwice {
        /// Which.
        partition: u32,
    },
    /// More than the judge can count.
    #[error("more than four thousand million writes or requests")]
    TooMany,
}
