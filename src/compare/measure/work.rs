//! What customers do in a round: the scenario's visits over and over, by as many as ask at the same
//! time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::{CompareError, CompareOptions, Kind, Load, Transport};
use crate::bank::BranchConfig;
use crate::grpc::seal::{BankKeys, BankSecret};
use crate::model::{
    BranchIndex, CustomerId, CustomerOrder, Durability, Event, EventId, Guarantees, Money,
    Operation, OperationKind, Propagation, QueryTiming, Roster,
};
use crate::run::RunConfig;
use crate::scenario::{Scenario, Settings, Visit, WrittenIds};

/// How long a write waits for the other branches: far longer than that takes within one machine.
/// With the time that a request may wait for its turn it is still less than a call may take, so
/// that no call needs a timer of its own.
pub(super) const CONFIRM_LIMIT: Duration = Duration::from_secs(20);

/// More than anything here answers, and little enough to reckon with.
const RATE_MAX: f64 = 10_000_000.0;

/// A bank and what is asked of it.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) roster: Arc<Roster>,
    pub(super) opening_balance: Money,
    pub(super) bank_name: String,
    pub(super) keys: BankKeys,
    pub(super) config: RunConfig,
    pub(super) workers: Vec<Worker>,
    pub(super) load: Load,
    /// The event ids of each repetition are so much higher than those of the one before.
    stride: u32,
}

/// Requests that are made one after the other: of one customer, or of some who take turns.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) customers: Vec<Customer>,
    /// One repetition.
    pub(super) steps: Vec<Step>,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Customer {
    pub(super) id: CustomerId,
    pub(super) guarantees: Guarantees,
}

/// One request of a repetition.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// Its place among the worker's customers.
    pub(super) who: usize,
    pub(super) branch: BranchIndex,
    /// As it is in the first repetition.
    pub(super) event: Event,
    pub(super) kind: Kind,
    /// Whether the same write of the same customer comes up again later in the repetition.
    pub(super) is_sent_again: bool,
}

/// What a machine can carry of a comparison.
const CUSTOMERS_MAX: usize = 10_000;
const REQUESTS_MAX: usize = 1_000_000;

/// How many branches a transport can carry, each of which is linked with all others.
const fn branches_max(transport: Transport) -> (usize, &'static str) {
    match transport {
        Transport::Mailbox => (10_000, "branches"),
        Transport::GrpcMemory | Transport::GrpcUnix | Transport::GrpcTcp => {
            (100, "branches over gRPC")
        }
        Transport::Processes => (64, "processes"),
    }
}

fn at_most(max: usize, found: usize, what: &'static str) -> Result<(), CompareError> {
    if found > max { Err(CompareError::TooMany { what, found, max }) } else { Ok(()) }
}

impl Work {
    pub(super) fn new(scenario: &Scenario, options: &CompareOptions) -> Result<Self, CompareError> {
        if options.copies == 0 {
            return Err(CompareError::NoCopies);
        }
        if let Load::Open { rate } = options.load
            && !(rate > 0.0 && rate <= RATE_MAX)
        {
            return Err(CompareError::Rate { found: rate, max: RATE_MAX });
        }
        let mut config = RunConfig::new(&scenario.settings, &options.overrides);
        if config.queries == QueryTiming::AfterSettling && config.propagation == Propagation::Async
        {
            return Err(CompareError::QueriesWait);
        }
        if config.faults.is_some() || config.durability == Durability::Disk {
            return Err(CompareError::Faults);
        }
        let customers = per_lane(&scenario.visits, config.customers).len();
        let requests: usize = scenario.visits.iter().map(|visit| visit.events.len()).sum();
        let copied = |number: usize| number.saturating_mul(options.copies);
        at_most(CUSTOMERS_MAX, copied(customers), "customers at the same time")?;
        at_most(REQUESTS_MAX, copied(requests), "requests in a repetition")?;
        for transport in &options.transports {
            let (max, what) = branches_max(*transport);
            at_most(max, scenario.roster.ids().len(), what)?;
        }
        let highest = scenario.visits.iter().map(|visit| visit.customer.get()).max().unwrap_or(0);
        let mut workers = Vec::new();
        let mut single = BTreeMap::new();
        for copy in 0..options.copies {
            let renamed = |id: CustomerId| {
                let copies = i64::try_from(copy).ok();
                let shift = copies.and_then(|copies| copies.checked_mul(i64::from(highest)));
                let shifted = shift.and_then(|shift| shift.checked_add(i64::from(id.get())));
                let what = "customer ids";
                CustomerId::new(shifted.unwrap_or(i64::MAX)).map_err(|_| CompareError::Ids { what })
            };
            for (&id, &promised) in &config.guarantees.single {
                single.insert(renamed(id)?, promised);
            }
            for visits in per_lane(&scenario.visits, config.customers) {
                workers.push(Worker::new(&visits, &scenario.roster, |id| {
                    Ok(Customer { id: renamed(id)?, guarantees: config.guarantees.to(id) })
                })?);
            }
        }
        let events = scenario.visits.iter().flat_map(|visit| &visit.events);
        let Some(stride) = events.map(|event| event.id.get()).max() else {
            return Err(CompareError::NoRequests);
        };
        config.guarantees.single = single;
        Ok(Self {
            roster: Arc::clone(&scenario.roster),
            opening_balance: scenario.opening_balance,
            bank_name: scenario.name.clone(),
            keys: BankKeys::new(
                &BankSecret::random()?,
                &scenario.name,
                &scenario.roster,
                scenario.opening_balance,
            ),
            config,
            workers,
            load: options.load,
            stride,
        })
    }

