//! When customers ask: as soon as they can, or when a request is due. The one place of a comparison
//! that reads a clock.

use std::time::{Duration, Instant};

use crate::model::number::float_len;

/// The runtime's timers are this coarse; what is left is waited for by asking the clock.
const TIMER: Duration = Duration::from_millis(2);

/// What time it is.
#[expect(clippy::disallowed_methods, reason = "a comparison measures")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// Requests that are due at a steady rate, whatever becomes of those before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Schedule {
    /// Requests a second, all workers together.
    pub(super) rate: f64,
    /// How many workers take turns.
    pub(super) workers: usize,
}

impl Schedule {
    /// When the request `index` of `worker` is due, after the start; both from 0.
    pub(super) fn due(self, worker: usize, index: usize) -> Duration {
        let place = index.saturating_mul(self.workers).saturating_add(worker);
        Duration::try_from_secs_f64(float_len(place) / self.rate).unwrap_or(Duration::MAX)
    }
}

/// Waits until `due`.
pub(super) async fn until(due: Instant) {
    if let Some(early) = due.checked_sub(TIMER)
        && early > now()
    {
        tokio::time::sleep_until(early.into()).await;
    }
    while now() < due {
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_take_turns_at_the_rate_of_all_together() {
        let schedule = Schedule { rate: 1000.0, workers: 4 };
        let due_ms = |worker, index| schedule.due(worker, index).as_micros();
        assert_eq!([due_ms(0, 0), due_ms(1, 0), due_ms(3, 0)], [0, 1000, 3000]);
        assert_eq!([due_ms(0, 1), due_ms(2, 5)], [4000, 22_000]);
    }
}
