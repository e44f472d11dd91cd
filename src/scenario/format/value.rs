//! The single values of a file: how each is read, written, and described in the schema.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeOwned, Error as _, IntoDeserializer, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser};
use serde_json::value::RawValue;

use super::fault::{Checked, Fault};
use super::problem::{Excerpt, Kind, Problem};
use super::written::Written;
use crate::model::{
    Amount, BranchId, CustomerId, CustomerOrder, EventId, EventIds, Guarantee, Guarantees,
    GuaranteesError, IdError, Money, OperationKind, Overdraft, Propagation, QueryTiming, Seed,
};
use crate::network::{Latency, LatencyError, parse_span, show_span};
use crate::scenario::EventOutcome;

/// A value in a file. What is wrong with one is told once its place is known, by reading it again.
#[derive(Debug, Clone, Default)]
pub(super) enum Field<T> {
    /// It is left out.
    #[default]
    Absent,
    /// This.
    Is(T),
    /// Something else.
    Wrong,
}

impl<T> Field<T> {
    pub(super) const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl<T> From<Option<T>> for Field<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::Is)
    }
}

/// What can be the value of a field.
pub(super) trait Value: Sized {
    /// Its name in the schema.
    const NAME: &'static str;

    /// What `written` says; the fault has no place yet.
    fn read(written: Written<'_>) -> Checked<Self>;

    /// What is written for it.
    fn shown(&self) -> impl Serialize;

    /// What is allowed in its place.
    fn schema() -> Schema;
}

impl<'de, T: Value> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(Written::NAME, FieldVisitor(PhantomData))
    }
}

struct FieldVisitor<T>(PhantomData<T>);

impl<'de, T: Value> Visitor<'de> for FieldVisitor<T> {
    type Value = Field<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::NAME)
    }

    /// The way of `serde_json`: quickly, so that nothing else is read where one value is wrong.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, json: D) -> Result<Field<T>, D::Error> {
        let written = <&RawValue>::deserialize(json)?.get();
        T::read(Written(written)).map(Field::Is).map_err(D::Error::custom)
    }

    /// The way of the reader that knows places.
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Field<T>, E> {
        Ok(T::read(Written(text)).map_or(Field::Wrong, Field::Is))
    }
}

impl<T: Value> Serialize for Field<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Is(value) => value.shown().serialize(serializer),
            Self::Absent | Self::Wrong => {
                Err(ser::Error::custom("there is no value to be written"))
            }
        }
    }
}

impl<T: Value> JsonSchema for Field<T> {
    fn schema_name() -> Cow<'static, str> {
        T::NAME.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        T::schema()
    }
}

/// Of each type: its name in the schema and what is allowed, how it is read, and what is written.
macro_rules! values {
    ($($Type:ty = $name:literal $schema:expr,
        |$written:ident| $read:expr, |$value:ident| $shown:expr;)+) => {$(
        impl Value for $Type {
            const NAME: &'static str = $name;

            fn read($written: Written<'_>) -> Checked<Self> {
                $read
            }

            fn shown(&self) -> impl Serialize {
                let $value = self;
                $shown
            }

            fn schema() -> Schema {
                $schema
            }
        }
    )+};
}

