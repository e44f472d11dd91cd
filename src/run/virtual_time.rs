//! One run: an executor in virtual time, a bank of branches, the customers of a scenario.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use actix::{Addr, Recipient};
use tokio::sync::oneshot;

use super::bank::{BankSetup, Links, Seat, close};
use super::foul_weather::{self, Decided, Harmed, Pauses};
use super::options::{Chances, Rest, RunError, RunOptions};
use super::recorder::{Conclusion, HistoryOutput, Recorder, SharedRecorder};
use super::rest::restless;
use super::result::{CustomerResult, RunConfig, RunResult, SETTLE_LIMIT, VisitResult};
use super::stage::{CustomerSeat, Stage};
use crate::actors::{
    AwaitSettled, Barrier, BranchActor, BranchNews, Counters, CustomerActor, CustomerRecord,
    CustomerSetup, MakeVisit, NoEnd, RecorderLink, SetOut, TimeSource,
};
use crate::bank::Timeouts;
use crate::history::Recorded;
use crate::model::{BranchId, CustomerId, CustomerOrder, Durability, Event, QueryTiming};
use crate::scenario::{Scenario, Visit};

/// What a run leaves.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its result.
    pub result: RunResult,
    /// What happened, in causal order; empty if nothing was recorded.
    pub facts: Vec<Recorded>,
    /// How many messages its branches sent each other; none are known of where they run elsewhere.
    pub messages: u64,
    /// What chance decided, if that was to be kept.
    pub decided: Option<Box<Decided>>,
    /// A branch that did not come to rest when all was over, if it was looked and there is one.
    pub restless: Option<BranchId>,
}

/// Runs scenarios one after the other in virtual time: as fast as the machine goes, whatever the
/// delays. No run knows of those before it: it may have their actors, but nothing that they kept.
#[derive(Debug, Default)]
pub struct Runner {
    stage: Option<Box<Stage>>,
}

impl Runner {
    /// Runs `scenario` to its end, and writes every fact as it happens to `history`, if that is
    /// given: `docs/HISTORY.md` is the format.
    pub fn run(
        &mut self,
        scenario: &Scenario,
        options: &RunOptions,
        history: Option<HistoryOutput>,
    ) -> Result<Run, RunError> {
        self.run_next(scenario, options, history, &AtomicBool::new(false))
    }

    /// The same without a history, unless another thread sets `stop` before the end.
    pub fn run_unless_stopped(
        &mut self,
        scenario: &Scenario,
        options: &RunOptions,
        stop: &AtomicBool,
    ) -> Result<Run, RunError> {
        self.run_next(scenario, options, None, stop)
    }

    fn run_next(
        &mut self,
        scenario: &Scenario,
        options: &RunOptions,
        history: Option<HistoryOutput>,
        stop: &AtomicBool,
    ) -> Result<Run, RunError> {
        // A stage on which a run fails or panics is gone.
        let mut stage = self.stage.take().unwrap_or_default();
        let run = run_at(&mut stage, scenario, options, history, stop);
        if run.is_ok() {
            self.stage = stage.for_the_next();
        }
        Ok(*run?)
    }
}

/// Runs one `scenario` to its end in virtual time.
pub fn run(scenario: &Scenario, options: &RunOptions) -> Result<Run, RunError> {
    run_unless_stopped(scenario, options, &AtomicBool::new(false))
}

/// The same, unless another thread sets `stop` before the end.
pub fn run_unless_stopped(
    scenario: &Scenario,
    options: &RunOptions,
    stop: &AtomicBool,
) -> Result<Run, RunError> {
    Ok(*run_at(&mut Stage::default(), scenario, options, None, stop)?)
}

