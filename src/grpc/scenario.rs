//! Running a scenario that came in a call. Who runs it is told from outside: the edge knows no
//! scenarios.

use std::fmt;

use thiserror::Error;

use super::convert::{self, FieldError};
use super::proto::v1;
use super::proto::v1::run_scenario_response::Item;
use crate::history::Recorded;
use crate::model::{CustomerOrder, Guarantees, Overdraft, Propagation, QueryTiming, Seed};

/// Runs a scenario to its end; called on a thread of its own.
pub type ScenarioRunner =
    dyn Fn(ScenarioJob) -> Result<ScenarioDone, ScenarioFault> + Send + Sync + 'static;

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
#[derive(Debug, Clone)]
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
    /// What the call answers, in order.
    pub(super) fn items(self) -> impl Iterator<Item = v1::RunScenarioResponse> {
        let expectation = match self.expectation {
            Expectation::None => v1::Expectation::Unspecified,
            Expectation::Met => v1::Expectation::Met,
            Expectation::NotMet => v1::Expectation::NotMet,
        };
        let report = v1::RunReport {
            scenario: self.name,
            seed: self.seed.0,
            expectation: expectation.into(),
            json: self.json,
        };
        let facts = self.facts.into_iter().map(|recorded| Item::Fact(v1::Fact::from(&recorded)));
        let items = facts.chain(std::iter::once(Item::Report(report)));
        items.map(|item| v1::RunScenarioResponse { item: Some(item) })
    }
}
