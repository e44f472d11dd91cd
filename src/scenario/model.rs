//! A scenario that is right: what a run needs to know, whatever dialect it was written in.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Output;
use crate::model::{
    CustomerId, CustomerOrder, Durability, Event, EventId, EventIds, Guarantees, Money, Overdraft,
    Propagation, QueryTiming, RequestNumber, Roster, Seed,
};
use crate::network::{Latency, Link, Nemesis, NemesisKinds, Rates, ScheduledFault};

/// One input, validated: every branch named by an event exists, and every amount is positive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    /// What it is called: its own name, or the file's name without `.json`.
    pub name: String,
    /// What it says of itself, for people.
    pub description: Option<Arc<str>>,
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
    /// The ids that events bear in the input, where a customer's events are numbered anew.
    pub written_ids: WrittenIds,
}

/// The event ids of an input, of the customers whose events bear others now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WrittenIds(pub(super) BTreeMap<CustomerId, Vec<Option<EventId>>>);

impl WrittenIds {
    /// The id that the input gives to request `number` of `customer`; `None` where it gives none,
    /// or where its ids stay.
    pub fn of(&self, customer: CustomerId, number: RequestNumber) -> Option<EventId> {
        let place = usize::try_from(number.get()).ok()?.checked_sub(1)?;
        *self.0.get(&customer)?.get(place)?
    }
}

/// One entry of a customer in the file. A customer may make several visits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Who.
    pub customer: CustomerId,
    /// What the customer asks, in order.
    pub events: Vec<Event>,
    /// How long the customer waits before each event, where that is said; empty where it is said of
    /// none.
    pub after: Vec<Option<Duration>>,
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
    /// Whether branches have a disk.
    pub durability: Option<Durability>,
    /// When customers make their visits.
    pub customers: Option<CustomerOrder>,
    /// When queries are sent.
    pub queries: Option<QueryTiming>,
    /// How long messages between branches take, where `links` says nothing else.
    pub latency: Option<Latency>,
    /// How long they take between some.
    pub links: BTreeMap<Link, Latency>,
    /// What is to go wrong, if anything is said of it: most scenarios say nothing.
    pub foul_weather: Option<Box<FoulWeather>>,
    /// How long a request waits for what its customer is promised.
    pub wait_limit: Option<Duration>,
    /// What becomes of the event ids that the input has. It is heeded where the input is read.
    pub event_ids: Option<EventIds>,
    /// What the run draws its chances from.
    pub seed: Option<Seed>,
}

impl Settings {
    /// What `overrides` says, else what these say. Guarantees and a latency of `overrides` are for all
    /// customers and all links, and a schedule is of a scenario alone.
    #[must_use]
    pub fn overridden_by(&self, overrides: &Self) -> Self {
        let mut customer_guarantees = match overrides.guarantees {
            Some(_) => BTreeMap::new(),
            None => self.customer_guarantees.clone(),
        };
        customer_guarantees.extend(&overrides.customer_guarantees);
        let mut links = match overrides.latency {
            Some(_) => BTreeMap::new(),
            None => self.links.clone(),
        };
        links.extend(&overrides.links);
        let weather = |said: &Self| said.foul_weather.as_deref().cloned();
        let foul_weather = match weather(overrides) {
            Some(sooner) => Some(weather(self).unwrap_or_default().overridden_by(sooner)),
            None => weather(self),
        };
        Self {
            propagation: overrides.propagation.or(self.propagation),
            guarantees: overrides.guarantees.or(self.guarantees),
            customer_guarantees,
            overdraft: overrides.overdraft.or(self.overdraft),
            durability: overrides.durability.or(self.durability),
            customers: overrides.customers.or(self.customers),
            queries: overrides.queries.or(self.queries),
            latency: overrides.latency.or(self.latency),
            links,
            foul_weather: foul_weather.map(Box::new),
            wait_limit: overrides.wait_limit.or(self.wait_limit),
            event_ids: overrides.event_ids.or(self.event_ids),
            seed: overrides.seed.or(self.seed),
        }
    }
}

impl FoulWeather {
    fn overridden_by(self, sooner: Self) -> Self {
        Self {
            rates: sooner.rates.or(self.rates),
            nemesis: NemesisSettings {
                kinds: sooner.nemesis.kinds.or(self.nemesis.kinds),
                interval: sooner.nemesis.interval.or(self.nemesis.interval),
                duration: sooner.nemesis.duration.or(self.nemesis.duration),
            },
            schedule: self.schedule,
            think: sooner.think.or(self.think),
            settle_limit: sooner.settle_limit.or(self.settle_limit),
        }
    }
}

/// What a scenario says of what is to go wrong, and of when customers come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoulWeather {
    /// What may happen to any message between branches.
    pub rates: Option<Rates>,
    /// What happens to branches and the ways between them by chance.
    pub nemesis: NemesisSettings,
    /// What goes wrong at a moment, or with one message.
    pub schedule: Vec<ScheduledFault>,
    /// How long a customer waits before each of its events, where a visit says nothing else.
    pub think: Option<Latency>,
    /// How long the bank may take to settle when all faults are over. Where it is said it is looked
    /// whether the bank does, even if nothing is to go wrong.
    pub settle_limit: Option<Duration>,
}

/// What is said of a nemesis. There is one where it is said what it does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NemesisSettings {
    /// What it does.
    pub kinds: Option<NemesisKinds>,
    /// How long it is from one thing to the next, on average.
    pub interval: Option<Duration>,
    /// How long each lasts, on average.
    pub duration: Option<Duration>,
}

impl NemesisSettings {
    /// The nemesis, if it is said what it does.
    pub fn nemesis(&self) -> Option<Nemesis> {
        let kinds = self.kinds.as_ref()?;
        Some(Nemesis {
            kinds: kinds.kinds().to_vec(),
            interval: self.interval.unwrap_or(Nemesis::INTERVAL),
            duration: self.duration.unwrap_or(Nemesis::DURATION),
        })
    }

    /// Whether it is said when it strikes, or for how long.
    pub fn says_when(&self) -> bool {
        self.interval.is_some() || self.duration.is_some()
    }
}

/// Something odd in the input: where, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// How odd.
    pub level: Level,
    /// One line that begins with the place.
    pub message: String,
}

/// How much something odd matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// It may be a mistake.
    Warning,
    /// It is understood, and makes no difference.
    Note,
}

impl Warning {
    pub(super) const fn new(level: Level, message: String) -> Self {
        Self { level, message }
    }
}
