//! Whether the results of the banks are what they must be, and the same over every transport.

use super::bank::Played;
use super::virtual_client::Samples;
use super::work::Work;
use super::{CompareError, Transport};
use crate::model::{Money, Operation};
use crate::run::FinalBalance;
use crate::scenario::EventsRow;

impl Work {
    /// How many writes `samples` made: one that was sent again counts once.
    pub(super) fn writes(&self, samples: &[Samples]) -> u64 {
        self.made(samples).map(|(_, times)| times).sum()
    }

    /// The writes that the customers were told are written, and how often each.
    fn made(&self, samples: &[Samples]) -> impl Iterator<Item = (Money, u64)> {
        self.workers.iter().zip(samples).flat_map(|(worker, samples)| {
            let steps = worker.steps.iter().zip(&samples.written);
            steps.filter_map(|(step, &times)| match step.event.operation {
                // Once written, it is told so each time that it is sent again.
                Operation::Write(write) if !step.is_sent_again => Some((write.delta(), times)),
                Operation::Write(_) | Operation::Query => None,
            })
        })
    }

    /// What each branch must hold after `walks`; `None` where that is out of range.
    fn balance_after(&self, walks: &[&[Samples]]) -> Option<Money> {
        let made = walks.iter().flat_map(|samples| self.made(samples));
        let sum: i128 =
            made.map(|(delta, times)| i128::from(delta.minor()) * i128::from(times)).sum();
        let balance = i128::from(self.opening_balance.minor()) + sum;
        i64::try_from(balance).ok().map(Money::from_minor)
    }
}

/// The balance of every branch at the end of a round, which must be what its requests give.
pub(super) fn agreed_balance(
    work: &Work,
    transport: Transport,
    played: &Played,
) -> Result<Money, CompareError> {
    let expected = work.balance_after(&[&played.warm_up, &played.samples]);
    compare_balances(transport, expected, &played.balances)
}

fn compare_balances(
    transport: Transport,
    expected: Option<Money>,
    balances: &[FinalBalance],
) -> Result<Money, CompareError> {
    let mut agreed = None;
    for &FinalBalance { branch, balance: found } in balances {
        match expected {
            Some(expected) if found == Some(expected) => agreed = Some(expected),
            Some(_) | None => {
                return Err(CompareError::Balance { transport, branch, expected, found });
            }
        }
    }
    agreed.ok_or(CompareError::BankEnded(transport))
}

/// What customers were told in the first repetition, over the transport that came first.
#[derive(Debug, Default)]
pub(super) struct FirstAnswers {
    first: Option<(Transport, Vec<EventsRow>)>,
}

impl FirstAnswers {
    /// Compares the answers of `played`, over `transport`, with those of others before.
    pub(super) fn compare(
        &mut self,
        transport: Transport,
        played: &Played,
    ) -> Result<(), CompareError> {
        let workers = played.warm_up.iter().chain(&played.samples);
        let found: Vec<EventsRow> =
            workers.flat_map(|samples| samples.first.iter().cloned()).collect();
        let (other, expected) = self.first.get_or_insert_with(|| (transport, found.clone()));
        if *expected == found {
            return Ok(());
        }
        let length = expected.len().max(found.len());
        let place = (0..length).find(|&place| expected.get(place) != found.get(place));
        let row = |rows: &[EventsRow]| {
            let row = place.and_then(|place| rows.get(place));
            row.map_or_else(|| "nothing".to_owned(), words)
        };
        Err(CompareError::Answers {
            transport,
            found: row(&found),
            other: *other,
            expected: row(expected),
        })
    }
}

/// A row as the output dialect `events` has it.
fn words(row: &EventsRow) -> String {
    serde_json::to_string(row).unwrap_or_else(|_| format!("{row:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::BranchId;

    fn balances(minor: &[i64]) -> Vec<FinalBalance> {
        let branch = |id| BranchId::new(id).unwrap();
        let held = |(id, &minor)| FinalBalance {
            branch: branch(id),
            balance: Some(Money::from_minor(minor)),
        };
        (1..).zip(minor).map(held).collect()
    }

    fn check(minor: &[i64]) -> Result<Money, String> {
        let expected = Some(Money::from_minor(40_000));
        compare_balances(Transport::GrpcUnix, expected, &balances(minor))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_branch_that_holds_something_else_is_an_error_that_names_all() {
        assert_eq!(check(&[40_000, 40_000]), Ok(Money::from_minor(40_000)));
        let told = "grpc-unix: branch 2 holds 399.99, and must hold 400 after what its customers \
                    were told";
        assert_eq!(check(&[40_000, 39_999]), Err(told.to_owned()));
    }

    #[test]
    fn a_balance_out_of_range_is_an_error() {
        let all = balances(&[0]);
        let error = compare_balances(Transport::Mailbox, None, &all).unwrap_err();
        assert!(error.to_string().contains("more than a balance can be"), "{error}");
    }
}
