//! Serving a bank behind gRPC until it is told to close.

use std::sync::Arc;
use std::time::Duration;

use actix::System;
use thiserror::Error;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::bank::{FinalBalance, Stopped};
use super::live::{LiveBank, LiveOptions};
use super::watcher::BankFailure;
use crate::bank::EndOfLife;
use crate::grpc::{EdgeError, LimitTeller, Limits, Listener, Origin, Scenarios, Services};
use crate::model::BranchId;
use crate::network::FaultCounts;
use crate::storage::KeptBranch;

/// How long calls under way may take to end by themselves when the bank closes, and what it has
/// accepted to be confirmed everywhere. Then each request that still waits is answered.
const DRAIN_LIMIT: Duration = Duration::from_millis(1500);

/// How long those answers may take to reach their clients. A client that does not read, and an open
/// stream, would hold the bank for ever.
const ANSWER_LIMIT: Duration = Duration::from_millis(500);

/// How often the log says which limits were hit.
const MINUTE: Duration = Duration::from_secs(60);

/// What is served.
pub struct ServeOptions {
    /// The bank.
    pub bank: LiveOptions,
    /// The branches that have a file: all that live here, or none.
    pub kept: Vec<KeptBranch>,
    /// Where, bound already.
    pub listeners: Vec<Listener>,
    /// Who runs scenarios that come in a call.
    pub scenarios: Scenarios,
    /// What clients may ask, at most.
    pub limits: Limits,
    /// Which pages in a browser may call.
    pub origins: Arc<[Origin]>,
}

impl std::fmt::Debug for ServeOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServeOptions")
            .field("bank", &self.bank)
            .field("listeners", &self.listeners)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Why serving ended before it was told to.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// A server failed.
    #[error(transparent)]
    Edge(#[from] EdgeError),
    /// A peer cannot do what this bank needs.
    #[error(
        "branch {peer} speaks the classic contract, which cannot carry async propagation; use \
         --propagation sync"
    )]
    ClassicPeer {
        /// The branch.
        peer: BranchId,
    },
    /// Another process serves a branch that is served here.
    #[error(
        "branch {branch} is another process, the one at the address that branch {found_by} has for it; \
         this one ends"
    )]
    Twin {
        /// The branch.
        branch: BranchId,
        /// Who says so.
        found_by: BranchId,
    },
    /// Another one is a branch that was served here.
    #[error("branch {branch} is another process now: {end}; this one ends")]
    Ended {
        /// The branch.
        branch: BranchId,
        /// Why.
        end: EndOfLife,
    },
    /// What a branch wants kept cannot be kept. Nothing that rests on it was said.
    #[error(
        "the disk of branch {branch} fails, and nothing can be promised any more: {reason}; this one ends"
    )]
    Disk {
        /// The branch.
        branch: BranchId,
        /// Why.
        reason: String,
    },
    /// A server ended, for no known reason: a defect of this program.
    #[error("a server stopped before it was told to")]
    Stopped,
    /// A branch ended, and what it held is lost: a defect of this program.
    #[error("a branch stopped before it was told to, and what it held is lost")]
    BranchStopped,
}

impl From<BankFailure> for ServeError {
    fn from(failure: BankFailure) -> Self {
        match failure {
            BankFailure::ClassicPeer(peer) => Self::ClassicPeer { peer },
            BankFailure::Twin { branch, found_by } => Self::Twin { branch, found_by },
            BankFailure::Ended { branch, end } => Self::Ended { branch, end },
            BankFailure::Disk { branch, reason } => Self::Disk { branch, reason },
        }
    }
}

/// How a bank closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// What each branch here holds.
    pub balances: Vec<FinalBalance>,
    /// How many requests were turned away because too much was waiting or on its way.
    pub turned_away: u64,
    /// How often each kind of fault struck, where any was asked for.
    pub struck: Option<FaultCounts>,
}

/// Serves until `closing` ends, then lets calls and propagation under way end, and says what the
/// branches hold.
pub fn serve(
    options: ServeOptions,
    closing: impl Future<Output = ()>,
) -> Result<Closing, ServeError> {
    System::new().block_on(async {
        let ServeOptions { bank, kept, listeners, scenarios, limits, origins } = options;
        let bank = LiveBank::open(&bank, kept);
        let services = Services { gateway: bank.gateway().clone(), scenarios, limits, origins };
        let warn = |line: &str| log::warn!("{line}");
        let mut limits_hit = LimitTeller::new(bank.gateway().clone(), warn);
        let close = CancellationToken::new();
        let mut servers = JoinSet::new();
        for listener in listeners {
            let (services, closed) = (services.clone(), close.clone().cancelled_owned());
            servers.spawn_local(async move { services.serve(listener, closed).await });
        }
        let told = tokio::select! {
            biased;
            () = closing => Ok(()),
            failure = bank.failure() => Err(failure.into()),
            never = limits_hit.tell_each(MINUTE) => match never {},
            ended = servers.join_next() => Err(match ended {
                Some(Ok(Err(error))) => error.into(),
                Some(Ok(Ok(())) | Err(_)) | None => ServeError::Stopped,
            }),
        };
        let closed = async {
            bank.drain();
            bank.clear_up();
            close.cancel();
            end_calls(&mut servers, &bank).await;
            limits_hit.tell().await;
            told?;
            bank.balances().await.map_err(|Stopped| ServeError::BranchStopped)
        };
        let balances = tokio::select! {
            biased;
            // What waits for a disk that has failed waits for ever.
            end = bank.end() => return Err(end.into()),
            balances = closed => balances?,
        };
        let (turned_away, struck) = (bank.gateway().turned_away(), bank.struck());
        Ok(Closing { balances, turned_away, struck })
    })
}

/// Lets calls and propagation under way end. Who waits for longer than that is answered all the
/// same before its connection closes: a write that is applied must not look like one that was not
/// done.
async fn end_calls(servers: &mut JoinSet<Result<(), EdgeError>>, bank: &LiveBank) {
    let by_themselves = async {
        while servers.join_next().await.is_some() {}
        // In memory, what has gone nowhere else by now is lost.
        bank.settle().await;
    };
    if tokio::time::timeout(DRAIN_LIMIT, by_themselves).await.is_ok() {
        return;
    }
    log::warn!("closing with calls still under way, or writes that some branch has not got");
    bank.answer_all().await;
    let answered = async { while servers.join_next().await.is_some() {} };
    if tokio::time::timeout(ANSWER_LIMIT, answered).await.is_err() {
        log::warn!(
            "closing with clients that do not read their answers, or do not end their calls"
        );
    }
}
