//! How numbers and lists of ids read.

use std::borrow::Cow;
use std::fmt::Display;
use std::time::Duration;

use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

use super::elide::{Elided, Limit};
use crate::check::Promised;
use crate::model::number::micros;
use crate::model::{BranchId, EventId, Lag, Shown};

/// `59940` as `59,940`, `1320.5` as `1,320.5`.
pub(crate) fn grouped(number: impl Display) -> String {
    let digits = number.to_string();
    let whole = digits.find('.').unwrap_or(digits.len());
    let mut text = String::with_capacity(digits.len() + whole / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && place < whole && (whole - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 event`, `2 events`.
pub(crate) fn count(number: impl Display, noun: &str) -> String {
    let number = grouped(number);
    let plural = if number == "1" { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// Ascending ids with runs drawn together: `1, 3–12`.
pub(crate) fn ranges(ids: impl IntoIterator<Item = u32>) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for id in ids {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(id) => *last = id,
            Some(_) | None => runs.push((id, id)),
        }
    }
    let texts = runs.into_iter().map(|(first, last)| run(first.into(), last.into()));
    let texts: Vec<String> = texts.collect();
    listed(&texts, Limit::Middle { most: 8, head: 6, tail: 1 })
}

/// All numbers from `first` to `last`: `4`, `4, 5`, `4–9`.
pub(crate) fn run(first: u64, last: u64) -> String {
    match last - first {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first}–{last}"),
    }
}

/// `branch 2`, `branches 2–12`.
pub(crate) fn branches(ids: &[BranchId]) -> String {
    let word = if ids.len() == 1 { "branch" } else { "branches" };
    format!("{word} {}", ranges(ids.iter().map(|id| id.get())))
}

/// The whole bank: `both branches`.
pub(crate) fn every_branch(number: usize) -> String {
    match number {
        1 => "the one branch".to_owned(),
        2 => "both branches".to_owned(),
        _ => format!("all {} branches", grouped(number)),
    }
}

/// Third person: `the one branch holds`, `both branches hold`.
pub(crate) fn verb(number: usize, stem: &str) -> String {
    if number == 1 { format!("{stem}s") } else { stem.to_owned() }
}

/// A write set: `[1, 2]`.
pub(crate) fn write_set(events: &[EventId], limit: Limit) -> String {
    format!("[{}]", listed(events, limit))
}

/// Things with commas between, and the middle left out where it is long.
pub(crate) fn listed<T: Display>(items: &[T], limit: Limit) -> String {
    let Elided { head, skipped, tail } = limit.apply(items);
    let mut texts: Vec<String> = head.iter().map(T::to_string).collect();
    if !skipped.is_empty() {
        texts.push(format!("… {} more …", grouped(skipped.len())));
    }
    texts.extend(tail.iter().map(T::to_string));
    texts.join(", ")
}

/// `50 ms`, `1.5 s`, `2 min 3 s`: in the largest units that fit.
pub(crate) fn span(span: Duration) -> String {
    let us = span.as_micros();
    let decimal = |whole: u128, part: u128| {
        let text = format!("{whole}.{part:03}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    let minutes = us / 60_000_000;
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..1_000_000 => format!("{} ms", decimal(us / 1_000, us % 1_000)),
        1_000_000..60_000_000 => {
            format!("{} s", decimal(us / 1_000_000, us / 1_000 % 1_000))
        }
        60_000_000..3_600_000_000 => format!("{minutes} min {} s", us / 1_000_000 % 60),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

/// How many a second; `None` where no time went by.
pub(crate) fn rate(number: u64, wall: Duration) -> Option<u64> {
    let rate = u128::from(number) * 1_000_000 / wall.as_micros().max(1);
    if wall.is_zero() { None } else { u64::try_from(rate).ok() }
}

/// `span` without digits that are of no use.
pub(crate) fn readable(span: Duration) -> Duration {
    let us = micros(span);
    let unit = match us {
        0..100_000 => 10,
        100_000..1_000_000 => 1_000,
        1_000_000.. => 10_000,
    };
    if us < 1_000 { span } else { Duration::from_micros(us / unit * unit) }
}

/// That something is broken, and whether it was promised.
pub(crate) const fn broken(promised: Promised) -> &'static str {
    match promised {
        Promised::Yes => "PROMISED and broken",
        Promised::No => "not promised, and broken",
        Promised::Unknown => "broken, and nobody says whether it was promised",
    }
}

/// What a request waited for: `1 write of branch 1 and 2 of branch 3`.
pub(crate) fn missing(lags: &[Lag]) -> String {
    let behind = |lag: &Lag| lag.needed.get().saturating_sub(lag.here.get());
    if lags.len() > 3 {
        let total: u64 = lags.iter().map(behind).sum();
        return format!("{} of {} branches", count(total, "write"), grouped(lags.len()));
    }
    let mut texts = lags.iter().enumerate().map(|(place, lag)| match place {
        0 => format!("{} of branch {}", count(behind(lag), "write"), lag.origin),
        _ => format!("{} of branch {}", grouped(behind(lag)), lag.origin),
    });
    let first = texts.next().unwrap_or_default();
    texts.fold(first, |text, more| format!("{text} and {more}"))
}

/// `text` in lines of at most `width` characters, broken between words alone.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let options = Options::new(width)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    let text = Shown::new(text).to_string();
    textwrap::wrap(&text, options).into_iter().map(Cow::into_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Life, Sequence};

    #[test]
    fn large_numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (59_940, "59,940")] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped("1320.4567"), "1,320.4567");
    }

    #[test]
    fn spans_read_in_the_largest_units_that_fit() {
        for (us, text) in [
            (0, "0 µs"),
            (999, "999 µs"),
            (50_000, "50 ms"),
            (1_250, "1.25 ms"),
            (1_500_000, "1.5 s"),
            (123_000_000, "2 min 3 s"),
            (3_661_000_000, "1 h 1 min"),
        ] {
            assert_eq!(span(Duration::from_micros(us)), text);
        }
    }

    #[test]
    fn what_is_missing_is_counted_by_branch() {
        let lag = |origin, needed, here| Lag {
            origin: BranchId::new(origin).unwrap(),
            life: Life::FIRST,
            needed: Sequence::new(needed),
            here: Sequence::new(here),
        };
        assert_eq!(missing(&[lag(1, 1, 0)]), "1 write of branch 1");
        assert_eq!(
            missing(&[lag(1, 3, 1), lag(4, 7, 6)]),
            "2 writes of branch 1 and 1 of branch 4"
        );
        let many: Vec<_> = (1..6).map(|origin| lag(origin, 2, 0)).collect();
        assert_eq!(missing(&many), "10 writes of 5 branches");
    }

    #[test]
    fn long_sentences_are_broken_between_words() {
        assert_eq!(wrapped("one two three four", 9), ["one two", "three", "four"]);
    }

    #[test]
    fn runs_of_ids_are_drawn_together() {
        assert_eq!(ranges([1]), "1");
        assert_eq!(ranges([1, 2]), "1, 2");
        assert_eq!(ranges([1, 3, 4, 5, 9]), "1, 3–5, 9");
        assert_eq!(ranges((1..40).map(|n| n * 3)), "3, 6, 9, 12, 15, 18, … 32 more …, 117");
    }
}
