//! Runs scenarios on a bank of actors. Prints nothing.

mod result;
mod single;

pub use crate::history::RequestResult;
pub use result::{BranchResult, CustomerResult, Dialect, LoggedWrite, RunConfig, RunResult};
pub use single::{Recording, Run, RunError, RunOptions, run};
