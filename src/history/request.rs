//! A request and what became of it, as the customer keeps it.

use std::time::Duration;

use crate::model::{
    BranchId, EventId, LogPosition, Money, Operation, Outcome, RequestNumber, Waited,
};

/// A request and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestResult {
    /// Which of the customer's requests.
    pub number: RequestNumber,
    /// The event id that it bore.
    pub event: EventId,
    /// The branch that was asked.
    pub branch: BranchId,
    /// What was asked.
    pub operation: Operation,
    /// How it ended.
    pub outcome: Outcome,
    /// How long the branch's apply log was when it answered.
    pub position: LogPosition,
    /// The branch's balance when it answered.
    pub balance: Money,
    /// How long it took, from the customer's asking to the answer's arrival.
    pub took: Duration,
    /// How much of that it waited before the branch took it up, and for what.
    pub waited: Option<Box<Waited>>,
}
