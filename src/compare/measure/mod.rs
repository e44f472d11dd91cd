//! The same scenario over several transports, in real time and side by side.

mod agreement;
mod bank;
mod children;
mod codec;
mod customers;
mod error;
mod histogram;
mod machine;
mod mailbox;
mod measurement;
mod memory;
mod options;
mod propagation_delay;
mod resource_usage;
mod result;
mod schedule;
mod served;
mod virtual_client;
mod work;

pub use error::{CompareError, ProcessProblem, Unanswered};
pub use histogram::Histogram;
pub use measurement::compare;
pub use memory::compare_bytes;
pub use options::{CompareOptions, Progress};
pub use result::{Comparison, Kind, Latencies, Load, Machine, Measured, Round, Subject, Transport};
