//! What shows that a property is violated.

use std::fmt;

use serde::Serialize;

use crate::model::{
    BranchId, CustomerId, EventId, LogPosition, Money, Operation, RequestNumber, WriteId,
};

/// The first violation of a property, with what is needed to find it in the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Witness {
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
    /// What was seen and what was owed, in one plain sentence.
    pub sentence: String,
}

/// One operation of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}
