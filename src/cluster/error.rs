//! Why a job on several machines cannot go on.

use std::time::Duration;

use thiserror::Error;

use super::result::Difference;
use super::share::ShareError;

/// Why a job, or a worker, cannot begin or go on.
#[derive(Debug, Error)]
pub(crate) enum ClusterError {
    /// What was said of the server is wrong.
    #[error("{0}")]
    Settings(String),
    /// No connection.
    #[error("the NATS server at {url} cannot be reached: {reason}")]
    Unreachable { url: String, reason: String },
    /// The server does not let this client in.
    #[error(
        "the NATS server at {url} refuses the connection: {reason}; look at --nats-user, \
         --nats-creds, --nats-nkey, PASSBOOK_NATS_PASSWORD and PASSBOOK_NATS_TOKEN"
    )]
    Refused { url: String, reason: String },
    /// The connection, or JetStream, went away and stayed away.
    #[error(
        "the NATS server did not answer for {span:?} ({reason}); the job stays there: the same \
         command goes on with it"
    )]
    Gone { span: Duration, reason: String },
    /// It has no JetStream.
    #[error(
        "the NATS server at {url} has no JetStream; start it with -js, or enable it for the account"
    )]
    NoJetStream { url: String },
    /// What is there under our name is not ours.
    #[error(
        "the stream {name} on the NATS server was made by something else than passbook; remove or \
         rename it, or use another account"
    )]
    ForeignStream { name: String },
    /// The server has no room.
    #[error(
        "the NATS server has no room for {what}: {reason}; allow it more, remove jobs (passbook jobs), \
         or ask for less with --nats-store-max"
    )]
    Full { what: String, reason: String },
    /// There is a job of this name with other arguments.
    #[error(
        "there is a job {name} with other arguments already ({command}); name this one with --job, or \
         remove that with passbook jobs remove {name}"
    )]
    OtherJob { name: String, command: String },
    /// Another process gathers the results of this job.
    #[error(
        "job {name} is run by another process just now; wait for it, or name this one with --job"
    )]
    Running { name: String },
    /// No job of this name.
    #[error("there is no job {name}; passbook jobs lists those that there are")]
    NoJob { name: String },
    /// The job is not there any more.
    #[error("job {name} was removed while it ran")]
    Removed { name: String },
    /// A share that cannot be run here, or sent.
    #[error(transparent)]
    Share(#[from] ShareError),
    /// The same share came to two results: this program is not deterministic, or two machines differ.
    #[error(
        "share {number} of job {job} came to two results that differ in more than times: {} and {}",
        .difference.one, .difference.other
    )]
    Differs { job: String, number: u64, difference: Difference },
    /// No worker could run a share, and there is nothing to put in the place of its result.
    #[error(
        "share {number} of job {job}, {what}, cannot be run and has no result: {reason}; remove the job with \
         passbook jobs remove {job}, and give the same command again"
    )]
    GivenUp { job: String, number: u64, what: String, reason: String },
    /// What the server said to something that must work.
    #[error("the NATS server refuses to {what}: {reason}")]
    Server { what: String, reason: String },
    /// No more threads, or no runtime.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] std::io::Error),
    /// A thread of ours ended.
    #[error("a thread of the job panicked")]
    Panicked,
}
