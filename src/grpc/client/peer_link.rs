//! The link to a branch elsewhere: an actor that stands where that branch's mailbox would. Keeps
//! each write until the other branch has acknowledged it, however long that branch is away. Carries
//! the lists of lives, and makes nothing of them.

use std::collections::{BTreeSet, VecDeque};
use std::mem::{self, Discriminant};
use std::time::Duration;

use actix::{
    Actor, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, MessageResult, WrapFuture,
};
use tokio::sync::mpsc;
use tonic::Code;

use super::endpoint::Contract;
use super::peer_client::{Attempt, Introduced, LinkError, PeerClient, Told};
use crate::actors::{BranchActor, Heard, LinkChange, LinkEvent, PeerEnvelope};
use crate::bank::{Congestion, LifeList, PeerMessage, VersionVector};
use crate::model::{BranchId, Dot, MessageNumber, Sequence};

/// How long a broken link rests before it is tried again; doubled each time.
const REST_MIN: Duration = Duration::from_millis(20);
const REST_MAX: Duration = Duration::from_secs(1);

/// How many writes a typed peer is sent at the same time. A classic one gets one after the other.
const WINDOW: usize = 64;

/// How long the other end may take to answer. A write that waits there for what it depends on may
/// be late without fault: the link is then made anew, and with that the other end asks for what it
/// misses.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// The link from a branch here to one elsewhere.
#[derive(Debug)]
pub struct PeerLink {
    setup: LinkSetup,
    peer: Peer,
    /// Writes to be sent.
    queue: VecDeque<Queued>,
    /// Writes that the other end has thrown away, for it began a life of which the branch here had not
    /// heard: they go out again when it has.
    untimely: Vec<Queued>,
    /// Writes in one of these or sent, but not acknowledged.
    kept: BTreeSet<Dot>,
    /// Writes that the other end never takes.
    hopeless: BTreeSet<Dot>,
    /// What the branch here asks for, until it is asked.
    question: Option<VersionVector>,
    is_asking: bool,
    /// The lives that the branch here knows of. It holds all that is kept, so that the newest list is
    /// right for each.
    lives: LifeList,
    /// The newest write of the branch here that was acknowledged. A classic peer is sent them in
    /// their order.
    confirmed: Sequence,
    in_flight: usize,
    /// How often the other end was lost. What was sent before the last time fails for the same
    /// reason, and need not be told again.
    losses: u64,
    rest: Duration,
    /// Why the other end was out of reach, since it was last reached; each told once, not every
    /// second for as long as it is away.
    told: Vec<Reason>,
    congestion: Congestion,
}

/// What errors have in common that need be told once.
type Reason = (Discriminant<LinkError>, Option<Code>);

fn reason(error: &LinkError) -> Reason {
    let code = match error {
        LinkError::Status(status) => Some(status.code()),
        LinkError::Answer(_)
        | LinkError::NotApplied
        | LinkError::Late { .. }
        | LinkError::Conflict
        | LinkError::OtherVersion(_)
        | LinkError::OtherBranch { .. }
        | LinkError::Twin
        | LinkError::Unproved { .. }
        | LinkError::Unsayable(_) => None,
    };
    (mem::discriminant(error), code)
}

/// What a link joins.
#[derive(Debug)]
pub struct LinkSetup {
    /// The branch here.
    pub here: BranchId,
    /// Its actor.
    pub owner: Addr<BranchActor>,
    /// The branch elsewhere.
    pub peer: BranchId,
    /// How to speak to it.
    pub client: PeerClient,
    /// The lives that the branch here knows of at its start.
    pub lives: LifeList,
    /// Which contract it speaks; `None`: it is asked.
    pub contract: Option<Contract>,
    /// How many writes are kept before the branch here takes no more.
    pub kept_max: usize,
    /// Told what is found out about the other end.
    pub found: mpsc::UnboundedSender<PeerFinding>,
}

/// What a link finds out about the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerFinding {
    /// It speaks the classic contract alone, and has nothing to tell of the past.
    Classic(BranchId),
    /// It knows of another process that is the branch here.
    Twin {
        /// The branch here.
        of: BranchId,
        /// The branch elsewhere.
        found_by: BranchId,
    },
}

