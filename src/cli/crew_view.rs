//! How the workers of a job come on, for whoever waits for it.

use std::time::{Duration, Instant};

use crate::cluster::{Arrived, Crew};

/// The workers of a job, with the time that passes.
#[derive(Debug)]
pub(super) struct CrewView {
    crew: Crew,
    begun: Instant,
}

impl Default for CrewView {
    #[expect(clippy::disallowed_methods, reason = "it tells how fast workers are")]
    fn default() -> Self {
        Self { crew: Crew::default(), begun: Instant::now() }
    }
}

impl CrewView {
    /// A result came.
    pub(super) fn did(&mut self, arrived: &Arrived) {
        if let Some(made_by) = arrived.made_by.clone() {
            self.crew.did(made_by, arrived.share.count(), self.now());
        }
    }

    /// How many workers there are, and how fast each is.
    pub(super) fn told(&mut self) -> String {
        let now = self.now();
        self.crew.told(now)
    }

    /// How many threads there were at most.
    pub(super) const fn threads_most(&self) -> u64 {
        self.crew.threads_most()
    }

    fn now(&self) -> Duration {
        self.begun.elapsed()
    }
}
