//! What goes into a branch and what comes out of it.

use std::fmt;

use super::{Dependencies, Entry, Kept, LifeList, Passbook, VersionVector, WriteSetDigest};
use crate::model::{
    BranchId, CustomerId, Dot, EventId, Guarantees, Life, LogEntry, LogPosition, Money, Operation,
    Outcome, Sequence, Waited, Write, WriteId,
};

/// What a branch is told. The caller adds the time at which it came.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Input {
    /// It has started again: it asks the others for what it lacks. Comes first, to a branch that was
    /// made by [`Branch::again`](super::Branch::again).
    Started,
    /// A customer asks for something.
    Requested(Request),
    /// Someone asks to be told when the writes accepted here so far are confirmed everywhere.
    SettleRequested(Ticket),
    /// Another branch says something.
    FromPeer {
        /// The branch that says it.
        from: BranchId,
        /// The sender's list of lives: in it, which life says it, and to which.
        lives: LifeList,
        /// What it says.
        message: PeerMessage,
    },
    /// Another branch did not take what it was told, or says nothing else yet: this is its list of
    /// lives.
    Heard {
        /// The branch.
        from: BranchId,
        /// Its list.
        lives: LifeList,
    },
    /// A branch that knows no origins and sequences sends a write that it accepted.
    Relayed(Relayed),
    /// This branch or that one was away: it is asked for what is missing here.
    InReach(BranchId),
    /// That branch knows of no lives: nobody can ask it what it holds. So nothing is closed here as
    /// long as it is like that.
    KnowsNoLives(BranchId),
    /// How much more can be sent to a branch has changed.
    Congestion {
        /// The branch.
        peer: BranchId,
        /// Whether anything can be sent to it.
        congestion: Congestion,
    },
    /// The bank closes: all who wait are answered now, and nothing waits any more.
    Closing,
    /// The moment that [`Branch::next_deadline`](super::Branch::next_deadline) gave has come.
    DeadlineReached,
}

/// A write from a branch that knows no origins and sequences. Such a branch sends its writes in the
/// order in which it accepted them, and the reply goes to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relayed {
    /// Comes back with the reply.
    pub ticket: Ticket,
    /// The branch that accepted the write.
    pub from: BranchId,
    /// Its name.
    pub id: WriteId,
    /// What it does.
    pub write: Write,
}

/// Whether the way to a branch takes more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Congestion {
    /// It takes more.
    Clear,
    /// As much is on its way as can be kept. New writes are refused.
    Full,
}

/// What a branch wants done. The caller does it, in order: each of them, so another one that comes is
/// a change that no caller must miss. With each message goes [`Branch::lives`](super::Branch::lives).
#[derive(Debug, Clone)]
pub enum Effect {
    /// Keep this before anything is said that comes after it. Only of a branch that has a disk:
    /// [`Durability::Disk`](crate::model::Durability::Disk).
    Persist(Kept),
    /// Answer a request.
    Reply(Reply),
    /// Nothing to do: a request, which is answered next or waits for confirmations now, has waited.
    Waited {
        /// The request's.
        ticket: Ticket,
        /// How long, and for what.
        waited: Waited,
    },
    /// Tell the asker that everything is settled.
    Settled(Ticket),
    /// Send a write to every other branch.
    Broadcast(PropagatedWrite),
    /// Send a message to one branch.
    Send {
        /// The receiver.
        to: BranchId,
        /// What to send.
        message: PeerMessage,
    },
    /// Nothing to do: a write was applied.
    Applied(Applied),
    /// Nothing can be done but tell a person: two different writes bear the same origin, life and
    /// sequence. Two processes are that branch, or its number of a life was drawn twice.
    Conflict(PropagatedWrite),
    /// Nothing to do, but where it is kept: a branch has begun a new life, and the list of lives is
    /// this now.
    Lives(LifeList),
    /// Nothing to do: all others have answered with the same list of lives as here. What is here of
    /// the lives that are over is all that is left of them.
    Closed,
    /// Stop: another one is this branch now. It takes no input any more.
    Ended(EndOfLife),
    /// Nothing can be done but tell a person: a customer gave one event id to two different writes,
    /// and two branches accepted one each before they heard of the other. Both are applied; this
    /// one comes second here.
    IdClash(PropagatedWrite),
    /// Nothing to do: a write set that another branch acknowledged was compared with ours.
    Compared {
        /// The branch that acknowledged.
        with: BranchId,
        /// The write that it acknowledged.
        id: WriteId,
        /// Whether both hold the same writes of the customer in the same order, up to this one.
        /// Where an id names two writes, a branch that has not heard of both disagrees until then.
        agrees: bool,
    },
}

