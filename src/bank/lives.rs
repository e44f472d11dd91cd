//! How a branch that lost its memory is told from the one that it was.
//!
//! Who learns of a new life forgets what the ended one sent and waits here, and asks every other
//! branch for what it lacks. Each that has answered with the same list of lives has said all that it holds
//! of them, and takes nothing of them that others do not hold. So when all have, what is here is all
//! that is left: the ended lives are closed at this branch, with no word to anybody.

use std::sync::Arc;

use super::confirmation::Confirmations;
use super::hearing::Hearing;
use super::life_list::SendersLives;
use super::parking::Parked;
use super::{
    Branch, Effect, EndOfLife, Entry, Kept, LifeList, Memory, Missed, PeerMessage, PropagatedWrite,
    Request, Rest, Start, Ticket, VersionVector,
};
use crate::model::number::count;
use crate::model::{
    BranchId, BranchIndex, Dot, Lag, Life, LogEntry, LogPosition, Lost, Propagation, RequestError,
    Sequence, Time,
};

/// What a session asks for and no branch holds any more.
pub(super) struct Loss {
    lost: Vec<Lost>,
    /// Of each life the last write that is left.
    last: Vec<Dot>,
}

/// How many writes an answer brings at most; the rest is asked for again.
pub(super) const MISSED_MAX: usize = if cfg!(test) { 3 } else { 10_000 };

impl Branch {
    pub(super) fn remember(&mut self, start: Start) {
        let (memory, new_life, spare) = match start {
            Start::SameLife(memory) => (memory, None, None),
            Start::NewLife { life, memory } => (memory, Some(life), None),
            Start::FromDisk { spare, memory } => (memory, None, Some(spare)),
        };
        self.lives = memory.lives;
        if let Some(life) = new_life {
            self.lives.begin(self.own.branch(), life, &self.roster);
        }
        let here = self.own.branch();
        self.own = self.roster.in_life(here, self.lives.get(here, &self.roster));
        let mut told = Vec::new();
        for LogEntry { dot, id, write } in memory.came {
            let origin = self.roster.origin(dot).expect("a remembered write is of a branch");
            let write = PropagatedWrite { dot, id, write, dependencies: None };
            self.apply(&write, origin, &mut told);
            told.clear();
        }
        self.applied.clear();
        self.newest = None;
        for refused in memory.refused {
            self.refusals_mut().remember(refused);
        }
        let own = self.version.get(self.own);
        self.confirmations = Confirmations::after(own);
        let hearing = self.hearing.insert(Box::new(Hearing::of_all(here, &self.roster)));
        if new_life.is_none() {
            hearing.doubt(own);
        }
        if new_life.is_some() || spare.is_some() {
            hearing.fall_silent(spare);
        }
    }

    /// The branch as it starts again when it has kept the first `kept` writes of its log. If those are
    /// all, its life goes on; else it begins `life`. So does one that was returning: it has yet to hear
    /// from all, and with this start from all anew.
    #[must_use]
    pub fn started_again(&self, kept: LogPosition, life: Life) -> Self {
        let memory = |lives| {
            let kept = usize::try_from(kept.get()).unwrap_or(usize::MAX);
            let came = self.came_after(LogPosition::default(), kept);
            Memory { lives, came, refused: Vec::new() }
        };
        let keeps_all = kept >= self.position();
        let start = if keeps_all && !self.is_returning() {
            Start::SameLife(memory(self.lives.clone()))
        } else if kept == LogPosition::default() && !keeps_all {
            Start::NewLife { life, memory: memory(LifeList::of_first_lives()) }
        } else {
            Start::NewLife { life, memory: memory(self.lives.clone()) }
        };
        let opening = self.balance_at(LogPosition::default()).unwrap_or_default();
        Self::again(self.id(), Arc::clone(&self.roster), opening, self.config, start)
    }

    /// The branch as it starts again with what its disk has kept of it. Should that prove to be an older
    /// copy, it begins the life `spare`.
    #[must_use]
    pub fn started_from_disk(&self, memory: Memory, spare: Life) -> Self {
        let opening = self.balance_at(LogPosition::default()).unwrap_or_default();
        let start = Start::FromDisk { spare, memory };
        Self::again(self.id(), Arc::clone(&self.roster), opening, self.config, start)
    }

    pub(super) fn start(&mut self, now: Time, effects: &mut Vec<Effect>) {
        let limit = self.config.timeouts.return_limit.map(|limit| now.after(limit));
        self.hearing_mut().limit_silence(limit);
        self.keep(Kept::Lives(self.lives.clone()), effects);
        self.ask_others(now, effects);
    }

