//! Whether each answer of a run has a reason: a refusal that fits what its customer had asked before, and
//! a wait that is no shorter and no longer than the limits say. The judge knows no limits, and takes
//! a branch that serves nobody for a careful one. Knows of no branch more than what customers were told.

use std::time::Duration;

use crate::history::RequestResult;
use crate::model::number::count;
use crate::model::{
    Guarantee, Operation, Overdraft, Propagation, Refusal, RequestError, Write, WriteKind,
};
use crate::network::{FaultKind, Keeps, NemesisKind, ScheduledFault};
use crate::run::{CustomerResult, Run, RunConfig, RunResult};

/// What is known of a run before it begins.
struct Expected<'a> {
    config: &'a RunConfig,
    /// How much later a branch may do what it does.
    slowness: Duration,
    /// Branches may stop, and customers ask again.
    stops: bool,
    /// Branches may lose their memory.
    forgets: bool,
}

/// What is wrong with a run in which the judge finds nothing: an answer without a reason, or a branch that
/// does not come to rest.
pub(super) fn defect(run: &Run) -> Option<String> {
    let RunResult { config, customers, .. } = &run.result;
    let restless = |branch| {
        format!("branch {branch} does not come to rest, though all that was accepted is everywhere")
    };
    let ended = run.result.weather.as_deref();
    let ended = ended.map_or(0, |weather| weather.struck.counts.of(FaultKind::Amnesia));
    without_reason(config, customers)
        .or_else(|| customers.iter().find_map(|customer| told_too_often(customer, ended)))
        .or_else(|| run.restless.map(restless))
}

/// Whether a customer was told of losses more often than memories `ended`: who is told goes on with what
/// is left.
fn told_too_often(customer: &CustomerResult, ended: u64) -> Option<String> {
    let is_told =
        |request: &&RequestResult| matches!(request.outcome, Err(RequestError::WritesLost { .. }));
    let told = count(customer.requests.iter().filter(is_told).count());
    let id = customer.id;
    (told > ended).then(|| {
        format!("customer {id} was told {told} times of losses, and {ended} memories ended")
    })
}

/// The first answer of a run that has no reason, in words.
fn without_reason(config: &RunConfig, customers: &[CustomerResult]) -> Option<String> {
    let expected = Expected::of(config);
    customers.iter().find_map(|customer| {
        let requests = customer.requests.iter().enumerate();
        let is_ordered = config.guarantees.to(customer.id).has(Guarantee::MonotonicWrites);
        let is_careful = has_own_ids(&customer.requests) && is_ordered;
        requests.into_iter().find_map(|(place, request)| {
            let before = &customer.requests[..place];
            let wrong = expected.wrong(request, before, (is_ordered, is_careful))?;
            let RequestResult { event, branch, .. } = request;
            let answer = match &request.outcome {
                Ok(_) => "ok".to_owned(),
                Err(error) => error.to_string(),
            };
            Some(format!(
                "branch {branch} answered customer {} (event {event}) '{answer}', {wrong}",
                customer.id,
            ))
        })
    })
}

/// Whether no two of the writes bear one id.
fn has_own_ids(requests: &[RequestResult]) -> bool {
    let writes = requests.iter().filter(|request| written(request).is_some());
    writes.map(|request| request.event).is_sorted_by(|one, next| one < next)
}

fn written(request: &RequestResult) -> Option<Write> {
    match request.operation {
        Operation::Write(write) => Some(write),
        Operation::Query => None,
    }
}

impl<'a> Expected<'a> {
    fn of(config: &'a RunConfig) -> Self {
        let mut expected = Self { config, slowness: Duration::ZERO, stops: false, forgets: false };
        let Some(faults) = config.faults.as_deref() else { return expected };
        for kind in faults.nemesis.iter().flat_map(|nemesis| &nemesis.kinds) {
            match kind {
                NemesisKind::Partition => {}
                NemesisKind::Crash => expected.stops = true,
                NemesisKind::Amnesia => (expected.stops, expected.forgets) = (true, true),
                NemesisKind::Slow => expected.slowness = crate::network::SLOW_DELAY,
            }
        }
        for fault in &faults.schedule {
            match fault {
                ScheduledFault::Crash(crash) => {
                    expected.stops = true;
                    expected.forgets |= crash.keeps != Keeps::All;
                }
                ScheduledFault::Slow(slow) => expected.slowness = expected.slowness.max(slow.delay),
                ScheduledFault::Partition(_) | ScheduledFault::Message { .. } => {}
            }
        }
        expected
    }