/// Asks a link how it stands.
#[derive(Debug, Message)]
#[rtype(result = "LinkState")]
pub(crate) struct ReadLink;

/// How a link stands.
#[derive(Debug)]
pub(crate) struct LinkState {
    /// The branch here.
    pub(crate) here: BranchId,
    /// The branch elsewhere.
    pub(crate) peer: BranchId,
    /// How many writes are kept for it.
    pub(crate) kept: usize,
    /// How many may be.
    pub(crate) kept_max: usize,
    /// Whether it takes more.
    pub(crate) congestion: Congestion,
}

/// A write to be sent.
#[derive(Debug)]
struct Queued {
    envelope: PeerEnvelope,
    attempt: Attempt,
}

/// What is known of the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Peer {
    /// Nothing: it has never been asked, or was lost.
    Unknown,
    /// It is being asked.
    Asked,
    /// It was out of reach; the link rests before it tries again.
    Resting,
    /// It can be reached.
    Speaks(Contract),
}

impl PeerLink {
    /// A link that carries nothing yet.
    pub fn new(setup: LinkSetup) -> Self {
        let peer = setup.contract.map_or(Peer::Unknown, Peer::Speaks);
        let lives = setup.lives.clone();
        Self {
            setup,
            peer,
            queue: VecDeque::new(),
            untimely: Vec::new(),
            kept: BTreeSet::new(),
            hopeless: BTreeSet::new(),
            question: None,
            is_asking: false,
            lives,
            confirmed: Sequence::default(),
            in_flight: 0,
            losses: 0,
            rest: REST_MIN,
            told: Vec::new(),
            congestion: Congestion::Clear,
        }
    }

    fn pump(&mut self, ctx: &mut Context<Self>) {
        match self.peer {
            Peer::Asked | Peer::Resting => {}
            Peer::Unknown => self.introduce(ctx),
            Peer::Speaks(contract) => {
                if contract == Contract::Typed {
                    self.ask(ctx);
                }
                let window = match contract {
                    Contract::Classic => 1,
                    Contract::Typed => WINDOW,
                };
                while self.in_flight < window
                    && let Some(queued) = self.queue.pop_front()
                {
                    self.in_flight += 1;
                    self.send(contract, queued, ctx);
                }
            }
        }
    }

    fn introduce(&mut self, ctx: &mut Context<Self>) {
        self.peer = Peer::Asked;
        let (client, losses, lives) = (self.setup.client.clone(), self.losses, self.lives.clone());
        let introduced = in_time(async move { client.introduce(&lives).await });
        ctx.spawn(introduced.into_actor(self).map(move |introduced, link, ctx| match introduced {
            Ok(Introduced::Typed { client, lives }) if link.losses == losses => {
                link.setup.client = client;
                link.hear_of(lives);
                link.meet(Contract::Typed, ctx);
            }
            Ok(Introduced::Classic) if link.losses == losses => link.meet(Contract::Classic, ctx),
            Ok(_) => {}
            Err(LinkError::Twin) => {
                let LinkSetup { here: of, peer: found_by, .. } = link.setup;
                link.tell_found(PeerFinding::Twin { of, found_by });
            }
            Err(error) => link.lose(losses, &error, ctx),
        }));
    }

    fn meet(&mut self, contract: Contract, ctx: &mut Context<Self>) {
        let LinkSetup { here, peer, .. } = self.setup;
        log::info!("branch {here} reaches branch {peer}, which speaks {contract:?}");
        self.peer = Peer::Speaks(contract);
        self.reached();
        match contract {
            Contract::Typed => self.tell(LinkEvent::InReach),
            Contract::Classic => {
                self.question = None;
                self.tell(LinkEvent::KnowsNoLives);
                self.tell_found(PeerFinding::Classic(peer));
            }
        }
        self.pump(ctx);
    }

    fn reached(&mut self) {
        self.rest = REST_MIN;
        self.told.clear();
    }

