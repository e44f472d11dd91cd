//! Every write of a history, and its place in each branch's apply log.
//!
//! A write here is a write id *and* a content: what is applied under the right id with another
//! content is another write, that nobody asked for.

use std::collections::{BTreeMap, BTreeSet};

use super::Impossible;
use super::index::{IdTable, NONE, place};
use super::reach::{BLOCK, Blocks, Row};
use super::sessions::Told;
use crate::model::{BranchIndex, Write, WriteId};

/// The position of a write that a branch does not have: later than any other.
pub(super) const ABSENT: u32 = u32::MAX;

/// A write, by its order of appearance in the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WriteRef(u32);

impl WriteRef {
    pub(super) fn rank(self) -> u64 {
        self.0.into()
    }

    pub(super) fn place(self) -> usize {
        place(self.0)
    }
}

/// How a write came up first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FirstSeen {
    /// A customer asked for it.
    Asked,
    /// A branch applied it, and nobody had asked.
    Applied,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: WriteId,
    pub(super) write: Write,
    pub(super) first_seen: FirstSeen,
    /// Some request for it was answered with success.
    pub(super) acknowledged: bool,
    /// Some request for it was refused.
    pub(super) refused: bool,
    /// Some request for it was not refused. Known of all once the history is closed.
    pub(super) issued: bool,
    /// At how many branches it was applied.
    pub(super) branches: u32,
    /// Some branch applied its id a second time, as this write.
    pub(super) again: bool,
}

impl Entry {
    pub(super) fn is_applied(&self) -> bool {
        self.branches > 0
    }

    /// Whether it is a write of its session: not refused, and acknowledged or applied somewhere.
    /// One that nobody answered and nobody applied has not happened.
    pub(super) fn took_effect(&self) -> bool {
        self.issued && (self.acknowledged || self.is_applied())
    }

    /// Takes note of an answer to a request for it.
    pub(super) fn tell(&mut self, told: Told) {
        match told {
            Told::Written => {
                self.acknowledged = true;
                self.issued = true;
            }
            Told::Unknown => self.issued = true,
            Told::Refused => self.refused = true,
        }
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
    positions: Positions,
    /// Writes whose id first named another content.
    variants: BTreeMap<(WriteId, Write), WriteRef>,
    /// For ids that name several contents, the branches that applied any of them.
    contested: BTreeMap<WriteId, BTreeSet<usize>>,
}

impl Writes {
    pub(super) fn new(branch_count: usize) -> Self {
        Self {
            branch_count,
            entries: Vec::new(),
            positions: if branch_count <= BLOCK {
                Positions::Flat(Vec::new())
            } else {
                Positions::Blocks { blank: Blocks::filled(branch_count, ABSENT), rows: Vec::new() }
            },
            variants: BTreeMap::new(),
            contested: BTreeMap::new(),
        }
    }

    /// The write `id` with this content, new if need be. `events` are the writes of its customer.
    pub(super) fn find_or_add(
        &mut self,
        events: &mut IdTable,
        id: WriteId,
        write: Write,
        first_seen: FirstSeen,
    ) -> Result<WriteRef, Impossible> {
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
        let applied: BTreeSet<usize> = self.row(first).places().collect();
        self.contested.entry(id).or_insert(applied);
        let added = self.add(id, write, first_seen)?;
        self.variants.insert((id, write), added);
        Ok(added)
    }

    fn add(
        &mut self,
        id: WriteId,
        write: Write,
        first_seen: FirstSeen,
    ) -> Result<WriteRef, Impossible> {
        let added = u32::try_from(self.entries.len()).map_err(|_| Impossible::TooMany)?;
        if added == NONE {
            return Err(Impossible::TooMany);
        }
        self.entries.push(Entry {
            id,
            write,
            first_seen,
            acknowledged: false,
            refused: false,
            issued: false,
            branches: 0,
            again: false,
        });
        match &mut self.positions {
            Positions::Flat(rows) => rows.resize(rows.len() + self.branch_count, ABSENT),
            Positions::Blocks { rows, .. } => rows.push(None),
        }
        Ok(WriteRef(added))
    }

    /// Takes note that `branch` applied `write` as its `position`-th.
    pub(super) fn apply(&mut self, write: WriteRef, branch: BranchIndex, position: u32) {
        let is_new = self.row(write)[branch.get()] == ABSENT;
        let entry = &mut self.entries[write.place()];
        if is_new {
            match &mut self.positions {
                Positions::Flat(rows) => {
                    rows[write.place() * self.branch_count + branch.get()] = position;
                }
                Positions::Blocks { blank, rows } => {
                    let row = rows[write.place()].get_or_insert_with(|| blank.clone());
                    row.set(branch.get(), position);
                }
            }
            entry.branches += 1;
            let is_first = match self.contested.get_mut(&entry.id) {
                Some(branches) => branches.insert(branch.get()),
                None => true,
            };
            if is_first {
                return;
            }
        }
        entry.again = true;
    }

    pub(super) fn entry(&self, write: WriteRef) -> &Entry {
        &self.entries[place(write.0)]
    }

    pub(super) fn entry_mut(&mut self, write: WriteRef) -> &mut Entry {
        &mut self.entries[place(write.0)]
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

    /// All writes in their order of appearance.
    pub(super) fn iter(&self) -> impl Iterator<Item = (WriteRef, &Entry)> {
        (0..).map(WriteRef).zip(&self.entries)
    }
}
