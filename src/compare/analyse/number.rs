//! How measured numbers read: as many digits as mean something, and the unit that fits.

use crate::report::words::grouped;

/// Three significant digits or four: `0.984`, `13.2`, `1,320`, `14.2k`.
pub(crate) fn significant(number: f64) -> String {
    let size = number.abs();
    if size >= 9_999.5 {
        return format!("{}k", significant(number / 1e3));
    }
    let decimals = match size {
        _ if size >= 99.95 || size == 0.0 => 0,
        _ if size >= 9.995 => 1,
        _ if size >= 0.999_5 => 2,
        _ => 3,
    };
    let digits = format!("{size:.decimals$}");
    let sign =
        if number < 0.0 && digits.contains(|c| ('1'..='9').contains(&c)) { "−" } else { "" };
    format!("{sign}{}", grouped(digits))
}

/// `452 ns`, `1.20 µs`, `73.1 µs`, `2.05 ms`, `1.00 s`.
pub(crate) fn latency(ns: f64) -> String {
    let size = ns.abs();
    let (unit_ns, unit) = match size {
        _ if size < 999.5 => (1.0, "ns"),
        _ if size < 999.5e3 => (1e3, "µs"),
        _ if size < 999.5e6 => (1e6, "ms"),
        _ => (1e9, "s"),
    };
    // A histogram keeps whole nanoseconds.
    let digits = if unit_ns == 1.0 && size >= 9.995 {
        format!("{}{size:.0}", if ns < 0.0 { "−" } else { "" })
    } else {
        significant(ns / unit_ns)
    };
    format!("{digits} {unit}")
}

/// A count of something that may have any size: `512`, `14,302`.
pub(crate) fn rounded(number: f64) -> String {
    grouped(format_args!("{number:.0}"))
}

/// `132×`.
pub(crate) fn times(ratio: f64) -> String {
    format!("{}×", significant(ratio))
}

/// `128–137`.
pub(crate) fn range(low: f64, high: f64) -> String {
    format!("{}–{}", significant(low), significant(high))
}

/// A share with one decimal: `71.4%`, `−0.2%`.
pub(crate) fn percent(share: f64) -> String {
    let digits = format!("{:.1}", share.abs() * 100.0);
    let sign = if share < 0.0 && digits != "0.0" { "−" } else { "" };
    format!("{sign}{digits}%")
}

/// A share without decimals: `71%`; below one percent, `less than 1%`.
pub(crate) fn about(share: f64) -> String {
    if share < 0.005 { "less than 1%".to_owned() } else { format!("{:.0}%", share * 100.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_read_in_the_unit_that_fits() {
        for (ns, text) in [
            (0.0, "0 ns"),
            (0.42, "0.420 ns"),
            (8.4, "8.40 ns"),
            (452.3, "452 ns"),
            (999.6, "1.00 µs"),
            (1_204.0, "1.20 µs"),
            (73_149.0, "73.1 µs"),
            (999_499.0, "999 µs"),
            (2_050_000.0, "2.05 ms"),
            (1_000_000_000.0, "1.00 s"),
            (1_234_000_000_000.0, "1,234 s"),
            (86_400_000_000_000.0, "86.4k s"),
            (-1_500.0, "−1.50 µs"),
            (-42.0, "−42 ns"),
        ] {
            assert_eq!(latency(ns), text);
        }
    }

    #[test]
    fn ratios_have_three_digits() {
        for (ratio, text) in [
            (0.984_1, "0.984×"),
            (1.0, "1.00×"),
            (9.996, "10.0×"),
            (13.24, "13.2×"),
            (99.96, "100×"),
            (1_320.4, "1,320×"),
            (14_225.0, "14.2k×"),
        ] {
            assert_eq!(times(ratio), text);
        }
    }

    #[test]
    fn shares_say_that_they_are_below_nothing() {
        assert_eq!(percent(0.7139), "71.4%");
        assert_eq!(percent(-0.002), "−0.2%");
        assert_eq!(percent(-0.000_1), "0.0%");
        assert_eq!(about(0.004), "less than 1%");
    }

    #[test]
    fn large_counts_are_grouped() {
        assert_eq!(rounded(1_902_113.4), "1,902,113");
        assert_eq!(rounded(512.0), "512");
    }
}
