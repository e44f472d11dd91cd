//! Lists in texts: of a long one the first items, and how many more there are.

use std::fmt::Display;

/// How many items of a list a text names.
const NAMED_MAX: usize = 8;

/// `1, 2, 3`; of a long list `1, 2, 3, 4, 5, 6, 7, 8 and 290 more`.
pub fn listed<T: Display>(items: impl ExactSizeIterator<Item = T>) -> String {
    listed_of(items, 0)
}

/// The same of a list that has so many `more` items than are known.
pub fn listed_of<T: Display>(items: impl ExactSizeIterator<Item = T>, more: usize) -> String {
    let more = items.len().saturating_sub(NAMED_MAX).saturating_add(more);
    let named: Vec<String> = items.take(NAMED_MAX).map(|item| item.to_string()).collect();
    let named = named.join(", ");
    if more == 0 { named } else { format!("{named} and {more} more") }
}

/// The items that a [`listed`] text names, and how many more there are; `None` if it is no such
/// text.
pub fn named_in(text: &str) -> Option<(impl Iterator<Item = &str>, usize)> {
    let (named, more) = match text.split_once(" and ") {
        None => (text, 0),
        Some((named, more)) => (named, more.strip_suffix(" more")?.parse().ok()?),
    };
    Some((named.split(", "), more))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_cut_and_says_how_much_is_left_out() {
        assert_eq!(listed([7].iter()), "7");
        assert_eq!(listed(1_u32..9), "1, 2, 3, 4, 5, 6, 7, 8");
        let cut = listed(2_u32..301);
        assert_eq!(cut, "2, 3, 4, 5, 6, 7, 8, 9 and 291 more");
        let read = |text| named_in(text).map(|(named, more)| (named.collect::<Vec<_>>(), more));
        assert_eq!(read(&cut), Some((vec!["2", "3", "4", "5", "6", "7", "8", "9"], 291)));
        assert_eq!(read("1:5, 2:7"), Some((vec!["1:5", "2:7"], 0)));
        assert_eq!(read("1 and many more"), None);
        assert_eq!(listed_of(2_u32..10, 291), cut);
    }
}
