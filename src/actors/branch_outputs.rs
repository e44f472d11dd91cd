//! What a branch says: at once, or where it has a disk, when all is kept that it rests on.

use tokio::sync::oneshot;

use super::branch_shell::{BranchShell, InFlight};
use super::faulty::body;
use super::outbox::{Outbox, Output};
use super::time_source::Wakes;
use super::{
    Answer, Broadcast, Committed, Delivered, PeerEnvelope, ReplyTo, Said, Settled, Standing,
};
use crate::bank::{Acknowledgement, Applied, LifeList, PeerMessage, PropagatedWrite, Reply};
use crate::history::{Fact, MessageBody};
use crate::model::{BranchId, Life, LogPosition};

impl BranchShell {
    /// Says `output`, when all is kept that was to be kept before it.
    pub(super) fn put_out(&mut self, output: Output) {
        match self.holding() {
            Some(outbox) => outbox.hold(output),
            None => self.say(output),
        }
    }

    /// What it puts things into that it says later, if something is to be kept before.
    #[inline]
    pub(super) fn holding(&mut self) -> Option<&mut Outbox> {
        self.outbox.as_deref_mut().filter(|outbox| outbox.holds_back())
    }

    /// Whether something is to be kept before it says anything more.
    pub(super) fn holds_back(&self) -> bool {
        self.outbox.as_ref().is_some_and(|outbox| outbox.holds_back())
    }

    pub(super) fn say(&mut self, output: Output) {
        match output {
            Output::Reply(reply) => self.answer(reply),
            Output::Settled(ticket) => {
                if let Some(InFlight::Settling { reply_to }) = self.take_in_flight(ticket) {
                    reply_to.send(Settled);
                }
            }
            Output::Broadcast(write, lives) => self.broadcast(write, lives),
            Output::Send { to, message, lives } => self.send_out(to, message, lives),
            Output::Acknowledged { to, acknowledgement, waiting, lives } => {
                self.acknowledge_brought(to, acknowledgement, (waiting, &lives));
            }
            Output::Delivered(reply_to, delivered) => reply_to.send(delivered),
            Output::Applied(applied) => self.tell_applied(applied),
            Output::Told(kept) => {
                if kept.send(()).is_err() {
                    log::debug!("nobody waits for an answer any more");
                }
            }
        }
    }

    /// A commit is kept: what had to wait for it is said.
    pub(super) fn committed(&mut self, committed: Committed, _: &mut dyn Wakes) {
        if let Some(outbox) = &mut self.outbox {
            outbox.committed(committed);
        }
        while let Some(output) = self.outbox.as_mut().and_then(|outbox| outbox.take_due()) {
            self.say(output);
        }
    }

    /// `told` by the branch as it is now, when all is kept that it rests on.
    pub(super) fn when_kept<T>(&mut self, told: T) -> Said<T> {
        match self.holding() {
            Some(outbox) => {
                let (kept, is_kept) = oneshot::channel();
                outbox.hold(Output::Told(kept));
                Said::Later(told, is_kept)
            }
            None => Said::Now(told),
        }
    }

    /// Tells those who have brought something what became of it.
    pub(super) fn tell_bringers(
        &mut self,
        bringers: impl IntoIterator<Item = ReplyTo<Delivered>>,
        delivered: impl Fn() -> Delivered,
    ) {
        for reply_to in bringers {
            self.put_out(Output::Delivered(reply_to, delivered()));
        }
    }

    #[inline(always)]
    pub(super) fn answer(&mut self, reply: Reply) {
        let Reply { ticket, outcome, position, balance, entry } = reply;
        let Some(InFlight::Request { customer, request, reply_to, waited }) =
            self.take_in_flight(ticket)
        else {
            return;
        };
        let branch = self.branch.id();
        self.branch_context.recorder.record(|| {
            let outcome = outcome.clone();
            Fact::ReplySent { branch, customer, request, position, outcome }
        });
        reply_to.send(Answer { request, branch, outcome, position, balance, entry, waited });
    }

