//! Running a scenario that came in a call. Who runs it is told from outside: the edge knows no
//! scenarios.

use std::any::Any;
use std::fmt;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use thiserror::Error;

use crate::grpc::convert::{self, FieldError};
use crate::grpc::proto::v1;
use crate::grpc::proto::v1::run_scenario_response::Item;
use crate::history::Recorded;
use crate::model::{CustomerOrder, Guarantees, Overdraft, Propagation, QueryTiming, Seed};

/// Runs a scenario to its end, or until it is told to stop; called on a thread of its own.
pub type ScenarioRunner =
    dyn Fn(ScenarioJob, &AtomicBool) -> Result<ScenarioDone, ScenarioFault> + Send + Sync + 'static;

/// A report of more bytes is sent in parts: clients accept messages of 4 MiB.
const REPORT_BYTES_MAX: usize = 4_000_000;

/// How many bytes such a part has at most.
const PART_BYTES_MAX: usize = 32 << 10;

/// A scenario to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioJob {
    /// The scenario, in any input dialect.
    pub text: String,
    /// Overrides what it says.
    pub propagation: Option<Propagation>,
    /// Overrides what it says.
    pub guarantees: Option<Guarantees>,
    /// Overrides what it says.
    pub overdraft: Option<Overdraft>,
    /// Overrides what it says.
    pub customers: Option<CustomerOrder>,
    /// Overrides what it says.
    pub queries: Option<QueryTiming>,
    /// Overrides what it says.
    pub seed: Option<Seed>,
}

/// A scenario that was run.
#[derive(Debug)]
pub struct ScenarioDone {
    /// Its name.
    pub name: String,
    /// What chances were drawn from.
    pub seed: Seed,
    /// What happened.
    pub facts: Vec<Recorded>,
    /// How the result compares with what the scenario expects.
    pub expectation: Expectation,
    /// The full report, as JSON.
    pub json: String,
    /// Its share of the memory of all, given back when this is dropped.
    pub memory: Box<dyn Any + Send>,
}

/// How a result compares with what its scenario expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expectation {
    /// The scenario expects nothing in particular.
    None,
    /// It is the expected one.
    Met,
    /// It is another.
    NotMet,
}

/// Why a scenario was not run to its end.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ScenarioFault {
    /// It is not right.
    #[error("{0}")]
    Input(InputFault),
    /// It is right, and there is not the memory for it.
    #[error("{0}")]
    TooLarge(String),
    /// It is right, and has more events than are run.
    #[error(
        "{branches} branches times {events} events: {most} are run at most; use fewer branches or \
         events, or allow more with --scenario-events-max"
    )]
    TooManyEvents {
        /// Its branches.
        branches: usize,
        /// Its events.
        events: usize,
        /// The limit.
        most: u64,
    },
    /// It is right, and its run took too long.
    #[error(
        "stopped after {limit:?}; use fewer branches or events, or allow more with --scenario-time-max"
    )]
    TooLong {
        /// The limit.
        limit: Duration,
    },
    /// Too many are run, or read, at the same time.
    #[error("{most} scenarios are run at the same time, and so many are; try again later")]
    Crowded {
        /// The limit.
        most: usize,
    },
    /// It is right, and the run failed.
    #[error("{0}")]
    Run(String),
}

/// What is wrong with a scenario, where, and what helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFault {
    /// Where it is, if it is at one place.
    pub place: Option<InputPlace>,
    /// What is wrong, with the path in the document.
    pub problem: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// A place in a text; both count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputPlace {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl fmt::Display for InputFault {
    /// On one line: `2:41: [0].balance: …; help: …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(InputPlace { line, column }) = self.place {
            write!(f, "{line}:{column}: ")?;
        }
        f.write_str(&self.problem)?;
        match &self.help {
            Some(help) => write!(f, "; help: {help}"),
            None => Ok(()),
        }
    }
}

impl TryFrom<v1::RunScenarioRequest> for ScenarioJob {
    type Error = FieldError;

    fn try_from(request: v1::RunScenarioRequest) -> Result<Self, FieldError> {
        Ok(Self {
            propagation: convert::propagation("propagation", request.propagation)?,
            guarantees: convert::guarantees("guarantees", request.guarantees.as_ref())?,
            overdraft: convert::overdraft("overdraft", request.overdraft)?,
            customers: convert::customers("customers", request.customers)?,
            queries: convert::queries("queries", request.queries)?,
            seed: request.seed.map(Seed),
            text: request.scenario,
        })
    }
}

impl ScenarioDone {
    /// What the call answers, in order, and the memory that it takes until the last is sent.
    pub(super) fn into_items(
        self,
    ) -> (impl Iterator<Item = v1::RunScenarioResponse>, Box<dyn Any + Send>) {
        let expectation = match self.expectation {
            Expectation::None => v1::Expectation::Unspecified,
            Expectation::Met => v1::Expectation::Met,
            Expectation::NotMet => v1::Expectation::NotMet,
        };
        let (json, in_parts) = match self.json.len() > REPORT_BYTES_MAX {
            true => (String::new(), self.json),
            false => (self.json, String::new()),
        };
        let report = v1::RunReport {
            scenario: self.name,
            seed: self.seed.0,
            expectation: expectation.into(),
            json,
        };
        let facts = self.facts.into_iter().map(|recorded| Item::Fact(v1::Fact::from(&recorded)));
        let items = facts
            .chain(parts(in_parts).map(Item::ReportJsonPart))
            .chain(std::iter::once(Item::Report(report)))
            .map(|item| v1::RunScenarioResponse { item: Some(item) });
        (items, self.memory)
    }
}

/// `text` in parts, in order, each made when it is asked for.
fn parts(text: String) -> impl Iterator<Item = String> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let end = text.floor_char_boundary(start + PART_BYTES_MAX);
        let part = text[start..end].to_owned();
        start = end;
        (!part.is_empty()).then_some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_report_comes_in_parts_that_make_it_up() {
        // Three bytes each, so that no part ends at its limit.
        let text = "€".repeat(30_000);
        let cut: Vec<String> = parts(text.clone()).collect();
        let lengths: Vec<usize> = cut.iter().map(String::len).collect();
        assert_eq!(lengths, [32_766, 32_766, 24_468]);
        assert_eq!(cut.concat(), text);
        assert_eq!(parts(String::new()).count(), 0);
    }
}
