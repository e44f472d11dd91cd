//! Lists in texts: of a long one the first items, and how many more there are.

use std::fmt::Display;

/// How many items of a list a text names.
const NAMED_MAX: usize = 8;

/// `1, 2, 3`; of a long list `1, 2, 3, 4, 5, 6, 7, 8 and 290 more`.
pub fn listed<T: Display>(items: impl ExactSizeIterator<Item = T>) -> String {
    let more = items.len().saturating_sub(NAMED_MAX);
    let named: Vec<String> = items.take(NAMED_MAX).map(|item| item.to_string()).collect();
    let named = named.join(", ");
    if more == 0 { named } else { format!("{named} and {more} more") }
}

/// The items that a [`listed`] text names.
pub fn named_in(text: &str) -> impl Iterator<Item = &str> {
    let named = text.split_once(" and ").map_or(text, |(named, _more)| named);
    named.split(", ")
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
        assert_eq!(named_in(&cut).collect::<Vec<_>>(), ["2", "3", "4", "5", "6", "7", "8", "9"]);
        assert_eq!(named_in("1:5, 2:7").collect::<Vec<_>>(), ["1:5", "2:7"]);
    }
}