    pub(super) fn send(&mut self, to: BranchId, message: PeerMessage) {
        let lives = self.branch.lives().clone();
        match message {
            PeerMessage::Acknowledge(acknowledgement)
                if self.brought.awaits(acknowledgement.dot) =>
            {
                let waiting = self.brought.take_waiting(acknowledgement.dot);
                return self.put_out(Output::Acknowledged { to, acknowledgement, waiting, lives });
            }
            PeerMessage::Missed(missed) if self.brought.is_asked_by(to) => {
                if let Some(reply_to) = self.brought.take_question() {
                    let answered = Delivered::Answered { missed, lives };
                    self.put_out(Output::Delivered(reply_to, answered));
                }
                return;
            }
            // Whoever brought it waits for an answer, and got it.
            PeerMessage::Taken(_) => return,
            PeerMessage::Propagate(_)
            | PeerMessage::Acknowledge(_)
            | PeerMessage::CatchUp(_)
            | PeerMessage::Missed(_) => {}
        }
        match self.holding() {
            Some(outbox) => outbox.hold(Output::Send { to, message, lives }),
            None => self.send_out(to, message, lives),
        }
    }

    #[inline(always)]
    pub(super) fn tell_applied(&mut self, applied: Applied) {
        self.record_applied(applied);
        self.tell_watchers(applied.position);
        if let Some(outbox) = &mut self.outbox {
            outbox.tell_applied(applied.position);
        }
    }

    #[inline(always)]
    fn send_out(&mut self, to: BranchId, message: PeerMessage, lives: LifeList) {
        self.sent = self.sent.next();
        let (from, number) = (self.branch.id(), self.sent);
        let body = || body(&message);
        self.record_message(|| Fact::MessageSent { from, to, number, body: body() });
        let envelope = PeerEnvelope { from, to, number, lives, message };
        self.branch_context.peers.send(envelope);
    }

    #[inline(always)]
    pub(super) fn broadcast(&mut self, write: PropagatedWrite, lives: LifeList) {
        let (from, first) = (self.branch.id(), self.sent.next());
        for &to in self.branch_context.peers.roster.ids().iter().filter(|&&to| to != from) {
            self.sent = self.sent.next();
            let (number, body) = (self.sent, MessageBody::Propagate { id: write.id });
            self.record_message(|| Fact::MessageSent { from, to, number, body });
        }
        self.branch_context.peers.broadcast(Broadcast { from, first, lives, write });
    }

    fn acknowledge_brought(
        &mut self,
        to: BranchId,
        acknowledgement: Acknowledgement,
        (waiting, lives): (Vec<ReplyTo<Delivered>>, &LifeList),
    ) {
        let (from, body) = (self.branch.id(), body(&PeerMessage::Acknowledge(acknowledgement)));
        for reply_to in waiting {
            self.sent = self.sent.next();
            let number = self.sent;
            self.record_message(|| Fact::MessageSent { from, to, number, body });
            let lives = lives.clone();
            reply_to.send(Delivered::Applied { acknowledgement, number, lives });
        }
    }

    fn tell_watchers(&self, position: LogPosition) {
        if let Some(applied) = &self.applied {
            // They may all have gone.
            applied.send_replace(position);
        }
    }

    #[inline(always)]
    fn record_applied(&self, applied: Applied) {
        let Applied { dot, id, write, position, balance } = applied;
        self.branch_context.recorder.record(|| Fact::WriteApplied {
            branch: self.branch.id(),
            id,
            write,
            origin: dot.origin,
            life: (dot.life != Life::FIRST).then_some(dot.life),
            sequence: dot.sequence,
            position,
            balance,
        });
    }

    pub(super) fn tell_standing(&self, standing: Standing) {
        let told = self.branch_context.standing.as_ref().map(|told| told.send(standing));
        if !matches!(told, Some(Ok(()))) {
            log::debug!("nobody wants to know that {standing:?}");
        }
    }

    #[inline(always)]
    pub(super) fn record_message(&self, fact: impl FnOnce() -> Fact) {
        self.branch_context.recorder.record_detail(fact);
    }

    pub(super) fn tell_conflict(&mut self, write: &PropagatedWrite) {
        log::error!(
            "branch {} got {} as number {} of branch {}, which names another write here: two \
             processes are that branch",
            self.branch.id(),
            write.id,
            write.dot.sequence,
            write.dot.origin,
        );
        let waiting = self.brought.take_waiting(write.dot);
        self.tell_bringers(waiting, || Delivered::Conflicts);
    }
}
