//! A branch that is made slow, and how one stands whose bank is to settle.

use std::time::Duration;

use super::BranchActor;
use crate::bank::VersionVector;

/// How a branch stands whose bank is to settle.
#[derive(Debug)]
pub(super) struct Held {
    /// Which writes are applied there.
    pub(super) version: VersionVector,
    /// Whether it is down, or has not said all that it has done.
    pub(super) is_busy: bool,
}

impl BranchActor {
    /// From now on it handles each input so much later; `number` tells this from other times.
    pub(super) fn slow_down(&self, number: u32, delay: Duration) {
        if let Some(shell) = self.open.borrow_mut().as_mut() {
            let condition = shell.condition.get_or_insert_default();
            (condition.slow, condition.delay) = (number, delay);
        }
    }

    /// From now on it handles each input when it comes to its turn.
    pub(super) fn speed_up(&self) {
        if let Some(shell) = self.open.borrow_mut().as_mut() {
            shell.condition.get_or_insert_default().delay = Duration::ZERO;
        }
    }

    /// How it stands; `None` where it is not open.
    pub(super) fn held(&self) -> Option<Held> {
        let open = self.open.borrow();
        let shell = open.as_ref()?;
        let version = shell.branch.version().clone();
        Some(Held { version, is_busy: shell.is_down() || shell.holds_back() })
    }
}
