//! Judges the session guarantees, and what the whole bank owes, from a history alone.
//!
//! Terry et al., "Session Guarantees for Weakly Consistent Replicated Data", 1994; in plain words
//! in `docs/GUARANTEES.md`. Knows nothing of the bank that made the history: no version vector,
//! no passbook, and no opinion of the bank about itself.

mod bank_sentence;
mod bank_wide;
mod cause;
mod claims;
mod closed;
mod early;
mod error;
mod file;
mod findings;
#[cfg(feature = "cli")]
pub(crate) mod foreign;
mod guarantees;
mod index;
mod judge;
mod ledger;
mod logs;
mod memory;
mod messages;
mod options;
mod origins;
mod overdraft;
mod owed;
mod partitions;
mod property;
mod reach;
mod receptions;
mod sentence;
mod sessions;
mod settles;
mod test_counter;
mod verdict;
mod witness;
mod writes;

pub use error::{InvalidHistory, JudgeError};
#[cfg(feature = "cli")]
pub(crate) use file::judge_and_keep;
pub use file::{CheckError, judge_history};
pub use judge::{Judge, judge, judge_cut_off};
pub use options::{Case, JudgeOptions, Lines, StepsKept};
pub use property::{ByProperty, Property};
pub use verdict::{
    FailedStep, Overall, OverallCounts, Split, Strictness, Undecided, Verdict, Verdicts, Violation,
};
pub use witness::{FactPlace, Promised, Step, Witness, WitnessKind};
