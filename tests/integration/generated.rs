//! Generated scenarios are scenarios: they are read without a warning, they run, what is promised
//! holds, and what they expect is what comes of them.

use std::fmt::Debug;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use passbook::check::Overall;
use passbook::history::RequestResult;
use passbook::model::{
    CustomerOrder, Dialect, Guarantees, Money, Operation, Propagation, Receipt, Seed, WriteKind,
};
use passbook::network::Latency;
use passbook::run::{Run, RunOptions, run};
use passbook::scenario::generate::{Amounts, Between, GenerateOptions, Generator, Mix};
use passbook::scenario::{Scenario, Source};
use proptest::prelude::*;

fn read<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().expect("a text of its kind")
}

fn counts(max: u32) -> impl Strategy<Value = Between<NonZeroU32>> {
    (1..=max, 1..=max).prop_map(|(a, b)| read(&format!("{}..{}", a.min(b), a.max(b))))
}

fn mixes() -> impl Strategy<Value = Mix> {
    (0..5_u32, 0..5_u32, 1..5_u32).prop_map(|(deposit, withdraw, query)| {
        Mix::new(deposit, withdraw, query).expect("there are queries")
    })
}

fn amounts() -> impl Strategy<Value = Amounts> {
    let drawn = (1..1_000_000_i64, 0..1_000_000_i64).prop_map(|(min, more)| {
        let [min, max] = [min, min + more].map(Money::from_minor);
        Amounts::Drawn(read(&format!("{min}..{max}")))
    });
    prop_oneof![drawn, Just(Amounts::Decodable)]
}

fn latencies() -> impl Strategy<Value = Latency> {
    prop_oneof![
        Just(Latency::None),
        (1..50_u64).prop_map(|ms| Latency::Constant(Duration::from_millis(ms))),
        (1..30_u64).prop_map(|ms| Latency::Exponential(Duration::from_millis(ms))),
    ]
}

/// Options without an expected result, of scenarios in which a run is done soon.
fn options() -> impl Strategy<Value = GenerateOptions> {
    let counts = (counts(5), counts(4), counts(12), any::<bool>());
    let writes = (mixes(), amounts(), 0..1_000_000_i64);
    let walk = (0..=100_u32, 0..=300_u32);
    let propagations =
        prop::option::of(prop_oneof![Just(Propagation::Sync), Just(Propagation::Async)]);
    let orders = prop::option::of(prop_oneof![
        Just(CustomerOrder::InOrder),
        Just(CustomerOrder::Concurrent)
    ]);
    let run = (propagations, prop::option::of(latencies()), orders);
    (any::<u64>(), counts, writes, walk, run).prop_map(|(seed, counts, writes, walk, run)| {
        let (branches, customers, events, final_query) = counts;
        let (mix, amounts, opening) = writes;
        let (hop_percent, skew) = walk;
        let (propagation, latency, customer_order) = run;
        GenerateOptions {
            seed: Seed(seed),
            branches,
            customers,
            events,
            final_query,
            mix,
            amounts,
            opening_balance: Money::from_minor(opening),
            hop_percent,
            skew: read(&Money::from_minor(skew.into()).to_string()),
            propagation,
            guarantees: Some(Guarantees::ALL),
            latency,
            customer_order,
            expected: None,
        }
    })
}

fn generated(options: GenerateOptions, number: u64) -> Scenario {
    Generator::new(options).expect("options that go together").scenario(number)
}

fn parse(scenario: &Scenario) -> Scenario {
    let text = serde_json::to_vec(scenario).expect("it can be written");
    let source = Source::from_bytes("generated.json", text).expect("text");
    Scenario::parse(&source).expect("a scenario")
}

fn run_as_it_says(scenario: &Scenario) -> Run {
    run(scenario, &RunOptions::default()).expect("it runs to its end")
}

fn summary(run: &Run) -> Overall {
    run.result.verdicts.as_ref().expect("it was judged").summary()
}

/// The delta of a write; `None` for a query.
fn delta_units(request: &RequestResult) -> Option<i64> {
    match request.operation {
        Operation::Query => None,
        Operation::Write(write) => {
            let minor = write.amount.money().minor();
            let units = minor / 100;
            assert_eq!(units * 100, minor, "whole units");
            Some(if write.kind == WriteKind::Deposit { units } else { -units })
        }
    }
}

