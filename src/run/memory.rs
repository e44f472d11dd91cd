//! How much memory a run takes, as far as that can be told before it begins, and how much all runs
//! of this process may take together.
//!
//! The figures are peaks that were measured, divided by what they grow with; docs/LIMITS.md has the
//! table. A run takes somewhat less, so that what is let in fits.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use thiserror::Error;

use super::options::{Recording, RunOptions};
use super::result::RunConfig;
use crate::model::number::count;
use crate::model::{
    ByteSize, CustomerId, CustomerOrder, Durability, Guarantee, LogPosition, Operation,
    Propagation, QueryTiming,
};
use crate::scenario::{Scenario, Settings, Visit};

/// The program itself, and what the allocator keeps in reserve.
const PROGRAM_BYTES: u64 = 32 << 20;
/// A branch: its actor, its mailbox, the ways to it.
const BRANCH_BYTES: u64 = 5_000;
/// A simulated disk: what is on it and what is kept of it, each with a store as it begins, and what the
/// store holds in memory; and a write on it.
const DISK_BYTES: u64 = 340_000;
const DISK_WRITE_BYTES: u64 = 200;
/// A write at a branch: in the apply log, in the write set, with the judge, and in the version.
const APPLY_BYTES: u64 = 76;
/// The write set of a customer at a branch.
const WRITE_SET_BYTES: u64 = 190;
/// A write at a branch that is served, by a customer who writes for the first time.
const SERVED_WRITE_BYTES: u64 = APPLY_BYTES + WRITE_SET_BYTES;
/// What a write takes that waits for the disk of another branch, in writes that are held: here until it is
/// confirmed, and there with all that is said of it (1,680 bytes measured, of two branches that have it).
pub const UNKEPT_WRITE_TIMES: u64 = 4;
/// How many writes a branch may hold at most before it takes no more of customers. A log has
/// numbers for 2^32, and others may have some on the way.
pub const LOG_MAX_MOST: u64 = 4_000_000_000;
/// A customer: its actor and its passbook.
const CUSTOMER_BYTES: u64 = 2_500;
/// A request: as it stands in the scenario, its result, and with the judge.
const REQUEST_BYTES: u64 = 450;
/// A message between branches that is under way, and its acknowledgement.
const MESSAGE_BYTES: u64 = 200;
/// A write in the log of a branch's result, where branches need not have the same log.
const RESULT_BYTES: u64 = 48;
/// The chances of a link, where messages take time.
const LINK_CHANCES_BYTES: u64 = 60;
/// Where facts are kept: those of a write at a branch, those of a request, and the row of a
/// customer at a branch; each with its part of the report.
const APPLY_FACTS_BYTES: u64 = 1_000;
const REQUEST_FACTS_BYTES: u64 = 3_000;
const ROW_BYTES: u64 = 340;
/// A server with its connections, and a link from one branch to another, over sockets.
const SERVER_BYTES: u64 = 340_000;
const PEER_LINK_BYTES: u64 = 1_900;
/// A process that serves a branch.
const PROCESS_BYTES: u64 = 20 << 20;
/// A scenario that is read takes up to so many times its text, where that is hostile.
const TEXT_TIMES: u64 = 25;

/// What carries the messages of a bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// The mailboxes of one System.
    Mailboxes,
    /// Connections within this process.
    Connections,
    /// Connections between this process and one for each branch.
    Processes,
}

/// How many bytes a run of `scenario` takes beside the program itself.
pub fn run_bytes(scenario: &Scenario, options: &RunOptions, carrier: Carrier) -> u64 {
    let config = RunConfig::new(&scenario.settings, &options.overrides);
    let description = scenario.description.as_deref().map_or(0, str::len);
    let run = Shape::of(scenario).bytes(&config, options.recording, carrier);
    run.saturating_add(count(description))
}

