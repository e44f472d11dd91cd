//! What a branch that has a disk wants to say, until all that was to be kept before it is kept.

use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;

use actix::dev::{MessageResponse, OneshotSender};
use actix::fut::wrap_future;
use actix::{Actor, AsyncContext, Context, Message, Recipient};
use tokio::sync::oneshot;

use super::{Delivered, ReplyTo};
use crate::bank::{
    Acknowledgement, Applied, Kept, LifeList, Memory, PeerMessage, PropagatedWrite, Reply, Ticket,
};
use crate::model::{BranchId, LogPosition};
use crate::network::FaultKind;

/// Asks the storage to keep something, all of it or nothing. It is [`Committed`] before the next one
/// comes.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Commit {
    /// Which of the branch's.
    pub number: u64,
    /// What is to be kept, in order.
    pub kept: Vec<Kept>,
}

/// Tells a branch that its [`Commit`] with this number is kept.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Committed(pub u64);

/// What keeps what a branch wants kept.
#[derive(Debug, Clone)]
pub struct StorageLink {
    /// Who keeps it.
    pub commits: Recipient<Commit>,
    /// The power of its disk, where that is simulated.
    pub power: Option<Rc<dyn Power>>,
}

/// The power of a simulated disk, which fails when its branch crashes.
pub trait Power: fmt::Debug {
    /// It fails. Says what that does to the disk.
    fn fail(&self) -> Vec<FaultKind>;

    /// It is back. Gives all that was kept.
    fn restore(&self) -> Memory;
}

/// What a branch wants to say, in order. While one commit is under way the branch goes on, and what it
/// wants kept gathers for the next. It holds no more than requests and messages of peers are under way,
/// of which the edge lets in so many.
#[derive(Debug)]
pub(super) struct Outbox {
    storage: StorageLink,
    /// What the next commit keeps.
    gathered: Vec<Kept>,
    /// How many commits have begun.
    begun: u64,
    /// How many of them are kept.
    kept: u64,
    /// How many writes it was told that they are applied.
    applied: LogPosition,
    /// What is said when so many are kept.
    waiting: VecDeque<(u64, Output)>,
}

/// Something that a branch says.
#[derive(Debug)]
pub(super) enum Output {
    /// The answer to a request.
    Reply(Reply),
    /// That all is settled.
    Settled(Ticket),
    /// A write, to all others. The branch knew of these lives then.
    Broadcast(PropagatedWrite, LifeList),
    /// A message to another branch.
    Send { to: BranchId, message: PeerMessage, lives: LifeList },
    /// To those who brought a write, that it is applied.
    Acknowledged {
        to: BranchId,
        acknowledgement: Acknowledgement,
        waiting: Vec<ReplyTo<Delivered>>,
        lives: LifeList,
    },
    /// To one who brought something.
    Delivered(ReplyTo<Delivered>, Delivered),
    /// That a write is applied: for whoever observes, and for watchers.
    Applied(Applied),
    /// To one who has asked the actor, what that told it.
    Told(oneshot::Sender<()>),
}

impl Outbox {
    /// That of a branch whose `storage` keeps what it is asked to.
    pub(super) fn new(storage: StorageLink) -> Self {
        let waiting = VecDeque::new();
        let applied = LogPosition::default();
        Self { storage, gathered: Vec::new(), begun: 0, kept: 0, applied, waiting }
    }

    /// Has something kept, with the next commit.
    pub(super) fn keep(&mut self, kept: Kept) {
        self.gathered.push(kept);
    }

    /// How many commits must be kept before anything more is said.
    fn needed(&self) -> u64 {
        self.begun + u64::from(!self.gathered.is_empty())
    }

    /// Whether something is to be kept before anything more is said.
    pub(super) fn holds_back(&self) -> bool {
        self.needed() > self.kept
    }

    /// Says `output` when all is kept that was to be kept before it.
    pub(super) fn hold(&mut self, output: Output) {
        self.waiting.push_back((self.needed(), output));
    }

    /// Begins the next commit, if there is something to keep and none is under way.
    pub(super) fn commit(&mut self) {
        if self.begun == self.kept && !self.gathered.is_empty() {
            self.begun += 1;
            let kept = std::mem::take(&mut self.gathered);
            self.storage.commits.do_send(Commit { number: self.begun, kept });
        }
    }

    /// The commit that is under way is kept, if it has this number: an earlier one is of a branch that
    /// has stopped since.
    pub(super) fn committed(&mut self, Committed(number): Committed) {
        if number == self.begun {
            self.kept = number;
        }
        self.commit();
    }

    /// Takes out what may be said now, one after the other.
    pub(super) fn take_due(&mut self) -> Option<Output> {
        let kept = self.kept;
        self.waiting.pop_front_if(|(needed, _)| *needed <= kept).map(|(_, output)| output)
    }

    /// It was told that so many writes are applied.
    pub(super) fn tell_applied(&mut self, position: LogPosition) {
        self.applied = position;
    }

    /// How many writes it was told that they are applied.
    pub(super) fn applied(&self) -> LogPosition {
        self.applied
    }

    /// Its branch stops: what it has not said it never says, and what it wanted kept is kept or not.
    /// Says what that does to the disk.
    pub(super) fn stop(&mut self) -> Vec<FaultKind> {
        self.waiting.clear();
        self.gathered.clear();
        self.kept = self.begun;
        self.storage.power.as_ref().map_or(Vec::new(), |power| power.fail())
    }

    /// What its branch starts with again.
    pub(super) fn memory(&self) -> Option<Memory> {
        self.storage.power.as_ref().map(|power| power.restore())
    }
}

/// What an actor answers, at once or when all is kept that it rests on.
#[derive(Debug)]
pub enum Said<T> {
    /// At once.
    Now(T),
    /// When this is told.
    Later(T, oneshot::Receiver<()>),
}

impl<A, M> MessageResponse<A, M> for Said<M::Result>
where
    A: Actor<Context = Context<A>>,
    M: Message,
    M::Result: Send,
{
    fn handle(self, ctx: &mut Context<A>, answer: Option<OneshotSender<M::Result>>) {
        let Some(answer) = answer else { return };
        let tell = |said| {
            if answer.send(said).is_err() {
                log::debug!("nobody waits for an answer any more");
            }
        };
        match self {
            Self::Now(said) => tell(said),
            Self::Later(said, kept) => {
                let later = async move {
                    if kept.await.is_ok() {
                        tell(said);
                    }
                };
                ctx.spawn(wrap_future(later));
            }
        }
    }
}
