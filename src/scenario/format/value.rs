//! The single values of a file: how each is read, written, and described in the schema.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeOwned, Error as _, IntoDeserializer, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser};

use super::fault::{Checked, Fault};
use super::problem::{Excerpt, Kind, Problem};
use super::written::{Readable, Written};
use crate::model::{
    Amount, BranchId, CustomerId, CustomerOrder, Durability, EventId, EventIds, Guarantee,
    Guarantees, GuaranteesError, IdError, Money, OperationKind, Overdraft, Propagation,
    QueryTiming, Seed,
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

impl Field<()> {
    /// By this name a reader is asked for a field.
    pub(super) const NAME: &'static str = "passbook::Field";
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

    /// What it is written as.
    const FORM: Form<Self>;

    /// What `written` says; the fault has no place yet.
    fn read(written: Written<'_>) -> Checked<Self>;

    /// What is written for it.
    fn shown(&self) -> impl Serialize;

    /// What is allowed in its place.
    fn schema() -> Schema;
}

/// What a value is written as, and what that says. A text or a whole number is read quickly as it
/// stands; anything else is cut out first, so that it is exact.
pub(super) enum Form<T> {
    Text(fn(&str) -> Checked<T>),
    Whole(fn(u64) -> Option<T>),
    Any,
}

impl<'de, T: Value> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(Field::NAME, FieldVisitor(PhantomData))
    }
}

struct FieldVisitor<T>(PhantomData<T>);

impl<'de, T: Value> Visitor<'de> for FieldVisitor<T> {
    type Value = Field<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::NAME)
    }

    /// The quick way: nothing else is read where one value is wrong.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, json: D) -> Result<Field<T>, D::Error> {
        match T::FORM {
            Form::Text(_) => json.deserialize_str(Quick(PhantomData)).map(Field::Is),
            Form::Whole(_) => json.deserialize_u64(Quick(PhantomData)).map(Field::Is),
            Form::Any => {
                let written = Written::deserialize(json)?;
                T::read(written).map(Field::Is).map_err(D::Error::custom)
            }
        }
    }

    /// The way of the reader that knows places.
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Field<T>, E> {
        Ok(T::read(Written(text)).map_or(Field::Wrong, Field::Is))
    }
}

/// Takes a text or a whole number. That anything is wrong is told, and not more.
struct Quick<T>(PhantomData<T>);

