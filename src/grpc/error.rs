//! Why a call was not answered as it wished. How that is told is said in `status`.

use std::time::Duration;

use thiserror::Error;

use super::convert::FieldError;
use super::server::ScenarioFault;
use super::token::TokenError;
use crate::actors::NoEventId;
use crate::model::{BranchId, RequestError, UnknownVersion, listed};

/// Why a call was not answered as it wished.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum CallError {
    /// A field does not say what it must.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The passbook cannot be used here.
    #[error("passbook: {0}")]
    Passbook(#[from] TokenError),
    /// A branch elsewhere is not answered as it wished.
    #[error(transparent)]
    Peer(#[from] PeerError),
    /// There is no such branch.
    #[error("no branch {branch}; there {}", there_are(branches))]
    UnknownBranch {
        /// What was asked for.
        branch: BranchId,
        /// What there is, ascending.
        branches: Vec<BranchId>,
    },
    /// It lives in another process of this bank.
    #[error(
        "branch {branch} is served elsewhere, by another process of this bank; here there {}",
        there_are(here)
    )]
    ServedElsewhere {
        /// What was asked for.
        branch: BranchId,
        /// What is served here, ascending.
        here: Vec<BranchId>,
    },
    /// The branch's own answer.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// Too many requests wait already.
    #[error("overloaded: {waiting} requests wait already; try again later")]
    Overloaded {
        /// How many there are.
        waiting: usize,
    },
    /// The answer was not there in time.
    #[error("no answer in {limit:?}; whether the request took effect is not known")]
    TimeOver {
        /// How long a call may take.
        limit: Duration,
    },
    /// The client has not sent its whole request in time.
    #[error("the request has not come whole in {limit:?}; nothing has taken effect")]
    HalfSent {
        /// How long it may take.
        limit: Duration,
    },
    /// Requests that have not come whole take too much memory.
    #[error(
        "requests that have not come whole take {limit_bytes} bytes already; send this one again \
         later, or in one piece"
    )]
    UnreadFull {
        /// How much they may take, all together.
        limit_bytes: usize,
    },
    /// The bank is closing.
    #[error("the bank is closing; nothing has taken effect")]
    Draining,
    /// One listener serves all branches, and the call does not say which one it is for.
    #[error("name the branch in the metadata key '{key}'")]
    NoBranchNamed {
        /// The key.
        key: &'static str,
    },
    /// A write came without an event id, and the customer has used the last one.
    #[error("event_id: this customer has used the highest one; no next one can be given")]
    NoEventIdLeft,
    /// No service of this name is served.
    #[error("no service {found:?}; there are {}", services.join(", "))]
    UnknownService {
        /// What was asked for.
        found: String,
        /// What there is.
        services: Vec<String>,
    },
    /// The service has no such method.
    #[error("{service} has no method {found:?}; it has {}", methods.join(", "))]
    UnknownMethod {
        /// The service.
        service: String,
        /// What was asked for.
        found: String,
        /// What there is.
        methods: Vec<String>,
    },
    /// The request is not the message that the method takes.
    #[error("the request cannot be read: {problem}")]
    Unreadable {
        /// What is wrong with it.
        problem: String,
    },
    /// The request is larger than this server takes.
    #[error("the message is too large; the limit is {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// A scenario is wrong, or its run failed.
    #[error(transparent)]
    Scenario(#[from] ScenarioFault),
    /// An actor stopped: a defect of this program.
    #[error("an actor stopped before it answered; whether the request took effect is not known")]
    ActorStopped,
}

impl From<NoEventId> for CallError {
    fn from(why: NoEventId) -> Self {
        match why {
            NoEventId::NoneLeft => Self::NoEventIdLeft,
            NoEventId::NotKnown(error) => error.into(),
        }
    }
}

/// Why a branch elsewhere is not answered as it wished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PeerError {
    /// It speaks another version of the peer service.
    #[error("branch {here} is called by {unknown}")]
    OtherVersion {
        /// The branch that is called.
        here: BranchId,
        /// The version, and what is spoken here.
        unknown: UnknownVersion,
    },
    /// It is of another bank.
    #[error("not of one bank: the branches or the opening balance differ")]
    OtherBank,
    /// It brings a write under a number that names another write here.
    #[error("branch {from} brings a write under a number that names another write here")]
    Conflict {
        /// The branch.
        from: BranchId,
    },
    /// It speaks the typed contract, or lives here, and brings nothing in the classic one.
    #[error("id: branch {from} brings its writes in another way; whoever this is, it is not that")]
    NotThatBranch {
        /// What it says it is.
        from: BranchId,
    },
    /// Whoever calls in its name is not believed to be it.
    #[error("not believed to be branch {branch}: {problem}")]
    NotAPeer {
        /// The branch.
        branch: BranchId,
        /// What the caller lacks.
        problem: PeerProblem,
    },
    /// Its process has started since it was last believed, and who is at its address is not known.
    #[error(
        "nobody answers as branch {branch} at the address that this branch has for it; a process that \
         has started is believed when it answers there"
    )]
    Unreached {
        /// The branch.
        branch: BranchId,
    },
    /// Another process answers at its address.
    #[error(
        "another process is branch {branch} already: the one at the address that --peer has for it"
    )]
    Twin {
        /// The branch.
        branch: BranchId,
    },
    /// Too many of its writes wait here for what they depend on.
    #[error("{waiting} writes of this branch wait here for others already; send it again later")]
    Crowded {
        /// How many there are.
        waiting: usize,
    },
}

/// What the caller that says to be a branch elsewhere lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PeerProblem {
    /// Its address is no peer's.
    #[error("no --peer here names it with the address that the call comes from")]
    Address,
    /// The proof.
    #[error("its proof is not of this bank's secret and name, or comes too late")]
    Proof,
    /// The ticket.
    #[error("the call bears no ticket that it got for its proof; prove it anew")]
    Ticket,
}

/// `is 1`, `are 1, 2`.
fn there_are(branches: &[BranchId]) -> String {
    let verb = if branches.len() == 1 { "is" } else { "are" };
    format!("{verb} {}", listed(branches.iter()))
}
