//! Which branches customers prefer: Zipf's law over their ids.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::model::number::whole;
use crate::model::{Money, Random};

/// How unequally branches are visited: the exponent *s* of Zipf's law, by which branch *k* is
/// visited *k*⁻ˢ times as often as branch 1. At 0 all are visited alike. Text: `0`, `1.25`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Skew {
    hundredths: u16,
}

/// A text that is no skew.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "'{found}' is no number from 0 to 10 with at most two decimals; 0 is even, 1 the usual skew"
)]
pub struct SkewError {
    /// The text.
    pub found: String,
}

/// An exponent of 10: all but one visit in a thousand are to branch 1.
const HUNDREDTHS_MAX: u16 = 1_000;

impl FromStr for Skew {
    type Err = SkewError;

    fn from_str(text: &str) -> Result<Self, SkewError> {
        // Money is what has two decimals and no float here.
        let number: Option<Money> = text.parse().ok();
        let hundredths = number.and_then(|number| u16::try_from(number.minor()).ok());
        match hundredths {
            Some(hundredths @ 0..=HUNDREDTHS_MAX) => Ok(Self { hundredths }),
            Some(_) | None => Err(SkewError { found: text.to_owned() }),
        }
    }
}

impl fmt::Display for Skew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Money::from_minor(i64::from(self.hundredths)).fmt(f)
    }
}

impl Skew {
    /// How heavily branch `rank` weighs: `u32::MAX` for the first, at least 1 for any.
    fn weight(self, rank: u32) -> u64 {
        // Of whole numbers and libm, so that it is the same on every machine.
        let exponent = f64::from(self.hundredths) / 100.0;
        let weight = f64::from(u32::MAX) * libm::pow(f64::from(rank), -exponent);
        whole(weight).max(1)
    }
}

/// Draws branches by their place in the bank, 0 first, for a bank of any size up to a greatest.
#[derive(Debug, Clone)]
pub(super) struct Popularity {
    /// Of each branch, how heavily all before it and itself weigh.
    up_to: Vec<u64>,
}

impl Popularity {
    pub(super) fn new(skew: Skew, branches_max: u32) -> Self {
        let up_to = (1..=branches_max).scan(0, |sum, rank| {
            *sum += skew.weight(rank);
            Some(*sum)
        });
        Self { up_to: up_to.collect() }
    }

    /// Any of the first `branches`.
    pub(super) fn draw(&self, chance: &mut Random, branches: usize) -> usize {
        self.at(chance.below(self.up_to[branches - 1]))
    }

    /// Any of the first `branches` but `here`; `here` where there is no other.
    pub(super) fn draw_other(&self, chance: &mut Random, branches: usize, here: usize) -> usize {
        let before = here.checked_sub(1).map_or(0, |last| self.up_to[last]);
        let width = self.up_to[here] - before;
        let drawn = chance.below(self.up_to[branches - 1] - width);
        // As if the weight of `here` were cut out of the line.
        self.at(if drawn < before { drawn } else { drawn + width }).min(branches - 1)
    }

    fn at(&self, drawn: u64) -> usize {
        self.up_to.partition_point(|&up_to| up_to <= drawn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Seed;

    const HEAVIEST: u64 = 4_294_967_295;

    fn skew(text: &str) -> Skew {
        text.parse().unwrap()
    }

    #[test]
    fn skews_are_written_as_they_are_read() {
        for text in ["0", "1", "1.25", "0.5", "10"] {
            assert_eq!(skew(text).to_string(), text);
        }
        for text in ["", "-1", "10.01", "1.234", "1e1", "much", "99999999999999999999"] {
            let error = text.parse::<Skew>().unwrap_err().to_string();
            assert!(error.contains(&format!("'{text}' is no number from 0 to 10")), "{error}");
        }
    }

    #[test]
    fn weights_are_those_of_zipfs_law() {
        assert_eq!([1, 2, 10_000].map(|rank| skew("0").weight(rank)), [HEAVIEST; 3]);
        let halves = [HEAVIEST, HEAVIEST / 2, HEAVIEST / 3, HEAVIEST / 4];
        assert_eq!([1, 2, 3, 4].map(|rank| skew("1").weight(rank)), halves);
        assert_eq!(skew("2").weight(100), HEAVIEST / 10_000);
        assert_eq!(skew("10").weight(10_000), 1);
    }

    #[test]
    fn weights_are_the_same_for_ever() {
        // 2³² - 1 times 2^-1.5, 3^-0.75 and 7^-1.01, worked out with 50 digits.
        let weights = [skew("1.5").weight(2), skew("0.75").weight(3), skew("1.01").weight(7)];
        assert_eq!(weights, [1_518_500_249, 1_884_164_947, 601_742_714]);
    }

    #[test]
    fn branches_are_drawn_by_their_weight() {
        let popularity = Popularity::new(skew("1"), 10);
        let mut chance = Random::of_part(Seed(5), 1);
        let mut found = [0; 4];
        for _ in 0..250_000 {
            found[popularity.draw(&mut chance, 4)] += 1;
        }
        // 1 + 1/2 + 1/3 + 1/4 is 25/12.
        for (found, ideal) in found.into_iter().zip([120_000, 60_000, 40_000, 30_000]) {
            assert!((ideal - 1_000..ideal + 1_000).contains(&found), "{found} for {ideal}");
        }
    }

    #[test]
    fn another_branch_is_drawn_by_the_weights_of_the_others() {
        let popularity = Popularity::new(skew("1"), 10);
        let mut chance = Random::of_part(Seed(6), 1);
        let mut found = [0; 4];
        for _ in 0..190_000 {
            found[popularity.draw_other(&mut chance, 4, 1)] += 1;
        }
        // 1 + 1/3 + 1/4 is 19/12.
        for (found, ideal) in found.into_iter().zip([120_000, 0, 40_000, 30_000]) {
            assert!((ideal - 1_000..=ideal + 1_000).contains(&found), "{found} for {ideal}");
        }
        assert_eq!(found[1], 0);
    }

    #[test]
    fn in_a_bank_of_one_branch_there_is_no_other() {
        let popularity = Popularity::new(skew("1"), 3);
        let mut chance = Random::of_part(Seed(7), 1);
        assert_eq!(popularity.draw_other(&mut chance, 1, 0), 0);
        for here in 0..3 {
            let other = |_| popularity.draw_other(&mut chance, 3, here);
            assert!((0..1_000).map(other).all(|other| other != here && other < 3));
        }
    }
}
