//! The branch actor: hands messages to the pure branch and does what that wants done.

use std::collections::BTreeMap;

use actix::{Actor, ActorContext, AsyncContext, Context, Handler, MessageResult};
use tokio::sync::watch;

use super::{
    Answer, AnswerAll, Ask, AwaitSettled, BalanceAt, BranchState, BranchSummary, Came, Close,
    Deliver, Delivered, Inspect, LatestEvent, LinkChange, LinkEvent, PeerEnvelope, Peers, ReadCame,
    ReadLog, ReadWriteSet, RecorderLink, Relay, ReplyTo, Settled, Summarize, Watch, WriteSetAt,
    WriteSetState,
};
use crate::bank::{
    Acknowledgement, Applied, Branch, Effect, Input, PeerMessage, PropagatedWrite, Relayed, Reply,
    Request, Ticket,
};
use crate::history::{Fact, MessageBody};
use crate::model::number::count;
use crate::model::{
    BranchId, CustomerId, Dot, EventId, LogEntry, LogPosition, MessageNumber, Money, RequestNumber,
    Time, Waited,
};

/// One branch of the bank, with its mailbox.
#[derive(Debug)]
pub struct BranchActor {
    /// Boxed, for an actor is moved a dozen times until it runs.
    branch: Box<Branch>,
    branch_context: BranchContext,
    in_flight: BTreeMap<Ticket, InFlight>,
    tickets: u64,
    sent: MessageNumber,
    /// Kept between messages to spare an allocation each.
    effects: Vec<Effect>,
    armed: Option<Time>,
    /// Tells watchers how long the apply log is, from the first watcher on.
    applied: Option<watch::Sender<LogPosition>>,
    /// Who waits, in place of a link, for a write from elsewhere to be acknowledged. Whoever brings
    /// one that can be applied has its answer in the same message; of the others there are no more
    /// than `Deliver::waiting_max` for each peer, whether they still wait or have given up.
    delivered: BTreeMap<Dot, Vec<Waiting>>,
}

/// Whoever has brought a write from elsewhere, and waits for it to be acknowledged.
#[derive(Debug)]
struct Waiting {
    from: BranchId,
    reply_to: ReplyTo<Delivered>,
}

/// What an actor reaches beyond itself.
#[derive(Debug, Clone)]
pub struct BranchContext {
    /// The other branches.
    pub peers: Peers,
    /// The recorder and the clock.
    pub recorder: RecorderLink,
}

/// Who waits for an answer.
#[derive(Debug)]
enum InFlight {
    Request {
        customer: CustomerId,
        request: RequestNumber,
        reply_to: ReplyTo<Answer>,
        waited: Option<Box<Waited>>,
    },
    Settling {
        reply_to: ReplyTo<Settled>,
    },
}

impl BranchActor {
    /// The actor of `branch`.
    pub fn new(branch: Branch, branch_context: BranchContext) -> Self {
        Self {
            branch: Box::new(branch),
            branch_context,
            in_flight: BTreeMap::new(),
            tickets: 0,
            sent: MessageNumber::default(),
            effects: Vec::new(),
            armed: None,
            applied: None,
            delivered: BTreeMap::new(),
        }
    }

