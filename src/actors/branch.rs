//! The branch actor: hands messages to the pure branch and does what that wants done.

use std::collections::BTreeMap;

use actix::{Actor, AsyncContext, Context, Handler, MessageResult};

use super::{
    Answer, Ask, AwaitSettled, BranchState, Inspect, PeerEnvelope, Peers, RecorderLink, ReplyTo,
    Settled,
};
use crate::bank::{Applied, Branch, Effect, Input, PeerMessage, Reply, Request, Ticket};
use crate::history::{Fact, MessageBody};
use crate::model::{BranchId, CustomerId, MessageNumber, RequestNumber, Time};

/// One branch of the bank, with its mailbox.
#[derive(Debug)]
pub struct BranchActor {
    branch: Branch,
    surroundings: Surroundings,
    in_flight: BTreeMap<Ticket, InFlight>,
    tickets: u64,
    sent: MessageNumber,
    /// Kept between messages to spare an allocation each.
    effects: Vec<Effect>,
    armed: Option<Time>,
}

/// What an actor reaches beyond itself.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The other branches.
    pub peers: Peers,
    /// The recorder and the clock.
    pub recorder: RecorderLink,
}

/// Who waits for an answer.
#[derive(Debug)]
enum InFlight {
    Request { customer: CustomerId, request: RequestNumber, reply_to: ReplyTo<Answer> },
    Settling { reply_to: ReplyTo<Settled> },
}

impl BranchActor {
    /// The actor of `branch`.
    pub fn new(branch: Branch, surroundings: Surroundings) -> Self {
        Self {
            branch,
            surroundings,
            in_flight: BTreeMap::new(),
            tickets: 0,
            sent: MessageNumber::default(),
            effects: Vec::new(),
            armed: None,
        }
    }

    fn ticket(&mut self, who: InFlight) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.in_flight.insert(ticket, who);
        ticket
    }

    fn take(&mut self, input: Input, ctx: &mut Context<Self>) {
        let now = self.surroundings.recorder.clock.now();
        let mut effects = std::mem::take(&mut self.effects);
        self.branch.handle(now, input, &mut effects);
        for effect in effects.drain(..) {
            self.perform(effect);
        }
        self.effects = effects;
        self.arm(now, ctx);
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Reply(reply) => self.answer(reply),
            Effect::Settled(ticket) => {
                if let Some(InFlight::Settling { reply_to }) = self.in_flight.remove(&ticket) {
                    reply_to.send(Settled);
                }
            }
            Effect::Broadcast(write) => {
                let here = self.branch.id();
                let roster = self.surroundings.peers.roster.clone();
                for &to in roster.ids().iter().filter(|&&to| to != here) {
                    self.send(to, PeerMessage::Propagate(write.clone()));
                }
            }
            Effect::Send { to, message } => self.send(to, message),
            Effect::Applied(applied) => self.record_applied(applied),
            Effect::Compared { with, id, agrees } => self
                .surroundings
                .recorder
                .record(|| Fact::WriteSetCompared { branch: self.branch.id(), with, id, agrees }),
        }
    }

    fn answer(&mut self, reply: Reply) {
        let Reply { ticket, outcome, position, balance, entry } = reply;
        let Some(InFlight::Request { customer, request, reply_to }) =
            self.in_flight.remove(&ticket)
        else {
            return;
        };
        let branch = self.branch.id();
        self.surroundings.recorder.record(|| {
            let outcome = outcome.clone();
            Fact::ReplySent { branch, customer, request, position, outcome }
        });
        reply_to.send(Answer { request, branch, outcome, position, balance, entry });
    }

    fn send(&mut self, to: BranchId, message: PeerMessage) {
        self.sent = self.sent.next();
        let (from, number) = (self.branch.id(), self.sent);
        let body = || body(&message);
        self.surroundings.recorder.record(|| Fact::MessageSent { from, to, number, body: body() });
        let envelope = PeerEnvelope { from, to, number, message };
        self.surroundings.peers.link(to).do_send(envelope);
    }

    fn record_applied(&self, applied: Applied) {
        let Applied { dot, id, write, position, balance } = applied;
        self.surroundings.recorder.record(|| Fact::WriteApplied {
            branch: self.branch.id(),
            id,
            write,
            origin: dot.origin,
            sequence: dot.sequence,
            position,
            balance,
        });
    }

    /// Sees to it that the branch hears of its next deadline. One timer is enough: a deadline that
    /// is dropped meanwhile only wakes the branch for nothing.
    fn arm(&mut self, now: Time, ctx: &mut Context<Self>) {
        let Some(deadline) = self.branch.next_deadline() else { return };
        if self.armed.is_some_and(|armed| armed <= deadline) {
            return;
        }
        self.armed = Some(deadline);
        let clock = self.surroundings.recorder.clock;
        ctx.run_later(clock.sleep_for(deadline.since(now)), move |actor, ctx| {
            if actor.armed == Some(deadline) {
                actor.armed = None;
                actor.take(Input::DeadlineReached, ctx);
            }
        });
    }
}

impl Actor for BranchActor {
    type Context = Context<Self>;
}

impl Handler<Ask> for BranchActor {
    type Result = ();

    fn handle(&mut self, ask: Ask, ctx: &mut Self::Context) {
        let Ask { customer, request, event, operation, session, reply_to } = ask;
        let branch = self.branch.id();
        self.surroundings.recorder.record(|| Fact::RequestReceived { branch, customer, request });
        let ticket = self.ticket(InFlight::Request { customer, request, reply_to });
        let request = Request { ticket, customer, event, operation, session };
        self.take(Input::Requested(request), ctx);
    }
}

impl Handler<PeerEnvelope> for BranchActor {
    type Result = ();

    fn handle(&mut self, envelope: PeerEnvelope, ctx: &mut Self::Context) {
        let PeerEnvelope { from, to, number, message } = envelope;
        let body = || body(&message);
        self.surroundings.recorder.record(|| Fact::MessageReceived {
            from,
            to,
            number,
            body: body(),
        });
        self.take(Input::FromPeer { from, message }, ctx);
    }
}

impl Handler<AwaitSettled> for BranchActor {
    type Result = ();

    fn handle(&mut self, AwaitSettled { reply_to }: AwaitSettled, ctx: &mut Self::Context) {
        let ticket = self.ticket(InFlight::Settling { reply_to });
        self.take(Input::SettleRequested(ticket), ctx);
    }
}

impl Handler<Inspect> for BranchActor {
    type Result = MessageResult<Inspect>;

    fn handle(&mut self, _: Inspect, _: &mut Self::Context) -> Self::Result {
        MessageResult(BranchState {
            id: self.branch.id(),
            balance: self.branch.balance(),
            log: self.branch.log().collect(),
        })
    }
}

fn body(message: &PeerMessage) -> MessageBody {
    match message {
        PeerMessage::Propagate(write) => MessageBody::Propagate { id: write.id },
        PeerMessage::Acknowledge(acknowledgement) => MessageBody::Acknowledge {
            id: acknowledgement.id,
            write_set_len: acknowledgement.write_set.len,
        },
        PeerMessage::CatchUp(_) => MessageBody::CatchUp,
        PeerMessage::Missed(missed) => {
            MessageBody::Missed { writes: u64::try_from(missed.len()).unwrap_or(u64::MAX) }
        }
    }
}