/// The same of so many copies of its customers at the same time, which keep no facts.
pub fn copies_bytes(
    scenario: &Scenario,
    overrides: &Settings,
    copies: usize,
    carrier: Carrier,
) -> u64 {
    let config = RunConfig::new(&scenario.settings, overrides);
    Shape::of(scenario).times(count(copies)).bytes(&config, Recording::Off, carrier)
}

/// How many bytes an open bank of so many branches takes beside the program itself.
pub fn bank_bytes(branches: u64) -> u64 {
    branches.saturating_mul(BRANCH_BYTES)
}

/// How many bytes the logs of so many branches take at most that hold `log_max` writes each: every
/// write may be of another customer.
fn log_bytes(log_max: LogPosition, branches: u64) -> u64 {
    branches.saturating_mul(SERVED_WRITE_BYTES).saturating_mul(log_max.get())
}

/// How many writes each of so many branches may hold in `bytes` before it takes no more of
/// customers. Others may have `under_way` writes on the way by then, which are applied all the
/// same: there is room for them, in up to half of the bytes.
pub fn log_max(bytes: u64, branches: u64, under_way: u64) -> LogPosition {
    let holds = bytes / branches.saturating_mul(SERVED_WRITE_BYTES).max(1);
    let left = holds - under_way.min(holds / 2);
    LogPosition::new(left.clamp(1, LOG_MAX_MOST))
}

/// How many bytes it takes at most to read a scenario of so many bytes of text.
pub fn text_bytes(text_len: usize) -> u64 {
    count(text_len).saturating_mul(TEXT_TIMES)
}

/// Bytes so far; past what can be counted it is as much as can be.
struct Sum(u64);

impl Sum {
    fn add(&mut self, number: u64, bytes_each: u64) {
        self.0 = self.0.saturating_add(number.saturating_mul(bytes_each));
    }

    fn add_carrier(&mut self, branches: u64, carrier: Carrier) {
        match carrier {
            Carrier::Mailboxes => {}
            Carrier::Connections => {
                self.add(branches, SERVER_BYTES);
                self.add(branches.saturating_mul(branches), PEER_LINK_BYTES);
            }
            Carrier::Processes => {
                self.add(branches, PROCESS_BYTES);
                self.add(branches.saturating_mul(branches), PEER_LINK_BYTES);
            }
        }
    }
}

/// What the memory of a run grows with.
struct Shape {
    branches: u64,
    customers: u64,
    /// Customers who write.
    writers: u64,
    writes: u64,
    requests: u64,
}

impl Shape {
    fn of(scenario: &Scenario) -> Self {
        let mut customers: BTreeSet<CustomerId> = BTreeSet::new();
        let mut writers: BTreeSet<CustomerId> = BTreeSet::new();
        let (mut writes, mut requests) = (0, 0);
        for Visit { customer, events, .. } in &scenario.visits {
            let of_visit =
                events.iter().filter(|event| matches!(event.operation, Operation::Write(_)));
            let written = of_visit.count();
            customers.insert(*customer);
            if written > 0 {
                writers.insert(*customer);
            }
            writes += count(written);
            requests += count(events.len());
        }
        let (customers, writers) = (count(customers.len()), count(writers.len()));
        Self { branches: count(scenario.roster.len()), customers, writers, writes, requests }
    }

    /// So many copies of the customers.
    fn times(self, copies: u64) -> Self {
        let times = |number: u64| number.saturating_mul(copies);
        Self {
            branches: self.branches,
            customers: times(self.customers),
            writers: times(self.writers),
            writes: times(self.writes),
            requests: times(self.requests),
        }
    }

