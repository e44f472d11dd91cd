//! How numbers and lists of ids read.

use std::fmt::Display;

use super::elide::{Elided, Limit};
use crate::model::{BranchId, EventId};

/// `59940` as `59,940`.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 event`, `2 events`.
pub(super) fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// Ascending ids with runs drawn together: `1, 3–12`.
pub(super) fn ranges(ids: impl IntoIterator<Item = u32>) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for id in ids {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(id) => *last = id,
            Some(_) | None => runs.push((id, id)),
        }
    }
    let texts = runs.into_iter().map(|(first, last)| match last - first {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first}–{last}"),
    });
    let texts: Vec<String> = texts.collect();
    listed(&texts, Limit::Middle { most: 8, head: 6, tail: 1 })
}

/// `branch 2`, `branches 2–12`.
pub(super) fn branches(ids: &[BranchId]) -> String {
    let word = if ids.len() == 1 { "branch" } else { "branches" };
    format!("{word} {}", ranges(ids.iter().map(|id| id.get())))
}

/// The whole bank: `both branches`.
pub(super) fn every_branch(number: usize) -> String {
    match number {
        1 => "the one branch".to_owned(),
        2 => "both branches".to_owned(),
        _ => format!("all {} branches", grouped(number)),
    }
}

/// Third person: `the one branch holds`, `both branches hold`.
pub(super) fn verb(number: usize, stem: &str) -> String {
    if number == 1 { format!("{stem}s") } else { stem.to_owned() }
}

/// A write set: `[1, 2]`.
pub(super) fn write_set(events: &[EventId], limit: Limit) -> String {
    format!("[{}]", listed(events, limit))
}

/// Things with commas between, and the middle left out where it is long.
pub(super) fn listed<T: Display>(items: &[T], limit: Limit) -> String {
    let Elided { head, skipped, tail } = limit.apply(items);
    let mut texts: Vec<String> = head.iter().map(T::to_string).collect();
    if !skipped.is_empty() {
        texts.push(format!("… {} more …", grouped(skipped.len())));
    }
    texts.extend(tail.iter().map(T::to_string));
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (59_940, "59,940")] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(grouped(1_234_567), "1,234,567");
    }

    #[test]
    fn runs_of_ids_are_drawn_together() {
        assert_eq!(ranges([1]), "1");
        assert_eq!(ranges([1, 2]), "1, 2");
        assert_eq!(ranges([1, 3, 4, 5, 9]), "1, 3–5, 9");
        assert_eq!(ranges((1..40).map(|n| n * 3)), "3, 6, 9, 12, 15, 18, … 32 more …, 117");
    }
}
