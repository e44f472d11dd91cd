//! What a run learns of branches that run elsewhere: what they held before it, and which of them do
//! not say how they stand after it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::grpc::Absence;
use crate::model::{BranchId, CustomerId, EventId, Money};

/// What is known of the branches of a bank elsewhere. All else about them is their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectedBank {
    /// Where each branch is.
    pub addresses: BTreeMap<BranchId, String>,
    /// What branches held before the run, ascending; nothing where all held what the scenario says.
    pub held_before: Vec<HeldBefore>,
    /// How often the branches had not come to hold the same writes when waiting for that was given
    /// up.
    pub unsettled: u64,
    /// When waiting for that is given up.
    pub settle_limit: Duration,
    /// Branches that do not say how they stand at the end, and what came in place of it.
    pub silent: BTreeMap<BranchId, String>,
}

/// What a branch held before the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldBefore {
    /// The branch.
    pub branch: BranchId,
    /// Its balance.
    pub balance: Money,
    /// The write sets of the scenario's customers that were not empty.
    pub write_sets: BTreeMap<CustomerId, Vec<EventId>>,
}

impl fmt::Display for HeldBefore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { branch, balance, write_sets } = self;
        write!(f, "branch {branch} holds {balance}")?;
        let writes: usize = write_sets.values().map(Vec::len).sum();
        let first =
            write_sets.iter().find_map(|(customer, events)| Some((customer, events.first()?)));
        match (writes, first) {
            (1, Some((customer, event))) => write!(f, " with event {event} of customer {customer}"),
            (_, Some((customer, event))) => {
                write!(f, " with {writes} writes, such as event {event} of customer {customer}")
            }
            (_, None) => Ok(()),
        }
    }
}

/// A branch of a scenario where no branch is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotThere {
    /// The branch.
    pub branch: BranchId,
    /// Where it should be.
    pub address: String,
    /// What is there in its place.
    pub absence: Absence,
}

impl fmt::Display for NotThere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { branch, address, absence } = self;
        write!(f, "branch {branch}: ")?;
        match absence {
            Absence::NothingListens => write!(f, "nothing listens at {address}; is it running?"),
            Absence::NoSuchHost
            | Absence::OutOfReach { .. }
            | Absence::NotGrpc { .. }
            | Absence::NoService => write!(f, "{address} {absence}"),
        }
    }
}
