//! Pure, seeded decisions of a simulated network: how long each message takes. Knows no actor and
//! moves nothing itself.

mod latency;

pub use latency::{Delays, Latency, LatencyError, Link, LinkLatencies, parse_span, show_span};
