//! What stands in place of the shell around the server where this program is built without it: nothing
//! can be begun.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{
    Closed, ClusterError, Cut, Ending, GiveUp, JobName, JobSettings, JobState, Next, RunShare,
    ServerSettings, WorkerNews, WorkerSettings,
};

/// A job under way: there is none.
pub(crate) enum Coordination {}

/// Takes shares: nobody has it.
#[derive(Debug, Clone)]
pub(crate) enum Cuts {}

impl Coordination {
    pub(crate) fn next_within(&mut self, _limit: Duration) -> Result<Next, ClusterError> {
        match *self {}
    }

    pub(crate) fn end(self, _ending: Ending) -> Result<(), ClusterError> {
        match self {}
    }
}

impl Cuts {
    pub(crate) fn send(&self, _cut: Cut) -> Result<(), Closed> {
        match *self {}
    }
}

pub(crate) fn coordinate(
    _server: ServerSettings,
    _job: JobSettings,
    _give_up: GiveUp,
) -> Result<(Cuts, Coordination), ClusterError> {
    Err(not_built_in())
}

pub(crate) fn work(
    _server: &ServerSettings,
    _settings: WorkerSettings,
    _make: impl Fn() -> RunShare + Send + Sync + 'static,
    _stop: &CancellationToken,
    _tell: &mut dyn FnMut(WorkerNews),
) -> Result<(), ClusterError> {
    Err(not_built_in())
}

pub(crate) fn list_jobs(_server: &ServerSettings) -> Result<Vec<JobState>, ClusterError> {
    Err(not_built_in())
}

pub(crate) fn remove_job(_server: &ServerSettings, _name: &JobName) -> Result<(), ClusterError> {
    Err(not_built_in())
}

fn not_built_in() -> ClusterError {
    let told = "this passbook is built without NATS (the feature `nats`), so there is no --nats";
    ClusterError::Settings(told.to_owned())
}
