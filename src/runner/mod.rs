//! Runs scenarios on a bank of actors. Prints nothing.

mod live;
mod result;
mod serve;
mod single;

pub use crate::history::RequestResult;
pub use live::{FinalBalance, LinkOptions, LiveBank, LiveOptions};
pub use result::{BranchResult, CustomerResult, Dialect, LoggedWrite, RunConfig, RunResult};
pub use serve::{ServeError, ServeOptions, serve};
pub use single::{Recording, Run, RunError, RunOptions, run};
