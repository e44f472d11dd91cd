//! The guarantees about what a session has read: monotonic reads, and writes follow reads.
//!
//! A balance is the sum of all writes in a log, so all of them are relevant to a read. Walking a
//! log once, with the latest position at every branch of what was passed, tells for each read
//! there how far any branch had to be to hold all that it saw.

use super::index::place;
use super::ledger::Ledger;
use super::own::raise;
use super::sessions::{Asked, OpRef, Seen};
use super::tally::Tally;
use super::writes::{ABSENT, WriteRef};
use crate::model::BranchIndex;

/// A read that misses a write that the session's read before it saw.
#[derive(Debug)]
pub(super) struct Unseen {
    pub(super) earlier: OpRef,
    pub(super) later: OpRef,
    pub(super) write: WriteRef,
}

/// A branch that has a write without all that its session had read before it.
#[derive(Debug)]
pub(super) struct Unfollowed {
    pub(super) read: OpRef,
    pub(super) seen: WriteRef,
    pub(super) written: OpRef,
    pub(super) branch: BranchIndex,
}

/// Judges both guarantees; `bounds` is what [`Ledger::settle`] returned.
pub(super) fn judge(ledger: &Ledger, bounds: u32) -> (Tally<Unseen>, Tally<Unfollowed>) {
    let width = ledger.branches.len();
    let mut reads = Tally::default();
    // For each write that follows reads, how far each branch must be to hold what they saw: of
    // the reads since the session's write before it.
    let mut followed = vec![0; place(bounds) * width];
    for branch in ledger.roster.indexes() {
        walk(ledger, branch, |read, seen, last| {
            if let Some((next, found)) = next_read(ledger, read) {
                let op = ledger.sessions.op(next);
                reads.test();
                if last[op.branch.get()] > found.position {
                    reads.fail(op.rank.into(), (read, next));
                }
            }
            if let Some(gap) = seen.gap {
                raise(&mut followed[place(gap) * width..][..width], last);
            }
        });
    }
    let reads = reads.map(|(earlier, later)| unseen(ledger, earlier, later));
    (reads, writes_follow_reads(ledger, &followed))
}

/// Visits the reads at `branch` that something follows, in the order of its log, with the latest
/// position that what they saw has at each branch.
fn walk(ledger: &Ledger, branch: BranchIndex, mut visit: impl FnMut(OpRef, Seen, &[u32])) {
    let mut last = vec![0; ledger.branches.len()];
    let mut passed = 0;
    for &read in &ledger.branches[branch.get()].reads {
        let Some(seen) = ledger.seen(read) else { continue };
        if seen.position == 0 || (seen.gap.is_none() && next_read(ledger, read).is_none()) {
            continue;
        }
        for &write in &ledger.prefix(branch, seen.position)[passed..] {
            raise(&mut last, ledger.writes.row(write));
        }
        passed = place(seen.position);
        visit(read, seen, &last);
    }
}

/// The session's next read that was answered.
fn next_read(ledger: &Ledger, read: OpRef) -> Option<(OpRef, Seen)> {
    let ops = &ledger.sessions.get(read.session).ops[place(read.op) + 1..];
    (read.op + 1..).zip(ops).find_map(|(op, found)| match found.asked {
        Asked::Query(seen) => seen.map(|seen| (OpRef { session: read.session, op }, seen)),
        Asked::Write { .. } => None,
    })
}

/// The first write that `earlier` saw and `later` misses.
fn unseen(ledger: &Ledger, earlier: OpRef, later: OpRef) -> Unseen {
    let position = |read| ledger.seen(read).map_or(0, |seen| seen.position);
    let branch = ledger.sessions.op(later).branch;
    let saw = ledger.prefix(ledger.sessions.op(earlier).branch, position(earlier));
    let is_missing = |write: &&WriteRef| ledger.writes.row(**write)[branch.get()] > position(later);
    let write = *saw.iter().find(is_missing).expect("a read that fails its test misses a write");
    Unseen { earlier, later, write }
}

/// Wherever a write is, all that the session's reads before it saw is before it.
fn writes_follow_reads(ledger: &Ledger, followed: &[u32]) -> Tally<Unfollowed> {
    let width = ledger.branches.len();
    let mut tally = Tally::default();
    let mut last = vec![0; width];
    for (session, asked) in ledger.sessions.iter() {
        let mut has_read = false;
        for (op, rank, _, asked) in asked.numbered() {
            let Asked::Write { write, .. } = asked else { continue };
            let entry = ledger.writes.entry(write);
            if !entry.is_made_by(op) {
                continue;
            }
            if let Some(gap) = entry.gap {
                if !has_read {
                    last.fill(0);
                    has_read = true;
                }
                raise(&mut last, &followed[place(gap) * width..][..width]);
            }
            if !has_read {
                continue;
            }
            let rows = last.iter().zip(ledger.writes.row(write));
            for (branch, (seen_at, write_at)) in ledger.roster.indexes().zip(rows) {
                if *write_at == ABSENT {
                    continue;
                }
                tally.test();
                if seen_at >= write_at {
                    tally.fail(rank, (OpRef { session, op }, write, branch));
                }
            }
        }
    }
    tally.map(|(written, write, branch)| unfollowed(ledger, written, write, branch))
}

/// The first read before `written` that saw a write which `branch` has not before `write`.
fn unfollowed(ledger: &Ledger, written: OpRef, write: WriteRef, branch: BranchIndex) -> Unfollowed {
    let at = |write: WriteRef| ledger.writes.row(write)[branch.get()];
    // For each branch, the first write of its log that is too late.
    let late: Vec<Option<(usize, WriteRef)>> = ledger
        .branches
        .iter()
        .map(|log| {
            let mut log = log.writes.iter().copied().enumerate();
            log.find(|(_, seen)| at(*seen) >= at(write))
        })
        .collect();
    let session = written.session;
    let found = ledger.sessions.get(session).numbered().find_map(|(op, _, branch, asked)| {
        let Asked::Query(Some(found)) = asked else { return None };
        let (position, seen) = late[branch.get()]?;
        (position < place(found.position)).then_some((OpRef { session, op }, seen))
    });
    let (read, seen) = found.expect("a write that fails its test follows a read");
    Unfollowed { read, seen, written, branch }
}
