//! Numbers as the values of options. What is no such number is told in plain words.

use std::fmt::Display;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::thread;

use clap::builder::TypedValueParser;
use thiserror::Error;

/// As many as there can be, and at least one.
pub(super) const COUNT: RangeInclusive<NonZeroUsize> = NonZeroUsize::MIN..=NonZeroUsize::MAX;

/// Why a value is no number that an option takes.
#[derive(Debug, Error)]
enum NumberError {
    #[error("write a whole number from {least} to {most}")]
    Whole { least: String, most: String },
    #[error("a rate is more than 0: write how many requests a second are due, such as 2000")]
    Rate,
}

/// Reads a whole number of `range`.
pub(super) fn whole<T>(range: RangeInclusive<T>) -> impl TypedValueParser<Value = T>
where
    T: FromStr + PartialOrd + Display + Clone + Send + Sync + 'static,
{
    move |text: &str| match text.parse::<T>() {
        Ok(number) if range.contains(&number) => Ok(number),
        Ok(_) | Err(_) => Err(NumberError::Whole {
            least: range.start().to_string(),
            most: range.end().to_string(),
        }),
    }
}

/// How many threads do the work, where so many are asked for; else one for each core, and one where the
/// number of cores is not known.
pub(super) fn jobs(asked: Option<u16>) -> NonZeroUsize {
    let cores = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    asked.and_then(|jobs| NonZeroUsize::new(jobs.into())).unwrap_or_else(cores)
}

/// Reads how many requests a second are due. Whether so many can be is told with the others.
pub(super) fn rate(text: &str) -> Result<f64, impl std::error::Error + Send + Sync + use<>> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 => Ok(rate),
        Ok(_) | Err(_) => Err(NumberError::Rate),
    }
}
