//! How long messages between branches take.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use crate::model::number::micros;
use crate::model::{BranchId, Random, Roster, Seed};

/// How long a message takes from one branch to another. Text: `none`, `constant:20ms`,
/// `uniform:1ms..50ms`, `exponential:10ms`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Latency {
    /// No time at all.
    #[default]
    None,
    /// Always as long.
    Constant(Duration),
    /// Anything from the one to the other, equally likely; messages overtake each other.
    Uniform {
        /// The shortest.
        min: Duration,
        /// The longest.
        max: Duration,
    },
    /// Mostly short, sometimes very long: this long on average.
    Exponential(Duration),
}

/// One direction between two branches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link {
    /// The sender.
    pub from: BranchId,
    /// The receiver.
    pub to: BranchId,
}

impl Link {
    /// The chances of its messages. Each link has its own, so that a message more on one does not
    /// shift the others.
    pub fn chances(self, seed: Seed) -> Random {
        Random::of_part(seed, self.part())
    }

    /// Which part of what is drawn from a seed is its own.
    pub(super) fn part(self) -> u64 {
        let Self { from, to } = self;
        (u64::from(from.get()) << 32) | u64::from(to.get())
    }
}

/// The latency of every link.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkLatencies {
    /// Where nothing else is said.
    pub default: Latency,
    /// Links that differ.
    pub links: BTreeMap<Link, Latency>,
}

impl LinkLatencies {
    /// The latency of `link`.
    pub fn of(&self, link: Link) -> Latency {
        self.links.get(&link).copied().unwrap_or(self.default)
    }

    /// The longest that a message takes as a rule, on whichever link.
    pub fn extent(&self) -> Duration {
        let links = self.links.values().map(|latency| latency.extent());
        links.fold(self.default.extent(), Duration::max)
    }

    /// Whether no message takes any time.
    pub fn is_none(&self) -> bool {
        self.default == Latency::None && self.links.values().all(|&one| one == Latency::None)
    }
}

impl Latency {
    /// The longest that a message takes as a rule: the upper end, or the mean.
    pub const fn extent(self) -> Duration {
        match self {
            Self::None => Duration::ZERO,
            Self::Constant(span) | Self::Exponential(span) | Self::Uniform { max: span, .. } => {
                span
            }
        }
    }

    /// How long one message takes, in whole microseconds.
    pub fn draw(self, chance: &mut Random) -> Duration {
        match self {
            Self::None => Duration::ZERO,
            Self::Constant(span) => span,
            Self::Uniform { min, max } => {
                let width_us = micros(max.saturating_sub(min)).saturating_add(1);
                min + Duration::from_micros(chance.below(width_us))
            }
            Self::Exponential(mean) => {
                let times = -libm::log(chance.fraction());
                let span = mean.mul_f64(times);
                Duration::from_micros(micros(span))
            }
        }
    }
}

/// How long each message between the branches of a roster takes: what is drawn for it.
#[derive(Debug, Clone)]
pub struct Delays {
    pub(super) latencies: LinkLatencies,
    pub(super) seed: Seed,
    pub(super) roster: Arc<Roster>,
    /// By sender and receiver; of a sender from its first message on.
    chances: Vec<Vec<Random>>,
}

impl Delays {
    /// Those of `latencies`, drawn from `seed`.
    pub fn new(latencies: LinkLatencies, seed: Seed, roster: Arc<Roster>) -> Self {
        let chances = vec![Vec::new(); roster.len()];
        Self { latencies, seed, roster, chances }
    }

    /// How long the next message on `link` takes.
    ///
    /// Panics if that is no link of the roster.
    pub fn draw(&mut self, link: Link) -> Duration {
        let place = |id| self.roster.index(id).expect("a link is between branches").get();
        let (from, to) = (place(link.from), place(link.to));
        let of_sender = &mut self.chances[from];
        if of_sender.is_empty() {
            let to_each = self.roster.ids().iter().map(|&to| Link { to, ..link });
            *of_sender = to_each.map(|link| link.chances(self.seed)).collect();
        }
        self.latencies.of(link).draw(&mut of_sender[to])
    }
}

/// A text that is no latency.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LatencyError {
    /// Not one of the four kinds.
    #[error(
        "'{found}' is no latency; use none, constant:20ms, uniform:1ms..50ms or exponential:10ms"
    )]
    Kind {
        /// The text.
        found: String,
    },
    /// A part of it is no span of time.
    #[error("'{found}' is no span of time; use a whole number with us, ms, s, min or h, up to 12h")]
    Span {
        /// The part.
        found: String,
    },
    /// The longest is shorter than the shortest.
    #[error("in '{found}' the longest comes first; write the shorter span on the left")]
    Order {
        /// The text.
        found: String,
    },
}

