//! Scenarios and expected results as text: read in every dialect, with what is wrong and where, and
//! written.

mod advice;
mod error;
mod expected;
mod json;
mod leniency;
mod loose;
mod network;
mod numbering;
mod problem;
mod process;
mod read;
mod schema;
mod snippet;
mod source;
mod syntax;
mod value;
mod write;

pub use error::ScenarioError;
pub use json::Kind;
pub use problem::{BranchList, Excerpt, Problem, Thing};
pub use read::Expected;
pub use schema::schema;
pub use source::Source;
pub use syntax::SyntaxProblem;
