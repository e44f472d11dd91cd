//! Everything that actors say to each other.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use actix::{Message, Recipient};
use tokio::sync::{oneshot, watch};

use crate::bank::{
    Acknowledgement, Congestion, EndOfLife, Entry, LifeList, Missed, PeerMessage, Session,
    VersionVector,
};
use crate::model::{
    BranchId, CustomerId, Event, EventId, LogEntry, LogPosition, MessageNumber, Money, Operation,
    Outcome, RequestError, RequestNumber, Waited, Write, WriteId,
};
use crate::network::Keeps;

/// Asks a branch for something, on behalf of a customer.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Ask {
    /// Who asks.
    pub customer: CustomerId,
    /// Which of the customer's requests.
    pub request: RequestNumber,
    /// The event id that it bears.
    pub event: EventId,
    /// What is asked.
    pub operation: Operation,
    /// What the customer has written and seen; `None` where it is promised nothing.
    pub session: Option<Session>,
    /// Who gets the answer.
    pub reply_to: ReplyTo<Answer>,
}

/// Who gets an answer: an actor, or a task that is none.
pub enum ReplyTo<M: Message<Result = ()> + Send> {
    /// An actor.
    Mailbox(Arc<Recipient<M>>),
    /// A task, which may have given up meanwhile.
    Caller(oneshot::Sender<M>),
    /// Whoever this tells. It is called in the branch's own handler, so it only passes on.
    Then(Box<dyn FnOnce(M) + Send>),
}

impl<M: Message<Result = ()> + Send> ReplyTo<M> {
    /// Whether nobody waits for it any more.
    pub(super) fn is_given_up(&self) -> bool {
        match self {
            Self::Caller(caller) => caller.is_closed(),
            Self::Mailbox(_) | Self::Then(_) => false,
        }
    }

    /// Sends the answer.
    pub fn send(self, answer: M) {
        match self {
            Self::Mailbox(recipient) => recipient.do_send(answer),
            Self::Then(pass_on) => pass_on(answer),
            Self::Caller(caller) => {
                if caller.send(answer).is_err() {
                    log::debug!("nobody waits for an answer any more");
                }
            }
        }
    }
}

impl<M: Message<Result = ()> + Send> fmt::Debug for ReplyTo<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mailbox(_) => "ReplyTo::Mailbox",
            Self::Caller(_) => "ReplyTo::Caller",
            Self::Then(_) => "ReplyTo::Then",
        })
    }
}

/// Answers an [`Ask`].
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Answer {
    /// The request's number.
    pub request: RequestNumber,
    /// The branch that answers.
    pub branch: BranchId,
    /// How it ended.
    pub outcome: Outcome,
    /// How long the branch's apply log is.
    pub position: LogPosition,
    /// The branch's balance.
    pub balance: Money,
    /// What the customer has to enter in its passbook.
    pub entry: Entry,
    /// How long the request waited before the branch took it up, and for what.
    pub waited: Option<Box<Waited>>,
}

/// Carries a message from one branch to another.
#[derive(Debug, Clone, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub struct PeerEnvelope {
    /// The branch that says it.
    pub from: BranchId,
    /// The branch that it is for.
    pub to: BranchId,
    /// Which of the sender's messages.
    pub number: MessageNumber,
    /// The sender's list of lives.
    pub lives: LifeList,
    /// What is said.
    pub message: PeerMessage,
}

/// Asks a branch to say when all writes that it has accepted so far are confirmed everywhere.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct AwaitSettled {
    /// Who is told.
    pub reply_to: ReplyTo<Settled>,
}

/// All writes that a branch had accepted when it was asked are confirmed everywhere.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Settled;

/// Tells a customer to make its next visit.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct MakeVisit {
    /// What to ask, in order.
    pub events: Vec<Event>,
    /// How long it waits before each, where that is said; empty where it is said of none.
    pub after: Vec<Option<Duration>>,
    /// Told when the last answer is there.
    pub done: oneshot::Sender<()>,
}

/// Asks a branch how it stands, with the first writes of its apply log. An error while it is down, as of
/// all that asks how it stands.
#[derive(Debug, Message)]
#[rtype(result = "Result<BranchState, RequestError>")]
pub struct Inspect {
    /// How many writes at most.
    pub most: usize,
}

/// Tells a branch that the bank closes: it answers all who wait, and makes no request wait any
/// more.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct AnswerAll;

/// Asks a branch how it stands, in brief: costs the same however long its apply log is.
#[derive(Debug, Message)]
#[rtype(result = "Result<BranchSummary, RequestError>")]
pub struct Summarize;

/// How a branch stands, in brief.
#[derive(Debug, Clone)]
pub struct BranchSummary {
    /// Its id.
    pub id: BranchId,
    /// Its balance, or `None` where that is out of range.
    pub balance: Option<Money>,
    /// Which writes are applied there.
    pub version: VersionVector,
    /// The lives that it knows of.
    pub lives: LifeList,
    /// How many writes came there.
    pub came: LogPosition,
    /// How many may come before it takes no more of customers.
    pub log_max: Option<LogPosition>,
    /// How long its apply log is.
    pub position: LogPosition,
}

