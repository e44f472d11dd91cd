//! What a reader must know before believing the numbers.

use std::fmt;

use super::name::all_of;
use super::number::{about, range, significant};
use super::row::Row;
use super::statistics::Verdict;
use crate::report::phrase::count;

const ROUNDS_LEAST: usize = 5;
const SPREAD_MOST: f64 = 0.1;
/// So that ten lie beyond it.
const REQUESTS_FOR_P999: u64 = 10_000;

/// Something that makes a number less sure than it looks.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Warning {
    /// Transports over which no request was answered.
    Unanswered { names: Vec<String> },
    /// Fewer rounds than can tell how much rounds differ.
    FewRounds { names: Vec<String>, rounds: usize },
    /// Rounds of the same transport differ much: its name, and how much.
    Spread { of: Vec<(String, f64)> },
    /// A difference that could be chance.
    Drowned { name: String, base: String, estimate: f64, interval: String },
    /// A difference that is there, and smaller than what rounds differ by.
    SmallerThanSpread { name: String, base: String, estimate: f64, spread: f64 },
    /// Too few requests for a percentile that far out.
    ThinTail { names: Vec<String> },
    /// A baseline from another machine.
    OtherMachine { then: String, now: String },
    /// Transports that a baseline has not.
    NotInBaseline { names: Vec<String> },
}

impl Warning {
    /// About the measurements themselves.
    pub(super) fn of(rows: &[Row], base: Option<&Row>) -> Vec<Self> {
        let mut warnings = Vec::new();
        let names = |is: &dyn Fn(&Row) -> bool| -> Vec<String> {
            rows.iter().filter(|row| is(row)).map(|row| row.name.clone()).collect()
        };
        if let Some(rounds) = rows.iter().map(|row| row.rounds.len()).min()
            && rounds < ROUNDS_LEAST
        {
            let names = names(&|row| row.rounds.len() < ROUNDS_LEAST);
            warnings.push(Self::FewRounds { names, rounds });
        }
        let spreads = rows.iter().filter_map(|row| Some((row.name.clone(), row.spread?)));
        let of: Vec<(String, f64)> = spreads.filter(|(_, spread)| *spread > SPREAD_MOST).collect();
        if !of.is_empty() {
            warnings.push(Self::Spread { of });
        }
        if let Some(base) = base {
            warnings.extend(rows.iter().filter_map(|row| Self::of_ratio(row, base)));
        }
        let names = names(&|row| row.all.count < REQUESTS_FOR_P999);
        if !names.is_empty() {
            warnings.push(Self::ThinTail { names });
        }
        warnings
    }

    fn of_ratio(row: &Row, base: &Row) -> Option<Self> {
        let ratio = row.ratio?;
        let interval = ratio.interval?;
        let (name, base_name) = (row.name.clone(), base.name.clone());
        let spread = row.spread.unwrap_or_default().max(base.spread.unwrap_or_default());
        if ratio.verdict == Verdict::NoDifference {
            return Some(Self::Drowned {
                name,
                base: base_name,
                estimate: ratio.estimate,
                interval: range(interval.low, interval.high),
            });
        }
        let difference = ratio.estimate.max(1.0 / ratio.estimate) - 1.0;
        (difference < spread).then_some(Self::SmallerThanSpread {
            name,
            base: base_name,
            estimate: ratio.estimate,
            spread,
        })
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unanswered { names } => {
                write!(f, "no request was answered over {}; it is left out", all_of(names))
            }
            Self::FewRounds { names, rounds } => write!(
                f,
                "{} of {}: too few to tell noise from a difference; measure {ROUNDS_LEAST} or more",
                count(*rounds, "round"),
                all_of(names)
            ),
            Self::Spread { of } => {
                let told = of.iter().map(|(name, spread)| format!("{name} by {}", about(*spread)));
                write!(
                    f,
                    "rounds differ much, of {}: something else uses the machine; measure again on \
                     a quiet one, or more rounds",
                    all_of(&told.collect::<Vec<_>>())
                )
            }
            Self::Drowned { name, base, estimate, interval } => write!(
                f,
                "{name} takes {} times as long as {base} (95%: {interval}); that little could be \
                 chance",
                significant(*estimate)
            ),
            Self::SmallerThanSpread { name, base, estimate, spread } => write!(
                f,
                "{name} takes {} times as long as {base}, but single rounds differ by {}; only \
                 all of them together tell",
                significant(*estimate),
                about(*spread)
            ),
            Self::ThinTail { names } => write!(
                f,
                "fewer than 10,000 requests over {}: fewer than ten lie beyond p99.9",
                all_of(names)
            ),
            Self::OtherMachine { then, now } => {
                write!(f, "the baseline is of another machine: {then}, and this is {now}")
            }
            Self::NotInBaseline { names } => {
                write!(f, "the baseline has no {}", all_of(names))
            }
        }
    }
}
