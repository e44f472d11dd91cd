//! A scenario as text, in passbook's own format. What is written here is read back as the same
//! scenario; its warnings are of another text and left out.

use std::iter;
use std::time::Duration;

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use super::file::{EventFile, LinkFile, ProcessFile, ResultFile, RowFile, ScenarioFile};
use super::list::List;
use super::value::{AnyCase, Ending, Field, ProcessType, Quotable, Remark, Seen};
use super::weather_file::{FaultFile, NemesisFile, RatesFile};
use super::weather_value::LongSpan;
use crate::model::Operation;
use crate::network::{Latency, Link};
use crate::scenario::{Event, EventOutcome, EventResult, EventsRow, Output, Scenario, Visit};

impl Serialize for Scenario {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let settings = &self.settings;
        let link = |(&Link { from, to }, &latency): (&Link, &Latency)| {
            (0, LinkFile { from: Field::Is(from), to: Field::Is(to), latency: Field::Is(latency) })
        };
        let links: Vec<_> = settings.links.iter().map(link).collect();
        let foul_weather = settings.foul_weather.as_deref();
        let nemesis = foul_weather.and_then(|said| NemesisFile::of(&said.nemesis));
        let rates = foul_weather.and_then(|said| said.rates.as_ref());
        let scheduled = foul_weather.iter().flat_map(|said| &said.schedule);
        let faults: Vec<_> = scheduled.map(|fault| (0, FaultFile::from(fault))).collect();
        let file = ScenarioFile {
            schema: Field::Absent,
            name: Field::Is(self.name.clone()),
            description: self.description.as_deref().map(|text| Remark(text.to_owned())).into(),
            seed: settings.seed.into(),
            propagation: settings.propagation.into(),
            guarantees: settings.guarantees.into(),
            latency: settings.latency.into(),
            links: Some(List(links)).filter(|List(links)| !links.is_empty()),
            rates: rates.map(|rates| Box::new(RatesFile::from(rates).into())),
            nemesis: nemesis.map(|nemesis| Box::new(nemesis.into())),
            faults: Some(List(faults)).filter(|List(faults)| !faults.is_empty()),
            think: foul_weather.and_then(|said| said.think).into(),
            settle_limit: foul_weather.and_then(|said| said.settle_limit).into(),
            wait_limit: settings.wait_limit.into(),
            overdraft: settings.overdraft.into(),
            durability: settings.durability.into(),
            customers: settings.customers.into(),
            queries: settings.queries.into(),
            event_ids: settings.event_ids.into(),
            processes: Processes(self),
            expected: self.expected.as_ref(),
        };
        file.serialize(serializer)
    }
}

/// The branches and then the visits.
struct Processes<'s>(&'s Scenario);

impl Serialize for Processes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(scenario) = self;
        let process = |id, kind| ProcessFile {
            id: Field::Is(id),
            r#type: Field::Is(kind),
            balance: Field::Absent,
            guarantees: Field::Absent,
            events: None,
            customer_requests: None,
        };
        let branches = scenario.roster.ids();
        let mut list = serializer.serialize_seq(Some(branches.len() + scenario.visits.len()))?;
        for id in branches {
            let balance = Field::Is(Quotable::plain(scenario.opening_balance));
            let branch = process(id.get(), ProcessType::Branch);
            list.serialize_element(&ProcessFile { balance, ..branch })?;
        }
        for Visit { customer, events, after } in &scenario.visits {
            let guarantees = scenario.settings.customer_guarantees.get(customer).copied().into();
            let visit = process(customer.get(), ProcessType::Customer);
            let events = Some(Events(events, after));
            list.serialize_element(&ProcessFile { guarantees, events, ..visit })?;
        }
        list.end()
    }
}

/// Events, and how long the customer waits before each.
struct Events<'s>(&'s [Event], &'s [Option<Duration>]);

impl Serialize for Events<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(events, after) = self;
        let after = after.iter().copied().chain(iter::repeat(None));
        let events = events.iter().zip(after);
        serializer.collect_seq(events.map(|(&Event { id, branch, operation }, after)| EventFile {
            id: Field::Is(id),
            customer_request_id: Field::Absent,
            interface: Field::Is(operation.interface()),
            dest: Field::Is(branch),
            branch: Field::Absent,
            money: match operation {
                Operation::Write(write) => Field::Is(Quotable::plain(write.amount)),
                Operation::Query => Field::Absent,
            },
            after: after.map(LongSpan).into(),
        }))
    }
}

impl Serialize for Output {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Balances(rows) => rows.serialize(serializer),
            Self::Events(rows) | Self::Customers(rows) => rows.serialize(serializer),
            Self::Classic(rows) => serializer.collect_seq(rows.iter().map(|row| {
                let classic = row.recv.iter().map(classic);
                events_row(row, classic.collect::<Vec<_>>())
            })),
        }
    }
}

impl Serialize for EventsRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        events_row(self, &self.recv).serialize(serializer)
    }
}

fn events_row<R>(row: &EventsRow, recv: R) -> RowFile<R> {
    let id = Field::Is(Quotable::plain(row.id));
    RowFile { id, balance: Field::Absent, money: Field::Absent, recv: Some(Box::new(recv)) }
}

impl Serialize for EventResult {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        result(self).serialize(serializer)
    }
}

/// What became of `event`, as dialects `events` and `customers` have it.
fn result(event: &EventResult) -> ResultFile {
    let told = event.told;
    let (result, balance) = match told {
        EventOutcome::Balance(balance) => {
            (Field::Absent, Field::Is(Seen::Balance(Quotable::plain(balance))))
        }
        EventOutcome::Success
        | EventOutcome::Fail
        | EventOutcome::Unknown
        | EventOutcome::Nothing => {
            (Field::Is(Ending { told, is_other_word: false, is_odd_case: false }), Field::Absent)
        }
    };
    ResultFile {
        interface: Field::Is(AnyCase { value: event.interface, is_odd: false }),
        branch: event.branch.map(Quotable::plain).into(),
        result,
        balance,
        money: Field::Absent,
        id: Field::Absent,
    }
}

/// The same as dialect `classic` has it.
fn classic(event: &EventResult) -> ResultFile {
    let seen = result(&EventResult { branch: None, ..*event });
    if seen.balance.is_absent() {
        return seen;
    }
    let done = result(&EventResult { told: EventOutcome::Success, branch: None, ..*event });
    ResultFile { money: seen.balance, ..done }
}

#[cfg(test)]
mod tests {
    use super::super::locate::Node;
    use super::super::reading::Reading;
    use super::super::written::Written;
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
            let written = serde_json::to_string(&scenario).unwrap();
            assert_eq!(parse(&written), scenario);
            // In one pass, without places.
            let read: Option<ScenarioFile<List<ProcessFile>, Written<'_>>> =
                Reading::quick().read(Node::root(&written));
            assert!(read.is_some(), "{written}");
        }
    }
}
