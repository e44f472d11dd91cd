//! A row of a batch: the result of one scenario.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Packing;
use crate::check::{ByProperty, Overall, Strictness, Verdict};
use crate::model::number::{count, micros};
use crate::model::{Dialect, Seed, Versions, words};
use crate::network::FaultCounts;
use crate::report::words::{branches, verb};
use crate::report::{Agreement, Assessment, Difference, Seen};
use crate::run::{RequestCounts, RunResult};
use crate::scenario::{BalanceRow, Level, Output, Warning};

/// The formats of the rows that are read.
pub(super) const FORMATS: Versions = Versions {
    what: "a row",
    oldest: FIRST_FORMAT,
    newest: FORMAT,
    otherwise: "use the passbook that made it",
};
/// The format of the rows that are made here.
pub(super) const FORMAT: u64 = 2;
/// The format of rows that do not say theirs.
pub(super) const FIRST_FORMAT: u64 = 1;

/// The version of this passbook.
pub(super) const PASSBOOK: &str = env!("CARGO_PKG_VERSION");

/// Which scenario of a batch a row is of, how it was run, and how long it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowHead {
    /// Its place in the whole input, from 1, counted before anything is filtered or partitioned.
    pub number: u64,
    /// Where it stands: a path, and the line where the file has a scenario a line.
    pub place: String,
    /// How the file is packed that it is a line of; `None` if it is not, or is a file of its own.
    pub packed: Option<Packing>,
    /// The options after `passbook run` that run it again as it was.
    pub options: Arc<str>,
    /// How long it took to read and run it, in real time.
    pub took: Duration,
}

words! {
    /// Which kind of line a row is, as it says itself.
    #[derive(Default)]
    #[non_exhaustive]
    pub enum RowKind {
        /// The result of one scenario.
        #[default]
        Scenario = "scenario",
    }
}

/// The result of one scenario of a batch. `docs/RESULTS.md` says how it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// That it is a row.
    pub kind: RowKind,
    /// Which format it has, from 1. Of the first, it does not say which options it was run with,
    /// how its file is packed, how many writes were refused, and which passbook made it.
    #[serde(default = "first_format", skip_serializing_if = "is_first")]
    pub format: u64,
    /// Its place in the whole input, from 1, counted before anything is filtered or partitioned.
    pub number: u64,
    /// Where it stands: a path, and the line where the file has a scenario a line.
    pub place: String,
    /// How the file is packed that it is a line of; `None` if it is not, or is a file of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packed: Option<Packing>,
    /// What it is called; `None` if it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its result.
    pub status: Status,
    /// Whether the customers saw what was expected; `None` where nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<bool>,
    /// What the judge says, a word each; `None` if it was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdicts: Option<ByProperty<Overall>>,
    /// The balance that each customer was told last; none if it did not run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub balances: Vec<BalanceRow>,
    /// How much there was of everything; `None` if it did not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// How often each kind of fault struck, where things were to go wrong on purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub faults: Option<Box<FaultCounts>>,
    /// What its reader warns of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// How long it took to read and run it, in real time.
    pub microseconds: u64,
    /// What is wrong: the input, the result that was not expected, the first violation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What of an expected result is understood otherwise than it stands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What its chances were drawn from; `None` if it did not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<Seed>,
    /// The options after `passbook run` that run it again as it was; `None` in the first format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Arc<str>>,
    /// The version of the passbook that made it; `None` in the first format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passbook: Option<Cow<'static, str>>,
}

words! {
    /// The result of a scenario, in one word. The worse wins.
    #[derive(PartialOrd, Ord)]
    #[non_exhaustive]
    pub enum Status {
        /// Everything is as it should be.
        Holds = "holds",
        /// Nothing could be decided.
        Undecided = "undecided",
        /// The customers saw something else than expected.
        Unexpected = "unexpected",
        /// The judge objects, or the branches disagree at the end.
        Violated = "violated",
        /// The scenario is wrong, or could not be run.
        Error = "error",
    }
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
    /// Requests whose outcome was not known when they ended.
    pub unknown: u64,
    /// How many of the requests that the bank did not do are writes; `None` in the first format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_writes: Option<u64>,
}

