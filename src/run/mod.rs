//! Runs scenarios on a bank of actors. Prints nothing.

mod bank;
mod begun_life;
mod causes;
mod connected;
mod foul_weather;
mod live;
mod memory;
mod options;
mod over_sockets;
mod panicked;
mod recorder;
mod remote;
mod rest;
mod result;
mod serve;
mod socket_bank;
mod stage;
mod virtual_time;
mod watcher;

pub use crate::history::RequestResult;
pub use bank::FinalBalance;
pub(crate) use bank::{BankSetup, addresses, balances, settle};
pub use begun_life::begun_life;
pub use causes::with_causes;
pub use connected::{Connection, Opening, run_connected};
pub use foul_weather::{Decided, Pauses};
pub use live::{LinkOptions, LiveBank, LiveOptions};
pub use memory::{
    Carrier, LOG_MAX_MOST, MemoryBudget, MemoryError, MemoryShare, UNKEPT_WRITE_TIMES, bank_bytes,
    copies_bytes, log_max, run_bytes, text_bytes,
};
pub use options::{Chances, Judging, Recording, Rest, RunError, RunOptions};
pub use over_sockets::run_over_grpc;
pub use panicked::panic_message;
pub use recorder::HistoryOutput;
pub(crate) use recorder::header;
pub use remote::{ConnectedBank, HeldBefore, NotThere};
pub use result::{
    BranchResult, ClassCounts, CustomerResult, RequestCounts, RunConfig, RunResult, VisitResult,
    WAIT_LIMIT, WeatherReport,
};
pub use serve::{Closing, ServeError, ServeOptions, serve};
pub(crate) use socket_bank::{LIMIT, SocketBank};
pub use virtual_time::{Run, Runner, run, run_unless_stopped};
pub use watcher::BankFailure;
