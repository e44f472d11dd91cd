//! Time as the bank knows it: since the start of the run, virtual or real.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::number::micros;

/// A moment, in microseconds since the run began.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Time {
    us: u64,
}

impl Time {
    /// When the run began.
    pub const START: Self = Self { us: 0 };

    /// `us` microseconds after the start.
    pub const fn from_us(us: u64) -> Self {
        Self { us }
    }

    /// Microseconds since the start.
    pub const fn us(self) -> u64 {
        self.us
    }

    /// The moment `span` later; the last moment of all where that is out of range.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        let span_us = micros(span);
        Self { us: self.us.saturating_add(span_us) }
    }

    /// The earlier of two moments, either of which may be never.
    pub fn earlier(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, None) => one,
            (None, other) => other,
        }
    }

    /// How long from `earlier` to here; zero if `earlier` is not earlier.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.us.saturating_sub(earlier.us))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03} ms", self.us / 1000, self.us % 1000)
    }
}
