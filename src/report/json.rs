//! The full report as one line of JSON. Amounts are exact decimals.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::{Serialize, Serializer};

use super::arrival::{Arrival, Arrivals, Holding, money};
use super::broken::BrokenSteps;
use super::trace::RequestKey;
use super::weather::Weather;
use super::{Assessment, Difference};
use crate::check::Verdicts;
use crate::model::number::micros;
use crate::model::{
    BranchId, CustomerId, CustomerOrder, Decimal, Dialect, EventId, EventIds, Guarantees, Lag,
    OperationKind, OutcomeClass, Overdraft, Propagation, QueryTiming, Receipt, RequestError, Seed,
    Time,
};
use crate::run::{
    BranchResult, ConnectedBank, CustomerResult, RequestCounts, RequestResult, RunConfig, RunResult,
};
use crate::scenario::{Level, Output, WrittenIds};

/// The format of the reports that are made here.
pub(super) const FORMAT: u64 = 1;

/// Writes the full report of `result` as one line.
pub fn write(out: &mut dyn Write, result: &RunResult, assessment: &Assessment) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Report::of(result, assessment))?;
    writeln!(out)
}

#[derive(Serialize)]
struct Report<'a> {
    /// Raised whenever a reader of the old shape would misread the new one.
    format: u64,
    scenario: &'a str,
    seed: Option<Seed>,
    passbook: &'static str,
    config: Config<'a>,
    opening_balance: Decimal,
    counts: Counts,
    balances: Output,
    branches: Branches<'a>,
    customers: Vec<Customer<'a>>,
    /// `null` where a branch does not say how it stands.
    branches_agree: Option<bool>,
    ended_us: Time,
    /// Whether every write is everywhere; `null` where the branches run elsewhere and cannot tell.
    settled: Option<bool>,
    /// What went wrong on purpose, where anything was to.
    #[serde(skip_serializing_if = "Option::is_none")]
    faults: Option<Weather<'a>>,
    verdicts: Option<&'a Verdicts>,
    expected: Option<Expected<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    notes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote: Option<Vec<RemoteBranch<'a>>>,
}

#[derive(Serialize)]
struct RemoteBranch<'a> {
    id: BranchId,
    address: &'a str,
    /// Why it does not say how it stands at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    silent: Option<&'a str>,
}

/// Of branches that run elsewhere most of it is not known.
#[derive(Default, Serialize)]
struct Config<'a> {
    propagation: Option<Propagation>,
    guarantees: Option<Guarantees>,
    #[serde(skip_serializing_if = "says_nothing")]
    customer_guarantees: Option<&'a BTreeMap<CustomerId, Guarantees>>,
    overdraft: Option<Overdraft>,
    customers: CustomerOrder,
    queries: QueryTiming,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_ids: Option<EventIds>,
    latency: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<LinkLatency>,
    wait_limit_us: Option<u64>,
    /// What was to go wrong, and how customers paused, where anything is said of it.
    #[serde(flatten)]
    weather: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct LinkLatency {
    from: BranchId,
    to: BranchId,
    latency: String,
}

#[derive(Serialize)]
struct Counts {
    branches: usize,
    customers: usize,
    events: u64,
    writes: u64,
    queries: u64,
    ok: u64,
    refused: u64,
    unknown: u64,
}

#[derive(Serialize)]
struct Expected<'a> {
    met: bool,
    differences: &'a [Difference],
}

#[derive(Serialize)]
struct Customer<'a> {
    id: CustomerId,
    events: Vec<Event<'a>>,
}

#[derive(Serialize)]
struct Event<'a> {
    event_id: EventId,
    /// The id in the input, where the event bears another now.
    #[serde(skip_serializing_if = "Option::is_none")]
    written_id: Option<EventId>,
    interface: OperationKind,
    branch: BranchId,
    #[serde(skip_serializing_if = "Option::is_none")]
    money: Option<Decimal>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason<'a>>,
    /// The guarantees that this step broke.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    violates: Vec<&'static str>,
    /// From the customer's asking to the answer's arrival.
    took_us: u64,
    /// How much of that the branch waited for writes that the customer's passbook asks for.
    waited_us: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    waited_for: Option<&'a [Lag]>,
}