    /// The other end is out of reach: what was sent goes out again after a rest. What failed was
    /// sent when the other end had been lost `losses` times.
    fn lose(&mut self, losses: u64, error: &LinkError, ctx: &mut Context<Self>) {
        if self.losses != losses {
            return;
        }
        self.losses += 1;
        let LinkSetup { here, peer, .. } = self.setup;
        let reason = reason(error);
        let level = if self.told.contains(&reason) {
            log::Level::Debug
        } else {
            self.told.push(reason);
            log::Level::Warn
        };
        log::log!(level, "branch {here} cannot reach branch {peer}, tries again: {error}");
        self.peer = Peer::Resting;
        ctx.run_later(self.rest, move |link, ctx| link.end_rest(ctx));
        self.rest = (self.rest * 2).min(REST_MAX);
    }

    fn end_rest(&mut self, ctx: &mut Context<Self>) {
        if self.peer == Peer::Resting {
            self.peer = self.setup.contract.map_or(Peer::Unknown, Peer::Speaks);
            self.pump(ctx);
        }
    }

    fn send(&mut self, contract: Contract, queued: Queued, ctx: &mut Context<Self>) {
        let Queued { envelope, attempt } = queued;
        let PeerMessage::Propagate(write) = &envelope.message else { return };
        let (client, write, number) = (self.setup.client.clone(), write.clone(), envelope.number);
        let (dot, losses, lives) = (write.dot, self.losses, self.lives.clone());
        let sent = in_time(async move {
            let answer = match contract {
                Contract::Typed => client.propagate(&write, number, &lives).await,
                Contract::Classic => client.propagate_classic(&write, attempt, &lives).await,
            };
            answer.map(|told| (told, lives))
        });
        ctx.spawn(sent.into_actor(self).map(move |answer, link, ctx| {
            link.in_flight -= 1;
            match answer {
                Ok((Told { said: Some((acknowledgement, number)), lives }, _)) => {
                    link.reached();
                    if dot.origin == link.setup.here {
                        link.confirmed = link.confirmed.max(dot.sequence);
                    }
                    link.bring(number, lives, PeerMessage::Acknowledge(acknowledgement));
                    link.let_go(dot);
                }
                Ok((Told { said: None, lives }, sent_with)) => {
                    link.reached();
                    link.hear_of(lives);
                    let queued = Queued { envelope, attempt: Attempt::Again };
                    if sent_with == link.lives {
                        link.untimely.push(queued);
                    } else {
                        link.queue.push_front(queued);
                    }
                }
                Err(error @ (LinkError::Unsayable(_) | LinkError::Conflict)) => {
                    // It would never succeed, and would hold up everything behind it.
                    log::error!("branch {} never takes a write: {error}", link.setup.peer);
                    link.hopeless.insert(dot);
                    link.let_go(dot);
                    if matches!(error, LinkError::Conflict) {
                        let (number, lives) = (MessageNumber::default(), link.lives.clone());
                        link.bring(number, lives, PeerMessage::Taken(dot));
                    }
                }
                Err(
                    error @ (LinkError::Status(_)
                    | LinkError::Answer(_)
                    | LinkError::NotApplied
                    | LinkError::OtherVersion(_)
                    | LinkError::OtherBranch { .. }
                    | LinkError::Twin
                    | LinkError::Unproved { .. }
                    | LinkError::Late { .. }),
                ) => {
                    link.queue.push_front(Queued { envelope, attempt: Attempt::Again });
                    link.lose(losses, &error, ctx);
                }
            }
            link.pump(ctx);
        }));
    }

    fn let_go(&mut self, dot: Dot) {
        self.kept.remove(&dot);
        self.weigh();
    }

    /// Asks what the branch here wants to know. A question that gets no answer is the branch's to ask
    /// again.
    fn ask(&mut self, ctx: &mut Context<Self>) {
        if self.is_asking {
            return;
        }
        let Some(here) = self.question.take() else { return };
        self.is_asking = true;
        let (client, losses, lives) = (self.setup.client.clone(), self.losses, self.lives.clone());
        let told = async move { client.catch_up(&here, &lives, ANSWER_LIMIT).await };
        ctx.spawn(told.into_actor(self).map(move |told, link, ctx| {
            link.is_asking = false;
            match told {
                Ok(Told { said: Some(missed), lives }) => {
                    // What it was to be asked meanwhile, with the same lives, is answered with this.
                    // The branch asks on by itself.
                    if lives == link.lives {
                        link.question = None;
                    }
                    link.bring(MessageNumber::default(), lives, PeerMessage::Missed(missed));
                }
                Ok(Told { said: None, lives }) => link.hear_of(lives),
                Err(error) => link.lose(losses, &error, ctx),
            }
            link.pump(ctx);
        }));
    }

