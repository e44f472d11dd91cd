//! What may go wrong, in words: `loss=0.02,duplicate=0.01,reorder`, and `partition,crash`, as they
//! are read too; and what of a schedule is told.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

use super::fault::{
    Crash, FaultKind, MessageName, Nemesis, NemesisKind, Partition, Rate, Rates, ScheduledFault,
    Slowness,
};
use super::latency::{LatencyError, Link, parse_span, show_span};
use crate::model::listed;

/// A text that says no rates.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RatesError {
    /// Something that happens to no message.
    #[error(
        "'{found}' happens to no message; use none, or some of loss=0.02, duplicate=0.01 and reorder with commas between"
    )]
    Unknown {
        /// The word.
        found: String,
    },
    /// One thing has two rates.
    #[error("'{word}' is there twice; keep one of the two")]
    Twice {
        /// The word.
        word: &'static str,
    },
    /// A word stands without its rate.
    #[error("'{word}' needs a rate, from 0 to 1: {word}=0.02")]
    NoRate {
        /// The word.
        word: &'static str,
    },
    /// A rate is none.
    #[error("{0}")]
    Rate(#[from] RateError),
}

/// A text that is no rate.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("'{found}' is no rate; write a number from 0 to 1 with at most six decimals, such as 0.02")]
pub struct RateError {
    /// The text.
    pub found: String,
}

/// What a nemesis does: one thing at least, and none twice. Text: `partition,crash`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NemesisKinds(Vec<NemesisKind>);

/// What is no list of what a nemesis does.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NemesisError {
    /// It does nothing.
    #[error("a nemesis does something; use some of partition, crash, amnesia and slow")]
    Nothing,
    /// It does not do that.
    #[error(
        "'{found}' is nothing that a nemesis does; use some of partition, crash, amnesia and slow with commas between"
    )]
    Unknown {
        /// The word.
        found: String,
    },
    /// One thing is there twice.
    #[error("'{word}' is there twice; keep one of the two")]
    Twice {
        /// The word.
        word: &'static str,
    },
}

/// What is no time between two things that a nemesis does.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IntervalError {
    /// It is no span of time.
    #[error(transparent)]
    Span(#[from] LatencyError),
    /// It is too short.
    #[error("'{found}' is too often; a nemesis strikes every 1ms on average at most")]
    TooShort {
        /// The text.
        found: String,
    },
}

impl Rate {
    /// How often messages are reordered where no rate is given: one in ten.
    pub const REORDER: Self = match Self::from_millionths(Self::ONE / 10) {
        Some(rate) => rate,
        None => panic!("it is less than one"),
    };

