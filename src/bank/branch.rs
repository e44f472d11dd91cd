//! One replica: takes requests and other branches' messages, says what is to be done.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::confirmation::{Confirmations, OwnLife, Timeouts};
use super::dependencies::Newest;
use super::hearing::Hearing;
use super::life_list::SendersLives;
use super::log::{ApplyLog, Known};
use super::parking::Parking;
use super::refusals::Refusals;
use super::{
    Applied, Congestion, Dependencies, Effect, Input, Kept, LifeList, PeerMessage, PropagatedWrite,
    Start, VersionVector, WriteSetDigest,
};
use crate::model::{
    BranchId, BranchIndex, CustomerId, Dot, Durability, EventId, Life, LogEntry, LogPosition,
    Money, OriginLife, Overdraft, Propagation, Roster, Time,
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
    /// Whether it says what is to be kept.
    pub durability: Durability,
    /// How many writes may come before it accepts no more of customers; `None`: any number. What
    /// another branch has accepted is applied all the same, or branches would differ for ever.
    pub log_max: Option<LogPosition>,
    /// How many writes it keeps that are not confirmed everywhere before it accepts no more of customers;
    /// `None`: any number. Links to branches elsewhere have a bound of their own.
    pub kept_max: Option<usize>,
}

/// One branch of the bank: a deterministic state machine.
#[derive(Debug, Clone)]
pub struct Branch {
    /// Which branch it is, and in which life it accepts writes.
    pub(super) own: OriginLife,
    pub(super) lives: LifeList,
    /// From the first new life on that it learns of, or begins.
    pub(super) hearing: Option<Box<Hearing>>,
    pub(super) roster: Arc<Roster>,
    pub(super) config: BranchConfig,
    /// In cents, and wider than [`Money`]: branches that accept writes at the same time can
    /// together pass its range. Such a balance is never told as if it were right.
    pub(super) balance_minor: i128,
    pub(super) log: ApplyLog,
    /// From the first refusal on that it remembers.
    pub(super) refusals: Option<Box<Refusals>>,
    pub(super) version: VersionVector,
    pub(super) parking: Parking,
    pub(super) confirmations: Confirmations,
    /// Branches to which nothing more can be sent.
    pub(super) congested: BTreeSet<BranchId>,
    /// Writes applied just now, that others may have waited for.
    pub(super) applied: VecDeque<Dot>,
    /// Where the nearest dependencies are looked for.
    pub(super) newest: Option<Newest>,
}

