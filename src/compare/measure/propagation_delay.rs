//! How long writes take from the branch that accepted them to the last branch: from facts, in a
//! bank that is recorded for this alone.

use std::collections::BTreeMap;

use actix::{Actor, Context, Handler, Message};

use crate::actors::Record;
use crate::history::Fact;
use crate::model::{BranchId, Sequence, Time};

/// Keeps when each branch applied each write.
#[derive(Debug, Default)]
pub(super) struct Watcher {
    seen: Vec<Seen>,
}

/// A branch applied a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) branch: BranchId,
    pub(super) origin: BranchId,
    pub(super) sequence: Sequence,
    pub(super) at: Time,
}

/// Asks for all that was seen.
#[derive(Debug, Message)]
#[rtype(result = "Vec<Seen>")]
pub(super) struct TakeSeen;

impl Actor for Watcher {
    type Context = Context<Self>;
}

impl Handler<Record> for Watcher {
    type Result = ();

    fn handle(&mut self, Record(recorded): Record, _: &mut Self::Context) {
        if let Fact::WriteApplied { branch, origin, sequence, .. } = recorded.fact {
            self.seen.push(Seen { branch, origin, sequence, at: recorded.at });
        }
    }
}

impl Handler<TakeSeen> for Watcher {
    type Result = Vec<Seen>;

    fn handle(&mut self, _: TakeSeen, _: &mut Self::Context) -> Vec<Seen> {
        std::mem::take(&mut self.seen)
    }
}

/// For each write that its origin applied at `since` or later and that came to all `branches`, how
/// long it took to the last of them, in the microseconds of the facts' clock.
pub(super) fn delays_us(seen: &[Seen], branches: usize, since: Time) -> Vec<u64> {
    let mut writes: BTreeMap<(BranchId, Sequence), Vec<Seen>> = BTreeMap::new();
    for &applied in seen {
        writes.entry((applied.origin, applied.sequence)).or_default().push(applied);
    }
    let delay = |write: Vec<Seen>| {
        let first = write.iter().find(|seen| seen.branch == seen.origin)?.at;
        let last = write.iter().map(|seen| seen.at).max()?;
        (write.len() == branches && first >= since).then(|| last.us().saturating_sub(first.us()))
    };
    writes.into_values().filter_map(delay).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(branch: i64, origin: i64, sequence: u64, at_us: u64) -> Seen {
        let branch_id = |id| BranchId::new(id).unwrap();
        let (branch, origin) = (branch_id(branch), branch_id(origin));
        Seen { branch, origin, sequence: Sequence::new(sequence), at: Time::from_us(at_us) }
    }

    #[test]
    fn a_write_takes_as_long_as_to_the_last_branch() {
        let all = [
            seen(1, 1, 1, 5), // before it counts
            seen(2, 1, 1, 40),
            seen(3, 1, 1, 41),
            seen(2, 2, 1, 100),
            seen(1, 2, 1, 107),
            seen(3, 2, 1, 103),
            seen(1, 1, 2, 200), // never everywhere
            seen(3, 1, 2, 230),
        ];
        assert_eq!(delays_us(&all, 3, Time::from_us(10)), [7]);
    }
}
