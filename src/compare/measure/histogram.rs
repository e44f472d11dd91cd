//! Latencies, counted: so small a thing that a round of millions fits.

use std::time::Duration;

use crate::model::number::nanos;

/// How many latencies there were of each length, to three digits, in nanoseconds. What is longer
/// than an hour counts as an hour.
#[derive(Debug, Clone)]
pub struct Histogram(hdrhistogram::Histogram<u64>);

impl Histogram {
    /// One more.
    pub fn record(&mut self, latency_ns: u64) {
        self.0.saturating_record(latency_ns);
    }

    /// All of another as well.
    pub fn add(&mut self, other: &Self) {
        self.0.add(&other.0).expect("all have the same bounds");
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// Their mean; 0 where there are none.
    pub fn mean_ns(&self) -> f64 {
        self.0.mean()
    }

    /// What a share of them, from 0 to 1, did not exceed; 0 where there are none.
    pub fn quantile_ns(&self, share: f64) -> u64 {
        // It answers with the upper end of a bin, which may be above all that it holds.
        self.0.value_at_quantile(share).min(self.0.max())
    }

    /// The longest; 0 where there are none.
    pub fn max_ns(&self) -> u64 {
        self.0.max()
    }

    /// Every length that there was, with how many there were, ascending.
    pub fn counts(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let recorded = self.0.iter_recorded();
        recorded.map(|bin| (bin.value_iterated_to(), bin.count_since_last_iteration()))
    }
}

/// Without any.
impl Default for Histogram {
    fn default() -> Self {
        const HOUR: Duration = Duration::from_secs(3600);
        let empty = hdrhistogram::Histogram::new_with_bounds(1, nanos(HOUR), 3);
        Self(empty.expect("these bounds are in order"))
    }
}

impl Extend<u64> for Histogram {
    fn extend<T: IntoIterator<Item = u64>>(&mut self, latencies_ns: T) {
        latencies_ns.into_iter().for_each(|latency| self.record(latency));
    }
}
