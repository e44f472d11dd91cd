//! Scenarios and expected results as text: read in every dialect, with what is wrong and where, and
//! written.

mod error;
mod expected;
mod fault;
mod file;
mod leniency;
mod list;
mod locate;
mod loose;
mod numbering;
mod object;
mod problem;
mod process;
mod read;
mod reading;
mod schema;
mod snippet;
mod source;
mod syntax;
mod value;
mod weather;
mod weather_file;
mod weather_value;
mod write;
mod written;

pub use error::ScenarioError;
pub use problem::{BranchList, Excerpt, Kind, Problem, SyntaxProblem};
pub use read::Expected;
pub use schema::schema;
pub use source::Source;
