//! What a history holds, in the order and the shape in which it is judged; and the balances,
//! which can be judged at once.

use std::sync::Arc;

use super::claims::Claims;
use super::early::Early;
use super::logs::{Logs, log_length, position};
use super::memory::Amounts;
use super::messages::{Message, Messages};
use super::origins::{Number, OriginNumber, Origins};
use super::overdraft::Overdrawn;
use super::partitions::Partitions;
use super::receptions::Receptions;
use super::sessions::{Answer, Asked, Known, Mark, Op, OpRef, Seen, Sent, SessionRef, Sessions};
use super::settles::{Settlings, Unsettled, Why};
use super::test_counter::TestCounter;
use super::verdict::Undecided;
use super::witness::Promised;
use super::writes::{ABSENT, Apply, FirstSeen, Writes};
use super::{Case, InvalidHistory};
use crate::history::{Extent, Fact, Recorded, Terms};
use crate::model::number::count;
use crate::model::{
    BranchId, BranchIndex, CustomerId, Guarantee, Life, LogPosition, Money, Operation, Outcome,
    OutcomeClass, Overdraft, RequestError, RequestNumber, Roster, Time, Write, WriteId,
};

/// A balance that is not the sum of what is behind it.
#[derive(Debug)]
pub(super) enum WrongBalance {
    Read { op: OpRef, seen: Seen, sum_minor: i128 },
    Apply { at: Apply, found: Money, sum_minor: i128 },
    Refusal { op: OpRef, found: Money, sum_minor: i128 },
    Start { mark: Mark, branch: BranchIndex, found: Money, sum_minor: i128 },
}

