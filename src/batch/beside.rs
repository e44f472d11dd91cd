//! What stands beside a scenario that came from another machine.

use super::problem::not_expected;
use crate::model::ByteSize;
use crate::scenario::Scenario;
use crate::source::{Place, expect_what_says, what_stands_beside};

/// What stands beside a scenario that came from another machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Beside {
    /// Nothing.
    Nothing,
    /// The text of a file with this name.
    Text(String, Vec<u8>),
    /// A file that cannot be read, and why.
    Unreadable(String),
}

impl Beside {
    /// What stands beside `place`, as far as that can be read.
    pub(super) fn of(place: &Place, document_max: ByteSize) -> Self {
        match what_stands_beside(place, document_max) {
            Ok(None) => Self::Nothing,
            Ok(Some((name, text))) => Self::Text(name, text),
            Err(error) => Self::Unreadable(not_expected(&error)),
        }
    }

    /// Takes what is expected of `scenario` from it, unless the scenario says that itself.
    pub(super) fn expect(self, scenario: &mut Scenario) -> Result<(), String> {
        match self {
            Self::Text(name, text) => {
                expect_what_says(name, text, scenario).map_err(|error| not_expected(&error))
            }
            Self::Unreadable(problem) if scenario.expected.is_none() => Err(problem),
            Self::Nothing | Self::Unreadable(_) => Ok(()),
        }
    }
}
