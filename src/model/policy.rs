//! The choices that a scenario or the command line makes about a run.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::words::words;

words! {
    /// How a write reaches the other branches.
    #[derive(Default)]
    pub enum Propagation {
        /// Before the reply: the customer waits until every branch has confirmed.
        #[default]
        Sync = "sync",
        /// After the reply: the customer goes on at once, and branches differ for a while.
        Async = "async",
    }
}

words! {
    /// What becomes of a withdrawal that the balance does not cover.
    #[derive(Default)]
    pub enum Overdraft {
        /// It is applied; the balance goes below zero.
        #[default]
        Allow = "allow",
        /// The branch that gets the request refuses it.
        Reject = "reject",
    }
}

words! {
    /// Whether a branch outlives its process.
    #[derive(Default)]
    pub enum Durability {
        /// It does not: what it holds ends with its memory.
        #[default]
        Memory = "memory",
        /// It does: what rests on a write is said when the write is on its disk.
        Disk = "disk",
    }
}

words! {
    /// When customers make their visits.
    #[derive(Default)]
    pub enum CustomerOrder {
        /// One visit after the other, in the order of the file.
        #[default]
        InOrder = "in-order",
        /// All customers at once; each customer's own visits stay in order.
        Concurrent = "concurrent",
    }
}

words! {
    /// When a query is sent.
    #[derive(Default)]
    pub enum QueryTiming {
        /// In its place among the customer's events.
        #[default]
        InPlace = "in-place",
        /// In its place, but only when all propagation under way has settled.
        AfterSettling = "after-settling",
    }
}

words! {
    /// What becomes of the event ids that a scenario has.
    #[derive(Default)]
    pub enum EventIds {
        /// Each event is a request of its own: a customer whose writes' ids do not rise has all its
        /// events numbered from 1.
        #[default]
        Renumber = "renumber",
        /// They stay: a write that repeats an id is a retry, and one with other content or a lower
        /// id is refused.
        AsWritten = "as-written",
    }
}

/// What a run draws its chances from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

words! {
    /// A form of output that courses and graders know.
    #[non_exhaustive]
    pub enum Dialect {
        /// A row per customer with its balance.
        Balances = "balances",
        /// A row per event.
        Events = "events",
        /// A row per visit with all its events.
        Customers = "customers",
        /// The same in the oldest form.
        Classic = "classic",
    }
}
