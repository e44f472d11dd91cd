//! Pure, seeded decisions of a simulated network: how long each message takes, and what goes wrong.
//! Knows no actor and moves nothing itself.

mod fault;
mod latency;

pub use fault::{
    Crash, Fate, Faults, Keeps, MessageKind, MessageName, Nemesis, NemesisKind, Partition, Rate,
    Rates, ScheduledFault, Slowness,
};
pub use latency::{Delays, Latency, LatencyError, Link, LinkLatencies, parse_span, show_span};
