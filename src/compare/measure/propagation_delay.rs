//! How long writes take from the branch that accepted them to the last branch: from facts, in a
//! bank that is recorded for this alone.

use std::collections::BTreeMap;

use crate::actors::Observer;
use crate::history::{Fact, Recorded};
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

impl Watcher {
    /// All that was seen.
    pub(super) fn take_seen(&mut self) -> Vec<Seen> {
        std::mem::take(&mut self.seen)
    }
}

impl Observer for Watcher {
    fn observe(&mut self, recorded: Recorded) {
        if let Fact::WriteApplied { branch, origin, sequence, .. } = recorded.fact {
            self.seen.push(Seen { branch, origin, sequence, at: recorded.at });
        }
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

    fn seen(branch: i64, origin: i64, sequence: u32, at_us: u64) -> Seen {
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
