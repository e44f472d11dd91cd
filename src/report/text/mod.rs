//! The report that a person reads: aligned, coloured by ANSI codes that the caller strips where
//! they are not wanted, and cut in the middle where it would be a flood.

mod closing;
mod events;
mod messages;
mod opening;
mod report;
#[cfg(test)]
mod snapshots;
mod steps;
mod verbosity;
mod verdicts;
mod weather;

pub use report::{Telling, write};
pub use verbosity::{EventOrder, Verbosity, recording};
pub(in crate::report) use verdicts::{FoundBy, all as verdicts, broken, violated};
