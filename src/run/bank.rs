//! One bank put together: its branches are opened, waited for until they are settled, and closed.

use std::rc::Rc;
use std::sync::Arc;

use actix::{Actor, Addr, AsyncContext, Context};
use tokio::sync::oneshot;

use super::options::RunError;
use super::result::BranchResult;
use crate::actors::{
    AwaitSettled, BranchActor, BranchContext, BranchState, BranchSummary, Close, Network,
    NetworkSetup, Peers, RecorderLink, ReplyTo, Settled, Summarize, TimeSource,
};
use crate::bank::{Branch, BranchConfig};
use crate::model::{BranchId, Money, Roster, Seed};
use crate::network::LinkLatencies;

/// What the branches of a bank have in common.
pub(crate) struct BankSetup<'a> {
    pub(crate) roster: &'a Arc<Roster>,
    pub(crate) opening_balance: Money,
    pub(crate) branch: BranchConfig,
    pub(crate) recorder: &'a RecorderLink,
}

/// How many branches hand over their logs at a time: each takes memory until it is known to be the
/// same as the one before.
const CLOSING_AT_ONCE: usize = 2;

/// A branch actor has stopped.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopped;

impl From<Stopped> for RunError {
    fn from(Stopped: Stopped) -> Self {
        Self::ActorStopped
    }
}

impl BankSetup<'_> {
    /// Starts the branches `here`. `peers` is given the addresses of all of them, and says of each how
    /// it reaches the others.
    pub(crate) fn open<F>(
        &self,
        here: impl IntoIterator<Item = BranchId>,
        peers: impl FnOnce(&[Addr<BranchActor>]) -> F,
    ) -> Vec<Addr<BranchActor>>
    where
        F: FnMut(BranchId, &Addr<BranchActor>) -> Peers,
    {
        let contexts: Vec<(BranchId, Context<BranchActor>)> =
            here.into_iter().map(|id| (id, Context::new())).collect();
        let addresses: Vec<_> = contexts.iter().map(|(_, context)| context.address()).collect();
        let mut peers = peers(&addresses);
        for ((id, context), address) in contexts.into_iter().zip(&addresses) {
            let peers = peers(id, address);
            let branch_context = BranchContext { peers, recorder: self.recorder.clone() };
            let roster = Arc::clone(self.roster);
            let branch = Branch::new(id, roster, self.opening_balance, self.branch);
            context.run(BranchActor::new(branch, branch_context));
        }
        addresses
    }

    /// Starts all branches, each of which reaches the others through what `connect` makes of their
    /// mailboxes.
    pub(crate) fn open_all(&self, connect: impl FnOnce(Peers) -> Peers) -> Vec<Addr<BranchActor>> {
        self.open(self.roster.ids().iter().copied(), |branches| {
            let links = branches.iter().map(|branch| branch.clone().recipient());
            let links = links.collect::<Rc<[_]>>();
            let peers = connect(Peers { roster: Arc::clone(self.roster), links });
            move |_, _| peers.clone()
        })
    }
}

/// How long messages between branches take.
#[derive(Debug, Clone, Copy)]
pub(super) struct LinkDelays<'a> {
    pub(super) latencies: &'a LinkLatencies,
    pub(super) seed: Seed,
}

impl LinkDelays<'_> {
    /// What stands before `mailboxes`: nothing, or a network that takes its time.
    pub(super) fn connect(self, mailboxes: Peers, clock: TimeSource) -> Peers {
        if self.latencies.is_none() {
            return mailboxes;
        }
        let (latencies, seed) = (self.latencies.clone(), self.seed);
        let roster = Arc::clone(&mailboxes.roster);
        let network = Network::new(NetworkSetup { latencies, seed, mailboxes, clock });
        let network = network.start().recipient();
        Peers { links: roster.ids().iter().map(|_| network.clone()).collect(), roster }
    }
}

/// Waits until every write that `branches` have accepted is applied everywhere. An error as soon as
/// one turns out to have stopped.
pub(crate) async fn settle(
    branches: impl IntoIterator<Item = &Addr<BranchActor>>,
) -> Result<(), Stopped> {
    for settled in settling(branches) {
        settled.await.map_err(|_| Stopped)?;
    }
    Ok(())
}

/// Asks each of `branches` to say when every write that it has accepted is applied everywhere. All
/// are asked before the first answer is awaited.
pub(super) fn settling<'a>(
    branches: impl IntoIterator<Item = &'a Addr<BranchActor>>,
) -> Vec<oneshot::Receiver<Settled>> {
    let ask = |branch: &Addr<BranchActor>| {
        let (reply_to, settled) = oneshot::channel();
        branch.do_send(AwaitSettled { reply_to: ReplyTo::Caller(reply_to) });
        settled
    };
    branches.into_iter().map(ask).collect()
}

/// A branch's balance when the bank closed; `None` where that is out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FinalBalance {
    /// The branch.
    pub branch: BranchId,
    /// Its balance.
    pub balance: Option<Money>,
}

/// What each of `branches` holds.
pub(crate) async fn balances(
    branches: impl IntoIterator<Item = &Addr<BranchActor>>,
) -> Result<Vec<FinalBalance>, Stopped> {
    let mut balances = Vec::new();
    for branch in branches {
        let BranchSummary { id, balance, .. } =
            branch.send(Summarize).await.map_err(|_| Stopped)?;
        balances.push(FinalBalance { branch: id, balance });
    }
    Ok(balances)
}

/// Ends `branches`: their balances and their logs.
pub(super) async fn close(branches: &[Addr<BranchActor>]) -> Result<Vec<BranchResult>, RunError> {
    let mut results: Vec<BranchResult> = Vec::with_capacity(branches.len());
    for some in branches.chunks(CLOSING_AT_ONCE) {
        let closing: Vec<_> = some.iter().map(|branch| branch.send(Close)).collect();
        for state in closing {
            let result = branch_result(state.await.map_err(|_| Stopped)?, results.last())?;
            results.push(result);
        }
    }
    Ok(results)
}

/// The result of one branch; with the log of the one `before`, where it is the same.
fn branch_result(
    state: BranchState,
    before: Option<&BranchResult>,
) -> Result<BranchResult, RunError> {
    let BranchState { summary: BranchSummary { id, balance, .. }, log } = state;
    let balance = balance.ok_or(RunError::BalanceOutOfRange { branch: id })?;
    let log = match before {
        Some(before) if *before.log == log => Arc::clone(&before.log),
        Some(_) | None => Arc::new(log),
    };
    Ok(BranchResult { id, balance, log })
}
