//! Pure, seeded decisions of a simulated network: how long each message takes, and what goes wrong.
//! Knows no actor and moves nothing itself.

mod fault;
mod fault_text;
mod impossible;
mod latency;
mod plan;
mod weather;

pub use fault::{
    Crash, Fate, FaultCounts, FaultKind, Faults, Keeps, MessageKind, MessageName, Nemesis,
    NemesisKind, Partition, Rate, Rates, ScheduledFault, Slowness, Struck,
};
pub use fault_text::{IntervalError, NemesisError, NemesisKinds, RateError, RatesError};
pub use impossible::{Contradiction, Impossible, contradictions, may_forget};
pub use latency::{
    Delays, Latency, LatencyError, Link, LinkLatencies, parse_long_span, parse_span, show_span,
};
pub use plan::{Change, FAULTS_OVER, Lasts, Plan, SLOW_DELAY};
pub use weather::{About, Sent, Weather};
