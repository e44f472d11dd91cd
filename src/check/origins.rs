//! Which write each number of an origin names, and how far each branch has come with them.
//!
//! An origin numbers the writes that it accepts, in each of its lives from 1. A number names one
//! write; a write that two branches accepted has a number of each.

use std::collections::BTreeMap;

use super::InvalidHistory;
use super::index::{IdTable, NONE, WriteRef, place};
use crate::model::{BranchId, BranchIndex, Life, Sequence};

/// A write's number, and whose.
#[derive(Debug, Clone, Copy)]
pub(super) struct OriginNumber {
    pub(super) origin: BranchIndex,
    pub(super) life: Option<Life>,
    pub(super) sequence: Sequence,
}

/// Whether some branch had applied a write under a number before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    New,
    Known,
}

#[derive(Debug)]
pub(super) struct Origins {
    /// Branches in the order in which they came up, by index; of their first lives.
    first_lives: Vec<u32>,
    later_lives: BTreeMap<(BranchIndex, Life), u32>,
    /// The write that each number names, for each of those.
    named: Vec<IdTable>,
    /// For each branch, the last number of each of those that it applied.
    last: Vec<IdTable>,
    /// What the tables take.
    bytes: usize,
}

impl Origins {
    pub(super) fn new(branches: usize) -> Self {
        Self {
            first_lives: vec![NONE; branches],
            later_lives: BTreeMap::new(),
            named: Vec::new(),
            last: (0..branches).map(|_| IdTable::default()).collect(),
            bytes: 0,
        }
    }

    /// Takes note that a branch applied `write` under `dot`.
    #[inline(always)]
    pub(super) fn apply(
        &mut self,
        (at, branch): (BranchIndex, BranchId),
        (dot, origin): (OriginNumber, BranchId),
        write: WriteRef,
    ) -> Result<Number, InvalidHistory> {
        let sequence = u32::try_from(dot.sequence.get()).ok().filter(|number| *number != NONE);
        let sequence = sequence.ok_or(InvalidHistory::TooMany)?;
        let index = self.index(dot)?;
        let named = &mut self.named[place(index)];
        let number = match named.get(sequence) {
            Some(named) if named == write.get() => Number::Known,
            Some(_) => {
                return Err(InvalidHistory::NumberNamesTwo { origin, sequence: dot.sequence });
            }
            None => {
                self.bytes += insert(named, sequence, write.get());
                Number::New
            }
        };
        let last = &mut self.last[at.get()];
        match last.get_mut(index) {
            Some(last) if sequence < *last => {
                let (said, last) = (dot.sequence, Sequence::new(*last));
                return Err(InvalidHistory::NumberFalls { branch, origin, said, last });
            }
            Some(last) => *last = sequence,
            None => self.bytes += insert(last, index, sequence),
        }
        Ok(number)
    }

    /// Takes note that a branch has forgotten what it applied, but for the writes of which
    /// `is_kept` is true.
    pub(super) fn forget(&mut self, at: BranchIndex, is_kept: impl Fn(WriteRef) -> bool) {
        let last = &mut self.last[at.get()];
        for (named, index) in self.named.iter().zip(0..) {
            if let Some(last) = last.get_mut(index) {
                // Zero is before every number.
                *last = named.last_up_to(*last, |write| is_kept(WriteRef(write))).unwrap_or(0);
            }
        }
    }

    /// How many bytes the tables take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn index(&mut self, dot: OriginNumber) -> Result<u32, InvalidHistory> {
        let next = u32::try_from(self.named.len()).map_err(|_| InvalidHistory::TooMany)?;
        let known = match dot.life {
            None => &mut self.first_lives[dot.origin.get()],
            Some(life) => self.later_lives.entry((dot.origin, life)).or_insert(NONE),
        };
        if *known == NONE {
            *known = next;
            self.named.push(IdTable::default());
            self.bytes += size_of::<IdTable>();
        }
        Ok(*known)
    }
}

/// Adds to `table`, and says how many bytes it grows by.
fn insert(table: &mut IdTable, id: u32, index: u32) -> usize {
    let before = table.bytes();
    table.insert(id, index);
    table.bytes() - before
}