impl Branch {
    /// The branch `id` of the bank `roster`, holding `opening_balance`. It begins with the bank, as
    /// all others do.
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
            own: here.into(),
            lives: LifeList::of_first_lives(),
            hearing: None,
            config,
            balance_minor: i128::from(opening_balance.minor()),
            log: ApplyLog::default(),
            refusals: None,
            version: VersionVector::new(&roster),
            parking: Parking::default(),
            congested: BTreeSet::new(),
            applied: VecDeque::new(),
            newest: None,
            confirmations: Confirmations::default(),
            roster,
        }
    }

    /// The same, where it was there before, or does not know whether others were.
    ///
    /// Panics if `id` is no branch of the roster, or a write that it remembers of none.
    pub fn again(
        id: BranchId,
        roster: Arc<Roster>,
        opening_balance: Money,
        config: BranchConfig,
        start: Start,
    ) -> Self {
        let mut branch = Self::new(id, roster, opening_balance, config);
        branch.remember(start);
        branch
    }

    /// Takes `input`, which came at `now`, and adds what is to be done to `effects`.
    ///
    /// Panics if a peer's message names a branch that is not in the roster: whoever lets messages
    /// in from elsewhere checks that.
    #[inline(always)]
    pub fn handle(&mut self, now: Time, input: Input, effects: &mut Vec<Effect>) {
        if self.has_ended() {
            return;
        }
        match input {
            Input::Started => self.start(now, effects),
            Input::Requested(request) => self.take_request(now, request, effects),
            Input::SettleRequested(ticket) => {
                self.confirmations.settle(ticket, self.version.get(self.own));
                self.announce_settled(effects);
            }
            Input::FromPeer { from, lives, message } => {
                let known = if lives == self.lives {
                    Some(SendersLives::Same)
                } else {
                    self.admits((now, from), &lives, &message, effects)
                };
                drop(lives);
                if let Some(lives) = known {
                    self.take_message((now, from), lives, message, effects);
                }
            }
            Input::Heard { from, lives } => self.hear_of((now, from), &lives, effects),
            Input::Relayed(relayed) => self.take_relayed(relayed, effects),
            Input::InReach(to) if self.can_answer(to) => {
                self.ask_others(now, effects);
            }
            Input::InReach(to) => self.ask(now, self.index(to), effects),
            Input::KnowsNoLives(branch) => {
                let branch = self.index(branch);
                if self.hearing_mut().excuse(branch) {
                    self.close(now, effects);
                }
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
        if !self.applied.is_empty() {
            self.wake(now, effects);
        }
    }

    /// When [`Input::DeadlineReached`] is due, if nothing else comes before.
    #[inline]
    pub fn next_deadline(&self) -> Option<Time> {
        // Mostly nothing has one.
        if !self.parking.has_limits() && !self.confirmations.has_limits() && self.hearing.is_none()
        {
            return None;
        }
        let next = Time::earlier(self.parking.next_deadline(), self.confirmations.next_deadline());
        match &self.hearing {
            None => next,
            Some(hearing) => Time::earlier(next, hearing.next_deadline()),
        }
    }

    /// Its id.
    pub fn id(&self) -> BranchId {
        self.roster.id(self.own.branch())
    }

    /// Which of its lives this is.
    pub fn life(&self) -> Life {
        self.roster.life(self.own)
    }

    /// The newest life of each branch that it knows. It goes with all that it says to others.
    pub fn lives(&self) -> &LifeList {
        &self.lives
    }

    /// Whether it serves: one that started without all that it had said does not before all others
    /// have answered or its return limit is over.
    pub fn serves(&self) -> bool {
        !self.is_silent()
    }

    /// Whether what is here of lives that are over is all that is left of them: all others have
    /// answered with the same list of lives.
    pub fn is_closed(&self) -> bool {
        self.hearing.as_ref().is_none_or(|hearing| hearing.is_complete())
    }

    /// Whether writes of others wait here for what they depend on.
    pub fn holds_waiting_writes(&self) -> bool {
        self.parking.holds_writes()
    }

    /// Whether an event id that is higher than all that it knows is new. One that has lost its memory
    /// and has not heard from all others would give one that names another write.
    pub fn gives_event_ids(&self) -> bool {
        !self.is_returning()
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
        let refused = self.refusals.as_ref().and_then(|refusals| refusals.latest(customer));
        self.log.latest(customer).max(refused)
    }

    /// Whether every write that it has accepted is confirmed everywhere.
    pub fn is_settled(&self) -> bool {
        self.is_confirmed_since_start() && self.confirmations.are_settled(self.own_life())
    }

    /// Whether what its life had accepted before it started again is confirmed since.
    fn is_confirmed_since_start(&self) -> bool {
        self.hearing.as_ref().is_none_or(|hearing| hearing.is_confirmed())
    }

    /// The customer's write set: the event ids of its writes, in the order applied here.
    pub fn write_set(&self, customer: CustomerId) -> Vec<EventId> {
        self.write_set_at(customer, self.position())
    }

    /// The customer's write set when the apply log was as long as `position`.
    pub fn write_set_at(&self, customer: CustomerId, position: LogPosition) -> Vec<EventId> {
        self.log.write_set(customer, position)
    }

    /// Applies `write`, which is next from its origin. Gives the customer's write set up to and with
    /// it.
    pub(super) fn apply(
        &mut self,
        write: &PropagatedWrite,
        origin: OriginLife,
        effects: &mut Vec<Effect>,
    ) -> WriteSetDigest {
        let entry = LogEntry { dot: write.dot, id: write.id, write: write.write };
        self.keep(Kept::Came(entry), effects);
        self.version.advance(origin);
        if Dependencies::have_nearest(&self.roster) {
            self.newest =
                Some(Newest::new(origin, write.dot.sequence, write.dependencies.as_ref()));
        }
        if self.parking.holds_any() {
            self.applied.push_back(write.dot);
        }
        // Two branches have accepted the same write: it counts once, whichever came first. Where
        // they accepted different ones under the same id, both count.
        let (write_set, known) = self.log.add(entry, origin, &self.roster);
        match known {
            Known::Write(_) => return write_set,
            Known::Id { .. } => effects.push(Effect::IdClash(write.clone())),
            Known::Nothing => {}
        }
        let LogEntry { dot, id, write } = entry;
        self.balance_minor += i128::from(write.delta().minor());
        let (position, balance) = (self.log.position(), self.nearest_balance());
        effects.push(Effect::Applied(Applied { dot, id, write, position, balance }));
        write_set
    }

    /// Has `kept` kept before all that follows, where there is a disk.
    #[inline]
    pub(super) fn keep(&self, kept: Kept, effects: &mut Vec<Effect>) {
        if self.config.durability == Durability::Disk {
            effects.push(Effect::Persist(kept));
        }
    }

    pub(super) fn announce_settled(&mut self, effects: &mut Vec<Effect>) {
        if !self.is_confirmed_since_start() {
            return;
        }
        let settled = self.confirmations.take_settled(self.own_life());
        effects.extend(settled.into_iter().map(Effect::Settled));
    }

    pub(super) fn own_life(&self) -> OwnLife {
        OwnLife { branch: self.id(), life: self.life() }
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
        if self.hearing.is_some() {
            self.meet_hearing_deadlines(now, effects);
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

    /// The balance, or the end of the range that it is beyond.
    pub fn nearest_balance(&self) -> Money {
        let end = if self.balance_minor < 0 { i64::MIN } else { i64::MAX };
        Money::from_minor(i64::try_from(self.balance_minor).unwrap_or(end))
    }

    pub(super) fn index(&self, branch: BranchId) -> BranchIndex {
        self.roster.index(branch).expect("messages come from branches of the roster")
    }

    /// The life that accepted `dot`.
    pub(super) fn origin(&self, dot: Dot) -> OriginLife {
        self.roster.origin(dot).expect("messages come from branches of the roster")
    }
}
