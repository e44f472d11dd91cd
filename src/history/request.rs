//! A request and what became of it, as the customer keeps it.

use crate::model::{BranchId, EventId, LogPosition, Money, Operation, Outcome, RequestNumber};

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
}
