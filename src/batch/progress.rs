//! How far a batch is, on standard error: a bar where that is a terminal, else a line now and then.

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
pub(crate) struct ProgressView {
    form: Form,
    begun: Instant,
    told: Instant,
    rows_since: u32,
}

/// In what form.
enum Form {
    /// A terminal has a bar.
    Bar(ProgressBar),
    /// Others, such as the log of a CI server, have a line after each such span of time.
    Lines { every: Duration, bytes: Option<u64> },
}

/// What is shown beside the bar.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowProgress {
    /// Rows that this batch has made itself.
    pub(crate) rows: u64,
    pub(crate) failures: u64,
}

impl ProgressView {
    /// It is at its end when `bytes` are read; `None` if their number is not known. Without a
    /// terminal, there is a line after `every` span of time.
    pub(crate) fn open(bytes: Option<u64>, every: Duration) -> Self {
        let now = now();
        let form = if io::stderr().is_terminal() {
            let target = ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND);
            Form::Bar(ProgressBar::with_draw_target(bytes, target).with_style(style(bytes)))
        } else {
            Form::Lines { every, bytes }
        };
        Self { form, begun: now, told: now, rows_since: 0 }
    }

    /// To be told of every row. Returns a line if it is time for one.
    pub(crate) fn row(&mut self, so_far: RowProgress, progress: &Progress) -> Option<String> {
        self.rows_since += 1;
        if self.rows_since < ROWS_PER_LOOK {
            return None;
        }
        self.rows_since = 0;
        self.look(so_far, progress)
    }

    /// To be told now and then: draws if it is time to, or returns a line.
    pub(crate) fn look(&mut self, so_far: RowProgress, progress: &Progress) -> Option<String> {
        let now = now();
        let every = match self.form {
            Form::Bar(_) => EVERY,
            Form::Lines { every, .. } => every,
        };
        if now.duration_since(self.told) < every {
            return None;
        }
        self.told = now;
        let message = message(so_far, now.duration_since(self.begun));
        match &self.form {
            Form::Bar(bar) => {
                bar.set_message(message);
                match bar.length() {
                    Some(_) => bar.set_position(progress.bytes()),
                    None => bar.tick(),
                }
                None
            }
            Form::Lines { bytes, .. } => Some(match bytes {
                Some(bytes) => format!("{message}, {} % read", percent(progress.bytes(), *bytes)),
                None => message,
            }),
        }
    }

    /// Takes the bar away, and says how long all took.
    pub(crate) fn close(self) -> Duration {
        match self.form {
            Form::Bar(bar) => bar.finish_and_clear(),
            Form::Lines { .. } => {}
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

/// How much of `all` is in `part`.
fn percent(part: u64, all: u64) -> u64 {
    let hundredths = u128::from(part) * 100 / u128::from(all.max(1));
    u64::try_from(hundredths).unwrap_or(u64::MAX)
}

/// `12,345 scenarios, 8,900 a second, 3 failed`
fn message(so_far: RowProgress, took: Duration) -> String {
    let RowProgress { rows, failures } = so_far;
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
        let so_far = RowProgress { rows: 12_345, failures: 3 };
        assert_eq!(
            message(so_far, Duration::from_secs(2)),
            "12,345 scenarios, 6,172 a second, 3 failed"
        );
        message(RowProgress { rows: 0, failures: 0 }, Duration::ZERO);
        assert_eq!([percent(1, 3), percent(3, 3), percent(0, 0)], [33, 100, 0]);
    }
}
