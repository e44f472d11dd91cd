//! Requests and propagated writes that wait for a write that is not here yet.

use std::collections::{BTreeMap, VecDeque};

use super::{Dot, PropagatedWrite, Request, Ticket, VersionVector};
use crate::model::{BranchId, Lag, Time, Waited};

/// What waits, under the first write that it waits for. When that comes it is looked at anew, and
/// may wait for another one: so each waits for one write at a time, however many it needs.
#[derive(Debug, Clone, Default)]
pub(super) struct Parking {
    waiting: BTreeMap<Dot, Vec<Waiter>>,
    requests: BTreeMap<Ticket, Parked>,
    /// When requests run out of time; ascending, for all wait equally long.
    limits: VecDeque<(Time, Ticket)>,
}

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
    /// What must be here before it can be served.
    pub(super) needed: VersionVector,
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
        self.waiting.entry(dot).or_default().push(waiter);
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

    /// Takes out what waited for `dot`, in the order in which it came.
    pub(super) fn wake(&mut self, dot: Dot) -> Vec<Waiter> {
        self.waiting.remove(&dot).unwrap_or_default()
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
                return Some(parked);
            }
        }
        None
    }
}
