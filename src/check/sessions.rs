//! What each customer asked, in order, and what it was told.

use std::collections::BTreeMap;

use super::InvalidHistory;
use super::index::{IdTable, NONE, WriteRef, place};
use crate::history::{Extent, Terms};
use crate::model::{
    BranchId, BranchIndex, CustomerId, EventId, Guarantees, Money, Outcome, OutcomeClass, Receipt,
    Refusal, RequestError, RequestNumber, Roster, Time,
};

/// A customer, by its order of appearance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SessionRef(u32);

impl SessionRef {
    pub(super) fn place(self) -> usize {
        place(self.0)
    }
}

/// An operation, by the order in which branches answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct OpRef(u32);

impl OpRef {
    /// None comes before it.
    pub(super) const FIRST: Self = Self(0);
}

impl OpRef {
    pub(super) fn is_before(self, other: Self) -> bool {
        self.0 < other.0
    }
}

/// A request and what became of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Op {
    pub(super) session: SessionRef,
    pub(super) sent: Sent,
    pub(super) asked: Asked,
    /// Where a branch answered it, if one did.
    pub(super) answered: Option<Mark>,
}

/// Where a fact stands among all, from 1, and when it happened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    pub(super) fact: u64,
    pub(super) at: Time,
}

/// A request as it was sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    /// Its number in the session: 1 is the first.
    pub(super) request: u32,
    /// How many requests all customers together had sent before it.
    pub(super) rank: u32,
    pub(super) mark: Mark,
    pub(super) branch: BranchIndex,
    pub(super) event: EventId,
    /// The write that it asks for; `None` is a query.
    pub(super) write: Option<WriteRef>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Asked {
    Write {
        write: WriteRef,
        /// What the customer was told of it; unknown if that was nothing.
        class: OutcomeClass,
        heard: Heard,
    },
    /// A query, and what it saw if it was answered with a balance.
    Query(Option<Seen>),
}

/// Whether a customer was told anything by the bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    Answer,
    Nothing,
}

/// What a read saw: the first `position` writes of its branch's log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) position: u32,
    pub(super) balance: Money,
}

/// What a customer waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaits {
    Nothing,
    /// The branch has not answered.
    Answer,
    /// The answer is under way.
    Arrival(OpRef),
}

/// A request that was not answered, and which branch has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    pub(super) sent: Sent,
    /// Whether its branch has received it.
    is_received: bool,
}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) customer: CustomerId,
    /// What the customer was promised; `None` where it is not known.
    pub(super) promised: Option<Guarantees>,
    /// How many requests it sent.
    pub(super) requests: u32,
    /// The writes that this customer's event ids name.
    pub(super) events: IdTable,
    last: Option<Open>,
    awaits: Awaits,
    /// Requests that it gave up before they were answered: they may be answered yet.
    given_up: BTreeMap<u32, Open>,
}

/// A request that was sent, as seen at its branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Its customer waits for the answer.
    Awaited,
    /// Its customer waits no longer, and it was not answered.
    GivenUp,
    /// It was answered.
    Answered,
}

impl Session {
    /// The number of the customer's next request, if `request` is that and may come now.
    pub(super) fn check_turn(&self, request: RequestNumber) -> Result<u32, InvalidHistory> {
        let customer = self.customer;
        let next = self.requests.checked_add(1).ok_or(InvalidHistory::TooMany)?;
        let expected = RequestNumber::new(next.into());
        if request != expected {
            return Err(InvalidHistory::RequestOutOfOrder { customer, request, expected });
        }
        match self.awaits {
            Awaits::Nothing => Ok(next),
            Awaits::Answer | Awaits::Arrival(_) => {
                Err(InvalidHistory::RequestsOverlap { customer, request })
            }
        }
    }

    /// Adds the request that [`Self::check_turn`] let pass.
    pub(super) fn ask(&mut self, sent: Sent) {
        self.requests = sent.request;
        self.last = Some(Open { sent, is_received: false });
        self.awaits = Awaits::Answer;
    }

    /// How it stands with a request that this session sent.
    pub(super) fn known(&self, request: u32) -> Known {
        if self.given_up.contains_key(&request) {
            Known::GivenUp
        } else if request == self.requests && self.awaits == Awaits::Answer {
            Known::Awaited
        } else {
            Known::Answered
        }
    }

    /// The branch that has a request: the last one's, or that of one that was given up.
    fn branch(&self, request: u32) -> Option<BranchIndex> {
        let last = self.last.filter(|last| last.sent.request == request);
        last.or_else(|| self.given_up.get(&request).copied()).map(|open| open.sent.branch)
    }

    fn open_mut(&mut self, request: u32) -> Option<&mut Open> {
        match self.known(request) {
            Known::Awaited => self.last.as_mut(),
            Known::GivenUp => self.given_up.get_mut(&request),
            Known::Answered => None,
        }
    }