fn run_at(
    stage: &mut Stage,
    scenario: &Scenario,
    options: &RunOptions,
    history: Option<HistoryOutput>,
    stop: &AtomicBool,
) -> Result<Box<Run>, RunError> {
    let config = RunConfig::checked(&scenario.settings, &options.overrides)?;
    config.check_faults(&scenario.roster)?;
    let Stage { executor, branches, customers, nemesis } = stage;
    let clock = TimeSource::Virtual(executor.time().clone());
    let (recorder, link) = Recorder::open(scenario, &config, options, history, clock)?;
    let faults = foul_weather::faults(&config, options.chances);
    let faulty = faults.as_deref().map(|faults| {
        foul_weather::faulty(&config, faults, options.chances, (&scenario.roster, &link))
    });
    let setup = BankSetup {
        roster: &scenario.roster,
        opening_balance: scenario.opening_balance,
        branch: config.branch(Timeouts::default().confirm_limit),
        recorder: &link,
        beginnings: None,
        disks: (config.durability == Durability::Disk).then_some(config.seed),
        faulty: faulty.as_ref(),
    };
    let (latencies, seed) = (&config.latencies, config.seed);
    let ways = Links { latencies, seed, faulty: faulty.as_ref() };
    let counters = branches.open(&setup, |mailboxes| ways.connect(mailboxes, &link.clock));
    let branches = branches.seats(scenario.roster.len());
    let harm = faulty.zip(faults).map(|(faulty, faults)| {
        let goes_wrong = config.goes_wrong();
        let seat = goes_wrong.then(|| &*nemesis.get_or_insert_with(|| Seat::start(&link.clock)));
        Harmed { faults, faulty, seat }
    });
    let settle = || match harm.as_ref().and_then(|harmed| harmed.seat) {
        Some(seat) => vec![seat.address.clone().recipient()],
        None => branches.iter().map(|seat| seat.address.clone().recipient()).collect(),
    };
    let counters = Counters {
        roster: Arc::clone(&scenario.roster),
        counters,
        barrier: barrier(config.queries, &link.clock, settle),
    };
    let customers = Customers::arrive(customers, &scenario.visits, &config, &counters, &link);
    if let Some(harmed) = &harm {
        let bank = (&scenario.roster, branches);
        harmed.begin(&config, bank, customers.news(), &link);
    }
    let (clock, chances, rest) = (link.clock.clone(), options.chances, options.rest);
    let bank = Bank { config, branches, customers, recorder, clock, harm, chances, rest };
    executor.run(bank.serve(scenario), stop)?
}

impl From<NoEnd> for RunError {
    fn from(no_end: NoEnd) -> Self {
        match no_end {
            NoEnd::Standstill => Self::Standstill,
            NoEnd::Stopped => Self::Stopped,
        }
    }
}

/// The actors of one run.
pub(super) struct Bank<'a> {
    pub(super) config: RunConfig,
    pub(super) branches: &'a [Seat<BranchActor>],
    pub(super) customers: Customers<'a>,
    pub(super) recorder: Option<SharedRecorder>,
    pub(super) clock: TimeSource,
    /// What goes wrong on purpose.
    pub(super) harm: Option<Harmed<'a>>,
    /// Whether it is kept what chance decides.
    pub(super) chances: Chances,
    /// Whether it is looked if the bank comes to rest.
    pub(super) rest: Rest,
}

/// The customers, in the order in which they first come up.
pub(super) struct Customers<'a> {
    ids: Vec<CustomerId>,
    seats: &'a [CustomerSeat],
    places: BTreeMap<CustomerId, usize>,
    barrier: Option<Addr<Barrier>>,
}

/// Where customers wait before their queries, if they do. All propagation is done when all of
/// `settle` say so.
pub(super) fn barrier(
    queries: QueryTiming,
    clock: &TimeSource,
    settle: impl FnOnce() -> Vec<Recipient<AwaitSettled>>,
) -> Option<Addr<Barrier>> {
    match queries {
        QueryTiming::InPlace => None,
        QueryTiming::AfterSettling => Some(clock.start(Barrier::new(settle()))),
    }
}

impl Bank<'_> {
    pub(super) async fn serve(self, scenario: &Scenario) -> Result<Box<Run>, RunError> {
        self.customers.make_visits(self.config.customers, &scenario.visits).await?;
        let ending = match self.harm {
            // Apart, for most runs have none of it.
            Some(harmed) => Some(Box::pin(harmed.end(self.branches)).await?),
            None => {
                foul_weather::settle_all(self.branches).await?;
                None
            }
        };
        let concluded = self.recorder.map(|recorder| recorder.borrow_mut().conclude());
        let messages = self.branches.iter().map(|seat| seat.actor.sent()).sum();
        let ended = self.clock.now();
        let restless = match self.rest {
            Rest::Looked => {
                let limit = self.config.settle_limit.unwrap_or(SETTLE_LIMIT);
                restless(self.branches, &self.clock, limit).await
            }
            Rest::Taken => None,
        };
        let branches = close(self.branches)?;
        let (customers, paused) = self.customers.leave()?;
        let Conclusion { facts, verdicts, last_request_at } =
            concluded.transpose()?.unwrap_or_default();
        let asked = ending.as_ref().filter(|_| self.config.faults.is_some());
        let weather = asked.map(|ending| ending.report(last_request_at));
        let decided = (self.chances == Chances::Kept).then(|| {
            let faults = ending.map_or(Vec::new(), |ending| ending.decided);
            Box::new(Decided { faults, paused })
        });
        let result = RunResult {
            scenario: scenario.name.clone(),
            description: scenario.description.clone(),
            config: self.config,
            opening_balance: scenario.opening_balance,
            branches,
            customers,
            visits: scenario.visits.iter().map(VisitResult::from).collect(),
            written_ids: scenario.written_ids.clone(),
            warnings: scenario.warnings.clone(),
            weather,
            ended,
            verdicts,
            expected: scenario.expected.clone(),
            remote: None,
        };
        Ok(Box::new(Run { result, facts, messages, decided, restless }))
    }
}