    /// Puts what the other end says in the branch's mailbox.
    fn bring(&self, number: MessageNumber, lives: LifeList, message: PeerMessage) {
        let LinkSetup { here, peer, ref owner, .. } = self.setup;
        owner.do_send(PeerEnvelope { from: peer, to: here, number, lives, message });
    }

    /// Tells the branch the lives of which the other end knows.
    fn hear_of(&self, lives: LifeList) {
        self.setup.owner.do_send(Heard { from: self.setup.peer, lives });
    }

    /// The branch here knows of these lives now.
    fn learn(&mut self, lives: LifeList) {
        if self.lives != lives {
            self.lives = lives;
            self.queue.extend(self.untimely.drain(..));
        }
    }

    /// Tells the branch if the link takes more or less than before.
    fn weigh(&mut self) {
        let most = self.setup.kept_max;
        let congestion = match self.congestion {
            Congestion::Clear if self.kept.len() >= most => Congestion::Full,
            Congestion::Full if self.kept.len() <= most / 2 => Congestion::Clear,
            Congestion::Clear | Congestion::Full => return,
        };
        self.congestion = congestion;
        self.tell(LinkEvent::Congestion(congestion));
    }

    fn tell(&self, news: LinkEvent) {
        self.setup.owner.do_send(LinkChange { peer: self.setup.peer, news });
    }

    fn tell_found(&self, found: PeerFinding) {
        if self.setup.found.send(found).is_err() {
            log::debug!("nobody wants to know any more: {found:?}");
        }
    }
}

async fn in_time<T>(answer: impl Future<Output = Result<T, LinkError>>) -> Result<T, LinkError> {
    let answered = tokio::time::timeout(ANSWER_LIMIT, answer).await;
    answered.unwrap_or(Err(LinkError::Late { limit: ANSWER_LIMIT }))
}

impl Actor for PeerLink {
    type Context = Context<Self>;

    /// Finds out at once whether the other end is there and what it knows.
    fn started(&mut self, ctx: &mut Self::Context) {
        self.pump(ctx);
    }
}

impl Handler<ReadLink> for PeerLink {
    type Result = MessageResult<ReadLink>;

    fn handle(&mut self, _: ReadLink, _: &mut Self::Context) -> Self::Result {
        let LinkSetup { here, peer, kept_max, .. } = self.setup;
        let (kept, congestion) = (self.kept.len(), self.congestion);
        MessageResult(LinkState { here, peer, kept, kept_max, congestion })
    }
}

impl Handler<PeerEnvelope> for PeerLink {
    type Result = ();

    fn handle(&mut self, envelope: PeerEnvelope, ctx: &mut Self::Context) {
        self.learn(envelope.lives.clone());
        match &envelope.message {
            PeerMessage::Propagate(write) => {
                if !self.hopeless.contains(&write.dot) && self.kept.insert(write.dot) {
                    let attempt = if write.dot.origin != self.setup.here {
                        // It may have come from there, or from the third branch that accepted it.
                        Attempt::Again
                    } else if write.dot.sequence <= self.confirmed {
                        Attempt::Confirmed
                    } else {
                        Attempt::First
                    };
                    self.queue.push_back(Queued { envelope, attempt });
                    self.weigh();
                    self.pump(ctx);
                }
            }
            PeerMessage::CatchUp(here) => {
                // Who can be asked is no classic program any more.
                if self.setup.contract.is_none() && self.peer == Peer::Speaks(Contract::Classic) {
                    self.peer = Peer::Unknown;
                }
                self.question = Some(here.clone());
                // The other end may have just called: it is there again.
                self.end_rest(ctx);
                self.pump(ctx);
            }
            // The other end waits for none of these: it is answered in its own call. What it was
            // told in an answer is acknowledged when it is sent it again.
            PeerMessage::Acknowledge(_) | PeerMessage::Missed(_) | PeerMessage::Taken(_) => {}
        }
    }
}
