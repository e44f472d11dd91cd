//! One replica: takes requests and other branches' messages, says what is to be done.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::confirmation::{Confirmations, Confirmed, Patience};
use super::log::ApplyLog;
use super::{
    Acknowledgement, Applied, Dot, Effect, Input, LogEntry, PeerMessage, PropagatedWrite, Reply,
    Request, Ticket, VersionVector,
};
use crate::model::{
    BranchId, BranchIndex, CustomerId, EventId, LogPosition, Money, Operation, Outcome, Overdraft,
    Receipt, Refusal, RequestError, Roster, Sequence, Time, Write, WriteId, WriteKind,
};

/// How a branch serves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BranchConfig {
    /// What becomes of a withdrawal that the balance does not cover.
    pub overdraft: Overdraft,
    /// How long it waits for other branches.
    pub patience: Patience,
}

/// One branch of the bank: a deterministic state machine.
#[derive(Debug, Clone)]
pub struct Branch {
    here: BranchIndex,
    roster: Arc<Roster>,
    config: BranchConfig,
    /// In cents, and wider than [`Money`]: branches that accept writes at the same time can
    /// together pass its range. Such a balance is never told as if it were right.
    balance_minor: i128,
    log: ApplyLog,
    version: VersionVector,
    /// Propagated writes that wait, under the first write that they wait for.
    waiting: BTreeMap<Dot, Vec<Waiting>>,
    confirmations: Confirmations,
}

/// A propagated write that has come before one that it needs.
#[derive(Debug, Clone)]
struct Waiting {
    from: BranchId,
    write: PropagatedWrite,
}

impl Branch {
    /// The branch `id` of the bank `roster`, holding `opening_balance`.
    ///
    /// Panics if `id` is no branch of the roster.
    pub fn new(
        id: BranchId,
        roster: Arc<Roster>,
        opening_balance: Money,
        config: BranchConfig,
    ) -> Self {
        let here = roster.index(id).expect("a branch is in its own roster");
        Self {
            here,
            config,
            balance_minor: i128::from(opening_balance.minor()),
            log: ApplyLog::default(),
            version: VersionVector::new(&roster),
            waiting: BTreeMap::new(),
            confirmations: Confirmations::default(),
            roster,
        }
    }

    /// Takes `input`, which came at `now`, and adds what is to be done to `effects`.
    ///
    /// Panics if a peer's message names a branch that is not in the roster: whoever lets messages
    /// in from elsewhere checks that.
    pub fn handle(&mut self, now: Time, input: Input, effects: &mut Vec<Effect>) {
        match input {
            Input::Requested(request) => self.serve(now, request, effects),
            Input::SettleRequested(ticket) => {
                self.confirmations.settle(ticket, self.version.get(self.here));
                self.announce_settled(effects);
            }
            Input::FromPeer { from, message: PeerMessage::Propagate(write) } => {
                self.receive(from, write, effects);
            }
            Input::FromPeer { from, message: PeerMessage::Acknowledge(acknowledgement) } => {
                self.compare(from, acknowledgement, effects);
            }
            Input::DeadlineReached => self.meet_deadlines(now, effects),
        }
    }

    /// When [`Input::DeadlineReached`] is due, if nothing else comes before.
    pub fn next_deadline(&self) -> Option<Time> {
        self.confirmations.next_deadline()
    }

    /// Its id.
    pub fn id(&self) -> BranchId {
        self.roster.id(self.here)
    }

    /// Its balance, or `None` where that is out of range.
    pub fn balance(&self) -> Option<Money> {
        i64::try_from(self.balance_minor).ok().map(Money::from_minor)
    }

    /// Which writes are applied here.
    pub fn version(&self) -> &VersionVector {
        &self.version
    }

    /// How many writes are applied here.
    pub fn position(&self) -> LogPosition {
        self.log.position()
    }

    /// The apply log: all writes in the order applied here.
    pub fn log(&self) -> impl ExactSizeIterator<Item = LogEntry> {
        self.log.iter(&self.roster)
    }

    /// The customer's write set: the event ids of its writes, in the order applied here.
    pub fn write_set(&self, customer: CustomerId) -> Vec<EventId> {
        self.log.write_set(customer)
    }

