//! What a history holds, in the order and the shape in which it is judged; and the balances,
//! which can be judged at once.

use std::sync::Arc;

use super::index::place;
use super::sessions::{Asked, Mark, Op, OpRef, Sent, SessionRef, Sessions, Told};
use super::tally::Tally;
use super::verdict::Promised;
use super::writes::{ABSENT, FirstSeen, WriteRef, Writes};
use super::{Case, Impossible};
use crate::history::{Fact, Recorded, Terms};
use crate::model::{
    BranchId, BranchIndex, CustomerId, Guarantee, LogPosition, Money, Operation, Outcome,
    RequestNumber, Roster, Time, Write, WriteId,
};

#[derive(Debug)]
pub(super) struct BranchLog {
    /// The apply log.
    pub(super) writes: Vec<WriteRef>,
    /// The sum of the opening balance and the log.
    sum: i128,
    /// The balance after the last write, as the branch gave it.
    pub(super) balance: Money,
}

/// A balance that is not the sum of what is behind it.
#[derive(Debug)]
pub(super) enum WrongBalance {
    Read { op: OpRef, sum_minor: i128 },
    Apply { at: Apply, found: Money, sum_minor: i128 },
}

/// A write that was applied somewhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct Apply {
    pub(super) mark: Mark,
    pub(super) branch: BranchIndex,
    pub(super) write: WriteRef,
    pub(super) position: u32,
}

#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) roster: Arc<Roster>,
    pub(super) terms: Option<Terms>,
    pub(super) branches: Vec<BranchLog>,
    pub(super) sessions: Sessions,
    pub(super) writes: Writes,
    balances: Tally<WrongBalance>,
    /// How many witnesses are kept.
    pub(super) witnesses: usize,
    /// The last fact.
    now: Mark,
}

/// A request, as facts name it.
#[derive(Debug, Clone, Copy)]
struct Request {
    customer: CustomerId,
    request: RequestNumber,
    branch: BranchId,
}

impl Ledger {
    /// The ledger of `case`, which keeps what `witnesses` are made of.
    pub(super) fn new(Case { roster, opening_balance, terms }: Case, witnesses: usize) -> Self {
        let opening = opening_balance;
        let log =
            || BranchLog { writes: Vec::new(), sum: opening.minor().into(), balance: opening };
        Self {
            branches: roster.indexes().map(|_| log()).collect(),
            sessions: Sessions::default(),
            writes: Writes::new(roster.len()),
            balances: Tally::new(witnesses),
            witnesses,
            now: Mark { fact: 0, at: Time::START },
            roster,
            terms,
        }
    }

    pub(super) fn facts(&self) -> u64 {
        self.now.fact
    }

    /// The tests of the balances. None is left.
    pub(super) fn take_balances(&mut self) -> Tally<WrongBalance> {
        std::mem::replace(&mut self.balances, Tally::new(self.witnesses))
    }

    /// Adds a fact.
    pub(super) fn add(&mut self, recorded: &Recorded) -> Result<(), Impossible> {
        self.now = Mark { fact: self.now.fact + 1, at: recorded.at };
        match recorded.fact {
            Fact::RequestSent { customer, request, branch, event, operation } => {
                let sent = Request { customer, request, branch };
                self.request_sent(sent, WriteId { customer, event }, operation)
            }
            Fact::RequestReceived { branch, customer, request } => {
                self.find(Request { customer, request, branch }).map(|_| ())
            }
            Fact::WriteApplied { branch, id, write, origin, position, balance, sequence: _ } => {
                self.index(origin)?;
                self.write_applied(branch, (id, write), position, balance)
            }
            Fact::MessageSent { from, to, .. }
            | Fact::MessageReceived { from, to, .. }
            | Fact::MessageLost { from, to, .. } => {
                self.index(from).and_then(|_| self.index(to)).map(|_| ())
            }
            Fact::WriteSetCompared { branch, with, .. } => {
                self.index(branch).and_then(|_| self.index(with)).map(|_| ())
            }
            Fact::ReplySent { branch, customer, request, position, ref outcome } => {
                self.reply_sent(Request { customer, request, branch }, position, outcome)
            }
            Fact::ReplyReceived { customer, request, branch } => {
                let session = self.find(Request { customer, request, branch })?;
                self.sessions.get_mut(session).arrive(request)
            }
        }
    }

    /// Whether the customer of `session` was promised `guarantee`.
    pub(super) fn promised(&self, session: SessionRef, guarantee: Guarantee) -> Promised {
        match self.sessions.get(session).promised {
            Some(promised) if promised.has(guarantee) => Promised::Yes,
            Some(_) => Promised::No,
            None => Promised::Unknown,
        }
    }

