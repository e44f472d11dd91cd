//! How a branch serves a request: at once, when what it needs is here, or not at all.

use super::log::{Known, LogIndex};
use super::parking::{Parked, Waiter};
use super::refusals::Refusals;
use super::{
    Branch, Dependencies, Effect, Entry, Kept, PropagatedWrite, Refused, Reply, Request, Ticket,
    VersionVector, WriteSetDigest,
};
use crate::model::{
    BranchId, Dot, Lag, LogEntry, LogPosition, NotReached, Operation, Outcome, Overdraft,
    Propagation, Receipt, Refusal, RequestError, Time, Write, WriteId, WriteKind,
};

/// For how many lags there is room at first. Four have a size for which the allocator takes its slow way.
const LAGS: usize = 3;

impl Branch {
    /// Serves a request, or parks it until what the customer's passbook asks for is here.
    #[inline(always)]
    pub(super) fn take_request(&mut self, now: Time, request: Request, effects: &mut Vec<Effect>) {
        let needed = request.session.as_ref().and_then(|session| match request.operation {
            Operation::Query => session.passbook.needed_to_read(session.guarantees),
            Operation::Write(_) => session.passbook.needed_to_write(session.guarantees),
        });
        if self.is_silent() {
            self.hearing_mut().hold(request.ticket);
            return self.park(now, request, needed);
        }
        match needed.as_ref().and_then(|needed| self.first_missing(needed)) {
            None => self.serve(now, &request, needed, effects),
            Some(missing) => match self.loss(&request, needed.as_ref()) {
                Some(loss) => effects.push(self.tell_loss(request.ticket, loss)),
                None => {
                    self.parking.wait_for(missing, Waiter::Request(request.ticket));
                    self.park(now, request, needed);
                }
            },
        }
    }

    fn park(&mut self, now: Time, request: Request, needed: Option<VersionVector>) {
        let limit = self.config.timeouts.serve_by(now);
        let lags = self.lags(needed.as_ref());
        self.parking.park(Parked { request, needed, since: now, lags }, limit);
    }

    /// What is missing of what is `needed`.
    fn lags(&self, needed: Option<&VersionVector>) -> Vec<Lag> {
        let Some(needed) = needed else { return Vec::new() };
        let mut lags = Vec::with_capacity(LAGS);
        lags.extend(needed.lags(&self.version, &self.roster));
        lags
    }

    /// Looks anew at a request that waits.
    pub(super) fn reconsider(&mut self, now: Time, ticket: Ticket, effects: &mut Vec<Effect>) {
        let Some(parked) = self.parking.parked(ticket) else { return };
        let needed = parked.needed.as_ref();
        if let Some(missing) = needed.and_then(|needed| self.first_missing(needed)) {
            match self.loss(&parked.request, needed) {
                Some(loss) => {
                    effects.push(Effect::Waited { ticket, waited: parked.waited(now) });
                    effects.push(self.tell_loss(ticket, loss));
                    self.parking.abandon(ticket);
                }
                None => self.parking.wait_for(missing, Waiter::Request(ticket)),
            }
        } else if let Some(parked) = self.parking.take(ticket) {
            effects.push(Effect::Waited { ticket, waited: parked.waited(now) });
            let Parked { request, needed, .. } = parked;
            self.serve(now, &request, needed, effects);
        }
    }

