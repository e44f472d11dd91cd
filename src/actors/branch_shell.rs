//! The shell around a pure branch: hands it what it is told, and does what it wants done.

use slab::Slab;
use tokio::sync::{mpsc, watch};

use super::brought::Brought;
use super::condition::Condition;
use super::faulty::{Faulty, body};
use super::time_source::Wakes;
use super::{
    Answer, AnswerAll, Ask, AwaitSettled, Begin, BranchState, BranchSummary, Broadcast, Deliver,
    Delivered, Heard, LinkChange, LinkEvent, PeerEnvelope, Peers, RecorderLink, Relay, ReplyTo,
    Settled, Standing,
};
use crate::bank::{
    Acknowledgement, Applied, Branch, Effect, Input, LifeList, PeerMessage, PropagatedWrite,
    Relayed, Reply, Request, Ticket,
};
use crate::history::{Fact, MessageBody};
use crate::model::number::count;
use crate::model::{
    BranchId, CustomerId, Life, LogPosition, MessageNumber, RequestNumber, Time, Waited,
};

/// Where a branch serves.
#[derive(Debug)]
pub(super) struct BranchShell {
    pub(super) branch: Branch,
    pub(super) branch_context: BranchContext,
    pub(super) in_flight: Slab<(Ticket, InFlight)>,
    tickets: u64,
    pub(super) sent: MessageNumber,
    /// Kept between messages to spare an allocation each.
    effects: Vec<Effect>,
    pub(super) armed: Option<Time>,
    /// Tells watchers how long the apply log is, from the first watcher on.
    pub(super) applied: Option<watch::Sender<LogPosition>>,
    pub(super) brought: Brought,
    /// Whether it does not serve yet.
    pub(super) returns: bool,
    /// Whether it was told that there are many lives.
    has_told_of_lives: bool,
    /// From the first thing on that is wrong with it.
    pub(super) condition: Option<Box<Condition>>,
}

/// Room that one branch leaves to the next.
#[derive(Debug, Default)]
pub(super) struct Kept {
    in_flight: Slab<(Ticket, InFlight)>,
    effects: Vec<Effect>,
}

/// What an actor reaches beyond itself.
#[derive(Debug, Clone)]
pub struct BranchContext {
    /// The other branches.
    pub peers: Peers,
    /// The recorder and the clock.
    pub recorder: RecorderLink,
    /// Told whether the branch serves, where anybody wants to know.
    pub standing: Option<mpsc::UnboundedSender<Standing>>,
    /// Where things go wrong on purpose.
    pub faulty: Option<Faulty>,
}

/// Who waits for an answer.
#[derive(Debug)]
pub(super) enum InFlight {
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

/// A ticket is a number that no other one has, and below it where its holder stands.
const PLACE_BITS: u32 = 24;

/// From how many lives on it is told that there are many.
const LIVES_MANY: usize = 64;

/// Where the holder of `ticket` stands.
fn place(ticket: Ticket) -> usize {
    usize::try_from(ticket.0 & ((1 << PLACE_BITS) - 1)).unwrap_or(usize::MAX)
}

impl BranchShell {
    pub(super) fn new(branch: Branch, branch_context: BranchContext, kept: Kept) -> Self {
        let Kept { in_flight, effects } = kept;
        let returns = !branch.serves();
        Self {
            branch,
            branch_context,
            in_flight,
            tickets: 0,
            sent: MessageNumber::default(),
            effects,
            armed: None,
            applied: None,
            brought: Brought::default(),
            has_told_of_lives: false,
            condition: None,
            returns,
        }
    }

    fn ticket(&mut self, who: InFlight) -> Ticket {
        self.tickets += 1;
        let entry = self.in_flight.vacant_entry();
        let place = count(entry.key());
        assert!(place >> PLACE_BITS == 0, "a branch serves {place} requests at a time");
        let ticket = Ticket((self.tickets << PLACE_BITS) | place);
        entry.insert((ticket, who));
        ticket
    }

    /// Who waits under `ticket`, if someone still does.
    fn waits(&mut self, ticket: Ticket) -> Option<&mut InFlight> {
        let (of, who) = self.in_flight.get_mut(place(ticket))?;
        (*of == ticket).then_some(who)
    }

    fn take_in_flight(&mut self, ticket: Ticket) -> Option<InFlight> {
        self.waits(ticket)?;
        Some(self.in_flight.remove(place(ticket)).1)
    }

    pub(super) fn take(&mut self, input: Input, ctx: &mut dyn Wakes) {
        let now = self.branch_context.recorder.clock.now();
        let mut effects = std::mem::take(&mut self.effects);
        self.branch.handle(now, input, &mut effects);
        for effect in effects.drain(..) {
            self.perform(effect);
        }
        self.effects = effects;
        self.arm(ctx);
        if self.returns && self.branch.serves() {
            self.serve_from_now_on(ctx);
        }
    }

