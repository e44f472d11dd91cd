//! The network of a scenario: how long messages take between some of the branches.

use std::collections::BTreeMap;

use super::error::{Checked, Fault};
use super::json::{Keys, Node};
use super::problem::{BranchList, Problem, Thing};
use super::source::Span;
use super::value::{id, latency, required};
use crate::fault::{Latency, Link};
use crate::model::{BranchId, Roster};

pub(super) const LINK_KEYS: Keys<3> = Keys { of: Thing::Link, names: ["from", "to", "latency"] };

/// Reads the array of links `node`. Each is one direction between two branches of `roster`.
pub(super) fn links(node: Node<'_>, roster: &Roster) -> Checked<BTreeMap<Link, Latency>> {
    let mut links = BTreeMap::new();
    let mut places: BTreeMap<Link, Span> = BTreeMap::new();
    for entry in node.elements()? {
        let [from, to, takes] = entry.members(&LINK_KEYS)?;
        let from = branch(required(entry, &LINK_KEYS, "from", from)?, roster)?;
        let to_node = required(entry, &LINK_KEYS, "to", to)?;
        let to = branch(to_node, roster)?;
        if from == to {
            return Err(to_node.fault(Problem::LinkToItself { branch: to }));
        }
        let takes = latency(required(entry, &LINK_KEYS, "latency", takes)?)?;
        let link = Link { from, to };
        let at = Span::new(entry.span().start, 1);
        if let Some(first) = places.insert(link, at) {
            return Err(Fault::new(Problem::DuplicateLink { from, to }, at).and(first));
        }
        links.insert(link, takes);
    }
    Ok(links)
}

fn branch(node: Node<'_>, roster: &Roster) -> Checked<BranchId> {
    let branch = id(node)?;
    match roster.index(branch) {
        Some(_) => Ok(branch),
        None => {
            let bank = BranchList::of(roster);
            Err(node.fault(Problem::UnknownBranch { id: branch, bank }))
        }
    }
}
