//! Every write of a history, and its place in each branch's apply log.
//!
//! A write here is a write id *and* a content: what is applied under the right id with another
//! content is another write, that no customer asked for.

use std::collections::{BTreeMap, BTreeSet};

use super::InvalidHistory;
use super::index::{IdTable, NONE, WriteRef, place};
use super::origins::Number;
use super::reach::{BLOCK, Blocks, Row};
use super::sessions::{Heard, Mark};
use crate::model::{BranchIndex, OutcomeClass, Write, WriteId};

/// The position of a write that a branch does not have: later than any other.
pub(super) const ABSENT: u32 = u32::MAX;

/// How a write came up first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FirstSeen {
    /// A customer asked for it.
    Asked,
    /// A branch applied it, and no customer had asked.
    Applied,
}

/// A write that a branch applied, as its `position`-th.
#[derive(Debug, Clone, Copy)]
pub(super) struct Apply {
    pub(super) mark: Mark,
    pub(super) branch: BranchIndex,
    pub(super) write: WriteRef,
    pub(super) position: u32,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: WriteId,
    pub(super) write: Write,
    pub(super) first_seen: FirstSeen,
    /// The branch that accepted it: the first, where there are several.
    pub(super) origin: Option<BranchIndex>,
    /// How many requests for it there were that were not refused, by now.
    pub(super) pending: u32,
    /// Some customer was told that it was done. Known once the history is closed.
    pub(super) acknowledged: bool,
    /// Some request for it was answered, and not refused. Known once the history is closed.
    pub(super) answered: bool,
    /// Some request for it was refused.
    pub(super) refused: bool,
    /// Some request for it was not refused. Known of all once the history is closed.
    pub(super) issued: bool,
    /// How many branches hold it in their last logs.
    pub(super) branches: u32,
    /// Some log that held it ended, and the next one did not keep it.
    pub(super) forgotten: bool,
    /// It was accepted several times, and has as many numbers.
    pub(super) renumbered: bool,
    /// How it was first applied as it should not be.
    pub(super) wrong: Option<WrongApply>,
}

/// How a write was applied as it should not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WrongApply {
    /// Nobody had asked for it.
    Unasked,
    /// Every request for it until then had been refused.
    AfterRefusal,
    /// The branch had it already.
    Again,
}

impl Entry {
    /// Whether some log holds it, be it one that ended.
    pub(super) fn is_applied(&self) -> bool {
        self.is_held() || self.forgotten
    }

    /// Whether the last log of some branch holds it.
    pub(super) fn is_held(&self) -> bool {
        self.branches > 0
    }

    /// Takes note that a branch refused a request for it.
    pub(super) fn refuse(&mut self) {
        self.refused = true;
        self.pending = self.pending.saturating_sub(1);
    }

    /// Takes note of what a customer was told of it, if it was told anything.
    pub(super) fn tell(&mut self, class: OutcomeClass, heard: Heard) {
        match class {
            OutcomeClass::Ok => {
                self.acknowledged = true;
                self.issued = true;
            }
            OutcomeClass::Unknown => self.issued = true,
            OutcomeClass::Refused => return,
        }
        self.answered |= heard == Heard::Answer;
    }
}

/// A row per write with a position per branch.
#[derive(Debug)]
enum Positions {
    /// Row after row, in a bank of few branches.
    Flat(Vec<u32>),
    /// In one of many. A row exists once some branch has the write; until then it is the blank one.
    Blocks { blank: Blocks, rows: Vec<Option<Blocks>> },
}

#[derive(Debug)]
pub(super) struct Writes {
    branch_count: usize,
    entries: Vec<Entry>,
    /// How many of them some branch applied.
    applied: usize,
    /// At how many branches the one is applied that is at most.
    widest: u32,
    positions: Positions,
    /// Writes whose id first named another content.
    variants: BTreeMap<(WriteId, Write), WriteRef>,
    /// Ids that name several contents.
    shared: BTreeSet<WriteId>,
    /// Where a write was first applied as it should not be.
    wrong: BTreeMap<u32, Apply>,
    /// The one that was applied last.
    last: Option<WriteRef>,
}

impl Writes {
    pub(super) fn new(branch_count: usize) -> Self {
        Self {
            branch_count,
            entries: Vec::new(),
            applied: 0,
            widest: 0,
            positions: if branch_count <= BLOCK {
                Positions::Flat(Vec::new())
            } else {
                Positions::Blocks { blank: Blocks::filled(branch_count, ABSENT), rows: Vec::new() }
            },
            variants: BTreeMap::new(),
            shared: BTreeSet::new(),
            wrong: BTreeMap::new(),
            last: None,
        }
    }

    /// The write `id` with this content, if it is the one that was applied last: mostly a write comes up
    /// at one branch after the other, and need not be looked up at each.
    pub(super) fn applied_last(&self, id: WriteId, write: Write) -> Option<WriteRef> {
        let last = self.last?;
        let entry = self.entry(last);
        (entry.id == id && entry.write == write).then_some(last)
    }

    /// The write `id` with this content, new if need be. `events` are the writes of its customer.
    pub(super) fn find_or_add(
        &mut self,
        events: &mut IdTable,
        id: WriteId,
        write: Write,
        first_seen: FirstSeen,
    ) -> Result<WriteRef, InvalidHistory> {
        let Some(first) = events.get(id.event.get()).map(WriteRef) else {
            let added = self.add(id, write, first_seen)?;
            events.insert(id.event.get(), added.0);
            return Ok(added);
        };
        if self.entry(first).write == write {
            return Ok(first);
        }
        if let Some(variant) = self.variants.get(&(id, write)) {
            return Ok(*variant);
        }
        self.shared.insert(id);
        let added = self.add(id, write, first_seen)?;
        self.variants.insert((id, write), added);
        Ok(added)
    }

