//! A row of a batch: what one scenario came to.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::problem;
use crate::check::{Demand, Property, Summary, Verdict, Verdicts};
use crate::model::Operation;
use crate::report::Assessment;
use crate::report::ending::Ending;
use crate::runner::{Dialect, RunResult};
use crate::scenario::{BalanceRow, Level, Output, Warning};

/// Which scenario of a batch a row is of, and how long it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowHead {
    /// Its place in the whole input, from 1, counted before anything is filtered or partitioned.
    pub number: u64,
    /// Where it stands: a path, and the line where the file has a scenario a line.
    pub place: String,
    /// How long it took to read and run it, in real time.
    pub took: Duration,
}

/// What one scenario of a batch came to. `docs/RESULTS.md` says how it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its place in the whole input, from 1, counted before anything is filtered or partitioned.
    pub number: u64,
    /// Where it stands: a path, and the line where the file has a scenario a line.
    pub place: String,
    /// What it is called; `None` if it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it came to.
    pub status: Status,
    /// Whether the customers saw what was expected; `None` where nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<bool>,
    /// What the judge says; `None` if it was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdicts: Option<RowVerdicts>,
    /// The balance that each customer was told last; none if it did not run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub balances: Vec<BalanceRow>,
    /// How much there was of everything; `None` if it did not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// How long it took to read and run it, in real time.
    pub microseconds: u64,
    /// What is wrong: the input, the result that was not expected, the first violation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What is odd in the input, though not wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// What of an expected result is understood otherwise than it stands.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// No overdraft; `None` where it was not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_overdraft: Option<Summary>,
}

/// How much there was of everything in a scenario.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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

impl Row {
    /// The row of a scenario that ran. `demand` says how much must have been tested.
    pub fn of(head: RowHead, result: &RunResult, assessment: &Assessment, demand: Demand) -> Self {
        let status = Status::of(assessment, demand);
        let balances = match result.output(Dialect::Balances) {
            Output::Balances(balances) => balances,
            Output::Events(_) | Output::Customers(_) | Output::Classic(_) => Vec::new(),
        };
        Self {
            number: head.number,
            place: head.place,
            name: Some(result.scenario.clone()),
            status,
            expected: assessment.differences.as_ref().map(Vec::is_empty),
            verdicts: assessment.verdicts.as_ref().map(RowVerdicts::of),
            balances,
            counts: Some(Counts::of(result)),
            microseconds: microseconds(head.took),
            problem: problem::of(status, result, assessment),
            warnings: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The same row, with what is said of the scenario as it was read.
    #[must_use]
    pub fn with_warnings(mut self, warnings: Vec<Warning>) -> Self {
        for Warning { level, message } in warnings {
            match level {
                Level::Warning => self.warnings.push(message),
                Level::Note => self.notes.push(message),
            }
        }
        self
    }

    /// The row of a scenario that is wrong or could not be run: `problem` says why, and where, on
    /// one line. `name` is what it is called, if that is known.
    pub fn failed(head: RowHead, name: Option<String>, problem: String) -> Self {
        Self {
            number: head.number,
            place: head.place,
            name,
            status: Status::Error,
            expected: None,
            verdicts: None,
            balances: Vec::new(),
            counts: None,
            microseconds: microseconds(head.took),
            problem: Some(problem),
            warnings: Vec::new(),
            notes: Vec::new(),
        }
    }
}

fn microseconds(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

impl Status {
    /// All of them, from good to bad.
    pub const ALL: [Self; 5] =
        [Self::Holds, Self::Undecided, Self::Unexpected, Self::Violated, Self::Error];

    /// Its word in a result file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Undecided => "undecided",
            Self::Unexpected => "unexpected",
            Self::Violated => "violated",
            Self::Error => "error",
        }
    }

    /// Whether somebody must look at it.
    pub const fn is_failure(self) -> bool {
        match self {
            Self::Holds | Self::Undecided => false,
            Self::Unexpected | Self::Violated | Self::Error => true,
        }
    }

    fn of(assessment: &Assessment, demand: Demand) -> Self {
        let judged = assessment.verdicts.as_ref().map(|verdicts| verdicts.overall(demand));
        if judged == Some(Summary::Violated) || !assessment.agreement.is_whole() {
            return Self::Violated;
        }
        match assessment.verdict(demand) {
            Summary::Holds => Self::Holds,
            Summary::Undecided => Self::Undecided,
            Summary::Violated => Self::Unexpected,
        }
    }
}

/// The keys of the verdicts, in the order of [`RowVerdicts::words`].
pub(super) const VERDICT_KEYS: [&str; 8] = [
    Property::ReadYourWrites.key(),
    Property::MonotonicReads.key(),
    Property::MonotonicWrites.key(),
    Property::WritesFollowReads.key(),
    Property::Balances.key(),
    Property::Convergence.key(),
    Property::ExactlyOnce.key(),
    Property::NoOverdraft.key(),
];

impl RowVerdicts {
    /// A word each; `None` where it was not judged.
    pub(super) const fn words(self) -> [Option<Summary>; 8] {
        [
            Some(self.read_your_writes),
            Some(self.monotonic_reads),
            Some(self.monotonic_writes),
            Some(self.writes_follow_reads),
            Some(self.balances),
            Some(self.convergence),
            Some(self.exactly_once),
            self.no_overdraft,
        ]
    }

    fn of(verdicts: &Verdicts) -> Self {
        Self {
            read_your_writes: verdicts.read_your_writes.summary(),
            monotonic_reads: verdicts.monotonic_reads.summary(),
            monotonic_writes: verdicts.monotonic_writes.summary(),
            writes_follow_reads: verdicts.writes_follow_reads.summary(),
            balances: verdicts.balances.summary(),
            convergence: verdicts.convergence.summary(),
            exactly_once: verdicts.exactly_once.summary(),
            no_overdraft: verdicts.no_overdraft.as_ref().map(Verdict::summary),
        }
    }
}

impl Counts {
    fn of(result: &RunResult) -> Self {
        let length = |items: usize| u64::try_from(items).unwrap_or(u64::MAX);
        let branches = length(result.branches.len());
        let mut counts =
            Self { branches, customers: length(result.customers.len()), ..Self::default() };
        for request in result.customers.iter().flat_map(|customer| &customer.requests) {
            match request.operation {
                Operation::Write(_) => counts.writes += 1,
                Operation::Query => counts.queries += 1,
            }
            match Ending::of(&request.outcome) {
                Ending::Ok => {}
                Ending::Refused => counts.refused += 1,
                Ending::Unknown => counts.unknown += 1,
            }
        }
        counts
    }
}