    /// Takes note that a branch received a request.
    pub(super) fn receive(&mut self, request: u32) -> Result<(), InvalidHistory> {
        let customer = self.customer;
        match self.open_mut(request).filter(|open| !open.is_received) {
            Some(open) => {
                open.is_received = true;
                Ok(())
            }
            None => {
                let request = RequestNumber::new(request.into());
                Err(InvalidHistory::ReceivedTwice { customer, request })
            }
        }
    }

    /// Whether a branch has received a request that it answers now.
    pub(super) fn is_received(&mut self, request: u32) -> bool {
        self.open_mut(request).is_some_and(|open| open.is_received)
    }

    /// What the answer to the last request says, given from a log of `position` writes.
    pub(super) fn answer(&self, sent: Sent, said: &Answer<'_>) -> Result<Asked, InvalidHistory> {
        Ok(match (sent.write, said.outcome) {
            (Some(write), Ok(Receipt::Written) | Err(_)) => {
                let class = OutcomeClass::of(said.outcome);
                let heard = match (class, said.outcome) {
                    // This is recorded in place of an answer that did not come.
                    (OutcomeClass::Unknown, Err(RequestError::NoAnswer { .. })) => Heard::Nothing,
                    (OutcomeClass::Ok | OutcomeClass::Refused | OutcomeClass::Unknown, _) => {
                        Heard::Answer
                    }
                };
                Asked::Write { write, class, heard }
            }
            (None, Ok(Receipt::Balance(balance))) => {
                Asked::Query(Some(Seen { position: said.position, balance: *balance }))
            }
            (None, Err(_)) => Asked::Query(None),
            (Some(_), Ok(Receipt::Balance(_))) | (None, Ok(Receipt::Written)) => {
                let request = RequestNumber::new(sent.request.into());
                return Err(InvalidHistory::OtherKind { customer: self.customer, request });
            }
        })
    }

    /// The request that is answered now: the awaited one, or one that was given up.
    pub(super) fn answered(&mut self, request: u32) -> Result<Sent, InvalidHistory> {
        let open = match self.known(request) {
            Known::Awaited => self.last,
            Known::GivenUp => self.given_up.remove(&request),
            Known::Answered => None,
        };
        open.map(|open| open.sent).ok_or(InvalidHistory::AnsweredTwice {
            customer: self.customer,
            request: RequestNumber::new(request.into()),
        })
    }

    /// Takes note that the answer `op` is under way to the customer.
    pub(super) fn await_arrival(&mut self, op: OpRef) {
        self.awaits = Awaits::Arrival(op);
    }

    /// Takes note that the answer arrived.
    pub(super) fn arrive(&mut self, request: u32) -> Result<(), InvalidHistory> {
        match self.awaits {
            Awaits::Arrival(_) if request == self.requests => {
                self.awaits = Awaits::Nothing;
                Ok(())
            }
            Awaits::Arrival(_) | Awaits::Answer | Awaits::Nothing => {
                let request = RequestNumber::new(request.into());
                Err(InvalidHistory::NoReply { customer: self.customer, request })
            }
        }
    }
}

/// An answer, as a branch gave it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer<'a> {
    /// How long the branch's log was.
    pub(super) position: u32,
    pub(super) outcome: &'a Outcome,
}