    fn bytes(&self, config: &RunConfig, recording: Recording, carrier: Carrier) -> u64 {
        let &Self { branches, customers, writers, writes, requests } = self;
        let applies = branches.saturating_mul(writes);
        let has_lag = !config.latencies.is_none();
        let mut bytes = Sum(bank_bytes(branches));
        bytes.add(applies, APPLY_BYTES);
        bytes.add(branches.saturating_mul(writers), WRITE_SET_BYTES);
        if config.durability == Durability::Disk {
            bytes.add(branches, DISK_BYTES);
            bytes.add(applies, DISK_WRITE_BYTES);
        }
        bytes.add(customers, CUSTOMER_BYTES);
        bytes.add(requests, REQUEST_BYTES);
        bytes.add(branches.saturating_mul(self.writes_under_way(config)), MESSAGE_BYTES);
        if has_lag || config.customers == CustomerOrder::Concurrent {
            bytes.add(applies, RESULT_BYTES);
        }
        if has_lag {
            bytes.add(branches.saturating_mul(branches.min(writes)), LINK_CHANCES_BYTES);
        }
        if recording == Recording::Facts {
            bytes.add(applies, APPLY_FACTS_BYTES);
            bytes.add(requests, REQUEST_FACTS_BYTES);
            bytes.add(branches.saturating_mul(customers), ROW_BYTES);
        }
        bytes.add_carrier(branches, carrier);
        bytes.0
    }

    /// How many writes are on their way to other branches at the same time.
    fn writes_under_way(&self, config: &RunConfig) -> u64 {
        let has_lag = !config.latencies.is_none();
        let goes_on = has_lag && config.propagation == Propagation::Async;
        let waits_for_own = config.guarantees.all.has(Guarantee::MonotonicWrites)
            || config.queries == QueryTiming::AfterSettling;
        let of_each = |writers: u64| self.writes.min(writers);
        match (goes_on, config.customers) {
            (true, _) if !waits_for_own => self.writes,
            (true, _) | (false, CustomerOrder::Concurrent) => of_each(self.writers),
            (false, CustomerOrder::InOrder) => of_each(1),
        }
    }
}

/// What all runs of this process may take together. Cheap to copy: all copies are one budget.
#[derive(Debug, Clone)]
pub struct MemoryBudget {
    /// With the program itself.
    max: ByteSize,
    shares: Arc<Shares>,
}

#[derive(Debug, Default)]
struct Shares {
    taken: Mutex<Taken>,
    /// Told when something is given back that somebody waits for.
    given_back: Condvar,
}

#[derive(Debug, Default)]
struct Taken {
    bytes: u64,
    /// How many wait for more. To wake nobody up costs as much as to wake somebody.
    waiting: usize,
}

/// Why a run does not get the memory that it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MemoryError {
    /// It would not fit if nothing else ran.
    #[error(
        "this takes about {} of memory, and may take {max}; use fewer branches or events, or allow \
         more with --memory-max", shown(*needed)
    )]
    TooLarge {
        /// What it needs.
        needed: ByteSize,
        /// What all may take.
        max: ByteSize,
    },
    /// The logs of a bank that is to be served do not fit.
    #[error(
        "{log_max} writes at each branch take about {}, and {} of memory are left for them; choose a \
         lower --log-max, or allow more with --memory-max", shown(*needed), shown(*left)
    )]
    Logs {
        /// How many writes each branch may hold.
        log_max: LogPosition,
        /// What they need.
        needed: ByteSize,
        /// What is left.
        left: ByteSize,
    },
    /// It does not fit beside what runs.
    #[error(
        "this takes about {} of memory, and others leave {} of {max}; try again later",
        shown(*needed), shown(*left)
    )]
    Busy {
        /// What it needs.
        needed: ByteSize,
        /// What is left.
        left: ByteSize,
        /// What all may take.
        max: ByteSize,
    },
}

/// In whole mebibytes: it is an estimate.
fn shown(size: ByteSize) -> ByteSize {
    const MEBIBYTE: u64 = 1 << 20;
    ByteSize::new(size.bytes().div_ceil(MEBIBYTE).saturating_mul(MEBIBYTE))
}

impl MemoryBudget {
    /// A budget of which nothing is taken.
    pub fn new(max: ByteSize) -> Self {
        Self { max, shares: Arc::default() }
    }

    /// Whether `bytes` would fit if nothing else ran.
    pub fn check(&self, bytes: u64) -> Result<(), MemoryError> {
        if bytes <= self.room() {
            return Ok(());
        }
        Err(self.too_large(bytes))
    }

