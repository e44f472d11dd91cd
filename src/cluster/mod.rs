//! Batches and simulations over many machines: shares of a job wait in a queue of NATS JetStream, workers
//! pull them, and whoever asked for the job takes their results in order. What is decided stands in files
//! that know no server; `nats` is the shell around them.

mod compressed;
mod crew;
mod digest;
mod error;
mod exchange;
mod job_name;
#[cfg(feature = "nats")]
mod nats;
#[cfg(not(feature = "nats"))]
#[path = "without_nats.rs"]
mod nats;
mod result;
mod settings;
mod share;
mod sizes;
mod subjects;
mod window;

pub(crate) use compressed::{compress, decompress};
pub(crate) use crew::Crew;
pub(crate) use digest::Digest;
pub(crate) use error::ClusterError;
pub(crate) use exchange::{
    Arrived, Closed, Cut, Ending, GiveUp, GivenUp, JobState, Next, RunShare, WorkerNews,
};
pub(crate) use job_name::JobName;
pub(crate) use nats::{Coordination, Cuts, coordinate, list_jobs, remove_job, work};
pub(crate) use result::{RESULT_BYTES_MAX, RowsHead, ShareResult};
pub(crate) use settings::{JobSettings, Login, Secret, ServerSettings, ServerUrls, WorkerSettings};
pub(crate) use share::{Scenarios, Share, Work};
pub(crate) use sizes::{PARCEL_DOCUMENT_MAX, ShareSizes};
