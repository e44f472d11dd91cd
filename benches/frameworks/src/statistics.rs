//! Medians, and how far they can be trusted.

use std::fmt;

use passbook::model::{Random, Seed};

const RESAMPLES: usize = 2_000;

/// What was measured in many rounds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Estimate {
    pub(crate) median: f64,
    /// The ends of its 95% interval: of medians of rounds drawn anew from those that were measured.
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// With three digits, or two and a fraction: `2.60 (2.52 to 2.78)`, `180 (171 to 188)`.
impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { median, low, high } = self;
        let digits = if *median < 20.0 { 2 } else { 0 };
        write!(f, "{median:.digits$} ({low:.digits$} to {high:.digits$})")
    }
}

impl Estimate {
    /// What `rounds` say, of which there is at least one.
    pub(crate) fn of(rounds: &[f64]) -> Self {
        let mut random = Random::of_part(Seed(1), 0);
        let end = u64::try_from(rounds.len()).expect("few rounds");
        let mut draw = || {
            let place = usize::try_from(random.below(end)).expect("few rounds");
            rounds[place]
        };
        let mut medians: Vec<f64> =
            (0..RESAMPLES).map(|_| median((0..rounds.len()).map(|_| draw()).collect())).collect();
        medians.sort_unstable_by(f64::total_cmp);
        Self {
            median: median(rounds.to_vec()),
            low: medians[RESAMPLES / 40],
            high: medians[RESAMPLES - 1 - RESAMPLES / 40],
        }
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    let middle = numbers.len() / 2;
    *numbers.select_nth_unstable_by(middle, f64::total_cmp).1
}

#[test]
fn an_estimate_lies_within_its_interval_and_is_sure_of_what_never_varies() {
    let same = Estimate::of(&[2.0; 9]);
    assert_eq!((same.low, same.median, same.high), (2.0, 2.0, 2.0));
    let varied = Estimate::of(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
    assert_eq!(varied.median, 5.0);
    assert!(varied.low < 5.0 && 5.0 < varied.high, "{varied:?}");
}
