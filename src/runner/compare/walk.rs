//! One lane's way through a round, whoever carries its requests: what comes next, when it was asked,
//! what was told.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use super::pace::{Schedule, nanoseconds, now};
use super::work::{Customer, Step, Work};
use super::{Load, Unanswered};
use crate::model::{CustomerId, Event, Outcome, Receipt, RequestError};
use crate::scenario::{EventResult, EventsRow, Told};

/// A lane under way.
#[derive(Debug)]
pub(super) struct Walk {
    work: Arc<Work>,
    lane: usize,
    repetition: u32,
    step: usize,
    end: u32,
    pace: Pace,
    /// When the request under way was sent or, if that was earlier, due.
    asked: Instant,
    taken: Taken,
}

#[derive(Debug, Clone, Copy)]
enum Pace {
    AsTheyCan,
    Due { schedule: Schedule, start: Instant },
}

/// What a lane brings back.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// The latency of each request, in the lane's order. It begins with the first step and ends
    /// with the last.
    pub(super) latencies_ns: Vec<u64>,
    /// How often each step was answered as written.
    pub(super) written: Vec<u64>,
    /// What was told in the first repetition of all, if that was part of it.
    pub(super) first: Vec<EventsRow>,
}

/// A request without an answer.
#[derive(Debug)]
pub(super) struct Trouble {
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

impl Walk {
    /// The way of `lane` through the repetitions `span`, of which the first request can be asked at
    /// `start`.
    pub(super) fn new(work: &Arc<Work>, lane: usize, span: Range<u32>, start: Instant) -> Self {
        let steps = work.lanes[lane].steps.len();
        let repetitions = usize::try_from(span.end - span.start).unwrap_or(usize::MAX);
        let pace = match work.load {
            Load::Closed => Pace::AsTheyCan,
            Load::Open { rate } => {
                Pace::Due { schedule: Schedule { rate, lanes: work.lanes.len() }, start }
            }
        };
        let taken = Taken {
            latencies_ns: Vec::with_capacity(repetitions.saturating_mul(steps)),
            written: vec![0; steps],
            first: Vec::new(),
        };
        let mut walk = Self {
            work: Arc::clone(work),
            lane,
            repetition: span.start,
            step: 0,
            end: span.end,
            pace,
            asked: start,
            taken,
        };
        walk.asked = walk.due().unwrap_or(start);
        walk
    }

    /// What comes next; `None` at the end of the way.
    pub(super) fn turn(&self) -> Option<Turn<'_>> {
        if self.repetition >= self.end {
            return None;
        }
        let lane = &self.work.lanes[self.lane];
        let step = &lane.steps[self.step];
        let event = self.work.event(step, self.repetition);
        Some(Turn { step, customer: lane.customers[step.who], event })
    }

    /// When it is due, where requests are.
    pub(super) fn due(&self) -> Option<Instant> {
        match self.pace {
            Pace::AsTheyCan => None,
            Pace::Due { schedule, start } => {
                start.checked_add(schedule.due(self.lane, self.taken.latencies_ns.len()))
            }
        }
    }

    /// Takes the answer to what came next, just now.
    pub(super) fn answered(&mut self, outcome: &Outcome) -> Result<(), Trouble> {
        self.answered_at(now(), outcome)
    }

    fn answered_at(&mut self, now: Instant, outcome: &Outcome) -> Result<(), Trouble> {
        let latency = nanoseconds(now.saturating_duration_since(self.asked));
        let told = match outcome {
            Ok(Receipt::Written) => {
                self.taken.written[self.step] += 1;
                Told::Success
            }
            Ok(Receipt::Balance(balance)) => Told::Balance(*balance),
            Err(RequestError::Refused(_) | RequestError::VersionNotReached { .. }) => Told::Fail,
            Err(
                error @ (RequestError::OutcomeUnknown { .. } | RequestError::Unavailable { .. }),
            ) => return Err(self.trouble(Unanswered::Request(error.clone()))),
        };
        if self.repetition == 0 {
            self.note(told);
        }
        self.taken.latencies_ns.push(latency);
        self.step += 1;
        if self.step == self.taken.written.len() {
            self.step = 0;
            self.repetition += 1;
        }
        self.asked = self.due().unwrap_or(now);
        Ok(())
    }

    /// What is wrong with the request under way.
    pub(super) fn trouble(&self, problem: Unanswered) -> Trouble {
        let Turn { customer, event, .. } = self.turn().expect("a request is under way");
        Trouble { customer: customer.id, event, problem }
    }

    fn note(&mut self, told: Told) {
        if let Some(Turn { customer, event, .. }) = self.turn() {
            let (interface, branch) = (event.operation.interface(), Some(event.branch));
            let recv = vec![EventResult { interface, branch, told }];
            self.taken.first.push(EventsRow { id: customer.id, recv });
        }
    }

    /// What was brought back.
    pub(super) fn finish(self) -> Taken {
        self.taken
    }
}
