//! What shows that a property is violated.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{
    BranchId, CustomerId, EventId, LogPosition, Money, Operation, RequestNumber, Time, WriteId,
};

/// A violation of a property, with what is needed to find it in the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Witness {
    /// What is wrong, in one word.
    pub kind: WitnessKind,
    /// Whether what is broken was promised.
    pub promised: Promised,
    /// Whose session it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// The operation that came first, where it takes two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub earlier: Option<Step>,
    /// The operation that did not get what was owed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub later: Option<Step>,
    /// The branch where something is missing or wrong.
    pub branch: BranchId,
    /// The write that is missing there, comes too late, or should not be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write: Option<WriteId>,
    /// The write that was not known where this one was accepted, or that is missing here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<WriteId>,
    /// The fact that is wrong, where it is not one of the two operations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shown: Option<FactPlace>,
    /// What was seen and what was owed, in one plain sentence.
    pub sentence: String,
}

/// What is wrong, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WitnessKind {
    /// A read misses a write of its own session.
    OwnWriteMissing,
    /// A read misses a write that its session has seen.
    SeenWriteMissing,
    /// A branch has a write of a session without an earlier one before it.
    OutOfOrder,
    /// A branch has a write without all that its session had read before it.
    NotAfterRead,
    /// A balance is not the sum of what is behind it.
    WrongSum,
    /// One branch holds a write that another does not.
    WritesDiffer,
    /// Branches end with different balances.
    BalancesDiffer,
    /// A branch applied a write more than once.
    AppliedTwice,
    /// A write that was acknowledged is missing somewhere.
    Missing,
    /// A write that was acknowledged is held by no branch any more.
    Lost,
    /// A write was acknowledged before every branch had it, where that was to be waited for.
    AcknowledgedEarly,
    /// A session was told that writes are lost, and they are not.
    ToldWrongly,
    /// A write was applied though it had been refused.
    RefusedButApplied,
    /// A write was applied that no customer had asked for.
    NobodyAsked,
    /// A customer gave one id to two writes, and both were applied. That is the customer's fault.
    IdNotUnique,
    /// A withdrawal left a balance below zero.
    BelowZero,
    /// The bank did not settle.
    NotSettled,
}

/// Where a fact stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FactPlace {
    /// Its line in the history file, from 1; `None` where only a part of the facts was judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// When it happened.
    #[serde(rename = "at_us")]
    pub at: Time,
}

/// One operation of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Step {
    /// Which of the customer's requests.
    pub request: RequestNumber,
    /// The event id that it bore.
    pub event: EventId,
    /// The branch that was asked.
    pub branch: BranchId,
    /// What was asked.
    pub operation: Operation,
    /// Of a read: how many writes the branch's log held. Of a write: its place in the log of the
    /// witness's branch, if it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<LogPosition>,
    /// The balance that a read saw.
    #[serde(rename = "balance_minor", skip_serializing_if = "Option::is_none")]
    pub balance: Option<Money>,
    /// Where the request was sent.
    pub sent: FactPlace,
    /// Where the branch answered it, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered: Option<FactPlace>,
}

/// Whether something was promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Promised {
    /// It was: where it is broken, the bank is at fault.
    Yes,
    /// It was not.
    No,
    /// The history does not say.
    Unknown,
}

/// `promised`, `not promised`, or that it is not known.
impl fmt::Display for Promised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Yes => "promised",
            Self::No => "not promised",
            Self::Unknown => "promised or not: unknown",
        })
    }
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}