    /// Serves a request whose `dependencies` are here.
    fn serve(
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
        match self.log.known(id, write) {
            Known::Write(place) => {
                let first = self.log.get(place, &self.roster);
                self.retry(now, ticket, (place, first), effects);
            }
            Known::Id { first } => {
                let first = self.log.get(first, &self.roster);
                effects.push(self.refuse(ticket, Refusal::EventReused { first: first.write }));
            }
            // A write here could be one that others hold already, under a number of the earlier life.
            Known::Nothing if self.takes_no_writes() => {
                effects.push(self.reply(ticket, Err(self.returning()), Entry::Nothing));
            }
            Known::Nothing if let Some(congested) = self.congested() => {
                let unavailable = RequestError::Unavailable { congested, more: 0 };
                effects.push(self.reply(ticket, Err(unavailable), Entry::Nothing));
            }
            Known::Nothing => match self.admit(id, write, effects) {
                // Asked last: a write that is refused for another reason hears that one.
                Ok(()) if let Some(log_max) = self.full_at() => {
                    let full = Err(RequestError::Full { log_max });
                    effects.push(self.reply(ticket, full, Entry::Nothing));
                }
                Ok(()) => {
                    let dependencies = dependencies.map(|all| self.dependencies(all));
                    let write = PropagatedWrite { dot: self.next_dot(), id, write, dependencies };
                    let write_set = self.apply(&write, self.own, effects);
                    self.propagate((now, ticket), write, write_set, effects);
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

    /// The branches for which as much is kept as may be, ascending, if there are any.
    fn congested(&self) -> Option<Vec<BranchId>> {
        if !self.congested.is_empty() {
            return Some(self.congested.iter().copied().collect());
        }
        let behind = self.confirmations.behind(self.config.kept_max?, &self.roster);
        (!behind.is_empty()).then_some(behind)
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
    fn admit(
        &mut self,
        id: WriteId,
        write: Write,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let refused = self.refusals.as_ref().and_then(|refusals| refusals.find(id));
        if let Some((first, refusal)) = refused {
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
        let refusals = self.refusals_mut();
        let refused = Refused { number: refusals.next_number(), id, write, refusal };
        let forgotten = refusals.remember(refused);
        self.keep(Kept::Refused(refused), effects);
        for number in forgotten.into_iter().flatten() {
            self.keep(Kept::Forgotten(number), effects);
        }
        Err(refusal)
    }

    pub(super) fn refusals_mut(&mut self) -> &mut Refusals {
        let none_yet = || Box::new(Refusals::new(self.roster.len()));
        self.refusals.get_or_insert_with(none_yet)
    }

    /// The customer sends a write again that is applied here: it gets the first result again.
    fn retry(
        &mut self,
        now: Time,
        ticket: Ticket,
        (place, first): (LogIndex, LogEntry),
        effects: &mut Vec<Effect>,
    ) {
        let LogEntry { dot, id, write } = first;
        // What an earlier life accepted, this one has not seen confirmed.
        let is_own = self.own_life().is_of(dot);
        if self.config.propagation == Propagation::Async {
            effects.push(self.written(ticket, dot));
        } else if self.confirmations.wait(dot, ticket, self.config.timeouts.confirm_by(now)) {
            // Answered with the first request.
        } else if is_own && !self.confirmations.is_disputed(dot.sequence) {
            effects.push(self.written(ticket, dot));
        } else if let Some(congested) = self.congested() {
            // Nothing more can be asked of them: each retry would be one more write to keep for
            // them.
            effects.push(self.unknown(ticket, dot, congested));
        } else {
            if is_own {
                self.confirmations.forget_dispute(dot.sequence);
            }
            // Accepted elsewhere, or some branch held other writes when it confirmed this one: only
            // asking every branch shows whether it is confirmed now. What it depends on is not
            // known here; what was applied before it surely suffices.
            let dependencies =
                Some(self.log.version_before(place, &self.version, &self.roster).into());
            let write = PropagatedWrite { dot, id, write, dependencies };
            self.propagate((now, ticket), write, self.log.digest_at(id), effects);
        }
    }

    /// Sends a write that is applied here, after which the customer's is this `write_set`, to all
    /// others, and answers: when all have confirmed it, or at once.
    fn propagate(
        &mut self,
        (now, ticket): (Time, Ticket),
        write: PropagatedWrite,
        write_set: WriteSetDigest,
        effects: &mut Vec<Effect>,
    ) {
        let dot = write.dot;
        let has_peers = self.roster.len() > 1;
        if has_peers {
            self.confirmations.expect(write.clone(), write_set, self.own.branch(), &self.roster);
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

    pub(super) fn schedule_resend(&mut self, now: Time, dot: Dot) {
        if let Some(resend_after) = self.config.timeouts.resend_after {
            self.confirmations.resend_at(now.after(resend_after), dot);
        }
    }

    /// What a write that is accepted here has to wait for elsewhere.
    fn dependencies(&self, all: VersionVector) -> Dependencies {
        Dependencies::at(self.own, all, self.newest.as_ref(), &self.roster)
    }

    fn next_dot(&self) -> Dot {
        self.roster.dot(self.own, self.version.get(self.own).next())
    }

    /// Answers a request that has waited in vain for what its passbook asks for.
    pub(super) fn give_up(&self, now: Time, parked: &Parked, effects: &mut Vec<Effect>) {
        let ticket = parked.request.ticket;
        effects.push(Effect::Waited { ticket, waited: parked.waited(now) });
        let late = if self.is_silent() {
            self.returning()
        } else {
            let lags = self.lags(parked.needed.as_ref());
            let is_over = lags.iter().any(|lag| self.is_over(lag.origin, lag.life));
            let unheard = if is_over { self.not_heard() } else { Vec::new() };
            NotReached { lags, more: 0, unheard }.into()
        };
        effects.push(self.reply(ticket, Err(late), Entry::Nothing));
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
}
