//! Leaves out the middle of what is too long to read.

use std::ops::Range;

/// How much of a list is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// All of it.
    None,
    /// All of it up to `most` items; of a longer one the first `head` and the last `tail`.
    Middle { most: usize, head: usize, tail: usize },
}

/// A list whose middle may be left out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Elided<'a, T> {
    pub(crate) head: &'a [T],
    pub(crate) skipped: &'a [T],
    pub(crate) tail: &'a [T],
}

impl Limit {
    pub(crate) fn apply<T>(self, items: &[T]) -> Elided<'_, T> {
        let skipped = self.skipped(items.len());
        let (gateway, tail) = items.split_at(skipped.end);
        let (head, skipped) = gateway.split_at(skipped.start);
        Elided { head, skipped, tail }
    }

    /// Which of `len` items are left out.
    pub(crate) fn skipped(self, len: usize) -> Range<usize> {
        match self {
            Self::Middle { most, head, tail } if len > most && head + tail < len => {
                head..len - tail
            }
            Self::None | Self::Middle { .. } => len..len,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Limit = Limit::Middle { most: 5, head: 2, tail: 1 };

    #[test]
    fn what_is_short_is_whole() {
        let whole = Elided { head: &[1, 2, 3, 4, 5][..], skipped: &[], tail: &[] };
        assert_eq!(LIMIT.apply(&[1, 2, 3, 4, 5]), whole);
    }

    #[test]
    fn what_is_long_loses_its_middle() {
        let cut = Elided { head: &[1, 2][..], skipped: &[3, 4, 5], tail: &[6] };
        assert_eq!(LIMIT.apply(&[1, 2, 3, 4, 5, 6]), cut);
        assert_eq!(Limit::None.apply(&[1, 2, 3, 4, 5, 6]).skipped, &[] as &[i32]);
    }
}
