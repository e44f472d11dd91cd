//! How far a batch is, beside its rows.

use std::time::Duration;

use super::reading::Progress;
use crate::report::meter::{Meter, Reading};
use crate::report::words::{grouped, rate};

/// The clock is looked at after so many rows.
const ROWS_PER_LOOK: u32 = 256;

/// Shows how far a batch has come.
pub(crate) struct ProgressView {
    meter: Meter,
    rows_since: u32,
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
        Self { meter: Meter::open(bytes, every), rows_since: 0 }
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
        let read = |took| {
            let told = message(so_far, took);
            Reading { position: progress.bytes(), told, done: "read" }
        };
        self.meter.look(read)
    }

    /// Takes the bar away, and says how long all took.
    pub(crate) fn close(self) -> Duration {
        self.meter.close()
    }
}

/// `12,345 scenarios, 8,900 a second, 3 failed`
fn message(so_far: RowProgress, took: Duration) -> String {
    let RowProgress { rows, failures } = so_far;
    let rate = rate(rows, took).unwrap_or(0);
    let [rows, rate, failures] = [rows, rate, failures].map(grouped);
    format!("{rows} scenarios, {rate} a second, {failures} failed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_how_many_how_fast_and_what_failed() {
        let so_far = RowProgress { rows: 12_345, failures: 3 };
        assert_eq!(
            message(so_far, Duration::from_secs(2)),
            "12,345 scenarios, 6,172 a second, 3 failed"
        );
        message(RowProgress { rows: 0, failures: 0 }, Duration::ZERO);
    }
}
