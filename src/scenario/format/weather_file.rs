//! What a scenario says of what is to go wrong, as it is written: what is read, what is written, and
//! what the schema describes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::value::Field;
use super::weather_value::{
    Attempt, FateWord, FaultWord, Interval, Kept, LongSpan, Sides, TwoSpans,
};
use crate::model::{BranchId, CustomerId, EventId};
use crate::network::{
    Crash, Fate, Keeps, MessageKind, MessageName, NemesisKinds, Partition, Rate, Rates,
    ScheduledFault, Slowness,
};
use crate::scenario::NemesisSettings;

/// What may happen to any message between branches, and how often.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "the rates", deny_unknown_fields)]
#[schemars(rename = "RatesFile")]
pub(super) struct RatesFile {
    /// It is lost. Left out: never.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) loss: Field<Rate>,
    /// A copy of it arrives too. Left out: never.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) duplicate: Field<Rate>,
    /// It takes longer than it would: by up to four times the latency's upper end, or mean. Left
    /// out: never.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) reorder: Field<Rate>,
}

/// Does harm by chance, one thing after the other.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a nemesis", deny_unknown_fields)]
#[schemars(rename = "NemesisFile")]
pub(super) struct NemesisFile {
    /// What it does, one as likely as the other.
    pub(super) kinds: Field<NemesisKinds>,
    /// How long it is from one thing to the next, on average. Left out: `50ms`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) interval: Field<Interval>,
    /// How long each lasts, on average. Left out: `20ms`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) duration: Field<LongSpan>,
}

/// Something that goes wrong at a moment, or to one message. Moments count from the start of the run.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename = "a fault", deny_unknown_fields)]
#[schemars(rename = "FaultFile", transform = tell_kinds_apart)]
pub(super) struct FaultFile {
    pub(super) kind: Field<FaultWord>,
    /// Of a partition: the branches that still reach each other. Others reach all.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) sides: Field<Sides>,
    /// Of a partition: whether only what the first side says to the others is lost. Left out: all
    /// is lost between them.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) one_way: Field<bool>,
    /// The branch that stops, or is slow.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) branch: Field<BranchId>,
    /// Of a crash: how many writes of its log the branch has when it starts again, the first ones.
    /// Left out: all.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) keeps: Field<Kept>,
    /// How much later a slow branch handles each input. Left out: `50ms`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) delay: Field<LongSpan>,
    /// When it begins. A branch that crashes stops then.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) at: Field<LongSpan>,
    /// When it is over. A branch that has stopped starts again then.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) until: Field<LongSpan>,
    /// What the message says.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) message: Field<MessageKind>,
    /// Of a message about a write: whose it is.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) customer: Field<CustomerId>,
    /// Of a message about a write: which of the customer's events it is.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) event: Field<EventId>,
    /// Who sends the message.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) from: Field<BranchId>,
    /// To whom.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) to: Field<BranchId>,
    /// Which of the messages that say this there. Left out: the first, 1.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) attempt: Field<Attempt>,
    /// That the message never arrives.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) fate: Field<FateWord>,
    /// How long the message takes.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) arrives: Field<LongSpan>,
    /// How long the message and a copy of it take.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(super) arrives_twice: Field<TwoSpans>,
}

/// A key that only some kinds of faults have.
pub(super) struct OwnKey {
    pub(super) name: &'static str,
    pub(super) is_absent: bool,
    /// Which kinds have it.
    pub(super) kinds: &'static [FaultWord],
    /// The same in words.
    pub(super) owner: &'static str,
}

const PARTITION: &[FaultWord] = &[FaultWord::Partition];
const CRASH: &[FaultWord] = &[FaultWord::Crash];
const SLOW: &[FaultWord] = &[FaultWord::Slow];
const MESSAGE: &[FaultWord] = &[FaultWord::Message];
const OF_A_BRANCH: &[FaultWord] = &[FaultWord::Crash, FaultWord::Amnesia, FaultWord::Slow];
const LASTING: &[FaultWord] =
    &[FaultWord::Partition, FaultWord::Crash, FaultWord::Amnesia, FaultWord::Slow];

impl FaultFile {
    /// The keys that only some kinds have.
    pub(super) fn own_keys(&self) -> [OwnKey; 16] {
        let key = |name, is_absent, kinds, owner| OwnKey { name, is_absent, kinds, owner };
        let (partition, branch) = ("a partition", "a branch that crashes or is slow");
        let (lasting, message) = ("what lasts for a while", "the fate of a message");
        [
            key("sides", self.sides.is_absent(), PARTITION, partition),
            key("one_way", self.one_way.is_absent(), PARTITION, partition),
            key("branch", self.branch.is_absent(), OF_A_BRANCH, branch),
            key("keeps", self.keeps.is_absent(), CRASH, "a crash"),
            key("delay", self.delay.is_absent(), SLOW, "a slow branch"),
            key("at", self.at.is_absent(), LASTING, lasting),
            key("until", self.until.is_absent(), LASTING, lasting),
            key("message", self.message.is_absent(), MESSAGE, message),
            key("customer", self.customer.is_absent(), MESSAGE, message),
            key("event", self.event.is_absent(), MESSAGE, message),
            key("from", self.from.is_absent(), MESSAGE, message),
            key("to", self.to.is_absent(), MESSAGE, message),
            key("attempt", self.attempt.is_absent(), MESSAGE, message),
            key("fate", self.fate.is_absent(), MESSAGE, message),
            key("arrives", self.arrives.is_absent(), MESSAGE, message),
            key("arrives_twice", self.arrives_twice.is_absent(), MESSAGE, message),
        ]
    }
}