    /// What is said of `bytes` that would not fit.
    pub fn too_large(&self, bytes: u64) -> MemoryError {
        let needed = ByteSize::new(bytes.saturating_add(PROGRAM_BYTES));
        MemoryError::TooLarge { needed, max: self.max }
    }

    /// What there is for all that runs, beside the program itself.
    pub fn room(&self) -> u64 {
        self.max.bytes().saturating_sub(PROGRAM_BYTES)
    }

    /// Takes `bytes`, to be given back when what is returned is dropped. Waits until others have
    /// given back enough; whoever waits must hold nothing of it.
    pub fn take(&self, bytes: u64) -> Result<MemoryShare, MemoryError> {
        self.check(bytes)?;
        let has_no_room = |taken: &mut Taken| self.room() - taken.bytes < bytes;
        let mut taken = self.taken();
        if has_no_room(&mut taken) {
            taken.waiting += 1;
            let waited = self.shares.given_back.wait_while(taken, has_no_room);
            taken = waited.unwrap_or_else(PoisonError::into_inner);
            taken.waiting -= 1;
        }
        taken.bytes += bytes;
        drop(taken);
        Ok(MemoryShare { budget: self.clone(), bytes })
    }

    /// The same, without waiting.
    pub fn try_take(&self, bytes: u64) -> Result<MemoryShare, MemoryError> {
        self.check(bytes)?;
        let mut taken = self.taken();
        let left = self.room() - taken.bytes;
        if left < bytes {
            let [needed, left] = [bytes, left].map(ByteSize::new);
            return Err(MemoryError::Busy { needed, left, max: self.max });
        }
        taken.bytes += bytes;
        Ok(MemoryShare { budget: self.clone(), bytes })
    }

    /// The same, for the logs of so many branches that hold up to `log_max` writes each.
    pub fn take_for_logs(
        &self,
        log_max: LogPosition,
        branches: u64,
    ) -> Result<MemoryShare, MemoryError> {
        let bytes = log_bytes(log_max, branches);
        let left = ByteSize::new(self.left());
        let needed = ByteSize::new(bytes);
        self.try_take(bytes).map_err(|_| MemoryError::Logs { log_max, needed, left })
    }

    /// What is left for runs that begin now.
    pub fn left(&self) -> u64 {
        self.room() - self.taken().bytes
    }

    /// What is taken. A panic beside it changes nothing of it.
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.shares.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A part of a budget, given back when it is dropped.
#[derive(Debug)]
#[must_use = "it is given back when it is dropped"]
pub struct MemoryShare {
    budget: MemoryBudget,
    bytes: u64,
}

impl Drop for MemoryShare {
    fn drop(&mut self) {
        let mut taken = self.budget.taken();
        taken.bytes -= self.bytes;
        if taken.waiting > 0 {
            self.budget.shares.given_back.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 100 MiB beside the program.
    const BUDGET: ByteSize = ByteSize::new(132 << 20);

    #[test]
    fn what_is_taken_is_given_back() {
        let budget = MemoryBudget::new(BUDGET);
        let first = budget.try_take(60 << 20).unwrap();
        let busy = budget.try_take(41 << 20).unwrap_err();
        assert_eq!(
            busy.to_string(),
            "this takes about 41MiB of memory, and others leave 40MiB of 132MiB; try again later"
        );
        let second = budget.try_take(40 << 20).unwrap();
        drop(first);
        assert_eq!(budget.try_take(60 << 20).map(drop), Ok(()));
        drop(second);
        assert_eq!(budget.try_take(100 << 20).map(drop), Ok(()));
    }

    #[test]
    fn logs_that_do_not_fit_are_refused_with_their_flag() {
        let budget = MemoryBudget::new(BUDGET);
        let refused = budget.take_for_logs(LogPosition::new(200_000), 2).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "200000 writes at each branch take about 102MiB, and 100MiB of memory are left for them; \
             choose a lower --log-max, or allow more with --memory-max"
        );
        let _logs = budget.take_for_logs(LogPosition::new(100_000), 2).unwrap();
        assert_eq!(budget.left(), (100 << 20) - 53_200_000);
    }

    #[test]
    fn what_never_fits_is_not_waited_for() {
        let refused = MemoryBudget::new(BUDGET).take((100 << 20) + 1).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "this takes about 133MiB of memory, and may take 132MiB; use fewer branches or events, \
             or allow more with --memory-max"
        );
    }

