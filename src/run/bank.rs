//! One bank put together: its branches are opened, waited for until they are settled, and counted.

use std::rc::Rc;
use std::sync::Arc;

use actix::{Addr, AsyncContext, Context};
use tokio::sync::oneshot;

use crate::actors::{
    AwaitSettled, BranchActor, BranchContext, Peers, RecorderLink, ReplyTo, Settled, Summarize,
};
use crate::bank::{Branch, BranchConfig};
use crate::model::{BranchId, Money, Roster};

/// What the branches of a bank have in common.
pub(crate) struct BankSetup<'a> {
    pub(crate) roster: &'a Arc<Roster>,
    pub(crate) opening_balance: Money,
    pub(crate) branch: BranchConfig,
    pub(crate) recorder: &'a RecorderLink,
}

/// A branch actor has stopped.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopped;

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

/// What each of `branches` holds; no balance where it is out of range.
pub(crate) async fn balances(
    branches: impl IntoIterator<Item = &Addr<BranchActor>>,
) -> Result<Vec<(BranchId, Option<Money>)>, Stopped> {
    let mut balances = Vec::new();
    for branch in branches {
        let summary = branch.send(Summarize).await.map_err(|_| Stopped)?;
        balances.push((summary.id, summary.balance));
    }
    Ok(balances)
}
