//! A bank whose branches run elsewhere, as far as the classic contract says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, Handler, WrapFuture};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::classic_stub::{ClassicBranch, ReportedState};
use super::problem::CallProblem;
use crate::actors::{AwaitSettled, Settled};
use crate::model::{BranchId, CustomerId, EventId};

/// How long the branches are left alone before they are asked again whether they hold the same: the
/// contract has no call that says when they do.
const PAUSE: Duration = Duration::from_millis(20);

/// How long the branches may take to come to hold the same: longer than a write takes that is not
/// lost.
pub const SETTLE_LIMIT: Duration = Duration::from_secs(5);

/// All branches of a bank elsewhere. Cheap to copy.
#[derive(Debug, Clone)]
pub struct RemoteBank {
    branches: Vec<ClassicBranch>,
    customers: Vec<CustomerId>,
    /// How often waiting for them to settle was given up. Shared by all copies.
    unsettled: Arc<AtomicU64>,
}

/// How each branch stands, or why it does not say.
pub type Standings = BTreeMap<BranchId, Result<ReportedState, CallProblem>>;

impl RemoteBank {
    /// The bank of `branches`, asked about `customers`.
    pub fn new(branches: Vec<ClassicBranch>, customers: Vec<CustomerId>) -> Self {
        Self { branches, customers, unsettled: Arc::default() }
    }

    /// Its branches.
    pub fn branches(&self) -> &[ClassicBranch] {
        &self.branches
    }

    /// How each branch stands; all are asked at the same time.
    pub async fn standings(&self) -> Standings {
        let mut asked = JoinSet::new();
        for branch in &self.branches {
            let (branch, customers) = (branch.clone(), self.customers.clone());
            asked.spawn(async move { (branch.id(), branch.standing(&customers).await) });
        }
        asked.join_all().await.into_iter().collect()
    }

    /// Waits until all branches that tell hold the same writes of the customers, but not for ever.
    pub async fn settle(&self) {
        let settled = timeout(SETTLE_LIMIT, async {
            while !are_alike(&self.standings().await) {
                sleep(PAUSE).await;
            }
        });
        if settled.await.is_err() {
            self.unsettled.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often the branches had not settled when [`SETTLE_LIMIT`] was over.
    pub fn unsettled(&self) -> u64 {
        self.unsettled.load(Ordering::Relaxed)
    }
}

/// Whether all branches that tell hold the same writes, in whatever order.
fn are_alike(standings: &Standings) -> bool {
    let mut held = standings.values().flatten().map(|standing| {
        let writes = |(&customer, events): (&CustomerId, &Vec<EventId>)| {
            (customer, events.iter().copied().collect::<BTreeSet<_>>())
        };
        standing.write_sets.iter().map(writes).collect::<BTreeMap<_, _>>()
    });
    let first = held.next();
    held.all(|other| Some(other) == first)
}

impl Actor for RemoteBank {
    type Context = Context<Self>;
}

impl Handler<AwaitSettled> for RemoteBank {
    type Result = ();

    fn handle(&mut self, AwaitSettled { reply_to }: AwaitSettled, ctx: &mut Self::Context) {
        let bank = self.clone();
        let settled = async move {
            bank.settle().await;
            reply_to.send(Settled);
        };
        ctx.spawn(settled.into_actor(self));
    }
}