/// Asks a branch for the highest event id in a customer's write set, after which the next one is to be
/// given. An error where others may hold a higher one, and the branch does not know; also while it is down.
#[derive(Debug, Message)]
#[rtype(result = "Result<Option<EventId>, RequestError>")]
pub struct LatestEvent(pub CustomerId);

/// How a branch stands.
#[derive(Debug, Clone)]
pub struct BranchState {
    /// In brief.
    pub summary: BranchSummary,
    /// Its apply log, or the first writes of it.
    pub log: Vec<LogEntry>,
}

/// Asks a branch for one customer's write set.
#[derive(Debug, Message)]
#[rtype(result = "Result<WriteSetState, RequestError>")]
pub struct ReadWriteSet(pub CustomerId);

/// Asks a branch for one customer's write set when its apply log was so long: what was there when
/// it gave an answer, whatever has come since.
#[derive(Debug, Message)]
#[rtype(result = "Vec<EventId>")]
pub struct WriteSetAt(pub CustomerId, pub LogPosition);

/// A customer's write set at a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteSetState {
    /// The branch's balance, or `None` where that is out of range.
    pub balance: Option<Money>,
    /// The event ids of the customer's writes, in the order applied there.
    pub write_set: Vec<EventId>,
}

/// Asks a branch for a part of its apply log.
#[derive(Debug, Message)]
#[rtype(result = "Vec<LogEntry>")]
pub struct ReadLog {
    /// The part begins after this position.
    pub after: LogPosition,
    /// How many entries at most.
    pub most: usize,
}

/// Asks a branch for its balance when its apply log was so long; `None` where that is out of range.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Option<Money>")]
pub struct BalanceAt(pub LogPosition);

/// Asks a branch to be told how long its apply log is, now and whenever that changes, until it stops.
#[derive(Debug, Message)]
#[rtype(result = "Result<watch::Receiver<LogPosition>, RequestError>")]
pub struct Watch;

/// Tells a branch that was there before, or does not know whether others were, that it starts. Comes
/// before all else.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Begin;

/// Says whether a branch serves that started without all that it had said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It does now.
    Serves(BranchId),
    /// It never will again: another one is this branch.
    Ended {
        /// The branch.
        branch: BranchId,
        /// Why.
        end: EndOfLife,
    },
}

/// Tells a branch the list of lives of another one, which says nothing else.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct Heard {
    /// The other branch.
    pub from: BranchId,
    /// Its list.
    pub lives: LifeList,
}

/// Brings a write or a question from a branch elsewhere, to be answered to its bringer.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Deliver {
    /// What the other branch sent.
    pub envelope: PeerEnvelope,
    /// How many writes of its sender may wait for others, this one among them.
    pub waiting_max: usize,
    /// Who gets the answer.
    pub reply_to: ReplyTo<Delivered>,
}

/// Answers a [`Deliver`].
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub enum Delivered {
    /// The write is applied.
    Applied {
        /// The acknowledgement.
        acknowledgement: Acknowledgement,
        /// Which of the branch's messages it is.
        number: MessageNumber,
        /// The branch's list of lives.
        lives: LifeList,
    },
    /// The answer to the question.
    Answered {
        /// What the asker lacks.
        missed: Missed,
        /// The branch's list of lives.
        lives: LifeList,
    },
    /// Whoever sent it is over, or it is meant for another life of the branch.
    ThrownAway {
        /// The branch's list of lives, which says so.
        lives: LifeList,
    },
    /// Its number names another write here.
    Conflicts,
    /// It would have to wait, and too many writes of its sender wait already: it is not taken.
    Crowded {
        /// How many.
        waiting: usize,
    },
}

/// Brings a write from a branch elsewhere that speaks the classic contract.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Relay {
    /// The branch that accepted it.
    pub from: BranchId,
    /// Its name.
    pub id: WriteId,
    /// What it does.
    pub write: Write,
    /// Who gets the answer.
    pub reply_to: ReplyTo<Answer>,
}

/// Tells a branch how the link to another one does.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct LinkChange {
    /// The branch at the other end.
    pub peer: BranchId,
    /// What is new.
    pub news: LinkEvent,
}

/// Tells a branch to stop: all that it has in hand is gone.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Stop;

/// Tells a branch that is down to start again, with so much of its log.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct StartAgain(pub Keeps);

/// Tells a customer that a branch has stopped, or has started again: who waits for its answer waits no
/// longer.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct BranchNews {
    /// The branch.
    pub branch: BranchId,
    /// Whether it is there.
    pub is_up: bool,
}

/// What is new of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkEvent {
    /// The other end can be reached, now or again.
    InReach,
    /// The other end knows of no lives, and can never be asked what it holds.
    KnowsNoLives,
    /// It takes more or less than before.
    Congestion(Congestion),
}
