//! The scenarios that are run.

use passbook::Scenario;
use passbook::model::{
    Amount, BranchId, CustomerId, Event, EventId, Money, Operation, Propagation, Roster, Write,
};
use passbook::scenario::{Settings, Source, Visit};

/// A scenario, and how many messages it is.
#[derive(Debug)]
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) scenario: Scenario,
    /// Between branches and customers: requests, replies, writes that are passed on, and their
    /// acknowledgements.
    pub(crate) messages: usize,
    /// What each branch holds when all writes are applied once.
    pub(crate) balance: Money,
}

impl Workload {
    /// The workloads of the table.
    pub(crate) fn all() -> [Self; 5] {
        use Propagation::{Async, Sync};
        [
            Self::new("classic: 3 events at 2 branches", classic()),
            Self::new("60,000 events at 2", deposits(2, 1, 60_000, Sync)),
            Self::new("20,000 events at 10", deposits(10, 1, 20_000, Sync)),
            Self::new("the same, async", deposits(10, 1, 20_000, Async)),
            Self::new("the same, 100 customers at once", deposits(10, 100, 200, Sync)),
        ]
    }

    fn new(name: &'static str, scenario: Scenario) -> Self {
        let events = || scenario.visits.iter().flat_map(|visit| &visit.events);
        let writes: Vec<Write> = events()
            .filter_map(|event| match event.operation {
                Operation::Write(write) => Some(write),
                Operation::Query => None,
            })
            .collect();
        let messages = 2 * (events().count() + writes.len() * (scenario.roster.len() - 1));
        let add = |balance: Money, write: &Write| balance.checked_add(write.delta());
        let balance = writes.iter().try_fold(scenario.opening_balance, add);
        let balance = balance.expect("small amounts");
        Self { name, scenario, messages, balance }
    }
}

fn classic() -> Scenario {
    let text = include_bytes!("../../../input/monotonic_writes.json");
    let source = Source::from_bytes("monotonic_writes.json".to_owned(), text.to_vec());
    Scenario::parse(&source.expect("it is UTF-8")).expect("it is a scenario")
}

/// Customers who come at once, and each make so many deposits, at one branch after the other.
fn deposits(branches: i64, customers: i64, events: i64, propagation: Propagation) -> Scenario {
    let branch = |number| BranchId::new(number).expect("it is positive");
    let event = |customer: i64, number: i64| Event {
        id: EventId::new(number).expect("it is positive"),
        branch: branch((customer + number) % branches + 1),
        operation: Operation::Write(Write::deposit(amount(number % 100 + 1))),
    };
    let visit = |customer| Visit {
        customer: CustomerId::new(customer).expect("it is positive"),
        events: (1..=events).map(|number| event(customer, number)).collect(),
        after: Vec::new(),
    };
    Scenario {
        roster: Roster::new((1..=branches).map(branch)).expect("no branch comes twice").into(),
        visits: (1..=customers).map(visit).collect(),
        settings: Settings { propagation: Some(propagation), ..Settings::default() },
        ..classic()
    }
}

fn amount(whole: i64) -> Amount {
    whole.to_string().parse().expect("an amount")
}
