//! What a reader of a result should know beside it.

use std::fmt;
use std::time::Duration;

use super::elide::Limit;
use super::words::{count, listed, span};
use crate::check::{Overall, Property, Verdicts};
use crate::model::{CustomerOrder, Money, Propagation, Time};
use crate::run::{ConnectedBank, HeldBefore, RunConfig, RunResult};

/// What a reader of a result should know beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// No message took any time, so that what was found of these properties had to be.
    NoLag {
        /// Those that only lag could have broken.
        untried: Vec<Property>,
    },
    /// Branches that run elsewhere held something before the run.
    HeldBefore {
        /// What they held.
        held: Vec<HeldBefore>,
        /// What is taken as the opening balance.
        opening_balance: Money,
    },
    /// Branches that run elsewhere did not come to hold the same writes in time.
    NotSettled {
        /// How often that was waited for in vain.
        times: u64,
        /// For how long each time.
        limit: Duration,
    },
}

impl Note {
    /// The notes on `result`.
    pub(super) fn all(result: &RunResult) -> Vec<Self> {
        no_lag(result).into_iter().chain(held_before(result)).chain(not_settled(result)).collect()
    }

    /// Whether it is about what the judge says, and of no use without that.
    pub fn is_on_verdicts(&self) -> bool {
        match self {
            Self::NoLag { .. } => true,
            Self::HeldBefore { .. } | Self::NotSettled { .. } => false,
        }
    }
}

/// A run in virtual time ends when it began only if nothing took any time; in real time, all does.
fn no_lag(result: &RunResult) -> Option<Note> {
    if result.ended != Time::START || result.branches.len() < 2 {
        return None;
    }
    let verdicts: &Verdicts = result.verdicts.as_ref()?;
    let untried = verdicts.iter().filter(|(property, verdict)| {
        verdict.summary() == Overall::Holds && lag_can_break(*property, &result.config)
    });
    let untried: Vec<Property> = untried.map(|(property, _)| property).collect();
    (!untried.is_empty()).then_some(Note::NoLag { untried })
}

/// Whether late messages could break `property`, if nothing kept it. With sync propagation a
/// customer's own writes are everywhere before it goes on; what it read of others' may not be.
fn lag_can_break(property: Property, config: &RunConfig) -> bool {
    match (property, config.propagation, config.customers) {
        (
            Property::ReadYourWrites
            | Property::MonotonicReads
            | Property::MonotonicWrites
            | Property::WritesFollowReads,
            Propagation::Async,
            _,
        )
        | (
            Property::MonotonicReads | Property::WritesFollowReads,
            Propagation::Sync,
            CustomerOrder::Concurrent,
        ) => true,
        (
            Property::ReadYourWrites
            | Property::MonotonicReads
            | Property::MonotonicWrites
            | Property::WritesFollowReads
            | Property::Balances
            | Property::Convergence
            | Property::ExactlyOnce
            | Property::NoOverdraft
            | Property::Settles,
            Propagation::Sync | Propagation::Async,
            CustomerOrder::InOrder | CustomerOrder::Concurrent,
        ) => false,
    }
}

fn held_before(result: &RunResult) -> Option<Note> {
    let ConnectedBank { held_before: held, .. } = result.remote.as_ref()?;
    let opening_balance = result.opening_balance;
    (!held.is_empty()).then(|| Note::HeldBefore { held: held.clone(), opening_balance })
}

fn not_settled(result: &RunResult) -> Option<Note> {
    let ConnectedBank { unsettled: times, settle_limit: limit, .. } = *result.remote.as_ref()?;
    (times > 0).then_some(Note::NotSettled { times, limit })
}

fn differ(one: &HeldBefore, other: &HeldBefore) -> bool {
    one.balance != other.balance || one.write_sets != other.write_sets
}

const FEW: Limit = Limit::Middle { most: 5, head: 4, tail: 1 };

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLag { untried } => write!(
                f,
                "no message took any time, so nothing could come too late, and nothing had to be kept: \
                 --latency uniform:1ms..20ms puts {} to the test",
                listed(untried, FEW),
            ),
            Self::NotSettled { times, limit } => {
                write!(
                    f,
                    "not settled: the branches did not show the same writes within {} ({}); what came \
                     after that was asked all the same",
                    span(*limit),
                    count(times, "time"),
                )
            }
            Self::HeldBefore { held, opening_balance } => {
                write!(
                    f,
                    "before the run {}: {opening_balance} is taken as the opening balance",
                    listed(held, FEW),
                )?;
                let do_differ = held.windows(2).any(|pair| differ(&pair[0], &pair[1]));
                if do_differ {
                    f.write_str("; the branches differ from the start")?;
                }
                let writes: usize = held
                    .iter()
                    .flat_map(|of| of.write_sets.values())
                    .map(Vec::len)
                    .max()
                    .unwrap_or(0);
                if writes > 0 {
                    let writes = count(writes, "write");
                    write!(
                        f,
                        "; a customer's event whose id is among its {writes} there is taken for a retry"
                    )?;
                }
                Ok(())
            }
        }
    }
}