    fn add(
        &mut self,
        id: WriteId,
        write: Write,
        first_seen: FirstSeen,
    ) -> Result<WriteRef, InvalidHistory> {
        let added = u32::try_from(self.entries.len()).map_err(|_| InvalidHistory::TooMany)?;
        if added == NONE {
            return Err(InvalidHistory::TooMany);
        }
        self.entries.push(Entry {
            id,
            write,
            first_seen,
            origin: None,
            pending: 0,
            acknowledged: false,
            answered: false,
            refused: false,
            issued: false,
            branches: 0,
            forgotten: false,
            renumbered: false,
            wrong: None,
        });
        match &mut self.positions {
            Positions::Flat(rows) => rows.resize(rows.len() + self.branch_count, ABSENT),
            Positions::Blocks { rows, .. } => rows.push(None),
        }
        Ok(WriteRef(added))
    }

    /// Takes note that a branch applied a write that `origin` accepted, under a new number or a
    /// known one.
    pub(super) fn apply(&mut self, apply: Apply, origin: BranchIndex, number: Number) {
        let Apply { write, branch, position, mark: _ } = apply;
        self.last = Some(write);
        let is_new = self.put(write, branch, position);
        let entry = &mut self.entries[write.place()];
        entry.renumbered |= entry.origin.is_some() && number == Number::New;
        entry.origin.get_or_insert(origin);
        let wrong = if entry.first_seen == FirstSeen::Applied {
            Some(WrongApply::Unasked)
        } else if entry.refused && entry.pending == 0 {
            Some(WrongApply::AfterRefusal)
        } else if !is_new {
            Some(WrongApply::Again)
        } else {
            None
        };
        if let (None, Some(_)) = (entry.wrong, wrong) {
            entry.wrong = wrong;
            self.wrong.insert(write.0, apply);
        }
        if is_new {
            self.applied += usize::from(entry.branches == 0);
            entry.branches += 1;
            self.widest = self.widest.max(entry.branches);
        }
    }

    /// Takes note that a branch has no more than the first `kept` writes of its log left, and that
    /// this one stood after them.
    pub(super) fn forget(&mut self, write: WriteRef, branch: BranchIndex, kept: u32) {
        let held = self.row(write)[branch.get()];
        if held <= kept || held == ABSENT {
            return;
        }
        match &mut self.positions {
            Positions::Flat(rows) => {
                rows[write.place() * self.branch_count + branch.get()] = ABSENT
            }
            Positions::Blocks { blank, rows } => {
                rows[write.place()].get_or_insert_with(|| blank.clone()).set(branch.get(), ABSENT);
            }
        }
        let entry = &mut self.entries[write.place()];
        entry.branches -= 1;
        entry.forgotten = true;
    }

    /// Puts a write at `position` of a branch's log, if the branch does not have it.
    fn put(&mut self, write: WriteRef, branch: BranchIndex, position: u32) -> bool {
        match &mut self.positions {
            Positions::Flat(rows) => {
                let held = &mut rows[write.place() * self.branch_count + branch.get()];
                let is_new = *held == ABSENT;
                if is_new {
                    *held = position;
                }
                is_new
            }
            Positions::Blocks { blank, rows } => {
                let row = rows[write.place()].get_or_insert_with(|| blank.clone());
                let is_new = Row::Blocks(row)[branch.get()] == ABSENT;
                if is_new {
                    row.set(branch.get(), position);
                }
                is_new
            }
        }
    }

    /// Where a write was first applied as it should not be.
    pub(super) fn wrong_apply(&self, write: WriteRef) -> Option<Apply> {
        self.wrong.get(&write.0).copied()
    }

    /// Whether several contents were seen under this id.
    pub(super) fn is_shared(&self, id: WriteId) -> bool {
        !self.shared.is_empty() && self.shared.contains(&id)
    }

    pub(super) fn entry(&self, write: WriteRef) -> &Entry {
        &self.entries[place(write.0)]
    }

    pub(super) fn entry_mut(&mut self, write: WriteRef) -> &mut Entry {
        &mut self.entries[place(write.0)]
    }

    /// Whether the last log of every branch holds it.
    pub(super) fn is_everywhere(&self, entry: &Entry) -> bool {
        place(entry.branches) == self.branch_count
    }

    /// Its position at each branch, [`ABSENT`] where it is not.
    pub(super) fn row(&self, write: WriteRef) -> Row<'_> {
        match &self.positions {
            Positions::Flat(rows) => {
                let start = write.place() * self.branch_count;
                Row::Flat(&rows[start..start + self.branch_count])
            }
            Positions::Blocks { blank, rows } => {
                Row::Blocks(rows[write.place()].as_ref().unwrap_or(blank))
            }
        }
    }

    /// How many writes there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many of them some branch applied.
    pub(super) fn applied(&self) -> usize {
        self.applied
    }

    /// At how many branches the one is applied that is at most.
    pub(super) fn widest(&self) -> usize {
        place(self.widest)
    }

    /// How many there are of what is not as usual: contents beyond the first of an id, their ids,
    /// and writes that were not applied as they should.
    pub(super) fn oddities(&self) -> usize {
        self.variants.len() + self.shared.len() + self.wrong.len()
    }

    /// All writes in their order of appearance.
    pub(super) fn iter(&self) -> impl Iterator<Item = (WriteRef, &Entry)> {
        (0..).map(WriteRef).zip(&self.entries)
    }
}