#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) roster: Arc<Roster>,
    pub(super) terms: Option<Terms>,
    pub(super) logs: Logs,
    pub(super) sessions: Sessions,
    pub(super) writes: Writes,
    /// Whether all facts were observed.
    pub(super) extent: Extent,
    /// Why what needs the end, at all branches, is undecided. Known once the history is closed.
    pub(super) open: Option<Undecided>,
    /// The answers that tell their customers of a loss.
    pub(super) told: Vec<OpRef>,
    pub(super) early: Early,
    pub(super) settlings: Settlings,
    /// How many witnesses are kept.
    pub(super) witnesses: usize,
    balances: TestCounter<WrongBalance>,
    /// Where a withdrawal below zero is refused.
    overdrafts: Option<TestCounter<Overdrawn>>,
    origins: Origins,
    messages: Messages,
    receptions: Receptions,
    partitions: Partitions,
    claims: Claims,
    /// How many branches something was read at.
    read_at: usize,
    /// How many writes all logs have together.
    applies: u64,
    /// How many writes all reads saw together.
    seen: u64,
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
        let refuses = terms.as_ref().is_some_and(|terms| terms.overdraft == Overdraft::Reject);
        Self {
            logs: Logs::new(roster.len(), opening_balance),
            sessions: Sessions::default(),
            writes: Writes::new(roster.len()),
            extent: Extent::Whole,
            open: None,
            told: Vec::new(),
            early: Early::new(terms.as_ref().map(|terms| terms.propagation)),
            settlings: Settlings::new(witnesses),
            witnesses,
            balances: TestCounter::new(witnesses),
            overdrafts: refuses.then(|| TestCounter::new(witnesses)),
            origins: Origins::new(roster.len()),
            messages: Messages::default(),
            receptions: Receptions::default(),
            partitions: Partitions::default(),
            claims: Claims::default(),
            read_at: 0,
            applies: 0,
            seen: 0,
            now: Mark { fact: 0, at: Time::START },
            roster,
            terms,
        }
    }

    pub(super) fn facts(&self) -> u64 {
        self.now.fact
    }

    /// What its memory grows with.
    pub(super) fn amounts(&self) -> Amounts {
        let facts = usize::try_from(self.now.fact).unwrap_or(usize::MAX);
        Amounts {
            branches: self.logs.last().len(),
            ended: self.logs.ended().len(),
            forgotten: self.logs.forgotten(),
            told: self.told.len(),
            read_at: self.read_at,
            writes: self.writes.len(),
            applied: self.writes.applied(),
            widest: self.writes.widest(),
            applies: self.applies,
            seen: self.seen,
            sessions: self.sessions.len(),
            requests: self.sessions.requests(),
            messages: self.messages.len(),
            oddities: [self.writes.oddities(), self.sessions.given_up()].iter().sum::<usize>()
                + [self.partitions.len(), self.early.len(), self.claims.len()]
                    .iter()
                    .sum::<usize>(),
            witnesses: self.witnesses.min(facts),
            origin_bytes: count(self.origins.bytes()),
        }
    }

    /// The tests of the balances. None is left.
    pub(super) fn take_balances(&mut self) -> TestCounter<WrongBalance> {
        std::mem::replace(&mut self.balances, TestCounter::new(self.witnesses))
    }

    /// The tests of withdrawals, where they are tested. None is left.
    pub(super) fn take_overdrafts(&mut self) -> Option<TestCounter<Overdrawn>> {
        self.overdrafts.take()
    }

    /// Adds a fact.
    pub(super) fn add(&mut self, recorded: &Recorded) -> Result<(), InvalidHistory> {
        self.now = Mark { fact: self.now.fact + 1, at: recorded.at };
        match recorded.fact {
            Fact::RequestSent { customer, request, branch, event, operation } => {
                let sent = Request { customer, request, branch };
                self.request_sent(sent, WriteId { customer, event }, operation)
            }
            Fact::RequestReceived { branch, customer, request } => {
                self.request_received(Request { customer, request, branch })
            }
            Fact::RequestParked { branch, customer, request } => {
                self.request_parked(Request { customer, request, branch })
            }
            Fact::WriteApplied { branch, id, write, origin, life, sequence, position, balance } => {
                let dot = OriginNumber { origin: self.index(origin)?, life, sequence };
                let at = (self.up(branch)?, branch);
                self.write_applied(at, (id, write), (dot, origin), (position, balance))
            }
            Fact::MessageSent { from, to, number, body } => {
                self.up(from)?;
                self.index(to)?;
                self.messages.sent(Message { from, to, number, body })
            }
            Fact::MessageReceived { from, to, number, body } => {
                self.up(to)?;
                self.messages.ended(Message { from, to, number, body })
            }
            Fact::MessageLost { from, to, number, body, reason: _ } => {
                self.index(to)?;
                self.messages.ended(Message { from, to, number, body })
            }
            Fact::MessageDuplicated { from, to, number, body } => {
                self.messages.duplicated(Message { from, to, number, body })
            }
            Fact::WriteSetCompared { branch, with, .. } => {
                self.up(branch).and_then(|_| self.index(with)).map(|_| ())
            }
            Fact::ReplySent { branch, customer, request, position, ref outcome } => {
                self.reply_sent(Request { customer, request, branch }, position, outcome)
            }
            Fact::ReplyReceived { customer, request, branch } => {
                let (session, number) = self.find(Request { customer, request, branch })?;
                self.sessions.get_mut(session).arrive(number)
            }
            Fact::RequestGivenUp { customer, request, branch } => {
                let (session, number) = self.find(Request { customer, request, branch })?;
                self.sessions.give_up(session, number)
            }
            Fact::BranchStopped { branch } => self.branch_stopped(branch),
            Fact::BranchStarted { branch, life: _, kept, balance } => {
                self.branch_started(branch, kept, balance)
            }
            Fact::PartitionBegan { partition, ref sides, .. } => {
                self.partition_began(partition, sides)
            }
            Fact::PartitionHealed { partition } => self.partitions.healed(partition),
            Fact::SlownessBegan { branch, .. } | Fact::SlownessEnded { branch } => {
                self.index(branch).map(|_| ())
            }
            Fact::Settled {} => {
                self.settlings.settled(self.now, &self.logs, &self.roster);
                Ok(())
            }
            Fact::Unsettled { branch, origin, life, writes } => {
                self.unsettled(branch, (origin, life, writes))
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

    pub(super) fn index(&self, branch: BranchId) -> Result<BranchIndex, InvalidHistory> {
        self.roster.index(branch).ok_or(InvalidHistory::UnknownBranch { branch })
    }

    /// The branch where something happens, so it has not stopped.
    fn up(&self, branch: BranchId) -> Result<BranchIndex, InvalidHistory> {
        let index = self.index(branch)?;
        if self.logs.of(index).stopped.is_some() {
            return Err(InvalidHistory::Stopped { branch });
        }
        Ok(index)
    }

    fn find(
        &self,
        Request { customer, request, branch }: Request,
    ) -> Result<(SessionRef, u32), InvalidHistory> {
        let found = (self.index(branch)?, branch);
        self.sessions.find(customer, request, found, &self.roster)
    }

    fn request_sent(
        &mut self,
        Request { customer, request, branch }: Request,
        id: WriteId,
        operation: Operation,
    ) -> Result<(), InvalidHistory> {
        let branch = self.index(branch)?;
        let session = self.sessions.find_or_add(customer, self.terms.as_ref())?;
        let request = self.sessions.get(session).check_turn(request)?;
        let rank = self.sessions.next_rank()?;
        let session = self.sessions.get_mut(session);
        let write = match operation {
            Operation::Write(write) => {
                let events = &mut session.events;
                let write = self.writes.find_or_add(events, id, write, FirstSeen::Asked)?;
                self.writes.entry_mut(write).pending += 1;
                Some(write)
            }
            Operation::Query => None,
        };
        session.ask(Sent { request, rank, mark: self.now, branch, event: id.event, write });
        Ok(())
    }

    fn request_received(&mut self, request: Request) -> Result<(), InvalidHistory> {
        self.up(request.branch)?;
        let (session, number) = self.find(request)?;
        self.receptions.received()?;
        self.sessions.get_mut(session).receive(number)
    }

    fn request_parked(&mut self, request: Request) -> Result<(), InvalidHistory> {
        self.up(request.branch)?;
        let (session, number) = self.find(request)?;
        let Request { customer, request, .. } = request;
        match self.sessions.get(session).known(number) {
            Known::Awaited | Known::GivenUp => Ok(()),
            Known::Answered => Err(InvalidHistory::AnsweredTwice { customer, request }),
        }
    }

    #[inline(always)]
    fn write_applied(
        &mut self,
        (index, branch): (BranchIndex, BranchId),
        (id, write): (WriteId, Write),
        (dot, origin): (OriginNumber, BranchId),
        (said, found): (LogPosition, Money),
    ) -> Result<(), InvalidHistory> {
        let log = self.logs.of_mut(index);
        let expected = log_length(&log.writes)?.next();
        if said != expected {
            return Err(InvalidHistory::ApplyOutOfPlace { branch, said, expected });
        }
        let position = position(said)?;
        let delta = write.delta();
        let write = match self.writes.applied_last(id, write) {
            Some(write) => write,
            None => {
                let session = self.sessions.find_or_add(id.customer, self.terms.as_ref())?;
                let events = &mut self.sessions.get_mut(session).events;
                self.writes.find_or_add(events, id, write, FirstSeen::Applied)?
            }
        };
        let number = self.origins.apply((index, branch), (dot, origin), write)?;
        let at = Apply { mark: self.now, branch: index, write, position };
        self.writes.apply(at, dot.origin, number);
        log.writes.push(write);
        self.applies += 1;
        log.sum = log.sum.saturating_add(delta.minor().into());
        let sum_minor = log.sum;
        let is_right = self.give(index, found);
        self.test_balance(is_right, || WrongBalance::Apply { at, found, sum_minor });
        if let Some(test_counter) = &mut self.overdrafts
            && delta < Money::ZERO
        {
            // What the branch had accepted and has forgotten since it does not accept again.
            let is_own = dot.origin == index
                && (number == Number::New || !self.logs.has_forgotten(index, write));
            let (origin, balance_minor) = (dot.origin, sum_minor);
            let found = Overdrawn { at, origin, is_own, balance_minor };
            found.judge(test_counter);
        }
        Ok(())
    }

    /// Takes note that a branch gave its balance: whether it is the sum of its log.
    fn give(&mut self, branch: BranchIndex, found: Money) -> bool {
        let log = self.logs.of_mut(branch);
        log.balance = Some(found);
        i128::from(found.minor()) == log.sum
    }

    /// A right balance is owed to everybody, whatever was promised.
    fn test_balance(&mut self, is_right: bool, wrong: impl FnOnce() -> WrongBalance) {
        self.balances.test(Promised::Yes);
        if !is_right {
            self.balances.fail(Promised::Yes, self.now.fact, wrong());
        }
    }

    fn reply_sent(
        &mut self,
        request: Request,
        said: LogPosition,
        outcome: &Outcome,
    ) -> Result<(), InvalidHistory> {
        let branch = self.up(request.branch)?;
        let (session, number) = self.find(request)?;
        let log = self.logs.of(branch);
        let (sum_minor, held) = (log.sum, log_length(&log.writes)?);
        if said != held {
            return Err(InvalidHistory::OtherLogLength { branch: request.branch, said, held });
        }
        let position = position(said)?;
        let found = self.sessions.get_mut(session);
        let (known, is_received) = (found.known(number), found.is_received(number));
        let sent = found.answered(number)?;
        let asked = found.answer(sent, &Answer { position, outcome })?;
        self.receptions.answered(is_received, (request.customer, request.request))?;
        if let Asked::Write { write, class: OutcomeClass::Refused, .. } = asked {
            self.writes.entry_mut(write).refuse();
        }
        // What is answered too late reaches no customer.
        if known == Known::GivenUp {
            return Ok(());
        }
        let op = self.sessions.add(Op { session, sent, asked, answered: Some(self.now) });
        self.sessions.get_mut(session).await_arrival(op);
        self.early.note(op, &asked, (&self.roster, &self.writes, &self.logs));
        if let Err(RequestError::WritesLost { .. }) = outcome {
            self.told.push(op);
        }
        if let Asked::Query(Some(seen)) = asked {
            let log = self.logs.of_mut(branch);
            self.seen += u64::from(seen.position);
            self.read_at += usize::from(!std::mem::replace(&mut log.is_read, true));
            let is_right = self.give(branch, seen.balance);
            self.test_balance(is_right, || WrongBalance::Read { op, seen, sum_minor });
        } else if let Some(found) = (Answer { position, outcome }).claimed()
            && sent.write.is_none_or(|write| self.claims.is_new(write, branch, found))
        {
            let is_right = self.give(branch, found);
            self.test_balance(is_right, || WrongBalance::Refusal { op, found, sum_minor });
        }
        Ok(())
    }

    fn branch_stopped(&mut self, branch: BranchId) -> Result<(), InvalidHistory> {
        let index = self.up(branch)?;
        self.logs.of_mut(index).stopped = Some(self.now);
        Ok(())
    }

    fn unsettled(
        &mut self,
        branch: BranchId,
        (origin, life, writes): (BranchId, Life, u64),
    ) -> Result<(), InvalidHistory> {
        let (branch, origin) = (self.index(branch)?, self.index(origin)?);
        let why = Why::Lacks { origin, life, writes };
        self.settlings.unsettled(Unsettled { mark: self.now, branch, why });
        Ok(())
    }

    fn partition_began(
        &mut self,
        partition: u32,
        sides: &[Vec<BranchId>],
    ) -> Result<(), InvalidHistory> {
        sides.iter().flatten().try_for_each(|branch| self.index(*branch).map(|_| ()))?;
        self.partitions.began(partition)
    }

    fn branch_started(
        &mut self,
        branch: BranchId,
        kept: LogPosition,
        found: Money,
    ) -> Result<(), InvalidHistory> {
        let index = self.index(branch)?;
        let log = self.logs.of_mut(index);
        let held = log_length(&log.writes)?;
        let stopped = log.stopped.ok_or(InvalidHistory::NotStopped { branch })?;
        if kept > held {
            return Err(InvalidHistory::KeptTooMuch { branch, kept, held });
        }
        if kept < held {
            self.forget(index, position(kept)?, stopped)?;
        }
        let log = self.logs.of_mut(index);
        log.stopped = None;
        let (mark, sum_minor) = (self.now, log.sum);
        let is_right = self.give(index, found);
        self.test_balance(is_right, || WrongBalance::Start {
            mark,
            branch: index,
            found,
            sum_minor,
        });
        Ok(())
    }

    /// A branch has no more than the first `kept` writes of its log left.
    fn forget(
        &mut self,
        branch: BranchIndex,
        kept: u32,
        stopped: Mark,
    ) -> Result<(), InvalidHistory> {
        let tail = self.logs.forget(&self.writes, (branch, kept), (stopped, self.now))?;
        let mut lost_minor = 0_i128;
        for write in tail {
            lost_minor += i128::from(self.writes.entry(*write).write.delta().minor());
            self.writes.forget(*write, branch, kept);
        }
        let log = self.logs.of_mut(branch);
        log.sum = log.sum.saturating_sub(lost_minor);
        log.is_read = false;
        let writes = &self.writes;
        self.origins.forget(branch, |write| {
            writes.row(write)[branch.get()] != ABSENT && !writes.entry(write).renumbered
        });
        Ok(())
    }

    /// Takes note that there are no more facts.
    pub(super) fn close(&mut self) {
        self.sessions.close(self.extent);
        for (_, op) in self.sessions.ops() {
            if let Asked::Write { write, class, heard } = op.asked {
                self.writes.entry_mut(write).tell(class, heard);
            }
        }
        // What did not arrive told nobody anything.
        let sessions = &self.sessions;
        self.told.retain(|op| sessions.op(*op).answered.is_some());
        self.early.close(sessions);
        self.open = match self.extent {
            Extent::CutOff => Some(Undecided::CutOff),
            Extent::Whole if self.logs.last().iter().any(|log| log.stopped.is_some()) => {
                Some(Undecided::BranchDown)
            }
            Extent::Whole => None,
        };
    }
}
