//! The same scenario over several transports, in real time and side by side.

mod agreement;
mod bank;
mod children;
mod codec;
mod contest;
mod customers;
mod effort;
mod error;
mod machine;
mod mailbox;
mod memory;
mod options;
mod pace;
mod result;
mod rounds;
mod served;
mod spread;
mod walk;
mod work;

pub use contest::compare;
pub use error::{CompareError, ProcessProblem, Unanswered};
pub use memory::compare_bytes;
pub use options::{CompareOptions, Progress};
pub use result::{Comparison, Kind, Latencies, Load, Machine, Measured, Round, Subject, Transport};
