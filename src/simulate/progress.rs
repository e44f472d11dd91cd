//! How far a simulation is, on standard error: a bar where that is a terminal, else a line now and
//! then.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Seeds, Tally};
use crate::report::words::{grouped, rate, readable, span};

/// How often the bar is drawn.
const EVERY: Duration = Duration::from_millis(100);
const DRAWS_PER_SECOND: u8 = 10;

/// Shows how far a simulation has come.
pub(crate) struct ProgressView {
    /// A terminal has a bar.
    bar: Option<ProgressBar>,
    every: Duration,
    begun: Instant,
    told: Instant,
}

impl ProgressView {
    /// It is at its end when all `seeds` are run. Without a terminal, there is a line after `every`
    /// span of time.
    pub(crate) fn open(seeds: Seeds, every: Duration) -> Self {
        let (now, is_terminal) = (now(), io::stderr().is_terminal());
        let bar = is_terminal.then(|| {
            let target = ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND);
            let length = (seeds != Seeds::ALL).then(|| seeds.count());
            ProgressBar::with_draw_target(length, target).with_style(style(length))
        });
        Self { bar, every: if is_terminal { EVERY } else { every }, begun: now, told: now }
    }

    /// To be told now and then: draws if it is time to, or returns a line.
    pub(crate) fn look(&mut self, so_far: &Tally) -> Option<String> {
        let now = now();
        if now.duration_since(self.told) < self.every {
            return None;
        }
        self.told = now;
        let message = message(so_far, now.duration_since(self.begun));
        let Some(bar) = &self.bar else { return Some(message) };
        bar.set_message(message);
        bar.set_position(so_far.seeds);
        None
    }

    /// Takes the bar away.
    pub(crate) fn close(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn style(length: Option<u64>) -> ProgressStyle {
    let template = match length {
        Some(_) => "{wide_bar} {percent:>3} %  {msg}  {eta} left",
        None => "{spinner} {msg}",
    };
    ProgressStyle::with_template(template).expect("a template that a test reads")
}

/// `12,345 seeds, 8,900 a second, 3 violated, 1 h 2 min simulated`
fn message(so_far: &Tally, took: Duration) -> String {
    let rate = rate(so_far.seeds, took).unwrap_or(0);
    let violated = so_far.violated + so_far.failed;
    let [seeds, rate, violated] = [so_far.seeds, rate, violated].map(grouped);
    let simulated = span(readable(so_far.simulated));
    format!("{seeds} seeds, {rate} a second, {violated} violated, {simulated} simulated")
}

#[expect(clippy::disallowed_methods, reason = "it tells how many seeds there are in a second")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_how_many_how_fast_what_is_violated_and_how_long_that_would_have_been() {
        for length in [Some(10), None] {
            style(length);
        }
        let simulated = Duration::from_secs(3_725);
        let so_far = Tally { seeds: 12_345, violated: 2, failed: 1, simulated, ..Tally::default() };
        assert_eq!(
            message(&so_far, Duration::from_secs(2)),
            "12,345 seeds, 6,172 a second, 3 violated, 1 h 2 min simulated"
        );
        message(&Tally::default(), Duration::ZERO);
    }
}
