//! The choices that a scenario or the command line makes about a run.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a write reaches the other branches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Propagation {
    /// Before the reply: the customer waits until every branch has confirmed.
    #[default]
    Sync,
    /// After the reply: the customer goes on at once, and branches differ for a while.
    Async,
}

/// What becomes of a withdrawal that the balance does not cover.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Overdraft {
    /// It is applied; the balance goes below zero.
    #[default]
    Allow,
    /// The branch that gets the request refuses it.
    Reject,
}

/// When customers make their visits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CustomerOrder {
    /// One visit after the other, in the order of the file.
    #[default]
    InOrder,
    /// All customers at once; each customer's own visits stay in order.
    Concurrent,
}

/// When a query is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueryTiming {
    /// In its place among the customer's events.
    #[default]
    InPlace,
    /// In its place, but only when all propagation under way has settled.
    AfterSettling,
}

/// What becomes of the event ids that a scenario has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventIds {
    /// Each event is a request of its own: a customer whose writes' ids do not rise has all its
    /// events numbered from 1.
    #[default]
    Renumber,
    /// They stay: a write that repeats an id is a retry, and one with other content or a lower id
    /// is refused.
    AsWritten,
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

macro_rules! words {
    ($name:ident { $($variant:ident => $word:literal),+ $(,)? }) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self { $(Self::$variant => $word),+ })
            }
        }
    };
}

words!(Propagation { Sync => "sync", Async => "async" });
words!(Overdraft { Allow => "allow", Reject => "reject" });
words!(CustomerOrder { InOrder => "in-order", Concurrent => "concurrent" });
words!(EventIds { Renumber => "renumber", AsWritten => "as-written" });
words!(QueryTiming { InPlace => "in-place", AfterSettling => "after-settling" });