    fn ticket(&mut self, who: InFlight) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.in_flight.insert(ticket, who);
        ticket
    }

    fn take(&mut self, input: Input, ctx: &mut Context<Self>) {
        let now = self.branch_context.recorder.clock.now();
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
            Effect::Waited { ticket, waited: span } => {
                if let Some(InFlight::Request { waited, .. }) = self.in_flight.get_mut(&ticket) {
                    *waited = Some(Box::new(span));
                }
            }
            Effect::Settled(ticket) => {
                if let Some(InFlight::Settling { reply_to }) = self.in_flight.remove(&ticket) {
                    reply_to.send(Settled);
                }
            }
            Effect::Broadcast(write) => {
                let here = self.branch.id();
                let roster = self.branch_context.peers.roster.clone();
                for &to in roster.ids().iter().filter(|&&to| to != here) {
                    self.send(to, PeerMessage::Propagate(write.clone()));
                }
            }
            Effect::Send { to, message } => self.send(to, message),
            Effect::Applied(applied) => {
                self.record_applied(applied);
                self.tell_watchers(applied.position);
            }
            Effect::Conflict(write) => self.tell_conflict(&write),
            Effect::IdClash(write) => log::warn!(
                "{} names two different writes: branch {} held one when it heard of another that \
                 branch {} accepted; both are applied",
                write.id,
                self.branch.id(),
                write.dot.origin,
            ),
            Effect::Compared { with, id, agrees } => {
                self.branch_context.recorder.record_detail(|| Fact::WriteSetCompared {
                    branch: self.branch.id(),
                    with,
                    id,
                    agrees,
                })
            }
        }
    }

    /// How it stands, with up to `most` writes of its log.
    fn state(&self, most: usize) -> BranchState {
        BranchState { summary: self.summary(), log: self.branch.log().take(most).collect() }
    }

    fn summary(&self) -> BranchSummary {
        BranchSummary {
            id: self.branch.id(),
            balance: self.branch.balance(),
            version: self.branch.version().clone(),
            position: self.branch.position(),
            came: self.branch.came(),
            log_max: self.branch.log_max(),
        }
    }

    fn tell_watchers(&self, position: LogPosition) {
        if let Some(applied) = &self.applied {
            // They may all have gone.
            applied.send_replace(position);
        }
    }

    fn answer(&mut self, reply: Reply) {
        let Reply { ticket, outcome, position, balance, entry } = reply;
        let Some(InFlight::Request { customer, request, reply_to, waited }) =
            self.in_flight.remove(&ticket)
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

    fn send(&mut self, to: BranchId, message: PeerMessage) {
        if let PeerMessage::Acknowledge(acknowledgement) = message
            && self.delivered.contains_key(&acknowledgement.dot)
        {
            return self.acknowledge_delivered(to, acknowledgement);
        }
        self.sent = self.sent.next();
        let (from, number) = (self.branch.id(), self.sent);
        let body = || body(&message);
        self.record_message(|| Fact::MessageSent { from, to, number, body: body() });
        let envelope = PeerEnvelope { from, to, number, message };
        self.branch_context.peers.link(to).do_send(envelope);
    }

    fn acknowledge_delivered(&mut self, to: BranchId, acknowledgement: Acknowledgement) {
        let (from, body) = (self.branch.id(), body(&PeerMessage::Acknowledge(acknowledgement)));
        for waiting in self.delivered.remove(&acknowledgement.dot).unwrap_or_default() {
            self.sent = self.sent.next();
            let number = self.sent;
            self.record_message(|| Fact::MessageSent { from, to, number, body });
            waiting.reply_to.send(Delivered::Applied { acknowledgement, number });
        }
    }

    fn tell_conflict(&mut self, write: &PropagatedWrite) {
        log::error!(
            "branch {} got {} as number {} of branch {}, which names another write here: that \
             branch lost its memory and went on without asking this one",
            self.branch.id(),
            write.id,
            write.dot.sequence,
            write.dot.origin,
        );
        for waiting in self.delivered.remove(&write.dot).unwrap_or_default() {
            waiting.reply_to.send(Delivered::Conflicts);
        }
    }

    fn record_message(&self, fact: impl FnOnce() -> Fact) {
        self.branch_context.recorder.record_detail(fact);
    }

    fn record_applied(&self, applied: Applied) {
        let Applied { dot, id, write, position, balance } = applied;
        self.branch_context.recorder.record(|| Fact::WriteApplied {
            branch: self.branch.id(),
            id,
            write,
            origin: dot.origin,
            life: None,
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
        let clock = self.branch_context.recorder.clock;
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
        self.branch_context.recorder.record_detail(|| Fact::RequestReceived {
            branch,
            customer,
            request,
        });
        let ticket = self.ticket(InFlight::Request { customer, request, reply_to, waited: None });
        let request = Request { ticket, customer, event, operation, session };
        self.take(Input::Requested(request), ctx);
    }
}

impl Handler<PeerEnvelope> for BranchActor {
    type Result = ();

    fn handle(&mut self, envelope: PeerEnvelope, ctx: &mut Self::Context) {
        let PeerEnvelope { from, to, number, message } = envelope;
        let body = || body(&message);
        self.record_message(|| Fact::MessageReceived { from, to, number, body: body() });
        self.take(Input::FromPeer { from, message }, ctx);
    }
}

impl Handler<Deliver> for BranchActor {
    type Result = ();

    fn handle(&mut self, deliver: Deliver, ctx: &mut Self::Context) {
        let Deliver { envelope, waiting_max, reply_to } = deliver;
        let from = envelope.from;
        if let PeerMessage::Propagate(write) = &envelope.message {
            // What can be applied is taken always, for others may wait for it. What is not taken is
            // not lost: its sender keeps it until it is acknowledged.
            if self.branch.must_wait(write) {
                let waiting = self.delivered.values().flatten();
                let waiting = waiting.filter(|waiting| waiting.from == from).count();
                if waiting >= waiting_max {
                    return reply_to.send(Delivered::Crowded { waiting });
                }
            }
            self.delivered.entry(write.dot).or_default().push(Waiting { from, reply_to });
        }
        self.handle(envelope, ctx);
    }
}

impl Handler<Relay> for BranchActor {
    type Result = ();

    fn handle(&mut self, relay: Relay, ctx: &mut Self::Context) {
        let Relay { from, id, write, reply_to } = relay;
        let request = RequestNumber::default();
        let customer = id.customer;
        let ticket = self.ticket(InFlight::Request { customer, request, reply_to, waited: None });
        self.take(Input::Relayed(Relayed { ticket, from, id, write }), ctx);
    }
}

impl Handler<LinkChange> for BranchActor {
    type Result = ();

    fn handle(&mut self, LinkChange { peer, news }: LinkChange, ctx: &mut Self::Context) {
        self.take(
            match news {
                LinkEvent::InReach => Input::InReach(peer),
                LinkEvent::Congestion(congestion) => Input::Congestion { peer, congestion },
            },
            ctx,
        );
    }
}

impl Handler<AwaitSettled> for BranchActor {
    type Result = ();

    fn handle(&mut self, AwaitSettled { reply_to }: AwaitSettled, ctx: &mut Self::Context) {
        let ticket = self.ticket(InFlight::Settling { reply_to });
        self.take(Input::SettleRequested(ticket), ctx);
    }
}

impl Handler<AnswerAll> for BranchActor {
    type Result = ();

    fn handle(&mut self, _: AnswerAll, ctx: &mut Self::Context) {
        self.take(Input::Closing, ctx);
    }
}

impl Handler<Inspect> for BranchActor {
    type Result = MessageResult<Inspect>;

    fn handle(&mut self, Inspect { most }: Inspect, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.state(most))
    }
}

impl Handler<Close> for BranchActor {
    type Result = MessageResult<Close>;

    fn handle(&mut self, _: Close, ctx: &mut Self::Context) -> Self::Result {
        ctx.stop();
        MessageResult(self.state(usize::MAX))
    }
}

impl Handler<Summarize> for BranchActor {
    type Result = MessageResult<Summarize>;

    fn handle(&mut self, _: Summarize, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.summary())
    }
}

