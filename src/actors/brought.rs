//! What branches elsewhere bring by calls of their own, and who waits for an answer to it.

use std::collections::BTreeMap;

use super::{Deliver, Delivered, ReplyTo};
use crate::bank::{LifeList, PropagatedWrite};
use crate::model::{BranchId, Dot, Life, Roster};

/// What was brought and is not answered.
#[derive(Debug, Default)]
pub(super) struct Brought {
    /// Who waits, in place of a link, for a write from elsewhere to be acknowledged. Whoever brings
    /// one that can be applied has its answer in the same message; of the others there are no more
    /// than `Deliver::waiting_max` for each peer, whether they still wait or have given up.
    writes: BTreeMap<Dot, Vec<Waiting>>,
    /// Who asks what it lacks. A branch answers in the same message.
    question: Option<Question>,
    /// Writes that are taken when the branch serves: what its customers wrote before is to come
    /// before them, and may be missing here yet.
    held: Vec<Deliver>,
}

/// Whoever has brought a write from elsewhere, and waits for it to be acknowledged.
#[derive(Debug)]
struct Waiting {
    from: BranchId,
    /// In which of its lives.
    life: Life,
    reply_to: ReplyTo<Delivered>,
}

#[derive(Debug)]
struct Question {
    from: BranchId,
    reply_to: ReplyTo<Delivered>,
}

impl Brought {
    /// How many writes of `from` wait.
    pub(super) fn waiting(&self, from: BranchId) -> usize {
        let waiting = self.writes.values().flatten().filter(|waiting| waiting.from == from).count();
        waiting + self.held.iter().filter(|deliver| deliver.envelope.from == from).count()
    }

    /// Keeps a write until the branch serves.
    pub(super) fn hold(&mut self, deliver: Deliver) {
        self.held.push(deliver);
    }

    /// Takes out what was kept, in the order in which it came.
    pub(super) fn take_held(&mut self) -> Vec<Deliver> {
        std::mem::take(&mut self.held)
    }

    /// Makes `reply_to` wait for `write` of the branch `from`, which is in this life.
    pub(super) fn wait(
        &mut self,
        write: &PropagatedWrite,
        (from, life): (BranchId, Life),
        reply_to: ReplyTo<Delivered>,
    ) {
        let waiting = Waiting { from, life, reply_to };
        self.writes.entry(write.dot).or_default().push(waiting);
    }

    /// Whether somebody waits for the write.
    pub(super) fn awaits(&self, dot: Dot) -> bool {
        self.writes.contains_key(&dot)
    }

    /// Takes out all who wait for the write.
    pub(super) fn take_waiting(&mut self, dot: Dot) -> Vec<ReplyTo<Delivered>> {
        let waiting = self.writes.remove(&dot).unwrap_or_default();
        waiting.into_iter().map(|waiting| waiting.reply_to).collect()
    }

    /// The branch knows these lives now. What waits of ended ones, it has forgotten: takes out who has
    /// brought that.
    pub(super) fn take_ended(
        &mut self,
        lives: &LifeList,
        roster: &Roster,
    ) -> Vec<ReplyTo<Delivered>> {
        let newest = |branch| roster.index(branch).map(|index| lives.get(index, roster));
        let mut ended = Vec::new();
        self.writes.retain(|_, waiting| {
            let is_over = |waiting: &mut Waiting| Some(waiting.life) < newest(waiting.from);
            ended.extend(waiting.extract_if(.., is_over).map(|waiting| waiting.reply_to));
            !waiting.is_empty()
        });
        ended
    }

    /// The branch is asked what `from` lacks, and answers at once.
    pub(super) fn ask(&mut self, from: BranchId, reply_to: ReplyTo<Delivered>) {
        self.question = Some(Question { from, reply_to });
    }

    /// Whether `from` has just asked.
    pub(super) fn is_asked_by(&self, from: BranchId) -> bool {
        self.question.as_ref().is_some_and(|question| question.from == from)
    }

    /// Takes out whoever has just asked, if it has no answer yet.
    pub(super) fn take_question(&mut self) -> Option<ReplyTo<Delivered>> {
        self.question.take().map(|question| question.reply_to)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::oneshot;

    use super::*;
    use crate::actors::PeerEnvelope;
    use crate::actors::fixture::{TestBank, Way, amount, in_system};
    use crate::bank::{Branch, BranchConfig, Memory, PeerMessage, Start};
    use crate::model::{CustomerId, EventId, MessageNumber, Money, Sequence, Write, WriteId};

    /// The first write of branch 2 in its first life, for branch 1, and where the answer comes.
    fn brought(lives: [u64; 2], roster: &Roster) -> (Deliver, oneshot::Receiver<Delivered>) {
        let [to, from] = [1, 2].map(|id| BranchId::new(id).unwrap());
        let id = WriteId { customer: CustomerId::new(1).unwrap(), event: EventId::new(1).unwrap() };
        let (dot, write) = (Dot::first_life(from, Sequence::new(1)), Write::deposit(amount(100)));
        let write = PropagatedWrite { dot, id, write, dependencies: None };
        let (number, message) = (MessageNumber::default(), PeerMessage::Propagate(write));
        let lives = LifeList::from_lives(lives.map(Life::new), roster).unwrap();
        let (reply_to, answer) = oneshot::channel();
        let envelope = PeerEnvelope { from, to, number, lives, message };
        (Deliver { envelope, waiting_max: 1, reply_to: ReplyTo::Caller(reply_to) }, answer)
    }

    #[test]
    fn what_is_brought_to_a_branch_that_returns_waits_until_it_serves() {
        in_system(async {
            let begun = |life| {
                move |id, roster: Arc<Roster>| {
                    let (config, memory) = (BranchConfig::default(), Memory::default());
                    let start = Start::NewLife { life: Life::new(life), memory };
                    Branch::again(id, roster, Money::ZERO, config, start)
                }
            };
            let mut bank = TestBank::open(Way::Straight, 1, |id, roster| {
                Branch::new(id, roster, Money::ZERO, BranchConfig::default())
            });
            let roster = Roster::new([1, 2].map(|id| BranchId::new(id).unwrap())).unwrap();
            bank.begin_again(0, begun(7)).await;
            let (first, mut answer) = brought([7, 1], &roster);
            bank.bring(0, first).await;
            assert!(answer.try_recv().is_err(), "it waits");
            let (second, mut crowded) = brought([7, 1], &roster);
            bank.bring(0, second).await;
            assert!(matches!(crowded.try_recv(), Ok(Delivered::Crowded { waiting: 1 })));
            bank.hear_each_other().await;
            assert!(matches!(answer.try_recv(), Ok(Delivered::Applied { .. })));
            let (late, mut answer) = brought([1, 1], &roster);
            bank.bring(0, late).await;
            assert!(matches!(answer.try_recv(), Ok(Delivered::ThrownAway { .. })));
        });
    }
}
