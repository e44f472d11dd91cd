//! What generated scenarios are like.

use std::num::NonZeroU32;

use super::{Amounts, Between, Mix, Skew};
use crate::model::{Amount, CustomerOrder, Dialect, Guarantees, Money, Propagation, Seed};
use crate::network::Latency;

/// What generated scenarios are like. The default is small: two branches, and a customer who goes
/// back and forth between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GenerateOptions {
    /// What everything is drawn from.
    pub seed: Seed,
    /// How many branches a scenario has. They are numbered from 1.
    pub branches: Between<NonZeroU32>,
    /// How many customers a scenario has, each with one visit. They are numbered from 1.
    pub customers: Between<NonZeroU32>,
    /// How many events each customer has.
    pub events: Between<NonZeroU32>,
    /// Whether each customer has one more event, a query at the end.
    pub final_query: bool,
    /// How often customers deposit, withdraw and query.
    pub mix: Mix,
    /// What they deposit and withdraw.
    pub amounts: Amounts,
    /// What each branch holds at the start; not below zero.
    pub opening_balance: Money,
    /// How likely it is that a customer goes to another branch for the next event; 100 and more
    /// is always.
    pub hop_percent: u32,
    /// Which branches customers prefer.
    pub skew: Skew,
    /// What the scenarios say of propagation; `None`: nothing.
    pub propagation: Option<Propagation>,
    /// What they say that every customer is promised; `None`: nothing.
    pub guarantees: Option<Guarantees>,
    /// What they say of how long messages take; `None`: nothing.
    pub latency: Option<Latency>,
    /// What they say of when customers make their visits; `None`: nothing.
    pub customer_order: Option<CustomerOrder>,
    /// The dialect in which scenarios say what must come of them; `None`: they do not.
    pub expected: Option<Dialect>,
}

impl Default for GenerateOptions {
    fn default() -> Self {
        Self {
            seed: Seed::default(),
            branches: count(2),
            customers: count(1),
            events: count(5),
            final_query: false,
            mix: Mix::default(),
            amounts: Amounts::Drawn(whole_units(1, 100)),
            opening_balance: Money::from_minor(100_000),
            hop_percent: 50,
            skew: Skew::default(),
            propagation: None,
            guarantees: None,
            latency: None,
            customer_order: None,
            expected: None,
        }
    }
}

fn count(number: u32) -> Between<NonZeroU32> {
    Between::only(NonZeroU32::new(number).expect("a default above 0"))
}

fn whole_units(min: i64, max: i64) -> Between<Amount> {
    let amount = |units: i64| Amount::try_from(Money::from_minor(units * 100));
    let (min, max) = (amount(min), amount(max));
    Between::new(min.expect("a default above 0"), max.expect("a default above 0"))
        .expect("defaults in order")
}
