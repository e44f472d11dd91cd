//! One run: a System in virtual time, a bank of branches, the customers of a scenario.

use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use actix::{Actor, Addr, Recipient, System, SystemRunner};
use tokio::sync::oneshot;
use tokio::task::LocalSet;

use super::bank::{BankSetup, LinkDelays, close, settle};
use super::options::{RunError, RunOptions};
use super::recorder::{Conclude, Conclusion, HistoryOutput, Recorder};
use super::result::{CustomerResult, RunConfig, RunResult, VisitResult};
use crate::actors::{
    AwaitSettled, Barrier, BranchActor, Counters, CustomerActor, CustomerSetup, MakeVisit,
    RecorderLink, SetOut, TakeRequests, TimeSource, paused_runtime,
};
use crate::bank::Timeouts;
use crate::history::Recorded;
use crate::model::{CustomerId, CustomerOrder, Event, QueryTiming};
use crate::scenario::{Scenario, Visit};

/// What a run leaves.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its result.
    pub result: RunResult,
    /// What happened, in causal order; empty if nothing was recorded.
    pub facts: Vec<Recorded>,
}

/// On a paused clock this much time goes by only when nothing is left to do: it stands for more
/// than three centuries of simulated time.
const STANDSTILL: Duration = Duration::from_millis(1 << 53);

/// Runs scenarios one after the other in virtual time: as fast as the machine goes, whatever the
/// delays. No run knows of those before it.
pub struct Runner {
    system: SystemRunner,
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner").finish_non_exhaustive()
    }
}

impl Runner {
    /// A runner for the thread that makes it.
    pub fn new() -> Result<Self, RunError> {
        Ok(Self { system: virtual_system()? })
    }

    /// Runs `scenario` to its end, and writes every fact as it happens to `history`, if that is
    /// given: `docs/HISTORY.md` is the format.
    pub fn run(
        &mut self,
        scenario: &Scenario,
        options: &RunOptions,
        history: Option<HistoryOutput>,
    ) -> Result<Run, RunError> {
        // Which task comes next depends on how many have come since the set began: a set for each
        // run. Actors and timers that a run leaves behind go with it.
        let tasks = LocalSet::new();
        let run = tasks.run_until(run_to_its_end(scenario, options, history));
        let run = self.system.block_on(run);
        if run.is_err() {
            // The clock may stand centuries ahead.
            self.system = virtual_system()?;
        }
        run
    }
}

/// Runs one `scenario` to its end in virtual time.
pub fn run(scenario: &Scenario, options: &RunOptions) -> Result<Run, RunError> {
    Runner::new()?.run(scenario, options, None)
}

/// The same, unless another thread sets `stop` before the end.
pub fn run_unless_stopped(
    scenario: &Scenario,
    options: &RunOptions,
    stop: &AtomicBool,
) -> Result<Run, RunError> {
    let runner = Runner::new()?;
    let mut run = pin!(run_to_its_end(scenario, options, None));
    // The System polls what it runs to its end again after every few actors that it has served.
    let unless_stopped = poll_fn(|context| match stop.load(Ordering::Relaxed) {
        true => Poll::Ready(Err(RunError::Stopped)),
        false => run.as_mut().poll(context),
    });
    runner.system.block_on(unless_stopped)
}

fn virtual_system() -> Result<SystemRunner, RunError> {
    let runtime = paused_runtime().map_err(RunError::Runtime)?;
    Ok(System::with_tokio_rt(|| runtime))
}

async fn run_to_its_end(
    scenario: &Scenario,
    options: &RunOptions,
    history: Option<HistoryOutput>,
) -> Result<Run, RunError> {
    let config = RunConfig::new(&scenario.settings, &options.overrides);
    let clock = TimeSource::virtual_time();
    let (recorder, link) = Recorder::open(scenario, &config, options, history, clock)?;
    let bank = Bank::open(scenario, config, recorder, link);
    match tokio::time::timeout(STANDSTILL, bank.serve(scenario)).await {
        Ok(run) => run,
        Err(_) => Err(RunError::Standstill),
    }
}

/// The actors of one run.
pub(super) struct Bank {
    pub(super) config: RunConfig,
    pub(super) branches: Vec<Addr<BranchActor>>,
    pub(super) customers: Customers,
    pub(super) recorder: Option<Addr<Recorder>>,
    pub(super) clock: TimeSource,
}

/// The customers, in the order in which they first come up.
pub(super) struct Customers {
    ids: Vec<CustomerId>,
    addresses: BTreeMap<CustomerId, Addr<CustomerActor>>,
    barrier: Option<Addr<Barrier>>,
}

