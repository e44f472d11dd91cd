//! A whole input: a classic array of processes, or passbook's own object around one.
//!
//! It is read quickly first, without places. Where anything is odd or wrong it is read again,
//! slowly and with places: what is wrong in it comes out, or what people are warned of.

use std::collections::BTreeMap;

use super::error::ScenarioError;
use super::expected::{Parties, output};
use super::fault::{Checked, Fault, Faults};
use super::file::{Document, LinkFile, ProcessFile, ScenarioFile};
use super::leniency::Leniencies;
use super::list::List;
use super::locate::Node;
use super::loose::Loose;
use super::object::Object;
use super::problem::{Kind, Problem};
use super::process::Bank;
use super::reading::Reading;
use super::source::{Source, Span};
use super::value::Remark;
use super::weather::WeatherFile;
use super::written::Written;
use crate::model::{BranchId, EventIds, Roster};
use crate::network::{Latency, Link};
use crate::scenario::{Output, Scenario, Settings, Warning};

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
        let root = Node::root(source.text());
        let read = |reading| read(source, root, event_ids, reading);
        if let Ok(scenario) = read(Reading::quick())
            && scenario.warnings.is_empty()
        {
            return Ok(scenario);
        }
        let slow = || Reading::slow(source.text(), Leniencies::default());
        Node::json(source.text())
            .map_err(Faults::from)
            .and_then(|_| read(slow()))
            .map_err(|faults| ScenarioError::new(source, &[root], faults))
    }

    /// Reads what the customers of this scenario must see, in any output dialect and leniently: for
    /// a classic array, which cannot say it, the file beside it.
    pub fn parse_expected(&self, source: &Source) -> Result<Expected, ScenarioError> {
        let parties = Parties { roster: &self.roster, visits: &self.visits };
        let read = |documents: &[Node<'_>], reading: Reading<'_>| {
            let output = output(&reading, documents, parties);
            reading.finish(output)
        };
        let root = Node::root(source.text());
        if let Ok((output, leniencies)) = read(&[root], Reading::quick())
            && leniencies.is_empty()
        {
            return Ok(Expected { output, notes: Vec::new() });
        }
        let slowly = |documents: &[Node<'_>], text: &str, leniencies| {
            let sound = documents.iter().try_for_each(|document| document.check());
            let read = sound
                .map_err(Faults::from)
                .and_then(|()| read(documents, Reading::slow(text, leniencies)));
            match read {
                Ok((output, leniencies)) => {
                    Ok(Expected { output, notes: leniencies.notes(source) })
                }
                Err(faults) => Err(ScenarioError::new(source, documents, faults)),
            }
        };
        match Node::json(source.text()) {
            Ok(root) => slowly(&[root], source.text(), Leniencies::default()),
            Err(fault) => match Loose::read(source.text()) {
                Some(Loose { text, documents, leniencies }) => {
                    let documents = documents.into_iter().map(|span| Node::within(&text, span));
                    slowly(&documents.collect::<Vec<_>>(), &text, leniencies)
                }
                None => Err(ScenarioError::new(source, &[root], fault.into())),
            },
        }
    }
}

fn read(
    source: &Source,
    root: Node<'_>,
    event_ids: Option<EventIds>,
    reading: Reading<'_>,
) -> Result<Scenario, Faults> {
    let document = match root.written.kind() {
        Kind::Array => reading.read(root).map(Document::Classic),
        Kind::Object => reading.read(root).map(Document::Own),
        found @ (Kind::String | Kind::Number | Kind::Boolean | Kind::Null) => {
            let fault = Fault::new(Problem::NotAScenario { found }).at(root.span());
            reading.take(Err(fault))
        }
    };
    let read = document.and_then(|document| match document {
        Document::Classic(processes) => {
            let bank = Bank::read(&reading, processes, root.start, event_ids.unwrap_or_default());
            scenario(source, None, bank?, Settings::default())
        }
        Document::Own(file) => own_format(source, root, *file, event_ids, &reading),
    });
    let (mut scenario, leniencies) = reading.finish(read)?;
    scenario.warnings.extend(leniencies.notes(source));
    Ok(scenario)
}

