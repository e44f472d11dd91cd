//! What faults do to a branch at once, and how it stands meanwhile.

use std::time::Duration;

use super::BranchActor;
use crate::bank::VersionVector;
use crate::history::Fact;

/// How a branch stands whose bank is to settle.
#[derive(Debug)]
pub(super) struct Held {
    /// Which writes are applied there.
    pub(super) version: VersionVector,
    /// Whether it is down.
    pub(super) is_down: bool,
}

impl BranchActor {
    /// It stops: all that it has in hand is gone, and those who wait for it hear nothing of it.
    pub(super) fn stop(&self) {
        let mut open = self.open.borrow_mut();
        let Some(shell) = open.as_mut().filter(|shell| !shell.condition.is_down) else { return };
        shell.stop();
        let branch = shell.branch.id();
        shell.context().recorder.record(|| Fact::BranchStopped { branch });
    }

    /// From now on it handles each input so much later.
    pub(super) fn slow_down(&self, delay: Duration) {
        if let Some(shell) = self.open.borrow_mut().as_mut() {
            shell.condition.delay = delay;
        }
    }

    /// How it stands; `None` where it is not open.
    pub(super) fn held(&self) -> Option<Held> {
        let open = self.open.borrow();
        let shell = open.as_ref()?;
        let version = shell.branch.version().clone();
        Some(Held { version, is_down: shell.condition.is_down })
    }
}
