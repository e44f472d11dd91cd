//! The shell around jobs: connections, streams, and the loops of whoever gathers and whoever works.

mod connection;
mod coordination;
mod coordinator;
mod ends;
mod gathering;
mod jobs;
mod notices;
mod objects;
mod patience;
mod pulled;
mod storage;
mod streams;
mod work;
mod worker;

pub(crate) use coordination::{Coordination, Cuts, coordinate};
pub(crate) use jobs::{list_jobs, remove_job};
pub(crate) use worker::work;