fn own_format<'a>(
    source: &Source,
    root: Node<'a>,
    file: ScenarioFile<List<ProcessFile>, Written<'a>>,
    event_ids: Option<EventIds>,
    reading: &Reading<'_>,
) -> Option<Scenario> {
    let object = reading.object(root.start, "a scenario");
    let written_event_ids = reading.field(object, "event_ids", file.event_ids);
    // The processes first: where one of them is not understood, not all can be checked.
    let bank = Bank::read(
        reading,
        file.processes,
        object.value(&["processes"]).start,
        event_ids.or(written_event_ids).unwrap_or_default(),
    );
    reading.field(object, "$schema", file.schema);
    let description = reading.field(object, "description", file.description);
    let name = reading.field(object, "name", file.name);
    let settings = Settings {
        propagation: reading.field(object, "propagation", file.propagation),
        guarantees: reading.field(object, "guarantees", file.guarantees),
        latency: reading.field(object, "latency", file.latency),
        wait_limit: reading.field(object, "wait_limit", file.wait_limit),
        overdraft: reading.field(object, "overdraft", file.overdraft),
        durability: reading.field(object, "durability", file.durability),
        customers: reading.field(object, "customers", file.customers),
        queries: reading.field(object, "queries", file.queries),
        event_ids: written_event_ids,
        seed: reading.field(object, "seed", file.seed),
        ..Settings::default()
    };
    let weather = WeatherFile {
        rates: file.rates,
        nemesis: file.nemesis,
        faults: file.faults,
        think: reading.field(object, "think", file.think),
        settle_limit: reading.field(object, "settle_limit", file.settle_limit),
    };
    let bank = bank?;
    let foul_weather =
        if weather.is_empty() { None } else { weather.read(reading, &bank.roster, &bank.visits) };
    let links = file.links.map(|links| links_between(reading, links, &bank.roster));
    let settings = Settings { links: links.unwrap_or_default(), foul_weather, ..settings };
    let mut scenario = scenario(source, name, bank, settings)?;
    scenario.description = description.map(|Remark(text)| text.into());
    if let Some(written) = file.expected {
        let parties = Parties { roster: &scenario.roster, visits: &scenario.visits };
        scenario.expected = output(reading, &[root.part(written)], parties);
    }
    Some(scenario)
}

/// The links between branches of `roster`. Each is one direction.
fn links_between(
    reading: &Reading<'_>,
    links: List<LinkFile>,
    roster: &Roster,
) -> BTreeMap<Link, Latency> {
    let mut places: BTreeMap<Link, Span> = BTreeMap::new();
    let links = links.0.into_iter().filter_map(|(start, file)| {
        let object = reading.object(start, "a link");
        reading.take(link(object, file, roster).and_then(|(link, latency)| {
            match places.insert(link, object.bracket()) {
                None => Ok((link, latency)),
                Some(first) => {
                    let Link { from, to } = link;
                    Err(object.fault(Problem::DuplicateLink { from, to }).and(first))
                }
            }
        }))
    });
    links.collect()
}

fn link(object: Object<'_>, file: LinkFile, roster: &Roster) -> Checked<(Link, Latency)> {
    let branch = |name, field| -> Checked<BranchId> {
        object.branch(name, object.required(name, field)?, roster)
    };
    let (from, to) = (branch("from", file.from)?, branch("to", file.to)?);
    if from == to {
        return Err(object.fault_in(&["to"], Problem::LinkToItself { branch: to }));
    }
    Ok((Link { from, to }, object.required("latency", file.latency)?))
}

fn scenario(
    source: &Source,
    name: Option<String>,
    bank: Bank,
    settings: Settings,
) -> Option<Scenario> {
    Some(Scenario {
        description: None,
        name: name.unwrap_or_else(|| source.stem().to_owned()),
        warnings: bank.renumbered.iter().map(|found| found.warning(source)).collect(),
        roster: bank.roster,
        opening_balance: bank.opening_balance,
        visits: bank.visits,
        settings: Settings { customer_guarantees: bank.guarantees, ..settings },
        expected: None,
        written_ids: bank.written_ids,
    })
}
