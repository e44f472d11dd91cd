//! Customers who reach their bank over gRPC: each lane a task of its own, with the passbooks as they
//! came.

use std::ops::Range;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::bank::unanswered;
use super::schedule::{now, until};
use super::virtual_client::{Taken, Trouble, Turn, Walk};
use super::work::{Lane, Work};
use super::{CompareError, Transport, Unanswered};
use crate::grpc::{Channel, TypedCounter, TypedReply};
use crate::model::Guarantees;

/// All lanes of a bank.
pub(super) struct Customers {
    transport: Transport,
    work: Arc<Work>,
    lanes: Vec<LaneTask>,
}

/// One lane between two walks.
struct LaneTask {
    /// One per branch.
    counters: Vec<TypedCounter>,
    /// One per customer; `None` before its first answer, and for ever where nothing is promised.
    passbooks: Vec<Option<Vec<u8>>>,
}

impl Customers {
    /// The customers of `work`, who reach each branch through its channel in `channels`.
    pub(super) fn arrive(transport: Transport, work: &Arc<Work>, channels: &[Channel]) -> Self {
        let counters: Vec<TypedCounter> = channels.iter().cloned().map(TypedCounter::new).collect();
        let lane = |lane: &Lane| LaneTask {
            counters: counters.clone(),
            passbooks: vec![None; lane.customers.len()],
        };
        let lanes = work.lanes.iter().map(lane).collect();
        Self { transport, work: Arc::clone(work), lanes }
    }

    pub(super) async fn walk(&mut self, span: Range<u32>) -> Result<Vec<Taken>, CompareError> {
        let mut under_way = JoinSet::new();
        let start = now();
        for (place, mut lane) in self.lanes.drain(..).enumerate() {
            let walk = Walk::new(&self.work, place, span.clone(), start);
            under_way.spawn(async move {
                let taken = lane.walk(walk).await;
                (place, lane, taken)
            });
        }
        let mut back = Vec::with_capacity(under_way.len());
        while let Some(ended) = under_way.join_next().await {
            let (place, lane, taken) =
                ended.map_err(|_| CompareError::BankEnded(self.transport))?;
            let taken = taken.map_err(|trouble| unanswered(self.transport, trouble))?;
            back.push((place, lane, taken));
        }
        back.sort_by_key(|&(place, ..)| place);
        let (lanes, taken) = back.into_iter().map(|(_, lane, taken)| (lane, taken)).unzip();
        self.lanes = lanes;
        Ok(taken)
    }
}

impl LaneTask {
    async fn walk(&mut self, mut walk: Walk) -> Result<Taken, Trouble> {
        while let Some(Turn { step, customer, event }) = walk.turn() {
            let (who, branch) = (step.who, step.branch.get());
            if let Some(due) = walk.due() {
                until(due).await;
            }
            let shown = self.passbooks[who].clone();
            let answer = self.counters[branch].ask(customer.id, event, shown).await;
            let TypedReply { outcome, passbook } =
                answer.map_err(|status| walk.trouble(Unanswered::Status(Box::new(status))))?;
            walk.answered(&outcome)?;
            // Who is promised nothing shows none.
            if customer.guarantees != Guarantees::NONE && passbook.is_some() {
                self.passbooks[who] = passbook;
            }
        }
        Ok(walk.finish())
    }
}
