//! One worker's way through a round, by whatever its requests are carried: what comes next, when it
//! was asked, what was told.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use super::schedule::{Schedule, now};
use super::work::{Customer, Step, Work};
use super::{Load, Unanswered};
use crate::model::number::nanos;
use crate::model::{CustomerId, Event, Outcome, Receipt, RequestError};
use crate::scenario::{EventOutcome, EventResult, EventsRow};

/// A worker under way.
#[derive(Debug)]
pub(super) struct VirtualClient {
    work: Arc<Work>,
    worker: usize,
    repetition: u32,
    step: usize,
    end: u32,
    arrivals: Arrivals,
    /// When the request under way was sent or, if that was earlier, due.
    asked: Instant,
    samples: Samples,
}

#[derive(Debug, Clone, Copy)]
enum Arrivals {
    AsTheyCan,
    Due { schedule: Schedule, start: Instant },
}

/// What a worker brings back.
#[derive(Debug, Default)]
pub(super) struct Samples {
    /// The latency of each request, in the worker's order. It begins with the first step and ends
    /// with the last.
    pub(super) latencies_ns: Vec<u64>,
    /// How often each step was answered as written.
    pub(super) written: Vec<u64>,
    /// What was told in the first repetition of all, if that was part of it.
    pub(super) first: Vec<EventsRow>,
}

/// A request without an answer.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) customer: CustomerId,
    pub(super) event: Event,
    pub(super) problem: Unanswered,
}

/// What is to be asked next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn<'a> {
    pub(super) step: &'a Step,
    pub(super) customer: Customer,
    /// With the event id of this repetition.
    pub(super) event: Event,
}

impl VirtualClient {
    /// The way of `worker` through the repetitions `span`, of which the first request can be asked
    /// at `start`.
    pub(super) fn new(work: &Arc<Work>, worker: usize, span: Range<u32>, start: Instant) -> Self {
        let steps = work.workers[worker].steps.len();
        let repetitions = usize::try_from(span.end - span.start).unwrap_or(usize::MAX);
        let arrivals = match work.load {
            Load::Closed => Arrivals::AsTheyCan,
            Load::Open { rate } => {
                Arrivals::Due { schedule: Schedule { rate, workers: work.workers.len() }, start }
            }
        };
        let samples = Samples {
            latencies_ns: Vec::with_capacity(repetitions.saturating_mul(steps)),
            written: vec![0; steps],
            first: Vec::new(),
        };
        let mut walk = Self {
            work: Arc::clone(work),
            worker,
            repetition: span.start,
            step: 0,
            end: span.end,
            arrivals,
            asked: start,
            samples,
        };
        walk.asked = walk.due().unwrap_or(start);
        walk
    }

