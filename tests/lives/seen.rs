//! How often what is to be tried has happened.

use std::collections::BTreeMap;

/// By name.
#[derive(Debug, Default)]
pub(crate) struct Seen(BTreeMap<&'static str, u64>);

impl Seen {
    pub(crate) fn count(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    pub(crate) fn add(&mut self, other: Self) {
        for (what, count) in other.0 {
            *self.0.entry(what).or_default() += count;
        }
    }

    pub(crate) fn check_that_all_was_tried(&self) {
        for what in [
            "amnesia",
            "all kept",
            "a part kept",
            "closed",
            "loss told",
            "written",
            "read",
            "retry",
            "waited in vain",
            "returning told",
            "given an id",
            "accepted twice",
            "outcome unknown",
        ] {
            assert!(self.0.get(what).is_some_and(|count| *count > 10), "{what}: {:?}", self.0);
        }
    }
}
