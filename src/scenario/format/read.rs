//! A whole input: a classic array of processes, or passbook's own object around one.

use super::error::{Checked, ScenarioError};
use super::expected;
use super::json::{Keys, Kind, Member, Node};
use super::leniency::Leniencies;
use super::loose::Loose;
use super::network;
use super::problem::{Problem, Thing};
use super::process::Processes;
use super::source::Source;
use super::value::{self, Choice, Words, remark, required};
use crate::model::{CustomerOrder, EventIds, Overdraft, Propagation, QueryTiming};
use crate::scenario::{Output, Scenario, Settings, Warning};

pub(super) const SCENARIO_KEYS: Keys<15> = Keys {
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
        "event_ids",
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
pub(super) const EVENT_IDS: Words<EventIds> = Words {
    of: "choice of event ids",
    choices: &[
        Choice { word: "renumber", means: EventIds::Renumber },
        Choice { word: "as-written", means: EventIds::AsWritten },
    ],
};

/// What a scenario expects, as it stands in a text of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// What the customers must see.
    pub output: Output,
    /// What is understood otherwise than it stands.
    pub notes: Vec<Warning>,
}

impl Scenario {
    /// Reads and validates a scenario in any input dialect.
    pub fn parse(source: &Source) -> Result<Self, ScenarioError> {
        Self::parse_with(source, None)
    }

    /// The same; `event_ids` overrides what the input says of its event ids.
    pub fn parse_with(source: &Source, event_ids: Option<EventIds>) -> Result<Self, ScenarioError> {
        read(source, event_ids).map_err(|fault| ScenarioError::new(source, &fault))
    }

    /// Reads what the customers of this scenario must see, in any output dialect and leniently: for
    /// a classic array, which cannot say it, the file beside it.
    pub fn parse_expected(&self, source: &Source) -> Result<Expected, ScenarioError> {
        let root = Node::root(source.text()).map(|root| vec![root]);
        let strict = root.and_then(|root| self.expected_in(&root, Leniencies::default()));
        let read = match strict {
            Err(fault) if fault.is_syntax() => match Loose::read(source.text()) {
                Some(mut loose) => {
                    let leniencies = std::mem::take(&mut loose.leniencies);
                    let documents = loose.documents();
                    self.expected_in(&documents, leniencies)
                        .map_err(|fault| ScenarioError::within(source, &documents, &fault))?
                }
                None => return Err(ScenarioError::new(source, &fault)),
            },
            strict => strict.map_err(|fault| ScenarioError::new(source, &fault))?,
        };
        let (output, leniencies) = read;
        Ok(Expected { output, notes: leniencies.notes(source) })
    }

    fn expected_in(
        &self,
        documents: &[Node<'_>],
        mut leniencies: Leniencies,
    ) -> Checked<(Output, Leniencies)> {
        let parties = expected::Parties { roster: &self.roster, visits: &self.visits };
        let output = expected::read(documents, parties, &mut leniencies)?;
        Ok((output, leniencies))
    }
}

fn read(source: &Source, event_ids: Option<EventIds>) -> Checked<Scenario> {
    let root = Node::root(source.text())?;
    match root.kind() {
        Kind::Array => {
            let processes = Processes::read(root, event_ids.unwrap_or_default())?;
            Ok(scenario(source, processes))
        }
        Kind::Object => own_format(source, root, event_ids),
        found @ (Kind::String | Kind::Number | Kind::Boolean | Kind::Null) => {
            Err(root.fault(Problem::NotAScenario { found }))
        }
    }
}

fn scenario(source: &Source, processes: Processes) -> Scenario {
    Scenario {
        name: source.stem().to_owned(),
        warnings: warnings(source, &processes),
        roster: processes.roster,
        opening_balance: processes.opening_balance,
        visits: processes.visits,
        settings: Settings { customer_guarantees: processes.guarantees, ..Settings::default() },
        expected: None,
        written_ids: processes.written_ids,
    }
}

fn warnings(source: &Source, processes: &Processes) -> Vec<Warning> {
    let renumbered = processes.renumbered.as_ref().map(|renumbered| renumbered.warning(source));
    let quoted = processes.quoted.warning(source);
    renumbered.into_iter().chain(quoted).collect()
}

fn own_format(source: &Source, root: Node<'_>, event_ids: Option<EventIds>) -> Checked<Scenario> {
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
        written_event_ids,
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
        event_ids: choice(&EVENT_IDS, written_event_ids)?,
        seed: each(seed, value::seed)?,
        ..Settings::default()
    };
    let processes = required(root, &SCENARIO_KEYS, "processes", processes)?;
    let processes =
        Processes::read(processes, event_ids.or(settings.event_ids).unwrap_or_default())?;
    let settings = Settings {
        customer_guarantees: processes.guarantees.clone(),
        links: each(links, |node| network::links(node, &processes.roster))?.unwrap_or_default(),
        ..settings
    };
    let mut scenario = Scenario { settings, ..scenario(source, processes) };
    if let Some(name) = name {
        scenario.name = name;
    }
    if let Some(member) = expected {
        let (output, leniencies) = scenario.expected_in(&[member.value], Leniencies::default())?;
        scenario.expected = Some(output);
        scenario.warnings.extend(leniencies.notes(source));
    }
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
        check(&EVENT_IDS);
    }
}
