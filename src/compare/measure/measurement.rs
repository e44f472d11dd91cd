//! A comparison from its beginning to its end: warms up, runs the rounds, sees that all agree.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Builder;

use super::agreement::{FirstAnswers, agreed_balance};
use super::bank::{Job, Played, Purpose, play};
use super::children::Children;
use super::mailbox::play_between_mailboxes;
use super::served::Served;
use super::virtual_client::Samples;
use super::work::Work;
use super::{
    CompareError, CompareOptions, Comparison, Kind, Latencies, Load, Machine, Measured, Progress,
    Round, Subject, Transport, codec,
};
use crate::model::number::{count, float, float_len, nanos};
use crate::model::{Money, Random, Seed};
use crate::scenario::Scenario;

/// How many rounds of a transport measure latency for each that measures propagation.
const LATENCY_PER_PROPAGATION: usize = 5;

/// A round of one of the transports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    /// Which of the transports, as they are listed.
    pub(super) transport: usize,
    pub(super) purpose: Purpose,
}

/// `rounds` for each of so many transports, drawn from `seed`. Each transport comes once in each
/// stretch, in any order: whatever slows the machine for a while slows all alike. Those of
/// `recorded` come once more in some stretches, for propagation.
pub(super) fn order(seed: Seed, transports: usize, rounds: usize, recorded: &[usize]) -> Vec<Slot> {
    let mut chance = Random::of_part(seed, 0);
    let mut order = Vec::new();
    for round in 0..rounds {
        let latency =
            (0..transports).map(|transport| Slot { transport, purpose: Purpose::Latency });
        let propagation = recorded
            .iter()
            .filter(|_| round % LATENCY_PER_PROPAGATION == 0)
            .map(|&transport| Slot { transport, purpose: Purpose::Propagation });
        let mut stretch: Vec<Slot> = latency.chain(propagation).collect();
        shuffle(&mut stretch, &mut chance);
        order.extend(stretch);
    }
    order
}

/// Fisher and Yates.
fn shuffle<T>(items: &mut [T], chance: &mut Random) {
    for last in (1..items.len()).rev() {
        let other = usize::try_from(chance.below(count(last + 1))).unwrap_or(last);
        items.swap(last, other);
    }
}

/// Runs `scenario` over several transports in real time, and measures each.
///
/// Every round has a bank of its own, opened for it and warmed up by a twentieth of its work. So no
/// round depends on those before it, none is slowed by an apply log that has grown, memory is that
/// of one round, and what differs from one opening to the next is seen as noise between rounds,
/// which it is. Stopped before its end, a comparison is of the rounds that it has.
pub fn compare(
    scenario: &Scenario,
    options: &CompareOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<Comparison, CompareError> {
    let work = Arc::new(Work::new(scenario, options)?);
    check(options)?;
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(CompareError::Runtime)?;
    let mut transports = options.transports.clone();
    transports.sort_unstable();
    let tables = transports.iter().copied().map(Table::new).collect();
    let mut contest =
        Measurement { work: &work, options, progress, answers: FirstAnswers::default(), tables };
    let ended = runtime.block_on(async {
        tokio::select! {
            biased;
            () = options.stop.cancelled() => Err(CompareError::Stopped),
            ended = contest.run(&transports) => ended,
        }
    });
    let measured = match ended {
        Ok(()) => contest.tables.into_iter().map(Table::finish).collect::<Result<_, _>>()?,
        Err(CompareError::Stopped) => rounds_so_far(contest.tables)?,
        Err(error) => return Err(error),
    };
    Ok(Comparison {
        subject: Subject {
            scenario: scenario.name.clone(),
            seed: work.config.seed,
            propagation: work.config.propagation,
            branches: work.roster.len(),
            customers: work.workers.len(),
            requests: work.requests(),
        },
        load: options.load,
        machine: Machine::this(),
        measured,
        codec: codec::cost(&work),
    })
}

/// What was measured before the comparison was stopped: the transports that have a whole round.
fn rounds_so_far(tables: Vec<Table>) -> Result<Vec<Measured>, CompareError> {
    let begun = tables.into_iter().filter(|table| !table.rounds.is_empty());
    let measured = begun.map(Table::finish).collect::<Result<Vec<_>, _>>()?;
    if measured.is_empty() { Err(CompareError::Stopped) } else { Ok(measured) }
}

fn check(options: &CompareOptions) -> Result<(), CompareError> {
    if options.transports.is_empty() {
        return Err(CompareError::NoTransports);
    }
    if options.rounds == 0 {
        return Err(CompareError::NoRounds);
    }
    if options.transports.contains(&Transport::Processes) && options.program.is_none() {
        return Err(CompareError::NoProgram);
    }
    Ok(())
}

/// A comparison under way.
struct Measurement<'a> {
    work: &'a Arc<Work>,
    options: &'a CompareOptions,
    progress: &'a mut dyn FnMut(Progress),
    answers: FirstAnswers,
    /// What is known so far: one for each transport.
    tables: Vec<Table>,
}

