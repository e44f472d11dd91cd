//! What each session is owed, as its operations go by: how long each log must be to hold it.
//!
//! A session that is told of a loss is owed from then on what survived of it, and no more. Where
//! anybody is told so, that is kept beside all that each session is owed.

use super::index::{LogRef, WriteRef, place};
use super::ledger::Ledger;
use super::reach::Reach;
use super::sessions::{OpRef, SessionRef};
use super::witness::Promised;
use super::writes::ABSENT;
use crate::history::Extent;
use crate::model::BranchIndex;

/// What a session is owed.
#[derive(Debug, Clone, Default)]
pub(super) struct Owed {
    /// Its acknowledged writes.
    pub(super) own: Option<Reach>,
    /// What its reads saw.
    pub(super) seen: Option<Reach>,
    /// Its writes that bind what comes after them.
    pub(super) made: Option<Reach>,
}

impl Owed {
    /// Leaves what was owed both times.
    pub(super) fn meet(&mut self, other: &Self) {
        meet(&mut self.own, other.own.as_ref());
        meet(&mut self.seen, other.seen.as_ref());
        meet(&mut self.made, other.made.as_ref());
    }
}

fn meet(reach: &mut Option<Reach>, other: Option<&Reach>) {
    match (reach.as_mut(), other) {
        (Some(reach), Some(other)) => reach.meet(other),
        (Some(_) | None, None) | (None, Some(_)) => *reach = None,
    }
}

/// An answer that told a session of a loss.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) at: OpRef,
    /// A branch that holds at the end all that the session was ever owed.
    pub(super) held_by: Option<BranchIndex>,
    /// What a write that has several numbers is lost under, others may hold under another.
    pub(super) promised: Promised,
}

/// What is owed to all sessions.
#[derive(Debug)]
pub(super) struct OwedToSessions {
    sessions: Vec<Owed>,
    /// The same of what survived, where anybody is told of a loss; otherwise empty.
    surviving: Vec<Surviving>,
    /// The last log of each branch, then those that ended.
    passed: Vec<Passed>,
    branches: usize,
    ended: usize,
    /// The positions of a write in the logs that ended.
    positions: Vec<u32>,
}

/// What is left to a session that is told of a loss.
#[derive(Debug, Default)]
struct Surviving {
    owed: Owed,
    /// All that it was ever owed, whatever it was told since.
    ever: Owed,
    /// Whether it is owed, lost or not, any write that has several numbers.
    is_renumbered: bool,
}

/// The part of a log that was passed. Empty until a read there needs it.
#[derive(Debug, Clone, Default)]
struct Passed {
    len: usize,
    reach: Option<Reach>,
    surviving: Option<Reach>,
    is_renumbered: bool,
}

impl OwedToSessions {
    /// No session is owed anything yet.
    pub(super) fn new(ledger: &Ledger) -> Self {
        let sessions = || 0..ledger.sessions.len();
        let (branches, ended) = (ledger.roster.len(), ledger.logs.ended().len());
        let told = sessions().take(if ledger.told.is_empty() { 0 } else { usize::MAX });
        Self {
            sessions: sessions().map(|_| Owed::default()).collect(),
            surviving: told.map(|_| Surviving::default()).collect(),
            passed: (0..branches + ended).map(|_| Passed::default()).collect(),
            branches,
            ended,
            positions: Vec::new(),
        }
    }

    /// What is owed to a session.
    #[inline]
    pub(super) fn to(&self, session: SessionRef) -> &Owed {
        &self.sessions[session.place()]
    }

    /// A session's write was acknowledged. `positions` are its places in the logs that ended.
    #[inline]
    pub(super) fn acknowledges(
        &mut self,
        ledger: &Ledger,
        session: SessionRef,
        (write, positions): (WriteRef, &[u32]),
    ) {
        self.adds(ledger, session, (write, positions), |owed| &mut owed.own);
    }

    /// A session made a write that binds what comes after it.
    #[inline]
    pub(super) fn makes(
        &mut self,
        ledger: &Ledger,
        session: SessionRef,
        (write, positions): (WriteRef, &[u32]),
    ) {
        self.adds(ledger, session, (write, positions), |owed| &mut owed.made);
    }

    #[inline]
    fn adds(
        &mut self,
        ledger: &Ledger,
        session: SessionRef,
        (write, positions): (WriteRef, &[u32]),
        to: impl Fn(&mut Owed) -> &mut Option<Reach>,
    ) {
        let row = ledger.writes.row(write);
        let none = || Reach::new(self.branches, self.ended);
        let reach = to(&mut self.sessions[session.place()]);
        reach.get_or_insert_with(none).add(row, positions);
        if let Some(surviving) = self.surviving.get_mut(session.place()) {
            to(&mut surviving.ever).get_or_insert_with(none).add(row, positions);
            surviving.is_renumbered |= ledger.writes.entry(write).renumbered;
            if ledger.is_left(write) {
                to(&mut surviving.owed).get_or_insert_with(none).add(row, positions);
            }
        }
    }

