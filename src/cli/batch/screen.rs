//! The progress bar: on standard error, and only where that is a terminal.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::reading::Progress;

/// How often the bar is drawn.
const EVERY: Duration = Duration::from_millis(100);
const DRAWS_PER_SECOND: u8 = 10;
/// The clock is looked at after so many rows.
const ROWS_PER_LOOK: u32 = 256;

/// Shows how far a batch has come.
pub(super) struct Screen {
    /// `None` where nobody watches.
    bar: Option<ProgressBar>,
    begun: Instant,
    drawn: Instant,
    rows_since: u32,
}

/// What is shown beside the bar.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    /// Rows that this batch has made itself.
    pub(super) rows: u64,
    pub(super) failures: u64,
}

impl Screen {
    /// A bar that is full when `bytes` are read; `None` if nobody knows how many there are.
    pub(super) fn open(bytes: Option<u64>) -> Self {
        let now = now();
        let bar = io::stderr().is_terminal().then(|| {
            let target = ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND);
            ProgressBar::with_draw_target(bytes, target).with_style(style(bytes))
        });
        Self { bar, begun: now, drawn: now, rows_since: 0 }
    }

    /// To be told of every row.
    pub(super) fn row(&mut self, standing: Standing, progress: &Progress) {
        if self.bar.is_none() {
            return;
        }
        self.rows_since += 1;
        if self.rows_since >= ROWS_PER_LOOK {
            self.rows_since = 0;
            self.look(standing, progress);
        }
    }

    /// To be told now and then: draws if it is time to.
    pub(super) fn look(&mut self, standing: Standing, progress: &Progress) {
        let Some(bar) = &self.bar else { return };
        let now = now();
        if now.duration_since(self.drawn) < EVERY {
            return;
        }
        self.drawn = now;
        bar.set_message(message(standing, now.duration_since(self.begun)));
        match bar.length() {
            Some(_) => bar.set_position(progress.bytes()),
            None => bar.tick(),
        }
    }

    /// Takes the bar away, and says how long all took.
    pub(super) fn close(self) -> Duration {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.begun.elapsed()
    }
}

fn style(bytes: Option<u64>) -> ProgressStyle {
    let template = match bytes {
        Some(_) => "{wide_bar} {percent:>3} %  {msg}  {eta} left",
        None => "{spinner} {msg}",
    };
    ProgressStyle::with_template(template).expect("a template that a test reads")
}

/// `12,345 scenarios, 8,900 a second, 3 failed`
fn message(standing: Standing, took: Duration) -> String {
    let Standing { rows, failures } = standing;
    let millis = took.as_millis().max(1);
    let rate = u64::try_from(u128::from(rows) * 1000 / millis).unwrap_or(u64::MAX);
    let (rows, rate, failures) = (HumanCount(rows), HumanCount(rate), HumanCount(failures));
    format!("{rows} scenarios, {rate} a second, {failures} failed")
}

#[expect(
    clippy::disallowed_methods,
    reason = "the bar and the summary tell how long a batch takes"
)]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_tells_how_many_how_fast_and_what_failed() {
        for bytes in [Some(10), None] {
            style(bytes);
        }
        let standing = Standing { rows: 12_345, failures: 3 };
        assert_eq!(
            message(standing, Duration::from_secs(2)),
            "12,345 scenarios, 6,172 a second, 3 failed"
        );
        message(Standing { rows: 0, failures: 0 }, Duration::ZERO);
    }
}
