//! How far a simulation is.

use std::time::Duration;

use super::{Seeds, Tally};
use crate::report::meter::{Meter, Reading};
use crate::report::words::{grouped, rate, readable, span};

/// Shows how far a simulation has come.
pub(crate) struct ProgressView(Meter);

impl ProgressView {
    /// It is at its end when all `seeds` are run. Without a terminal, there is a line after `every`
    /// span of time.
    pub(crate) fn open(seeds: Seeds, every: Duration) -> Self {
        let length = (seeds != Seeds::ALL).then(|| seeds.count());
        Self(Meter::open(length, every))
    }

    /// To be told now and then: draws if it is time to, or returns a line.
    pub(crate) fn look(&mut self, so_far: &Tally) -> Option<String> {
        let position = so_far.seeds;
        self.0.look(|took| Reading { position, told: message(so_far, took), done: "run" })
    }

    /// Takes the bar away, and says how long all took.
    pub(crate) fn close(self) -> Duration {
        self.0.close()
    }
}

/// `12,345 seeds, 8,900 a second, 3 violated, 1 h 2 min simulated`
fn message(so_far: &Tally, took: Duration) -> String {
    let rate = rate(so_far.seeds, took).unwrap_or(0);
    let [seeds, rate, violated] = [so_far.seeds, rate, so_far.violated].map(grouped);
    let failed = match so_far.failed {
        0 => String::new(),
        failed => format!(", {} failed", grouped(failed)),
    };
    let simulated = span(readable(so_far.simulated));
    format!("{seeds} seeds, {rate} a second, {violated} violated{failed}, {simulated} simulated")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_how_many_how_fast_what_is_violated_and_how_long_that_would_have_been() {
        let simulated = Duration::from_secs(3_725);
        let so_far = Tally { seeds: 12_345, violated: 3, simulated, ..Tally::default() };
        assert_eq!(
            message(&so_far, Duration::from_secs(2)),
            "12,345 seeds, 6,172 a second, 3 violated, 1 h 2 min simulated"
        );
        let so_far = Tally { failed: 4_096, ..so_far };
        assert_eq!(
            message(&so_far, Duration::from_secs(2)),
            "12,345 seeds, 6,172 a second, 3 violated, 4,096 failed, 1 h 2 min simulated"
        );
        message(&Tally::default(), Duration::ZERO);
    }
}
