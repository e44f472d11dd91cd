//! One opening of a bank, whatever carries its messages, and a round with it.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use super::propagation_delay::{Seen, Watcher, delays_us};
use super::resource_usage::{ResourceUsage, Usage};
use super::schedule::now;
use super::virtual_client::{Failure, Samples};
use super::work::Work;
use super::{CompareError, Load, Transport};
use crate::actors::{Detail, Observer, RecorderLink, TimeSource, WallClock};
use crate::model::{Propagation, Time};
use crate::run::{FinalBalance, LIMIT};

/// A bank that is open, with its customers.
pub(super) trait Bank {
    /// Sends all customers through the repetitions `span`, and waits until they are back.
    async fn walk(&mut self, span: Range<u32>) -> Result<Vec<Samples>, CompareError>;

    /// Waits until all `writes` that were ever accepted are at every branch.
    async fn settle(&mut self, writes: u64) -> Result<(), CompareError>;

    /// What became of it.
    async fn conclude(&mut self) -> Result<Conclusion, CompareError>;

    /// What carries its messages.
    fn transport(&self) -> Transport;

    /// The processes in which it and its customers live.
    fn processes(&self) -> Vec<u32>;

    /// How many bytes its connections have carried; `None` where there are none or they are not
    /// counted.
    fn carried_bytes(&self) -> Option<u64>;

    /// The time of the facts that are recorded.
    fn time(&self) -> Time;
}

/// How a bank stands at the end of a round.
#[derive(Debug, Default)]
pub(super) struct Conclusion {
    /// What each branch holds.
    pub(super) balances: Vec<FinalBalance>,
    /// When each branch applied each write, if that was recorded.
    pub(super) seen: Vec<Seen>,
}

/// What a round is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// What customers notice. Nothing is recorded.
    Latency,
    /// How long writes take to the last branch. That is recorded, which costs time with each write:
    /// nothing else is measured.
    Propagation,
}

/// A round to be played.
#[derive(Debug, Clone, Copy)]
pub(super) struct Job {
    pub(super) purpose: Purpose,
    /// How many repetitions go before, and are not measured.
    pub(super) warm_up: u32,
    /// How many are measured.
    pub(super) repetitions: u32,
}

impl Job {
    /// A round of so many repetitions, and a twentieth of that before; fewer where there are not as
    /// many event ids, or where the answers would fill the memory.
    pub(super) fn of(work: &Work, repetitions: u32) -> Self {
        let kept = u32::try_from(REQUESTS_MAX / work.requests().max(1)).unwrap_or(u32::MAX);
        let most = work.repetitions_max().min(kept.max(2));
        let warm_up = (repetitions / 20 + 1).min(most / 2);
        let repetitions = repetitions.clamp(1, most - warm_up);
        Self { purpose: Purpose::Latency, warm_up, repetitions }
    }
}

/// A round that was played.
#[derive(Debug)]
pub(super) struct Played {
    /// What each worker brought back before it was measured.
    pub(super) warm_up: Vec<Samples>,
    /// What each worker brought back.
    pub(super) samples: Vec<Samples>,
    pub(super) elapsed: Duration,
    pub(super) usage: Option<ResourceUsage>,
    pub(super) bytes: Option<u64>,
    pub(super) balances: Vec<FinalBalance>,
    /// How long each write took to the last branch, in nanoseconds.
    pub(super) delays_ns: Vec<u64>,
}

/// How many requests a round has at most, warm-up and all.
const REQUESTS_MAX: usize = 16_000_000;

/// In slow motion a nanosecond counts as a microsecond.
const SLOW_MOTION: u32 = 1000;

impl Purpose {
    /// How much faster than it should time goes by in the bank.
    pub(super) const fn speed(self) -> u32 {
        match self {
            Self::Latency => 1,
            Self::Propagation => SLOW_MOTION,
        }
    }

    /// The clock of the bank, starting now.
    pub(super) fn clock(self) -> WallClock {
        match self {
            Self::Latency => WallClock::real_time(),
            Self::Propagation => WallClock::slow_motion(),
        }
    }

    /// How actors of the bank record.
    pub(super) fn recorder(self, clock: WallClock) -> (RecorderLink, Option<Rc<RefCell<Watcher>>>) {
        let watcher = match self {
            Self::Latency => None,
            Self::Propagation => Some(Rc::<RefCell<Watcher>>::default()),
        };
        let observer = watcher.clone().map(|watcher| watcher as Rc<RefCell<dyn Observer>>);
        let clock = TimeSource::Wall(clock);
        (RecorderLink { clock, observer, detail: Detail::Essentials }, watcher)
    }
}

/// Plays a round with a bank that was just opened.
pub(super) async fn play(
    bank: &mut impl Bank,
    work: &Work,
    job: Job,
) -> Result<Played, CompareError> {
    let end = job.warm_up.saturating_add(job.repetitions);
    let warm_up = bank.walk(0..job.warm_up).await?;
    settle(bank, work, work.writes(&warm_up)).await?;
    let (bytes, since) = (bank.carried_bytes(), bank.time());
    let processes = bank.processes();
    let usage = Usage::read(&processes);
    let start = now();
    let samples = bank.walk(job.warm_up..end).await?;
    settle(bank, work, work.writes(&warm_up) + work.writes(&samples)).await?;
    let elapsed = start.elapsed();
    let used = Usage::read(&processes);
    let carried = bank.carried_bytes();
    let Conclusion { balances, seen } = bank.conclude().await?;
    let usage = match work.load {
        Load::Closed => used.zip(usage).map(|(used, usage)| used.since(&usage)),
        // Customers wait for the moment when a request is due by asking the clock.
        Load::Open { .. } => None,
    };
    let bytes = carried.zip(bytes).map(|(carried, bytes)| carried.saturating_sub(bytes));
    let delays_ns = delays_us(&seen, work.roster.len(), since);
    Ok(Played { warm_up, samples, elapsed, usage, bytes, balances, delays_ns })
}

/// With sync propagation a write is everywhere when it is answered.
async fn settle(bank: &mut impl Bank, work: &Work, writes: u64) -> Result<(), CompareError> {
    match work.config.propagation {
        Propagation::Sync => Ok(()),
        Propagation::Async => {
            let settled = tokio::time::timeout(LIMIT, bank.settle(writes)).await;
            let transport = bank.transport();
            settled.unwrap_or(Err(CompareError::Unsettled { transport, limit: LIMIT }))
        }
    }
}

/// The error that `trouble` over `transport` is.
pub(super) fn unanswered(transport: Transport, failure: Failure) -> CompareError {
    let Failure { customer, event, problem } = failure;
    CompareError::Unanswered { transport, customer, event, problem }
}