/// Why a request was not done, in the words of the error.
struct Reason<'a>(&'a RequestError);

/// The branches, each put together only while it is written: a large bank holds every event at
/// every branch.
struct Branches<'a> {
    branches: &'a [BranchResult],
    arrivals: Arrivals<'a>,
}

#[derive(Serialize)]
struct Branch<'a> {
    id: BranchId,
    balance: Decimal,
    write_sets: BTreeMap<CustomerId, Vec<EventId>>,
    events: BTreeMap<CustomerId, Vec<Arrival<'a>>>,
}

impl<'a> Report<'a> {
    fn of(result: &'a RunResult, assessment: &'a Assessment) -> Self {
        let expected = assessment.differences.as_deref();
        let broken = BrokenSteps::of(assessment);
        let is_ours = result.remote.is_none();
        let all_tell = result.remote.as_ref().is_none_or(|remote| remote.silent.is_empty());
        let remarks = |level| {
            let of_level = result.warnings.iter().filter(move |warning| warning.level == level);
            of_level.map(|warning| warning.message.clone())
        };
        let on_the_run = assessment.notes.iter().map(ToString::to_string);
        Self {
            format: FORMAT,
            scenario: &result.scenario,
            seed: is_ours.then_some(result.config.seed),
            passbook: env!("CARGO_PKG_VERSION"),
            config: if is_ours {
                Config::of(&result.config)
            } else {
                Config::of_customers(&result.config)
            },
            opening_balance: result.opening_balance.decimal(),
            counts: Counts::of(result),
            balances: result.output(Dialect::Balances),
            branches: Branches { branches: &result.branches, arrivals: Arrivals::of(result) },
            customers: result
                .customers
                .iter()
                .map(|of| Customer::of(of, &broken, &result.written_ids))
                .collect(),
            branches_agree: all_tell.then(|| assessment.agreement.is_whole()),
            ended_us: result.ended,
            settled: is_ours.then(|| result.has_settled()),
            faults: Weather::of(result),
            verdicts: assessment.verdicts.as_deref(),
            expected: expected
                .map(|differences| Expected { met: differences.is_empty(), differences }),
            warnings: remarks(Level::Warning).collect(),
            notes: remarks(Level::Note).chain(on_the_run).collect(),
            remote: result.remote.as_ref().map(RemoteBranch::all),
        }
    }
}

impl<'a> Config<'a> {
    fn of(config: &'a RunConfig) -> Self {
        let links = config.latencies.links.iter().map(|(link, latency)| LinkLatency {
            from: link.from,
            to: link.to,
            latency: latency.to_string(),
        });
        Self {
            propagation: Some(config.propagation),
            guarantees: Some(config.guarantees.all),
            customer_guarantees: Some(&config.guarantees.single),
            overdraft: Some(config.overdraft),
            latency: Some(config.latencies.default.to_string()),
            links: links.collect(),
            wait_limit_us: Some(micros(config.wait_limit)),
            weather: config.weather_in_words(),
            ..Self::of_customers(config)
        }
    }

    /// What is of the customers alone.
    fn of_customers(config: &RunConfig) -> Self {
        Self {
            customers: config.customers,
            queries: config.queries,
            event_ids: Some(config.event_ids).filter(|ids| *ids != EventIds::default()),
            ..Self::default()
        }
    }
}

fn says_nothing(guarantees: &Option<&BTreeMap<CustomerId, Guarantees>>) -> bool {
    guarantees.is_none_or(BTreeMap::is_empty)
}

