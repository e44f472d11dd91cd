//! Versions of what one passbook makes and another takes: files, tokens, what branches say to each
//! other. The one place that says of a version that it is not known.

use std::fmt;

use thiserror::Error;

/// The versions of one kind of thing that this program takes: all from the oldest to the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    /// What it is: `a history`.
    pub what: &'static str,
    /// The oldest that is taken.
    pub oldest: u64,
    /// The newest that is taken, which is the one that is made.
    pub newest: u64,
    /// What to do with one of another version.
    pub otherwise: &'static str,
}

/// Something of a version that this program does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{} of version {found}, and this passbook takes {known}; {}", known.what, known.otherwise)]
pub struct UnknownVersion {
    /// Its version.
    pub found: u64,
    /// What is taken.
    pub known: Versions,
}

impl Versions {
    /// Whether something of the version `found` is taken.
    pub const fn check(self, found: u64) -> Result<(), UnknownVersion> {
        if self.oldest <= found && found <= self.newest {
            return Ok(());
        }
        Err(UnknownVersion { found, known: self })
    }
}

/// `version 1`, `versions 1 and 2`, `versions 1 to 3`.
impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { oldest, newest, .. } = self;
        match newest - oldest {
            0 => write!(f, "version {newest}"),
            1 => write!(f, "versions {oldest} and {newest}"),
            _ => write!(f, "versions {oldest} to {newest}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maps(oldest: u64, newest: u64) -> Versions {
        Versions { what: "a map", oldest, newest, otherwise: "draw it anew" }
    }

    #[test]
    fn what_is_older_or_newer_is_refused_in_one_line_that_names_both_versions() {
        for (known, found, told) in [
            (maps(1, 1), 2, "a map of version 2, and this passbook takes version 1; draw it anew"),
            (
                maps(1, 2),
                3,
                "a map of version 3, and this passbook takes versions 1 and 2; draw it anew",
            ),
            (
                maps(2, 4),
                1,
                "a map of version 1, and this passbook takes versions 2 to 4; draw it anew",
            ),
        ] {
            assert_eq!(known.check(found).unwrap_err().to_string(), told);
        }
        for found in 2..=4 {
            assert_eq!(maps(2, 4).check(found), Ok(()));
        }
    }
}
