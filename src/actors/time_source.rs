//! What time it is in a run: virtual, or the machine's.

use std::cell::Cell;
use std::io;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;

use crate::model::Time;

/// The paused clock's timers tick in milliseconds, so one of them stands for a microsecond.
const PAUSED_TICK_NS: u32 = 1_000_000;

const MICROSECOND_NS: u32 = 1000;
const SECOND_NS: u32 = 1_000_000_000;

thread_local! {
    /// What a paused clock shows on this thread, until its runtime has been idle.
    static PAUSED: Cell<Option<ClockReading>> = const { Cell::new(None) };
}

/// What a clock shows.
#[derive(Debug, Clone, Copy)]
struct ClockReading {
    /// Which clock: the one that started then.
    start: Instant,
    time: Time,
}

/// A runtime whose clock is paused: time goes by only when all that it runs is idle, and then at
/// once to the next timer. [`TimeSource::virtual_time`] is for such a runtime alone.
pub fn paused_runtime() -> io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .on_thread_unpark(|| PAUSED.set(None))
        .build()
}

/// Tells the time since the run began.
#[derive(Debug, Clone, Copy)]
pub struct TimeSource {
    start: Instant,
    pace: ClockMode,
    /// How much of the runtime's time goes by in a microsecond of the run's; a second is a
    /// multiple.
    microsecond_ns: u32,
}

/// Whether time goes by while actors work.
#[derive(Debug, Clone, Copy)]
enum ClockMode {
    Running,
    Paused,
}

impl TimeSource {
    /// Virtual time, starting now on a paused clock: one of its milliseconds is a microsecond here.
    pub fn virtual_time() -> Self {
        let start = Instant::now();
        PAUSED.set(Some(ClockReading { start, time: Time::START }));
        Self { start, pace: ClockMode::Paused, microsecond_ns: PAUSED_TICK_NS }
    }

    /// The machine's time, starting now.
    pub fn real_time() -> Self {
        Self { start: Instant::now(), pace: ClockMode::Running, microsecond_ns: MICROSECOND_NS }
    }

    /// The machine's time in slow motion, starting now: one of its nanoseconds is a microsecond
    /// here. For facts that are less than a microsecond apart.
    pub fn slow_motion() -> Self {
        Self { start: Instant::now(), pace: ClockMode::Running, microsecond_ns: 1 }
    }

    /// What time it is.
    pub fn now(self) -> Time {
        match self.pace {
            ClockMode::Running => self.elapsed(),
            ClockMode::Paused => match PAUSED.get() {
                Some(ClockReading { start, time }) if start == self.start => time,
                Some(_) | None => {
                    let time = self.elapsed();
                    PAUSED.set(Some(ClockReading { start: self.start, time }));
                    time
                }
            },
        }
    }

    fn elapsed(self) -> Time {
        let elapsed = self.start.elapsed();
        let microseconds = u64::from(SECOND_NS / self.microsecond_ns);
        let whole = elapsed.as_secs().saturating_mul(microseconds);
        Time::from_us(whole.saturating_add((elapsed.subsec_nanos() / self.microsecond_ns).into()))
    }

    /// How long the runtime must sleep for `span` to go by.
    pub fn sleep_for(self, span: Duration) -> Duration {
        span.saturating_mul(self.microsecond_ns) / MICROSECOND_NS
    }
}
