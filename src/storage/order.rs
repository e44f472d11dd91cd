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
