//! The result of a run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::ConnectedBank;
use super::options::RunError;

use crate::actors::Foul;
use crate::bank::{BranchConfig, Timeouts};
use crate::check::Verdicts;
use crate::history::RequestResult;
use crate::model::{
    BranchId, CustomerId, CustomerOrder, Dialect, Durability, EventIds, GuaranteePolicy, LogEntry,
    Money, Operation, OutcomeClass, Overdraft, Propagation, QueryTiming, Random, Receipt, Roster,
    Seed, Time, counts,
};
use crate::network::{Faults, Latency, LinkLatencies, ScheduledFault, Struck, show_span};
use crate::scenario::{
    BalanceRow, EventOutcome, EventResult, EventsRow, FoulWeather, Output, Settings, Visit,
    Warning, WrittenIds,
};

/// One scenario, run to its end: every write that was accepted is propagated.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunResult {
    /// The scenario's name.
    pub scenario: String,
    /// What it says of itself.
    pub description: Option<Arc<str>>,
    /// The choices that were in force.
    pub config: RunConfig,
    /// What each branch held at the start.
    pub opening_balance: Money,
    /// The branches at the end, ascending by id.
    pub branches: Vec<BranchResult>,
    /// The customers, in the order in which they first come up in the scenario.
    pub customers: Vec<CustomerResult>,
    /// The visits in the order of the scenario, with how many requests each has.
    pub visits: Vec<VisitResult>,
    /// The event ids of the input, where requests bear others.
    pub written_ids: WrittenIds,
    /// What is odd in the input, though not wrong.
    pub warnings: Vec<Warning>,
    /// When it ended, by the clock of the run.
    pub ended: Time,
    /// What the judge says of it, if it was asked.
    pub verdicts: Option<Arc<Verdicts>>,
    /// What the scenario expects, if it says so.
    pub expected: Option<Output>,
    /// What went wrong on purpose, where anything was to.
    pub weather: Option<Box<WeatherReport>>,
    /// What is known of the branches, where they run elsewhere. Of such a bank it is not known how
    /// it propagates and what it promises, nor whether all is settled.
    pub remote: Option<ConnectedBank>,
}

/// What went wrong on purpose in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeatherReport {
    /// How often each kind of fault struck, and when first.
    pub struck: Struck,
    /// When the last request was sent; known where the run was observed.
    pub last_request_at: Time,
    /// Whether the bank settled whenever that was waited for.
    pub has_settled: bool,
    /// What of the schedule changed nothing.
    pub idle: Vec<ScheduledFault>,
}

/// The choices that were in force: the command line's, else the scenario's, else the default.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunConfig {
    /// How writes reached the other branches.
    pub propagation: Propagation,
    /// What customers were promised.
    pub guarantees: GuaranteePolicy,
    /// What became of withdrawals that the balance did not cover.
    pub overdraft: Overdraft,
    /// Whether branches had a disk.
    pub durability: Durability,
    /// When customers made their visits.
    pub customers: CustomerOrder,
    /// When queries were sent.
    pub queries: QueryTiming,
    /// What became of the event ids of the input.
    pub event_ids: EventIds,
    /// How long messages between branches took.
    pub latencies: LinkLatencies,
    /// What went wrong on purpose, if anything.
    pub faults: Option<Box<Faults>>,
    /// How long customers waited before each of their events.
    pub think: Latency,
    /// How long the bank might take to settle when all faults were over; `None` where none was to be,
    /// and nobody looked.
    pub settle_limit: Option<Duration>,
    /// How long requests waited at most for what their customer was promised.
    pub wait_limit: Duration,
    /// What chances were drawn from.
    pub seed: Seed,
}

/// How long a request waits for what its customer is promised, by default.
pub const WAIT_LIMIT: Duration = Duration::from_secs(10);

/// How long the bank may take to settle when all faults are over, by default.
pub(super) const SETTLE_LIMIT: Duration = Duration::from_mins(1);

/// What branches wait for where things go wrong on purpose: for confirmations, before what is not
/// acknowledged is sent again, and for the answers of others before they serve without.
const CONFIRM_LIMIT: Duration = Duration::from_secs(3);
const RESEND_AFTER: Duration = Duration::from_millis(100);
const RETURN_LIMIT: Duration = Duration::from_secs(2);

/// The stream of chances of customers that think.
const THINK: u32 = 5;

