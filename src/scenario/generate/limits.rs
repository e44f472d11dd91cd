//! Which options go together, so that every scenario drawn by them is right.

use thiserror::Error;

use super::{Amounts, GenerateOptions};
use crate::model::{CustomerOrder, Money, Propagation};

/// Options of which no scenario can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// More branches than a bank may have.
    #[error("{branches} branches are too many; the most is {most}", most = BRANCHES_MAX)]
    TooManyBranches {
        /// How many may come.
        branches: u32,
    },
    /// More events than one scenario may have.
    #[error(
        "up to {events} events in one scenario are too many; the most is {most}, so let there be \
         fewer of each customer, or fewer customers",
        most = EVENTS_MAX
    )]
    TooManyEvents {
        /// How many may come.
        events: u64,
    },
    /// More writes than decodable amounts.
    #[error(
        "a scenario may have up to {writes} writes, and {fit} fit: each moves twice as much as the \
         one before; let there be fewer events of each customer, or fewer customers"
    )]
    TooManyWrites {
        /// How many may come.
        writes: u64,
        /// How many fit.
        fit: u32,
    },
    /// Writes could bring a balance out of range.
    #[error(
        "up to {writes} writes of up to {amount} each could bring a balance out of range, which \
         ends at {largest}; use smaller amounts, or fewer events",
        largest = Money::from_minor(i64::MAX)
    )]
    BalanceOutOfRange {
        /// How many may come.
        writes: u64,
        /// The largest amount.
        amount: Money,
    },
    /// A bank does not start in debt.
    #[error("branches cannot start with {balance}; the least is 0")]
    NegativeBalance {
        /// The opening balance.
        balance: Money,
    },
    /// Expected results of concurrent customers: there is more than one right one.
    #[error(
        "what concurrent customers see depends on who comes first; let them come in order, or let \
         there be one"
    )]
    ExpectedOfConcurrent,
    /// Expected results with async propagation: there is more than one right one.
    #[error("with async propagation a query may or may not see a write; use sync, or leave it out")]
    ExpectedOfAsync,
}

const BRANCHES_MAX: u32 = 10_000;
const EVENTS_MAX: u64 = 10_000_000;

impl GenerateOptions {
    /// Whether every scenario of these options is right.
    pub(super) fn check(&self) -> Result<(), GenerateError> {
        let branches = self.branches.max().get();
        if branches > BRANCHES_MAX {
            return Err(GenerateError::TooManyBranches { branches });
        }
        let customers = u64::from(self.customers.max().get());
        let events = customers * u64::from(self.events.max().get());
        if events > EVENTS_MAX {
            return Err(GenerateError::TooManyEvents { events });
        }
        let writes = if self.mix.has_writes() { events } else { 0 };
        self.check_balances(writes)?;
        if self.expected.is_none() {
            return Ok(());
        }
        if self.propagation == Some(Propagation::Async) {
            return Err(GenerateError::ExpectedOfAsync);
        }
        if customers > 1 && self.customer_order == Some(CustomerOrder::Concurrent) {
            return Err(GenerateError::ExpectedOfConcurrent);
        }
        Ok(())
    }

    /// Whether no balance can come out of range by `writes` writes.
    fn check_balances(&self, writes: u64) -> Result<(), GenerateError> {
        let opening = self.opening_balance;
        if opening < Money::ZERO {
            return Err(GenerateError::NegativeBalance { balance: opening });
        }
        match self.amounts {
            Amounts::Decodable => {
                let fit = Amounts::decodable_writes_max(opening);
                if writes > u64::from(fit) {
                    return Err(GenerateError::TooManyWrites { writes, fit });
                }
            }
            Amounts::Drawn(range) => {
                let amount = range.max().money();
                let most = i128::from(amount.minor()) * i128::from(writes);
                if i128::from(opening.minor()) + most > i128::from(i64::MAX) {
                    return Err(GenerateError::BalanceOutOfRange { writes, amount });
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Dialect;
    use crate::scenario::generate::{Between, Generator};

    fn range<T>(text: &str) -> T
    where
        T: std::str::FromStr<Err: std::fmt::Debug>,
    {
        text.parse().unwrap()
    }

    fn decodable() -> GenerateOptions {
        GenerateOptions { amounts: Amounts::Decodable, ..GenerateOptions::default() }
    }

    #[test]
    fn options_of_which_nothing_can_be_made_are_told() {
        let plain = GenerateOptions::default();
        let concurrent = Some(CustomerOrder::Concurrent);
        let expected = Some(Dialect::Balances);
        let cases = [
            (GenerateOptions { branches: range("1..10001"), ..plain }, "10001 branches"),
            (
                GenerateOptions { customers: range("1..10001"), events: range("1000"), ..plain },
                "up to 10001000 events",
            ),
            (
                GenerateOptions { customers: range("3"), events: range("19"), ..decodable() },
                "up to 57 writes, and 56 fit",
            ),
            (
                GenerateOptions { opening_balance: Money::from_minor(i64::MAX), ..decodable() },
                "up to 5 writes, and 0 fit",
            ),
            (
                GenerateOptions { amounts: Amounts::Drawn(range("1..92233720368547758")), ..plain },
                "up to 5 writes of up to 92233720368547758 each",
            ),
            (GenerateOptions { opening_balance: Money::from_minor(-1), ..plain }, "with -0.01"),
            (
                GenerateOptions { expected, propagation: Some(Propagation::Async), ..plain },
                "with async propagation",
            ),
            (
                GenerateOptions {
                    expected,
                    customer_order: concurrent,
                    customers: range("1..2"),
                    ..plain
                },
                "concurrent customers",
            ),
        ];
        for (options, says) in cases {
            let error = options.check().unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn what_just_fits_is_made() {
        let expected = Some(Dialect::Balances);
        let customer_order = Some(CustomerOrder::Concurrent);
        let largest = "92233720368547757.07";
        let cases = [
            GenerateOptions { branches: range("10000"), ..GenerateOptions::default() },
            GenerateOptions { events: range("56"), ..decodable() },
            // Queries move nothing.
            GenerateOptions { events: range("57"), mix: range("query=1"), ..decodable() },
            GenerateOptions { expected, customer_order, ..GenerateOptions::default() },
            GenerateOptions {
                amounts: Amounts::Drawn(Between::only(range(largest))),
                events: range("1"),
                opening_balance: range("1"),
                ..GenerateOptions::default()
            },
        ];
        for options in cases {
            assert!(!Generator::new(options).unwrap().scenario(1).visits[0].events.is_empty());
        }
    }
}
