//! Everything that actors say to each other.

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use actix::{Message, Recipient};
use tokio::sync::oneshot;

use crate::bank::{Entry, LogEntry, PeerMessage, Session};
use crate::history::{Recorded, RequestResult};
use crate::model::{
    BranchId, CustomerId, Event, EventId, LogPosition, MessageNumber, Money, Operation, Outcome,
    QueryTiming, RequestNumber, Roster,
};

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
    Mailbox(Recipient<M>),
    /// A task, which may have given up meanwhile.
    Caller(oneshot::Sender<M>),
}

impl<M: Message<Result = ()> + Send> ReplyTo<M> {
    /// Sends the answer.
    pub fn send(self, answer: M) {
        match self {
            Self::Mailbox(recipient) => recipient.do_send(answer),
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
    /// Told when the last answer is there.
    pub done: oneshot::Sender<()>,
}

/// Asks a customer for all its requests, and leaves it none.
#[derive(Debug, Message)]
#[rtype(result = "Vec<RequestResult>")]
pub struct TakeRequests;

/// Asks a branch how it stands.
#[derive(Debug, Message)]
#[rtype(result = "BranchState")]
pub struct Inspect;

/// How a branch stands.
#[derive(Debug, Clone)]
pub struct BranchState {
    /// Its id.
    pub id: BranchId,
    /// Its balance, or `None` where that is out of range.
    pub balance: Option<Money>,
    /// Its apply log.
    pub log: Vec<LogEntry>,
}

/// Records a fact.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Record(pub Recorded);

/// Asks the recorder for all facts, and leaves it none.
#[derive(Debug, Message)]
#[rtype(result = "Vec<Recorded>")]
pub struct TakeFacts;

/// Where messages for each branch are dropped: its own mailbox, or whatever stands for it.
#[derive(Debug, Clone)]
pub struct Peers {
    /// The branches.
    pub roster: Arc<Roster>,
    /// One recipient per branch, ascending by id.
    pub links: Rc<[Recipient<PeerEnvelope>]>,
}

/// Where customers turn to at each branch.
#[derive(Debug, Clone)]
pub struct Counters {
    /// The branches.
    pub roster: Arc<Roster>,
    /// One counter per branch, ascending by id.
    pub counters: Rc<[Counter]>,
    /// When queries are sent.
    pub queries: QueryTiming,
}

/// Where customers turn to at one branch.
#[derive(Debug, Clone)]
pub struct Counter {
    /// Takes requests.
    pub ask: Recipient<Ask>,
    /// Says when the branch is settled.
    pub settle: Recipient<AwaitSettled>,
}

impl Peers {
    /// The recipient for the branch `to`.
    ///
    /// Panics if it is no branch of the roster.
    pub fn link(&self, to: BranchId) -> &Recipient<PeerEnvelope> {
        &self.links[self.roster.index(to).expect("a message is for a branch of the roster").get()]
    }
}

impl Counters {
    /// The counter of the branch `id`.
    ///
    /// Panics if it is no branch of the roster.
    pub fn at(&self, id: BranchId) -> &Counter {
        &self.counters[self.roster.index(id).expect("a visit is to a branch of the roster").get()]
    }
}