    /// Learns what `lives` says, which is not what is known here, and whether `message`, which came
    /// with it, is to be taken: not what a life says that is over, nor, but for a question, what is
    /// meant for an earlier life of this branch.
    pub(super) fn admits(
        &mut self,
        (now, from): (Time, BranchId),
        lives: &LifeList,
        message: &PeerMessage,
        effects: &mut Vec<Effect>,
    ) -> Option<SendersLives> {
        let is_over = self.is_sender_over(from, lives);
        let is_taken = self.takes(from, lives) || matches!(message, PeerMessage::CatchUp(_));
        self.hear_of((now, from), lives, effects);
        if !is_taken || is_over || self.has_ended() {
            return None;
        }
        Some(if *lives == self.lives { SendersLives::Same } else { SendersLives::Fewer })
    }

    /// Whether what `from` says is taken if it is no question, where its list is `lives`: else it
    /// is of a life that is over, or meant for another life of this branch.
    pub fn takes(&self, from: BranchId, lives: &LifeList) -> bool {
        let is_meant = || lives.get(self.own.branch(), &self.roster) == self.life();
        *lives == self.lives || (is_meant() && !self.is_sender_over(from, lives))
    }

    fn is_sender_over(&self, from: BranchId, lives: &LifeList) -> bool {
        let (sender, roster) = (self.index(from), &self.roster);
        lives.get(sender, roster) < self.lives.get(sender, roster)
    }

    /// Learns the list of lives of `from`.
    pub(super) fn hear_of(
        &mut self,
        (now, from): (Time, BranchId),
        lives: &LifeList,
        effects: &mut Vec<Effect>,
    ) {
        if *lives == self.lives || self.is_sender_over(from, lives) {
            return;
        }
        let known = lives.get(self.own.branch(), &self.roster);
        let is_behind = known > self.life();
        let drawn = self.spare_life().unwrap_or(self.life());
        let raised = drawn.raised_above(known).filter(|_| is_behind && self.is_silent());
        if is_behind && raised.is_none() {
            return self.end(EndOfLife::Succeeded { by: known }, effects);
        }
        let newer = self.lives.merge(lives, &self.roster);
        if let Some(life) = raised {
            self.begin(life, effects);
        }
        if !newer.is_empty() {
            self.learn(now, &newer, effects);
        }
    }

    /// Begins a life in the place of the one in which it started: that had been drawn too low, for a
    /// clock went back, or others hold more of it than is left here. This start has accepted nothing.
    fn begin(&mut self, life: Life, effects: &mut Vec<Effect>) {
        let here = self.own.branch();
        self.lives.begin(here, life, &self.roster);
        self.own = self.roster.in_life(here, life);
        self.confirmations = Confirmations::default();
        self.hearing.get_or_insert_default().forget_doubt();
        self.keep(Kept::Lives(self.lives.clone()), effects);
    }

    /// The life that it would begin where its disk proves to be an older copy.
    fn spare_life(&self) -> Option<Life> {
        self.hearing.as_ref().and_then(|hearing| hearing.spare())
    }

    /// Whether another branch holds so many writes of this life that its disk must be an older copy.
    /// If so it has begun another life now, and asks again.
    fn is_from_older_copy(&mut self, now: Time, held: Sequence, effects: &mut Vec<Effect>) -> bool {
        let Some(spare) = self.spare_life().filter(|_| held > self.version.get(self.own)) else {
            return false;
        };
        let life = Some(spare).filter(|&spare| spare > self.life());
        let Some(life) = life.or_else(|| spare.raised_above(self.life())) else { return false };
        self.begin(life, effects);
        self.learn(now, &[self.own.branch()], effects);
        true
    }

    /// Branches have begun the lives that are in the list now.
    fn learn(&mut self, now: Time, newer: &[BranchIndex], effects: &mut Vec<Effect>) {
        self.keep(Kept::Lives(self.lives.clone()), effects);
        effects.push(Effect::Lives(self.lives.clone()));
        let roster = &self.roster;
        let ended: Vec<BranchId> = newer.iter().map(|&branch| roster.id(branch)).collect();
        // Whatever life accepted them: a sender that lives holds them, and all that they wait for.
        self.parking.forget_writes(&ended);
        self.confirmations.revoke(newer, self.version.get(self.own), roster);
        let hearing = self.hearing.get_or_insert_default();
        hearing.start_over(self.own.branch(), roster);
        self.ask_others(now, effects);
    }

    pub(super) fn end(&mut self, end: EndOfLife, effects: &mut Vec<Effect>) {
        self.hearing_mut().end();
        effects.push(Effect::Ended(end));
    }

