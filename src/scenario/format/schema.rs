//! The JSON Schema of passbook's own object format, from types that mirror what the reader takes.
//!
//! The reader works on the text itself, for the sake of places; a test below holds its keys and
//! words against these types.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::Value;

/// The JSON Schema of a scenario object, every dialect of `processes` included.
pub fn schema() -> Schema {
    SchemaSettings::default()
        .with_transform(WithoutNull)
        .into_generator()
        .into_root_schema_for::<as_written::ScenarioFile>()
}

/// What may be left out must not be `null`, which schemars lets an `Option` be.
#[derive(Debug, Clone)]
struct WithoutNull;

impl Transform for WithoutNull {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        if let Some(Value::Array(types)) = schema.get_mut("type") {
            types.retain(|name| name != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                schema.insert("type".to_owned(), only);
            }
        }
        let Some(Value::Array(choices)) = schema.get_mut("anyOf") else { return };
        choices.retain(|choice| choice["type"] != "null");
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            schema.remove("anyOf");
            for (key, value) in only {
                schema.insert(key, value);
            }
        }
    }
}

mod as_written {
    #![expect(dead_code, reason = "only their shape is used: the schema is made from it")]

    use schemars::JsonSchema;

    /// A scenario: a bank, its customers, how to run it, and what must come of it.
    #[derive(JsonSchema)]
    #[schemars(title = "passbook scenario", deny_unknown_fields)]
    pub(super) struct ScenarioFile {
        /// Where this schema is, for editors. Ignored.
        #[schemars(rename = "$schema")]
        schema: Option<String>,
        /// What the scenario is called. Left out: the file's name without `.json`.
        #[schemars(regex(pattern = r"\S"))]
        name: Option<String>,
        /// A remark. Ignored.
        description: Option<String>,
        /// The branches and the customers' visits, in any order. This array alone is a scenario too.
        #[schemars(length(min = 1))]
        processes: Vec<ProcessFile>,
        /// How a write reaches the other branches. Left out: `sync`.
        propagation: Option<PropagationWord>,
        /// What every customer is promised, where its own entry says nothing else. Left out: `all`.
        guarantees: Option<GuaranteesText>,
        /// How long messages between branches take, where `links` says nothing else. Left out:
        /// `none`.
        latency: Option<LatencyText>,
        /// Links where messages take another time. A link is one direction.
        links: Option<Vec<LinkFile>>,
        /// How long a request waits for what its customer is promised, before it fails. Left out:
        /// `10s`.
        wait_limit: Option<SpanText>,
        /// What becomes of a withdrawal that the balance does not cover. Left out: `allow`.
        overdraft: Option<OverdraftWord>,
        /// Whether the visits are made one after the other or the customers all come at once. Left
        /// out: `in-order`.
        customers: Option<CustomersWord>,
        /// When a query is sent: in its place, or in its place but only when all propagation has
        /// settled. Left out: `in-place`.
        queries: Option<QueriesWord>,
        /// What becomes of the ids of a customer's events. `renumber`: where those of its writes do not
        /// rise, all are numbered from 1. `as-written`: they stay; a write that repeats one is a retry,
        /// and one with a lower id or other content is refused. Left out: `renumber`.
        event_ids: Option<EventIdsWord>,
        /// What the run draws its chances from.
        seed: Option<u64>,
        /// What the customers must see, in one of the output dialects.
        expected: Option<ExpectedFile>,
    }

    /// A branch, or one visit of a customer.
    #[derive(JsonSchema)]
    #[schemars(untagged)]
    pub(super) enum ProcessFile {
        Branch(BranchFile),
        Customer(CustomerFile),
    }

    /// A branch of the bank.
    #[derive(JsonSchema)]
    #[schemars(deny_unknown_fields)]
    pub(super) struct BranchFile {
        r#type: BranchWord,
        id: Id,
        balance: OpeningBalance,
    }

