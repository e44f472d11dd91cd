//! A scenario that is right: what a run needs to know, whatever dialect it was written in.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Output;
use crate::fault::{Latency, Link};
use crate::model::{
    CustomerId, CustomerOrder, Event, Guarantees, Money, Overdraft, Propagation, QueryTiming,
    Roster, Seed,
};

/// One input, validated: every branch named by an event exists, and every amount is positive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    /// What it is called: its own name, or the file's name without `.json`.
    pub name: String,
    /// The branches.
    pub roster: Arc<Roster>,
    /// What each branch holds at the start.
    pub opening_balance: Money,
    /// The customers' visits, in the order of the file.
    pub visits: Vec<Visit>,
    /// How the scenario asks to be run.
    pub settings: Settings,
    /// What the customers must see, if the scenario says so.
    pub expected: Option<Output>,
    /// What is odd in the input, though not wrong.
    pub warnings: Vec<Warning>,
}

/// One entry of a customer in the file. A customer may make several visits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Who.
    pub customer: CustomerId,
    /// What the customer asks, in order.
    pub events: Vec<Event>,
}

/// What a scenario says of how to run it; the command line overrides each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// How writes reach the other branches.
    pub propagation: Option<Propagation>,
    /// What customers are promised.
    pub guarantees: Option<Guarantees>,
    /// Customers that are promised something else.
    pub customer_guarantees: BTreeMap<CustomerId, Guarantees>,
    /// What becomes of a withdrawal that the balance does not cover.
    pub overdraft: Option<Overdraft>,
    /// When customers make their visits.
    pub customers: Option<CustomerOrder>,
    /// When queries are sent.
    pub queries: Option<QueryTiming>,
    /// How long messages between branches take, where `links` says nothing else.
    pub latency: Option<Latency>,
    /// How long they take between some.
    pub links: BTreeMap<Link, Latency>,
    /// How long a request waits for what its customer is promised.
    pub wait_limit: Option<Duration>,
    /// What the run draws its chances from.
    pub seed: Option<Seed>,
}

/// Something odd in the input: where, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// One line that names the file and both places.
    pub message: String,
}