impl<T: Value> Visitor<'_> for Quick<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::NAME)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        match T::FORM {
            Form::Text(read) => read(text).map_err(E::custom),
            Form::Whole(_) | Form::Any => Err(E::invalid_type(Unexpected::Str(text), &self)),
        }
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<T, E> {
        let read = match T::FORM {
            Form::Whole(read) => read(number),
            Form::Text(_) | Form::Any => None,
        };
        read.ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
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

/// Of each type: its name in the schema and what is allowed, how it is read, and what is written. It
/// is read of a `text`, or of a `whole` number, if it is nothing else; or of `any` value as written.
macro_rules! values {
    ($($Type:ty = $name:literal $schema:expr,
        $form:ident $(($wrong:ident))? |$given:ident| $read:expr, |$value:ident| $shown:expr;)+) => {$(
        impl Value for $Type {
            const NAME: &'static str = $name;

            values!(@read $form $(($wrong))? $given $read);

            fn shown(&self) -> impl Serialize {
                let $value = self;
                $shown
            }

            fn schema() -> Schema {
                $schema
            }
        }
    )+};
    (@read any $written:ident $read:expr) => {
        const FORM: Form<Self> = Form::Any;

        fn read($written: Written<'_>) -> Checked<Self> {
            $read
        }
    };
    (@read text $text:ident $read:expr) => {
        const FORM: Form<Self> = Form::Text(|$text| $read);

        fn read(written: Written<'_>) -> Checked<Self> {
            let $text = &*written.string()?;
            $read
        }
    };
    (@read whole($wrong:ident) $number:ident $read:expr) => {
        const FORM: Form<Self> = Form::Whole(|$number| $read);

        fn read(written: Written<'_>) -> Checked<Self> {
            whole(written.number()?, |$number| $read, |found| Problem::$wrong { found })
        }
    };
}

pub(super) use values;

values! {
    u32 = "Id" id_schema(),
        whole(IdOutOfRange) |number| id(number).map(CustomerId::get), |id| *id;
    BranchId = "Id" id_schema(), whole(IdOutOfRange) |number| id(number), |id| *id;
    EventId = "Id" id_schema(), whole(IdOutOfRange) |number| id(number), |id| *id;
    Quotable<CustomerId> = "QuotableId" or_quoted(id_schema(), r"\d+"),
        any |written| quotable(written, id_of_digits), |id| id.value;
    Quotable<BranchId> = "QuotableId" or_quoted(id_schema(), r"\d+"),
        any |written| quotable(written, id_of_digits), |id| id.value;
    Seed = "Seed" json_schema!({"type": "integer", "minimum": 0, "maximum": u64::MAX}),
        whole(SeedOutOfRange) |number| Some(Seed(number)), |seed| *seed;

    Quotable<Amount> = "Amount"
        or_quoted(json_schema!({"type": "number", "exclusiveMinimum": 0}), r"\d+(\.\d{1,2})?"),
        any |written| quotable(written, amount), |amount| amount.value.money().decimal();
    Quotable<Money> = "Balance" balance_schema(),
        any |written| quotable(written, balance), |balance| balance.value.decimal();
    Seen = "SeenBalance"
        json_schema!({
            "description": "What a customer was told; `null` if nothing.",
            "anyOf": [balance_schema(), {"type": "null"}]
        }),
        any |written| match written.0 {
            "null" => Ok(Self::Nothing),
            _ => quotable(written, balance).map(Self::Balance),
        },
        |seen| match seen {
            Self::Balance(balance) => Some(balance.value.decimal()),
            Self::Nothing => None,
        };

    ProcessType = "ProcessType"
        choice::<Self>("A branch is a `branch` or `bank`, a customer a `customer` or `client`."),
        text |text| word("type", text), |word| *word;
    OperationKind = "Interface" choice::<Self>("What is asked."),
        text |text| word("interface", text), |word| *word;
    AnyCase<OperationKind> = "Interface" choice::<OperationKind>("What is asked."),
        text |text| any_case("interface", text), |word| word.value;
    Propagation = "Propagation" choice::<Self>("How a write reaches the other branches."),
        text |text| word("propagation", text), |word| *word;
    Overdraft = "Overdraft"
        choice::<Self>("What becomes of a withdrawal that the balance does not cover."),
        text |text| word("overdraft policy", text), |word| *word;
    Durability = "Durability" choice::<Self>("Whether branches have disks."), text |text| word("durability", text), |word| *word;
    CustomerOrder = "CustomerOrder" choice::<Self>("When customers make their visits."),
        text |text| word("order of customers", text), |word| *word;
    QueryTiming = "QueryTiming" choice::<Self>("When a query is sent."),
        text |text| word("timing of queries", text), |word| *word;
    EventIds = "EventIds" choice::<Self>("What becomes of event ids."),
        text |text| word("choice of event ids", text), |word| *word;
    Ending = "Result"
        json_schema!({
            "description": "How a write ended.",
            "enum": ["success", "fail", "unknown", "ok", "failed", "failure", true, false, null]
        }),
        any |written| ending(written), |ending| ending.told.word();

    String = "Name" text("Not blank.", r"\S"),
        text |text| match text {
            blank if blank.trim().is_empty() => Err(Fault::new(Problem::BlankName)),
            name => Ok(name.to_owned()),
        },
        |name| name.clone();
    Guarantees = "Guarantees"
        text(
            "Which of the four guarantees are kept: `all`, `none`, or some with commas between.",
            r"^(all|none|\s*(ryw|mr|mw|wfr)\s*(,\s*(ryw|mr|mw|wfr)\s*)*)$",
        ),
        text |text| text.parse().map_err(|error| no_guarantees(&error)),
        |guarantees| *guarantees;
    Latency = "Latency"
        text(
            "`none`, `constant:20ms`, `uniform:1ms..50ms` or `exponential:10ms`.",
            r"^(none|(constant|exponential):\d+(us|µs|ms|s|min|h)|uniform:\d+(us|µs|ms|s|min|h)\.\.\d+(us|µs|ms|s|min|h))$",
        ),
        text |text| text.parse().map_err(|error| no_latency(&error)),
        |latency| {
            let text = latency.to_string();
            let is_readable = text.parse::<Self>().is_ok();
            Readable(text, is_readable)
        };
    Duration = "Span"
        text("A span of time, up to 12 hours: `20ms`.", r"^\d+(us|µs|ms|s|min|h)$"),
        text |text| parse_span(text).map_err(|error| no_latency(&error)),
        |span| {
            let text = show_span(*span);
            let is_readable = parse_span(&text).is_ok();
            Readable(text, is_readable)
        };
    Remark = "Remark" json_schema!({"type": "string"}),
        text |text| Ok(Self(text.to_owned())), |remark| remark.0.clone();
    Anything = "Anything" json_schema!(true), any |_written| Ok(Self), |_anything| ();
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

pub(super) fn id_schema() -> Schema {
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

pub(super) fn text(description: &str, pattern: &str) -> Schema {
    json_schema!({"description": description, "type": "string", "pattern": pattern})
}

/// One of the words of `T`.
pub(super) fn choice<T: DeserializeOwned>(description: &str) -> Schema {
    json_schema!({"description": description, "type": "string", "enum": words::<T>()})
}

/// The words of `T`, which are what an error names.
pub(super) fn words<T: DeserializeOwned>() -> Vec<&'static str> {
    match word::<T>("", "").map_err(|fault| fault.problem) {
        Err(Problem::UnknownWord { known, .. }) => known,
        Ok(_) | Err(_) => Vec::new(),
    }
}

pub(super) fn id<T: TryFrom<i64, Error = IdError>>(number: u64) -> Option<T> {
    T::try_from(i64::try_from(number).ok()?).ok()
}

fn id_of_digits<T: TryFrom<i64, Error = IdError>>(digits: &str) -> Checked<T> {
    whole(digits, id, |found| Problem::IdOutOfRange { found })
}

/// What the whole number `digits` says, as `read` has it.
pub(super) fn whole<T>(
    digits: &str,
    read: impl FnOnce(u64) -> Option<T>,
    wrong: impl FnOnce(Excerpt) -> Problem,
) -> Checked<T> {
    if digits.contains(['.', 'e', 'E']) {
        return Err(Fault::new(Problem::NotWhole { found: Excerpt::new(digits) }));
    }
    let read = digits.parse().ok().and_then(read);
    read.ok_or_else(|| Fault::new(wrong(Excerpt::new(digits))))
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
pub(super) fn word<T: DeserializeOwned>(of: &'static str, text: &str) -> Checked<T> {
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
