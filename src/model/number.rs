//! Whole numbers as floats and back, and lengths as counts: the one file in which `as` may stand,
//! each with what it loses. Everywhere else a conversion that may lose something is a `try_from`.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "no `From` leads from a 64-bit number to a float or back; what each loses is said"
)]

use std::time::Duration;

/// `count` as a float: exact up to 2^53, above that the nearest there is.
pub const fn float(count: u64) -> f64 {
    count as f64
}

/// The same of what is counted in memory.
pub const fn float_len(len: usize) -> f64 {
    len as f64
}

/// The whole number at `number` or next below it. Below 0, and of what is no number, it is 0; above
/// all that there are, the last.
pub const fn whole(number: f64) -> u64 {
    number as u64
}

/// The same, to count things in memory by.
pub const fn whole_len(number: f64) -> usize {
    number as usize
}

/// How many things a length counts: exact, as no address has more than 64 bits.
pub const fn count(len: usize) -> u64 {
    len as u64
}

/// `span` in whole microseconds; from 584,000 years on, as many as can be counted.
pub fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

/// `span` in whole milliseconds; from 584 million years on, as many as can be counted.
pub fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// `span` in nanoseconds; from 584 years on, as many as can be counted.
pub fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_exact_floats_up_to_two_to_the_53() {
        assert_eq!(float(5_000_000_000), 5e9);
        assert_eq!(float(9_007_199_254_740_991), 9_007_199_254_740_991.0);
        assert_eq!(float(9_007_199_254_740_993), 9_007_199_254_740_992.0);
        assert_eq!(float(u64::MAX), 18_446_744_073_709_551_616.0);
        assert_eq!(float_len(3), 3.0);
    }

    #[test]
    fn a_whole_number_is_never_above_what_it_is_of() {
        for (number, below) in [
            (2.999, 2),
            (3.0, 3),
            (0.5, 0),
            (-7.2, 0),
            (f64::NAN, 0),
            (f64::INFINITY, u64::MAX),
            (1e300, u64::MAX),
        ] {
            assert_eq!(whole(number), below, "{number}");
        }
        assert_eq!((whole_len(4.9), whole_len(-1.0)), (4, 0));
    }

    #[test]
    fn spans_that_are_too_long_to_count_are_the_longest() {
        assert_eq!(micros(Duration::from_nanos(2_999)), 2);
        assert_eq!(nanos(Duration::from_micros(3)), 3_000);
        assert_eq!((micros(Duration::MAX), nanos(Duration::MAX)), (u64::MAX, u64::MAX));
        assert_eq!(count(usize::MAX), u64::MAX, "where an address has 64 bits");
    }
}
