//! What a comparison of transports measured. Draws no conclusion from it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::histogram::Histogram;
use crate::model::{Money, Propagation, Seed, words};

/// One bank and one piece of work, timed over several transports.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// What was run.
    pub subject: Subject,
    /// How customers asked.
    pub load: Load,
    /// What it ran on.
    pub machine: Machine,
    /// A row per transport, in the order of the ladder: each has all that the one before has, and
    /// something more.
    pub measured: Vec<Measured>,
    /// What it costs to encode and decode one request and its answer, on average and on one thread,
    /// with no transport under it.
    pub codec: Duration,
}

/// What was run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(expecting = "what was measured")]
pub struct Subject {
    /// The scenario's name.
    pub scenario: String,
    /// What the order of the rounds, and everything else, was drawn from.
    pub seed: Seed,
    /// How writes reached the other branches.
    pub propagation: Propagation,
    /// How many branches.
    pub branches: usize,
    /// How many customers at the same time; those who take turns count as one.
    pub customers: usize,
    /// How many requests it takes to run the scenario once, with all copies of its customers.
    pub requests: usize,
}

/// How customers asked.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "loop", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Load {
    /// Each customer asked again as soon as it had its answer.
    Closed,
    /// So many requests a second were due, all customers together, answered or not. A latency
    /// counts from when the request was due, so that a stall is not left out.
    Open {
        /// Requests per second.
        #[serde(rename = "requests_per_second")]
        rate: f64,
    },
}

/// What a comparison ran on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(expecting = "a machine")]
pub struct Machine {
    /// The operating system and the processor's architecture: `linux x86_64`.
    pub system: String,
    /// The processor's name, where the system says it.
    pub processor: Option<String>,
    /// How many threads run at the same time.
    pub threads: usize,
}

words! {
    /// What carries messages, from the bottom of the ladder to its top.
    #[derive(PartialOrd, Ord, Hash)]
    #[non_exhaustive]
    pub enum Transport {
        /// Actors in one thread send each other messages.
        Mailbox = "mailbox",
        /// gRPC over a connection in memory.
        GrpcMemory = "grpc-memory",
        /// gRPC over a Unix socket.
        GrpcUnix = "grpc-unix",
        /// gRPC over loopback TCP.
        GrpcTcp = "grpc-tcp",
        /// gRPC over loopback TCP, and each branch is a process of its own.
        Processes = "processes",
    }
}

/// What a request asks, or what branches do among themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// A deposit.
    Deposit,
    /// A withdrawal.
    Withdraw,
    /// A query.
    Query,
    /// From a write's being applied where it was accepted to its being applied at the last branch.
    Propagation,
}

/// The result of one transport.
#[derive(Debug, Clone)]
pub struct Measured {
    /// The transport.
    pub transport: Transport,
    /// The rounds in the order in which they were run; the warm-up is not among them.
    pub rounds: Vec<Round>,
    /// The latencies of all rounds together.
    pub latencies: Latencies,
    /// What each branch held in the end; the same everywhere, or there is no comparison.
    pub balance: Money,
}

/// Latencies in nanoseconds, per kind. Empty where a scenario has none, or a transport cannot tell.
#[derive(Debug, Clone, Default)]
pub struct Latencies {
    /// Of deposits.
    pub deposit: Histogram,
    /// Of withdrawals.
    pub withdraw: Histogram,
    /// Of queries.
    pub query: Histogram,
    /// Of propagation, from rounds of their own in which branches record each write. Empty for
    /// `processes`: nothing sees what happens in several of them without disturbing it.
    pub propagation: Histogram,
}

/// One round of one transport.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(expecting = "a round")]
pub struct Round {
    /// Its place among the rounds of all transports, from 0: rounds are shuffled.
    pub place: usize,
    /// How many requests were answered.
    pub requests: u64,
    /// How long that took, until every write was at every branch, in nanoseconds.
    pub elapsed_ns: u64,
    /// The mean latency of a request, in nanoseconds.
    pub mean_ns: f64,
    /// The median latency of a request, in nanoseconds.
    pub median_ns: u64,
    /// Processor time of all processes of the bank and its customers, in nanoseconds; `None` where
    /// the system does not tell, and under an open load: there customers wait by asking the clock.
    pub processor_ns: Option<u64>,
    /// How often a thread of these gave its processor up, or had to; `None` as above.
    pub context_switches: Option<u64>,
    /// Messages between customers and branches, and between branches: each request and its answer,
    /// each write for another branch and its acknowledgement. `None` where customers send writes
    /// again: it depends on when they do how many messages that makes.
    pub messages: Option<u64>,
    /// Bytes on all connections, both ways, as they are read and written there: HTTP/2 with all its
    /// frames, and not what TCP and IP add. `None` for `mailbox`, which has no connections, and for
    /// `processes`, where it is not counted what goes between the branches.
    pub bytes: Option<u64>,
}

impl Latencies {
    /// The latencies of `kind`.
    pub const fn of(&self, kind: Kind) -> &Histogram {
        match kind {
            Kind::Deposit => &self.deposit,
            Kind::Withdraw => &self.withdraw,
            Kind::Query => &self.query,
            Kind::Propagation => &self.propagation,
        }
    }
}
