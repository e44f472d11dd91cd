//! The scenarios of all clients: each is run on a thread of its own, apart from the bank, so that
//! it holds up no other and the process need not wait for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{fmt, thread};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio_stream::wrappers::ReceiverStream;

use super::gate::Gate;
use super::outgoing::{self, Item};
use super::scenario::{ScenarioDone, ScenarioFault, ScenarioJob, ScenarioRunner};
use super::watch::closing;
use crate::grpc::error::CallError;
use crate::grpc::proto::v1;

/// How many items of a result are kept for a client that is slow to read it.
const KEPT: usize = 16;

/// What clients' scenarios may take, beside memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScenarioLimits {
    /// How many of them run, or are being read, at the same time; more are refused.
    pub scenarios_max: usize,
    /// How many events one may have, times its branches.
    pub events_max: u64,
    /// How long one may run, and after that how long its result may take to be read.
    pub time_max: Duration,
}

impl Default for ScenarioLimits {
    fn default() -> Self {
        Self { scenarios_max: 4, events_max: 1_000_000, time_max: Duration::from_secs(20) }
    }
}

/// Who runs the scenarios of clients. Copies share their limits.
#[derive(Clone)]
pub struct Scenarios {
    run: Arc<ScenarioRunner>,
    limits: ScenarioLimits,
    places: Arc<Semaphore>,
}

impl fmt::Debug for Scenarios {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scenarios").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// What comes of a run, and its place among those at the same time.
type Ended = (Result<ScenarioDone, ScenarioFault>, OwnedSemaphorePermit);

/// A run on its thread. Dropped, it stops that one.
struct UnderWay {
    stop: Arc<AtomicBool>,
    ended: oneshot::Receiver<Ended>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Scenarios {
    /// Those that `run` runs, within `limits`.
    pub fn new(limits: ScenarioLimits, run: Arc<ScenarioRunner>) -> Self {
        let places = Arc::new(Semaphore::new(limits.scenarios_max));
        Self { run, limits, places }
    }

    /// None: for a bank that is there for something else.
    pub fn none() -> Self {
        let refuse = |_: ScenarioJob, _: &AtomicBool| {
            Err(ScenarioFault::Run("this bank runs no scenarios of clients".to_owned()))
        };
        Self::new(ScenarioLimits::default(), Arc::new(refuse))
    }

    /// Runs `job`, and streams its result. Dropped before that, or when the bank closes, it stops
    /// the run.
    pub(super) async fn run(
        &self,
        job: ScenarioJob,
        gate: watch::Receiver<Gate>,
    ) -> Result<ReceiverStream<Item<v1::RunScenarioResponse>>, CallError> {
        let ScenarioLimits { scenarios_max, time_max, .. } = self.limits;
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| ScenarioFault::Crowded { most: scenarios_max })?;
        let mut run = self.begin(job, place)?;
        let (done, place) = tokio::select! {
            biased;
            () = closing(gate) => return Err(CallError::Draining),
            ended = &mut run.ended => ended.map_err(|_| CallError::ActorStopped)?,
            () = tokio::time::sleep(time_max) => {
                return Err(ScenarioFault::TooLong { limit: time_max }.into());
            }
        };
        let done = done?;
        Ok(outgoing::stream(KEPT, move |sender| async move {
            let sent = tokio::time::timeout(time_max, send(done, sender)).await;
            // Others may have the place only now: the result has taken memory until here.
            drop(place);
            sent.map_err(|_| CallError::TimeOver { limit: time_max })
        }))
    }

    /// Starts the run of `job`. Its thread has the place until it ends, however soon its end is of
    /// no interest any more.
    fn begin(&self, job: ScenarioJob, place: OwnedSemaphorePermit) -> Result<UnderWay, CallError> {
        let (tell, ended) = oneshot::channel();
        let stop = Arc::new(AtomicBool::new(false));
        let (run, is_stopped) = (Arc::clone(&self.run), Arc::clone(&stop));
        let work = move || {
            let done = run(job, &is_stopped);
            if tell.send((done, place)).is_err() {
                log::debug!("a scenario was stopped: its client has gone, or its time is over");
            }
        };
        let started = thread::Builder::new().name("scenario".to_owned()).spawn(work);
        started.map_err(|error| ScenarioFault::Run(format!("cannot start a thread: {error}")))?;
        Ok(UnderWay { stop, ended })
    }
}

/// Sends all of `done`, at the pace of its reader. What it holds of memory is given back at the
/// end.
async fn send(done: ScenarioDone, sender: mpsc::Sender<Item<v1::RunScenarioResponse>>) {
    let (items, _memory) = done.into_items();
    for item in items {
        if sender.send(Ok(item)).await.is_err() {
            return;
        }
    }
}
