//! Money in the classic contract's 32-bit floats. The only place where a float stands for money.
//!
//! A float stands for an amount *within float precision*:
//!
//! - up to [`FLOAT_EXACT_MAX`] (131072.00), if it is the float nearest to a whole number of cents. Floats
//!   are at most 2⁻⁷ apart there, which is less than a cent, so that each number of cents has a
//!   nearest float of its own, and every amount survives the way to a float and back;
//! - above, where one float can be nearest to several numbers of cents, if its own exact value is a
//!   whole number of cents. So 1000000 and 200000.25 are amounts; the float that a client makes of
//!   200000.01 is not, and is refused rather than guessed at.

use thiserror::Error;

use crate::model::{Amount, Money, MoneyError};

/// Every amount of whole cents up to this one survives the way to a float and back: 2¹⁷ units.
pub const FLOAT_EXACT_MAX: Money = Money::from_minor(13_107_200);

const FLOAT_EXACT_MAX_UNITS: f32 = 131_072.0;

/// Why a float does not stand for money, or money for a float.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum FloatError {
    /// Not a number, or infinite.
    #[error("not a finite number: {found}")]
    NotFinite {
        /// As it came.
        found: f32,
    },
    /// Not what any number of cents is nearest to.
    #[error("not a whole number of cents within float precision: {found}")]
    NotWholeCents {
        /// As it came.
        found: f32,
    },
    /// The nearest float stands for other money.
    #[error(
        "a float cannot hold {money}; every amount up to {FLOAT_EXACT_MAX} has one of its own: use \
         the typed contract above"
    )]
    NotHeld {
        /// What was to be said.
        money: Money,
    },
    /// Finite, and no amount.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// The money that `float` stands for.
pub fn money_from_float(float: f32) -> Result<Money, FloatError> {
    if !float.is_finite() {
        return Err(FloatError::NotFinite { found: float });
    }
    // Formatting is exact: it rounds the float's own value, to the nearest cent.
    let money: Money = format!("{float:.2}").parse()?;
    let is_whole_cents = if float.abs() <= FLOAT_EXACT_MAX_UNITS {
        money_to_float(money) == float
    } else {
        // 24 bits times 100 fit into the 53 of a double, so that this is exact too.
        (f64::from(float) * 100.0).fract() == 0.0
    };
    if is_whole_cents { Ok(money) } else { Err(FloatError::NotWholeCents { found: float }) }
}

/// The amount that `float` stands for: money of more than 0.
pub fn amount_from_float(float: f32) -> Result<Amount, FloatError> {
    if float.is_finite() && float <= 0.0 {
        return Err(MoneyError::NotPositive.into());
    }
    Ok(Amount::try_from(money_from_float(float)?)?)
}

/// The float nearest to `money`: what the classic contract shows of a balance. Above
/// [`FLOAT_EXACT_MAX`] other money may have the same.
pub fn money_to_float(money: Money) -> f32 {
    // Parsing rounds once, where dividing a rounded number of cents would round twice.
    money.to_string().parse().expect("decimal text is a float")
}

/// The float that stands for `amount`; an error where it stands for another.
pub fn amount_to_float(amount: Amount) -> Result<f32, FloatError> {
    let float = money_to_float(amount.money());
    match amount_from_float(float) {
        Ok(back) if back == amount => Ok(float),
        Ok(_) | Err(_) => Err(FloatError::NotHeld { money: amount.money() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn minor(float: f32) -> Result<i64, FloatError> {
        amount_from_float(float).map(|amount| amount.money().minor())
    }

    #[test]
    fn usual_amounts_are_what_they_look_like() {
        for (float, cents) in [
            (400.0, 40_000),
            (0.01, 1),
            (0.1, 10),
            (400.5, 40_050),
            (19.99, 1_999),
            (99_999.99, 9_999_999),
            (131_071.99, 13_107_199),
            (131_072.0, 13_107_200),
            (200_000.25, 20_000_025),
            (1_000_000.0, 100_000_000),
            (16_777_216.0, 1_677_721_600),
        ] {
            assert_eq!(minor(float), Ok(cents), "{float}");
        }
    }

    #[test]
    fn what_is_no_number_of_cents_is_refused() {
        for float in [0.001, 0.004_999, 0.015, 1.0 / 3.0, 400.123, 1e-45, 1_000.005] {
            assert_eq!(minor(float), Err(FloatError::NotWholeCents { found: float }), "{float}");
        }
        // The neighbours of a float that stands for cents stand for none, while they are close.
        for float in [0.01_f32, 1.0, 19.99, 400.5] {
            for found in [float.next_up(), float.next_down()] {
                assert_eq!(minor(found), Err(FloatError::NotWholeCents { found }), "{found}");
            }
        }
    }

    #[test]
    fn above_the_exact_range_nothing_is_guessed() {
        for text in ["131072.01", "131072.02", "200000.01", "1000000.1"] {
            let found: f32 = text.parse().unwrap();
            assert_eq!(minor(found), Err(FloatError::NotWholeCents { found }), "{text}");
            let money = text.parse::<Amount>().unwrap().money();
            assert_eq!(
                amount_to_float(money.try_into().unwrap()),
                Err(FloatError::NotHeld { money })
            );
        }
    }

    #[test]
    fn what_is_no_amount_at_all_says_why() {
        for found in [f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(minor(found), Err(FloatError::NotFinite { found }));
        }
        assert!(matches!(minor(f32::NAN), Err(FloatError::NotFinite { .. })));
        for float in [0.0, -0.0, -0.01, -0.001, -400.0, f32::MIN] {
            assert_eq!(minor(float), Err(FloatError::Money(MoneyError::NotPositive)), "{float}");
        }
        for float in [f32::MAX, 1e17] {
            assert_eq!(minor(float), Err(FloatError::Money(MoneyError::OutOfRange)), "{float}");
        }
    }

    #[test]
    fn the_ends_of_the_exact_range_survive_in_every_cent() {
        let end = FLOAT_EXACT_MAX.minor();
        for cents in (1..200_000).chain(end - 200_000..=end) {
            let amount = Amount::try_from(Money::from_minor(cents)).unwrap();
            assert_eq!(amount_to_float(amount).and_then(amount_from_float), Ok(amount));
        }
    }

    proptest! {
        #[test]
        fn every_amount_of_the_exact_range_survives(cents in 1..=FLOAT_EXACT_MAX.minor()) {
            let amount = Amount::try_from(Money::from_minor(cents)).unwrap();
            prop_assert_eq!(amount_to_float(amount).and_then(amount_from_float), Ok(amount));
        }

        #[test]
        fn an_amount_of_any_size_survives_or_is_refused(cents in 1..=i64::MAX) {
            let amount = Amount::try_from(Money::from_minor(cents)).unwrap();
            if let Ok(float) = amount_to_float(amount) {
                prop_assert_eq!(amount_from_float(float), Ok(amount));
            }
        }

        #[test]
        fn a_float_that_is_taken_is_the_nearest_to_its_amount(bits in any::<u32>()) {
            let float = f32::from_bits(bits);
            if let Ok(amount) = amount_from_float(float) {
                prop_assert_eq!(amount_to_float(amount), Ok(float));
            }
        }

        #[test]
        fn balances_below_zero_survive_as_well(cents in -FLOAT_EXACT_MAX.minor()..=0) {
            let money = Money::from_minor(cents);
            prop_assert_eq!(money_from_float(money_to_float(money)), Ok(money));
        }
    }
}
