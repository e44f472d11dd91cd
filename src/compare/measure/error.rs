//! Why a comparison has no result.

use std::io;
use std::time::Duration;

use thiserror::Error;
use tonic::Status;

use super::Transport;
use crate::grpc::BranchListenerError;
use crate::grpc::seal::NoRandomness;
use crate::model::{BranchId, CustomerId, Event, Money, RequestError};

/// Why transports could not be compared.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CompareError {
    /// Nothing to compare.
    #[error("no transport is named; name some of {}", names())]
    NoTransports,
    /// No round.
    #[error("a comparison has at least one round")]
    NoRounds,
    /// No customer.
    #[error("there is at least one copy of the customers")]
    NoCopies,
    /// The scenario's customers ask nothing.
    #[error("the scenario's customers ask nothing, so that there is nothing to time")]
    NoRequests,
    /// There is nothing to seal passbooks with.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// No such rate.
    #[error("a rate is more than 0 and at most {max} requests a second, found {found}")]
    Rate {
        /// As it was given.
        found: f64,
        /// The highest.
        max: f64,
    },
    /// Copies of customers, or repetitions of their events, bear ids that no contract can carry.
    #[error("{what} would pass {max}, the highest id there is; use lower ids or fewer copies", max = i32::MAX)]
    Ids {
        /// Which ids.
        what: &'static str,
    },
    /// More of something than a comparison may have.
    #[error("{found} {what} are too many to compare; the most is {max}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there would be.
        found: usize,
        /// How many there may be.
        max: usize,
    },
    /// Queries that wait for propagation.
    #[error(
        "queries wait for propagation here, which no wire contract can ask for; leave that out of the scenario, or use sync propagation"
    )]
    QueriesWait,
    /// Things that go wrong on purpose.
    #[error(
        "the scenario lets things go wrong on purpose, which no transport of a comparison does; leave `rates`, `nemesis` and `faults` out of it"
    )]
    Faults,
    /// Nobody said which program serves a branch.
    #[error("no program is named that serves a branch as a process of its own")]
    NoProgram,
    /// The runtime could not be had, or a thread.
    #[error("cannot start a runtime for the bank or its customers")]
    Runtime(#[source] io::Error),
    /// A branch cannot be listened at.
    #[error(transparent)]
    BranchListener(#[from] BranchListenerError),
    /// The folder for Unix sockets cannot be made.
    #[error("cannot make a folder for sockets in {}: {source}; TMPDIR says where", std::env::temp_dir().display())]
    Folder {
        /// Why not.
        source: io::Error,
    },
    /// A process does not serve its branch.
    #[error("the process of branch {branch} does not serve: {problem}")]
    Process {
        /// The branch.
        branch: BranchId,
        /// Why not.
        problem: ProcessProblem,
    },
    /// A customer has no answer that says what became of its request.
    #[error("{}: customer {customer} asked branch {} for {} (event {}): {problem}", transport.word(), event.branch, event.operation, event.id)]
    Unanswered {
        /// Over which transport.
        transport: Transport,
        /// Who asked.
        customer: CustomerId,
        /// What.
        event: Event,
        /// What came instead.
        problem: Unanswered,
    },
    /// A branch cannot be asked how it stands.
    #[error("{}: branch {branch} does not say how it stands: {source}", transport.word())]
    NoState {
        /// Over which transport.
        transport: Transport,
        /// The branch.
        branch: BranchId,
        /// What came instead.
        source: Box<Status>,
    },
    /// Writes are still not everywhere.
    #[error("{}: some branch still misses writes {limit:?} after the last answer", transport.word())]
    Unsettled {
        /// Over which transport.
        transport: Transport,
        /// How long they had.
        limit: Duration,
    },
    /// A branch holds something else than was paid in: a defect of this program.
    #[error("{}: branch {branch} holds {}, and must hold {} after what its customers were told", transport.word(), balance(*found), balance(*expected))]
    Balance {
        /// Over which transport.
        transport: Transport,
        /// The branch.
        branch: BranchId,
        /// The opening balance and all that was paid in and out; `None`: out of range.
        expected: Option<Money>,
        /// What it holds; `None`: out of range.
        found: Option<Money>,
    },
    /// Two transports give a customer different answers: a defect of this program.
    #[error("{} answers {found} where {} answers {expected}", transport.word(), other.word())]
    Answers {
        /// One transport.
        transport: Transport,
        /// Its answer to the first request where they differ, as a row of output.
        found: String,
        /// Another transport.
        other: Transport,
        /// Its answer.
        expected: String,
    },
    /// The comparison was stopped.
    #[error("stopped before all rounds were run; nothing is told of those that were")]
    Stopped,
    /// A thread or an actor ended before its work was done: a defect of this program.
    #[error("{}: the bank ended before its work was done", .0.word())]
    BankEnded(Transport),
}

/// What came instead of an answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Unanswered {
    /// An error that says nothing of the request.
    #[error("{0}")]
    Status(Box<Status>),
    /// An answer that a bank in order never gives.
    #[error("{0}")]
    Request(RequestError),
}

/// Why a process does not serve.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProcessProblem {
    /// It cannot be started.
    #[error("cannot start it: {0}")]
    Start(#[source] io::Error),
    /// It ended before it served.
    #[error("it ended and said: {told}")]
    Ended {
        /// What it wrote to standard error.
        told: String,
    },
    /// It is silent.
    #[error("it did not say that it is ready within {limit:?}")]
    Silent {
        /// How long it had.
        limit: Duration,
    },
    /// No ports.
    #[error("no loopback port is free for it")]
    NoPort,
}

fn balance(balance: Option<Money>) -> String {
    balance.map_or_else(|| "more than a balance can be".to_owned(), |balance| balance.to_string())
}

fn names() -> String {
    Transport::ALL.map(Transport::word).join(", ")
}
