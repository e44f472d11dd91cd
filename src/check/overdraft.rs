//! No overdraft, where a withdrawal that the balance does not cover is refused.
//!
//! Each branch decides alone, from what it holds. That is what is promised: a branch accepts no
//! withdrawal that takes its own balance below zero. What several branches accept at once can do
//! so all the same, wherever it comes together.

use super::test_counter::TestCounter;
use super::witness::Promised;
use super::writes::Apply;
use crate::model::BranchIndex;

/// A withdrawal that was applied, and the balance after it.
#[derive(Debug)]
pub(super) struct Overdrawn {
    pub(super) at: Apply,
    /// The branch that accepted it.
    pub(super) origin: BranchIndex,
    /// Whether that happened just then.
    pub(super) is_own: bool,
    pub(super) balance_minor: i128,
}

impl Overdrawn {
    /// Counts the test.
    pub(super) fn judge(self, test_counter: &mut TestCounter<Self>) {
        let promised = if self.is_own { Promised::Yes } else { Promised::No };
        test_counter.test(promised);
        if self.balance_minor < 0 {
            test_counter.fail(promised, self.at.mark.fact, self);
        }
    }
}