impl<'a> Customers<'a> {
    /// Lets those who make `visits` come, and take `seats`; there are as many as are needed.
    pub(super) fn arrive(
        seats: &'a mut Vec<CustomerSeat>,
        visits: &[Visit],
        config: &RunConfig,
        counters: &Counters,
        link: &RecorderLink,
    ) -> Self {
        let mut ids = Vec::with_capacity(visits.len());
        let mut places = BTreeMap::new();
        for &Visit { customer: id, .. } in visits {
            places.entry(id).or_insert_with(|| {
                ids.push(id);
                ids.len() - 1
            });
        }
        seats.extend((seats.len()..ids.len()).map(|_| CustomerSeat::start(&link.clock)));
        for (CustomerSeat { seat, answers }, &id) in seats.iter().zip(&ids) {
            let guarantees = config.guarantees.to(id);
            let (counters, recorder) = (counters.clone(), link.clone());
            let answers = Arc::clone(answers);
            let foul = config.foul_for(id);
            seat.actor.open(CustomerSetup { id, guarantees, answers, counters, foul, recorder });
        }
        Self { ids, seats, places, barrier: counters.barrier.clone() }
    }

    /// Sends the customers on their way, and waits until all have their answers.
    pub(super) async fn make_visits(
        &self,
        order: CustomerOrder,
        visits: &[Visit],
    ) -> Result<(), RunError> {
        match order {
            CustomerOrder::InOrder => {
                for visit in visits {
                    self.set_out(1);
                    self.visit(visit).await?;
                }
                Ok(())
            }
            CustomerOrder::Concurrent => self.visit_all(visits).await,
        }
    }

    fn set_out(&self, customers: usize) {
        if let Some(barrier) = &self.barrier {
            barrier.do_send(SetOut { customers });
        }
    }

    async fn visit(&self, visit: &Visit) -> Result<(), RunError> {
        let Visit { customer, events, after } = visit.clone();
        let (done, end) = oneshot::channel();
        self.address(customer).do_send(MakeVisit { events, after, done });
        end.await.map_err(|_| RunError::ActorStopped)
    }

    /// Sends all customers on their way at once; each makes its own visits in order.
    async fn visit_all(&self, visits: &[Visit]) -> Result<(), RunError> {
        let mut all: BTreeMap<CustomerId, (Vec<Event>, Vec<Option<Duration>>)> = BTreeMap::new();
        for Visit { customer, events, after } in visits {
            let (own, pauses) = all.entry(*customer).or_default();
            if !after.is_empty() {
                pauses.resize(own.len(), None);
                pauses.extend_from_slice(after);
            }
            own.extend_from_slice(events);
        }
        self.set_out(self.ids.len());
        let mut ends = Vec::with_capacity(self.ids.len());
        for id in &self.ids {
            let (done, end) = oneshot::channel();
            let (events, after) = all.remove(id).unwrap_or_default();
            self.address(*id).do_send(MakeVisit { events, after, done });
            ends.push(end);
        }
        for end in ends {
            end.await.map_err(|_| RunError::ActorStopped)?;
        }
        Ok(())
    }

    fn address(&self, customer: CustomerId) -> &Addr<CustomerActor> {
        &self.seats[self.places[&customer]].seat.address
    }

    /// Who is told that branches stop and start.
    fn news(&self) -> Vec<Recipient<BranchNews>> {
        let here = self.seats.iter().take(self.ids.len());
        here.map(|of| of.seat.address.clone().recipient()).collect()
    }

    /// What each asked, and how long each paused before its events.
    pub(super) fn leave(self) -> Result<(Vec<CustomerResult>, Pauses), RunError> {
        let (mut results, mut pauses) = (Vec::with_capacity(self.ids.len()), Pauses::new());
        for (id, of) in self.ids.into_iter().zip(self.seats) {
            let CustomerRecord { requests, paused } =
                of.seat.actor.close().ok_or(RunError::ActorStopped)?;
            results.push(CustomerResult { id, requests });
            if !paused.is_empty() {
                pauses.insert(id, paused);
            }
        }
        Ok((results, pauses))
    }
}