/// The places of the writes that are in a balance, as `docs/GENERATE.md` says to find them.
fn decode(balance_units: i64, deltas: &[i64]) -> Vec<usize> {
    let withdrawals: i64 = deltas.iter().filter(|delta| **delta < 0).sum();
    let digits = balance_units - withdrawals;
    let is_in = |place: &usize| (digits >> place & 1 == 1) == (deltas[*place] > 0);
    (0..deltas.len()).filter(is_in).collect()
}

proptest! {
    #[test]
    fn what_is_generated_is_read_as_the_same_without_a_warning(
        options in options(),
        number in any::<u64>(),
    ) {
        let scenario = generated(options, number);
        let read = parse(&scenario);
        prop_assert!(read.warnings.is_empty(), "{:?}", read.warnings);
        prop_assert_eq!(read, scenario);
    }

    #[test]
    fn what_is_promised_holds_when_it_is_run(options in options()) {
        let run = run_as_it_says(&generated(options, 1));
        prop_assert_ne!(summary(&run), Overall::Violated);
    }

    #[test]
    fn without_promises_sync_in_order_holds_all_the_same(options in options()) {
        let options = GenerateOptions {
            guarantees: Some(Guarantees::NONE),
            propagation: Some(Propagation::Sync),
            customer_order: None,
            ..options
        };
        let run = run_as_it_says(&generated(options, 1));
        prop_assert_ne!(summary(&run), Overall::Violated);
    }

    #[test]
    fn what_is_expected_is_what_comes_of_it(options in options()) {
        for (expected, dialect) in [
            (Dialect::Balances, Dialect::Balances),
            (Dialect::Events, Dialect::Events),
            (Dialect::Customers, Dialect::Customers),
        ] {
            let options = GenerateOptions {
                expected: Some(expected),
                propagation: options.propagation.filter(|one| *one == Propagation::Sync),
                customer_order: options.customer_order.filter(|one| *one == CustomerOrder::InOrder),
                ..options
            };
            let scenario = generated(options, 1);
            prop_assert_eq!(&parse(&scenario), &scenario);
            let run = run_as_it_says(&scenario);
            prop_assert_eq!(Some(run.result.output(dialect)), scenario.expected);
        }
    }

    #[test]
    fn a_decodable_balance_tells_which_writes_a_lagging_branch_had(seed in any::<u64>()) {
        let options = GenerateOptions {
            seed: Seed(seed),
            branches: read("3"),
            customers: read("4"),
            events: read("10"),
            amounts: Amounts::Decodable,
            opening_balance: Money::ZERO,
            mix: read("deposit=1,withdraw=1,query=1"),
            propagation: Some(Propagation::Async),
            guarantees: Some(Guarantees::NONE),
            latency: Some(read("exponential:3ms")),
            customer_order: Some(CustomerOrder::Concurrent),
            ..GenerateOptions::default()
        };
        let run = run_as_it_says(&generated(options, 1));
        let requests = || run.result.customers.iter().flat_map(|customer| &customer.requests);
        let deltas: Vec<i64> = requests().filter_map(delta_units).collect();
        for request in requests() {
            let Ok(Receipt::Balance(balance)) = request.outcome else { continue };
            let found = decode(balance.minor() / 100, &deltas);
            let sum: i64 = found.iter().map(|place| deltas[*place]).sum();
            prop_assert_eq!(sum * 100, balance.minor());
        }
    }
}

#[test]
fn any_set_of_as_many_writes_as_fit_is_decoded() {
    let sums = |sets: &[u64], deltas: &[i64]| {
        for set in sets {
            let places: Vec<usize> = (0..deltas.len()).filter(|at| set >> at & 1 == 1).collect();
            let balance = places.iter().map(|at| deltas[*at]).sum();
            assert_eq!(decode(balance, deltas), places);
        }
    };
    let deltas = |writes: u32, withdrawals: u64| -> Vec<i64> {
        let signed = |at: u32| if withdrawals >> at & 1 == 1 { -(1 << at) } else { 1 << at };
        (0..writes).map(signed).collect()
    };
    let all: Vec<u64> = (0..1 << 9).collect();
    for withdrawals in &all {
        sums(&all, &deltas(9, *withdrawals));
    }
    let odd = [0, 1, u64::MAX >> 8, 1 << 55, 0x00aa_aaaa_aaaa_aaaa, 0x0012_3456_789a_bcde];
    for withdrawals in odd {
        sums(&odd, &deltas(56, withdrawals));
    }
}
