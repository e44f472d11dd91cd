//! Counts tests, and keeps the first that failed.

use super::{Verdict, Witness};

/// The tests of one property so far. `F` is what a witness can be made of.
#[derive(Debug)]
pub(super) struct Tally<F> {
    tested: u64,
    violations: u64,
    first: Option<(u64, F)>,
}

impl<F> Default for Tally<F> {
    fn default() -> Self {
        Self { tested: 0, violations: 0, first: None }
    }
}

impl<F> Tally<F> {
    /// Counts a test.
    pub(super) fn test(&mut self) {
        self.tested += 1;
    }

    /// Of the tests counted, one failed. `rank` says how early: the lowest becomes the witness.
    pub(super) fn fail(&mut self, rank: u64, finding: F) {
        self.violations += 1;
        if self.first.as_ref().is_none_or(|(first, _)| rank < *first) {
            self.first = Some((rank, finding));
        }
    }

    /// The same tests, with more about the first that failed.
    pub(super) fn map<G>(self, more: impl FnOnce(F) -> G) -> Tally<G> {
        let Self { tested, violations, first } = self;
        Tally { tested, violations, first: first.map(|(rank, finding)| (rank, more(finding))) }
    }

    /// What the tests come to.
    pub(super) fn verdict(self, witness: impl FnOnce(F) -> Witness) -> Verdict {
        let Self { tested, violations, first } = self;
        match first {
            Some((_, finding)) => {
                Verdict::Violated { tested, violations, witness: Box::new(witness(finding)) }
            }
            None if tested > 0 => Verdict::Holds { tested },
            None => Verdict::Undecided,
        }
    }
}
