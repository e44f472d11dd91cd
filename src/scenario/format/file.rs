//! A scenario as it is written: what is read, what is written, and what the schema describes. What
//! it says is checked elsewhere.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::list::{Entry, List};
use super::value::{AnyCase, Anything, Ending, Field, ProcessType, Quotable, Remark, Seen, Value};
use super::weather_file::{FaultFile, NemesisFile, RatesFile};
use super::weather_value::LongSpan;
use crate::model::{
    Amount, BranchId, CustomerId, CustomerOrder, Durability, EventId, EventIds, Guarantees, Money,
    OperationKind, Overdraft, Propagation, QueryTiming, Seed,
};
use crate::network::Latency;

/// A bank, its customers, how to run it, and what must come of it; or the bank and its customers
/// alone.
#[derive(Debug, JsonSchema)]
#[schemars(title = "passbook scenario", untagged)]
pub(super) enum Document<P, X> {
    Classic(#[schemars(extend("minItems" = 1))] P),
    Own(Box<ScenarioFile<P, X>>),
}

/// A scenario: a bank, its customers, how to run it, and what must come of it.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(
    rename = "a scenario",
    deny_unknown_fields,
    bound(deserialize = "P: Deserialize<'de>, X: Deserialize<'de>")
)]
#[schemars(rename = "ScenarioFile")]
pub(super) struct ScenarioFile<P, X> {
    /// Where this schema is, for editors. Ignored.
    #[serde(rename = "$schema", default, skip_serializing_if = "Field::is_absent")]
    pub(super) schema: Field<Remark>,
    /// What the scenario is called. Left out: the file's name without `.json`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) name: Field<String>,
    /// A remark. Ignored.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) description: Field<Remark>,
    /// What the run draws its chances from.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) seed: Field<Seed>,
    /// How a write reaches the other branches. Left out: `sync`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) propagation: Field<Propagation>,
    /// What every customer is promised, where its own entry says nothing else. Left out: `all`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) guarantees: Field<Guarantees>,
    /// How long messages between branches take, where `links` says nothing else. Left out:
    /// `none`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) latency: Field<Latency>,
    /// Links where messages take another time. A link is one direction.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "List<LinkFile>")]
    pub(super) links: Option<List<LinkFile>>,
    /// What may happen to any message between branches, and how often.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "RatesFile")]
    pub(super) rates: Option<Box<Entry<RatesFile>>>,
    /// What happens to branches and the ways between them by chance.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "NemesisFile")]
    pub(super) nemesis: Option<Box<Entry<NemesisFile>>>,
    /// What goes wrong at a moment, or to one message.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "List<FaultFile>")]
    pub(super) faults: Option<List<FaultFile>>,
    /// How long a customer waits before each of its events, where `after` says nothing else. Left
    /// out: `none`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) think: Field<Latency>,
    /// How long the bank may take to settle when nothing goes wrong any more. Left out: `1min`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) settle_limit: Field<Duration>,
    /// How long a request waits for what its customer is promised, before it fails. Left out:
    /// `10s`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) wait_limit: Field<Duration>,
    /// What becomes of a withdrawal that the balance does not cover. Left out: `allow`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) overdraft: Field<Overdraft>,
    /// Whether branches have a disk: what rests on a write is said when it is on that, and a crash
    /// keeps all that was said. Left out: `memory`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) durability: Field<Durability>,
    /// Whether the visits are made one after the other or the customers all come at once. Left
    /// out: `in-order`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) customers: Field<CustomerOrder>,
    /// When a query is sent: in its place, or in its place but only when all propagation has
    /// settled. Left out: `in-place`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) queries: Field<QueryTiming>,
    /// What becomes of the ids of a customer's events. `renumber`: where those of its writes do not
    /// rise, all are numbered from 1. `as-written`: they stay; a write that repeats one is a retry,
    /// and one with a lower id or other content is refused. Left out: `renumber`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) event_ids: Field<EventIds>,
    /// The branches and the customers' visits, in any order. This array alone is a scenario too.
    #[schemars(extend("minItems" = 1))]
    pub(super) processes: P,
    /// What the customers must see, in one of the output dialects.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "X")]
    pub(super) expected: Option<X>,
}

