//! What time it is in a run: virtual, or the machine's.

use std::time::Duration;

use tokio::time::Instant;

use crate::model::Time;

/// The paused clock's timers tick in milliseconds, so one of them stands for a microsecond.
const PAUSED_MS_PER_US: u128 = 1;

/// Tells the time since the run began. Both kinds read the runtime's clock; on a paused one only
/// [`Clock::virtual_time`] is right.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Virtual,
}

impl Clock {
    /// Virtual time, starting now: a millisecond of the paused clock is a simulated microsecond.
    pub fn virtual_time() -> Self {
        Self { start: Instant::now(), kind: Kind::Virtual }
    }

    /// What time it is.
    pub fn now(self) -> Time {
        let elapsed = self.start.elapsed();
        let us = match self.kind {
            Kind::Virtual => elapsed.as_millis() / PAUSED_MS_PER_US,
        };
        Time::from_us(u64::try_from(us).unwrap_or(u64::MAX))
    }

    /// How long the runtime must sleep for `span` to go by.
    pub fn sleep_for(self, span: Duration) -> Duration {
        match self.kind {
            Kind::Virtual => span.saturating_mul(1000),
        }
    }
}