    /// A customer's visit. The same customer may have several; they are made in this order. It has
    /// `events` or, meaning the same, `customer-requests`.
    #[derive(JsonSchema)]
    #[schemars(deny_unknown_fields, extend("oneOf" = [
        {"required": ["events"]}, {"required": ["customer-requests"]}
    ]))]
    pub(super) struct CustomerFile {
        r#type: CustomerWord,
        id: Id,
        /// What the customer asks, in order.
        #[schemars(default)]
        events: Vec<EventFile>,
        /// The same as `events`.
        #[schemars(default, rename = "customer-requests")]
        customer_requests: Vec<EventFile>,
        /// What this customer is promised, on all its visits. Left out: as the scenario says.
        guarantees: Option<GuaranteesText>,
    }

    /// One thing that a customer asks of a branch.
    #[derive(JsonSchema)]
    #[schemars(deny_unknown_fields, extend(
        "if" = {"properties": {"interface": {"const": "query"}}},
        "then" = {"properties": {"money": true}},
        "else" = {"required": ["money"], "properties": {"money": {"type": "number", "exclusiveMinimum": 0}}},
        "allOf" = [
            {"not": {"required": ["id", "customer-request-id"]}},
            {"not": {"required": ["dest", "branch"]}}
        ]
    ))]
    pub(super) struct EventFile {
        /// Names the event. Left out: one more than the customer's highest so far, 1 at first.
        id: Option<Id>,
        /// The same as `id`.
        #[schemars(rename = "customer-request-id")]
        customer_request_id: Option<Id>,
        interface: InterfaceWord,
        /// The branch to ask. Left out: the branch with the customer's own id.
        dest: Option<Id>,
        /// The same as `dest`.
        branch: Option<Id>,
        /// What a deposit or withdrawal moves: more than 0, at most two decimals, no exponent. On a
        /// query it is ignored, whatever it is.
        money: Option<serde_json::Value>,
    }

    /// How long messages take from one branch to another, in this direction.
    #[derive(JsonSchema)]
    #[schemars(deny_unknown_fields)]
    pub(super) struct LinkFile {
        from: Id,
        to: Id,
        latency: LatencyText,
    }

    /// Which of the four guarantees are kept: `all`, `none`, or some with commas between.
    #[derive(JsonSchema)]
    pub(super) struct GuaranteesText(
        #[schemars(regex(
            pattern = r"^(all|none|\s*(ryw|mr|mw|wfr)\s*(,\s*(ryw|mr|mw|wfr)\s*)*)$"
        ))]
        String,
    );

    /// `none`, `constant:20ms`, `uniform:1ms..50ms` or `exponential:10ms`.
    #[derive(JsonSchema)]
    pub(super) struct LatencyText(
        #[schemars(regex(
            pattern = r"^(none|(constant|exponential):\d+(us|µs|ms|s|min|h)|uniform:\d+(us|µs|ms|s|min|h)\.\.\d+(us|µs|ms|s|min|h))$"
        ))]
        String,
    );

    /// A span of time, up to 12 hours: `20ms`.
    #[derive(JsonSchema)]
    pub(super) struct SpanText(#[schemars(regex(pattern = r"^\d+(us|µs|ms|s|min|h)$"))] String);

    /// What the customers must see.
    #[derive(JsonSchema)]
    #[schemars(untagged)]
    pub(super) enum ExpectedFile {
        /// Dialect `balances`.
        Balances(Vec<BalanceRowFile>),
        /// Dialect `events` (each result with `branch`), `customers` (none with it) or `classic`
        /// (`result` on each, and `money` for a balance).
        Events(Vec<EventsRowFile>),
    }

    /// A customer and the balance in the last answer that it got.
    #[derive(JsonSchema)]
    #[schemars(deny_unknown_fields, extend("oneOf" = [
        {"required": ["balance"]}, {"required": ["money"]}
    ]))]
    pub(super) struct BalanceRowFile {
        id: Id,
        #[schemars(default)]
        balance: Balance,
        /// The same as `balance`.
        #[schemars(default)]
        money: Balance,
    }

    /// A customer and what became of its events.
    #[derive(JsonSchema)]
    #[schemars(deny_unknown_fields)]
    pub(super) struct EventsRowFile {
        id: Id,
        recv: Vec<EventResultFile>,
    }

    /// What became of one event: `balance` for a query, `result` for a write; in dialect `classic`
    /// `result` for both, and `money` for the balance of a query.
    #[derive(JsonSchema)]
    #[schemars(deny_unknown_fields, extend("anyOf" = [
        {"required": ["balance"]}, {"required": ["money"]}, {"required": ["result"]}
    ]))]
    pub(super) struct EventResultFile {
        /// Not compared.
        id: Option<Id>,
        interface: InterfaceWord,
        /// The branch that was asked.
        branch: Option<Id>,
        /// What a query saw.
        #[schemars(default)]
        balance: Balance,
        /// The same as `balance`.
        #[schemars(default)]
        money: Balance,
        /// How a write ended.
        result: Option<ResultWord>,
    }

    /// Names a branch, a customer or an event.
    #[derive(JsonSchema)]
    pub(super) struct Id(#[schemars(range(min = 1, max = 2_147_483_647))] u32);

    /// What a branch holds at the start, the same at all of them: at most two decimals.
    #[derive(JsonSchema)]
    pub(super) struct OpeningBalance(#[schemars(range(min = 0))] f64);

    /// A balance: at most two decimals, no exponent.
    #[derive(JsonSchema, Default)]
    pub(super) struct Balance(f64);

    macro_rules! words {
        ($($(#[$doc:meta])* $name:ident { $($word:ident),+ })+) => {$(
            $(#[$doc])*
            #[derive(JsonSchema)]
            #[schemars(rename_all = "kebab-case")]
            pub(super) enum $name { $($word),+ }
        )+};
    }

    words! {
        /// The type of a branch; both words mean the same.
        BranchWord { Branch, Bank }
        /// The type of a customer; both words mean the same.
        CustomerWord { Customer, Client }
        /// What is asked.
        InterfaceWord { Deposit, Withdraw, Query }
        /// How a write reaches the other branches.
        PropagationWord { Sync, Async }
        /// What becomes of a withdrawal that the balance does not cover.
        OverdraftWord { Allow, Reject }
        /// When customers make their visits.
        CustomersWord { InOrder, Concurrent }
        /// When a query is sent.
        QueriesWord { InPlace, AfterSettling }
        /// What becomes of event ids.
        EventIdsWord { Renumber, AsWritten }
        /// How a write ended.
        ResultWord { Success, Fail, Unknown }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::expected::{RESULT_KEYS, RESULTS, ROW_KEYS};
    use super::super::json::Keys;
    use super::super::network::LINK_KEYS;
    use super::super::process::{EVENT_KEYS, INTERFACES, PROCESS_KEYS, ROLES};
    use super::super::read::{
        CUSTOMER_ORDERS, EVENT_IDS, OVERDRAFTS, PROPAGATIONS, QUERY_TIMINGS, SCENARIO_KEYS,
    };
    use super::super::value::Words;
    use super::{Value, schema};

    fn schema_json() -> Value {
        schema().to_value()
    }

    /// The keys that the schema has for one sort of object, or for several that the reader takes
    /// as one.
    fn schema_keys(pointers: &[&str]) -> BTreeSet<String> {
        let schema = schema_json();
        let objects = pointers.iter().map(|pointer| schema.pointer(pointer).unwrap());
        objects
            .flat_map(|object| {
                assert_eq!(object["additionalProperties"], false, "{object}");
                object["properties"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
            })
            .collect()
    }

    fn check_keys<const N: usize>(keys: &Keys<N>, pointers: &[&str]) {
        let reader: BTreeSet<String> = keys.names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(schema_keys(pointers), reader);
    }

    fn check_words<T>(words: &Words<T>, names: &[&str]) {
        let schema = schema_json();
        let known = names.iter().flat_map(|name| {
            let words = &schema["$defs"][name]["enum"];
            words.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned())
        });
        let reader = words.choices.iter().map(|choice| choice.word.to_owned());
        assert_eq!(known.collect::<BTreeSet<_>>(), reader.collect::<BTreeSet<_>>(), "{names:?}");
    }

    #[test]
    fn the_schema_has_the_keys_that_the_reader_knows() {
        check_keys(&SCENARIO_KEYS, &[""]);
        check_keys(&PROCESS_KEYS, &["/$defs/BranchFile", "/$defs/CustomerFile"]);
        check_keys(&LINK_KEYS, &["/$defs/LinkFile"]);
        check_keys(&EVENT_KEYS, &["/$defs/EventFile"]);
        check_keys(&ROW_KEYS, &["/$defs/BalanceRowFile", "/$defs/EventsRowFile"]);
        check_keys(&RESULT_KEYS, &["/$defs/EventResultFile"]);
    }

    #[test]
    fn the_schema_has_the_words_that_the_reader_knows() {
        check_words(&ROLES, &["BranchWord", "CustomerWord"]);
        check_words(&INTERFACES, &["InterfaceWord"]);
        check_words(&PROPAGATIONS, &["PropagationWord"]);
        check_words(&OVERDRAFTS, &["OverdraftWord"]);
        check_words(&CUSTOMER_ORDERS, &["CustomersWord"]);
        check_words(&QUERY_TIMINGS, &["QueriesWord"]);
        check_words(&EVENT_IDS, &["EventIdsWord"]);
        check_words(&RESULTS, &["ResultWord"]);
    }

    #[test]
    fn nothing_in_the_schema_may_be_null() {
        assert!(!schema_json().to_string().contains("null"));
    }

    #[test]
    fn every_reference_of_the_schema_leads_somewhere() {
        let schema = schema_json();
        let text = schema.to_string();
        for part in text.split("\"$ref\":\"#").skip(1) {
            let pointer = part.split('"').next().unwrap();
            assert!(schema.pointer(pointer).is_some(), "{pointer}");
        }
    }

    #[test]
    fn the_schema_is_this() {
        let pretty = serde_json::to_string_pretty(&schema()).unwrap();
        insta::assert_snapshot!(pretty);
    }
}
