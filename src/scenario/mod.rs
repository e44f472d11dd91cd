//! Input files, in every dialect, to a validated [`Scenario`]. Knows no bank and no actor, and
//! reads no file: a [`Source`] comes in.

mod format;
pub mod generate;
mod model;
mod output;

pub use crate::model::Event;
pub use format::{
    BranchList, Excerpt, Expected, Kind, Problem, ScenarioError, Source, SyntaxProblem, schema,
};
pub use model::{
    FoulWeather, Level, NemesisSettings, Scenario, Settings, Visit, Warning, WrittenIds,
};
pub use output::{BalanceRow, EventOutcome, EventResult, EventsRow, Output};
