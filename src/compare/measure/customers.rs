//! Customers who reach their bank over gRPC: each worker a task of its own, with the passbooks as
//! they came.

use std::ops::Range;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::bank::unanswered;
use super::schedule::{now, until};
use super::virtual_client::{Failure, Samples, Turn, VirtualClient};
use super::work::{Work, Worker};
use super::{CompareError, Transport, Unanswered};
use crate::grpc::{Channel, TypedReply, TypedStub};
use crate::model::Guarantees;

/// All workers of a bank.
pub(super) struct Customers {
    transport: Transport,
    work: Arc<Work>,
    workers: Vec<LaneTask>,
}

/// One worker between two walks.
struct LaneTask {
    /// One per branch.
    counters: Vec<TypedStub>,
    /// One per customer; `None` before its first answer, and for ever where nothing is promised.
    passbooks: Vec<Option<Vec<u8>>>,
}

impl Customers {
    /// The customers of `work`, who reach each branch through its channel in `channels`.
    pub(super) fn arrive(transport: Transport, work: &Arc<Work>, channels: &[Channel]) -> Self {
        let counters: Vec<TypedStub> = channels.iter().cloned().map(TypedStub::new).collect();
        let worker = |worker: &Worker| LaneTask {
            counters: counters.clone(),
            passbooks: vec![None; worker.customers.len()],
        };
        let workers = work.workers.iter().map(worker).collect();
        Self { transport, work: Arc::clone(work), workers }
    }

    pub(super) async fn walk(&mut self, span: Range<u32>) -> Result<Vec<Samples>, CompareError> {
        let mut under_way = JoinSet::new();
        let start = now();
        for (place, mut worker) in self.workers.drain(..).enumerate() {
            let walk = VirtualClient::new(&self.work, place, span.clone(), start);
            under_way.spawn(async move {
                let samples = worker.walk(walk).await;
                (place, worker, samples)
            });
        }
        let mut back = Vec::with_capacity(under_way.len());
        while let Some(ended) = under_way.join_next().await {
            let (place, worker, samples) =
                ended.map_err(|_| CompareError::BankEnded(self.transport))?;
            let samples = samples.map_err(|failure| unanswered(self.transport, failure))?;
            back.push((place, worker, samples));
        }
        back.sort_by_key(|&(place, ..)| place);
        let (workers, samples) =
            back.into_iter().map(|(_, worker, samples)| (worker, samples)).unzip();
        self.workers = workers;
        Ok(samples)
    }
}

impl LaneTask {
    async fn walk(&mut self, mut walk: VirtualClient) -> Result<Samples, Failure> {
        while let Some(Turn { step, customer, event }) = walk.turn() {
            let (who, branch) = (step.who, step.branch.get());
            if let Some(due) = walk.due() {
                until(due).await;
            }
            let shown = self.passbooks[who].clone();
            let answer = self.counters[branch].ask(customer.id, event, shown).await;
            let TypedReply { outcome, passbook } =
                answer.map_err(|status| walk.failure(Unanswered::Status(Box::new(status))))?;
            walk.answered(&outcome)?;
            // Who is promised nothing shows none.
            if customer.guarantees != Guarantees::NONE && passbook.is_some() {
                self.passbooks[who] = passbook;
            }
        }
        Ok(walk.finish())
    }
}