values! {
    u32 = "Id" id_schema(), |written| id(written.number()?).map(CustomerId::get), |id| *id;
    BranchId = "Id" id_schema(), |written| id(written.number()?), |id| *id;
    EventId = "Id" id_schema(), |written| id(written.number()?), |id| *id;
    Quotable<CustomerId> = "QuotableId" or_quoted(id_schema(), r"\d+"),
        |written| quotable(written, id), |id| id.value;
    Quotable<BranchId> = "QuotableId" or_quoted(id_schema(), r"\d+"),
        |written| quotable(written, id), |id| id.value;
    Seed = "Seed" json_schema!({"type": "integer", "minimum": 0, "maximum": u64::MAX}),
        |written| seed(written.number()?), |seed| *seed;

    Quotable<Amount> = "Amount"
        or_quoted(json_schema!({"type": "number", "exclusiveMinimum": 0}), r"\d+(\.\d{1,2})?"),
        |written| quotable(written, amount), |amount| amount.value.money().decimal();
    Quotable<Money> = "Balance" balance_schema(),
        |written| quotable(written, balance), |balance| balance.value.decimal();
    Seen = "SeenBalance"
        json_schema!({
            "description": "What a customer was told; `null` if nothing.",
            "anyOf": [balance_schema(), {"type": "null"}]
        }),
        |written| match written.0 {
            "null" => Ok(Self::Nothing),
            _ => quotable(written, balance).map(Self::Balance),
        },
        |seen| match seen {
            Self::Balance(balance) => Some(balance.value.decimal()),
            Self::Nothing => None,
        };

    ProcessType = "ProcessType"
        choice::<Self>("A branch is a `branch` or `bank`, a customer a `customer` or `client`."),
        |written| word("type", &written.string()?), |word| *word;
    OperationKind = "Interface" choice::<Self>("What is asked."),
        |written| word("interface", &written.string()?), |word| *word;
    AnyCase<OperationKind> = "Interface" choice::<OperationKind>("What is asked."),
        |written| any_case("interface", &written.string()?), |word| word.value;
    Propagation = "Propagation" choice::<Self>("How a write reaches the other branches."),
        |written| word("propagation", &written.string()?), |word| *word;
    Overdraft = "Overdraft"
        choice::<Self>("What becomes of a withdrawal that the balance does not cover."),
        |written| word("overdraft policy", &written.string()?), |word| *word;
    CustomerOrder = "CustomerOrder" choice::<Self>("When customers make their visits."),
        |written| word("order of customers", &written.string()?), |word| *word;
    QueryTiming = "QueryTiming" choice::<Self>("When a query is sent."),
        |written| word("timing of queries", &written.string()?), |word| *word;
    EventIds = "EventIds" choice::<Self>("What becomes of event ids."),
        |written| word("choice of event ids", &written.string()?), |word| *word;
    Ending = "Result"
        json_schema!({
            "description": "How a write ended.",
            "enum": ["success", "fail", "unknown", "ok", "failed", "failure", true, false, null]
        }),
        |written| ending(written), |ending| ending.told.word();

    String = "Name" text("Not blank.", r"\S"),
        |written| match written.string()? {
            blank if blank.trim().is_empty() => Err(Fault::new(Problem::BlankName)),
            name => Ok(name.into_owned()),
        },
        |name| name.clone();
    Guarantees = "Guarantees"
        text(
            "Which of the four guarantees are kept: `all`, `none`, or some with commas between.",
            r"^(all|none|\s*(ryw|mr|mw|wfr)\s*(,\s*(ryw|mr|mw|wfr)\s*)*)$",
        ),
        |written| written.string()?.parse().map_err(|error| no_guarantees(&error)),
        |guarantees| *guarantees;
    Latency = "Latency"
        text(
            "`none`, `constant:20ms`, `uniform:1ms..50ms` or `exponential:10ms`.",
            r"^(none|(constant|exponential):\d+(us|µs|ms|s|min|h)|uniform:\d+(us|µs|ms|s|min|h)\.\.\d+(us|µs|ms|s|min|h))$",
        ),
        |written| written.string()?.parse().map_err(|error| no_latency(&error)),
        |latency| latency.to_string();
    Duration = "Span"
        text("A span of time, up to 12 hours: `20ms`.", r"^\d+(us|µs|ms|s|min|h)$"),
        |written| parse_span(&written.string()?).map_err(|error| no_latency(&error)),
        |span| show_span(*span);
    Remark = "Remark" json_schema!({"type": "string"}),
        |written| written.string().map(|text| Self(text.into_owned())), |remark| remark.0.clone();
    Anything = "Anything" json_schema!(true), |_written| Ok(Self), |_anything| ();
}

/// The type of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ProcessType {
    Branch,
    Bank,
    Customer,
    Client,
}

/// A number that may stand in quotes. Who takes it says so.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quotable<T> {
    pub(super) value: T,
    pub(super) is_quoted: bool,
}

impl<T> Quotable<T> {
    pub(super) const fn plain(value: T) -> Self {
        Self { value, is_quoted: false }
    }
}

/// What a customer saw.
#[derive(Debug, Clone, Copy)]
pub(super) enum Seen {
    Balance(Quotable<Money>),
    Nothing,
}

/// A word in any case.
#[derive(Debug, Clone, Copy)]
pub(super) struct AnyCase<T> {
    pub(super) value: T,
    pub(super) is_odd: bool,
}

/// How an event ended, as an expected result says it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ending {
    pub(super) told: EventOutcome,
    /// Another word for the same.
    pub(super) is_other_word: bool,
    pub(super) is_odd_case: bool,
}

/// A text for people, that nothing heeds.
#[derive(Debug, Clone)]
pub(super) struct Remark(pub(super) String);

/// Anything, which is not heeded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Anything;

fn id_schema() -> Schema {
    json_schema!({
        "description": "Names a branch, a customer or an event.",
        "type": "integer", "minimum": 1, "maximum": i32::MAX
    })
}

fn balance_schema() -> Schema {
    or_quoted(json_schema!({"type": "number"}), r"-?\d+(\.\d{1,2})?")
}

/// A number, or its digits in quotes.
fn or_quoted(number: Schema, digits: &str) -> Schema {
    json_schema!({"anyOf": [number, {"type": "string", "pattern": format!(r"^\s*{digits}\s*$")}]})
}

fn text(description: &str, pattern: &str) -> Schema {
    json_schema!({"description": description, "type": "string", "pattern": pattern})
}

/// One of the words of `T`.
fn choice<T: DeserializeOwned>(description: &str) -> Schema {
    json_schema!({"description": description, "type": "string", "enum": words::<T>()})
}

