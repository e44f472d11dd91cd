//! Balances that were given in refusals. A branch that refuses the same again says what it said the first
//! time, so that is no new balance.

use std::collections::BTreeMap;

use super::index::WriteRef;
use crate::model::{BranchIndex, Money};

/// What each branch gave last as the reason why it refused a write.
#[derive(Debug, Default)]
pub(super) struct Claims(BTreeMap<(WriteRef, BranchIndex), Money>);

impl Claims {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes note that `branch` refused `write` for a balance. Says whether it had not given the same
    /// one when it refused that before.
    pub(super) fn is_new(&mut self, write: WriteRef, branch: BranchIndex, found: Money) -> bool {
        self.0.insert((write, branch), found) != Some(found)
    }
}
