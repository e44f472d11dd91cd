//! What does harm to the branches and the ways between them, when the plan says so; and what sees
//! whether the bank has settled afterwards.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr, Context, Recipient};

use super::faulty::Faulty;
use super::{
    AwaitSettled, BranchActor, BranchNews, Due, RecorderLink, ReplyTo, Settled, StartAgain, Stop,
};
use crate::bank::VersionVector;
use crate::history::Fact;
use crate::model::number::micros;
use crate::model::{BranchId, Lag, Roster, Time};
use crate::network::{Change, FaultKind, Keeps, Plan, ScheduledFault};

/// The nemesis of a bank, with its mailbox. A copy is the same one.
#[derive(Debug, Clone, Default)]
pub struct NemesisActor {
    open: Rc<RefCell<Option<Nemesis>>>,
}

/// What a nemesis reaches.
#[derive(Debug)]
pub struct NemesisSetup {
    /// What it does, and when.
    pub plan: Plan,
    /// The ways between branches.
    pub faulty: Faulty,
    /// The branches.
    pub roster: Arc<Roster>,
    /// One of each of them, ascending by id.
    pub branches: Vec<(BranchActor, Addr<BranchActor>)>,
    /// Who is told that branches stop and start.
    pub customers: Vec<Recipient<BranchNews>>,
    /// How long the bank may take to settle when nothing goes wrong any more.
    pub settle_limit: Duration,
    /// The recorder and the clock.
    pub recorder: RecorderLink,
}

#[derive(Debug)]
struct Nemesis {
    setup: NemesisSetup,
    armed: Option<Time>,
    /// Who waits for the bank to settle, and until when.
    settling: Vec<(ReplyTo<Settled>, Time)>,
    /// Whether it had settled whenever somebody waited for it.
    has_settled: bool,
}

/// What became of the faults of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Harm {
    /// What chance brought, with the moments that it had.
    pub drawn: Vec<ScheduledFault>,
    /// Whether the bank settled whenever somebody waited for it to do so.
    pub has_settled: bool,
    /// Which of the faults that last have begun, by their numbers in the plan.
    pub begun: BTreeSet<u32>,
}

/// From so many lives on that have accepted something, beside the first ones, a branch keeps its memory:
/// each is an entry of version vectors and passbooks for ever.
const LIVES_MAX: usize = 256;

/// How often it looks whether the bank has settled.
const LOOK_EVERY: Duration = Duration::from_millis(10);

impl NemesisActor {
    /// Lets it begin, when it is told [`Due`] at the start.
    pub fn open(&self, setup: NemesisSetup) {
        let nemesis =
            Nemesis { setup, armed: Some(Time::START), settling: Vec::new(), has_settled: true };
        *self.open.borrow_mut() = Some(nemesis);
    }

    /// Nothing goes wrong any more: what lasts ends now.
    pub fn clear_up(&self) {
        if let Some(nemesis) = &mut *self.open.borrow_mut() {
            nemesis.clear_up();
        }
    }

    /// Says what became of it all, and records whether the bank has settled.
    pub fn close(&self) -> Option<Harm> {
        let nemesis = self.open.take()?;
        nemesis.record_settled();
        let plan = &nemesis.setup.plan;
        let (drawn, begun) = (plan.drawn().to_vec(), plan.begun().clone());
        Some(Harm { drawn, has_settled: nemesis.has_settled, begun })
    }
}

impl Actor for NemesisActor {
    type Context = Context<Self>;
}

hand_on! {
    NemesisActor:
    Due => due,
    AwaitSettled => settle,
}

impl Nemesis {
    fn due(&mut self, Due(at): Due, ctx: &mut Context<NemesisActor>) {
        if self.armed != Some(at) {
            return;
        }
        self.armed = None;
        let now = self.setup.recorder.clock.now();
        while let Some(change) = self.setup.plan.take(now) {
            self.change(change);
        }
        self.look(now);
        self.arm(now, ctx);
    }

    fn settle(&mut self, AwaitSettled { reply_to }: AwaitSettled, ctx: &mut Context<NemesisActor>) {
        let now = self.setup.recorder.clock.now();
        self.settling.push((reply_to, now.after(self.setup.settle_limit)));
        self.look(now);
        self.arm(now, ctx);
    }

