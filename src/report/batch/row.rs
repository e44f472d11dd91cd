//! A row of a batch: what one scenario came to.

use serde::{Deserialize, Serialize};

use crate::check::Summary;
use crate::scenario::BalanceRow;

/// What one scenario of a batch came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its place in the whole input, from 1, counted before anything is filtered or partitioned.
    pub number: u64,
    /// Where it stands: a path, and the line where the file has a scenario a line.
    pub place: String,
    /// What it is called; `None` if it could not be read.
    pub name: Option<String>,
    /// What it came to.
    pub status: Status,
    /// Whether the customers saw what was expected; `None` where nothing was.
    pub expected: Option<bool>,
    /// What the judge says; `None` if it was not asked.
    pub verdicts: Option<RowVerdicts>,
    /// The balance of each customer after its last event.
    pub balances: Vec<BalanceRow>,
    /// How much there was of everything.
    pub counts: Counts,
    /// How long it took to read and run it, in real time.
    pub microseconds: u64,
    /// What is wrong: the input, the result that was not expected, the first violation.
    pub problem: Option<String>,
}

/// What a scenario came to, in one word. The worse wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Everything is as it should be.
    Holds,
    /// Nothing could be decided.
    Undecided,
    /// The customers saw something else than expected.
    Unexpected,
    /// The judge objects, or the branches disagree at the end.
    Violated,
    /// The scenario is wrong, or could not be run.
    Error,
}

/// The judge's verdicts, a word each, with the keys of a JSON report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowVerdicts {
    /// Read your writes.
    pub read_your_writes: Summary,
    /// Monotonic reads.
    pub monotonic_reads: Summary,
    /// Monotonic writes.
    pub monotonic_writes: Summary,
    /// Writes follow reads.
    pub writes_follow_reads: Summary,
    /// Balances.
    pub balances: Summary,
    /// Convergence.
    pub convergence: Summary,
    /// Exactly once.
    pub exactly_once: Summary,
}

/// How much there was of everything in a scenario.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Branches.
    pub branches: u64,
    /// Customers.
    pub customers: u64,
    /// Deposits and withdrawals that were asked for.
    pub writes: u64,
    /// Queries that were asked.
    pub queries: u64,
    /// Requests that the bank did not do.
    pub refused: u64,
    /// Requests whose outcome nobody knew when they ended.
    pub unknown: u64,
}