impl Answer<'_> {
    /// The balance that a refusal claims.
    pub(super) fn claimed(&self) -> Option<Money> {
        match self.outcome {
            Err(RequestError::Refused(
                Refusal::InsufficientFunds { balance, .. } | Refusal::BalanceOutOfRange { balance },
            )) => Some(*balance),
            Err(
                RequestError::Refused(Refusal::OutOfOrder { .. } | Refusal::EventReused { .. })
                | RequestError::OutcomeUnknown { .. }
                | RequestError::NoAnswer { .. }
                | RequestError::Declined { .. }
                | RequestError::Unavailable { .. }
                | RequestError::Full { .. }
                | RequestError::VersionNotReached { .. }
                | RequestError::WritesLost { .. }
                | RequestError::Returning { .. },
            )
            | Ok(_) => None,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Sessions {
    by_customer: IdTable,
    all: Vec<Session>,
    requests: u32,
    /// In the order in which branches answered; what was not answered is last. Each session's
    /// operations are in their order, and so are the reads of each branch's log.
    ops: Vec<Op>,
    /// How many requests were given up.
    given_up: usize,
}

impl Sessions {
    /// The session of `customer`, new if need be, who was promised what `terms` say.
    pub(super) fn find_or_add(
        &mut self,
        customer: CustomerId,
        terms: Option<&Terms>,
    ) -> Result<SessionRef, InvalidHistory> {
        if let Some(found) = self.by_customer.get(customer.get()) {
            return Ok(SessionRef(found));
        }
        let added = u32::try_from(self.all.len()).map_err(|_| InvalidHistory::TooMany)?;
        if added == NONE {
            return Err(InvalidHistory::TooMany);
        }
        self.by_customer.insert(customer.get(), added);
        self.all.push(Session {
            customer,
            promised: terms.map(|terms| terms.guarantees.to(customer)),
            requests: 0,
            events: IdTable::default(),
            last: None,
            awaits: Awaits::Nothing,
            given_up: BTreeMap::new(),
        });
        Ok(SessionRef(added))
    }

    /// The session of a request that was sent, and its number there. Where the branch of the
    /// request is still known, it must be this one.
    pub(super) fn find(
        &self,
        customer: CustomerId,
        request: RequestNumber,
        (found_at, found): (BranchIndex, BranchId),
        roster: &Roster,
    ) -> Result<(SessionRef, u32), InvalidHistory> {
        let never = InvalidHistory::NeverSent { customer, request };
        let session = self.by_customer.get(customer.get()).map(SessionRef).ok_or(never)?;
        let number = u32::try_from(request.get()).map_err(|_| never)?;
        if number == 0 || number > self.get(session).requests {
            return Err(never);
        }
        match self.get(session).branch(number) {
            Some(asked) if asked != found_at => {
                let asked = roster.id(asked);
                Err(InvalidHistory::OtherBranch { customer, request, asked, found })
            }
            Some(_) | None => Ok((session, number)),
        }
    }

    /// The rank of the next request.
    pub(super) fn next_rank(&mut self) -> Result<u32, InvalidHistory> {
        let rank = self.requests;
        self.requests = rank.checked_add(1).ok_or(InvalidHistory::TooMany)?;
        Ok(rank)
    }

    /// Adds an operation that was answered.
    pub(super) fn add(&mut self, op: Op) -> OpRef {
        self.ops.push(op);
        OpRef(op_index(self.ops.len() - 1))
    }

    /// Takes note that the customer waits no longer for the answer to its last request. What it
    /// was not told it does not know.
    pub(super) fn give_up(&mut self, at: SessionRef, request: u32) -> Result<(), InvalidHistory> {
        let session = &mut self.all[at.place()];
        let is_last = request == session.requests;
        match (session.awaits, session.last) {
            (Awaits::Answer, Some(open)) if is_last => {
                self.given_up += 1;
                session.given_up.insert(request, open);
                session.awaits = Awaits::Nothing;
                self.ops.push(unanswered(at, open.sent));
                Ok(())
            }
            (Awaits::Arrival(op), Some(open)) if is_last => {
                session.awaits = Awaits::Nothing;
                self.ops[place(op.0)] = unanswered(at, open.sent);
                Ok(())
            }
            (Awaits::Nothing | Awaits::Answer | Awaits::Arrival(_), _) => {
                let request = RequestNumber::new(request.into());
                Err(InvalidHistory::NotAwaited { customer: session.customer, request })
            }
        }
    }

    /// Adds the operations that were not answered. Where the history was cut off, an answer that is
    /// under way may never arrive.
    pub(super) fn close(&mut self, extent: Extent) {
        for (at, session) in (0..).map(SessionRef).zip(&mut self.all) {
            match (session.awaits, session.last, extent) {
                (Awaits::Answer, Some(open), _) => {
                    session.awaits = Awaits::Nothing;
                    self.ops.push(unanswered(at, open.sent));
                }
                (Awaits::Arrival(op), Some(open), Extent::CutOff) => {
                    self.ops[place(op.0)] = unanswered(at, open.sent);
                }
                (Awaits::Arrival(_) | Awaits::Answer | Awaits::Nothing, _, _) => {}
            }
        }
    }

    pub(super) fn get(&self, session: SessionRef) -> &Session {
        &self.all[session.place()]
    }

    pub(super) fn get_mut(&mut self, session: SessionRef) -> &mut Session {
        &mut self.all[session.place()]
    }

    /// How many sessions there are.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// How many requests were sent.
    pub(super) fn requests(&self) -> usize {
        place(self.requests)
    }

    /// How many requests were given up.
    pub(super) fn given_up(&self) -> usize {
        self.given_up
    }

    pub(super) fn op(&self, at: OpRef) -> &Op {
        &self.ops[place(at.0)]
    }

    /// All operations in the order in which they were answered.
    pub(super) fn ops(&self) -> impl Iterator<Item = (OpRef, &Op)> {
        (0..).map(OpRef).zip(&self.ops)
    }

    /// The operations of the same session before `at`, in order.
    pub(super) fn before(&self, at: OpRef) -> impl Iterator<Item = (OpRef, &Op)> {
        let session = self.op(at).session;
        self.ops().take(place(at.0)).filter(move |(_, op)| op.session == session)
    }
}

/// A request that its customer got no answer to.
fn unanswered(session: SessionRef, sent: Sent) -> Op {
    let asked = match sent.write {
        Some(write) => Asked::Write { write, class: OutcomeClass::Unknown, heard: Heard::Nothing },
        None => Asked::Query(None),
    };
    Op { session, sent, asked, answered: None }
}

fn op_index(place: usize) -> u32 {
    u32::try_from(place).expect("requests are counted as they come in")
}