/// Longer spans do not fit the virtual clock.
const SPAN_MAX: Duration = Duration::from_hours(12);

/// Reads a span of time such as `20ms`, up to 12 hours.
pub fn parse_span(text: &str) -> Result<Duration, LatencyError> {
    let span = parse_long_span(text)?;
    if span <= SPAN_MAX { Ok(span) } else { Err(LatencyError::Span { found: text.to_owned() }) }
}

/// The longest that is written of what was drawn: from a mean of 12 hours comes more than that. As many of
/// them as a scenario can have events do not come to the end of time.
const LONG_SPAN_MAX: Duration = Duration::from_hours(1000);

/// The same, up to 1000 hours.
pub fn parse_long_span(text: &str) -> Result<Duration, LatencyError> {
    let error = || LatencyError::Span { found: text.to_owned() };
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| error())?;
    let unit_us: u64 = match unit {
        "us" | "µs" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        "min" => 60_000_000,
        "h" => 3_600_000_000,
        _ => return Err(error()),
    };
    let span = number.checked_mul(unit_us).map(Duration::from_micros);
    span.filter(|&span| span <= LONG_SPAN_MAX).ok_or_else(error)
}

/// Writes a span as [`parse_span`] reads it, in the largest unit that is exact.
pub fn show_span(span: Duration) -> String {
    let us = micros(span);
    [(3_600_000_000, "h"), (60_000_000, "min"), (1_000_000, "s"), (1_000, "ms")]
        .into_iter()
        .find(|(unit_us, _)| us > 0 && us.is_multiple_of(*unit_us))
        .map_or_else(|| format!("{us}us"), |(unit_us, unit)| format!("{}{unit}", us / unit_us))
}

impl FromStr for Latency {
    type Err = LatencyError;

    fn from_str(text: &str) -> Result<Self, LatencyError> {
        if text == "none" {
            return Ok(Self::None);
        }
        let kind = || LatencyError::Kind { found: text.to_owned() };
        let (word, spans) = text.split_once(':').ok_or_else(kind)?;
        match word {
            "constant" => parse_span(spans).map(Self::Constant),
            "exponential" => parse_span(spans).map(Self::Exponential),
            "uniform" => {
                let (min, max) = spans.split_once("..").ok_or_else(kind)?;
                let (min, max) = (parse_span(min)?, parse_span(max)?);
                if min > max {
                    return Err(LatencyError::Order { found: text.to_owned() });
                }
                Ok(Self::Uniform { min, max })
            }
            _ => Err(kind()),
        }
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::None => f.write_str("none"),
            Self::Constant(span) => write!(f, "constant:{}", show_span(span)),
            Self::Uniform { min, max } => {
                write!(f, "uniform:{}..{}", show_span(min), show_span(max))
            }
            Self::Exponential(mean) => write!(f, "exponential:{}", show_span(mean)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Seed;

    fn chance(seed: u64) -> Random {
        let branch = |id| BranchId::new(id).unwrap();
        Link { from: branch(1), to: branch(2) }.chances(Seed(seed))
    }

    #[test]
    fn latencies_are_written_as_they_are_read() {
        for text in ["none", "constant:20ms", "uniform:1ms..50ms", "exponential:10s", "constant:1h"]
        {
            assert_eq!(text.parse::<Latency>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_latency_says_why() {
        for (text, says) in [
            ("20ms", "'20ms' is no latency"),
            ("constant:20", "'20' is no span of time"),
            ("constant:-1ms", "'-1ms' is no span"),
            ("uniform:5ms", "'uniform:5ms' is no latency"),
            ("uniform:5ms..1ms", "the longest comes first"),
            ("constant:13h", "up to 12h"),
            ("constant:99999999999999999999s", "is no span"),
        ] {
            let error = text.parse::<Latency>().unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn draws_keep_their_bounds_and_their_mean() {
        let mut chance = chance(7);
        let (min, max) = (Duration::from_millis(1), Duration::from_millis(50));
        let uniform = Latency::Uniform { min, max };
        assert!((0..10_000).all(|_| (min..=max).contains(&uniform.draw(&mut chance))));
        let mean = Duration::from_millis(10);
        let total: Duration =
            (0..10_000).map(|_| Latency::Exponential(mean).draw(&mut chance)).sum();
        assert!((mean * 9_500..mean * 10_500).contains(&total), "{total:?}");
    }

    #[test]
    fn the_same_seed_draws_the_same_for_ever() {
        // Figures of the first release: a change of any breaks every seed that people have noted.
        let mut chance = chance(42);
        let latency: Latency = "uniform:1ms..50ms".parse().unwrap();
        let drawn: Vec<_> = (0..4).map(|_| micros(latency.draw(&mut chance))).collect();
        assert_eq!(drawn, [10_401, 33_217, 21_641, 14_444]);
    }
}