impl Row {
    /// The row of a scenario that ran. `demand` says how much must have been tested.
    pub fn of(
        head: RowHead,
        result: &RunResult,
        assessment: &Assessment,
        demand: Strictness,
    ) -> Self {
        let status = Status::of(assessment, demand);
        let balances = match result.output(Dialect::Balances) {
            Output::Balances(balances) => balances,
            Output::Events(_) | Output::Customers(_) | Output::Classic(_) => Vec::new(),
        };
        Self {
            name: Some(result.scenario.clone()),
            status,
            expected: assessment.differences.as_ref().map(Vec::is_empty),
            verdicts: assessment.verdicts.as_ref().map(|of| of.by_property.map(Verdict::summary)),
            balances,
            counts: Some(Counts::of(result)),
            faults: result.weather.as_ref().map(|weather| Box::new(weather.struck.counts)),
            problem: match status {
                Status::Holds | Status::Undecided | Status::Error => None,
                Status::Unexpected => unexpected(assessment),
                Status::Violated => violated(result, assessment),
            },
            seed: Some(result.config.seed),
            ..Self::begun(head)
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
        Self { name, problem: Some(problem), ..Self::begun(head) }
    }

    /// The row of a scenario of which nothing is known yet.
    fn begun(head: RowHead) -> Self {
        let RowHead { number, place, packed, options, took } = head;
        Self {
            kind: RowKind::Scenario,
            format: FORMAT,
            number,
            place,
            packed,
            name: None,
            status: Status::Error,
            expected: None,
            verdicts: None,
            balances: Vec::new(),
            counts: None,
            faults: None,
            warnings: Vec::new(),
            notes: Vec::new(),
            microseconds: micros(took),
            problem: None,
            seed: None,
            options: Some(options),
            passbook: Some(Cow::Borrowed(PASSBOOK)),
        }
    }
}

pub(super) const fn first_format() -> u64 {
    FIRST_FORMAT
}

fn is_first(format: &u64) -> bool {
    *format == FIRST_FORMAT
}

impl Status {
    /// Whether somebody must look at it.
    pub const fn is_failure(self) -> bool {
        match self {
            Self::Holds | Self::Undecided => false,
            Self::Unexpected | Self::Violated | Self::Error => true,
        }
    }

    fn of(assessment: &Assessment, demand: Strictness) -> Self {
        let judged = assessment.verdicts.as_ref().map(|verdicts| verdicts.overall(demand));
        if judged == Some(Overall::Violated) || !assessment.agreement.is_whole() {
            return Self::Violated;
        }
        match assessment.verdict(demand) {
            Overall::Holds => Self::Holds,
            Overall::Undecided => Self::Undecided,
            Overall::Violated => Self::Unexpected,
        }
    }
}

impl Counts {
    fn of(result: &RunResult) -> Self {
        let requests = RequestCounts::of(&result.customers);
        Self {
            branches: count(result.branches.len()),
            customers: count(result.customers.len()),
            writes: requests.writes.total(),
            queries: requests.queries.total(),
            refused: requests.refused(),
            unknown: requests.unknown(),
            refused_writes: Some(requests.writes.refused),
        }
    }
}

/// The witness of the first property that is violated; without one, which branches differ.
fn violated(result: &RunResult, assessment: &Assessment) -> Option<String> {
    let judged = assessment.verdicts.as_ref();
    let witness = judged.and_then(|verdicts| {
        verdicts.iter().find_map(|(property, verdict)| {
            verdict.witness().map(|witness| format!("{property}: {witness}"))
        })
    });
    witness.or_else(|| {
        let Agreement { dissenters, .. } = &assessment.agreement;
        let first = result.branches.first()?.id;
        let differ = verb(dissenters.len(), "differ");
        Some(format!("at the end {} {differ} from branch {first}", branches(dissenters)))
    })
}

/// The first difference from the expected result.
fn unexpected(assessment: &Assessment) -> Option<String> {
    assessment.differences.as_ref()?.first().map(in_words)
}

fn in_words(difference: &Difference) -> String {
    let seen = |seen: Option<Seen>| seen.map_or("nothing".to_owned(), |seen| seen.to_string());
    format!("{difference}: expected {}, got {}", seen(difference.expected), seen(difference.got))
}

#[cfg(test)]
mod tests {
    use super::super::row::{Row, RowHead, Status};
    use super::*;
    use crate::check::Strictness;
    use crate::model::Money;
    use crate::report::fixture::Bank;

    #[test]
    fn branches_that_differ_are_a_violation_even_where_nobody_judges() {
        let mut result = Bank::new("odd", 3).deposit(1, 1, 10, 1).run().result;
        result.branches[1].balance = Money::ZERO;
        let head = RowHead {
            number: 1,
            place: "odd.json".to_owned(),
            packed: None,
            options: "".into(),
            took: Default::default(),
        };
        let row = Row::of(head, &result, &Assessment::of(&result), Strictness::Anything);
        assert_eq!(row.status, Status::Violated);
        assert_eq!(row.problem.as_deref(), Some("at the end branch 2 differs from branch 1"));
    }
}