    /// What comes next; `None` at the end of the way.
    pub(super) fn turn(&self) -> Option<Turn<'_>> {
        if self.repetition >= self.end {
            return None;
        }
        let worker = &self.work.workers[self.worker];
        let step = &worker.steps[self.step];
        let event = self.work.event(step, self.repetition);
        Some(Turn { step, customer: worker.customers[step.who], event })
    }

    /// When it is due, where requests are.
    pub(super) fn due(&self) -> Option<Instant> {
        match self.arrivals {
            Arrivals::AsTheyCan => None,
            Arrivals::Due { schedule, start } => {
                start.checked_add(schedule.due(self.worker, self.samples.latencies_ns.len()))
            }
        }
    }

    /// Takes the answer to what came next, just now.
    pub(super) fn answered(&mut self, outcome: &Outcome) -> Result<(), Failure> {
        self.answered_at(now(), outcome)
    }

    fn answered_at(&mut self, now: Instant, outcome: &Outcome) -> Result<(), Failure> {
        let latency = nanos(now.saturating_duration_since(self.asked));
        let told = match outcome {
            Ok(Receipt::Written) => {
                self.samples.written[self.step] += 1;
                EventOutcome::Success
            }
            Ok(Receipt::Balance(balance)) => EventOutcome::Balance(*balance),
            Err(
                RequestError::Refused(_)
                | RequestError::VersionNotReached { .. }
                | RequestError::WritesLost { .. },
            ) => EventOutcome::Fail,
            Err(
                error @ (RequestError::OutcomeUnknown { .. }
                | RequestError::Unavailable { .. }
                | RequestError::Returning { .. }
                | RequestError::Full { .. }
                | RequestError::NoAnswer { .. }
                | RequestError::Declined { .. }),
            ) => return Err(self.failure(Unanswered::Request(error.clone()))),
        };
        if self.repetition == 0 {
            self.note(told);
        }
        self.samples.latencies_ns.push(latency);
        self.step += 1;
        if self.step == self.samples.written.len() {
            self.step = 0;
            self.repetition += 1;
        }
        self.asked = self.due().unwrap_or(now);
        Ok(())
    }

    /// What is wrong with the request under way.
    pub(super) fn failure(&self, problem: Unanswered) -> Failure {
        let Turn { customer, event, .. } = self.turn().expect("a request is under way");
        Failure { customer: customer.id, event, problem }
    }

    fn note(&mut self, told: EventOutcome) {
        if let Some(Turn { customer, event, .. }) = self.turn() {
            let (interface, branch) = (event.operation.interface(), Some(event.branch));
            let recv = vec![EventResult { interface, branch, told }];
            self.samples.first.push(EventsRow { id: customer.id, recv });
        }
    }

    /// What was brought back.
    pub(super) fn finish(self) -> Samples {
        self.samples
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::options::CompareOptions;
    use super::*;
    use crate::model::Money;
    use crate::scenario::{Scenario, Source};

    const CLASSIC: &str = include_str!("../../../input/monotonic_writes.json");

    fn work(load: Load, copies: usize) -> Arc<Work> {
        let source = Source::from_bytes("classic".to_owned(), CLASSIC.into()).unwrap();
        let scenario = Scenario::parse(&source).unwrap();
        let options = CompareOptions { load, copies, ..CompareOptions::default() };
        Arc::new(Work::new(&scenario, &options).unwrap())
    }

    const MS: Duration = Duration::from_millis(1);

    /// The latencies of `walk` where the answers come so long after `start`.
    fn latencies_ms(mut walk: VirtualClient, start: Instant, answers_ms: &[u32]) -> Vec<u128> {
        for &ms in answers_ms {
            walk.answered_at(start + MS * ms, &Ok(Receipt::Balance(Money::ZERO))).unwrap();
        }
        let latencies = walk.finish().latencies_ns;
        latencies.iter().map(|&ns| Duration::from_nanos(ns).as_millis()).collect()
    }

    /// A service that stalls for ten milliseconds, and then answers at once.
    #[test]
    fn under_an_open_load_a_stall_counts_for_all_who_were_due_meanwhile() {
        let start = now();
        let open = work(Load::Open { rate: 1000.0 }, 1);
        let walk = VirtualClient::new(&open, 0, 0..2, start);
        assert_eq!(latencies_ms(walk, start, &[10, 10, 10, 11, 12]), [10, 9, 8, 8, 8]);
        let closed = work(Load::Closed, 1);
        let walk = VirtualClient::new(&closed, 0, 0..2, start);
        assert_eq!(latencies_ms(walk, start, &[10, 10, 10, 11, 12]), [10, 0, 0, 1, 1]);
    }

    #[test]
    fn copies_take_turns_at_being_due() {
        let start = now();
        let open = work(Load::Open { rate: 1000.0 }, 2);
        let mut walk = VirtualClient::new(&open, 1, 0..1, start);
        assert_eq!(walk.due(), Some(start + MS));
        walk.answered_at(start + MS, &Ok(Receipt::Written)).unwrap();
        assert_eq!(walk.due(), Some(start + MS * 3));
    }

    #[test]
    fn event_ids_move_on_with_each_repetition_and_customer_ids_with_each_copy() {
        let work = work(Load::Closed, 3);
        let mut walk = VirtualClient::new(&work, 2, 1..3, now());
        let mut asked = Vec::new();
        while let Some(Turn { customer, event, .. }) = walk.turn() {
            asked.push((customer.id.get(), event.id.get()));
            walk.answered(&Ok(Receipt::Written)).unwrap();
        }
        assert_eq!(asked, [(3, 4), (3, 5), (3, 6), (3, 7), (3, 8), (3, 9)]);
    }
}
