//! What each guarantee costs: `cargo bench --bench guarantees` prints the tables of
//! `docs/COSTS.md`.
//!
//! The first is in simulated time, so it is the same on every machine. The second measures how long
//! this program takes for large banks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use passbook::check::{Overall, Property};
use passbook::history::Fact;
use passbook::model::{
    BranchId, CustomerId, CustomerOrder, Event, EventId, Guarantee, Guarantees, Money, Operation,
    Propagation, Roster, Write,
};
use passbook::network::Latency;
use passbook::run::{Recording, Run, RunOptions, run};
use passbook::scenario::{Scenario, Settings, Visit, WrittenIds};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BRANCHES: [i64; 3] = [3, 10, 100];
const CUSTOMERS: i64 = 20;
/// Half of them writes.
const EVENTS_EACH: i64 = 50;
const LATENCY: &str = "uniform:1ms..20ms";
const LARGE: [i64; 3] = [10, 100, 1000];
const LARGE_WRITES: i64 = 300;

/// One way to run a bank.
struct Mode {
    name: String,
    propagation: Propagation,
    guarantees: Guarantees,
}

fn modes() -> Vec<Mode> {
    let mode = |name: &str, propagation, guarantees| Mode {
        name: name.to_owned(),
        propagation,
        guarantees,
    };
    let mut modes = vec![
        mode("sync", Propagation::Sync, Guarantees::ALL),
        mode("async, all", Propagation::Async, Guarantees::ALL),
    ];
    modes.extend(Guarantee::ALL.map(|one| {
        let only = Guarantees::NONE.with(one);
        mode(&format!("async, {only} alone"), Propagation::Async, only)
    }));
    modes.push(mode("async, none", Propagation::Async, Guarantees::NONE));
    modes
}

/// Customers who all come at once, each asking branches at random.
fn scenario(branches: i64, customers: i64, events_each: i64) -> Scenario {
    let mut random = 7_u64;
    let mut draw = |bound: i64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let bound = u64::try_from(bound).expect("small");
        i64::try_from(random % bound).expect("below bound")
    };
    let mut event = |id: i64| Event {
        id: EventId::new(id).expect("an id"),
        branch: BranchId::new(1 + draw(branches)).expect("an id"),
        operation: match draw(4) {
            0 => Operation::Write(Write::deposit(Money::from_minor(300).try_into().expect("some"))),
            1 => {
                Operation::Write(Write::withdraw(Money::from_minor(100).try_into().expect("some")))
            }
            _ => Operation::Query,
        },
    };
    let visits = (1..=customers).map(|id| Visit {
        customer: CustomerId::new(id).expect("an id"),
        events: (1..=events_each).map(&mut event).collect(),
        after: Vec::new(),
    });
    let ids = (1..=branches).map(|id| BranchId::new(id).expect("an id"));
    Scenario {
        description: None,
        name: "costs".to_owned(),
        visits: visits.collect(),
        roster: Arc::new(Roster::new(ids).expect("a bank")),
        opening_balance: Money::ZERO,
        settings: Settings {
            latency: Some(LATENCY.parse::<Latency>().expect("a latency")),
            customers: Some(CustomerOrder::Concurrent),
            ..Settings::default()
        },
        expected: None,
        warnings: Vec::new(),
        written_ids: WrittenIds::default(),
    }
}

fn run_in(scenario: &Scenario, mode: &Mode, recording: Recording) -> Run {
    let overrides = Settings {
        propagation: Some(mode.propagation),
        guarantees: Some(mode.guarantees),
        ..Settings::default()
    };
    let options = RunOptions { overrides, recording, ..RunOptions::default() };
    run(scenario, &options).expect("it runs to its end")
}

/// Spans of some operations.
#[derive(Default)]
struct Waits {
    total: Duration,
    longest: Duration,
    count: u32,
}

impl Waits {
    fn add(&mut self, span: Duration) {
        self.total += span;
        self.longest = self.longest.max(span);
        self.count += 1;
    }

    fn mean(&self) -> String {
        show(self.total.checked_div(self.count).unwrap_or_default())
    }
}

fn show(span: Duration) -> String {
    format!("{:.1} ms", span.as_secs_f64() * 1e3)
}

fn row(branches: i64, mode: &Mode) -> String {
    let run = run_in(&scenario(branches, CUSTOMERS, EVENTS_EACH), mode, Recording::Facts);
    let (mut all, mut reads, mut writes) = (Waits::default(), Waits::default(), Waits::default());
    for request in run.result.customers.iter().flat_map(|customer| &customer.requests) {
        assert!(request.outcome.is_ok(), "the wait limit is long enough");
        all.add(request.took);
        match request.operation {
            Operation::Query => reads.add(request.took),
            Operation::Write(_) => writes.add(request.took),
        }
    }
    let is_sent =
        |recorded: &&passbook::history::Recorded| matches!(recorded.fact, Fact::MessageSent { .. });
    let sent = u32::try_from(run.facts.iter().filter(is_sent).count()).expect("small");
    let verdicts = run.result.verdicts.expect("a run is judged");
    let broken: Vec<&str> = [
        (Property::ReadYourWrites, "RYW"),
        (Property::MonotonicReads, "MR"),
        (Property::MonotonicWrites, "MW"),
        (Property::WritesFollowReads, "WFR"),
    ]
    .into_iter()
    .filter(|(property, _)| {
        verdicts.of(*property).is_some_and(|verdict| verdict.summary() == Overall::Violated)
    })
    .map(|(_, name)| name)
    .collect();
    let broken = if broken.is_empty() { "–".to_owned() } else { broken.join(", ") };
    format!(
        "| {branches} | {} | {} | {} | {} | {} | {:.1} | {broken} |",
        mode.name,
        all.mean(),
        reads.mean(),
        writes.mean(),
        show(all.longest),
        f64::from(sent) / f64::from(all.count),
    )
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
fn large_row(branches: i64, mode: &Mode) -> String {
    let mut scenario = scenario(branches, 10, LARGE_WRITES / 10);
    for event in scenario.visits.iter_mut().flat_map(|visit| &mut visit.events) {
        if event.operation == Operation::Query {
            let one = Money::from_minor(1).try_into().expect("some");
            event.operation = Operation::Write(Write::deposit(one));
        }
    }
    let start = Instant::now();
    let run = run_in(&scenario, mode, Recording::Off);
    let spent = start.elapsed();
    let applies: usize = run.result.branches.iter().map(|branch| branch.log.len()).sum();
    let applies = u32::try_from(applies).expect("small");
    let per_apply_us = spent.as_secs_f64() * 1e6 / f64::from(applies);
    let seconds = spent.as_secs_f64();
    format!("| {branches} | {} | {seconds:.3} s | {per_apply_us:.2} µs |", mode.name)
}

#[expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]
fn main() {
    println!("| branches | mode | wait, mean | a read | a write | longest | messages | violated |");
    println!("|---|---|---|---|---|---|---|---|");
    for branches in BRANCHES {
        for mode in modes() {
            println!("{}", row(branches, &mode));
        }
    }
    println!("\n| branches | mode | {LARGE_WRITES} writes | per write and branch |");
    println!("|---|---|---|---|");
    for branches in LARGE {
        for mode in modes().into_iter().take(2).chain(modes().into_iter().last()) {
            println!("{}", large_row(branches, &mode));
        }
    }
}