    /// Asks all who have not answered, or not with the list that is known here.
    pub(super) fn ask_others(&mut self, now: Time, effects: &mut Vec<Effect>) {
        let unanswered = self.hearing_mut().unanswered();
        let next = self.next_asking(now).filter(|_| !unanswered.is_empty());
        for branch in unanswered {
            self.ask(now, branch, effects);
        }
        self.hearing_mut().ask_again_at(next);
    }

    fn next_asking(&self, now: Time) -> Option<Time> {
        self.config.timeouts.resend_after.map(|after| now.after(after))
    }

    pub(super) fn ask(&mut self, now: Time, branch: BranchIndex, effects: &mut Vec<Effect>) {
        let until = self.next_asking(now);
        self.hearing_mut().ask(branch, until);
        let (to, message) = (self.roster.id(branch), PeerMessage::CatchUp(self.version.clone()));
        effects.push(Effect::Send { to, message });
    }

    /// Answers a question, and asks back where the asker has what is missing here.
    pub(super) fn answer(
        &mut self,
        (now, from): (Time, BranchId),
        theirs: &VersionVector,
        effects: &mut Vec<Effect>,
    ) {
        let after = self.log.lacks_after(&self.version, theirs, &self.roster);
        let mut writes = self.came_after(after, MISSED_MAX);
        let end = after.get().saturating_add(count(MISSED_MAX));
        let rest = if self.position().get() > end { Rest::More } else { Rest::Nothing };
        writes.retain(|entry| {
            let origin = self.roster.origin(entry.dot);
            origin.is_some_and(|origin| entry.dot.sequence > theirs.get(origin))
        });
        let asker = self.index(from);
        let life = self.roster.in_life(asker, self.lives.get(asker, &self.roster));
        let held = Some(self.version.get(life));
        let message = PeerMessage::Missed(Missed { writes, rest, held });
        effects.push(Effect::Send { to: from, message });
        self.take_held(asker, theirs.get(self.own), effects);
        if !theirs.is_covered_by(&self.version) && !self.is_asked(asker, now) {
            self.ask(now, asker, effects);
        }
    }

    /// The branch holds so many writes of this life.
    fn take_held(&mut self, branch: BranchIndex, held: Sequence, effects: &mut Vec<Effect>) {
        if self.hearing.as_mut().is_some_and(|hearing| hearing.holds(branch, held)) {
            self.announce_settled(effects);
        }
    }

    /// Whether `branch`, of which nobody could ask anything, can be asked now.
    pub(super) fn can_answer(&mut self, branch: BranchId) -> bool {
        let branch = self.index(branch);
        self.hearing.as_mut().is_some_and(|hearing| hearing.can_answer(branch))
    }

    fn is_asked(&self, branch: BranchIndex, now: Time) -> bool {
        self.hearing.as_ref().is_some_and(|hearing| hearing.is_asked(branch, now))
    }

    /// Takes the answer to a question, from one who knows of these `lives`.
    pub(super) fn take_missed(
        &mut self,
        (now, from): (Time, BranchId),
        lives: SendersLives,
        Missed { writes, rest, held }: Missed,
        effects: &mut Vec<Effect>,
    ) {
        let (answerer, before) = (self.index(from), self.version.clone());
        self.hearing_mut().answered(answerer);
        if held.is_some_and(|held| self.is_from_older_copy(now, held, effects)) {
            return;
        }
        // One that does not say it has heard what is here, and asks for what it lacks.
        let held = held.unwrap_or_else(|| self.version.get(self.own));
        self.take_held(answerer, held, effects);
        // What waits here is looked at when all of it is applied: what is missed comes in an order
        // in which nothing has to wait, and a write that waits need not come as early.
        for LogEntry { dot, id, write } in writes {
            let write = PropagatedWrite { dot, id, write, dependencies: None };
            // After one that is left out nothing is taken, or answers with gaps would gather here
            // without a bound. What is not taken is missed still, and asked for again.
            if self.must_wait(&write) {
                return;
            }
            self.receive(from, write, effects);
        }
        match rest {
            Rest::More if self.version != before => self.ask(now, answerer, effects),
            // It says nothing new: there is no haste.
            Rest::More => {
                let until = self.next_asking(now);
                self.hearing_mut().ask(answerer, until);
            }
            Rest::Nothing => match lives {
                SendersLives::Same if self.hearing_mut().hear(answerer) => self.close(now, effects),
                SendersLives::Same | SendersLives::Fewer => {}
            },
        }
    }

    /// All have answered who can: a branch that returned serves, and if those are all, what is missing
    /// of ended lives is lost.
    pub(super) fn close(&mut self, now: Time, effects: &mut Vec<Effect>) {
        // What waited for what the last answer brought is here too.
        self.wake(now, effects);
        if !self.is_closed() {
            return self.serve_held(now, effects);
        }
        effects.push(Effect::Closed);
        let is_lost =
            |parked: &Parked| self.loss(&parked.request, parked.needed.as_ref()).is_some();
        for ticket in self.parking.find(is_lost) {
            self.reconsider(now, ticket, effects);
        }
        self.serve_held(now, effects);
    }

