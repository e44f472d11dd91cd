//! What each customer asked, in order, and what it was told.

use super::Impossible;
use super::index::{IdTable, NONE, place};
use super::writes::WriteRef;
use crate::model::{
    BranchId, BranchIndex, CustomerId, EventId, Money, Outcome, Receipt, RequestError,
    RequestNumber, Roster,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OpRef(u32);

/// A request and what became of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Op {
    pub(super) session: SessionRef,
    pub(super) sent: Sent,
    pub(super) asked: Asked,
}

/// A request as it was sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    /// Its number in the session: 1 is the first.
    pub(super) request: u32,
    /// How many requests all customers together had sent before it.
    pub(super) rank: u32,
    pub(super) branch: BranchIndex,
    pub(super) event: EventId,
    /// The write that it asks for; `None` is a query.
    pub(super) write: Option<WriteRef>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Asked {
    Write {
        write: WriteRef,
        told: Told,
    },
    /// A query, and what it saw if it was answered with a balance.
    Query(Option<Seen>),
}

/// What a customer was told of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// Nothing, or that nobody knows.
    Unknown,
    Written,
    Refused,
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
    Arrival,
}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) customer: CustomerId,
    /// How many requests it sent.
    pub(super) requests: u32,
    /// The writes that this customer's event ids name.
    pub(super) events: IdTable,
    last: Option<Sent>,
    awaits: Awaits,
}

impl Session {
    /// The number of the customer's next request, if `request` is that and may come now.
    pub(super) fn check_turn(&self, request: RequestNumber) -> Result<u32, Impossible> {
        let customer = self.customer;
        let next = self.requests.checked_add(1).ok_or(Impossible::TooMany)?;
        let expected = RequestNumber::new(next.into());
        if request != expected {
            return Err(Impossible::RequestOutOfOrder { customer, request, expected });
        }
        match self.awaits {
            Awaits::Nothing => Ok(next),
            Awaits::Answer | Awaits::Arrival => {
                Err(Impossible::RequestsOverlap { customer, request })
            }
        }
    }

    /// Adds the request that [`Self::check_turn`] let pass.
    pub(super) fn ask(&mut self, sent: Sent) {
        self.requests = sent.request;
        self.last = Some(sent);
        self.awaits = Awaits::Answer;
    }

    /// The customer's last request, if it is this one.
    fn last(&self, request: RequestNumber) -> Option<Sent> {
        self.last.filter(|sent| u64::from(sent.request) == request.get())
    }

    /// Takes note of the answer, given from a log of `position` writes.
    pub(super) fn answer(
        &mut self,
        request: RequestNumber,
        position: u32,
        outcome: &Outcome,
    ) -> Result<(Sent, Asked), Impossible> {
        let customer = self.customer;
        let is_awaited = self.awaits == Awaits::Answer;
        let Some(sent) = self.last(request).filter(|_| is_awaited) else {
            return Err(Impossible::AnsweredTwice { customer, request });
        };
        let asked = match (sent.write, outcome) {
            (Some(write), Ok(Receipt::Written)) => Asked::Write { write, told: Told::Written },
            (
                Some(write),
                Err(
                    RequestError::Refused(_)
                    | RequestError::VersionNotReached { .. }
                    | RequestError::Unavailable { .. }
                    | RequestError::Declined { .. },
                ),
            ) => Asked::Write { write, told: Told::Refused },
            (
                Some(write),
                Err(RequestError::OutcomeUnknown { .. } | RequestError::NoAnswer { .. }),
            ) => Asked::Write { write, told: Told::Unknown },
            (None, Ok(Receipt::Balance(balance))) => {
                Asked::Query(Some(Seen { position, balance: *balance }))
            }
            (None, Err(_)) => Asked::Query(None),
            (Some(_), Ok(Receipt::Balance(_))) | (None, Ok(Receipt::Written)) => {
                return Err(Impossible::OtherKind { customer, request });
            }
        };
        self.awaits = Awaits::Arrival;
        Ok((sent, asked))
    }

    /// Takes note that the answer arrived.
    pub(super) fn arrive(&mut self, request: RequestNumber) -> Result<(), Impossible> {
        if self.last(request).is_none() || self.awaits != Awaits::Arrival {
            return Err(Impossible::NoReply { customer: self.customer, request });
        }
        self.awaits = Awaits::Nothing;
        Ok(())
    }
}

#[derive(Debug, Default)]
pub(super) struct Sessions {
    by_customer: IdTable,
    all: Vec<Session>,
    requests: u32,
    /// In the order in which branches answered; what nobody answered comes last. Each session's
    /// operations are in their order, and so are the reads of each branch's log.
    ops: Vec<Op>,
}

impl Sessions {
    pub(super) fn find_or_add(&mut self, customer: CustomerId) -> Result<SessionRef, Impossible> {
        if let Some(found) = self.by_customer.get(customer.get()) {
            return Ok(SessionRef(found));
        }
        let added = u32::try_from(self.all.len()).map_err(|_| Impossible::TooMany)?;
        if added == NONE {
            return Err(Impossible::TooMany);
        }
        self.by_customer.insert(customer.get(), added);
        self.all.push(Session {
            customer,
            requests: 0,
            events: IdTable::default(),
            last: None,
            awaits: Awaits::Nothing,
        });
        Ok(SessionRef(added))
    }

    /// The session of a request that was sent. Only its last request still has its branch: a
    /// branch may be late to receive others a second time.
    pub(super) fn find(
        &self,
        customer: CustomerId,
        request: RequestNumber,
        (found_at, found): (BranchIndex, BranchId),
        roster: &Roster,
    ) -> Result<SessionRef, Impossible> {
        let Some(session) = self.by_customer.get(customer.get()).map(SessionRef) else {
            return Err(Impossible::NeverSent { customer, request });
        };
        if request.get() == 0 || request.get() > self.get(session).requests.into() {
            return Err(Impossible::NeverSent { customer, request });
        }
        match self.get(session).last(request) {
            Some(sent) if sent.branch != found_at => {
                let asked = roster.id(sent.branch);
                Err(Impossible::OtherBranch { customer, request, asked, found })
            }
            Some(_) | None => Ok(session),
        }
    }

    /// The rank of the next request.
    pub(super) fn next_rank(&mut self) -> Result<u32, Impossible> {
        let rank = self.requests;
        self.requests = rank.checked_add(1).ok_or(Impossible::TooMany)?;
        Ok(rank)
    }

    /// Adds an operation that was answered.
    pub(super) fn add(&mut self, op: Op) -> OpRef {
        self.ops.push(op);
        OpRef(op_index(self.ops.len() - 1))
    }

    /// Adds the operations that nobody answered.
    pub(super) fn close(&mut self) {
        for (session, found) in (0..).map(SessionRef).zip(&mut self.all) {
            let Some(sent) = found.last.filter(|_| found.awaits == Awaits::Answer) else {
                continue;
            };
            found.awaits = Awaits::Arrival;
            let asked = match sent.write {
                Some(write) => Asked::Write { write, told: Told::Unknown },
                None => Asked::Query(None),
            };
            self.ops.push(Op { session, sent, asked });
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

fn op_index(place: usize) -> u32 {
    u32::try_from(place).expect("requests are counted as they come in")
}
