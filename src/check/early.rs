//! What was acknowledged too early: with sync propagation a customer is told that a write is done when
//! every branch has applied it.

use std::collections::BTreeMap;

use super::index::WriteRef;
use super::logs::Logs;
use super::sessions::{Asked, OpRef, Sessions};
use super::writes::{ABSENT, Writes};
use crate::model::{BranchIndex, OutcomeClass, Propagation, Roster};

/// The answers that acknowledged a write too early, each with a branch that had never applied it by
/// then.
#[derive(Debug)]
pub(super) struct Early {
    is_sync: bool,
    answers: BTreeMap<(WriteRef, OpRef), BranchIndex>,
}

impl Early {
    /// Where nothing is known of the `propagation`, nothing is too early.
    pub(super) fn new(propagation: Option<Propagation>) -> Self {
        Self { is_sync: propagation == Some(Propagation::Sync), answers: BTreeMap::new() }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.answers.len()
    }

    /// Takes note of the answer to `op`, if it comes too early.
    #[inline]
    pub(super) fn note(
        &mut self,
        op: OpRef,
        asked: &Asked,
        (roster, writes, logs): (&Roster, &Writes, &Logs),
    ) {
        let &Asked::Write { write, class: OutcomeClass::Ok, .. } = asked else { return };
        if !self.is_sync || writes.is_everywhere(writes.entry(write)) {
            return;
        }
        let mut row = roster.indexes().zip(writes.row(write).iter());
        // What a log held that ended was applied all the same.
        let has_not = |&(branch, position): &(BranchIndex, &u32)| {
            *position == ABSENT && !logs.has_forgotten(branch, write)
        };
        if let Some((branch, _)) = row.find(has_not) {
            self.answers.insert((write, op), branch);
        }
    }

    /// Takes out answers that did not arrive: they told nobody anything.
    pub(super) fn close(&mut self, sessions: &Sessions) {
        self.answers.retain(|&(_, op), _| sessions.op(op).answered.is_some());
    }

    /// The branch that had not applied `write` when its customer was told that it was done.
    pub(super) fn missing_at(&self, write: WriteRef) -> Option<BranchIndex> {
        if self.answers.is_empty() {
            return None;
        }
        let mut from_it = self.answers.range((write, OpRef::FIRST)..);
        from_it.next().filter(|((other, _), _)| *other == write).map(|(_, &branch)| branch)
    }
}
