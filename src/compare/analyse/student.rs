//! Student's t: how wide an interval must be when few rounds say how much they spread.

use std::f64::consts::FRAC_2_PI;

use crate::model::number::float;

/// How many standard errors to each side of a mean hold the true one with `confidence`, where
/// `freedom` + 1 values say how large a standard error is. Infinite without freedom.
pub(super) fn quantile(confidence: f64, freedom: u64) -> f64 {
    if freedom == 0 {
        return f64::INFINITY;
    }
    let (mut low, mut high) = (0.0, 1.0);
    while within(high, freedom) < confidence {
        low = high;
        high *= 2.0;
    }
    // More halvings than a float has digits.
    for _ in 0..64 {
        let middle = f64::midpoint(low, high);
        if within(middle, freedom) < confidence {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// The chance that Student's t is between `-t` and `t`. Abramowitz and Stegun, 26.7.3 and 26.7.4.
fn within(t: f64, freedom: u64) -> f64 {
    let theta = libm::atan2(t, libm::sqrt(float(freedom)));
    let (sine, cosine) = (libm::sin(theta), libm::cos(theta));
    let is_odd = freedom % 2 == 1;
    let mut term = if is_odd { cosine } else { 1.0 };
    let mut sum = if freedom == 1 { 0.0 } else { term };
    for next in (if is_odd { 3 } else { 2 }..freedom).step_by(2) {
        let next = float(next);
        term *= cosine * cosine * (next - 1.0) / next;
        sum += term;
    }
    if is_odd { FRAC_2_PI * (theta + sine * sum) } else { sine * sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the table that every textbook has.
    #[test]
    fn quantiles_are_those_of_the_printed_table() {
        for (freedom, at_95, at_99) in [
            (1, 12.706, 63.657),
            (2, 4.303, 9.925),
            (3, 3.182, 5.841),
            (4, 2.776, 4.604),
            (9, 2.262, 3.250),
            (10, 2.228, 3.169),
            (29, 2.045, 2.756),
            (120, 1.980, 2.617),
        ] {
            for (confidence, expected) in [(0.95, at_95), (0.99, at_99)] {
                let got = quantile(confidence, freedom);
                assert!((got - expected).abs() < 0.0006, "{freedom} at {confidence}: {got}");
            }
        }
    }

    #[test]
    fn one_value_alone_says_nothing() {
        assert!(quantile(0.95, 0).is_infinite());
    }
}
