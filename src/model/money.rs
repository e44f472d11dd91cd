//! Money in whole cents, with checked arithmetic and exact decimal text. No float anywhere.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::value::RawValue;
use thiserror::Error;

const MINOR_PER_UNIT: i64 = 100;

/// The length of the longest amount, `-92233720368547758.08`.
const LENGTH_MAX: usize = 21;

/// A balance in minor units (cents). Serialized as that whole number; see [`fmt::Display`] for the
/// decimal text that people and output dialects get.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Money(i64);

impl Money {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// `minor` cents.
    pub const fn from_minor(minor: i64) -> Self {
        Self(minor)
    }

    /// In cents.
    pub const fn minor(self) -> i64 {
        self.0
    }

    /// To be serialized as a decimal JSON number: `400.5`.
    pub const fn decimal(self) -> Decimal {
        Decimal(self)
    }

    /// The sum, or `None` where it is out of range.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The sum, or what comes nearest to it where it is out of range. No bank counts like this.
    pub(crate) const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// The shortest exact decimal: `400`, `400.5`, `-0.05`. It is a JSON number as it stands.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // From the last digit to the first: this is printed with every answer.
        let mut text = [0; LENGTH_MAX];
        let mut start = LENGTH_MAX;
        let mut put = |byte| {
            start -= 1;
            text[start] = byte;
        };
        let digit = |number: u64| b'0' + u8::try_from(number % 10).unwrap_or_default();
        let minor = self.0.unsigned_abs();
        let (mut units, cents) = (minor / 100, minor % 100);
        if cents % 10 != 0 {
            put(digit(cents));
        }
        if cents != 0 {
            put(digit(cents / 10));
            put(b'.');
        }
        put(digit(units));
        while units >= 10 {
            units /= 10;
            put(digit(units));
        }
        if self.0 < 0 {
            put(b'-');
        }
        f.pad(str::from_utf8(&text[start..]).expect("digits, a point and a sign are ASCII"))
    }
}

/// Money as output dialects carry it: a JSON number equal to the true decimal value. Read from text
/// that is borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal(Money);

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let minor = self.0.minor();
        if minor % MINOR_PER_UNIT == 0 {
            return serializer.serialize_i64(minor / MINOR_PER_UNIT);
        }
        // A float would lose cents of a large balance; the digits as they are do not.
        let digits = RawValue::from_string(self.0.to_string()).map_err(ser::Error::custom)?;
        digits.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = <&RawValue>::deserialize(deserializer)?.get();
        let wrong = |reason| de::Error::custom(format_args!("{digits} is no balance: {reason}"));
        digits.parse().map(Self).map_err(wrong)
    }
}

impl From<Decimal> for Money {
    fn from(Decimal(money): Decimal) -> Self {
        money
    }
}

/// Why a text is not money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MoneyError {
    /// Not digits with an optional fraction.
    #[error("not a decimal number such as 400 or 400.50")]
    NotDecimal,
    /// Written with an exponent, which hides how large it is.
    #[error("written with an exponent; write the digits out")]
    Exponent,
    /// More than two decimals.
    #[error("more than two decimals; the smallest amount is 0.01")]
    TooFine,
    /// More than fits.
    #[error("out of range; the largest is {largest}", largest = Money::from_minor(i64::MAX))]
    OutOfRange,
    /// An amount must be more than nothing.
    #[error("not positive; an amount is more than 0")]
    NotPositive,
}

