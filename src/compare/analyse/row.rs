//! One transport of a comparison, worked out.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::distribution::{Distribution, HALF, is_doubtful};
use super::name;
use super::statistics::{Ratio, Sample};
use crate::compare::measure::{Histogram, Kind, Latencies, Load, Measured, Round, Transport};
use crate::model::Decimal;
use crate::model::number::float;

/// A rate of which less is answered is not reached.
const SHARE_LEAST: f64 = 0.95;

/// The result of one transport, and how it stands to the others. Serialized as an export has it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    /// The transport's; with a number where it was measured before.
    pub(crate) name: String,
    pub(crate) transport: Transport,
    balance: Decimal,
    /// Of a request, in nanoseconds: the geometric mean of the rounds' means.
    pub(crate) mean_ns: f64,
    /// How far a round's mean is from the others', as a share; `None` with a single round.
    pub(crate) spread: Option<f64>,
    /// Requests per second of all rounds together.
    #[serde(rename = "operations_per_second")]
    pub(crate) per_second: f64,
    /// That, by the requests per second that were due; `None` under a closed load.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) share_of_rate: Option<f64>,
    /// Against the row that all are compared with; `None` for that row itself.
    pub(crate) ratio: Option<Ratio>,
    /// Against the same transport in an earlier comparison.
    #[serde(rename = "baseline")]
    pub(crate) change: Option<Change>,
    pub(crate) per_request: PerRequest,
    pub(crate) latencies: Distributions,
    /// In the order in which they were run.
    pub(crate) rounds: Vec<RoundRow>,
    #[serde(skip)]
    pub(crate) sample: Sample,
}

/// Latencies of one transport. Serialized by the name of their kind.
#[derive(Debug, Clone)]
pub(crate) struct Distributions {
    /// Of requests of every kind.
    pub(crate) all: Distribution,
    /// The kinds that there were.
    pub(crate) kinds: Vec<(Kind, Distribution)>,
}

/// A round, and what is to be doubted of it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RoundRow {
    #[serde(flatten)]
    pub(crate) round: Round,
    /// The percentiles beyond which fewer than ten requests lie.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    doubtful: &'static [&'static str],
}

/// What a transport takes now against what it took then.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Change {
    /// Then, in nanoseconds.
    pub(crate) mean_ns: f64,
    /// Now to then.
    pub(crate) ratio: Ratio,
}

/// What a request costs on average, where rounds tell.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct PerRequest {
    pub(crate) processor_ns: Option<f64>,
    pub(crate) context_switches: Option<f64>,
    pub(crate) messages: Option<f64>,
    pub(crate) bytes: Option<f64>,
}

impl Row {
    /// Whether more requests were due than were answered: then a queue grows as long as a round is,
    /// and a latency shows how long the queue is.
    pub(crate) fn is_over_capacity(&self) -> bool {
        self.share_of_rate.is_some_and(|share| share < SHARE_LEAST)
    }

    /// `None` where no round has a request that was answered.
    pub(crate) fn of(measured: &Measured, load: Load, before: &[Self]) -> Option<Self> {
        let mut rounds: Vec<Round> = measured.rounds.clone();
        rounds.retain(|round| round.requests > 0 && round.mean_ns.is_finite());
        rounds.sort_by_key(|round| round.place);
        let sample = Sample::of(rounds.iter().map(|round| (round.place, round.mean_ns)));
        if sample.is_empty() {
            return None;
        }
        let transport = measured.transport;
        let same = before.iter().filter(|row| row.transport == transport).count();
        let name = match same {
            0 => transport.word().to_owned(),
            _ => format!("{} ({})", transport.word(), same + 1),
        };
        let per_second = per_second(&rounds);
        Some(Self {
            name,
            transport,
            mean_ns: sample.center_ns(),
            spread: sample.spread(),
            per_second,
            share_of_rate: match load {
                Load::Closed => None,
                Load::Open { rate } => Some(per_second / rate),
            },
            ratio: None,
            change: None,
            latencies: Distributions::of(&measured.latencies),
            per_request: PerRequest::of(&rounds),
            balance: measured.balance.decimal(),
            sample,
            rounds: rounds.into_iter().map(RoundRow::of).collect(),
        })
    }
}

impl Distributions {
    fn of(latencies: &Latencies) -> Self {
        let kinds = name::KINDS.into_iter().map(|kind| (kind, latencies.of(kind)));
        let kinds = kinds.filter(|(_, latencies)| latencies.count() > 0);
        Self {
            all: Distribution::of(&of_every_request(latencies)),
            kinds: kinds.map(|(kind, latencies)| (kind, Distribution::of(latencies))).collect(),
        }
    }
}

impl Serialize for Distributions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kinds = self.kinds.iter().map(|(kind, latencies)| (name::kind(*kind), latencies));
        let by_name: BTreeMap<_, _> = kinds.chain([("all", &self.all)]).collect();
        by_name.serialize(serializer)
    }
}

impl RoundRow {
    fn of(round: Round) -> Self {
        let is_doubtful = is_doubtful(round.requests, HALF);
        Self { round, doubtful: if is_doubtful { &["median_ns"] } else { &[] } }
    }
}

impl PerRequest {
    fn of(rounds: &[Round]) -> Self {
        Self {
            processor_ns: average(rounds, |round| round.processor_ns.map(float)),
            context_switches: average(rounds, |round| round.context_switches.map(float)),
            messages: average(rounds, |round| round.messages.map(float)),
            bytes: average(rounds, |round| round.bytes.map(float)),
        }
    }
}

/// Of the rounds that tell.
fn average(rounds: &[Round], of: impl Fn(&Round) -> Option<f64>) -> Option<f64> {
    let (mut sum, mut requests) = (0.0, 0.0);
    for round in rounds {
        if let Some(amount) = of(round) {
            sum += amount;
            requests += float(round.requests);
        }
    }
    (requests > 0.0).then(|| sum / requests)
}

fn per_second(rounds: &[Round]) -> f64 {
    let elapsed = rounds.iter().map(|round| Duration::from_nanos(round.elapsed_ns));
    let seconds: f64 = elapsed.map(|elapsed| elapsed.as_secs_f64()).sum();
    let requests: f64 = rounds.iter().map(|round| float(round.requests)).sum();
    if seconds > 0.0 { requests / seconds } else { 0.0 }
}

/// Propagation is no request.
fn of_every_request(latencies: &Latencies) -> Histogram {
    let Latencies { deposit, withdraw, query, propagation: _ } = latencies;
    let mut all = deposit.clone();
    all.add(withdraw);
    all.add(query);
    all
}
