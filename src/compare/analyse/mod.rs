//! The conclusions of a comparison: distributions, intervals, what changed, and what to doubt.

mod baseline;
mod distribution;
mod ladder;
pub(crate) mod name;
pub(crate) mod number;
mod report;
mod row;
mod statistics;
mod student;
mod warning;

pub use baseline::{Baseline, BaselineError, Earlier};
pub(crate) use distribution::{Distribution, PERCENTILES, Percentile, Point};
pub(crate) use ladder::{Ladder, Step};
pub(crate) use name::{KINDS, all_of, kind};
pub(crate) use number::{about, latency, percent, range, rounded, significant, times};
pub use report::Report;
pub(crate) use row::{PerRequest, Row};
pub use statistics::{Interval, Ratio, Verdict};