impl FromStr for Money {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        if let Some(units) = few_digits(text) {
            return Ok(Self(units * MINOR_PER_UNIT));
        }
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let digits_len = |part: &str| part.bytes().take_while(u8::is_ascii_digit).count();
        let (units, rest) = digits.split_at(digits_len(digits));
        let all_digits = |part: &&str| !part.is_empty() && digits_len(part) == part.len();
        let fraction = rest.strip_prefix('.').filter(all_digits);
        if units.is_empty() || (fraction.is_none() && !rest.is_empty()) {
            let has_exponent =
                digits.starts_with(|c: char| c.is_ascii_digit()) && digits.contains(['e', 'E']);
            return Err(if has_exponent { MoneyError::Exponent } else { MoneyError::NotDecimal });
        }
        let cents: i128 = match fraction.map(str::as_bytes) {
            None => 0,
            Some([tenths]) => i128::from(tenths - b'0') * 10,
            Some([tenths, hundredths]) => {
                i128::from(tenths - b'0') * 10 + i128::from(hundredths - b'0')
            }
            Some(_) => return Err(MoneyError::TooFine),
        };
        // Wider than a balance, for the lowest one has no positive counterpart.
        let units: i64 = units.parse().map_err(|_| MoneyError::OutOfRange)?;
        let minor = i128::from(units) * i128::from(MINOR_PER_UNIT) + cents;
        let minor = if negative { -minor } else { minor };
        i64::try_from(minor).map(Self).map_err(|_| MoneyError::OutOfRange)
    }
}

/// The number that `text` is, where it is one of a few digits and no more: most money is written so.
fn few_digits(text: &str) -> Option<i64> {
    const FEW: usize = 9;
    if text.is_empty() || text.len() > FEW {
        return None;
    }
    let digit = |byte: u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
    text.bytes().try_fold(0, |number, byte| Some(number * 10 + digit(byte)?))
}

/// Money that is more than nothing: what a deposit or a withdrawal moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Money", into = "Money")]
pub struct Amount(Money);

impl Amount {
    /// The same as money.
    pub const fn money(self) -> Money {
        self.0
    }
}

impl TryFrom<Money> for Amount {
    type Error = MoneyError;

    fn try_from(money: Money) -> Result<Self, MoneyError> {
        if money.0 > 0 { Ok(Self(money)) } else { Err(MoneyError::NotPositive) }
    }
}

impl From<Amount> for Money {
    fn from(amount: Amount) -> Self {
        amount.0
    }
}

impl FromStr for Amount {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        text.parse::<Money>()?.try_into()
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimal_text_is_exact() {
        for (text, minor) in [
            ("400", 40_000),
            ("400.5", 40_050),
            ("400.50", 40_050),
            ("0.01", 1),
            ("-0.05", -5),
            ("92233720368547758.07", i64::MAX),
            ("-92233720368547758.08", i64::MIN),
        ] {
            assert_eq!(text.parse(), Ok(Money::from_minor(minor)), "{text}");
        }
    }

    #[test]
    fn what_is_not_an_amount_says_why() {
        for (text, error) in [
            ("", MoneyError::NotDecimal),
            ("four", MoneyError::NotDecimal),
            ("1.", MoneyError::NotDecimal),
            (".5", MoneyError::NotDecimal),
            ("+1", MoneyError::NotDecimal),
            ("1e3", MoneyError::Exponent),
            ("1.234", MoneyError::TooFine),
            ("0", MoneyError::NotPositive),
            ("-5", MoneyError::NotPositive),
            ("92233720368547758.08", MoneyError::OutOfRange),
            ("-92233720368547758.09", MoneyError::OutOfRange),
            ("100000000000000000000", MoneyError::OutOfRange),
        ] {
            assert_eq!(text.parse::<Amount>(), Err(error), "{text}");
        }
    }

    #[test]
    fn decimal_json_is_exact_where_a_float_is_not() {
        for (minor, json) in
            [(40_000, "400"), (40_050, "400.5"), (i64::MAX, "92233720368547758.07"), (-5, "-0.05")]
        {
            assert_eq!(serde_json::to_string(&Money::from_minor(minor).decimal()).unwrap(), json);
        }
    }

    proptest! {
        #[test]
        fn text_and_back_is_the_same_money(minor: i64) {
            let money = Money::from_minor(minor);
            prop_assert_eq!(money.to_string().parse(), Ok(money));
        }
    }
}