/// A branch has ended: another one goes on in its place, or has gone on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndOfLife {
    /// A later life of it is there.
    Succeeded {
        /// Which.
        by: Life,
    },
    /// The number of one of its writes names another write at this branch.
    NumberTaken {
        /// The branch.
        at: BranchId,
    },
}

impl fmt::Display for EndOfLife {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Succeeded { by } => write!(f, "its later life {by} is there"),
            Self::NumberTaken { at } => {
                write!(f, "the number of one of its writes names another write at branch {at}")
            }
        }
    }
}

/// Names a request. The caller chooses it, never the same one twice, and gets it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// What a customer asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Comes back with the reply.
    pub ticket: Ticket,
    /// Who asks.
    pub customer: CustomerId,
    /// The event id that it bears.
    pub event: EventId,
    /// What is asked.
    pub operation: Operation,
    /// What the session has written and seen; `None` where it is promised nothing.
    pub session: Option<Session>,
}

/// What a customer shows at the counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// What it has written and seen so far.
    pub passbook: Passbook,
    /// What it is promised.
    pub guarantees: Guarantees,
}

/// The answer to a [`Request`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The request's.
    pub ticket: Ticket,
    /// How it ended.
    pub outcome: Outcome,
    /// How long the apply log is.
    pub position: LogPosition,
    /// The balance here; at the end of its range where it is beyond.
    pub balance: Money,
    /// What the session has to enter in its passbook.
    pub entry: Entry,
}

/// What branches say to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PeerMessage {
    /// Apply this write.
    Propagate(PropagatedWrite),
    /// This write is applied here.
    Acknowledge(Acknowledgement),
    /// Send me what I have not: I have this.
    CatchUp(VersionVector),
    /// An answer to that.
    Missed(Missed),
    /// The number of this write, which you sent, names another one here.
    Taken(Dot),
}

/// What a branch that asked has not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    /// In the order applied where it was asked, which respects all dependencies.
    pub writes: Vec<LogEntry>,
    /// Whether there is more: to ask for it is a question of its own.
    pub rest: Rest,
    /// How many writes of the asker's life are applied where it was asked: an acknowledgement of all
    /// of those. `None` from one that does not say it.
    pub held: Option<Sequence>,
}

/// Whether an answer says all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// It does.
    Nothing,
    /// There is more.
    More,
}

/// A write on its way to another branch. Cheap to copy: copies share the dependencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropagatedWrite {
    /// Which of its origin's writes it is.
    pub dot: Dot,
    /// Its name.
    pub id: WriteId,
    /// What it does.
    pub write: Write,
    /// What must be applied before it, if anything.
    pub dependencies: Option<Dependencies>,
}

/// Says that a write is applied at the branch that sends this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Which of its origin's writes it is.
    pub dot: Dot,
    /// Its name.
    pub id: WriteId,
    /// The customer's write set here, up to and with this write.
    pub write_set: WriteSetDigest,
}

/// A write that a branch just applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// Which of its origin's writes it is.
    pub dot: Dot,
    /// Its name.
    pub id: WriteId,
    /// What it does.
    pub write: Write,
    /// Its place in the apply log: 1 is the first.
    pub position: LogPosition,
    /// The balance after it; at the end of its range where it is beyond.
    pub balance: Money,
}
