//! The same scenario over several transports, in real time and side by side.

mod result;

pub use result::{
    Comparison, Effort, Kind, Latencies, Load, Machine, Measured, Round, Subject, Transport,
};
