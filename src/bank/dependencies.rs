//! What must be applied before a write.

use std::sync::Arc;

use super::VersionVector;
use crate::model::{Dot, OriginLife, Roster, Sequence};

/// What must be applied before a write. Cheap to copy: copies share all of it.
///
/// A bank of a thousand branches checks this a thousand times for each write. So the branch that
/// accepts a write looks for the few among its dependencies that bring all others with them: where
/// these are applied, what they depend on is. They only ever spare work, and are no part of what a
/// write is. Source: W. Lloyd et al., "Don't Settle for Eventual", 2011, section 3.2.
#[derive(Debug, Clone)]
pub struct Dependencies(Arc<Needed>);

#[derive(Debug)]
struct Needed {
    all: VersionVector,
    nearest: Option<Box<[Nearest]>>,
}

/// In a bank of so few branches it takes no longer to check all.
const FEW: usize = 16;

/// The first `sequence` writes of the life `origin`.
#[derive(Debug, Clone, Copy)]
struct Nearest {
    origin: OriginLife,
    sequence: Sequence,
}

/// The write that a branch applied last, and what it had to wait for, as far as that is the same at
/// every branch.
#[derive(Debug, Clone)]
pub(super) struct Newest {
    origin: OriginLife,
    sequence: Sequence,
    dependencies: Option<Dependencies>,
}

impl Newest {
    /// The write `sequence` of the life `origin`, applied after its `dependencies`.
    pub(super) fn new(
        origin: OriginLife,
        sequence: Sequence,
        dependencies: Option<&Dependencies>,
    ) -> Self {
        // Without nearest ones they come from elsewhere, and another branch may know other ones.
        let own = dependencies.filter(|dependencies| dependencies.0.nearest.is_some());
        Self { origin, sequence, dependencies: own.cloned() }
    }

    /// Whether the first `sequence` writes of the life `origin` come with it.
    fn brings(&self, origin: OriginLife, sequence: Sequence) -> bool {
        (origin == self.origin && sequence <= self.sequence)
            || self
                .dependencies
                .as_ref()
                .is_some_and(|with_it| sequence <= with_it.all().get(origin))
    }
}

impl Dependencies {
    /// All that `all` covers. The write is accepted in the life `here`, whose own writes every branch
    /// applies in order, and which has applied `newest` last. What an earlier life of the same branch
    /// wrote comes with nothing.
    pub(super) fn at(
        here: OriginLife,
        all: VersionVector,
        newest: Option<&Newest>,
        roster: &Roster,
    ) -> Self {
        if !Self::have_nearest(roster) {
            return all.into();
        }
        let newest = newest.filter(|newest| newest.sequence <= all.get(newest.origin));
        let is_brought = |origin, sequence| {
            origin == here || newest.is_some_and(|newest| newest.brings(origin, sequence))
        };
        let first = newest.map(|&Newest { origin, sequence, .. }| Nearest { origin, sequence });
        let others = all
            .used()
            .map(|(origin, sequence)| Nearest { origin, sequence })
            .filter(|&Nearest { origin, sequence }| !is_brought(origin, sequence));
        let nearest = first.into_iter().chain(others).collect();
        Self(Arc::new(Needed { all, nearest: Some(nearest) }))
    }

    /// Whether the nearest are looked for.
    pub(super) fn have_nearest(roster: &Roster) -> bool {
        roster.len() > FEW
    }

    /// Everything that must be applied.
    pub fn all(&self) -> &VersionVector {
        &self.0.all
    }

    /// The first write that must be applied and is not among what `here` covers.
    pub(super) fn first_missing(&self, here: &VersionVector, roster: &Roster) -> Option<Dot> {
        let Needed { all, nearest } = &*self.0;
        let Some(nearest) = nearest else { return all.first_missing(here, roster) };
        let missing = nearest.iter().find(|nearest| here.get(nearest.origin) < nearest.sequence);
        debug_assert!(
            missing.is_some() || all.is_covered_by(here),
            "{nearest:?} are here, and not all of {all:?}: {here:?}"
        );
        missing.map(|&Nearest { origin, sequence }| roster.dot(origin, sequence))
    }
}

/// Dependencies that another branch told: which of them are nearest is not known.
impl From<VersionVector> for Dependencies {
    fn from(all: VersionVector) -> Self {
        Self(Arc::new(Needed { all, nearest: None }))
    }
}

/// The nearest ones follow from all.
impl PartialEq for Dependencies {
    fn eq(&self, other: &Self) -> bool {
        self.all() == other.all()
    }
}

impl Eq for Dependencies {}