/// The words of `T`, which are what an error names.
fn words<T: DeserializeOwned>() -> Vec<&'static str> {
    match word::<T>("", "").map_err(|fault| fault.problem) {
        Err(Problem::UnknownWord { known, .. }) => known,
        Ok(_) | Err(_) => Vec::new(),
    }
}

fn id<T: TryFrom<i64, Error = IdError>>(digits: &str) -> Checked<T> {
    let number: Option<i64> = whole(digits)?.parse().ok();
    number
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| Fault::new(Problem::IdOutOfRange { found: Excerpt::new(digits) }))
}

fn seed(digits: &str) -> Checked<Seed> {
    let out_of_range = |_| Fault::new(Problem::SeedOutOfRange { found: Excerpt::new(digits) });
    whole(digits)?.parse().map(Seed).map_err(out_of_range)
}

fn whole(digits: &str) -> Checked<&str> {
    if digits.contains(['.', 'e', 'E']) {
        return Err(Fault::new(Problem::NotWhole { found: Excerpt::new(digits) }));
    }
    Ok(digits)
}

fn amount(digits: &str) -> Checked<Amount> {
    let found = || Excerpt::new(digits);
    digits.parse().map_err(|reason| Fault::new(Problem::Amount { found: found(), reason }))
}

fn balance(digits: &str) -> Checked<Money> {
    let found = || Excerpt::new(digits);
    digits.parse().map_err(|reason| Fault::new(Problem::Balance { found: found(), reason }))
}

fn quotable<T>(written: Written<'_>, read: impl Fn(&str) -> Checked<T>) -> Checked<Quotable<T>> {
    if written.kind() == Kind::String {
        let value = read(written.string()?.trim())?;
        return Ok(Quotable { value, is_quoted: true });
    }
    read(written.number()?).map(Quotable::plain)
}

/// What the word `text` stands for; `of` is what the word says.
fn word<T: DeserializeOwned>(of: &'static str, text: &str) -> Checked<T> {
    T::deserialize(text.into_deserializer()).map_err(|mut fault: Box<Fault>| {
        if let Problem::UnknownWord { of: told, .. } = &mut fault.problem {
            *told = of;
        }
        fault
    })
}

fn any_case<T: DeserializeOwned>(of: &'static str, text: &str) -> Checked<AnyCase<T>> {
    word(of, text).map(|value| AnyCase { value, is_odd: false }).or_else(|fault| {
        let value = word(of, &text.to_ascii_lowercase()).map_err(|_| fault)?;
        Ok(AnyCase { value, is_odd: true })
    })
}

fn ending(written: Written<'_>) -> Checked<Ending> {
    let text = match written.0 {
        "null" => "null".into(),
        "true" | "false" => written.0.into(),
        _ => written.string()?,
    };
    let lower = text.to_ascii_lowercase();
    let (told, is_other_word) = match &*lower {
        "success" => (EventOutcome::Success, false),
        "fail" => (EventOutcome::Fail, false),
        "unknown" => (EventOutcome::Unknown, false),
        "null" if written.kind() == Kind::Null => (EventOutcome::Nothing, false),
        "ok" | "true" => (EventOutcome::Success, true),
        "failed" | "failure" | "false" => (EventOutcome::Fail, true),
        _ => {
            let known = vec!["success", "fail", "unknown"];
            let found = Excerpt::new(&text);
            return Err(Fault::new(Problem::UnknownWord { of: "result", found, known }));
        }
    };
    Ok(Ending { told, is_other_word, is_odd_case: lower != text })
}

fn no_guarantees(GuaranteesError { found }: &GuaranteesError) -> Box<Fault> {
    let shorts = Guarantee::ALL.map(Guarantee::short);
    let known = ["all", "none"].into_iter().chain(shorts).collect();
    Fault::new(Problem::UnknownWord { of: "guarantee", found: Excerpt::new(found), known })
}

fn no_latency(error: &LatencyError) -> Box<Fault> {
    Fault::new(match error {
        LatencyError::Kind { found } => Problem::Latency { found: Excerpt::new(found) },
        LatencyError::Span { found } => Problem::Span { found: Excerpt::new(found) },
        LatencyError::Order { found } => Problem::SpansReversed { found: Excerpt::new(found) },
    })
}

#[cfg(test)]
mod tests {
    use std::fmt::Display;

    use super::*;

    fn check<T: DeserializeOwned + Display>(known: &[&str]) {
        assert_eq!(words::<T>(), known);
        for text in known {
            assert_eq!(word::<T>("", text).unwrap().to_string(), *text);
        }
    }

    #[test]
    fn words_are_those_that_the_program_shows() {
        check::<OperationKind>(&["deposit", "withdraw", "query"]);
        check::<Propagation>(&["sync", "async"]);
        check::<Overdraft>(&["allow", "reject"]);
        check::<CustomerOrder>(&["in-order", "concurrent"]);
        check::<QueryTiming>(&["in-place", "after-settling"]);
        check::<EventIds>(&["renumber", "as-written"]);
    }
}
