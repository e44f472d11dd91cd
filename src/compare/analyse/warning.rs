//! What a reader must know before believing the numbers.

use std::fmt;

use serde::{Serialize, Serializer};

use super::name::all_of;
use super::number::{about, percent, range, rounded, significant};
use super::row::Row;
use super::statistics::Verdict;
use crate::compare::measure::Load;
use crate::report::words::count;

const ROUNDS_LEAST: usize = 5;
const SPREAD_MOST: f64 = 0.1;

/// Something that makes a number less sure than it looks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Warning {
    /// Transports over which no request was answered.
    Unanswered { names: Vec<String> },
    /// More requests were due than were answered: the transports, with how many were answered a
    /// second, and which share that is.
    RateNotReached { rate: f64, of: Vec<(String, f64, f64)> },
    /// Fewer rounds than can tell how much rounds differ.
    FewRounds { names: Vec<String>, rounds: usize },
    /// Rounds of the same transport differ much: its name, and how much.
    Spread { of: Vec<(String, f64)> },
    /// A difference that could be chance.
    Drowned { name: String, base: String, estimate: f64, interval: String },
    /// A difference that is there, and smaller than what rounds differ by.
    SmallerThanSpread { name: String, base: String, estimate: f64, spread: f64 },
    /// Percentiles beyond which fewer than ten requests lie, with the transports; and whether there
    /// are others, of single kinds.
    ThinTails { of: Vec<(Vec<String>, Vec<String>)>, kinds: bool },
    /// A baseline from another machine.
    OtherMachine { then: String, now: String },
    /// Transports that a baseline has not.
    NotInBaseline { names: Vec<String> },
}

impl Warning {
    /// About the measurements themselves.
    pub(super) fn of(rows: &[Row], load: Load, base: Option<&Row>) -> Vec<Self> {
        let mut warnings = Vec::new();
        warnings.extend(Self::of_rate(rows, load));
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
        warnings.extend(Self::of_tails(rows));
        warnings
    }

    fn of_rate(rows: &[Row], load: Load) -> Option<Self> {
        let Load::Open { rate } = load else { return None };
        let late = rows.iter().filter(|row| row.is_over_capacity());
        let told =
            late.filter_map(|row| Some((row.name.clone(), row.per_second, row.share_of_rate?)));
        let of: Vec<_> = told.collect();
        (!of.is_empty()).then_some(Self::RateNotReached { rate, of })
    }

    fn of_tails(rows: &[Row]) -> Option<Self> {
        let mut of: Vec<(Vec<String>, Vec<String>)> = Vec::new();
        for row in rows {
            let doubtful: Vec<_> =
                row.latencies.all.doubtful().map(|of| of.name.to_owned()).collect();
            match of.iter_mut().find(|(percentiles, _)| *percentiles == doubtful) {
                _ if doubtful.is_empty() => {}
                Some((_, names)) => names.push(row.name.clone()),
                None => of.push((doubtful, vec![row.name.clone()])),
            }
        }
        let kinds = rows.iter().flat_map(|row| &row.latencies.kinds);
        let kinds = kinds.map(|(_, latencies)| latencies).any(|of| !of.doubtful.is_empty());
        (kinds || !of.is_empty()).then_some(Self::ThinTails { of, kinds })
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

/// In words.
impl Serialize for Warning {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unanswered { names } => {
                write!(f, "no request was answered over {}; it is left out", all_of(names))
            }
            Self::RateNotReached { rate, of } => {
                let told = of.iter().map(|(name, per_second, share)| {
                    format!("{name} answered {} ({})", rounded(*per_second), percent(*share))
                });
                write!(
                    f,
                    "the rate was not reached: of {} requests/s that were due, {}; latencies, \
                     ratios and verdicts there are of a queue that grows as long as a round is, and \
                     not of a request; ask for a lower --rate",
                    rounded(*rate),
                    all_of(&told.collect::<Vec<_>>())
                )
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
            Self::ThinTails { of, kinds } => {
                let mut told: Vec<String> = of
                    .iter()
                    .map(|(percentiles, names)| {
                        format!("{} over {}", all_of(percentiles), all_of(names))
                    })
                    .collect();
                if *kinds {
                    told.push("those of single kinds that have a question mark".to_owned());
                }
                write!(
                    f,
                    "fewer than ten requests lie beyond a percentile with a question mark, so chance \
                     may have moved it: {}",
                    told.join("; ")
                )
            }
            Self::OtherMachine { then, now } => {
                write!(f, "the baseline is of another machine: {then}, and this is {now}")
            }
            Self::NotInBaseline { names } => {
                write!(f, "the baseline has no {}", all_of(names))
            }
        }
    }
}