    /// Sees to it that it is woken for what comes next.
    fn arm(&mut self, now: Time, ctx: &mut Context<NemesisActor>) {
        let look = (!self.settling.is_empty()).then(|| now.after(LOOK_EVERY));
        let Some(next) = Time::earlier(self.setup.plan.next_moment(), look) else { return };
        if self.armed.is_none_or(|armed| next < armed) {
            self.armed = Some(next);
            self.setup.recorder.clock.wake_at(next, ctx);
        }
    }

    fn change(&mut self, change: Change) {
        let NemesisSetup { faulty, recorder, .. } = &self.setup;
        match change {
            Change::Divide { number, partition } => {
                let (sides, one_way) = (partition.sides.clone(), partition.one_way);
                faulty.weather().borrow_mut().divide(number, partition);
                recorder.record_detail(|| Fact::PartitionBegan {
                    partition: number,
                    sides,
                    one_way,
                });
            }
            Change::Heal { number } => {
                faulty.weather().borrow_mut().heal(number);
                recorder.record_detail(|| Fact::PartitionHealed { partition: number });
            }
            Change::Stop { branch, keeps } => {
                faulty.strike(match self.kept(branch, keeps) {
                    Keeps::All => FaultKind::Crash,
                    Keeps::First(_) => FaultKind::Amnesia,
                });
                self.branch(branch).1.do_send(Stop);
                self.tell(BranchNews { branch, is_up: false });
            }
            Change::Start { branch, keeps } => {
                let keeps = self.kept(branch, keeps);
                self.branch(branch).1.do_send(StartAgain(keeps));
                self.tell(BranchNews { branch, is_up: true });
            }
            Change::SlowDown { number, branch, delay } => {
                self.branch(branch).0.slow_down(number, delay);
                let delay_us = micros(delay);
                self.setup.recorder.record_detail(|| Fact::SlownessBegan { branch, delay_us });
            }
            Change::SpeedUp { branch } => {
                self.branch(branch).0.speed_up();
                self.setup.recorder.record_detail(|| Fact::SlownessEnded { branch });
            }
        }
    }

    fn branch(&self, id: BranchId) -> &(BranchActor, Addr<BranchActor>) {
        let index = self.setup.roster.index(id).expect("a fault is of a branch of the roster");
        &self.setup.branches[index.get()]
    }

    /// What the branch keeps that is to keep so much. It is the same as long as it is down.
    fn kept(&self, branch: BranchId, keeps: Keeps) -> Keeps {
        let held = self.branch(branch).0.held();
        let lives = held.map_or(0, |held| held.version.later_lives());
        if lives >= LIVES_MAX { Keeps::All } else { keeps }
    }

    fn tell(&self, news: BranchNews) {
        self.setup.customers.iter().for_each(|customer| customer.do_send(news));
    }

    fn clear_up(&mut self) {
        for change in self.setup.plan.clear_up() {
            self.change(change);
        }
        self.setup.faulty.weather().borrow_mut().clear_up();
        self.armed = None;
    }

    /// Tells those who wait for the bank to settle, if it has or their time is over.
    fn look(&mut self, now: Time) {
        if self.settling.is_empty() {
            return;
        }
        let is_settled = self.lags().is_some_and(|lags| lags.is_empty());
        let waiting = std::mem::take(&mut self.settling);
        for (reply_to, until) in waiting {
            if is_settled {
                reply_to.send(Settled);
            } else if until <= now {
                self.has_settled = false;
                reply_to.send(Settled);
            } else {
                self.settling.push((reply_to, until));
            }
        }
    }

    /// What each branch lacks that another one holds; `None` while a branch is down.
    fn lags(&self) -> Option<Vec<(BranchId, Lag)>> {
        let mut versions = Vec::with_capacity(self.setup.branches.len());
        for (branch, _) in &self.setup.branches {
            versions.push(branch.held().filter(|held| !held.is_busy)?.version);
        }
        let mut all: VersionVector = versions.first()?.clone();
        versions.iter().for_each(|version| all.merge(version));
        let roster = &self.setup.roster;
        let of = |(&id, version)| all.lags(version, roster).map(move |lag| (id, lag));
        Some(roster.ids().iter().zip(&versions).flat_map(of).collect())
    }

    fn record_settled(&self) {
        let recorder = &self.setup.recorder;
        // While one is down, nobody knows.
        let Some(lags) = self.lags() else { return };
        if lags.is_empty() {
            recorder.record(|| Fact::Settled {});
        }
        for (branch, lag) in lags {
            let Lag { origin, life, needed, here } = lag;
            let writes = needed.get() - here.get();
            recorder.record(|| Fact::Unsettled { branch, origin, life, writes });
        }
    }
}
