//! Latencies on a logarithmic axis.

use crate::compare::analyse::number;

/// From latencies to pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogScale {
    low: f64,
    high: f64,
    start: f64,
    end: f64,
}

/// A line across a chart and what it says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) place: f64,
    /// Empty on the lines between.
    pub(super) label: String,
}

impl LogScale {
    /// Puts `low_ns` at `start` and `high_ns` at `end`, each moved out to where a tick is.
    pub(super) fn new((low_ns, high_ns): (f64, f64), (start, end): (f64, f64)) -> Self {
        let low = step_down(low_ns.max(1.0));
        let high = step_up(high_ns.max(low * 2.0));
        Self { low: libm::log10(low), high: libm::log10(high), start, end }
    }

    pub(super) fn place(&self, ns: f64) -> f64 {
        let share = (libm::log10(ns.max(1e-3)) - self.low) / (self.high - self.low);
        self.start + share.clamp(0.0, 1.0) * (self.end - self.start)
    }

    /// At 1, 2 and 5 of each power of ten; labels where `apart` pixels lie between them, or at the
    /// powers of ten alone.
    pub(super) fn ticks(&self, apart: f64) -> Vec<Tick> {
        let pixels_per_decade = ((self.end - self.start) / (self.high - self.low)).abs();
        // 2 and 5 are 0.4 of a power of ten apart, and nothing is nearer than 0.3.
        let labels_all = pixels_per_decade * 0.3 >= apart;
        let mut ticks = Vec::new();
        for (ns, is_power) in steps() {
            let log = libm::log10(ns);
            if log < self.low - 1e-9 || log > self.high + 1e-9 {
                continue;
            }
            let is_labelled = labels_all || is_power;
            let label = if is_labelled { label(ns) } else { String::new() };
            ticks.push(Tick { place: self.place(ns), label });
        }
        ticks
    }
}

fn steps() -> impl Iterator<Item = (f64, bool)> {
    (0..13).flat_map(|power| {
        let ten = libm::exp10(f64::from(power));
        [(ten, true), (ten * 2.0, false), (ten * 5.0, false)]
    })
}

fn step_down(ns: f64) -> f64 {
    steps().map(|(step, _)| step).take_while(|step| *step <= ns * 1.000_001).last().unwrap_or(1.0)
}

fn step_up(ns: f64) -> f64 {
    steps().map(|(step, _)| step).find(|step| *step >= ns * 0.999_999).unwrap_or(ns)
}

/// `200 ns`, `5 µs`: round numbers need no decimals.
fn label(ns: f64) -> String {
    number::latency(ns).replace(".00", "").replace(".0", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_begins_and_ends_at_a_tick() {
        let scale = LogScale::new((230.0, 41_000.0), (0.0, 240.0));
        let ticks = scale.ticks(20.0);
        let labels: Vec<&str> = ticks.iter().map(|tick| tick.label.as_str()).collect();
        assert_eq!(labels, ["200 ns", "500 ns", "1 µs", "2 µs", "5 µs", "10 µs", "20 µs", "50 µs"]);
        assert!(ticks[0].place.abs() < 1e-9 && (ticks[7].place - 240.0).abs() < 1e-9);
    }

    #[test]
    fn where_there_is_little_room_only_powers_of_ten_are_named() {
        let scale = LogScale::new((230.0, 41_000.0), (0.0, 240.0));
        let named = scale.ticks(60.0).into_iter().filter(|tick| !tick.label.is_empty());
        assert_eq!(named.map(|tick| tick.label).collect::<Vec<_>>(), ["1 µs", "10 µs"]);
    }

    #[test]
    fn a_scale_of_one_value_is_a_scale() {
        let scale = LogScale::new((100.0, 100.0), (0.0, 10.0));
        assert_eq!((scale.place(100.0), scale.place(200.0)), (0.0, 10.0));
        let none = LogScale::new((0.0, 0.0), (0.0, 10.0));
        assert!(none.place(0.0).is_finite());
    }
}
