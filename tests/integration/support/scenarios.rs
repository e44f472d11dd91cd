//! Scenarios from parts, and random ones.

use passbook::model::{Event, Money, Operation};
use passbook::scenario::{Scenario, Settings, Visit, WrittenIds};
use proptest::prelude::*;

use crate::support::parts::{customer, deposit, event, roster, withdraw};

pub(crate) fn scenario(
    branches: u32,
    opening_minor: i64,
    visits: Vec<(u32, Vec<Event>)>,
) -> Scenario {
    let visit = |(id, events)| Visit { customer: customer(id), events, after: Vec::new() };
    Scenario {
        description: None,
        name: "test".to_owned(),
        roster: roster(branches),
        opening_balance: Money::from_minor(opening_minor),
        visits: visits.into_iter().map(visit).collect(),
        settings: Settings::default(),
        expected: None,
        warnings: Vec::new(),
        written_ids: WrittenIds::default(),
    }
}

/// Scenarios of a few branches and customers and up to some hundred events. Event ids mostly
/// ascend; some repeat and some fall back, as in the wild.
pub(crate) fn any_scenario() -> impl Strategy<Value = Scenario> {
    (1u32..=5, 0i64..100_000, 1u32..=4)
        .prop_flat_map(|(branches, opening, customers)| {
            let event = (1..=branches, 0u32..10, 0u32..20, 1i64..50_000);
            let visit = (1..=customers, prop::collection::vec(event, 0..60));
            (Just(branches), Just(opening), prop::collection::vec(visit, 0..8))
        })
        .prop_map(|(branches, opening, visits)| {
            let mut last = std::collections::BTreeMap::<u32, u32>::new();
            let visits = visits.into_iter().map(|(id, parts)| {
                let last = last.entry(id).or_insert(1);
                let events = parts.into_iter().map(|(at, kind, step, minor)| {
                    *last = match step {
                        0 => *last,
                        1 => last.saturating_sub(1).max(1),
                        _ => *last + step % 3 + 1,
                    };
                    // A few amounts only, so that a repeated id often is a true retry.
                    let minor = if step < 2 { 500 } else { minor };
                    let operation = match kind {
                        0..=3 => deposit(minor),
                        4..=7 => withdraw(minor),
                        _ => Operation::Query,
                    };
                    event(*last, at, operation)
                });
                (id, events.collect())
            });
            scenario(branches, opening, visits.collect())
        })
}