    fn serve_from_now_on(&mut self, ctx: &mut dyn Wakes) {
        self.returns = false;
        self.tell_standing(Standing::Serves(self.branch.id()));
        for deliver in self.brought.take_held() {
            self.deliver(deliver, ctx);
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Reply(reply) => self.answer(reply),
            Effect::Waited { ticket, waited: span } => {
                if let Some(InFlight::Request { waited, .. }) = self.waits(ticket) {
                    *waited = Some(Box::new(span));
                }
            }
            Effect::Settled(ticket) => {
                if let Some(InFlight::Settling { reply_to }) = self.take_in_flight(ticket) {
                    reply_to.send(Settled);
                }
            }
            Effect::Broadcast(write) => self.broadcast(write),
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
            Effect::Lives(lives) => self.learn(&lives),
            // It says itself what follows from it, and nothing is kept here.
            Effect::Closed => {}
            Effect::Ended(end) => {
                self.tell_standing(Standing::Ended { branch: self.branch.id(), end });
            }
        }
    }

    fn tell_standing(&self, standing: Standing) {
        let told = self.branch_context.standing.as_ref().map(|told| told.send(standing));
        if !matches!(told, Some(Ok(()))) {
            log::debug!("nobody wants to know that {standing:?}");
        }
    }

    fn learn(&mut self, lives: &LifeList) {
        self.brought.forget_ended(lives, &self.branch_context.peers.roster);
        let later = self.branch.version().later_lives();
        if later >= LIVES_MANY && !self.has_told_of_lives {
            self.has_told_of_lives = true;
            log::warn!(
                "branch {} holds writes of {later} lives; each start of a process adds one, for ever, \
                 and passbooks grow with them: fewer are in a bank that is started afresh as a whole",
                self.branch.id(),
            );
        }
    }

    /// What the next branch may have of it.
    pub(super) fn keep(&mut self) -> Kept {
        self.in_flight.clear();
        let Self { in_flight, effects, .. } = self;
        Kept { in_flight: std::mem::take(in_flight), effects: std::mem::take(effects) }
    }

    /// How it stands, with up to `most` writes of its log.
    pub(super) fn state(&self, most: usize) -> BranchState {
        BranchState { summary: self.summary(), log: self.branch.log().take(most).collect() }
    }

