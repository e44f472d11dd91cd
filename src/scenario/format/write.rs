//! A scenario as text, in passbook's own format. What is written here is read back as the same
//! scenario; its warnings are of another text and left out.

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use crate::fault::{Latency, Link, show_span};
use crate::model::{
    BranchId, CustomerId, CustomerOrder, EventId, EventIds, Guarantees, Interface, Money,
    Operation, Overdraft, Propagation, QueryTiming, Seed,
};
use crate::scenario::{Event, Output, Scenario, Settings, Visit};

impl Serialize for Scenario {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let settings = &self.settings;
        let file = ScenarioFile {
            name: &self.name,
            seed: settings.seed,
            propagation: settings.propagation,
            guarantees: settings.guarantees,
            latency: settings.latency.map(|latency| latency.to_string()),
            links: links(settings),
            wait_limit: settings.wait_limit.map(show_span),
            overdraft: settings.overdraft,
            customers: settings.customers,
            queries: settings.queries,
            event_ids: settings.event_ids,
            processes: Processes(self),
            expected: self.expected.as_ref(),
        };
        file.serialize(serializer)
    }
}

#[derive(Serialize)]
struct ScenarioFile<'s> {
    name: &'s str,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<Seed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    propagation: Option<Propagation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guarantees: Option<Guarantees>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<LinkFile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wait_limit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    overdraft: Option<Overdraft>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customers: Option<CustomerOrder>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queries: Option<QueryTiming>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_ids: Option<EventIds>,
    processes: Processes<'s>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<&'s Output>,
}

#[derive(Serialize)]
struct LinkFile {
    from: BranchId,
    to: BranchId,
    latency: String,
}

fn links(settings: &Settings) -> Vec<LinkFile> {
    let file = |(&Link { from, to }, latency): (&Link, &Latency)| LinkFile {
        from,
        to,
        latency: latency.to_string(),
    };
    settings.links.iter().map(file).collect()
}

/// The branches and then the visits.
struct Processes<'s>(&'s Scenario);

impl Serialize for Processes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(scenario) = self;
        let branches = scenario.roster.ids();
        let mut list = serializer.serialize_seq(Some(branches.len() + scenario.visits.len()))?;
        for &id in branches {
            let balance = Cash(scenario.opening_balance);
            list.serialize_element(&BranchFile { id, r#type: "branch", balance })?;
        }
        for Visit { customer, events } in &scenario.visits {
            list.serialize_element(&CustomerFile {
                id: *customer,
                r#type: "customer",
                guarantees: scenario.settings.customer_guarantees.get(customer).copied(),
                events: Events(events),
            })?;
        }
        list.end()
    }
}

#[derive(Serialize)]
struct BranchFile {
    id: BranchId,
    r#type: &'static str,
    balance: Cash,
}

#[derive(Serialize)]
struct CustomerFile<'s> {
    id: CustomerId,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    guarantees: Option<Guarantees>,
    events: Events<'s>,
}

struct Events<'s>(&'s [Event]);

impl Serialize for Events<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(EventFile::from))
    }
}

#[derive(Serialize)]
struct EventFile {
    id: EventId,
    interface: Interface,
    dest: BranchId,
    #[serde(skip_serializing_if = "Option::is_none")]
    money: Option<Cash>,
}

impl From<&Event> for EventFile {
    fn from(&Event { id, branch, operation }: &Event) -> Self {
        let money = match operation {
            Operation::Write(write) => Some(Cash(write.amount.money())),
            Operation::Query => None,
        };
        Self { id, interface: operation.interface(), dest: branch, money }
    }
}

/// Money as a decimal number.
struct Cash(Money);

impl Serialize for Cash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.decimal().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Source;

    fn parse(text: &str) -> Scenario {
        let source = Source::from_bytes("test.json", text.into()).unwrap();
        Scenario::parse(&source).unwrap()
    }

    #[test]
    fn a_scenario_is_written_as_people_write_it() {
        let text = concat!(
            r#"{"name":"all of it","seed":7,"propagation":"async","guarantees":"ryw,mw","#,
            r#""latency":"uniform:1ms..50ms","#,
            r#""links":[{"from":2,"to":1,"latency":"constant:1h"}],"wait_limit":"2s","#,
            r#""overdraft":"reject","customers":"concurrent","queries":"after-settling","event_ids":"as-written","#,
            r#""processes":[{"id":1,"type":"branch","balance":0.5},"#,
            r#"{"id":2,"type":"branch","balance":0.5},"#,
            r#"{"id":3,"type":"customer","guarantees":"none","events":["#,
            r#"{"id":1,"interface":"deposit","dest":2,"money":400},"#,
            r#"{"id":5,"interface":"withdraw","dest":1,"money":92233720368547758.07},"#,
            r#"{"id":5,"interface":"query","dest":1}]},"#,
            r#"{"id":3,"type":"customer","guarantees":"none","events":[]}],"#,
            r#""expected":[{"id":3,"balance":-7}]}"#
        );
        assert_eq!(serde_json::to_string(&parse(text)).unwrap(), text);
    }

    #[test]
    fn what_is_written_is_read_as_the_same_scenario() {
        for text in [
            include_str!("../../../input/monotonic_writes.json"),
            include_str!("../../../input/dialects/own_format.json"),
            include_str!("../../../input/guarantees/read_your_writes_lag.json"),
        ] {
            let scenario = parse(text);
            assert_eq!(parse(&serde_json::to_string(&scenario).unwrap()), scenario);
        }
    }
}