    fn serve(&mut self, now: Time, request: Request, effects: &mut Vec<Effect>) {
        let Request { ticket, customer, event, operation } = request;
        let write = match operation {
            Operation::Query => {
                let outcome = self.query();
                return effects.push(self.reply(ticket, outcome));
            }
            Operation::Write(write) => write,
        };
        let id = WriteId { customer, event };
        match self.log.find(id, &self.roster) {
            Some(first) if first.write == write => self.retry(now, ticket, first, effects),
            Some(LogEntry { write: first, .. }) => {
                effects.push(self.refuse(ticket, Refusal::EventReused { first }));
            }
            None => match self.admit(id, write) {
                Ok(()) => {
                    let dot = self.next_dot();
                    self.accept(now, ticket, LogEntry { dot, id, write }, effects);
                }
                Err(refusal) => effects.push(self.refuse(ticket, refusal)),
            },
        }
    }

    fn query(&self) -> Outcome {
        match self.balance() {
            Some(balance) => Ok(Receipt::Balance(balance)),
            None => Err(RequestError::Refused(Refusal::BalanceOutOfRange {
                balance: self.nearest_balance(),
            })),
        }
    }

    /// Whether a write that is not in the log may be applied. Asked at the origin alone.
    fn admit(&mut self, id: WriteId, write: Write) -> Result<(), Refusal> {
        if let Some((first, refusal)) = self.log.refusal(id) {
            return Err(if first == write { refusal } else { Refusal::EventReused { first } });
        }
        if let Some(latest) = self.log.latest(id.customer).filter(|&latest| latest > id.event) {
            return Err(Refusal::OutOfOrder { latest });
        }
        let after = self.balance_minor + i128::from(write.delta().minor());
        let overdrawn = write.kind == WriteKind::Withdraw && after < 0;
        let refusal = if overdrawn && self.config.overdraft == Overdraft::Reject {
            let requested = write.amount.money();
            Refusal::InsufficientFunds { balance: self.nearest_balance(), requested }
        } else if i64::try_from(after).is_err() {
            Refusal::BalanceOutOfRange { balance: self.nearest_balance() }
        } else {
            return Ok(());
        };
        self.log.remember_refusal(id, write, refusal);
        Err(refusal)
    }

    /// Applies a customer's write here and sends it to all others; the reply waits for them.
    fn accept(&mut self, now: Time, ticket: Ticket, entry: LogEntry, effects: &mut Vec<Effect>) {
        let LogEntry { dot, id, write } = entry;
        let write = PropagatedWrite { dot, id, write, dependencies: None };
        self.apply(&write, self.here, effects);
        self.propagate(now, ticket, write, effects);
    }

    /// The customer sends a write again that is applied here: it gets the first result again.
    fn retry(&mut self, now: Time, ticket: Ticket, first: LogEntry, effects: &mut Vec<Effect>) {
        if self.confirmations.wait(first.dot, ticket, self.confirm_limit(now)) {
            return;
        }
        if first.dot.origin == self.id() {
            return effects.push(self.reply(ticket, Ok(Receipt::Written)));
        }
        // Applied here, but accepted elsewhere: only asking everyone tells whether it is confirmed.
        let LogEntry { dot, id, write } = first;
        let write = PropagatedWrite { dot, id, write, dependencies: None };
        self.propagate(now, ticket, write, effects);
    }

    /// Sends a write that is applied here to all others, and answers when all have confirmed it.
    fn propagate(
        &mut self,
        now: Time,
        ticket: Ticket,
        write: PropagatedWrite,
        effects: &mut Vec<Effect>,
    ) {
        if self.roster.len() == 1 {
            return effects.push(self.reply(ticket, Ok(Receipt::Written)));
        }
        let (dot, expected) = (write.dot, self.log.digest_at(write.id));
        self.confirmations.expect(write.clone(), expected, self.here, &self.roster);
        self.confirmations.wait(dot, ticket, self.confirm_limit(now));
        self.schedule_resend(now, dot);
        effects.push(Effect::Broadcast(write));
    }

    /// Takes a write from another branch, and whatever waited for it.
    fn receive(&mut self, from: BranchId, write: PropagatedWrite, effects: &mut Vec<Effect>) {
        let mut arrived = VecDeque::from([Waiting { from, write }]);
        while let Some(Waiting { from, write }) = arrived.pop_front() {
            let origin = self.index(write.dot.origin);
            if write.dot.sequence > self.version.get(origin) {
                if let Some(missing) = self.first_missing(&write, origin) {
                    self.waiting.entry(missing).or_default().push(Waiting { from, write });
                    continue;
                }
                self.apply(&write, origin, effects);
                arrived.extend(self.waiting.remove(&write.dot).into_iter().flatten());
            }
            let write_set = self.log.digest_at(write.id);
            let acknowledgement = Acknowledgement { dot: write.dot, id: write.id, write_set };
            let message = PeerMessage::Acknowledge(acknowledgement);
            effects.push(Effect::Send { to: from, message });
        }
    }

