//! The guarantees about a session's own writes: read your writes, and monotonic writes.

use super::ledger::Ledger;
use super::sessions::{Asked, OpRef, Told};
use super::tally::Tally;
use super::writes::{ABSENT, WriteRef};
use crate::model::BranchIndex;

/// A read that misses a write of its own session.
#[derive(Debug)]
pub(super) struct Unread {
    pub(super) read: OpRef,
    /// The operation that made the write, and was acknowledged.
    pub(super) written: OpRef,
    pub(super) write: WriteRef,
}

/// A branch that has the later of two writes without the earlier before it.
#[derive(Debug)]
pub(super) struct Misordered {
    pub(super) earlier: OpRef,
    pub(super) first: WriteRef,
    pub(super) later: OpRef,
    pub(super) branch: BranchIndex,
}

/// Every read's branch held every write of the session that was acknowledged before.
///
/// Keeps, for the session, the last position of those writes at each branch.
pub(super) fn read_your_writes(ledger: &Ledger) -> Tally<Unread> {
    let mut tally = Tally::default();
    let mut last = vec![0; ledger.branches.len()];
    for (session, asked) in ledger.sessions.iter() {
        let mut is_owed = false;
        for (op, rank, branch, asked) in asked.numbered() {
            match asked {
                Asked::Write { write, told: Told::Written } => {
                    if !is_owed {
                        last.fill(0);
                        is_owed = true;
                    }
                    raise(&mut last, ledger.writes.row(write));
                }
                Asked::Query(Some(seen)) if is_owed => {
                    tally.test();
                    if last[branch.get()] > seen.position {
                        tally.fail(rank, OpRef { session, op });
                    }
                }
                Asked::Write { told: Told::Unknown | Told::Refused, .. } | Asked::Query(_) => {}
            }
        }
    }
    tally.map(|read| unread(ledger, read))
}

/// The first write that `read`, which misses one, misses.
fn unread(ledger: &Ledger, read: OpRef) -> Unread {
    let session = ledger.sessions.get(read.session);
    let branch = ledger.sessions.op(read).branch;
    let position = ledger.seen(read).map_or(0, |seen| seen.position);
    let missing = session.numbered().find_map(|(op, _, _, asked)| match asked {
        Asked::Write { write, told: Told::Written }
            if ledger.writes.row(write)[branch.get()] > position =>
        {
            Some(Unread { read, written: OpRef { session: read.session, op }, write })
        }
        Asked::Write { .. } | Asked::Query(_) => None,
    });
    missing.expect("a read that fails its test misses a write")
}

/// Wherever a write of a session is, the session's write before it is before it.
///
/// What holds for each two neighbours holds for any two, so only neighbours are compared.
pub(super) fn monotonic_writes(ledger: &Ledger) -> Tally<Misordered> {
    let mut tally = Tally::default();
    for (session, asked) in ledger.sessions.iter() {
        let mut before: Option<(OpRef, WriteRef)> = None;
        for (op, rank, _, asked) in asked.numbered() {
            let Asked::Write { write: second, .. } = asked else { continue };
            if !ledger.writes.entry(second).is_made_by(op) {
                continue;
            }
            let later = OpRef { session, op };
            if let Some((earlier, first)) = before {
                let rows = ledger.writes.row(first).iter().zip(ledger.writes.row(second));
                for (branch, (first_at, second_at)) in ledger.roster.indexes().zip(rows) {
                    if *second_at == ABSENT {
                        continue;
                    }
                    tally.test();
                    if first_at >= second_at {
                        tally.fail(rank, Misordered { earlier, first, later, branch });
                    }
                }
            }
            before = Some((later, second));
        }
    }
    tally
}

/// Raises each of `last` to the position in `row` where that is later.
pub(super) fn raise(last: &mut [u32], row: &[u32]) {
    for (last, position) in last.iter_mut().zip(row) {
        *last = (*last).max(*position);
    }
}
