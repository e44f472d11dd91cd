//! How long a server may be away.

use std::time::Duration;

use tokio::time::Instant;

use crate::cluster::ClusterError;

/// Counts from the first failure after which nothing went well.
#[derive(Debug)]
pub(super) struct Patience {
    limit: Duration,
    since: Option<Instant>,
}

impl Patience {
    pub(super) const fn new(limit: Duration) -> Self {
        Self { limit, since: None }
    }

    /// Another one of the same limit.
    pub(super) const fn anew(&self) -> Self {
        Self::new(self.limit)
    }

    /// Something went well.
    pub(super) const fn restore(&mut self) {
        self.since = None;
    }

    /// Something failed because of `reason`: an error if that has been so for too long.
    pub(super) fn fail(&mut self, reason: impl ToString) -> Result<(), ClusterError> {
        let since = *self.since.get_or_insert_with(Instant::now);
        if since.elapsed() < self.limit {
            return Ok(());
        }
        Err(ClusterError::Gone { span: self.limit, reason: reason.to_string() })
    }
}
