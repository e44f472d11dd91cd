//! The single values of what a scenario says of what is to go wrong: how each is read, written, and
//! described in the schema.

use std::time::Duration;

use schemars::{Schema, json_schema};
use serde::{Deserialize, Serialize, Serializer, ser};
use serde_json::value::RawValue;

use super::fault::{Checked, Fault};
use super::locate::Node;
use super::problem::{Excerpt, Kind, Problem};
use super::value::{Form, Value, choice, id, id_schema, text, values, whole, word, words};
use super::written::{Readable, Written};
use crate::model::{BranchId, CustomerId, Time};
use crate::network::{
    MessageKind, Nemesis, NemesisError, NemesisKind, NemesisKinds, Rate, parse_long_span, show_span,
};

/// A span of time, as long as it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LongSpan(pub(super) Duration);

/// How long it is from one thing that a nemesis does to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Interval(pub(super) Duration);

/// Which branches still reach each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sides(pub(super) Vec<Vec<BranchId>>);

/// How many writes a branch keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kept(pub(super) u64);

/// Which of the messages of a name one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attempt(pub(super) u32);

/// When a message and its copy arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TwoSpans(pub(super) [LongSpan; 2]);

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum FaultWord {
    Partition,
    Crash,
    Amnesia,
    Slow,
    Message,
}

/// What becomes of a message that does not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum FateWord {
    Lost,
}

values! {
    CustomerId = "Id" id_schema(), whole(IdOutOfRange) |number| id(number), |id| *id;
    LongSpan = "LongSpan" text("A span of time: `20ms`.", r"^\d+(us|µs|ms|s|min|h)$"),
        text |text| long_span(text), |span| show_span(span.0);
    Interval = "Interval"
        text("A span of time, from 1 millisecond to 12 hours: `50ms`.", r"^\d+(us|µs|ms|s|min|h)$"),
        text |text| match Nemesis::parse_interval(text) {
            Ok(span) => Ok(Self(span)),
            Err(_) => Err(Fault::new(Problem::Interval { found: Excerpt::new(text) })),
        },
        |interval| {
            let text = show_span(interval.0);
            let is_readable = Nemesis::parse_interval(&text).is_ok();
            Readable(text, is_readable)
        };
    Rate = "Rate"
        json_schema!({
            "description": "How often something happens: at most six decimals, no exponent.",
            "type": "number", "minimum": 0, "maximum": 1
        }),
        any |written| rate(written.number()?), |rate| Digits(*rate);
    NemesisKinds = "NemesisKinds"
        json_schema!({
            "description": "What a nemesis does, each once.",
            "type": "array", "minItems": 1, "uniqueItems": true,
            "items": {"type": "string", "enum": words::<NemesisKind>()}
        }),
        any |written| nemesis_kinds(Node::root(written.0)), |kinds| kinds.kinds().to_vec();
    FaultWord = "FaultKind" choice::<Self>("What goes wrong."),
        text |text| word("kind of fault", text), |word| *word;
    FateWord = "Fate" choice::<Self>("What becomes of a message."),
        text |text| word("fate", text), |word| *word;
    MessageKind = "MessageKind" choice::<Self>("What a message between branches says."),
        text |text| word("message", text), |word| *word;
    bool = "Flag" json_schema!({"type": "boolean"}),
        any |written| {
            written.expect(Kind::Boolean)?;
            Ok(written.0 == "true")
        },
        |flag| *flag;
    Kept = "Kept"
        json_schema!({"description": "How many writes.", "type": "integer", "minimum": 0, "maximum": u64::MAX}),
        whole(KeptOutOfRange) |number| Some(Self(number)), |kept| kept.0;
    Attempt = "Attempt"
        json_schema!({"description": "The first is 1.", "type": "integer", "minimum": 1, "maximum": u32::MAX}),
        whole(AttemptOutOfRange) |number| u32::try_from(number).ok().filter(|&number| number > 0).map(Self),
        |attempt| attempt.0;
    Sides = "Sides"
        json_schema!({
            "description": "The branches that still reach each other. Those in none of them reach all.",
            "type": "array", "minItems": 2,
            "items": {"type": "array", "minItems": 1, "items": id_schema()}
        }),
        any |written| sides(Node::root(written.0)), |sides| sides.0.clone();
    TwoSpans = "TwoSpans"
        json_schema!({
            "description": "Two spans of time: `[\"5ms\", \"9ms\"]`.",
            "type": "array", "minItems": 2, "maxItems": 2, "items": LongSpan::schema()
        }),
        any |written| two_spans(Node::root(written.0)),
        |spans| spans.0.map(|LongSpan(span)| show_span(span));
}

/// A rate as the exact digits of a number.
struct Digits(Rate);

impl Serialize for Digits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.to_string()).map_err(ser::Error::custom)?.serialize(serializer)
    }
}

impl LongSpan {
    /// The moment so long after the start.
    pub(super) fn moment(self) -> Time {
        Time::START.after(self.0)
    }

    /// How long after the start `moment` is.
    pub(super) fn until(moment: Time) -> Self {
        Self(moment.since(Time::START))
    }
}

fn long_span(text: &str) -> Checked<LongSpan> {
    let span = parse_long_span(text).map(LongSpan);
    span.map_err(|_| Fault::new(Problem::LongSpan { found: Excerpt::new(text) }))
}

fn rate(digits: &str) -> Checked<Rate> {
    digits.parse().map_err(|_| Fault::new(Problem::Rate { found: Excerpt::new(digits) }))
}

/// The entries of the array `node`, each read as a `T`, with places from where `node` begins.
fn entries<T: Value>(node: Node<'_>) -> Checked<Vec<T>> {
    let entry = |part: Node<'_>| T::read(part.written).map_err(|fault| fault.at(part.span()));
    node.elements()?.map(entry).collect()
}

/// The sides that the array `node` of arrays says.
pub(super) fn sides(node: Node<'_>) -> Checked<Sides> {
    Ok(Sides(node.elements()?.map(entries).collect::<Checked<_>>()?))
}

/// What the array `node` of words says that a nemesis does.
pub(super) fn nemesis_kinds(node: Node<'_>) -> Checked<NemesisKinds> {
    let mut kinds = Vec::new();
    for part in node.elements()? {
        let kind = part.written.string().and_then(|text| word("kind of harm", &text));
        let kind: NemesisKind = kind.map_err(|fault| fault.at(part.span()))?;
        if kinds.contains(&kind) {
            let problem = Problem::HarmTwice { word: kind.word() };
            return Err(Fault::new(problem).at(part.span()));
        }
        kinds.push(kind);
    }
    NemesisKinds::new(kinds).map_err(|error| match error {
        NemesisError::Nothing | NemesisError::Unknown { .. } | NemesisError::Twice { .. } => {
            Fault::new(Problem::NoHarm).at(node.bracket())
        }
    })
}

/// The two spans that the array `node` says.
pub(super) fn two_spans(node: Node<'_>) -> Checked<TwoSpans> {
    match entries(node)?.try_into() {
        Ok(two) => Ok(TwoSpans(two)),
        Err(_) => Err(Fault::new(Problem::NotTwoSpans).at(node.bracket())),
    }
}
