//! Which scenarios `--filter` lets through.

use std::fmt;
use std::str::FromStr;

use glob::{Pattern, PatternError};

/// A part of a scenario's name or place; or a pattern of all of it, if it has `*`, `?` or `[`.
#[derive(Debug, Clone)]
pub(crate) enum Filter {
    Part(String),
    Whole(Pattern),
}

impl FromStr for Filter {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        if text.contains(['*', '?', '[']) {
            Pattern::new(text).map(Self::Whole)
        } else {
            Ok(Self::Part(text.to_owned()))
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Part(part) => f.write_str(part),
            Self::Whole(pattern) => f.write_str(pattern.as_str()),
        }
    }
}

impl Filter {
    fn fits(&self, text: &str) -> bool {
        match self {
            Self::Part(part) => text.contains(part),
            Self::Whole(pattern) => pattern.matches(text),
        }
    }
}

/// Whether any of `filters` lets a scenario through that is called `name` and stands at `place`.
/// One that cannot be read has no name.
pub(super) fn lets_through(filters: &[Filter], name: Option<&str>, place: &str) -> bool {
    let fits = |filter: &Filter| filter.fits(place) || name.is_some_and(|name| filter.fits(name));
    filters.is_empty() || filters.iter().any(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(filters: &[&str]) -> bool {
        let filters: Vec<Filter> = filters.iter().map(|text| text.parse().unwrap()).collect();
        lets_through(&filters, Some("read your writes"), "cases/lag/many.jsonl:17")
    }

    #[test]
    fn a_part_of_the_name_or_the_place_is_enough() {
        for filter in ["your", "cases/", "many.jsonl:17", ":1", ""] {
            assert!(passes(&[filter]), "{filter}");
        }
        assert!(!passes(&["Your"]));
        assert!(passes(&["neither", "your"]), "any of several");
        assert!(passes(&[]), "no filter lets everything through");
    }

    #[test]
    fn a_pattern_must_fit_all_of_it() {
        for filter in ["read*", "*.jsonl:*", "cases/**", "*/many.jsonl:1?", "read your write[s]"] {
            assert!(passes(&[filter]), "{filter}");
        }
        for filter in ["your*", "*.jsonl", "cases/*.json"] {
            assert!(!passes(&[filter]), "{filter}");
        }
        assert!("[".parse::<Filter>().is_err());
    }

    #[test]
    fn what_cannot_be_read_is_known_by_its_place() {
        let filters = ["broken".parse().unwrap()];
        assert!(lets_through(&filters, None, "cases/broken.json"));
        assert!(!lets_through(&filters, None, "cases/whole.json"));
    }
}