    /// How many repetitions there can be before event ids run out: at least one.
    pub(super) fn repetitions_max(&self) -> u32 {
        i32::MAX.unsigned_abs() / self.stride
    }

    /// What `step` asks in `repetition`, counted from 0 and less than the most there can be.
    pub(super) fn event(&self, step: &Step, repetition: u32) -> Event {
        let id = i64::from(step.event.id.get()) + i64::from(repetition) * i64::from(self.stride);
        let id = EventId::new(id).expect("so many repetitions have ids");
        Event { id, ..step.event }
    }

    /// How many requests all workers make in one repetition.
    pub(super) fn requests(&self) -> usize {
        self.workers.iter().map(|worker| worker.steps.len()).sum()
    }

    pub(super) fn has_writes(&self) -> bool {
        self.steps().any(|step| matches!(step.event.operation, Operation::Write(_)))
    }

    /// Whether a write is sent again: whether that makes messages between branches depends.
    pub(super) fn sends_again(&self) -> bool {
        self.steps().any(|step| step.is_sent_again)
    }

    fn steps(&self) -> impl Iterator<Item = &Step> {
        self.workers.iter().flat_map(|worker| &worker.steps)
    }

    /// Whether every bank in order gives the same answers.
    pub(super) fn is_deterministic(&self) -> bool {
        let [worker] = self.workers.as_slice() else { return false };
        match self.config.propagation {
            Propagation::Sync => true,
            Propagation::Async => {
                matches!(worker.customers.as_slice(), [only] if only.guarantees == Guarantees::ALL)
            }
        }
    }

    /// The bank, with customers who ask nothing: what they are promised is all that it must know of
    /// them.
    pub(super) fn bank(&self) -> Scenario {
        let visit =
            |&customer: &CustomerId| Visit { customer, events: Vec::new(), after: Vec::new() };
        Scenario {
            name: self.bank_name.clone(),
            description: None,
            roster: Arc::clone(&self.roster),
            opening_balance: self.opening_balance,
            visits: self.config.guarantees.single.keys().map(visit).collect(),
            settings: Settings {
                propagation: Some(self.config.propagation),
                guarantees: Some(self.config.guarantees.all),
                customer_guarantees: self.config.guarantees.single.clone(),
                overdraft: Some(self.config.overdraft),
                ..Settings::default()
            },
            expected: None,
            warnings: Vec::new(),
            written_ids: WrittenIds::default(),
        }
    }

    /// How its branches serve, in a run whose time goes by so many times as fast as it should.
    pub(super) fn branch_config(&self, slow_motion: u32) -> BranchConfig {
        let wait_limit = self.config.wait_limit.saturating_mul(slow_motion);
        let config = RunConfig { wait_limit, ..self.config.clone() };
        config.branch(Some(CONFIRM_LIMIT.saturating_mul(slow_motion)))
    }
}