impl<'a> RemoteBranch<'a> {
    fn all(remote: &'a ConnectedBank) -> Vec<Self> {
        let ConnectedBank { addresses, silent, .. } = remote;
        let of = |(&id, address): (&BranchId, &'a String)| {
            let silent = silent.get(&id).map(String::as_str);
            Self { id, address, silent }
        };
        addresses.iter().map(of).collect()
    }
}

impl Counts {
    fn of(result: &RunResult) -> Self {
        let requests = RequestCounts::of(&result.customers);
        let (writes, queries) = (requests.writes.total(), requests.queries.total());
        Self {
            branches: result.branches.len(),
            customers: result.customers.len(),
            events: writes + queries,
            writes,
            queries,
            ok: requests.writes.ok + requests.queries.ok,
            refused: requests.refused(),
            unknown: requests.unknown(),
        }
    }
}

impl<'a> Customer<'a> {
    fn of(customer: &'a CustomerResult, broken: &BrokenSteps, written_ids: &WrittenIds) -> Self {
        let event = |request: &'a RequestResult| {
            let key = RequestKey { customer: customer.id, number: request.number };
            let violates = broken.at(key).map(|(property, _)| property.word()).collect();
            let written_id = written_ids.of(customer.id, request.number);
            let written_id = written_id.filter(|id| *id != request.event);
            Event { violates, written_id, ..Event::of(request) }
        };
        Self { id: customer.id, events: customer.requests.iter().map(event).collect() }
    }
}

impl<'a> Event<'a> {
    fn of(request: &'a RequestResult) -> Self {
        let balance = match request.outcome {
            Ok(Receipt::Balance(balance)) => Some(balance.decimal()),
            Ok(Receipt::Written) | Err(_) => None,
        };
        Self {
            event_id: request.event,
            written_id: None,
            interface: request.operation.interface(),
            branch: request.branch,
            money: money(request.operation),
            outcome: OutcomeClass::of(&request.outcome).word(),
            balance,
            reason: request.outcome.as_ref().err().map(Reason),
            violates: Vec::new(),
            took_us: micros(request.took),
            waited_us: request.waited.as_ref().map_or(0, |waited| micros(waited.span)),
            waited_for: request.waited.as_ref().map(|waited| waited.lags.as_slice()),
        }
    }
}

impl Serialize for Reason<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            RequestError::Refused(refusal) => serializer.collect_str(refusal),
            error @ (RequestError::OutcomeUnknown { .. }
            | RequestError::VersionNotReached { .. }
            | RequestError::WritesLost { .. }
            | RequestError::Returning { .. }
            | RequestError::Unavailable { .. }
            | RequestError::Full { .. }
            | RequestError::NoAnswer { .. }
            | RequestError::Declined { .. }) => serializer.collect_str(error),
        }
    }
}