    pub(super) fn summary(&self) -> BranchSummary {
        BranchSummary {
            id: self.branch.id(),
            balance: self.branch.balance(),
            version: self.branch.version().clone(),
            lives: self.branch.lives().clone(),
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

    fn send(&mut self, to: BranchId, message: PeerMessage) {
        match message {
            PeerMessage::Acknowledge(acknowledgement)
                if self.brought.awaits(acknowledgement.dot) =>
            {
                return self.acknowledge_brought(to, acknowledgement);
            }
            PeerMessage::Missed(missed) if self.brought.is_asked_by(to) => {
                return self.brought.answer(missed, self.branch.lives());
            }
            // Whoever brought it waits for an answer, and got it.
            PeerMessage::Taken(_) => return,
            PeerMessage::Propagate(_)
            | PeerMessage::Acknowledge(_)
            | PeerMessage::CatchUp(_)
            | PeerMessage::Missed(_) => {}
        }
        self.sent = self.sent.next();
        let (from, number) = (self.branch.id(), self.sent);
        let body = || body(&message);
        self.record_message(|| Fact::MessageSent { from, to, number, body: body() });
        let lives = self.branch.lives().clone();
        let envelope = PeerEnvelope { from, to, number, lives, message };
        self.branch_context.peers.send(envelope);
    }

    fn broadcast(&mut self, write: PropagatedWrite) {
        let (from, first) = (self.branch.id(), self.sent.next());
        for &to in self.branch_context.peers.roster.ids().iter().filter(|&&to| to != from) {
            self.sent = self.sent.next();
            let (number, body) = (self.sent, MessageBody::Propagate { id: write.id });
            self.record_message(|| Fact::MessageSent { from, to, number, body });
        }
        let lives = self.branch.lives().clone();
        self.branch_context.peers.broadcast(Broadcast { from, first, lives, write });
    }

    fn acknowledge_brought(&mut self, to: BranchId, acknowledgement: Acknowledgement) {
        let (from, body) = (self.branch.id(), body(&PeerMessage::Acknowledge(acknowledgement)));
        let Self { branch, branch_context, sent, brought, .. } = self;
        brought.acknowledge(acknowledgement, branch.lives(), || {
            *sent = sent.next();
            let number = *sent;
            branch_context.recorder.record_detail(|| Fact::MessageSent { from, to, number, body });
            number
        });
    }

    fn tell_conflict(&mut self, write: &PropagatedWrite) {
        log::error!(
            "branch {} got {} as number {} of branch {}, which names another write here: two \
             processes are that branch",
            self.branch.id(),
            write.id,
            write.dot.sequence,
            write.dot.origin,
        );
        self.brought.refuse(write.dot);
    }

    pub(super) fn record_message(&self, fact: impl FnOnce() -> Fact) {
        self.branch_context.recorder.record_detail(fact);
    }

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

    /// Sees to it that the branch hears of its next deadline. One timer is enough: a deadline that
    /// is dropped meanwhile only wakes the branch for nothing.
    fn arm(&mut self, ctx: &mut dyn Wakes) {
        let Some(deadline) = self.branch.next_deadline() else { return };
        if self.armed.is_some_and(|armed| armed <= deadline) {
            return;
        }
        self.armed = Some(deadline);
        ctx.wake_at(deadline, &self.branch_context.recorder.clock);
    }

    #[inline]
    pub(super) fn serve(&mut self, ask: Ask, ctx: &mut dyn Wakes) {
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

    #[inline]
    pub(super) fn hear(&mut self, envelope: PeerEnvelope, ctx: &mut dyn Wakes) {
        let PeerEnvelope { from, to, number, lives, message } = envelope;
        let is_told = !matches!(message, PeerMessage::Taken(_));
        if is_told {
            let body = || body(&message);
            self.record_message(|| Fact::MessageReceived { from, to, number, body: body() });
        }
        self.take(Input::FromPeer { from, lives, message }, ctx);
    }

    pub(super) fn begin(&mut self, _: Begin, ctx: &mut dyn Wakes) {
        self.take(Input::Started, ctx);
    }

    pub(super) fn hear_of(&mut self, Heard { from, lives }: Heard, ctx: &mut dyn Wakes) {
        self.take(Input::Heard { from, lives }, ctx);
    }

    pub(super) fn deliver(&mut self, deliver: Deliver, ctx: &mut dyn Wakes) {
        let PeerEnvelope { from, ref lives, ref message, .. } = deliver.envelope;
        match message {
            PeerMessage::Propagate(write) => {
                // What can be applied is taken always, for others may wait for it. What is not taken
                // is not lost: its sender keeps it until it is acknowledged.
                let serves = self.branch.serves();
                if !serves || self.branch.must_wait(write) {
                    let waiting = self.brought.waiting(from);
                    if waiting >= deliver.waiting_max {
                        return deliver.reply_to.send(Delivered::Crowded { waiting });
                    }
                }
                if !serves {
                    return self.brought.hold(deliver);
                }
                if !self.branch.takes(from, lives) {
                    self.take(Input::Heard { from, lives: lives.clone() }, ctx);
                    let lives = self.branch.lives().clone();
                    return deliver.reply_to.send(Delivered::ThrownAway { lives });
                }
                let Deliver { envelope, reply_to, .. } = deliver;
                let PeerMessage::Propagate(write) = &envelope.message else { return };
                let roster = &self.branch_context.peers.roster;
                let life = roster.index(from).map(|index| envelope.lives.get(index, roster));
                self.brought.wait(write, (from, life.unwrap_or_default()), reply_to);
                self.receive(envelope, ctx);
            }
            PeerMessage::CatchUp(_) => {
                let Deliver { envelope, reply_to, .. } = deliver;
                self.brought.ask(from, reply_to);
                self.receive(envelope, ctx);
                self.brought.throw_question_away(self.branch.lives());
            }
            // They are no calls.
            PeerMessage::Acknowledge(_) | PeerMessage::Missed(_) | PeerMessage::Taken(_) => {}
        }
    }

    pub(super) fn take_relayed(&mut self, relay: Relay, ctx: &mut dyn Wakes) {
        let Relay { from, id, write, reply_to } = relay;
        let request = RequestNumber::default();
        let customer = id.customer;
        let ticket = self.ticket(InFlight::Request { customer, request, reply_to, waited: None });
        self.take(Input::Relayed(Relayed { ticket, from, id, write }), ctx);
    }

    pub(super) fn change_link(&mut self, change: LinkChange, ctx: &mut dyn Wakes) {
        let LinkChange { peer, news } = change;
        self.take(
            match news {
                LinkEvent::InReach => Input::InReach(peer),
                LinkEvent::KnowsNoLives => Input::KnowsNoLives(peer),
                LinkEvent::Congestion(congestion) => Input::Congestion { peer, congestion },
            },
            ctx,
        );
    }

    pub(super) fn answer_all(&mut self, _: AnswerAll, ctx: &mut dyn Wakes) {
        self.take(Input::Closing, ctx);
    }

    pub(super) fn settle(&mut self, AwaitSettled { reply_to }: AwaitSettled, ctx: &mut dyn Wakes) {
        let ticket = self.ticket(InFlight::Settling { reply_to });
        self.take(Input::SettleRequested(ticket), ctx);
    }
}
