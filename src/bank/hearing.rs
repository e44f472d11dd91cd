//! Of whom a branch has heard since it learned of a life that began. When all others have answered
//! with the same list of lives, what is here of the ended ones is all that is left of them.

use std::collections::{BTreeMap, BTreeSet};

use super::Ticket;
use crate::model::{BranchIndex, Life, Roster, Sequence, Time};

/// Who has yet to answer, and what waits for that. A branch has it from the first new life on that it
/// learns of; most never do.
#[derive(Debug, Clone, Default)]
pub(super) struct Hearing {
    /// Branches that have not answered with the list of lives that is known here.
    unheard: BTreeSet<BranchIndex>,
    /// When those are asked again.
    ask_at: Option<Time>,
    /// Branches whose answer is under way, and until when it is taken to be.
    asked: BTreeMap<BranchIndex, Option<Time>>,
    /// Branches that know of no lives: nobody can ask them.
    mute: BTreeSet<BranchIndex>,
    /// How many writes this life had accepted before this start, which does not know who holds them.
    accepted: Sequence,
    /// Branches that have not said since that they hold all of those.
    unconfirmed: BTreeSet<BranchIndex>,
    returning: Option<Return>,
    /// Requests that wait until this branch serves.
    held: Vec<Ticket>,
    has_ended: bool,
}

/// How far a branch has come that started without all that it had said.
#[derive(Debug, Clone, Copy)]
enum Return {
    /// It serves nobody.
    Silent {
        /// Until then at most.
        until: Option<Time>,
        /// The life that it begins where others hold more of its own than its disk does.
        spare: Option<Life>,
    },
    /// Its time is over, and some branch has not answered.
    Partial,
}

impl Hearing {
    /// That of a branch that has yet to hear from all others than `here`.
    pub(super) fn of_all(here: BranchIndex, roster: &Roster) -> Self {
        let mut hearing = Self::default();
        hearing.start_over(here, roster);
        hearing
    }

    /// Waits for the answers of all others than `here`.
    pub(super) fn start_over(&mut self, here: BranchIndex, roster: &Roster) {
        let is_asked = |branch: &BranchIndex| *branch != here && !self.mute.contains(branch);
        self.unheard = roster.indexes().filter(is_asked).collect();
    }

    /// Whether all others have answered.
    pub(super) fn is_complete(&self) -> bool {
        self.unheard.is_empty() && self.mute.is_empty()
    }

    /// Who can be asked and has not answered, ascending.
    pub(super) fn unheard(&self) -> impl Iterator<Item = BranchIndex> {
        self.unheard.iter().copied()
    }

    /// Who is still to be asked, or was asked and has not answered: an answer may be lost, also that
    /// of one who was asked back. And who may lack a write that nobody sends it: asked by one that has
    /// more it asks back.
    pub(super) fn unanswered(&self) -> Vec<BranchIndex> {
        let is_left =
            |branch: &BranchIndex| !self.unheard.contains(branch) && !self.mute.contains(branch);
        let asked = self.asked.keys().copied();
        let is_new = |branch: &BranchIndex| !self.asked.contains_key(branch);
        let others = asked.chain(self.unconfirmed.iter().copied().filter(is_new));
        self.unheard.iter().copied().chain(others.filter(is_left)).collect()
    }

    /// This life had accepted so many writes before it started, and every other branch may lack some.
    pub(super) fn doubt(&mut self, accepted: Sequence) {
        if accepted > Sequence::default() {
            (self.accepted, self.unconfirmed) = (accepted, self.unheard.clone());
        }
    }

    /// The branch holds so many writes of this life. Says whether it was the last one that may have
    /// lacked some of those that were accepted before this start.
    pub(super) fn holds(&mut self, branch: BranchIndex, held: Sequence) -> bool {
        held >= self.accepted && self.unconfirmed.remove(&branch) && self.unconfirmed.is_empty()
    }

    /// Whether every other branch that can be asked is known to hold what this life had accepted before
    /// this start.
    pub(super) fn is_confirmed(&self) -> bool {
        self.unconfirmed.is_empty()
    }

    /// Who cannot be asked, ascending.
    pub(super) fn mute(&self) -> impl Iterator<Item = BranchIndex> {
        self.mute.iter().copied()
    }

