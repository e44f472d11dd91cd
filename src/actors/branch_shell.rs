//! The shell around a pure branch: hands it what it is told, and does what it wants done.

use slab::Slab;
use tokio::sync::{mpsc, watch};

use super::brought::Brought;
use super::condition::Condition;
use super::faulty::{Faulty, body};
use super::outbox::{Outbox, Output};
use super::time_source::Wakes;
use super::{
    Answer, AnswerAll, Ask, AwaitSettled, Begin, BranchSummary, Deliver, Delivered, Heard,
    LinkChange, LinkEvent, PeerEnvelope, Peers, RecorderLink, Relay, ReplyTo, Settled, Standing,
    StorageLink,
};
use crate::bank::{Branch, Effect, Input, LifeList, PeerMessage, Relayed, Request, Ticket};
use crate::history::Fact;
use crate::model::number::count;
use crate::model::{CustomerId, LogPosition, MessageNumber, RequestNumber, Time, Waited};

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
    /// Where it has a disk.
    pub(super) outbox: Option<Box<Outbox>>,
}

/// What one branch has allocated and leaves to the next.
#[derive(Debug, Default)]
pub(super) struct Room {
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
    /// Keeps what is to be kept, where there is a disk.
    pub storage: Option<StorageLink>,
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
    /// Opens `branch` in `place`: a shell is large, and made where it stays.
    pub(super) fn open(
        place: &mut Option<Self>,
        branch: Branch,
        branch_context: BranchContext,
        Room { in_flight, effects }: Room,
    ) {
        let storage = branch_context.storage.clone();
        *place = Some(Self {
            returns: !branch.serves(),
            outbox: storage.map(|storage| Box::new(Outbox::new(storage))),
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
        });
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

    pub(super) fn take_in_flight(&mut self, ticket: Ticket) -> Option<InFlight> {
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
        if let Some(outbox) = &mut self.outbox {
            outbox.commit();
        }
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
            // Straight where nothing is held back, as always in memory.
            Effect::Reply(reply) => match self.holding() {
                Some(outbox) => outbox.hold(Output::Reply(reply)),
                None => self.answer(reply),
            },
            Effect::Settled(ticket) => self.put_out(Output::Settled(ticket)),
            Effect::Broadcast(write) => {
                let lives = self.branch.lives().clone();
                match self.holding() {
                    Some(outbox) => outbox.hold(Output::Broadcast(write, lives)),
                    None => self.broadcast(write, lives),
                }
            }
            Effect::Send { to, message } => self.send(to, message),
            Effect::Persist(kept) => {
                if let Some(outbox) = &mut self.outbox {
                    outbox.keep(kept);
                }
            }
            Effect::Waited { ticket, waited: span } => {
                if let Some(InFlight::Request { waited, .. }) = self.waits(ticket) {
                    *waited = Some(Box::new(span));
                }
            }
            Effect::Applied(applied) => match self.holding() {
                Some(outbox) => outbox.hold(Output::Applied(applied)),
                None => self.tell_applied(applied),
            },
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

    fn learn(&mut self, lives: &LifeList) {
        let ended = self.brought.take_ended(lives, &self.branch_context.peers.roster);
        self.tell_bringers(ended, || Delivered::ThrownAway { lives: lives.clone() });
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
    pub(super) fn take_room(&mut self) -> Room {
        self.in_flight.clear();
        let Self { in_flight, effects, .. } = self;
        Room { in_flight: std::mem::take(in_flight), effects: std::mem::take(effects) }
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

    #[inline(always)]
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

    #[inline(always)]
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
        // One that need not hear from anybody serves at once, and is told of all the same.
        self.returns = true;
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
                        let crowded = Delivered::Crowded { waiting };
                        return self.put_out(Output::Delivered(deliver.reply_to, crowded));
                    }
                }
                if !serves {
                    return self.brought.hold(deliver);
                }
                if !self.branch.takes(from, lives) {
                    self.take(Input::Heard { from, lives: lives.clone() }, ctx);
                    let thrown_away = Delivered::ThrownAway { lives: self.branch.lives().clone() };
                    return self.put_out(Output::Delivered(deliver.reply_to, thrown_away));
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
                let thrown_away = self.brought.take_question();
                let lives = self.branch.lives().clone();
                self.tell_bringers(thrown_away, || Delivered::ThrownAway { lives: lives.clone() });
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
