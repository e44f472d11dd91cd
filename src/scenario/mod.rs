//! Input files, in every dialect, to a validated [`Scenario`]. Knows no bank and no actor, and
//! reads no file: a [`Source`] comes in.

mod advice;
mod error;
mod expected;
pub mod generate;
mod json;
mod leniency;
mod loose;
mod model;
mod network;
mod numbering;
mod output;
mod problem;
mod process;
mod read;
mod schema;
mod snippet;
mod source;
mod syntax;
mod value;
mod write;

pub use crate::model::Event;
pub use error::ScenarioError;
pub use json::Kind;
pub use model::{Level, Scenario, Settings, Visit, Warning, WrittenIds};
pub use output::{BalanceRow, EventResult, EventsRow, Output, Told};
pub use problem::{BranchList, Excerpt, Problem, Thing};
pub use read::Expected;
pub use schema::schema;
pub use source::Source;
pub use syntax::SyntaxProblem;
