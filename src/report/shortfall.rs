//! What of a customer's requests the bank did not do, in a line.

use std::collections::BTreeMap;

use super::words::grouped;
use crate::model::{Operation, OutcomeClass, Refusal, RequestError};
use crate::run::{CustomerResult, RequestResult};

/// What the bank did not do of what `customer` asked: `writes ok 1 of 2, 1 refused: out of order`.
/// `None` if it did everything.
pub fn shortfall(customer: &CustomerResult) -> Option<String> {
    let is_write = |request: &&RequestResult| matches!(request.operation, Operation::Write(_));
    let requests = || customer.requests.iter();
    let writes = part("writes", requests().filter(is_write));
    let queries = part("queries", requests().filter(|request| !is_write(request)));
    let parts: Vec<String> = [writes, queries].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn part<'a>(what: &str, requests: impl Iterator<Item = &'a RequestResult>) -> Option<String> {
    let (mut all, mut ok, mut unknown) = (0, 0, 0);
    let mut refused: BTreeMap<&str, usize> = BTreeMap::new();
    for request in requests {
        all += 1;
        match (OutcomeClass::of(&request.outcome), &request.outcome) {
            (OutcomeClass::Refused, Err(error)) => *refused.entry(reason(error)).or_default() += 1,
            (OutcomeClass::Unknown, _) => unknown += 1,
            (OutcomeClass::Ok | OutcomeClass::Refused, _) => ok += 1,
        }
    }
    if ok == all {
        return None;
    }
    let mut text = format!("{what} ok {} of {}", grouped(ok), grouped(all));
    let total: usize = refused.values().sum();
    let reasons: Vec<String> = match refused.len() {
        1 => refused.keys().map(|reason| (*reason).to_owned()).collect(),
        _ => {
            refused.iter().map(|(reason, times)| format!("{} {reason}", grouped(*times))).collect()
        }
    };
    if total > 0 {
        text += &format!(", {} refused: {}", grouped(total), reasons.join(", "));
    }
    if unknown > 0 {
        text += &format!(", {} unknown", grouped(unknown));
    }
    Some(text)
}

/// Why a request was not done, in few words.
const fn reason(error: &RequestError) -> &'static str {
    match error {
        RequestError::Refused(Refusal::InsufficientFunds { .. }) => "insufficient funds",
        RequestError::Refused(Refusal::BalanceOutOfRange { .. }) => "balance out of range",
        RequestError::Refused(Refusal::OutOfOrder { .. }) => "out of order",
        RequestError::Refused(Refusal::EventReused { .. }) => "the event id names another write",
        RequestError::VersionNotReached { .. } => "not served in time",
        RequestError::WritesLost { .. } => "writes lost",
        RequestError::Returning { .. } => "not returned yet",
        RequestError::Unavailable { .. } => "unavailable",
        RequestError::Full { .. } => "full",
        RequestError::Declined { .. } => "declined",
        RequestError::NoAnswer { .. } => "no answer",
        RequestError::OutcomeUnknown { .. } => "outcome unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Bank;

    fn told(bank: Bank) -> Option<String> {
        shortfall(&bank.run().result.customers[0])
    }

    #[test]
    fn what_was_not_done_is_counted_with_its_reasons() {
        let bank = || Bank::new("a", 2).deposit(1, 1, 5, 1).query(1, 2, 1);
        assert_eq!(told(bank()), None);
        assert_eq!(
            told(bank().refuse(1, 3, 9, 1)).as_deref(),
            Some("writes ok 1 of 2, 1 refused: insufficient funds")
        );
        assert_eq!(
            told(bank().unconfirmed(1, 3, 9, 1)).as_deref(),
            Some("writes ok 1 of 2, 1 unknown")
        );
    }
}
