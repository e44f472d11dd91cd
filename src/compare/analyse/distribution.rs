//! Latencies as a report shows them: percentiles, buckets of a logarithmic scale, a curve.

use std::fmt;

use serde::{Serialize, Serializer};

use super::number::latency;
use crate::compare::measure::Histogram;
use crate::model::number::float;
use crate::report::palette::MAYBE;

/// Buckets of a factor of ten; the same grid for every transport and run.
const BUCKETS_PER_DECADE: u32 = 20;
/// Above this, nothing waits.
const DECADES: u32 = 13;
/// Points of a percentile curve from one nine to the next.
const POINTS_PER_NINE: u32 = 12;
const NINES: u32 = 4;
/// Beyond a percentile with no doubt lie so many requests or more.
const BEYOND_LEAST: u64 = 10;

/// The latencies of one kind of request over one transport, in nanoseconds.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Distribution {
    pub(crate) count: u64,
    pub(crate) mean_ns: f64,
    pub(crate) p50_ns: u64,
    pub(crate) p90_ns: u64,
    pub(crate) p99_ns: u64,
    pub(crate) p999_ns: u64,
    pub(crate) max_ns: u64,
    /// The keys of the percentiles beyond which fewer than ten requests lie.
    pub(crate) doubtful: Vec<&'static str>,
    /// From the first with anything in it to the last, the empty ones between included. Serialized
    /// without them, as `[from_ns, to_ns, count]`.
    #[serde(rename = "histogram", serialize_with = "write_filled")]
    pub(crate) buckets: Vec<Bucket>,
    /// Ascending. Serialized as `[quantile, latency_ns]`.
    #[serde(rename = "percentiles", serialize_with = "write_points")]
    pub(crate) curve: Vec<Point>,
}

/// The latency that a named share of requests did not exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Percentile {
    pub(crate) name: &'static str,
    pub(crate) ns: u64,
    /// Fewer than ten requests lie beyond it, so that chance alone may have moved it.
    pub(crate) is_doubtful: bool,
}

/// How many latencies are from here to there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bucket {
    /// Itself included.
    pub(crate) from_ns: f64,
    /// Itself not included.
    pub(crate) to_ns: f64,
    pub(crate) count: u64,
}

/// The latency that a share of requests did not exceed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) quantile: f64,
    pub(crate) ns: u64,
}

impl Distribution {
    pub(crate) fn of(latencies: &Histogram) -> Self {
        let at = |share| latencies.quantile_ns(share);
        let thousandths_beyond = PERCENTILES.iter().zip([HALF, 100, 10, 1]);
        let doubtful =
            thousandths_beyond.filter(|(_, beyond)| is_doubtful(latencies.count(), *beyond));
        Self {
            count: latencies.count(),
            mean_ns: latencies.mean_ns(),
            p50_ns: at(0.5),
            p90_ns: at(0.9),
            p99_ns: at(0.99),
            p999_ns: at(0.999),
            max_ns: latencies.max_ns(),
            doubtful: doubtful.map(|((_, key), _)| *key).collect(),
            buckets: buckets(latencies),
            curve: curve(latencies),
        }
    }

    /// The [`PERCENTILES`].
    pub(crate) fn percentiles(&self) -> [Percentile; 5] {
        let all = [self.p50_ns, self.p90_ns, self.p99_ns, self.p999_ns, self.max_ns];
        std::array::from_fn(|place| {
            let ((name, key), ns) = (PERCENTILES[place], all[place]);
            Percentile { name, ns, is_doubtful: self.doubtful.contains(&key) }
        })
    }

    /// The percentiles that have a doubt.
    pub(crate) fn doubtful(&self) -> impl Iterator<Item = Percentile> {
        self.percentiles().into_iter().filter(|percentile| percentile.is_doubtful)
    }
}

/// The five that tables show, and what they are called in files. `max` is the slowest of all.
pub(crate) const PERCENTILES: [(&str, &str); 5] = [
    ("p50", "p50_ns"),
    ("p90", "p90_ns"),
    ("p99", "p99_ns"),
    ("p99.9", "p999_ns"),
    ("max", "max_ns"),
];

/// What lies beyond a median, in thousandths.
pub(crate) const HALF: u64 = 500;

/// Whether a percentile of `count` requests, beyond which so many thousandths of them lie, is one
/// that a few of them could move.
pub(crate) const fn is_doubtful(count: u64, beyond_thousandths: u64) -> bool {
    count.saturating_mul(beyond_thousandths) < BEYOND_LEAST * 1_000
}

/// One that tables show; with a question mark where it has a doubt.
impl fmt::Display for Percentile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&latency(float(self.ns)))?;
        if self.is_doubtful { f.write_str(MAYBE) } else { Ok(()) }
    }
}