impl Measurement<'_> {
    async fn run(&mut self, transports: &[Transport]) -> Result<(), CompareError> {
        let mut jobs = Vec::with_capacity(transports.len());
        for &transport in transports {
            (self.progress)(Progress::WarmingUp(transport));
            jobs.push(self.size(transport).await?);
        }
        let recorded: Vec<usize> = (0..transports.len())
            .filter(|&place| self.shows_propagation(transports[place]))
            .collect();
        let seed = self.work.config.seed;
        let slots = order(seed, transports.len(), self.options.rounds, &recorded);
        let mut place = 0;
        for (number, &Slot { transport: index, purpose }) in (1..).zip(&slots) {
            let transport = transports[index];
            (self.progress)(Progress::Round { transport, number, of: slots.len() });
            let (played, balance) = self.play(transport, Job { purpose, ..jobs[index] }).await?;
            let table = &mut self.tables[index];
            match purpose {
                Purpose::Latency => {
                    table.enter(self.work, place, &played, balance);
                    place += 1;
                }
                Purpose::Propagation => {
                    table.latencies.propagation.extend(played.delays_ns.iter().copied())
                }
            }
        }
        Ok(())
    }

    /// Finds out how many repetitions take about as long as a round should.
    async fn size(&mut self, transport: Transport) -> Result<Job, CompareError> {
        let (round, work) = (self.options.round_time, self.work);
        let job = |repetitions| Job::of(work, repetitions);
        if let Load::Open { rate } = self.options.load {
            let due = Duration::try_from_secs_f64(float_len(work.requests()) / rate)
                .unwrap_or(Duration::MAX);
            return Ok(job(times(round, due)));
        }
        let (mut tried, mut each, mut long_ones) = (job(1), Duration::MAX, 0);
        loop {
            let (Played { elapsed, .. }, _) = self.play(transport, tried).await?;
            // Whatever disturbs the machine makes work seem longer than it is, never shorter.
            each = each.min(elapsed / tried.repetitions);
            let enough = job(times(round, each));
            long_ones += i32::from(elapsed >= round / 3);
            // Few repetitions say little of many: half as many as it seems, to be sure.
            let next = match long_ones {
                0 => job((enough.repetitions / 2).max(tried.repetitions.saturating_mul(2))),
                1 => enough,
                _ => return Ok(enough),
            };
            if next.repetitions == tried.repetitions && elapsed < round / 3 {
                return Ok(enough);
            }
            tried = next;
        }
    }

    fn shows_propagation(&self, transport: Transport) -> bool {
        let is_seen = match transport {
            Transport::Mailbox
            | Transport::GrpcMemory
            | Transport::GrpcUnix
            | Transport::GrpcTcp => true,
            Transport::Processes => false,
        };
        is_seen && self.work.has_writes() && self.work.roster.len() > 1
    }

    /// Plays a round with a bank of its own, and sees that it agrees with all before; with what
    /// each branch holds in the end.
    async fn play(
        &mut self,
        transport: Transport,
        job: Job,
    ) -> Result<(Played, Money), CompareError> {
        let work = self.work;
        let played = match (transport, &self.options.program) {
            (Transport::Mailbox, _) => {
                play_between_mailboxes(work, job, self.options.stop.clone()).await?
            }
            (Transport::GrpcMemory | Transport::GrpcUnix | Transport::GrpcTcp, _) => {
                play(&mut Served::open(transport, work, job.purpose).await?, work, job).await?
            }
            (Transport::Processes, Some(program)) => {
                play(&mut Children::open(program, work).await?, work, job).await?
            }
            (Transport::Processes, None) => return Err(CompareError::NoProgram),
        };
        let balance = agreed_balance(work, transport, &played)?;
        if work.is_deterministic() {
            self.answers.compare(transport, &played)?;
        }
        Ok((played, balance))
    }
}