/// Which keys each kind has.
fn tell_kinds_apart(schema: &mut schemars::Schema) {
    let keys = FaultFile::default().own_keys();
    let of = |kind: FaultWord, required: &[&str], more: Value| {
        let foreign = keys.iter().filter(|key| !key.kinds.contains(&kind));
        let foreign = foreign.map(|key| (key.name.to_owned(), Value::Bool(false)));
        let mut properties: serde_json::Map<String, Value> = foreign.collect();
        properties.insert("kind".to_owned(), json!({ "const": kind }));
        let mut one = json!({ "properties": properties, "required": required });
        if let (Some(one), Value::Object(more)) = (one.as_object_mut(), more) {
            one.extend(more);
        }
        one
    };
    let lasting = ["branch", "at", "until"];
    let message = json!({
        "oneOf": [
            { "required": ["fate"] }, { "required": ["arrives"] }, { "required": ["arrives_twice"] }
        ],
        "if": { "properties": { "message": { "enum": ["propagate", "acknowledge"] } } },
        "then": { "required": ["customer", "event"] },
        "else": { "properties": { "customer": false, "event": false } }
    });
    let kinds = json!([
        of(FaultWord::Partition, &["sides", "at", "until"], json!({})),
        of(FaultWord::Crash, &lasting, json!({})),
        of(FaultWord::Amnesia, &lasting, json!({})),
        of(FaultWord::Slow, &lasting, json!({})),
        of(FaultWord::Message, &["message", "from", "to"], message),
    ]);
    schema.insert("required".to_owned(), json!(["kind"]));
    schema.insert("oneOf".to_owned(), kinds);
}

impl From<&Rates> for RatesFile {
    fn from(rates: &Rates) -> Self {
        let rate = |rate: Rate| Some(rate).filter(|rate| *rate != Rate::default()).into();
        let &Rates { loss, duplicate, reorder } = rates;
        Self { loss: rate(loss), duplicate: rate(duplicate), reorder: rate(reorder) }
    }
}

impl NemesisFile {
    /// What is said of a nemesis, if anything is.
    pub(super) fn of(nemesis: &NemesisSettings) -> Option<Self> {
        let NemesisSettings { kinds, interval, duration } = nemesis;
        (*nemesis != NemesisSettings::default()).then(|| Self {
            kinds: kinds.clone().into(),
            interval: interval.map(Interval).into(),
            duration: duration.map(LongSpan).into(),
        })
    }
}

impl From<&ScheduledFault> for FaultFile {
    fn from(fault: &ScheduledFault) -> Self {
        let span = |at, until| Self {
            at: Field::Is(LongSpan::until(at)),
            until: Field::Is(LongSpan::until(until)),
            ..Self::default()
        };
        match fault {
            &ScheduledFault::Partition(Partition { ref sides, one_way, at, until }) => Self {
                kind: Field::Is(FaultWord::Partition),
                sides: Field::Is(Sides(sides.clone())),
                one_way: Some(one_way).filter(|one_way| *one_way).into(),
                ..span(at, until)
            },
            &ScheduledFault::Crash(Crash { branch, keeps, at, until }) => {
                let (kind, keeps) = match keeps {
                    Keeps::All => (FaultWord::Crash, None),
                    Keeps::First(0) => (FaultWord::Amnesia, None),
                    Keeps::First(kept) => (FaultWord::Crash, Some(Kept(kept))),
                };
                let (kind, branch) = (Field::Is(kind), Field::Is(branch));
                Self { kind, branch, keeps: keeps.into(), ..span(at, until) }
            }
            &ScheduledFault::Slow(Slowness { branch, delay, at, until }) => Self {
                kind: Field::Is(FaultWord::Slow),
                branch: Field::Is(branch),
                delay: Field::Is(LongSpan(delay)),
                ..span(at, until)
            },
            ScheduledFault::Message { name, fate } => Self::of_message(name, *fate),
        }
    }
}

impl FaultFile {
    fn of_message(name: &MessageName, fate: Fate) -> Self {
        let &MessageName { kind, event, link, attempt } = name;
        let (customer, event) = event.unzip();
        let named = Self {
            kind: Field::Is(FaultWord::Message),
            message: Field::Is(kind),
            customer: customer.into(),
            event: event.into(),
            from: Field::Is(link.from),
            to: Field::Is(link.to),
            attempt: Some(Attempt(attempt)).filter(|attempt| *attempt != Attempt(1)).into(),
            ..Self::default()
        };
        match fate {
            Fate::Lost => Self { fate: Field::Is(FateWord::Lost), ..named },
            Fate::Arrives(span) => Self { arrives: Field::Is(LongSpan(span)), ..named },
            Fate::ArrivesTwice(span, again) => {
                let spans = TwoSpans([span, again].map(LongSpan));
                Self { arrives_twice: Field::Is(spans), ..named }
            }
        }
    }
}
