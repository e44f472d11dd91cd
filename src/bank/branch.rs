//! One replica: takes requests and other branches' messages, says what is to be done.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::confirmation::{Confirmations, Timeouts};
use super::dependencies::Newest;
use super::log::{ApplyLog, Known};
use super::parking::{Parked, Parking, Waiter};
use super::refusals::Refusals;
use super::{
    Applied, Congestion, Dependencies, Effect, Entry, Input, PeerMessage, PropagatedWrite, Reply,
    Request, Ticket, VersionVector,
};
use crate::model::{
    BranchId, BranchIndex, CustomerId, Dot, EventId, LogEntry, LogPosition, Money, Operation,
    Outcome, Overdraft, Propagation, Receipt, Refusal, RequestError, Roster, Time, Write, WriteId,
    WriteKind,
};

/// How a branch serves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BranchConfig {
    /// How its writes reach the other branches.
    pub propagation: Propagation,
    /// What becomes of a withdrawal that the balance does not cover.
    pub overdraft: Overdraft,
    /// How long it waits for other branches.
    pub timeouts: Timeouts,
    /// How many writes may come before it accepts no more of customers; `None`: any number. What
    /// another branch has accepted is applied all the same, or branches would differ for ever.
    pub log_max: Option<LogPosition>,
}