/// Where customers wait before their queries, if they do. All propagation is done when all of
/// `settle` say so.
pub(super) fn barrier(
    queries: QueryTiming,
    settle: impl FnOnce() -> Vec<Recipient<AwaitSettled>>,
) -> Option<Addr<Barrier>> {
    match queries {
        QueryTiming::InPlace => None,
        QueryTiming::AfterSettling => Some(Barrier::new(settle()).start()),
    }
}

impl Bank {
    fn open(
        scenario: &Scenario,
        config: RunConfig,
        recorder: Option<Addr<Recorder>>,
        link: RecorderLink,
    ) -> Self {
        let setup = BankSetup {
            roster: &scenario.roster,
            opening_balance: scenario.opening_balance,
            branch: config.branch(Timeouts::default().confirm_limit),
            recorder: &link,
        };
        let delays = LinkDelays { latencies: &config.latencies, seed: config.seed };
        let branches = setup.open_all(|mailboxes| delays.connect(mailboxes, link.clock));
        let settle = || branches.iter().map(|branch| branch.clone().recipient()).collect();
        let counters = Counters {
            roster: Arc::clone(&scenario.roster),
            counters: branches.iter().map(|branch| branch.clone().recipient()).collect(),
            barrier: barrier(config.queries, settle),
        };
        let customers = Customers::arrive(&scenario.visits, &config, &counters, &link);
        Self { config, branches, customers, recorder, clock: link.clock }
    }

    pub(super) async fn serve(self, scenario: &Scenario) -> Result<Run, RunError> {
        self.customers.make_visits(self.config.customers, &scenario.visits).await?;
        settle(&self.branches).await?;
        // All are asked before the first answer is awaited: the runtime goes round once.
        let leaving = self.customers.leave();
        let concluding = self.recorder.map(|recorder| recorder.send(Conclude));
        let branches = close(&self.branches).await?;
        let customers = leaving.await?;
        let ended = self.clock.now();
        let Conclusion { facts, verdicts } = match concluding {
            Some(conclusion) => conclusion.await.map_err(|_| RunError::ActorStopped)??,
            None => Conclusion::default(),
        };
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
            ended,
            verdicts,
            expected: scenario.expected.clone(),
            remote: None,
        };
        Ok(Run { result, facts })
    }
}

impl Customers {
    pub(super) fn arrive(
        visits: &[Visit],
        config: &RunConfig,
        counters: &Counters,
        link: &RecorderLink,
    ) -> Self {
        let mut ids = Vec::new();
        let mut addresses = BTreeMap::new();
        for &Visit { customer: id, .. } in visits {
            addresses.entry(id).or_insert_with(|| {
                ids.push(id);
                let guarantees = config.guarantees.to(id);
                let (counters, recorder) = (counters.clone(), link.clone());
                CustomerActor::new(CustomerSetup { id, guarantees, counters, recorder }).start()
            });
        }
        Self { ids, addresses, barrier: counters.barrier.clone() }
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
                    self.visit(visit.customer, visit.events.clone()).await?;
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

    async fn visit(&self, customer: CustomerId, events: Vec<Event>) -> Result<(), RunError> {
        let (done, end) = oneshot::channel();
        self.addresses[&customer].do_send(MakeVisit { events, done });
        end.await.map_err(|_| RunError::ActorStopped)
    }

    /// Sends all customers on their way at once; each makes its own visits in order.
    async fn visit_all(&self, visits: &[Visit]) -> Result<(), RunError> {
        let mut events: BTreeMap<CustomerId, Vec<_>> = BTreeMap::new();
        for visit in visits {
            events.entry(visit.customer).or_default().extend_from_slice(&visit.events);
        }
        self.set_out(self.ids.len());
        let mut ends = Vec::with_capacity(self.ids.len());
        for id in &self.ids {
            let (done, end) = oneshot::channel();
            let events = events.remove(id).unwrap_or_default();
            self.addresses[id].do_send(MakeVisit { events, done });
            ends.push(end);
        }
        for end in ends {
            end.await.map_err(|_| RunError::ActorStopped)?;
        }
        Ok(())
    }

    /// Asks each for all its requests, at once; what comes back brings them.
    pub(super) fn leave(
        &self,
    ) -> impl Future<Output = Result<Vec<CustomerResult>, RunError>> + use<> {
        let ask = |&id: &CustomerId| (id, self.addresses[&id].send(TakeRequests));
        let asked: Vec<_> = self.ids.iter().map(ask).collect();
        async move {
            let mut customers = Vec::with_capacity(asked.len());
            for (id, requests) in asked {
                let requests = requests.await.map_err(|_| RunError::ActorStopped)?;
                customers.push(CustomerResult { id, requests });
            }
            Ok(customers)
        }
    }
}