impl RunConfig {
    /// What `overrides` says, else what the scenario's `settings` say, else the default. Guarantees
    /// and a latency of `overrides` are for all customers and all links.
    pub fn new(settings: &Settings, overrides: &Settings) -> Self {
        let said = settings.overridden_by(overrides);
        let mut config = Self {
            propagation: said.propagation.unwrap_or_default(),
            guarantees: GuaranteePolicy {
                all: said.guarantees.unwrap_or_default(),
                single: said.customer_guarantees,
            },
            overdraft: said.overdraft.unwrap_or_default(),
            durability: said.durability.unwrap_or_default(),
            customers: said.customers.unwrap_or_default(),
            queries: said.queries.unwrap_or_default(),
            event_ids: said.event_ids.unwrap_or_default(),
            latencies: LinkLatencies {
                default: said.latency.unwrap_or_default(),
                links: said.links,
            },
            faults: None,
            think: Latency::None,
            settle_limit: None,
            wait_limit: said.wait_limit.unwrap_or(WAIT_LIMIT),
            seed: said.seed.unwrap_or_default(),
        };
        if let Some(foul_weather) = said.foul_weather {
            config.expect(*foul_weather);
        }
        config
    }

    /// The same, unless it is said when a nemesis strikes and there is none.
    pub fn checked(settings: &Settings, overrides: &Settings) -> Result<Self, RunError> {
        Self::check(settings, overrides)?;
        Ok(Self::new(settings, overrides))
    }

    /// An error where it is said when a nemesis strikes, and there is none.
    pub(super) fn check(settings: &Settings, overrides: &Settings) -> Result<(), RunError> {
        let said = || [settings, overrides].into_iter().flat_map(|from| &from.foul_weather);
        let says_when = said().any(|said| said.nemesis.says_when());
        if says_when && said().all(|said| said.nemesis.kinds.is_none()) {
            return Err(RunError::NoNemesis);
        }
        Ok(())
    }

    /// What is to go wrong. That messages take other times than the latency says is no reason to look
    /// whether the bank settles, but that is done where a limit for it is said.
    fn expect(&mut self, said: FoulWeather) {
        let FoulWeather { rates, nemesis, schedule, think, settle_limit } = said;
        let faults =
            Faults { rates: rates.unwrap_or_default(), nemesis: nemesis.nemesis(), schedule };
        self.settle_limit = settle_limit.or((!faults.only_delay()).then_some(SETTLE_LIMIT));
        let are_any = faults != Faults::default() || self.settle_limit.is_some();
        self.faults = are_any.then(|| Box::new(faults));
        self.think = think.unwrap_or_default();
    }

    /// How long a request waits for confirmations in virtual time; `None`: for ever.
    pub fn confirm_limit(&self) -> Option<Duration> {
        self.goes_wrong().then_some(CONFIRM_LIMIT)
    }

    /// How the branches of a bank serve that waits for confirmations for `confirm_limit`; `None`:
    /// for ever, or three seconds where things go wrong.
    pub(crate) fn branch(&self, confirm_limit: Option<Duration>) -> BranchConfig {
        let &Self { propagation, overdraft, durability, wait_limit, .. } = self;
        let wait_limit = Some(wait_limit);
        let timeouts = if self.goes_wrong() {
            Timeouts {
                confirm_limit: confirm_limit.or(Some(CONFIRM_LIMIT)),
                wait_limit,
                resend_after: Some(RESEND_AFTER),
                return_limit: Some(RETURN_LIMIT),
            }
        } else {
            Timeouts { confirm_limit, wait_limit, resend_after: None, return_limit: None }
        };
        BranchConfig { propagation, overdraft, timeouts, durability, log_max: None, kept_max: None }
    }

    /// Whether anything may go wrong on purpose, or the bank is at least to be as if it might.
    pub(super) const fn goes_wrong(&self) -> bool {
        self.settle_limit.is_some()
    }

    /// An error where a bank of `roster` cannot have what is to go wrong.
    pub fn check_faults(&self, roster: &Roster) -> Result<(), RunError> {
        let Some(faults) = &self.faults else { return Ok(()) };
        faults.check(roster)?;
        if self.durability == Durability::Disk && faults.forgets() {
            return Err(RunError::DiskForgets);
        }
        Ok(())
    }