/// One branch of the bank: a deterministic state machine.
#[derive(Debug, Clone)]
pub struct Branch {
    here: BranchIndex,
    pub(super) roster: Arc<Roster>,
    config: BranchConfig,
    /// In cents, and wider than [`Money`]: branches that accept writes at the same time can
    /// together pass its range. Such a balance is never told as if it were right.
    balance_minor: i128,
    pub(super) log: ApplyLog,
    refusals: Refusals,
    pub(super) version: VersionVector,
    pub(super) parking: Parking,
    pub(super) confirmations: Confirmations,
    /// Branches to which nothing more can be sent.
    congested: BTreeSet<BranchId>,
    /// Writes applied just now, that others may have waited for.
    pub(super) applied: VecDeque<Dot>,
    newest: Option<Newest>,
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
            refusals: Refusals::new(roster.len()),
            version: VersionVector::new(&roster),
            parking: Parking::default(),
            congested: BTreeSet::new(),
            applied: VecDeque::new(),
            newest: None,
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
            Input::Requested(request) => self.take_request(now, request, effects),
            Input::SettleRequested(ticket) => {
                self.confirmations.settle(ticket, self.version.get(self.here));
                self.announce_settled(effects);
            }
            Input::FromPeer { from, message } => self.take_message(from, message, effects),
            Input::Relayed(relayed) => self.take_relayed(relayed, effects),
            Input::InReach(to) => {
                let message = PeerMessage::CatchUp(self.version.clone());
                effects.push(Effect::Send { to, message });
            }
            Input::Congestion { peer, congestion: Congestion::Full } => {
                self.congested.insert(peer);
            }
            Input::Congestion { peer, congestion: Congestion::Clear } => {
                self.congested.remove(&peer);
            }
            Input::Closing => self.answer_all(now, effects),
            Input::DeadlineReached => self.meet_deadlines(now, effects),
        }
        self.wake(now, effects);
    }

    /// When [`Input::DeadlineReached`] is due, if nothing else comes before.
    pub fn next_deadline(&self) -> Option<Time> {
        let parking = self.parking.next_deadline();
        parking.into_iter().chain(self.confirmations.next_deadline()).min()
    }

    /// Its id.
    pub fn id(&self) -> BranchId {
        self.roster.id(self.here)
    }

    /// Its balance, or `None` where that is out of range.
    pub fn balance(&self) -> Option<Money> {
        i64::try_from(self.balance_minor).ok().map(Money::from_minor)
    }

    /// Its balance when its apply log was as long as `position`, or `None` where that is out of
    /// range or the log has never been as long.
    pub fn balance_at(&self, position: LogPosition) -> Option<Money> {
        let later = self.position().get().checked_sub(position.get())?;
        let later = usize::try_from(later).ok()?;
        let delta = |entry: LogEntry| i128::from(entry.write.delta().minor());
        let since: i128 = self.log().rev().take(later).map(delta).sum();
        i64::try_from(self.balance_minor - since).ok().map(Money::from_minor)
    }

    /// Which writes are applied here.
    pub fn version(&self) -> &VersionVector {
        &self.version
    }

    /// How many writes are applied here.
    pub fn position(&self) -> LogPosition {
        self.log.position()
    }

    /// How many writes came here: those of the apply log, and those that were in it already when
    /// they came from another origin.
    pub fn came(&self) -> LogPosition {
        self.log.came()
    }

    /// How many may come before it accepts no more of customers.
    pub fn log_max(&self) -> Option<LogPosition> {
        self.config.log_max
    }

    /// The apply log: all writes in the order applied here.
    pub fn log(&self) -> impl ExactSizeIterator<Item = LogEntry> + DoubleEndedIterator {
        self.log.iter(&self.roster)
    }

    /// What the apply log holds after `position`.
    pub fn log_after(&self, position: LogPosition) -> impl ExactSizeIterator<Item = LogEntry> {
        self.log.after(position, &self.roster)
    }

    /// What came after `position` of the apply log, up to `most` entries of that: they, and the
    /// writes that were there already when they came from another origin.
    pub fn came_after(&self, position: LogPosition, most: usize) -> Vec<LogEntry> {
        self.log.came_after(position, most, &self.roster)
    }

    /// The highest event id of the customer's writes that is taken here: by one that is applied, or
    /// by one that was refused and is remembered.
    pub fn latest_event(&self, customer: CustomerId) -> Option<EventId> {
        self.log.latest(customer).max(self.refusals.latest(customer))
    }

    /// Whether every write that it has accepted is confirmed everywhere.
    pub fn is_settled(&self) -> bool {
        self.confirmations.are_settled(self.id())
    }

    /// The customer's write set: the event ids of its writes, in the order applied here.
    pub fn write_set(&self, customer: CustomerId) -> Vec<EventId> {
        self.write_set_at(customer, self.position())
    }

    /// The customer's write set when the apply log was as long as `position`.
    pub fn write_set_at(&self, customer: CustomerId, position: LogPosition) -> Vec<EventId> {
        self.log.write_set(customer, position)
    }

    /// Serves a request, or parks it until what the customer's passbook asks for is here.
    fn take_request(&mut self, now: Time, request: Request, effects: &mut Vec<Effect>) {
        let needed = request.session.as_ref().and_then(|session| match request.operation {
            Operation::Query => session.passbook.needed_to_read(session.guarantees),
            Operation::Write(_) => session.passbook.needed_to_write(session.guarantees),
        });
        let missing = needed.as_ref().and_then(|needed| self.first_missing(needed));
        match (needed, missing) {
            (Some(needed), Some(missing)) => {
                self.parking.wait_for(missing, Waiter::Request(request.ticket));
                let limit = self.config.timeouts.serve_by(now);
                let lags = needed.lags(&self.version, &self.roster).collect();
                self.parking.park(Parked { request, needed, since: now, lags }, limit);
            }
            (dependencies, _) => self.serve(now, &request, dependencies, effects),
        }
    }

    /// Serves a request whose `dependencies` are here.
    pub(super) fn serve(
        &mut self,
        now: Time,
        request: &Request,
        dependencies: Option<VersionVector>,
        effects: &mut Vec<Effect>,
    ) {
        let &Request { ticket, customer, event, operation, .. } = request;
        let write = match operation {
            Operation::Query => {
                let entry = match request.session {
                    Some(_) => Entry::Read(self.version.clone()),
                    None => Entry::Nothing,
                };
                return effects.push(self.reply(ticket, self.query(), entry));
            }
            Operation::Write(write) => write,
        };
        let id = WriteId { customer, event };
        match self.known(id, write) {
            Known::Write(entry) => self.retry(now, ticket, entry, effects),
            Known::Id { first } => {
                effects.push(self.refuse(ticket, Refusal::EventReused { first: first.write }));
            }
            Known::Nothing if !self.congested.is_empty() => {
                let congested = self.congested.iter().copied().collect();
                let unavailable = RequestError::Unavailable { congested, more: 0 };
                effects.push(self.reply(ticket, Err(unavailable), Entry::Nothing));
            }
            Known::Nothing => match self.admit(id, write) {
                // Asked last: a write that is refused for another reason hears that one.
                Ok(()) if let Some(log_max) = self.full_at() => {
                    let full = Err(RequestError::Full { log_max });
                    effects.push(self.reply(ticket, full, Entry::Nothing));
                }
                Ok(()) => {
                    let dependencies = dependencies.map(|all| self.dependencies(all));
                    let write = PropagatedWrite { dot: self.next_dot(), id, write, dependencies };
                    self.apply(&write, self.here, effects);
                    self.propagate(now, ticket, write, effects);
                }
                Err(refusal) => effects.push(self.refuse(ticket, refusal)),
            },
        }
    }

    /// What the log says of a write.
    pub(super) fn known(&self, id: WriteId, write: Write) -> Known<LogEntry> {
        let entry = |index| self.log.get(index, &self.roster);
        match self.log.known(id, write) {
            Known::Write(index) => Known::Write(entry(index)),
            Known::Id { first } => Known::Id { first: entry(first) },
            Known::Nothing => Known::Nothing,
        }
    }

    /// The bound on what is held, where it is reached.
    fn full_at(&self) -> Option<LogPosition> {
        self.log_max().filter(|&log_max| self.came() >= log_max)
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
        if let Some((first, refusal)) = self.refusals.find(id) {
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
        self.refusals.remember(id, write, refusal);
        Err(refusal)
    }

    /// The customer sends a write again that is applied here: it gets the first result again.
    fn retry(&mut self, now: Time, ticket: Ticket, first: LogEntry, effects: &mut Vec<Effect>) {
        let LogEntry { dot, id, write } = first;
        if self.config.propagation == Propagation::Async {
            effects.push(self.written(ticket, dot));
        } else if self.confirmations.wait(dot, ticket, self.config.timeouts.confirm_by(now)) {
            // Answered with the first request.
        } else if dot.origin == self.id() && !self.confirmations.is_disputed(dot.sequence) {
            effects.push(self.written(ticket, dot));
        } else if !self.congested.is_empty() {
            // Nothing more can be asked of them: each retry would be one more write to keep for
            // them.
            effects.push(self.unknown(ticket, dot, self.congested.iter().copied().collect()));
        } else {
            if dot.origin == self.id() {
                self.confirmations.forget_dispute(dot.sequence);
            }
            // Accepted elsewhere, or some branch held other writes when it confirmed this one: only
            // asking every branch shows whether it is confirmed now. What it depends on is not
            // known here; what was applied before it surely suffices.
            let dependencies = Some(self.log.version_before(dot, &self.roster).into());
            let write = PropagatedWrite { dot, id, write, dependencies };
            self.propagate(now, ticket, write, effects);
        }
    }

    /// Sends a write that is applied here to all others, and answers: when all have confirmed it,
    /// or at once.
    fn propagate(
        &mut self,
        now: Time,
        ticket: Ticket,
        write: PropagatedWrite,
        effects: &mut Vec<Effect>,
    ) {
        let dot = write.dot;
        let has_peers = self.roster.len() > 1;
        if has_peers {
            let expected = self.log.digest_at(write.id);
            self.confirmations.expect(write.clone(), expected, self.here, &self.roster);
            self.schedule_resend(now, dot);
        }
        match self.config.propagation {
            Propagation::Sync if has_peers => {
                self.confirmations.wait(dot, ticket, self.config.timeouts.confirm_by(now));
            }
            Propagation::Sync | Propagation::Async => effects.push(self.written(ticket, dot)),
        }
        if has_peers {
            effects.push(Effect::Broadcast(write));
        }
    }

    /// Applies `write`, which is next from its origin.
    pub(super) fn apply(
        &mut self,
        write: &PropagatedWrite,
        origin: BranchIndex,
        effects: &mut Vec<Effect>,
    ) {
        self.version.advance(origin);
        self.newest = Some(Newest::new(origin, write.dot.sequence, write.dependencies.as_ref()));
        if self.parking.holds_any() {
            self.applied.push_back(write.dot);
        }
        let id = write.id;
        // Two branches have accepted the same write: it counts once, whichever came first. Where
        // they accepted different ones under the same id, both count.
        match self.log.known(id, write.write) {
            Known::Write(first) => return self.log.push_twice(write.dot, first),
            Known::Id { .. } => effects.push(Effect::IdClash(write.clone())),
            Known::Nothing => {}
        }
        let &PropagatedWrite { dot, id, write, .. } = write;
        self.balance_minor += i128::from(write.delta().minor());
        self.log.push(LogEntry { dot, id, write }, origin);
        let (position, balance) = (self.log.position(), self.nearest_balance());
        effects.push(Effect::Applied(Applied { dot, id, write, position, balance }));
    }

    /// What a write that is accepted here has to wait for elsewhere.
    fn dependencies(&self, all: VersionVector) -> Dependencies {
        Dependencies::at(self.here, all, self.newest.as_ref(), &self.roster)
    }

    fn next_dot(&self) -> Dot {
        Dot { origin: self.id(), sequence: self.version.get(self.here).next() }
    }

    pub(super) fn announce_settled(&mut self, effects: &mut Vec<Effect>) {
        let settled = self.confirmations.take_settled(self.id());
        effects.extend(settled.into_iter().map(Effect::Settled));
    }

    fn meet_deadlines(&mut self, now: Time, effects: &mut Vec<Effect>) {
        while let Some(parked) = self.parking.take_expired(now) {
            self.give_up(now, &parked, effects);
        }
        while let Some((ticket, dot, missing)) = self.confirmations.take_expired(now, &self.roster)
        {
            effects.push(self.unknown(ticket, dot, missing));
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

    /// Answers all who wait, as if their time were over. Who comes after them does not wait either:
    /// nobody will be here when what they wait for comes.
    fn answer_all(&mut self, now: Time, effects: &mut Vec<Effect>) {
        let timeouts = &mut self.config.timeouts;
        (timeouts.wait_limit, timeouts.confirm_limit) =
            (Some(Duration::ZERO), Some(Duration::ZERO));
        for parked in self.parking.take_all() {
            self.give_up(now, &parked, effects);
        }
        for (ticket, dot, missing) in self.confirmations.take_all_waiting(&self.roster) {
            effects.push(self.unknown(ticket, dot, missing));
        }
    }

    /// Answers a request that has waited in vain for what its passbook asks for.
    fn give_up(&self, now: Time, parked: &Parked, effects: &mut Vec<Effect>) {
        let ticket = parked.request.ticket;
        effects.push(Effect::Waited { ticket, waited: parked.waited(now) });
        let lags = parked.needed.lags(&self.version, &self.roster).collect();
        let late = RequestError::VersionNotReached { lags, more: 0 };
        effects.push(self.reply(ticket, Err(late), Entry::Nothing));
    }

    fn schedule_resend(&mut self, now: Time, dot: Dot) {
        if let Some(resend_after) = self.config.timeouts.resend_after {
            self.confirmations.resend_at(now.after(resend_after), dot);
        }
    }

    pub(super) fn refuse(&self, ticket: Ticket, refusal: Refusal) -> Effect {
        self.reply(ticket, Err(RequestError::Refused(refusal)), Entry::Nothing)
    }

    pub(super) fn written(&self, ticket: Ticket, dot: Dot) -> Effect {
        self.reply(ticket, Ok(Receipt::Written), Entry::Wrote(dot))
    }

    pub(super) fn unknown(
        &self,
        ticket: Ticket,
        dot: Dot,
        unconfirmed_by: Vec<BranchId>,
    ) -> Effect {
        let unknown = RequestError::OutcomeUnknown { unconfirmed_by, more: 0 };
        self.reply(ticket, Err(unknown), Entry::Wrote(dot))
    }

    pub(super) fn reply(&self, ticket: Ticket, outcome: Outcome, entry: Entry) -> Effect {
        let (position, balance) = (self.log.position(), self.nearest_balance());
        Effect::Reply(Reply { ticket, outcome, position, balance, entry })
    }

    /// The balance, or the end of the range that it is beyond.
    fn nearest_balance(&self) -> Money {
        let end = if self.balance_minor < 0 { i64::MIN } else { i64::MAX };
        Money::from_minor(i64::try_from(self.balance_minor).unwrap_or(end))
    }

    pub(super) fn index(&self, branch: BranchId) -> BranchIndex {
        self.roster.index(branch).expect("messages come from branches of the roster")
    }
}