    /// What is wrong with an answer.
    fn wrong(
        &self,
        request: &RequestResult,
        before: &[RequestResult],
        (is_ordered, is_careful): (bool, bool),
    ) -> Option<String> {
        let waited = request.waited.as_ref().map_or(Duration::ZERO, |waited| waited.span);
        if waited > self.config.wait_limit.saturating_add(self.slowness) {
            return Some(format!("after it had waited for {waited:?}, which is above its limit"));
        }
        let confirming = request.took.saturating_sub(waited);
        let confirm_limit = self.config.confirm_limit();
        // Who asks again begins to wait anew.
        if let Some(limit) = confirm_limit.filter(|_| !self.stops)
            && confirming > limit.saturating_add(self.slowness.saturating_mul(4))
        {
            return Some(format!("{confirming:?} after the branch took it up: that is too long"));
        }
        let Err(error) = &request.outcome else {
            let wrong = self.was_to_be_refused(request, before, is_ordered)?;
            return Some(wrong.to_owned());
        };
        let is_sync = self.config.propagation == Propagation::Sync;
        let is_reason = match error {
            RequestError::Refused(refusal) => self.is_refused(*refusal, request, before),
            RequestError::VersionNotReached(missing) => {
                waited >= self.config.wait_limit && !missing.lags.is_empty()
            }
            RequestError::OutcomeUnknown { unconfirmed_by, .. } => {
                let is_late = confirm_limit.is_some_and(|limit| confirming >= limit);
                // Where a branch holds other writes of the customer it says so at once.
                let may_differ = self.stops || !is_careful;
                let others = unconfirmed_by.iter().all(|&branch| branch != request.branch);
                is_sync && others && !unconfirmed_by.is_empty() && (is_late || may_differ)
            }
            RequestError::WritesLost { lost, .. } => self.forgets && !lost.is_empty(),
            // A request that waits until a branch has heard from all may be told so at its limit.
            RequestError::Returning { unheard, .. } => {
                let is_told =
                    is_sync && written(request).is_some() || waited >= self.config.wait_limit;
                self.forgets && !unheard.is_empty() && is_told
            }
            RequestError::Unavailable { .. }
            | RequestError::Full { .. }
            | RequestError::NoAnswer { .. }
            | RequestError::Declined { .. } => false,
        };
        (!is_reason).then(|| "for which there is no reason".to_owned())
    }

    /// Why a write that is done was to be refused.
    fn was_to_be_refused(
        &self,
        request: &RequestResult,
        before: &[RequestResult],
        is_ordered: bool,
    ) -> Option<&'static str> {
        let write = written(request)?;
        if self.stops {
            return None;
        }
        let mut same = before.iter().filter(|earlier| earlier.event == request.event).peekable();
        // Where its writes are kept in order, the branch holds all that were done before.
        let is_done =
            |earlier: &&RequestResult| earlier.outcome.is_ok() && written(earlier).is_some();
        let mut done = before.iter().filter(is_done);
        if is_ordered && same.peek().is_none() && done.any(|done| done.event > request.event) {
            return Some("though a later write was done before");
        }
        let mut same = same.filter(|earlier| written(earlier) == Some(write)).peekable();
        let is_refused_here = |earlier: &RequestResult| {
            let is_refused = matches!(
                earlier.outcome,
                Err(RequestError::Refused(
                    Refusal::InsufficientFunds { .. } | Refusal::BalanceOutOfRange { .. }
                ))
            );
            is_refused && earlier.branch == request.branch
        };
        let is_first = same.peek().is_none();
        (!is_first && same.all(is_refused_here)).then_some("though it had refused just that before")
    }

    fn is_refused(
        &self,
        refusal: Refusal,
        request: &RequestResult,
        before: &[RequestResult],
    ) -> bool {
        let asked = |event, wanted: &dyn Fn(Write) -> bool| {
            let mut same = before.iter().filter(|earlier| earlier.event == event);
            same.any(|earlier| written(earlier).is_some_and(wanted))
        };
        let Some(write) = written(request) else {
            return matches!(refusal, Refusal::BalanceOutOfRange { .. });
        };
        match refusal {
            Refusal::InsufficientFunds { balance, requested } => {
                let is_rejected = self.config.overdraft == Overdraft::Reject;
                let is_asked =
                    (write.kind, write.amount.money()) == (WriteKind::Withdraw, requested);
                is_rejected && is_asked && requested > balance
            }
            Refusal::BalanceOutOfRange { .. } => true,
            Refusal::OutOfOrder { latest } => latest > request.event && asked(latest, &|_| true),
            Refusal::EventReused { first } => {
                first != write && asked(request.event, &|earlier| earlier == first)
            }
        }
    }
}
