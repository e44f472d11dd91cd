//! A bank in which things go wrong on purpose: the weather between its branches, its nemesis, and what
//! became of both, in a run and in real time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::{Addr, Recipient};
use tokio::sync::oneshot;

use super::bank::{Seat, Stopped, settle};
use super::options::{Chances, RunError};
use super::result::{RunConfig, SETTLE_LIMIT, WeatherReport};
use crate::actors::{
    AwaitSettled, BranchActor, BranchNews, Due, Faulty, Harm, NemesisActor, NemesisSetup,
    RecorderLink, ReplyTo,
};
use crate::model::{CustomerId, Roster, Seed, Time};
use crate::network::{
    Delays, Fate, FaultCounts, Faults, Lasts, MessageName, Plan, ScheduledFault, Weather,
};

/// How long customers paused before each of their events, where they drew that.
pub type Pauses = BTreeMap<CustomerId, Vec<Duration>>;

/// What chance decided in a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decided {
    /// What happened to branches and the ways between them, the scheduled and the drawn, and what
    /// became of each message. What was scheduled and never began is left out.
    pub faults: Vec<ScheduledFault>,
    /// How long customers paused.
    pub paused: Pauses,
}

/// What goes wrong in one run.
pub(super) struct Harmed<'a> {
    pub(super) faults: Box<Faults>,
    pub(super) faulty: Faulty,
    /// `None` where messages take their time and nothing goes wrong.
    pub(super) seat: Option<&'a Seat<NemesisActor>>,
}

/// What went wrong.
pub(super) struct Ending {
    faults: Box<Faults>,
    faulty: Faulty,
    harm: Harm,
    /// What chance decided, if that was kept.
    pub(super) decided: Vec<ScheduledFault>,
}

/// What decides of each message by itself: what is to go wrong, if anything is. Where it is to be kept
/// what chance decided, how long messages take is decided there too.
pub(super) fn faults(config: &RunConfig, chances: Chances) -> Option<Box<Faults>> {
    let is_wanted = match chances {
        Chances::Forgotten => false,
        Chances::Kept => !config.latencies.is_none(),
    };
    config.faults.clone().or_else(|| is_wanted.then(Box::default))
}

/// What goes wrong in a bank in real time, for as long as it is open.
#[derive(Debug)]
pub(super) struct Afflicted {
    faults: Box<Faults>,
    pub(super) faulty: Faulty,
    seat: Seat<NemesisActor>,
}

impl Afflicted {
    /// Those `faults`; nothing happens before it begins.
    pub(super) fn new(faults: &Faults, delays: Delays, recorder: &RecorderLink) -> Self {
        let faulty = Faulty::new(Weather::new(delays, faults.clone()), recorder.clone());
        let seat = Seat::start(&recorder.clock);
        Self { faults: Box::new(faults.clone()), faulty, seat }
    }

    /// Lets the nemesis begin.
    pub(super) fn begin(
        &self,
        seed: Seed,
        (roster, branches): (&Arc<Roster>, &[Seat<BranchActor>]),
        recorder: &RecorderLink,
    ) {
        begin(
            &self.seat,
            NemesisSetup {
                plan: Plan::new(&self.faults, seed, roster, Lasts::Days),
                faulty: self.faulty.clone(),
                roster: Arc::clone(roster),
                branches: branches.iter().map(same).collect(),
                customers: Vec::new(),
                settle_limit: SETTLE_LIMIT,
                recorder: recorder.clone(),
            },
        );
    }

    /// From now on nothing goes wrong any more.
    pub(super) fn clear_up(&self) {
        self.seat.actor.clear_up();
    }

    /// Waits until all branches hold the same, or their time for that is over: also one that has just
    /// forgotten all has it again then.
    pub(super) async fn settle(&self) -> Result<(), Stopped> {
        settled(&self.seat).await
    }

    /// How often each kind of fault struck.
    pub(super) fn struck(&self) -> FaultCounts {
        self.faulty.weather().borrow().struck().counts
    }
}

/// Lets the nemesis at `seat` begin.
fn begin(seat: &Seat<NemesisActor>, setup: NemesisSetup) {
    seat.actor.open(setup);
    seat.address.do_send(Due(Time::START));
}

/// The branch at a seat, and its mailbox.
fn same(seat: &Seat<BranchActor>) -> (BranchActor, Addr<BranchActor>) {
    (seat.actor.clone(), seat.address.clone())
}

