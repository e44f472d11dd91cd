//! Runs scenarios on a bank of actors. Prints nothing.

mod recorder;
mod result;
mod single;

pub use crate::history::RequestResult;
pub use recorder::HistoryOutput;
pub use result::{
    BranchResult, CustomerResult, Dialect, LoggedWrite, RunConfig, RunResult, WAIT_LIMIT,
};
pub use single::{Judging, Recording, Run, RunError, RunOptions, run, run_with_history};