    /// The decimals of a millionth.
    const DECIMALS: usize = 6;
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let error = || RateError { found: text.to_owned() };
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let are_digits =
            |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        if !are_digits(whole) || !are_digits(part) || part.len() > Self::DECIMALS {
            return Err(error());
        }
        let number = |digits: &str| digits.parse::<u32>().map_err(|_| error());
        let millionths = number(&format!("{part:0<width$}", width = Self::DECIMALS))?;
        let ones = number(whole)?.checked_mul(Self::ONE).ok_or_else(error)?;
        let rate = ones.checked_add(millionths).and_then(Self::from_millionths);
        rate.ok_or_else(error)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ones, rest) = (self.millionths() / Self::ONE, self.millionths() % Self::ONE);
        let text = format!("{ones}.{rest:0width$}", width = Self::DECIMALS);
        f.pad(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl Rates {
    const WORDS: [FaultKind; 3] = [FaultKind::Loss, FaultKind::Duplicate, FaultKind::Reorder];

    fn each(&mut self) -> [&mut Rate; 3] {
        [&mut self.loss, &mut self.duplicate, &mut self.reorder]
    }
}

impl FromStr for Rates {
    type Err = RatesError;

    fn from_str(text: &str) -> Result<Self, RatesError> {
        let (mut rates, mut said) = (Self::default(), Vec::new());
        if text == "none" {
            return Ok(rates);
        }
        for part in text.split(',').map(str::trim) {
            let (found, rate) = part
                .split_once('=')
                .map_or((part, None), |(found, rate)| (found.trim_end(), Some(rate.trim_start())));
            let kind = Self::WORDS.into_iter().find(|kind| kind.word() == found);
            let kind = kind.ok_or_else(|| RatesError::Unknown { found: found.to_owned() })?;
            let word = kind.word();
            if said.contains(&word) {
                return Err(RatesError::Twice { word });
            }
            said.push(word);
            let rate = match rate {
                Some(rate) => rate.parse()?,
                None if kind == FaultKind::Reorder => Rate::REORDER,
                None => return Err(RatesError::NoRate { word }),
            };
            let each = Self::WORDS.into_iter().zip(rates.each());
            each.filter(|(of, _)| *of == kind).for_each(|(_, into)| *into = rate);
        }
        Ok(rates)
    }
}

/// As it is read; `none` where nothing happens.
impl fmt::Display for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rates = *self;
        let said = Self::WORDS.into_iter().zip(rates.each());
        let said = said.filter(|(_, rate)| **rate != Rate::default());
        let said: Vec<_> = said.map(|(kind, rate)| format!("{kind}={rate}")).collect();
        f.pad(&if said.is_empty() { "none".to_owned() } else { said.join(",") })
    }
}

impl NemesisKinds {
    /// These.
    pub fn new(kinds: Vec<NemesisKind>) -> Result<Self, NemesisError> {
        if kinds.is_empty() {
            return Err(NemesisError::Nothing);
        }
        let twice = |(place, kind): (usize, &NemesisKind)| kinds[..place].contains(kind);
        match kinds.iter().enumerate().find(|&kind| twice(kind)) {
            Some((_, kind)) => Err(NemesisError::Twice { word: kind.word() }),
            None => Ok(Self(kinds)),
        }
    }

    /// One after the other.
    pub fn kinds(&self) -> &[NemesisKind] {
        &self.0
    }
}

impl FromStr for NemesisKinds {
    type Err = NemesisError;

    fn from_str(text: &str) -> Result<Self, NemesisError> {
        let kind =
            |word: &str| word.parse().map_err(|_| NemesisError::Unknown { found: word.to_owned() });
        Self::new(text.split(',').map(str::trim).map(kind).collect::<Result<_, _>>()?)
    }
}

impl fmt::Display for NemesisKinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self.0.iter().map(|kind| kind.word()).collect();
        f.pad(&words.join(","))
    }
}

impl Nemesis {
    /// How long it is from one thing to the next on average, if nothing else is said.
    pub const INTERVAL: Duration = Duration::from_millis(50);

    /// How long each lasts on average, if nothing else is said.
    pub const DURATION: Duration = Duration::from_millis(20);

    /// The shortest interval: a shorter one would keep the bank from all else.
    const INTERVAL_LEAST: Duration = Duration::from_millis(1);

    /// Reads an interval.
    pub fn parse_interval(text: &str) -> Result<Duration, IntervalError> {
        let span = parse_span(text)?;
        if span < Self::INTERVAL_LEAST {
            return Err(IntervalError::TooShort { found: text.to_owned() });
        }
        Ok(span)
    }
}

/// What is done so often, for so long.
impl fmt::Display for Nemesis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kinds, interval, duration } = self;
        let kinds = NemesisKinds(kinds.clone());
        let [interval, duration] = [interval, duration].map(|&span| show_span(span));
        write!(f, "{kinds} every {interval} for {duration}")
    }
}