impl Serialize for Branches<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.branches.iter().map(|branch| {
            let holdings = self.arrivals.at(branch).into_iter();
            let (write_sets, events) = holdings
                .map(|(id, Holding { write_set, arrivals })| ((id, write_set), (id, arrivals)))
                .unzip();
            Branch { id: branch.id, balance: branch.balance.decimal(), write_sets, events }
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::LogPosition;
    use crate::report::fixture::{Bank, customer, event, money};
    use crate::scenario::BalanceRow;

    fn report_of(result: &RunResult) -> Value {
        let mut out = Vec::new();
        write(&mut out, result, &Assessment::of(result)).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.find('\n'), Some(text.len() - 1), "one line");
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn the_whole_report_of_a_classic_scenario() {
        let bank = Bank::new("read_your_writes", 2).deposit(1, 1, 400, 1).query(1, 2, 2);
        let writes = json!({"1": [1]});
        let deposit = json!({"event_id": 1, "interface": "deposit", "money": 400});
        let query = json!({"event_id": 2, "interface": "query"});
        let expected = json!({
            "format": 1,
            "scenario": "read_your_writes",
            "seed": 0,
            "passbook": env!("CARGO_PKG_VERSION"),
            "config": {
                "propagation": "sync",
                "guarantees": "all",
                "overdraft": "allow",
                "customers": "in-order",
                "queries": "in-place",
                "latency": "none",
                "wait_limit_us": 10_000_000,
            },
            "opening_balance": 0,
            "counts": {
                "branches": 2, "customers": 1, "events": 2, "writes": 1, "queries": 1,
                "ok": 2, "refused": 0, "unknown": 0,
            },
            "balances": [{"id": 1, "balance": 400}],
            "branches": [
                {"id": 1, "balance": 400, "write_sets": writes, "events": {"1": [deposit]}},
                {"id": 2, "balance": 400, "write_sets": writes, "events": {"1": [deposit, query]}},
            ],
            "customers": [{"id": 1, "events": [
                {"event_id": 1, "interface": "deposit", "branch": 1, "money": 400, "outcome": "ok",
                    "took_us": 0, "waited_us": 0},
                {"event_id": 2, "interface": "query", "branch": 2, "outcome": "ok", "balance": 400,
                    "took_us": 0, "waited_us": 0},
            ]}],
            "branches_agree": true,
            "ended_us": 0,
            "settled": true,
            "verdicts": null,
            "expected": null,
            "notes": [],
        });
        assert_eq!(report_of(&bank.run().result), expected);
    }

    #[test]
    fn what_was_not_done_says_why() {
        let bank = Bank::new("a", 2).refuse(1, 1, 9, 1).unconfirmed(1, 2, 5, 1);
        assert_eq!(
            report_of(&bank.run().result)["customers"][0]["events"],
            json!([
                {
                    "event_id": 1, "interface": "withdraw", "branch": 1, "money": 9,
                    "outcome": "refused",
                    "reason": "insufficient funds: the balance is 0, 9 was requested",
                    "took_us": 0, "waited_us": 0,
                },
                {
                    "event_id": 2, "interface": "deposit", "branch": 1, "money": 5,
                    "outcome": "unknown",
                    "reason": "outcome unknown: not confirmed in time by branch 2",
                    "took_us": 0, "waited_us": 0,
                },
            ])
        );
    }

    #[test]
    fn differences_from_the_expected_result_are_listed() {
        let row = |id, units| BalanceRow { id: customer(id), balance: Some(money(units)) };
        let expected = Output::Balances(vec![row(1, 7), row(2, 0)]);
        let bank = Bank::new("a", 2).deposit(1, 1, 5, 1).expect(expected);
        assert_eq!(
            report_of(&bank.run().result)["expected"],
            json!({"met": false, "differences": [
                {"customer": 1, "expected": 7, "got": 5},
                {"customer": 2, "expected": 0, "got": null},
            ]})
        );
    }

    /// A step that looks through all events for each event would take minutes here.
    #[test]
    fn a_hundred_thousand_events_at_ten_branches_are_put_together_in_time() {
        let mut result = Bank::new("large", 10).deposit(1, 1, 1, 1).query(1, 2, 2).run().result;
        let pair = result.customers[0].requests.clone();
        let first_writes: Vec<_> = result.branches.iter().map(|branch| branch.log[0]).collect();
        for number in 1..50_000 {
            for (branch, mut write) in result.branches.iter_mut().zip(first_writes.clone()) {
                write.id.event = event(number * 2 + 1);
                std::sync::Arc::make_mut(&mut branch.log).push(write);
            }
            let mut pair = pair.clone();
            pair[0].event = event(number * 2 + 1);
            pair[1].event = event(number * 2 + 2);
            pair[1].position = LogPosition::new(u64::try_from(number + 1).unwrap());
            result.customers[0].requests.extend(pair);
        }
        let report = report_of(&result);
        let arrived = |place: usize| report["branches"][place]["events"]["1"].as_array().unwrap();
        assert_eq!([arrived(0).len(), arrived(1).len()], [50_000, 100_000]);
        assert_eq!(arrived(1)[99_999], json!({"event_id": 100_000, "interface": "query"}));
    }
}
