//! What a branch elsewhere answers a customer here, in either contract.

use super::problem::CallProblem;
use crate::bank::Entry;
use crate::model::{BranchId, LogPosition, Money, Outcome, RequestError};

/// An answer, but for whom it is.
pub(super) struct ReplyFields {
    pub(super) outcome: Outcome,
    pub(super) position: LogPosition,
    pub(super) balance: Money,
    pub(super) entry: Entry,
}

impl ReplyFields {
    /// `outcome`, and no more.
    pub(super) fn nothing_but(outcome: Outcome) -> Self {
        let (position, balance) = (LogPosition::default(), Money::ZERO);
        Self { outcome, position, balance, entry: Entry::Nothing }
    }

    /// Nothing that says what became of the request: a write may have taken effect.
    pub(super) fn no_answer(branch: BranchId, problem: &CallProblem) -> Self {
        Self::nothing_but(Err(RequestError::NoAnswer { branch, problem: problem.to_string() }))
    }
}