/// The ways between the branches of a run.
pub(super) fn faulty(
    config: &RunConfig,
    faults: &Faults,
    chances: Chances,
    (roster, recorder): (&Arc<Roster>, &RecorderLink),
) -> Faulty {
    let delays = Delays::new(config.latencies.clone(), config.seed, Arc::clone(roster));
    let weather = Weather::new(delays, faults.clone());
    let weather = match chances {
        Chances::Forgotten => weather,
        Chances::Kept => weather.keeping_decisions(),
    };
    Faulty::new(weather, recorder.clone())
}

impl Harmed<'_> {
    /// Lets the nemesis begin.
    pub(super) fn begin(
        &self,
        config: &RunConfig,
        (roster, branches): (&Arc<Roster>, &[Seat<BranchActor>]),
        customers: Vec<Recipient<BranchNews>>,
        recorder: &RecorderLink,
    ) {
        let (Some(seat), Some(settle_limit)) = (self.seat, config.settle_limit) else { return };
        begin(
            seat,
            NemesisSetup {
                plan: Plan::new(&self.faults, config.seed, roster, Lasts::Run),
                faulty: self.faulty.clone(),
                roster: Arc::clone(roster),
                branches: branches.iter().map(same).collect(),
                customers,
                settle_limit,
                recorder: recorder.clone(),
            },
        );
    }

    /// Lets nothing go wrong any more, and waits until the bank has settled or its time for that is
    /// over.
    pub(super) async fn end(self, branches: &[Seat<BranchActor>]) -> Result<Box<Ending>, RunError> {
        let Self { faults, faulty, seat } = self;
        let harm = match seat {
            Some(seat) => clear_up(seat).await?,
            None => {
                settle_all(branches).await?;
                Harm { has_settled: true, ..Harm::default() }
            }
        };
        let message = |(name, fate): (MessageName, Fate)| ScheduledFault::Message { name, fate };
        let messages = faulty.weather().borrow_mut().take_decisions().into_iter().map(message);
        let begun = faults.schedule.iter().filter(|fault| fault.span().is_some()).zip(1..);
        let begun = begun.filter(|(_, number)| harm.begun.contains(number)).map(|(fault, _)| fault);
        let decided = begun.chain(&harm.drawn).cloned().chain(messages).collect();
        Ok(Box::new(Ending { faults, faulty, harm, decided }))
    }
}

async fn settled(seat: &Seat<NemesisActor>) -> Result<(), Stopped> {
    let (reply_to, settled) = oneshot::channel();
    seat.address.do_send(AwaitSettled { reply_to: ReplyTo::Caller(reply_to) });
    settled.await.map(drop).map_err(|_| Stopped)
}

async fn clear_up(seat: &Seat<NemesisActor>) -> Result<Harm, RunError> {
    seat.actor.clear_up();
    settled(seat).await?;
    seat.actor.close().ok_or(RunError::ActorStopped)
}

/// Waits until all that `branches` have accepted is everywhere, where nothing goes wrong.
pub(super) async fn settle_all(branches: &[Seat<BranchActor>]) -> Result<(), RunError> {
    // What was accepted is all that there will be, so who is settled stays so.
    let unsettled = branches.iter().filter(|seat| !seat.actor.is_settled());
    Ok(settle(unsettled.map(|seat| &seat.address)).await?)
}

impl Ending {
    /// What went wrong, and what did not.
    pub(super) fn report(&self, last_request_at: Time) -> Box<WeatherReport> {
        let weather = self.faulty.weather().borrow();
        let mut number = 0;
        let is_idle = |fault: &&ScheduledFault| {
            if let ScheduledFault::Message { name, .. } = fault {
                return !weather.has_heeded(name);
            }
            number += 1;
            match fault {
                ScheduledFault::Partition(_) | ScheduledFault::Slow(_) => !weather.was_felt(number),
                ScheduledFault::Crash(_) => !self.harm.begun.contains(&number),
                ScheduledFault::Message { .. } => false,
            }
        };
        Box::new(WeatherReport {
            struck: weather.struck().clone(),
            last_request_at,
            has_settled: self.harm.has_settled,
            idle: self.faults.schedule.iter().filter(is_idle).cloned().collect(),
        })
    }
}