    /// An error where things are to go wrong on purpose, and nothing can make them.
    pub(super) fn refuse_faults(&self) -> Result<(), RunError> {
        let are_any = self.faults.is_some() || self.durability == Durability::Disk;
        if are_any { Err(RunError::FaultsOverSockets) } else { Ok(()) }
    }

    /// What `customer` has to know where branches may stop, or it thinks before its events.
    pub(super) fn foul_for(&self, customer: CustomerId) -> Option<Box<Foul>> {
        let thinks = self.think != Latency::None;
        let chance = || Random::of_purpose(self.seed, THINK, customer.get().into());
        let foul = || Foul::new(thinks.then(|| (self.think, chance())));
        (thinks || self.faults.is_some()).then(|| Box::new(foul()))
    }

    /// What of them lets things go wrong on purpose or customers pause, by name, as people read it;
    /// nothing where nothing does.
    pub fn weather_in_words(&self) -> BTreeMap<String, String> {
        let mut words: Vec<(&str, String)> = Vec::new();
        if let Some(faults) = self.faults.as_deref() {
            let Faults { rates, nemesis, schedule } = faults;
            words.extend((!rates.are_none()).then(|| ("faults", rates.to_string())));
            words.extend(nemesis.as_ref().map(|nemesis| ("nemesis", nemesis.to_string())));
            let scheduled = schedule.len();
            words.extend((scheduled > 0).then(|| ("scheduled_faults", scheduled.to_string())));
        }
        if self.durability != Durability::default() {
            words.push(("durability", self.durability.to_string()));
        }
        if self.think != Latency::None {
            words.push(("think", self.think.to_string()));
        }
        // Where faults are named too, it goes without saying that the bank must settle.
        let is_alone = self.faults.as_deref().is_none_or(Faults::only_delay);
        let said = self.settle_limit.filter(|&limit| is_alone || limit != SETTLE_LIMIT);
        words.extend(said.map(|limit| ("settle_limit", show_span(limit))));
        words.into_iter().map(|(name, choice)| (name.to_owned(), choice)).collect()
    }

    /// All choices but the seed, by name, as people read them.
    pub fn in_words(&self) -> BTreeMap<String, String> {
        let mut words: BTreeMap<String, String> = [
            ("propagation", self.propagation.to_string()),
            ("guarantees", self.guarantees.all.to_string()),
            ("overdraft", self.overdraft.to_string()),
            ("customers", self.customers.to_string()),
            ("queries", self.queries.to_string()),
            ("latency", self.latencies.default.to_string()),
            ("wait_limit", show_span(self.wait_limit)),
        ]
        .map(|(name, choice)| (name.to_owned(), choice))
        .into();
        if self.event_ids != EventIds::default() {
            words.insert("event_ids".to_owned(), self.event_ids.to_string());
        }
        words.extend(self.weather_in_words());
        words.extend(self.guarantees.single.iter().map(|(customer, promised)| {
            (format!("guarantees of customer {customer}"), promised.to_string())
        }));
        words.extend(self.latencies.links.iter().map(|(link, latency)| {
            (format!("latency from {} to {}", link.from, link.to), latency.to_string())
        }));
        words
    }
}

impl Default for RunConfig {
    fn default() -> Self {
        Self::new(&Settings::default(), &Settings::default())
    }
}

impl RunResult {
    /// Whether every write that was accepted is everywhere, as far as is known here.
    pub fn has_settled(&self) -> bool {
        self.weather.as_ref().is_none_or(|weather| weather.has_settled)
    }

    /// The result in one of the classic output dialects.
    pub fn output(&self, dialect: Dialect) -> Output {
        match dialect {
            Dialect::Balances => {
                let row = |customer: &CustomerResult| BalanceRow {
                    id: customer.id,
                    balance: balance_told(&customer.requests),
                };
                Output::Balances(self.customers.iter().map(row).collect())
            }
            Dialect::Events => Output::Events(self.event_rows()),
            Dialect::Customers => Output::Customers(self.visit_rows()),
            Dialect::Classic => Output::Classic(self.visit_rows()),
        }
    }

    /// Each visit with its requests, in the order of the scenario.
    fn requests_by_visit(&self) -> impl Iterator<Item = (CustomerId, &[RequestResult])> {
        let by_customer = self.customers.iter().map(|of| (of.id, of.requests.as_slice()));
        let mut rest: BTreeMap<CustomerId, &[RequestResult]> = by_customer.collect();
        self.visits.iter().map(move |&VisitResult { customer, requests }| {
            let left = rest.get(&customer).copied().unwrap_or_default();
            let (made, left) = left.split_at_checked(requests).unwrap_or((left, &[]));
            rest.insert(customer, left);
            (customer, made)
        })
    }