    /// The first write that must be applied here before `write`, if any is missing.
    fn first_missing(&self, write: &PropagatedWrite, origin: BranchIndex) -> Option<Dot> {
        let Dot { origin: id, sequence } = write.dot;
        if sequence > self.version.get(origin).next() {
            return Some(Dot { origin: id, sequence: Sequence::new(sequence.get() - 1) });
        }
        write.dependencies.as_ref()?.first_missing(&self.version, &self.roster)
    }

    /// Applies `write`, which is next from its origin.
    fn apply(&mut self, write: &PropagatedWrite, origin: BranchIndex, effects: &mut Vec<Effect>) {
        self.version.advance(origin);
        let PropagatedWrite { dot, id, write, .. } = *write;
        // Two branches have accepted the same write: it counts once, whichever came first.
        if self.log.contains(id) {
            return;
        }
        self.balance_minor += i128::from(write.delta().minor());
        self.log.push(LogEntry { dot, id, write }, origin);
        let (position, balance) = (self.log.position(), self.nearest_balance());
        effects.push(Effect::Applied(Applied { dot, id, write, position, balance }));
    }

    /// Compares an acknowledged write set with ours, and answers whoever waited for it.
    fn compare(&mut self, from: BranchId, told: Acknowledgement, effects: &mut Vec<Effect>) {
        let Acknowledgement { dot, id, write_set } = told;
        let confirmed = self.confirmations.acknowledge(dot, self.index(from), write_set);
        let agrees = confirmed != Confirmed::Disagrees;
        effects.push(Effect::Compared { with: from, id, agrees });
        if let Confirmed::Everywhere(tickets) = confirmed {
            for ticket in tickets {
                effects.push(self.reply(ticket, Ok(Receipt::Written)));
            }
            self.announce_settled(effects);
        }
    }

    fn next_dot(&self) -> Dot {
        Dot { origin: self.id(), sequence: self.version.get(self.here).next() }
    }

    fn announce_settled(&mut self, effects: &mut Vec<Effect>) {
        let settled = self.confirmations.take_settled(self.id());
        effects.extend(settled.into_iter().map(Effect::Settled));
    }

    fn meet_deadlines(&mut self, now: Time, effects: &mut Vec<Effect>) {
        while let Some((ticket, unconfirmed_by)) =
            self.confirmations.take_expired(now, &self.roster)
        {
            let unknown = RequestError::OutcomeUnknown { unconfirmed_by };
            effects.push(self.reply(ticket, Err(unknown)));
        }
        while let Some((write, missing)) = self.confirmations.take_resend(now, &self.roster) {
            self.schedule_resend(now, write.dot);
            effects.extend(
                missing
                    .into_iter()
                    .map(|to| Effect::Send { to, message: PeerMessage::Propagate(write.clone()) }),
            );
        }
    }

    fn schedule_resend(&mut self, now: Time, dot: Dot) {
        if let Some(resend_after) = self.config.patience.resend_after {
            self.confirmations.resend_at(now.after(resend_after), dot);
        }
    }

    fn confirm_limit(&self, now: Time) -> Option<Time> {
        self.config.patience.confirm_limit.map(|limit| now.after(limit))
    }

    fn refuse(&self, ticket: Ticket, refusal: Refusal) -> Effect {
        self.reply(ticket, Err(RequestError::Refused(refusal)))
    }

    fn reply(&self, ticket: Ticket, outcome: Outcome) -> Effect {
        let (position, balance) = (self.log.position(), self.nearest_balance());
        Effect::Reply(Reply { ticket, outcome, position, balance })
    }

    /// The balance, or the end of the range that it is beyond.
    fn nearest_balance(&self) -> Money {
        let end = if self.balance_minor < 0 { i64::MIN } else { i64::MAX };
        Money::from_minor(i64::try_from(self.balance_minor).unwrap_or(end))
    }

    fn index(&self, branch: BranchId) -> BranchIndex {
        self.roster.index(branch).expect("messages come from branches of the roster")
    }
}
