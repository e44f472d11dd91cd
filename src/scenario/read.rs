//! A whole input: a classic array of processes, or passbook's own object around one.

use super::error::{Checked, ScenarioError};
use super::expected;
use super::json::{Keys, Kind, Member, Node};
use super::network;
use super::numbering;
use super::problem::{Problem, Thing};
use super::process::Processes;
use super::source::Source;
use super::value::{self, Choice, Words, remark, required};
use super::{Output, Scenario, Settings};
use crate::model::{CustomerOrder, Overdraft, Propagation, QueryTiming};

pub(super) const SCENARIO_KEYS: Keys<14> = Keys {
    of: Thing::Scenario,
    names: [
        "$schema",
        "name",
        "description",
        "processes",
        "propagation",
        "guarantees",
        "latency",
        "links",
        "wait_limit",
        "overdraft",
        "customers",
        "queries",
        "seed",
        "expected",
    ],
};

pub(super) const PROPAGATIONS: Words<Propagation> = Words {
    of: "propagation",
    choices: &[
        Choice { word: "sync", means: Propagation::Sync },
        Choice { word: "async", means: Propagation::Async },
    ],
};
pub(super) const OVERDRAFTS: Words<Overdraft> = Words {
    of: "overdraft policy",
    choices: &[
        Choice { word: "allow", means: Overdraft::Allow },
        Choice { word: "reject", means: Overdraft::Reject },
    ],
};
pub(super) const CUSTOMER_ORDERS: Words<CustomerOrder> = Words {
    of: "order of customers",
    choices: &[
        Choice { word: "in-order", means: CustomerOrder::InOrder },
        Choice { word: "concurrent", means: CustomerOrder::Concurrent },
    ],
};
pub(super) const QUERY_TIMINGS: Words<QueryTiming> = Words {
    of: "timing of queries",
    choices: &[
        Choice { word: "in-place", means: QueryTiming::InPlace },
        Choice { word: "after-settling", means: QueryTiming::AfterSettling },
    ],
};

impl Scenario {
    /// Reads and validates a scenario in any input dialect.
    pub fn parse(source: &Source) -> Result<Self, ScenarioError> {
        read(source).map_err(|fault| ScenarioError::new(source, &fault))
    }

    /// Reads what the customers of this scenario must see, in any output dialect: for a classic
    /// array, which cannot say it, the file beside it.
    pub fn parse_expected(&self, source: &Source) -> Result<Output, ScenarioError> {
        let output =
            Node::root(source.text()).and_then(|root| expected::read(root, self.parties()));
        output.map_err(|fault| ScenarioError::new(source, &fault))
    }

    fn parties(&self) -> expected::Parties<'_> {
        expected::Parties { roster: &self.roster, visits: &self.visits }
    }
}

fn read(source: &Source) -> Checked<Scenario> {
    let root = Node::root(source.text())?;
    match root.kind() {
        Kind::Array => Ok(scenario(source, Processes::read(root)?)),
        Kind::Object => own_format(source, root),
        found @ (Kind::String | Kind::Number | Kind::Boolean | Kind::Null) => {
            Err(root.fault(Problem::NotAScenario { found }))
        }
    }
}

fn scenario(source: &Source, processes: Processes) -> Scenario {
    Scenario {
        name: source.stem().to_owned(),
        warnings: numbering::warnings(source, &processes.repeats),
        roster: processes.roster,
        opening_balance: processes.opening_balance,
        visits: processes.visits,
        settings: Settings { customer_guarantees: processes.guarantees, ..Settings::default() },
        expected: None,
    }
}

fn own_format(source: &Source, root: Node<'_>) -> Checked<Scenario> {
    let members = root.members(&SCENARIO_KEYS)?;
    let [
        schema,
        name,
        description,
        processes,
        propagation,
        guarantees,
        latency,
        links,
        wait_limit,
        overdraft,
        customers,
        queries,
        seed,
        expected,
    ] = members;
    remark(schema)?;
    remark(description)?;
    let name = each(name, own_name)?;
    let settings = Settings {
        propagation: choice(&PROPAGATIONS, propagation)?,
        guarantees: each(guarantees, value::guarantees)?,
        latency: each(latency, value::latency)?,
        wait_limit: each(wait_limit, value::span)?,
        overdraft: choice(&OVERDRAFTS, overdraft)?,
        customers: choice(&CUSTOMER_ORDERS, customers)?,
        queries: choice(&QUERY_TIMINGS, queries)?,
        seed: each(seed, value::seed)?,
        ..Settings::default()
    };
    let processes = required(root, &SCENARIO_KEYS, "processes", processes)?;
    let processes = Processes::read(processes)?;
    let settings = Settings {
        customer_guarantees: processes.guarantees.clone(),
        links: each(links, |node| network::links(node, &processes.roster))?.unwrap_or_default(),
        ..settings
    };
    let mut scenario = Scenario { settings, ..scenario(source, processes) };
    if let Some(name) = name {
        scenario.name = name;
    }
    scenario.expected =
        expected.map(|member| expected::read(member.value, scenario.parties())).transpose()?;
    Ok(scenario)
}

fn own_name(node: Node<'_>) -> Checked<String> {
    let name = node.string()?;
    if name.trim().is_empty() {
        return Err(node.fault(Problem::BlankName));
    }
    Ok(name.into_owned())
}

/// What `read` makes of a key's value, if the key is there.
fn each<'a, T>(
    member: Option<Member<'a>>,
    read: impl FnOnce(Node<'a>) -> Checked<T>,
) -> Checked<Option<T>> {
    member.map(|member| read(member.value)).transpose()
}

fn choice<T: Copy>(words: &Words<T>, member: Option<Member<'_>>) -> Checked<Option<T>> {
    each(member, |node| words.read(node))
}

#[cfg(test)]
mod tests {
    use std::fmt::Display;

    use super::*;

    fn check<T: Copy + Display>(words: &Words<T>) {
        for choice in words.choices {
            assert_eq!(choice.word, choice.means.to_string());
        }
    }

    #[test]
    fn words_are_those_that_the_program_shows() {
        check(&PROPAGATIONS);
        check(&OVERDRAFTS);
        check(&CUSTOMER_ORDERS);
        check(&QUERY_TIMINGS);
    }
}
