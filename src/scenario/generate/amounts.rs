//! What writes move: amounts drawn between two, or such that a balance shows which writes are in
//! it.
//!
//! Decodable amounts are the powers of two, in whole units: the first write of a scenario moves 1,
//! the second 2, the third 4. Say that a branch has applied the writes of a set *S*. Its balance is
//! the opening balance, plus the deposits in *S*, minus the withdrawals in *S*. Add to it what
//! *all* withdrawals of the scenario move, and take the opening balance away: what is left is the
//! sum of the deposits in *S* and of the withdrawals that are *not* in *S*. It is a sum of
//! different powers of two, and each whole number is that in one way only, its binary digits. So
//! digit *n* of it says of write *n*, if it is a deposit, that it is in *S*; and if a withdrawal,
//! that it is not.

use super::Between;
use crate::model::{Amount, Money, Random};

/// What writes move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amounts {
    /// Anything between two, each as likely: in whole units where both ends are, else in cents.
    Drawn(Between<Amount>),
    /// A power of two, in whole units, for each write of a scenario: 1, 2, 4 and so on. From any
    /// balance it can be told which writes are in it.
    Decodable,
}

const CENTS_PER_UNIT: i64 = 100;

impl Amounts {
    /// What the next write moves, after `writes_before` others of its scenario.
    pub(super) fn draw(self, chance: &mut Random, writes_before: u32) -> Amount {
        match self {
            Self::Drawn(range) => draw(range, chance),
            Self::Decodable => {
                // Drawn all the same, so that the rest of the scenario is as it would be otherwise.
                chance.below(0);
                amount(CENTS_PER_UNIT << writes_before)
            }
        }
    }

    /// How many writes of decodable amounts fit a balance that starts at `opening`.
    pub(super) fn decodable_writes_max(opening: Money) -> u32 {
        // n of them come to 2ⁿ - 1 units.
        let units = (i64::MAX - opening.minor()) / CENTS_PER_UNIT;
        (units + 1).ilog2()
    }
}

fn draw(range: Between<Amount>, chance: &mut Random) -> Amount {
    let (min, max) = (range.min().money().minor(), range.max().money().minor());
    let is_whole = min % CENTS_PER_UNIT == 0 && max % CENTS_PER_UNIT == 0;
    let step = if is_whole { CENTS_PER_UNIT } else { 1 };
    let steps = chance.below(((max - min) / step).unsigned_abs() + 1);
    amount(min + i64::try_from(steps).unwrap_or(0) * step)
}

fn amount(minor: i64) -> Amount {
    Amount::try_from(Money::from_minor(minor)).expect("it is at least the least amount")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::Seed;

    fn drawn(range: &str, draws: usize) -> BTreeSet<String> {
        let amounts = Amounts::Drawn(range.parse().unwrap());
        let mut chance = Random::of_part(Seed(1), 1);
        (0..draws).map(|_| amounts.draw(&mut chance, 0).to_string()).collect()
    }

    #[test]
    fn amounts_keep_their_bounds() {
        assert_eq!(drawn("3..5", 1_000), ["3", "4", "5"].map(str::to_owned).into());
        assert_eq!(drawn("0.09..0.11", 1_000), ["0.09", "0.1", "0.11"].map(str::to_owned).into());
        assert_eq!(drawn("7.25", 10), ["7.25"].map(str::to_owned).into());
        let widest = drawn("0.01..92233720368547758.07", 1_000);
        assert_eq!((widest.len(), widest.contains("0")), (1_000, false));
        assert!(drawn("1..2.5", 1_000).len() > 100, "in cents");
    }

    #[test]
    fn as_many_decodable_writes_fit_as_are_said_to() {
        for (opening, fit) in [(0, 56), (100_000, 56), (i64::MAX - 300, 2), (i64::MAX, 0)] {
            assert_eq!(Amounts::decodable_writes_max(Money::from_minor(opening)), fit, "{opening}");
        }
        let mut chance = Random::of_part(Seed(1), 1);
        let sum: i64 = (0..56)
            .map(|before| Amounts::Decodable.draw(&mut chance, before).money().minor())
            .sum();
        assert_eq!(sum, ((1_i64 << 56) - 1) * 100);
    }

    #[test]
    fn every_set_of_decodable_writes_has_a_balance_of_its_own() {
        let mut chance = Random::of_part(Seed(1), 1);
        let amounts: Vec<i64> = (0..10)
            .map(|before| Amounts::Decodable.draw(&mut chance, before).money().minor())
            .collect();
        let within = |mask: u32, place: usize| mask & (1 << place) != 0;
        for withdrawals in 0..1_u32 << amounts.len() {
            let signed = |place: usize| {
                if within(withdrawals, place) { -amounts[place] } else { amounts[place] }
            };
            let balances: BTreeSet<i64> = (0..1_u32 << amounts.len())
                .map(|set| (0..amounts.len()).filter(|at| within(set, *at)).map(signed).sum())
                .collect();
            assert_eq!(balances.len(), 1 << amounts.len(), "withdrawals {withdrawals:b}");
        }
    }
}
