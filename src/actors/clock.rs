//! What time it is in a run: virtual, or the machine's.

use std::time::Duration;

use tokio::time::Instant;

use crate::model::Time;

/// The paused clock's timers tick in milliseconds, so one of them stands for a microsecond.
const PAUSED_PER_VIRTUAL: u32 = 1000;

/// Tells the time since the run began.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
    /// How much of the runtime's time goes by while the run's goes by once.
    scale: u32,
}

impl Clock {
    /// Virtual time, starting now on a paused clock: one of its milliseconds is a microsecond here.
    pub fn virtual_time() -> Self {
        Self { start: Instant::now(), scale: PAUSED_PER_VIRTUAL }
    }

    /// The machine's time, starting now.
    pub fn real_time() -> Self {
        Self { start: Instant::now(), scale: 1 }
    }

    /// What time it is.
    pub fn now(self) -> Time {
        let us = self.start.elapsed().as_micros() / u128::from(self.scale);
        Time::from_us(u64::try_from(us).unwrap_or(u64::MAX))
    }

    /// How long the runtime must sleep for `span` to go by.
    pub fn sleep_for(self, span: Duration) -> Duration {
        span.saturating_mul(self.scale)
    }
}
