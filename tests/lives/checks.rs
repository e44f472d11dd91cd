//! What must hold at each step, by what was seen of all branches: nobody else sees as much.

use std::collections::BTreeMap;
use std::collections::btree_map;

use passbook::bank::{Entry, PropagatedWrite, Reply, VersionVector};
use passbook::model::{Dot, Life, Propagation, Receipt, WriteId};

use crate::world::World;

pub(crate) type Fault = String;

/// A branch called what it holds of ended lives all that is left.
struct Claim {
    lives: Vec<Life>,
    version: VersionVector,
}

/// What is known of all writes.
#[derive(Default)]
pub(crate) struct Known {
    claims: Vec<Claim>,
    /// What each write was to come after, if anything.
    dependencies: BTreeMap<Dot, Option<VersionVector>>,
    /// How often a name was accepted: a customer who is not answered asks elsewhere.
    accepted: BTreeMap<WriteId, u32>,
}

impl Known {
    /// A branch sends a write to all others. Says how often its name has been accepted, if that is
    /// new.
    pub(crate) fn is_sent(&mut self, write: &PropagatedWrite) -> u32 {
        let btree_map::Entry::Vacant(entry) = self.dependencies.entry(write.dot) else { return 0 };
        entry.insert(write.dependencies.as_ref().map(|known| known.all().clone()));
        let times = self.accepted.entry(write.id).or_default();
        *times += 1;
        *times
    }

    /// A branch with this list of lives and this version has heard from all others.
    pub(crate) fn is_closed(&mut self, lives: Vec<Life>, version: VersionVector) {
        self.claims.push(Claim { lives, version });
    }

    /// Whether a write was accepted once: what is lost of one that was accepted twice may be the one
    /// that a session knows, and nobody can tell that the other is the same.
    pub(crate) fn was_accepted_once(&self, id: WriteId) -> bool {
        self.accepted.get(&id).is_none_or(|times| *times == 1)
    }
}

impl World {
    /// What was applied has all that it was to come after; and nothing of an ended life is here that
    /// somebody called lost.
    pub(crate) fn check_applied(&self, at: usize, applied: &[Dot]) -> Result<(), Fault> {
        let version = self.nodes[at].branch.version();
        for dot in applied {
            let before = self.known.dependencies.get(dot).and_then(Option::as_ref);
            if before.is_some_and(|before| !before.is_covered_by(version)) {
                return Err(format!("{dot:?} is at {at} before what it depends on"));
            }
        }
        let held = version.last_dots(&self.roster);
        for claim in &self.known.claims {
            for dot in &held {
                let origin = self.roster.origin(*dot).unwrap();
                let is_over = dot.life < claim.lives[origin.branch().get()];
                if is_over && dot.sequence > claim.version.get(origin) {
                    return Err(format!("{dot:?} was called lost, and is at {at}"));
                }
            }
        }
        Ok(())
    }

    /// A write is answered as confirmed when every life that its branch knows holds it.
    pub(crate) fn check_written(&self, at: usize, reply: &Reply) -> Result<(), Fault> {
        let (Propagation::Sync, Ok(Receipt::Written)) = (self.propagation, &reply.outcome) else {
            return Ok(());
        };
        let Entry::Wrote(dot) = reply.entry else { return Ok(()) };
        let origin = self.roster.origin(dot).unwrap();
        let here = &self.nodes[at].branch;
        for (place, index) in self.roster.indexes().enumerate() {
            let there = &self.nodes[place].branch;
            let is_known = here.lives().get(index, &self.roster) == there.life();
            if is_known && there.version().get(origin) < dot.sequence {
                return Err(format!("{dot:?} was answered as written, and is not at {place}"));
            }
        }
        Ok(())
    }
}