    fn serve_held(&mut self, now: Time, effects: &mut Vec<Effect>) {
        for ticket in self.hearing_mut().take_held() {
            self.reconsider(now, ticket, effects);
        }
    }

    pub(super) fn meet_hearing_deadlines(&mut self, now: Time, effects: &mut Vec<Effect>) {
        if self.hearing_mut().end_silence(now) {
            self.serve_held(now, effects);
        }
        if self.hearing_mut().is_due(now) {
            self.ask_others(now, effects);
        }
    }

    /// Whether a write could be one that others hold already, and nobody here would know.
    pub(super) fn takes_no_writes(&self) -> bool {
        self.config.propagation == Propagation::Sync && self.is_returning()
    }

    /// Whether it started without all that it had said, and some branch has not answered since.
    pub(super) fn is_returning(&self) -> bool {
        self.hearing.as_ref().is_some_and(|hearing| hearing.is_returning())
    }

    /// Whether it serves nobody, for it has just returned.
    pub(super) fn is_silent(&self) -> bool {
        self.hearing.as_ref().is_some_and(|hearing| hearing.is_silent())
    }

    /// Whether another one is this branch now.
    pub(super) fn has_ended(&self) -> bool {
        self.hearing.as_ref().is_some_and(|hearing| hearing.has_ended())
    }

    /// Whether it has returned, and some branch that is not `from` has not answered since.
    pub(super) fn has_not_heard_others_than(&self, from: BranchId) -> bool {
        self.is_returning() && self.unheard().iter().any(|&branch| branch != from)
    }

    pub(super) fn hearing_mut(&mut self) -> &mut Hearing {
        self.hearing.get_or_insert_default()
    }

    /// Who has not answered with the list of lives that is known here, ascending.
    pub fn unheard(&self) -> Vec<BranchId> {
        let unheard = self.hearing.iter().flat_map(|hearing| hearing.unheard());
        unheard.map(|branch| self.roster.id(branch)).collect()
    }

    /// What is told to whoever asks for what it cannot do before it has heard from all.
    pub fn returning(&self) -> RequestError {
        RequestError::Returning { unheard: self.unheard(), more: 0 }
    }

    /// The same, with those who can never answer.
    pub(super) fn not_heard(&self) -> Vec<BranchId> {
        let not_heard =
            |hearing: &Hearing| hearing.unheard().chain(hearing.mute()).collect::<Vec<_>>();
        let branches = self.hearing.as_deref().map_or(Vec::new(), not_heard);
        let mut ids: Vec<BranchId> =
            branches.into_iter().map(|branch| self.roster.id(branch)).collect();
        ids.sort_unstable();
        ids
    }

    /// Whether a later life of the branch is known.
    pub(super) fn is_over(&self, branch: BranchId, life: Life) -> bool {
        let branch = self.roster.index(branch);
        branch.is_some_and(|branch| life < self.lives.get(branch, &self.roster))
    }

    /// What the session of `request` has written or seen and is lost, if something that is `needed`
    /// is among it. Known when all others have answered, and not before.
    pub(super) fn loss(&self, request: &Request, needed: Option<&VersionVector>) -> Option<Loss> {
        // Before the first life of all there was none that anything could be lost of.
        let is_first = self.lives == LifeList::of_first_lives();
        if !self.is_closed() || is_first && self.roster.first_life() == Life::FIRST {
            return None;
        }
        let is_lost = |lag: &Lag| self.is_over(lag.origin, lag.life);
        if !needed?.lags(&self.version, &self.roster).any(|lag| is_lost(&lag)) {
            return None;
        }
        let passbook = &request.session.as_ref()?.passbook;
        let mut all = passbook.writes.clone();
        all.merge(&passbook.reads);
        let (mut lost, mut last) = (Vec::new(), Vec::new());
        for lag in all.lags(&self.version, &self.roster).filter(is_lost) {
            let Lag { origin, life, needed, here } = lag;
            lost.push(Lost { branch: origin, life, writes: needed.get() - here.get() });
            last.push(Dot { origin, life, sequence: here });
        }
        Some(Loss { lost, last })
    }

    pub(super) fn tell_loss(&self, ticket: Ticket, Loss { lost, last }: Loss) -> Effect {
        let lost = RequestError::WritesLost { lost, more: 0 };
        self.reply(ticket, Err(lost), Entry::Lost(last))
    }
}
