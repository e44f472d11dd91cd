//! Requests and propagated writes that wait for a write that is not here yet.

use std::collections::{BTreeMap, VecDeque};

use super::{PropagatedWrite, Request, Ticket, VersionVector};
use crate::model::{BranchId, Dot, Lag, Time, Waited};

/// What waits, under the first write that it waits for. When that comes it is looked at anew, and
/// may wait for another one: so each waits for one write at a time, however many it needs.
///
/// It grows with what its caller lets in, and keeps nothing that is over. Requests: the caller has
/// so many at a time, and those that have run out of time go. Writes: between mailboxes as many as
/// are under way, each of which comes once; of a branch elsewhere only what comes by a call of its
/// own, which the caller counts, for an answer to a question has nothing that waits.
#[derive(Debug, Clone, Default)]
pub(super) struct Parking {
    waiting: BTreeMap<Dot, Vec<Waiter>>,
    requests: BTreeMap<Ticket, Parked>,
    /// When requests run out of time; ascending, for all wait equally long.
    limits: VecDeque<(Time, Ticket)>,
    /// How many requests have run out of time since those that have were last taken out of what
    /// waits: what they waited for may never come.
    expired: usize,
}

/// How many requests that have run out of time may stand among what waits, beside as many as wait.
const EXPIRED_MAX: usize = 1_000;

/// One that waits.
#[derive(Debug, Clone)]
pub(super) enum Waiter {
    /// A write that came before one that it needs.
    Write {
        /// The branch that sent it.
        from: BranchId,
        /// The write.
        write: PropagatedWrite,
    },
    /// A request; it may have run out of time meanwhile.
    Request(Ticket),
}

/// A request that waits, and for what.
#[derive(Debug, Clone)]
pub(super) struct Parked {
    /// The request.
    pub(super) request: Request,
    /// What must be here before it can be served, if anything.
    pub(super) needed: Option<VersionVector>,
    /// When it came.
    pub(super) since: Time,
    /// What was missing then.
    pub(super) lags: Vec<Lag>,
}

impl Parked {
    /// How long it has waited by `now`, and for what.
    pub(super) fn waited(&self, now: Time) -> Waited {
        Waited { span: now.since(self.since), lags: self.lags.clone() }
    }
}

impl Parking {
    /// Makes `waiter` wait for `dot`.
    pub(super) fn wait_for(&mut self, dot: Dot, waiter: Waiter) {
        // Mostly it is the only one. Four, for which a list has room at first, have a size for which
        // the allocator takes its slow way.
        self.waiting.entry(dot).or_insert_with(|| Vec::with_capacity(1)).push(waiter);
    }

    /// Whether something waits.
    pub(super) fn holds_any(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Keeps a request until it is taken out again, or until `limit`.
    pub(super) fn park(&mut self, parked: Parked, limit: Option<Time>) {
        let ticket = parked.request.ticket;
        self.limits.extend(limit.map(|limit| (limit, ticket)));
        self.requests.insert(ticket, parked);
    }

    /// The parked request `ticket`, unless it has run out of time.
    pub(super) fn parked(&self, ticket: Ticket) -> Option<&Parked> {
        self.requests.get(&ticket)
    }

    /// Takes out the parked request `ticket`.
    pub(super) fn take(&mut self, ticket: Ticket) -> Option<Parked> {
        self.requests.remove(&ticket)
    }

    /// Takes out the parked request `ticket`, which waits for what will never come.
    pub(super) fn abandon(&mut self, ticket: Ticket) {
        if self.requests.remove(&ticket).is_some() {
            self.expired += 1;
            self.forget_expired();
        }
    }

    /// Takes out what waited for `dot`, in the order in which it came.
    pub(super) fn wake(&mut self, dot: Dot) -> Vec<Waiter> {
        self.waiting.remove(&dot).unwrap_or_default()
    }

    /// Drops the writes that came from these branches, whose lives have ended: of what waits, nobody
    /// else may hold it, or what it waits for.
    pub(super) fn forget_writes(&mut self, sent_by: &[BranchId]) {
        self.waiting.retain(|_, waiters| {
            waiters.retain(|waiter| match waiter {
                Waiter::Write { from, .. } => !sent_by.contains(from),
                Waiter::Request(_) => true,
            });
            !waiters.is_empty()
        });
    }

    /// The requests that `is_wanted`, in the order in which they came.
    pub(super) fn find(&self, is_wanted: impl Fn(&Parked) -> bool) -> Vec<Ticket> {
        let wanted = self.requests.iter().filter(|(_, parked)| is_wanted(parked));
        wanted.map(|(&ticket, _)| ticket).collect()
    }

    /// Whether a write waits.
    pub(super) fn holds_writes(&self) -> bool {
        let is_write = |waiter: &Waiter| matches!(waiter, Waiter::Write { .. });
        self.waiting.values().flatten().any(is_write)
    }

    /// Whether anything runs out of time.
    pub(super) fn has_limits(&self) -> bool {
        !self.limits.is_empty()
    }

    /// When a request runs out of time next.
    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.limits.front().map(|&(at, _)| at)
    }

    /// Takes out all parked requests, in the order in which they came.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Parked> + use<> {
        self.limits.clear();
        std::mem::take(&mut self.requests).into_values()
    }

    /// Takes out one request that has run out of time by `now`.
    pub(super) fn take_expired(&mut self, now: Time) -> Option<Parked> {
        while let Some((_, ticket)) = self.limits.pop_front_if(|&mut (at, _)| at <= now) {
            if let Some(parked) = self.requests.remove(&ticket) {
                self.expired += 1;
                self.forget_expired();
                return Some(parked);
            }
        }
        None
    }

    /// Takes those that have run out of time out of what waits, when there are as many as others.
    fn forget_expired(&mut self) {
        if self.expired <= self.requests.len().max(EXPIRED_MAX) {
            return;
        }
        self.expired = 0;
        let requests = &self.requests;
        self.waiting.retain(|_, waiters| {
            waiters.retain(|waiter| match waiter {
                Waiter::Write { .. } => true,
                Waiter::Request(ticket) => requests.contains_key(ticket),
            });
            !waiters.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CustomerId, EventId, Operation, Roster, Sequence};

    #[test]
    fn requests_that_have_run_out_of_time_do_not_gather() {
        let origin = BranchId::new(1).unwrap();
        let needed = Some(VersionVector::new(&Roster::new([origin]).unwrap()));
        let mut parking = Parking::default();
        for number in 0_u32..10_000 {
            let ticket = Ticket(number.into());
            let (customer, event) = (CustomerId::new(1).unwrap(), EventId::new(1).unwrap());
            let operation = Operation::Query;
            let request = Request { ticket, customer, event, operation, session: None };
            let dot = Dot::first_life(origin, Sequence::new(number % 7 + 1));
            parking.wait_for(dot, Waiter::Request(ticket));
            let (needed, lags) = (needed.clone(), Vec::new());
            let parked = Parked { request, needed, since: Time::START, lags };
            parking.park(parked, Some(Time::START));
            // The last ten wait on.
            if number < 9_990 {
                assert!(parking.take_expired(Time::START).is_some());
            }
        }
        let waiting: usize = parking.waiting.values().map(Vec::len).sum();
        assert!((10..=1_010).contains(&waiting), "{waiting}");
        assert_eq!(parking.requests.len(), 10);
    }
}
