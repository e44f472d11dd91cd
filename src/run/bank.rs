//! One bank put together: its branches are opened, waited for until they are settled, and counted.

use std::rc::Rc;
use std::sync::Arc;

use actix::{Addr, AsyncContext, Context, Recipient};
use tokio::sync::oneshot;

use crate::actors::{
    AwaitSettled, BranchActor, BranchContext, Peers, RecorderLink, ReplyTo, Summarize,
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

/// A branch actor, or another that a branch here runs beside, has stopped.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopped;

impl BankSetup<'_> {
    /// Starts the branches `here`. `peers` says how one of them reaches all others; it is given its
    /// address, and those of all that live here.
    pub(crate) fn open(
        &self,
        here: impl IntoIterator<Item = BranchId>,
        mut peers: impl FnMut(BranchId, &Addr<BranchActor>, &[Addr<BranchActor>]) -> Peers,
    ) -> Vec<Addr<BranchActor>> {
        let contexts: Vec<(BranchId, Context<BranchActor>)> =
            here.into_iter().map(|id| (id, Context::new())).collect();
        let addresses: Vec<_> = contexts.iter().map(|(_, context)| context.address()).collect();
        for ((id, context), address) in contexts.into_iter().zip(&addresses) {
            let peers = peers(id, address, &addresses);
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
        let (mut connect, mut shared) = (Some(connect), None);
        self.open(self.roster.ids().iter().copied(), |_, _, branches| {
            if let Some(connect) = connect.take() {
                let links: Rc<[Recipient<_>]> =
                    branches.iter().map(|branch| branch.clone().recipient()).collect();
                shared = Some(connect(Peers { roster: Arc::clone(self.roster), links }));
            }
            shared.clone().expect("made for the first branch")
        })
    }
}

/// Waits until every write that `branches` have accepted is applied everywhere.
pub(crate) async fn settle(
    branches: impl IntoIterator<Item = &Addr<BranchActor>>,
) -> Result<(), Stopped> {
    // All are asked before the first answer is awaited.
    let ask = |branch: &Addr<BranchActor>| {
        let (reply_to, settled) = oneshot::channel();
        branch.do_send(AwaitSettled { reply_to: ReplyTo::Caller(reply_to) });
        settled
    };
    let settling: Vec<_> = branches.into_iter().map(ask).collect();
    for settled in settling {
        settled.await.map_err(|_| Stopped)?;
    }
    Ok(())
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