    #[test]
    fn who_waits_goes_on_when_there_is_room() {
        let budget = MemoryBudget::new(BUDGET);
        let first = budget.take(60 << 20).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| budget.take(60 << 20).map(drop));
            while budget.taken().waiting == 0 {
                std::thread::yield_now();
            }
            drop(first);
            assert_eq!(waiting.join().unwrap(), Ok(()));
        });
        let taken = budget.taken();
        assert_eq!((taken.bytes, taken.waiting), (0, 0));
    }

    #[test]
    fn a_log_holds_what_has_room_and_leaves_some_for_what_is_under_way() {
        let holds = |bytes, branches, under_way| log_max(bytes, branches, under_way).get();
        // 266 bytes a write.
        assert_eq!(holds(266_000, 1, 0), 1_000);
        assert_eq!(holds(266_000, 10, 0), 100);
        assert_eq!(holds(266_000, 1, 300), 700);
        assert_eq!(holds(266_000, 1, 10_000), 500);
        assert_eq!([holds(0, 1, 0), holds(266_000, 10_000, 0)], [1, 1]);
        assert_eq!(holds(u64::MAX, 1, 10_000), 4_000_000_000);
        assert_eq!(log_bytes(LogPosition::new(700), 2), 372_400);
        assert_eq!(log_bytes(LogPosition::new(u64::MAX), 2), u64::MAX);
    }

    /// Peaks of whole processes, in megabytes, as `docs/LIMITS.md` has them.
    #[test]
    fn the_estimate_is_no_less_and_not_far_more_than_what_was_measured() {
        let at_once = RunConfig { customers: CustomerOrder::Concurrent, ..RunConfig::default() };
        let in_turn = RunConfig::default();
        // Branches, customers, writers, writes, requests.
        for (numbers, config, recording, measured) in [
            ([2, 1, 1, 50_000, 100_000], &in_turn, Recording::Off, 69),
            ([2, 10_000, 10_000, 50_000, 100_000], &in_turn, Recording::Off, 85),
            ([100, 100, 100, 10_000, 20_000], &in_turn, Recording::Off, 116),
            ([1_000, 1, 1, 1_000, 1_000], &in_turn, Recording::Off, 88),
            ([1_000, 1_000, 1_000, 1_000, 1_000], &in_turn, Recording::Off, 258),
            ([1_000, 1_000, 1_000, 1_000, 1_000], &at_once, Recording::Off, 431),
            ([1_000, 2_000, 0, 0, 4_000], &in_turn, Recording::Off, 44),
            ([10_000, 1, 1, 10, 20], &in_turn, Recording::Off, 83),
            ([10_000, 1, 1, 100, 100], &in_turn, Recording::Off, 147),
            ([10_000, 100, 100, 100, 100], &in_turn, Recording::Off, 308),
            ([100_000, 1, 1, 10, 20], &in_turn, Recording::Off, 558),
            ([1_000, 1, 1, 1_000, 1_000], &in_turn, Recording::Facts, 649),
            ([300, 10, 10, 300, 300], &in_turn, Recording::Facts, 128),
        ] {
            let [branches, customers, writers, writes, requests] = numbers;
            let shape = Shape { branches, customers, writers, writes, requests };
            let bytes = PROGRAM_BYTES + shape.bytes(config, recording, Carrier::Mailboxes);
            let fits = measured * 1_000_000..=measured * 1_800_000;
            assert!(fits.contains(&bytes), "{numbers:?}: {bytes} B, measured {measured} MB");
        }
    }
}
