//! In which order writes come to a branch.

use std::collections::BTreeMap;

use crate::model::{BranchId, Dot, Life, LogEntry, Sequence};

/// Each life's writes come in the order of their numbers, and none is left out: where that is not so.
pub(super) fn out_of_order(at: BranchId, came: &[LogEntry]) -> Vec<String> {
    let mut flaws = Vec::new();
    let mut last: BTreeMap<(BranchId, Life), Sequence> = BTreeMap::new();
    for entry in came {
        let Dot { origin, life, sequence } = entry.dot;
        let next = last.entry((origin, life)).or_default();
        if sequence != next.next() {
            flaws.push(format!(
                "branch {at} holds write {sequence} of branch {origin} after write {next}"
            ));
        }
        *next = sequence;
    }
    flaws
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Amount, CustomerId, EventId, Money, Write, WriteId};

    #[test]
    fn what_is_left_out_or_comes_again_is_told() {
        let branch = |id| BranchId::new(id).unwrap();
        let write = Write::deposit(Amount::try_from(Money::from_minor(1)).unwrap());
        let id = WriteId { customer: CustomerId::new(1).unwrap(), event: EventId::new(1).unwrap() };
        let entry = |(origin, life, sequence): (i64, u64, u32)| {
            let (life, sequence) = (Life::new(life), Sequence::new(sequence));
            LogEntry { dot: Dot { origin: branch(origin), life, sequence }, id, write }
        };
        let flaws = |dots: &[(i64, u64, u32)]| {
            out_of_order(branch(1), &dots.iter().copied().map(entry).collect::<Vec<_>>())
        };
        assert_eq!(flaws(&[(1, 1, 1), (2, 1, 1), (1, 1, 2), (1, 7, 1)]), [""; 0]);
        for dots in
            [&[(1, 1, 0)][..], &[(1, 1, 2)], &[(1, 1, 1), (1, 1, 1)], &[(2, 5, 1), (2, 6, 2)]]
        {
            assert_eq!(flaws(dots).len(), 1, "{dots:?}");
        }
    }
}