    pub(super) fn index(&self, branch: BranchId) -> Result<BranchIndex, Impossible> {
        self.roster.index(branch).ok_or(Impossible::UnknownBranch { branch })
    }

    fn find(
        &self,
        Request { customer, request, branch }: Request,
    ) -> Result<SessionRef, Impossible> {
        let found = (self.index(branch)?, branch);
        self.sessions.find(customer, request, found, &self.roster)
    }

    fn request_sent(
        &mut self,
        Request { customer, request, branch }: Request,
        id: WriteId,
        operation: Operation,
    ) -> Result<(), Impossible> {
        let branch = self.index(branch)?;
        let session = self.sessions.find_or_add(customer, self.terms.as_ref())?;
        let request = self.sessions.get(session).check_turn(request)?;
        let rank = self.sessions.next_rank()?;
        let session = self.sessions.get_mut(session);
        let write = match operation {
            Operation::Write(write) => {
                Some(self.writes.find_or_add(&mut session.events, id, write, FirstSeen::Asked)?)
            }
            Operation::Query => None,
        };
        session.ask(Sent { request, rank, mark: self.now, branch, event: id.event, write });
        Ok(())
    }

    fn write_applied(
        &mut self,
        branch: BranchId,
        (id, write): (WriteId, Write),
        said: LogPosition,
        found: Money,
    ) -> Result<(), Impossible> {
        let index = self.index(branch)?;
        let session = self.sessions.find_or_add(id.customer, self.terms.as_ref())?;
        let events = &mut self.sessions.get_mut(session).events;
        let log = &mut self.branches[index.get()];
        let expected = log_length(&log.writes)?.next();
        if said != expected {
            return Err(Impossible::ApplyOutOfPlace { branch, said, expected });
        }
        let position = position(said)?;
        let delta = write.delta();
        let write = self.writes.find_or_add(events, id, write, FirstSeen::Applied)?;
        self.writes.apply(write, index, position);
        log.writes.push(write);
        log.sum = log.sum.saturating_add(delta.minor().into());
        log.balance = found;
        self.balances.test(Promised::Yes);
        if i128::from(found.minor()) != log.sum {
            let at = Apply { mark: self.now, branch: index, write, position };
            let wrong = WrongBalance::Apply { at, found, sum_minor: log.sum };
            self.balances.fail(Promised::Yes, self.now.fact, wrong);
        }
        Ok(())
    }

    fn reply_sent(
        &mut self,
        request: Request,
        said: LogPosition,
        outcome: &Outcome,
    ) -> Result<(), Impossible> {
        let Request { request: number, branch, .. } = request;
        let session = self.find(request)?;
        let log = &self.branches[self.index(branch)?.get()];
        let (sum_minor, held) = (log.sum, log_length(&log.writes)?);
        if said != held {
            return Err(Impossible::OtherLogLength { branch, said, held });
        }
        let position = position(said)?;
        let (sent, asked) = self.sessions.get_mut(session).answer(number, position, outcome)?;
        let op = self.sessions.add(Op { session, sent, asked, answered: Some(self.now) });
        match asked {
            Asked::Write { write, told } => self.writes.entry_mut(write).tell(told),
            Asked::Query(Some(seen)) => {
                self.balances.test(Promised::Yes);
                if i128::from(seen.balance.minor()) != sum_minor {
                    let wrong = WrongBalance::Read { op, sum_minor };
                    self.balances.fail(Promised::Yes, self.now.fact, wrong);
                }
            }
            Asked::Query(None) => {}
        }
        Ok(())
    }

    /// Takes note that there are no more facts.
    pub(super) fn close(&mut self) {
        self.sessions.close();
        for (_, op) in self.sessions.ops() {
            if let Asked::Write { write, told: Told::Unknown } = op.asked {
                self.writes.entry_mut(write).issued = true;
            }
        }
    }

    /// How many writes a read saw; none if it was not answered.
    pub(super) fn position(&self, read: OpRef) -> u32 {
        match self.sessions.op(read).asked {
            Asked::Query(Some(seen)) => seen.position,
            Asked::Query(None) | Asked::Write { .. } => 0,
        }
    }

    /// The first `position` writes of a branch's log.
    pub(super) fn prefix(&self, branch: BranchIndex, position: u32) -> &[WriteRef] {
        &self.branches[branch.get()].writes[..place(position)]
    }
}

fn log_length(log: &[WriteRef]) -> Result<LogPosition, Impossible> {
    u64::try_from(log.len()).map(LogPosition::new).map_err(|_| Impossible::TooMany)
}

fn position(said: LogPosition) -> Result<u32, Impossible> {
    match u32::try_from(said.get()) {
        Ok(position) if position != ABSENT => Ok(position),
        Ok(_) | Err(_) => Err(Impossible::TooMany),
    }
}