/// Which it is: `the crash of branch 1 at 5.000 ms`.
impl fmt::Display for ScheduledFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Partition(Partition { sides, one_way, at, .. }) => {
                let sides: Vec<_> = sides.iter().map(|side| listed(side.iter())).collect();
                let one_way = if *one_way { "one-way " } else { "" };
                write!(f, "the {one_way}partition of {} at {at}", sides.join(" from "))
            }
            Self::Crash(Crash { branch, at, .. }) => {
                write!(f, "the crash of branch {branch} at {at}")
            }
            Self::Slow(Slowness { branch, at, .. }) => {
                write!(f, "the slowness of branch {branch} at {at}")
            }
            Self::Message { name, .. } => write!(f, "the fate of {name}"),
        }
    }
}

/// `propagate of event 3 of customer 1, from branch 1 to 2, attempt 2`.
impl fmt::Display for MessageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, event, link: Link { from, to }, attempt } = self;
        write!(f, "{kind}")?;
        if let Some((customer, event)) = event {
            write!(f, " of event {event} of customer {customer}")?;
        }
        write!(f, ", from branch {from} to {to}, attempt {attempt}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_exact_and_written_as_they_are_read() {
        for text in ["none", "loss=0.02", "loss=0.02,duplicate=0.01,reorder=0.1", "reorder=1"] {
            assert_eq!(text.parse::<Rates>().unwrap().to_string(), text);
        }
        for millionths in [0, 1, 10, 99_999, 100_000, 123_456, 999_999, 1_000_000] {
            let rate = Rate::from_millionths(millionths).unwrap();
            assert_eq!(rate.to_string().parse(), Ok(rate), "{rate}");
        }
        let read: Rates = "reorder, duplicate = 0.000001".parse().unwrap();
        assert_eq!((read.reorder.millionths(), read.duplicate.millionths()), (100_000, 1));
    }

    #[test]
    fn what_is_no_rate_is_refused_with_what_to_write() {
        let told = |text: &str| text.parse::<Rates>().unwrap_err().to_string();
        for no_rate in ["1.000001", "2", "-0.1", "0.0000001", "1e-3", ".5", "5.", "x", "", "0,5"] {
            let text = format!("loss={no_rate}");
            assert!(text.parse::<Rates>().is_err(), "{text}");
        }
        assert_eq!(
            told("loss=2"),
            "'2' is no rate; write a number from 0 to 1 with at most six decimals, such as 0.02"
        );
        assert_eq!(told("loss"), "'loss' needs a rate, from 0 to 1: loss=0.02");
        assert_eq!(told("loss=0.1,loss=0.2"), "'loss' is there twice; keep one of the two");
        for text in ["", "lost=0.1", "loss=0.1,", "partition", "none,reorder"] {
            assert!(told(text).contains("happens to no message; use none, or some of loss=0.02"));
        }
    }

    #[test]
    fn what_a_nemesis_does_is_named_once_each() {
        for text in ["partition", "crash,partition", "partition,crash,amnesia,slow"] {
            assert_eq!(text.parse::<NemesisKinds>().unwrap().to_string(), text);
        }
        let told = |text: &str| text.parse::<NemesisKinds>().unwrap_err().to_string();
        assert_eq!(told("slow, crash,slow"), "'slow' is there twice; keep one of the two");
        assert_eq!(
            told("crash,loss"),
            "'loss' is nothing that a nemesis does; use some of partition, crash, amnesia and \
             slow with commas between"
        );
        assert_eq!(NemesisKinds::new(Vec::new()), Err(NemesisError::Nothing));
        for word in NemesisKind::ALL {
            assert!(NemesisError::Nothing.to_string().contains(word.word()));
        }
    }

    #[test]
    fn an_interval_leaves_time_for_something_else() {
        assert_eq!(Nemesis::parse_interval("1ms"), Ok(Duration::from_millis(1)));
        let told = |text| Nemesis::parse_interval(text).unwrap_err().to_string();
        assert_eq!(
            told("999us"),
            "'999us' is too often; a nemesis strikes every 1ms on average at most"
        );
        assert!(told("soon").contains("no span of time"));
    }
}
