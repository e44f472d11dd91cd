//! What a judge knows before the first fact, and what is wanted of it beyond the verdicts.

use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::history::{Header, Terms};
use crate::model::{Money, Roster};

/// What is known of a run before its first fact.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Case {
    /// The branches.
    pub roster: Arc<Roster>,
    /// What each branch held at the start.
    pub opening_balance: Money,
    /// What was promised; `None` where it is not known.
    pub terms: Option<Terms>,
}

impl Case {
    /// The case of a bank of which nobody says what it promises.
    pub fn new(roster: impl Into<Arc<Roster>>, opening_balance: Money) -> Self {
        Self { roster: roster.into(), opening_balance, terms: None }
    }

    /// The case of a history with this header.
    pub fn of(header: &Header) -> Self {
        let Header { roster, opening_balance, terms, .. } = header;
        Self { roster: Arc::clone(roster), opening_balance: *opening_balance, terms: terms.clone() }
    }
}

/// What is wanted of a judge beyond the verdicts. Begin with the default, and change what is to
/// be otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct JudgeOptions {
    /// How many witnesses of each property are kept at most.
    pub witnesses: NonZeroUsize,
    /// Whether every step that failed a test is kept.
    pub steps: StepsKept,
    /// Whether facts are told by their lines in a history.
    pub lines: Lines,
}

impl Default for JudgeOptions {
    fn default() -> Self {
        let (steps, lines) = (StepsKept::default(), Lines::default());
        Self { witnesses: NonZeroUsize::MIN, steps, lines }
    }
}

/// Which of the steps that failed a test are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StepsKept {
    /// None.
    #[default]
    None,
    /// All of them.
    All,
}

/// Whether facts are told by their lines in a history.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Lines {
    /// They are: the judge observes every fact, and the first stands on line 2.
    #[default]
    Known,
    /// They are not: some facts are kept from the judge.
    Unknown,
}