    /// A read of a session saw the first `position` writes of a log, and that is not none.
    pub(super) fn sees(
        &mut self,
        ledger: &Ledger,
        session: SessionRef,
        (log, position): (LogRef, u32),
    ) {
        self.pass(ledger, log, position);
        let none = || Reach::new(self.branches, self.ended);
        let passed = &self.passed[self.column(log)];
        if let Some(reach) = &passed.reach {
            self.sessions[session.place()].seen.get_or_insert_with(none).join(reach);
        }
        if let Some(surviving) = self.surviving.get_mut(session.place()) {
            if let Some(reach) = &passed.reach {
                surviving.ever.seen.get_or_insert_with(none).join(reach);
            }
            surviving.is_renumbered |= passed.is_renumbered;
            if let Some(reach) = &passed.surviving {
                surviving.owed.seen.get_or_insert_with(none).join(reach);
            }
        }
    }

    /// A session is told that some of what it was owed is lost.
    pub(super) fn tell_of_loss(
        &mut self,
        ledger: &Ledger,
        (at, session): (OpRef, SessionRef),
    ) -> Told {
        let Surviving { owed: left, ever, is_renumbered } = &self.surviving[session.place()];
        self.sessions[session.place()].clone_from(left);
        // What it was told of before was lost then, and may be all that is.
        let owed = [&ever.own, &ever.seen, &ever.made];
        let holds_all = |branch: &BranchIndex| {
            ledger.logs.of(*branch).stopped.is_none()
                && owed.into_iter().flatten().all(|reach| reach.last(*branch) != ABSENT)
        };
        let held_by = match ledger.extent {
            Extent::Whole => ledger.roster.indexes().find(holds_all),
            Extent::CutOff => None,
        };
        let promised = if *is_renumbered { Promised::No } else { Promised::Yes };
        Told { at, held_by, promised }
    }

    /// Passes what comes up to `position` of a log. What the next log kept of it is passed there too.
    fn pass(&mut self, ledger: &Ledger, log: LogRef, position: u32) {
        let at = self.column(log);
        if self.ended > 0 && self.passed[at].reach.is_none() {
            self.inherit(ledger, log);
        }
        if let Some(ended) = log.ended()
            && let Some(next) = ledger.logs.next(log)
        {
            let kept = ledger.logs.ended()[ended].kept;
            if (self.passed[at].len..place(position)).contains(&place(kept)) {
                self.walk(ledger, log, kept);
                let next = self.column(next);
                self.passed[next] = self.passed[at].clone();
            }
        }
        self.walk(ledger, log, position);
    }

    /// What was passed of the log before this one is passed here, if it kept all of that.
    fn inherit(&mut self, ledger: &Ledger, log: LogRef) {
        let Some(before) = ledger.logs.before(log) else { return };
        let Some(ended) = before.ended() else { return };
        let passed = &self.passed[self.column(before)];
        if passed.len <= place(ledger.logs.ended()[ended].kept) {
            let at = self.column(log);
            self.passed[at] = passed.clone();
        }
    }

    fn walk(&mut self, ledger: &Ledger, log: LogRef, position: u32) {
        let at = self.column(log);
        let passed = &mut self.passed[at];
        let from = std::mem::replace(&mut passed.len, place(position));
        if self.ended == 0 && self.surviving.is_empty() {
            let none = || Reach::new(self.branches, 0);
            let reach = passed.reach.get_or_insert_with(none);
            let writes = ledger.logs.of(log.branch).writes.from(from);
            for write in writes.take(place(position).saturating_sub(from)) {
                reach.add_last(ledger.writes.row(*write));
            }
        } else {
            for index in from..place(position) {
                self.passes(ledger, at, ledger.logs.write(log, index));
            }
        }
    }

    fn passes(&mut self, ledger: &Ledger, at: usize, write: WriteRef) {
        let none = || Reach::new(self.branches, self.ended);
        let (row, passed) = (ledger.writes.row(write), &mut self.passed[at]);
        ledger.logs.positions(&ledger.writes, write, &mut self.positions);
        passed.reach.get_or_insert_with(none).add(row, &self.positions);
        if !self.surviving.is_empty() {
            passed.is_renumbered |= ledger.writes.entry(write).renumbered;
            if ledger.is_left(write) {
                passed.surviving.get_or_insert_with(none).add(row, &self.positions);
            }
        }
    }

    fn column(&self, log: LogRef) -> usize {
        log.ended().map_or(log.branch.get(), |ended| self.branches + ended)
    }
}