/// The visits of each worker of one copy.
fn per_lane(visits: &[Visit], order: CustomerOrder) -> Vec<Vec<&Visit>> {
    let visits = visits.iter().filter(|visit| !visit.events.is_empty());
    match order {
        CustomerOrder::InOrder => {
            let all: Vec<&Visit> = visits.collect();
            if all.is_empty() { Vec::new() } else { vec![all] }
        }
        CustomerOrder::Concurrent => {
            let mut workers: BTreeMap<CustomerId, Vec<&Visit>> = BTreeMap::new();
            for visit in visits {
                workers.entry(visit.customer).or_default().push(visit);
            }
            workers.into_values().collect()
        }
    }
}

impl Worker {
    fn new(
        visits: &[&Visit],
        roster: &Roster,
        customer: impl Fn(CustomerId) -> Result<Customer, CompareError>,
    ) -> Result<Self, CompareError> {
        let mut places: BTreeMap<CustomerId, usize> = BTreeMap::new();
        let mut worker = Self { customers: Vec::new(), steps: Vec::new() };
        for visit in visits {
            let who = match places.get(&visit.customer) {
                Some(&who) => who,
                None => {
                    let who = worker.customers.len();
                    worker.customers.push(customer(visit.customer)?);
                    places.insert(visit.customer, who);
                    who
                }
            };
            worker.steps.extend(visit.events.iter().map(|&event| Step {
                who,
                branch: roster.index(event.branch).expect("events are for branches that there are"),
                event,
                kind: kind(event.operation),
                is_sent_again: false,
            }));
        }
        let mut later = BTreeSet::new();
        for step in worker.steps.iter_mut().rev() {
            if let Operation::Write(write) = step.event.operation {
                step.is_sent_again = !later.insert((step.who, step.event.id, write));
            }
        }
        Ok(worker)
    }
}

fn kind(operation: Operation) -> Kind {
    match operation.interface() {
        OperationKind::Deposit => Kind::Deposit,
        OperationKind::Withdraw => Kind::Withdraw,
        OperationKind::Query => Kind::Query,
    }
}

#[cfg(test)]
mod tests {
    use super::super::bank::Job;
    use super::*;
    use crate::scenario::Source;

    fn work(text: &str, options: &CompareOptions) -> Result<Work, CompareError> {
        let source = Source::from_bytes("test".to_owned(), text.into()).unwrap();
        Work::new(&Scenario::parse(&source).unwrap(), options)
    }

    fn one_write(customer: u32, event: u32) -> String {
        format!(
            r#"[{{"id": 1, "type": "branch", "balance": 0}}, {{"id": {customer}, "type": "customer",
            "events": [{{"id": {event}, "interface": "deposit", "dest": 1, "money": 1}}]}}]"#
        )
    }

    #[test]
    fn a_round_has_no_more_repetitions_than_there_are_event_ids() {
        let job = |event, repetitions| {
            let work = work(&one_write(1, event), &CompareOptions::default()).unwrap();
            let Job { warm_up, repetitions, .. } = Job::of(&work, repetitions);
            // All of them have ids.
            work.event(&work.workers[0].steps[0], warm_up + repetitions - 1);
            (warm_up, repetitions)
        };
        let highest = i32::MAX.unsigned_abs();
        assert_eq!(job(1, 1000), (51, 1000));
        assert_eq!(job(highest, 1000), (0, 1));
        assert_eq!(job(highest / 3, 1000), (1, 2));
    }

    #[test]
    fn copies_of_customers_need_ids() {
        let highest = i32::MAX.unsigned_abs();
        let of = |copies| {
            let options = CompareOptions { copies, ..CompareOptions::default() };
            work(&one_write(highest / 2, 1), &options).map(|work| work.workers.len())
        };
        assert_eq!(of(2).unwrap(), 2);
        assert!(matches!(of(3), Err(CompareError::Ids { .. })));
        assert!(matches!(of(0), Err(CompareError::NoCopies)));
    }

    #[test]
    fn a_write_that_is_sent_again_counts_once() {
        let text = r#"{"event_ids": "as-written", "processes": [
            {"id": 1, "type": "branch", "balance": 0},
            {"id": 1, "type": "customer", "events": [
                {"id": 1, "interface": "deposit", "dest": 1, "money": 1},
                {"id": 1, "interface": "deposit", "dest": 1, "money": 1},
                {"id": 1, "interface": "deposit", "dest": 1, "money": 2}]}]}"#;
        let work = work(text, &CompareOptions::default()).unwrap();
        let again: Vec<bool> =
            work.workers[0].steps.iter().map(|step| step.is_sent_again).collect();
        assert_eq!(again, [true, false, false]);
    }
}