/// How often `part` goes into `whole`: at least once.
fn times(whole: Duration, part: Duration) -> u32 {
    let times = whole.as_nanos() / part.as_nanos().max(1);
    u32::try_from(times).unwrap_or(u32::MAX).max(1)
}

/// What is known of one transport so far.
struct Table {
    transport: Transport,
    rounds: Vec<Round>,
    latencies: Latencies,
    balance: Option<Money>,
}

impl Table {
    fn new(transport: Transport) -> Self {
        Self { transport, rounds: Vec::new(), latencies: Latencies::default(), balance: None }
    }

    fn enter(&mut self, work: &Work, place: usize, played: &Played, balance: Money) {
        self.balance = Some(balance);
        for (worker, samples) in work.workers.iter().zip(&played.samples) {
            for (step, &latency) in worker.steps.iter().cycle().zip(&samples.latencies_ns) {
                let histogram = match step.kind {
                    Kind::Deposit => &mut self.latencies.deposit,
                    Kind::Withdraw => &mut self.latencies.withdraw,
                    Kind::Query => &mut self.latencies.query,
                    Kind::Propagation => &mut self.latencies.propagation,
                };
                histogram.record(latency);
            }
        }
        self.rounds.push(round(work, place, played));
    }

    fn finish(self) -> Result<Measured, CompareError> {
        let Self { transport, rounds, latencies, balance } = self;
        let balance = balance.ok_or(CompareError::BankEnded(transport))?;
        Ok(Measured { transport, rounds, latencies, balance })
    }
}

fn round(work: &Work, place: usize, played: &Played) -> Round {
    let mut all: Vec<u64> = played
        .samples
        .iter()
        .flat_map(|samples: &Samples| &samples.latencies_ns)
        .copied()
        .collect();
    let requests = count(all.len());
    let sum: u64 = all.iter().sum();
    let middle = all.len() / 2;
    let median_ns = *all.select_nth_unstable(middle).1;
    let others = count(work.roster.len() - 1);
    // Each write goes to every other branch, and each of these acknowledges it.
    let messages = 2 * (requests + others * work.writes(&played.samples));
    Round {
        place,
        requests,
        elapsed_ns: nanos(played.elapsed),
        mean_ns: float(sum) / float(requests),
        median_ns,
        processor_ns: played.usage.map(|usage| usage.processor_ns),
        context_switches: played.usage.map(|usage| usage.context_switches),
        messages: (!work.sends_again()).then_some(messages),
        bytes: played.bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_transport_comes_once_in_each_stretch_in_an_order_of_the_seed() {
        let drawn = order(Seed(7), 4, 6, &[1, 2]);
        assert_eq!(drawn, order(Seed(7), 4, 6, &[1, 2]));
        assert_ne!(drawn, order(Seed(8), 4, 6, &[1, 2]));
        let latency: Vec<usize> = drawn
            .iter()
            .filter(|slot| slot.purpose == Purpose::Latency)
            .map(|slot| slot.transport)
            .collect();
        let mut orders = std::collections::BTreeSet::new();
        for stretch in latency.chunks(4) {
            orders.insert(stretch.to_vec());
            let mut sorted = stretch.to_vec();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3]);
        }
        assert!(orders.len() > 1, "{orders:?}");
        // Rounds 0 and 5 measure propagation too.
        let propagation = drawn.iter().filter(|slot| slot.purpose == Purpose::Propagation);
        let mut propagation: Vec<usize> = propagation.map(|slot| slot.transport).collect();
        propagation.sort_unstable();
        assert_eq!(propagation, [1, 1, 2, 2]);
    }
}