    fn event_rows(&self) -> Vec<EventsRow> {
        let rows = |(id, requests): (CustomerId, &[RequestResult])| -> Vec<EventsRow> {
            let row = |request: &RequestResult| {
                let event = EventResult { branch: Some(request.branch), ..request.event_result() };
                EventsRow { id, recv: vec![event] }
            };
            requests.iter().map(row).collect()
        };
        self.requests_by_visit().flat_map(rows).collect()
    }

    fn visit_rows(&self) -> Vec<EventsRow> {
        let row = |(id, requests): (CustomerId, &[RequestResult])| EventsRow {
            id,
            recv: requests.iter().map(RequestResult::event_result).collect(),
        };
        self.requests_by_visit().map(row).collect()
    }

    /// What each visit left its customer with: the balance that it was told last.
    pub fn balances_by_visit(&self) -> BTreeMap<CustomerId, Vec<Option<Money>>> {
        let mut told: BTreeMap<CustomerId, Vec<Option<Money>>> = BTreeMap::new();
        for (customer, requests) in self.requests_by_visit() {
            let visits = told.entry(customer).or_default();
            let before = visits.last().copied().flatten();
            visits.push(balance_told(requests).or(before));
        }
        told
    }
}

/// The balance in the reply to the last of `requests` that succeeded. What a request that failed
/// would have seen is not told to its customer.
fn balance_told(requests: &[RequestResult]) -> Option<Money> {
    requests.iter().rfind(|request| request.outcome.is_ok()).map(|request| request.balance)
}

impl RequestResult {
    fn event_result(&self) -> EventResult {
        EventResult { interface: self.operation.interface(), branch: None, told: self.told() }
    }

    /// What the customer was told, in the words of the output dialects.
    pub fn told(&self) -> EventOutcome {
        match &self.outcome {
            Ok(Receipt::Written) => EventOutcome::Success,
            Ok(Receipt::Balance(balance)) => EventOutcome::Balance(*balance),
            Err(_) if OutcomeClass::of(&self.outcome) == OutcomeClass::Refused => {
                EventOutcome::Fail
            }
            Err(_) => EventOutcome::Unknown,
        }
    }
}

/// How requests ended, of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RequestCounts {
    /// Deposits and withdrawals.
    pub writes: ClassCounts,
    /// Queries.
    pub queries: ClassCounts,
}

counts! {
    /// How many requests ended in each way.
    pub struct ClassCounts of OutcomeClass {
        /// The bank did it.
        ok: Ok,
        /// It did not.
        refused: Refused,
        /// It is not known.
        unknown: Unknown,
    }
}

impl RequestCounts {
    /// Those of `customers`.
    pub fn of<'a>(customers: impl IntoIterator<Item = &'a CustomerResult>) -> Self {
        let mut counts = Self::default();
        for request in customers.into_iter().flat_map(|customer| &customer.requests) {
            let kind = match request.operation {
                Operation::Write(_) => &mut counts.writes,
                Operation::Query => &mut counts.queries,
            };
            kind.add(OutcomeClass::of(&request.outcome));
        }
        counts
    }

    /// Those that the bank did not do.
    pub const fn refused(&self) -> u64 {
        self.writes.refused + self.queries.refused
    }

    /// Those whose outcome is not known.
    pub const fn unknown(&self) -> u64 {
        self.writes.unknown + self.queries.unknown
    }
}

/// A visit of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct VisitResult {
    /// Whose visit.
    pub customer: CustomerId,
    /// How many of the customer's requests it made.
    pub requests: usize,
}

impl From<&Visit> for VisitResult {
    fn from(visit: &Visit) -> Self {
        Self { customer: visit.customer, requests: visit.events.len() }
    }
}

/// A branch at the end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BranchResult {
    /// The branch.
    pub id: BranchId,
    /// Its balance.
    pub balance: Money,
    /// Its apply log: all writes in the order applied there. Branches with the same one share it.
    pub log: Arc<Vec<LogEntry>>,
}

/// A customer and everything that it asked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CustomerResult {
    /// The customer.
    pub id: CustomerId,
    /// Its requests, in the order in which it made them.
    pub requests: Vec<RequestResult>,
}