/// A branch of the bank, or a customer's visit. The same customer may have several; they are made
/// in this order.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a process", deny_unknown_fields, bound(deserialize = "E: Deserialize<'de>"))]
#[schemars(rename = "ProcessFile", extend("required" = ["id", "type"], "oneOf" = [
    {
        "properties": {
            "type": {"enum": ["branch", "bank"]},
            "guarantees": false, "events": false, "customer-requests": false
        },
        "required": ["balance"]
    },
    {
        "properties": {"type": {"enum": ["customer", "client"]}, "balance": false},
        "oneOf": [{"required": ["events"]}, {"required": ["customer-requests"]}]
    }
]))]
pub(super) struct ProcessFile<E = List<EventFile>> {
    #[serde(default)]
    pub(super) id: Field<u32>,
    pub(super) r#type: Field<ProcessType>,
    /// What a branch holds at the start, the same at all of them: at most two decimals.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(extend("minimum" = 0))]
    pub(super) balance: Field<Quotable<Money>>,
    /// What this customer is promised, on all its visits. Left out: as the scenario says.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) guarantees: Field<Guarantees>,
    /// What the customer asks, in order.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "E")]
    pub(super) events: Option<E>,
    /// The same as `events`.
    #[serde(
        rename = "customer-requests",
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "E")]
    pub(super) customer_requests: Option<E>,
}

/// One thing that a customer asks of a branch.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "an event", deny_unknown_fields)]
#[schemars(rename = "EventFile", extend(
    "if" = {"properties": {"interface": {"const": "query"}}},
    "else" = {"required": ["money"], "properties": {"money": Quotable::<Amount>::schema()}},
    "allOf" = [
        {"not": {"required": ["id", "customer-request-id"]}},
        {"not": {"required": ["dest", "branch"]}}
    ]
))]
pub(super) struct EventFile {
    /// Names the event. Left out: one more than the customer's highest so far, 1 at first.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) id: Field<EventId>,
    /// The same as `id`.
    #[serde(rename = "customer-request-id", default, skip_serializing_if = "Field::is_absent")]
    pub(super) customer_request_id: Field<EventId>,
    pub(super) interface: Field<OperationKind>,
    /// The branch to ask. Left out: the branch with the customer's own id.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) dest: Field<BranchId>,
    /// The same as `dest`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) branch: Field<BranchId>,
    /// What a deposit or withdrawal moves: more than 0, at most two decimals, no exponent. On a
    /// query it is ignored, whatever it is.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(with = "serde_json::Value")]
    pub(super) money: Field<Quotable<Amount>>,
    /// How long the customer waits before it asks. Left out: as `think` says.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) after: Field<LongSpan>,
}

/// How long messages take from one branch to another, in this direction.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a link", deny_unknown_fields)]
#[schemars(rename = "LinkFile")]
pub(super) struct LinkFile {
    pub(super) from: Field<BranchId>,
    pub(super) to: Field<BranchId>,
    pub(super) latency: Field<Latency>,
}

/// A customer, and its balance (dialect `balances`) or what became of its events (the others).
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(
    rename = "a row of an expected result",
    deny_unknown_fields,
    bound(deserialize = "R: Deserialize<'de>")
)]
#[schemars(rename = "RowFile", extend("oneOf" = [
    {"anyOf": [{"required": ["balance"]}, {"required": ["money"]}]}, {"required": ["recv"]}
]))]
pub(super) struct RowFile<R = List<ResultFile>> {
    pub(super) id: Field<Quotable<CustomerId>>,
    /// The balance in the last answer that the customer got.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) balance: Field<Seen>,
    /// The same as `balance`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) money: Field<Seen>,
    /// What became of its events: of one in dialect `events`, of all of a visit in the others.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "R")]
    pub(super) recv: Option<Box<R>>,
}

/// What became of one event: `balance` for a query, `result` for a write; in dialect `classic`
/// `result` for both, and `money` for the balance of a query. Each has `branch` in dialect `events`
/// alone.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "the result of an event", deny_unknown_fields)]
#[schemars(rename = "ResultFile", extend("anyOf" = [
    {"required": ["balance"]}, {"required": ["money"]}, {"required": ["result"]}
]))]
pub(super) struct ResultFile {
    pub(super) interface: Field<AnyCase<OperationKind>>,
    /// The branch that was asked.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) branch: Field<Quotable<BranchId>>,
    /// How a write ended.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) result: Field<Ending>,
    /// What a query saw.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) balance: Field<Seen>,
    /// The same as `balance`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) money: Field<Seen>,
    /// Not compared.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) id: Field<Anything>,
}

/// A value that is there: `null` is one too, and not the lack of one.
fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}
