//! What each customer asked, in order, and what it was told.

use super::Impossible;
use super::index::{IdTable, NONE, place};
use super::writes::WriteRef;
use crate::model::{
    BranchId, BranchIndex, CustomerId, EventId, Money, Outcome, Receipt, RequestError,
    RequestNumber,
};

/// A customer, by its order of appearance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SessionRef(u32);

/// An operation of a session: 0 is its first request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OpRef {
    pub(super) session: SessionRef,
    pub(super) op: u32,
}

#[derive(Debug)]
pub(super) struct Op {
    /// How many requests all customers together had sent before it.
    pub(super) rank: u32,
    pub(super) branch: BranchIndex,
    pub(super) event: EventId,
    pub(super) asked: Asked,
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
    /// Which bound its position adds to: that of the session's next write. Known once all facts
    /// are in.
    pub(super) gap: Option<u32>,
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
    pub(super) ops: Vec<Op>,
    /// The writes that this customer's event ids name.
    pub(super) events: IdTable,
    awaits: Awaits,
}

impl Session {
    /// Checks that the customer can send this request now.
    pub(super) fn check_turn(&self, request: RequestNumber) -> Result<(), Impossible> {
        let customer = self.customer;
        let expected = number(self.ops.len());
        if request != expected {
            return Err(Impossible::RequestOutOfOrder { customer, request, expected });
        }
        match self.awaits {
            Awaits::Nothing => Ok(()),
            Awaits::Answer | Awaits::Arrival => {
                Err(Impossible::RequestsOverlap { customer, request })
            }
        }
    }

    /// Adds the request that [`Self::check_turn`] let pass.
    pub(super) fn ask(&mut self, op: Op) {
        self.ops.push(op);
        self.awaits = Awaits::Answer;
    }

    /// The branch and the operation of a request that was sent.
    pub(super) fn find(&self, request: RequestNumber) -> Result<(u32, &Op), Impossible> {
        let never_sent = Impossible::NeverSent { customer: self.customer, request };
        let op = request.get().checked_sub(1).and_then(|op| u32::try_from(op).ok());
        let op = op.ok_or(never_sent)?;
        self.ops.get(place(op)).map(|found| (op, found)).ok_or(never_sent)
    }

    /// The operations with their numbers in the session and among all requests.
    pub(super) fn numbered(&self) -> impl Iterator<Item = (u32, u64, BranchIndex, Asked)> {
        (0..).zip(&self.ops).map(|(op, found)| (op, found.rank.into(), found.branch, found.asked))
    }

    fn is_last(&self, op: u32) -> bool {
        place(op) + 1 == self.ops.len()
    }

    /// Takes note of the answer to operation `op`, given from a log of `position` writes.
    pub(super) fn answer(
        &mut self,
        op: u32,
        position: u32,
        outcome: &Outcome,
    ) -> Result<(), Impossible> {
        let (customer, request) = (self.customer, number(place(op)));
        if !self.is_last(op) || self.awaits != Awaits::Answer {
            return Err(Impossible::AnsweredTwice { customer, request });
        }
        let told = match (&mut self.ops[place(op)].asked, outcome) {
            (Asked::Write { told, .. }, Ok(Receipt::Written)) => {
                *told = Told::Written;
                Ok(())
            }
            (Asked::Write { told, .. }, Err(RequestError::Refused(_))) => {
                *told = Told::Refused;
                Ok(())
            }
            (Asked::Query(seen), Ok(Receipt::Balance(balance))) => {
                *seen = Some(Seen { position, balance: *balance, gap: None });
                Ok(())
            }
            (Asked::Write { .. }, Err(RequestError::OutcomeUnknown { .. }))
            | (
                Asked::Query(_),
                Err(RequestError::Refused(_) | RequestError::OutcomeUnknown { .. }),
            ) => Ok(()),
            (Asked::Write { .. }, Ok(Receipt::Balance(_)))
            | (Asked::Query(_), Ok(Receipt::Written)) => {
                Err(Impossible::OtherKind { customer, request })
            }
        };
        self.awaits = Awaits::Arrival;
        told
    }

    /// Takes note that the answer to operation `op` arrived.
    pub(super) fn arrive(&mut self, op: u32) -> Result<(), Impossible> {
        if !self.is_last(op) || self.awaits != Awaits::Arrival {
            let request = number(place(op));
            return Err(Impossible::NoReply { customer: self.customer, request });
        }
        self.awaits = Awaits::Nothing;
        Ok(())
    }
}

/// The request number of the operation at `place` of its session.
pub(super) fn number(place: usize) -> RequestNumber {
    RequestNumber::new(u64::try_from(place).map_or(u64::MAX, |place| place.saturating_add(1)))
}

#[derive(Debug, Default)]
pub(super) struct Sessions {
    by_customer: IdTable,
    all: Vec<Session>,
    requests: u32,
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
            ops: Vec::new(),
            events: IdTable::default(),
            awaits: Awaits::Nothing,
        });
        Ok(SessionRef(added))
    }

    /// The operation that `customer` asked of `branch` as its `request`-th.
    pub(super) fn find_op(
        &self,
        customer: CustomerId,
        request: RequestNumber,
        branch: (BranchIndex, BranchId),
        name: impl FnOnce(BranchIndex) -> BranchId,
    ) -> Result<OpRef, Impossible> {
        let Some(session) = self.by_customer.get(customer.get()).map(SessionRef) else {
            return Err(Impossible::NeverSent { customer, request });
        };
        let (op, found) = self.get(session).find(request)?;
        if found.branch != branch.0 {
            let asked = name(found.branch);
            return Err(Impossible::OtherBranch { customer, request, asked, found: branch.1 });
        }
        Ok(OpRef { session, op })
    }

    /// The rank of the next request.
    pub(super) fn next_rank(&mut self) -> Result<u32, Impossible> {
        let rank = self.requests;
        self.requests = rank.checked_add(1).ok_or(Impossible::TooMany)?;
        Ok(rank)
    }

    pub(super) fn get(&self, session: SessionRef) -> &Session {
        &self.all[place(session.0)]
    }

    pub(super) fn get_mut(&mut self, session: SessionRef) -> &mut Session {
        &mut self.all[place(session.0)]
    }

    pub(super) fn op(&self, at: OpRef) -> &Op {
        &self.get(at.session).ops[place(at.op)]
    }

    /// All sessions in their order of appearance.
    pub(super) fn iter(&self) -> impl Iterator<Item = (SessionRef, &Session)> {
        (0..).map(SessionRef).zip(&self.all)
    }

    /// All sessions in their order of appearance.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Session> {
        self.all.iter_mut()
    }
}