fn write_filled<S: Serializer>(buckets: &[Bucket], serializer: S) -> Result<S::Ok, S::Error> {
    let filled = buckets.iter().filter(|bucket| bucket.count > 0);
    serializer.collect_seq(filled.map(|bucket| (bucket.from_ns, bucket.to_ns, bucket.count)))
}

fn write_points<S: Serializer>(curve: &[Point], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(curve.iter().map(|point| (point.quantile, point.ns)))
}

fn buckets(latencies: &Histogram) -> Vec<Bucket> {
    let edge = |place: u32| libm::exp10(f64::from(place) / f64::from(BUCKETS_PER_DECADE));
    let mut recorded = latencies.counts().map(|(ns, count)| (float(ns), count)).peekable();
    let mut buckets = Vec::new();
    for place in 0..BUCKETS_PER_DECADE * DECADES {
        let (from_ns, to_ns) = (edge(place), edge(place + 1));
        let mut count = 0;
        // What is below a nanosecond or above all scales goes to the ends.
        let is_last = place + 1 == BUCKETS_PER_DECADE * DECADES;
        while let Some((_, more)) = recorded.next_if(|(ns, _)| *ns < to_ns || is_last) {
            count += more;
        }
        if count > 0 || !buckets.is_empty() {
            buckets.push(Bucket { from_ns, to_ns, count });
        }
        if recorded.peek().is_none() {
            break;
        }
    }
    buckets
}

fn curve(latencies: &Histogram) -> Vec<Point> {
    if latencies.count() == 0 {
        return Vec::new();
    }
    let least_left = float(BEYOND_LEAST) / float(latencies.count());
    (0..=NINES * POINTS_PER_NINE)
        .map(|place| libm::exp10(-f64::from(place) / f64::from(POINTS_PER_NINE)))
        .take_while(|left| *left >= least_left)
        .map(|left| Point { quantile: 1.0 - left, ns: latencies.quantile_ns(1.0 - left) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latencies(values: impl IntoIterator<Item = u64>) -> Histogram {
        let mut latencies = Histogram::default();
        latencies.extend(values);
        latencies
    }

    #[test]
    fn percentiles_are_those_of_the_sorted_values() {
        let all = Distribution::of(&latencies(1..=1_000));
        assert_eq!(all.percentiles().map(|of| of.ns), [500, 900, 990, 999, 1_000]);
        assert_eq!(all.count, 1_000);
    }

    #[test]
    fn a_percentile_has_a_doubt_where_fewer_than_ten_lie_beyond_it() {
        for (count, doubtful) in [
            (1, &["p50", "p90", "p99", "p99.9"][..]),
            (19, &["p50", "p90", "p99", "p99.9"]),
            (20, &["p90", "p99", "p99.9"]),
            (99, &["p90", "p99", "p99.9"]),
            (100, &["p99", "p99.9"]),
            (999, &["p99", "p99.9"]),
            (1_000, &["p99.9"]),
            (9_999, &["p99.9"]),
            (10_000, &[]),
        ] {
            let all = Distribution::of(&latencies(1..=count));
            assert_eq!(all.doubtful().map(|of| of.name).collect::<Vec<_>>(), doubtful, "{count}");
        }
        let few = Distribution::of(&latencies([1_200; 99]));
        assert_eq!(few.percentiles().map(|of| of.to_string())[..2], ["1.20 µs", "1.20 µs?"]);
    }

    #[test]
    fn every_latency_is_in_the_bucket_around_it() {
        let all = Distribution::of(&latencies([150, 150, 1_500, 9_000_000_000]));
        let held: Vec<(u64, bool)> = all
            .buckets
            .iter()
            .filter(|bucket| bucket.count > 0)
            .zip([150.0, 1_500.0, 9e9])
            .map(|(bucket, ns)| (bucket.count, bucket.from_ns <= ns * 1.001 && ns < bucket.to_ns))
            .collect();
        assert_eq!(held, [(2, true), (1, true), (1, true)]);
        assert!(all.buckets.windows(2).all(|pair| pair[0].to_ns == pair[1].from_ns));
    }

    #[test]
    fn a_curve_ends_where_fewer_than_ten_requests_are_left() {
        let all = Distribution::of(&latencies(1..=1_000));
        let last = all.curve.last().unwrap();
        assert!((last.quantile - 0.99).abs() < 1e-9, "{last:?}");
        assert_eq!(all.curve.len(), 25);
        assert!(all.curve.is_sorted_by(|one, next| one.ns <= next.ns));
    }

    #[test]
    fn nothing_measured_is_nothing_shown() {
        let none = Distribution::of(&latencies([]));
        assert_eq!((none.count, none.max_ns), (0, 0));
        assert!(none.buckets.is_empty() && none.curve.is_empty());
    }

    #[test]
    fn what_is_beyond_every_scale_is_counted_all_the_same() {
        let all = Distribution::of(&latencies([0, u64::MAX / 4]));
        assert_eq!(all.buckets.iter().map(|bucket| bucket.count).sum::<u64>(), 2);
    }
}
