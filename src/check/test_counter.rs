//! Counts tests, and keeps the first that failed.

use super::verdict::{Split, Undecided, Verdict, Violation};
use super::witness::Promised;
use super::witness::Witness;

/// The tests of one property so far. `F` is what a witness can be made of.
#[derive(Debug)]
pub(super) struct TestCounter<F> {
    tests: Split,
    failed: Split,
    /// How many of those that failed are kept.
    most: usize,
    /// Those with the lowest ranks, in their order.
    first: Vec<Failure<F>>,
}

#[derive(Debug)]
struct Failure<F> {
    rank: u64,
    promised: Promised,
    finding: F,
}

impl<F> TestCounter<F> {
    /// No test yet. At most `most` of those that fail are kept.
    pub(super) fn new(most: usize) -> Self {
        Self { tests: Split::default(), failed: Split::default(), most, first: Vec::new() }
    }

    /// Counts a test of what was `promised` or not.
    pub(super) fn test(&mut self, promised: Promised) {
        self.tests.add(promised);
    }

    /// Of the tests counted, one failed. `rank` says how early: the lowest becomes the witness.
    pub(super) fn fail(&mut self, promised: Promised, rank: u64, finding: F) {
        self.failed.add(promised);
        let place = self.first.partition_point(|failure| failure.rank <= rank);
        if place < self.most {
            self.first.truncate(self.most - 1);
            self.first.insert(place, Failure { rank, promised, finding });
        }
    }

    /// The same tests, with more about those that are kept.
    pub(super) fn map<G>(self, mut more: impl FnMut(F) -> G) -> TestCounter<G> {
        let Self { tests, failed, most, first } = self;
        let first = first.into_iter().map(|Failure { rank, promised, finding }| Failure {
            rank,
            promised,
            finding: more(finding),
        });
        TestCounter { tests, failed, most, first: first.collect() }
    }

    /// The verdict that follows from the tests. `untested` says why, where there was none.
    pub(super) fn verdict(
        self,
        untested: Undecided,
        mut witness: impl FnMut(Promised, F) -> Witness,
    ) -> Verdict {
        let Self { tests, failed, most: _, first } = self;
        if failed.total() > 0 {
            let witnesses =
                first.into_iter().map(|failure| witness(failure.promised, failure.finding));
            let witnesses = witnesses.collect();
            return Verdict::Violated(Box::new(Violation { tests, failed, witnesses }));
        }
        if tests.total() > 0 { Verdict::Holds { tests } } else { Verdict::Undecided(untested) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_ranks_are_kept_whatever_the_order_in_which_they_come() {
        let mut test_counter = TestCounter::new(3);
        for rank in [7, 3, 9, 1, 8, 3] {
            test_counter.test(Promised::No);
            test_counter.fail(Promised::No, rank, rank * 10);
        }
        let kept: Vec<u64> = test_counter.first.iter().map(|failure| failure.finding).collect();
        assert_eq!(kept, [10, 30, 30]);
        assert_eq!((test_counter.tests.total(), test_counter.failed.not_promised), (6, 6));
    }
}
