//! The four session guarantees, in one walk over all operations in the order of their answers.
//!
//! A balance is the sum of all writes in a log, so all of them are relevant to a read. In the order
//! of answers, the reads at a branch see longer and longer prefixes of its log. So each log is
//! walked once beside the operations, and for what was passed of it the latest position at every
//! branch is kept: how far any branch must be to hold all that a read here saw.

use super::index::place;
use super::ledger::Ledger;
use super::reach::{Reach, Row};
use super::sessions::{Asked, Op, OpRef, Seen, Told};
use super::tally::Tally;
use super::writes::{ABSENT, WriteRef};
use crate::model::BranchIndex;

/// What the four guarantees come to.
#[derive(Debug, Default)]
pub(super) struct Guarantees {
    /// Read your writes: reads that miss a write of their session.
    pub(super) reads_own: Tally<OpRef>,
    /// Monotonic reads: the last read that saw anything, and one that misses what it saw.
    pub(super) reads_on: Tally<(OpRef, OpRef)>,
    /// Monotonic writes.
    pub(super) writes_in_order: Tally<Misordered>,
    /// Writes follow reads: a write, and a branch that has it before what its session had read.
    pub(super) writes_follow: Tally<(OpRef, BranchIndex)>,
}

/// A branch that has the later of two writes without the earlier before it.
#[derive(Debug)]
pub(super) struct Misordered {
    pub(super) earlier: OpRef,
    pub(super) first: WriteRef,
    pub(super) later: OpRef,
    pub(super) branch: BranchIndex,
}

/// Judges the four guarantees.
pub(super) fn judge(ledger: &Ledger) -> Guarantees {
    let mut walk = Walk {
        ledger,
        logs: ledger.branches.iter().map(|_| Passed::default()).collect(),
        sessions: (0..ledger.sessions.len()).map(|_| Memory::default()).collect(),
        is_made: vec![false; ledger.writes.len()],
        tallies: Guarantees::default(),
    };
    for (at, op) in ledger.sessions.ops() {
        match op.asked {
            Asked::Write { write, told } => walk.write(at, op, write, told),
            Asked::Query(Some(seen)) => walk.read(at, op, seen),
            Asked::Query(None) => {}
        }
    }
    walk.tallies
}

struct Walk<'a> {
    ledger: &'a Ledger,
    logs: Vec<Passed>,
    sessions: Vec<Memory>,
    /// Which writes their session has made by now.
    is_made: Vec<bool>,
    tallies: Guarantees,
}

/// The part of a log that was passed. Empty until a read there needs it.
#[derive(Default)]
struct Passed {
    len: usize,
    reach: Option<Reach>,
}

/// What a session is owed.
#[derive(Default)]
struct Memory {
    /// Its acknowledged writes.
    own: Option<Reach>,
    /// The last read that saw anything, and what it saw.
    last_read: Option<OpRef>,
    last_seen: Option<Reach>,
    /// What all its reads saw.
    seen: Option<Reach>,
    last_write: Option<(OpRef, WriteRef)>,
}

impl Walk<'_> {
    fn read(&mut self, at: OpRef, op: &Op, seen: Seen) {
        let (branch, rank) = (op.sent.branch.get(), op.sent.rank.into());
        let memory = &mut self.sessions[op.session.place()];
        if let Some(own) = &memory.own {
            self.tallies.reads_own.test();
            if own[branch] > seen.position {
                self.tallies.reads_own.fail(rank, at);
            }
        }
        if let Some(earlier) = memory.last_read {
            self.tallies.reads_on.test();
            if memory.last_seen.as_ref().is_some_and(|reach| reach[branch] > seen.position) {
                self.tallies.reads_on.fail(rank, (earlier, at));
            }
        }
        // Nothing is owed for a read that saw nothing, nor to a session that is over.
        if seen.position == 0 || self.ledger.sessions.get(op.session).requests == op.sent.request {
            return;
        }
        let width = self.ledger.branches.len();
        let passed = &mut self.logs[branch];
        let reach = passed.reach.get_or_insert_with(|| Reach::new(width));
        for write in &self.ledger.prefix(op.sent.branch, seen.position)[passed.len..] {
            reach.add(self.ledger.writes.row(*write));
        }
        passed.len = place(seen.position);
        memory.last_read = Some(at);
        memory.seen.get_or_insert_with(|| Reach::new(width)).join(reach);
        memory.last_seen.clone_from(&passed.reach);
    }

    fn write(&mut self, at: OpRef, op: &Op, write: WriteRef, told: Told) {
        let row = self.ledger.writes.row(write);
        let memory = &mut self.sessions[op.session.place()];
        match told {
            Told::Written => {
                let width = self.ledger.branches.len();
                memory.own.get_or_insert_with(|| Reach::new(width)).add(row);
            }
            Told::Unknown => {}
            Told::Refused => return,
        }
        // A retry is the write that it repeats.
        let is_made = &mut self.is_made[write.place()];
        if *is_made || !self.ledger.writes.entry(write).took_effect() {
            return;
        }
        *is_made = true;
        let rank = op.sent.rank.into();
        // What holds for each two neighbours holds for any two of a session's writes.
        if let Some((earlier, first)) = memory.last_write.replace((at, write)) {
            let before = self.ledger.writes.row(first);
            let tally = &mut self.tallies.writes_in_order;
            precede(
                self.ledger,
                |branch| before[branch],
                row,
                |branch, is_before| {
                    tally.test();
                    if !is_before {
                        tally.fail(rank, Misordered { earlier, first, later: at, branch });
                    }
                },
            );
        }
        if let Some(seen) = &memory.seen {
            let tally = &mut self.tallies.writes_follow;
            precede(
                self.ledger,
                |branch| seen[branch],
                row,
                |branch, is_before| {
                    tally.test();
                    if !is_before {
                        tally.fail(rank, (at, branch));
                    }
                },
            );
        }
    }
}

/// Tells of each branch that has the write in this row whether all that `reach` is of comes
/// before it there.
fn precede(
    ledger: &Ledger,
    reach: impl Fn(usize) -> u32,
    row: Row<'_>,
    mut test: impl FnMut(BranchIndex, bool),
) {
    for (branch, position) in ledger.roster.indexes().zip(row.iter()) {
        if *position != ABSENT {
            test(branch, reach(branch.get()) < *position);
        }
    }
}
