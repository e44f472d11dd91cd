//! What passes between the shell around the server and whoever runs a job, a worker or a list.

use std::sync::Arc;

use super::crew::MadeBy;
use super::job_name::JobName;
use super::share::Share;

/// A share that is to be run.
#[derive(Debug)]
pub(crate) struct Cut {
    pub(crate) share: Share,
    /// What it reads, if that is to be brought to the server.
    pub(crate) parcel: Option<Vec<u8>>,
    /// The numbers of scenarios in it whose rows are there already.
    pub(crate) held: Vec<u64>,
}

/// The result of a share, in its turn.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) share: Share,
    pub(crate) held: Vec<u64>,
    /// As it was sent.
    pub(crate) result: Vec<u8>,
    /// Who made it; `None` where it was given up.
    pub(crate) made_by: Option<MadeBy>,
}

/// What comes next.
#[derive(Debug)]
pub(crate) enum Next {
    Share(Box<Arrived>),
    /// Something that people are told.
    Warning(String),
    NotYet,
    End,
}

/// What becomes of a job at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Nothing is left of it.
    Done,
    /// Somebody may go on with it.
    Kept,
}

/// What a share with this parcel becomes that is given up, and why it is. An error says why it becomes nothing.
pub(crate) type GiveUp = Arc<dyn Fn(&Share, Option<&[u8]>, &str) -> GivenUp + Send + Sync>;

/// The result of a share that is given up, as one that was run is sent.
pub(crate) type GivenUp = Result<Vec<u8>, String>;

/// Nobody takes shares any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closed;

/// Runs shares on one thread, with the parcel of each.
pub(crate) type RunShare = Box<dyn FnMut(&Share, Option<&[u8]>) -> Result<Vec<u8>, String>>;

/// What is told of a worker now and then.
#[derive(Debug)]
pub(crate) enum WorkerNews {
    /// How many shares are done, and how many scenarios and seeds in them.
    Done { shares: u64, count: u64 },
    /// Something that people should know.
    Warning(String),
}

/// A job at the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JobState {
    pub(crate) name: JobName,
    /// What it does.
    pub(crate) command: String,
    /// Whether somebody gathers its results just now.
    pub(crate) is_run: bool,
    /// How many shares wait or are in the hands of workers.
    pub(crate) shares: u64,
    /// How many results wait, and how many bytes they are.
    pub(crate) results: u64,
    pub(crate) bytes: u64,
}
