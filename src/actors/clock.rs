//! What time it is in a run: virtual, or the machine's.

use std::time::Duration;

use tokio::time::Instant;

use crate::model::Time;

/// The paused clock's timers tick in milliseconds, so one of them stands for a microsecond.
const PAUSED_TICK_NS: u32 = 1_000_000;

const MICROSECOND_NS: u32 = 1000;

/// Tells the time since the run began.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
    /// How much of the runtime's time goes by in a microsecond of the run's.
    microsecond_ns: u32,
}

impl Clock {
    /// Virtual time, starting now on a paused clock: one of its milliseconds is a microsecond here.
    pub fn virtual_time() -> Self {
        Self { start: Instant::now(), microsecond_ns: PAUSED_TICK_NS }
    }

    /// The machine's time, starting now.
    pub fn real_time() -> Self {
        Self { start: Instant::now(), microsecond_ns: MICROSECOND_NS }
    }

    /// The machine's time in slow motion, starting now: one of its nanoseconds is a microsecond
    /// here. For facts that are less than a microsecond apart.
    pub fn slow_motion() -> Self {
        Self { start: Instant::now(), microsecond_ns: 1 }
    }

    /// What time it is.
    pub fn now(self) -> Time {
        let us = self.start.elapsed().as_nanos() / u128::from(self.microsecond_ns);
        Time::from_us(u64::try_from(us).unwrap_or(u64::MAX))
    }

    /// How long the runtime must sleep for `span` to go by.
    pub fn sleep_for(self, span: Duration) -> Duration {
        span.saturating_mul(self.microsecond_ns) / MICROSECOND_NS
    }
}