    /// The branch can never be asked. Says whether none is left that can and has not answered.
    pub(super) fn excuse(&mut self, branch: BranchIndex) -> bool {
        self.mute.insert(branch);
        self.unconfirmed.remove(&branch);
        self.hear(branch)
    }

    /// The branch can be asked. Says whether it could not before: then it has yet to answer.
    pub(super) fn can_answer(&mut self, branch: BranchIndex) -> bool {
        self.mute.remove(&branch) && self.unheard.insert(branch)
    }

    /// The branch has answered with the same list. Says whether it was the last one.
    pub(super) fn hear(&mut self, branch: BranchIndex) -> bool {
        let was_last = self.unheard.remove(&branch) && self.unheard.is_empty();
        if was_last {
            let is_asking = !self.asked.is_empty() || !self.unconfirmed.is_empty();
            self.ask_at = self.ask_at.filter(|_| is_asking);
            self.returning = None;
        }
        was_last
    }

    /// Those who have not answered are asked again at `at`.
    pub(super) fn ask_again_at(&mut self, at: Option<Time>) {
        self.ask_at = at;
    }

    /// Whether it is time to ask those again who have not answered.
    pub(super) fn is_due(&mut self, now: Time) -> bool {
        self.ask_at.take_if(|at| *at <= now).is_some()
    }

    /// The branch is asked, and its answer is under way until `until`.
    pub(super) fn ask(&mut self, branch: BranchIndex, until: Option<Time>) {
        self.asked.insert(branch, until);
        self.ask_at = self.ask_at.or(until);
    }

    /// Its answer has come.
    pub(super) fn answered(&mut self, branch: BranchIndex) {
        self.asked.remove(&branch);
    }

    /// Whether its answer is under way.
    pub(super) fn is_asked(&self, branch: BranchIndex, now: Time) -> bool {
        self.asked.get(&branch).is_some_and(|until| until.is_none_or(|until| now < until))
    }

    /// Serves nobody until all have answered. Whoever started from a disk has a `spare` life.
    pub(super) fn fall_silent(&mut self, spare: Option<Life>) {
        let silent = Return::Silent { until: None, spare };
        self.returning = (!self.is_complete()).then_some(silent);
    }

    /// The life that the branch would begin where its disk proves to be an older copy: as long as it
    /// serves nobody.
    pub(super) fn spare(&self) -> Option<Life> {
        match self.returning {
            Some(Return::Silent { spare, .. }) => spare,
            Some(Return::Partial) | None => None,
        }
    }

    /// This life has accepted nothing before this start.
    pub(super) fn forget_doubt(&mut self) {
        (self.accepted, self.unconfirmed) = (Sequence::default(), BTreeSet::new());
    }

    /// Serves nobody until `limit` at most.
    pub(super) fn limit_silence(&mut self, limit: Option<Time>) {
        if let Some(Return::Silent { until, .. }) = &mut self.returning {
            *until = limit;
        }
    }

    /// Ends the silence if its limit is over.
    pub(super) fn end_silence(&mut self, now: Time) -> bool {
        let is_over = matches!(self.returning, Some(Return::Silent { until: Some(until), .. }) if until <= now);
        if is_over {
            self.returning = Some(Return::Partial);
        }
        is_over
    }

    /// Whether requests wait until this branch has returned.
    pub(super) fn is_silent(&self) -> bool {
        matches!(self.returning, Some(Return::Silent { .. }))
    }

    /// Whether it started without all that it had said, and some branch has not answered since.
    pub(super) fn is_returning(&self) -> bool {
        self.returning.is_some()
    }

    /// Makes a request wait until this branch serves.
    pub(super) fn hold(&mut self, ticket: Ticket) {
        self.held.push(ticket);
    }

    /// Takes out the requests that waited until this branch serves.
    pub(super) fn take_held(&mut self) -> Vec<Ticket> {
        std::mem::take(&mut self.held)
    }

    /// Another one is this branch now.
    pub(super) fn end(&mut self) {
        self.has_ended = true;
    }

    /// Whether another one is this branch now.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// When something is to be done next.
    pub(super) fn next_deadline(&self) -> Option<Time> {
        let silence = match self.returning {
            Some(Return::Silent { until, .. }) => until,
            Some(Return::Partial) | None => None,
        };
        Time::earlier(silence, self.ask_at)
    }
}