impl Handler<LatestEvent> for BranchActor {
    type Result = Option<EventId>;

    fn handle(
        &mut self,
        LatestEvent(customer): LatestEvent,
        _: &mut Self::Context,
    ) -> Self::Result {
        self.branch.latest_event(customer)
    }
}

impl Handler<ReadWriteSet> for BranchActor {
    type Result = MessageResult<ReadWriteSet>;

    fn handle(
        &mut self,
        ReadWriteSet(customer): ReadWriteSet,
        _: &mut Self::Context,
    ) -> Self::Result {
        MessageResult(WriteSetState {
            balance: self.branch.balance(),
            write_set: self.branch.write_set(customer),
        })
    }
}

impl Handler<WriteSetAt> for BranchActor {
    type Result = Vec<EventId>;

    fn handle(&mut self, asked: WriteSetAt, _: &mut Self::Context) -> Vec<EventId> {
        let WriteSetAt(customer, position) = asked;
        self.branch.write_set_at(customer, position)
    }
}

impl Handler<ReadLog> for BranchActor {
    type Result = Vec<LogEntry>;

    fn handle(&mut self, ReadLog { after, most }: ReadLog, _: &mut Self::Context) -> Vec<LogEntry> {
        self.branch.log_after(after).take(most).collect()
    }
}

impl Handler<ReadCame> for BranchActor {
    type Result = MessageResult<ReadCame>;

    fn handle(
        &mut self,
        ReadCame { after, most }: ReadCame,
        _: &mut Self::Context,
    ) -> Self::Result {
        let asked = after.get().saturating_add(count(most));
        let end = LogPosition::new(asked).min(self.branch.position());
        MessageResult(Came { writes: self.branch.came_after(after, most), end })
    }
}

impl Handler<BalanceAt> for BranchActor {
    type Result = Option<Money>;

    fn handle(&mut self, BalanceAt(position): BalanceAt, _: &mut Self::Context) -> Option<Money> {
        self.branch.balance_at(position)
    }
}

impl Handler<Watch> for BranchActor {
    type Result = MessageResult<Watch>;

    fn handle(&mut self, _: Watch, _: &mut Self::Context) -> Self::Result {
        let position = self.branch.position();
        let applied = self.applied.get_or_insert_with(|| watch::Sender::new(position));
        MessageResult(applied.subscribe())
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
        PeerMessage::Missed(missed) => MessageBody::Missed { writes: count(missed.len()) },
    }
}
