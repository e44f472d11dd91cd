//! An error that comes from a branch, on the wire and back: it may have taken effect, so that the
//! customer's passbook goes with it.

use tonic::Status;
use tonic::metadata::MetadataValue;
use tonic_types::StatusExt;

use super::room;
use super::status::{CallError, DOMAIN, FULL, without_passbook};
use crate::model::{
    BranchId, EventId, Lag, Life, LogPosition, Lost, Money, NotReached, Operation, Refusal,
    RequestError, Write, named_in,
};

/// The trailers of an error that comes from a branch: what a response would have said.
pub(super) const PASSBOOK_TRAILER: &str = "passbook-bin";
pub(super) const BALANCE_TRAILER: &str = "passbook-balance";
pub(super) const POSITION_TRAILER: &str = "passbook-position";

/// The trailer that says why a classic reply is 400.
pub(super) const REASON_TRAILER: &str = "passbook-reason";

/// What a branch's error comes with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trailers {
    /// The customer's passbook after it, as a token; `None`: it was too large for a trailer.
    pub(super) token: Option<Vec<u8>>,
    /// The branch's balance.
    pub(super) balance: Money,
    /// How long the branch's apply log is.
    pub(super) position: LogPosition,
}

/// The status of a branch's `error`, which may have taken effect: so the passbook goes with it. In
/// a bank of very many branches there is no room for it, and that is said in its place. Then the
/// customer goes on with the passbook that it has: one that is told less is no worse than one that
/// sees no error. The same request, sent again, brings the new one as soon as it is done; but one that
/// asks for what is lost is to leave its passbook out.
pub(super) fn status_of(error: RequestError, trailers: &Trailers) -> Status {
    let error = CallError::from(error);
    let mut status = numbered(Status::from(error.clone()), trailers);
    let Some(token) = &trailers.token else { return status };
    status.metadata_mut().insert_bin(PASSBOOK_TRAILER, MetadataValue::from_bytes(token));
    if room::fits(&status) {
        return status;
    }
    numbered(without_passbook(&error, token.len()), trailers)
}

fn numbered(mut status: Status, trailers: &Trailers) -> Status {
    let metadata = status.metadata_mut();
    for (key, text) in [
        (BALANCE_TRAILER, trailers.balance.to_string()),
        (POSITION_TRAILER, trailers.position.to_string()),
    ] {
        let value = MetadataValue::try_from(text).expect("digits, a sign and a point are ASCII");
        metadata.insert(key, value);
    }
    status
}

/// What [`status_of`] made a status from, but for what it cut from lists, of which it says how much
/// there was; `None` if it was made elsewhere.
pub(super) fn request_error_of(status: &Status) -> Option<(RequestError, Trailers)> {
    let metadata = status.metadata();
    let text = |key| metadata.get(key)?.to_str().ok();
    let token = match metadata.get_bin(PASSBOOK_TRAILER) {
        Some(token) => Some(token.to_bytes().ok()?.to_vec()),
        None => None,
    };
    let trailers = Trailers {
        token,
        balance: text(BALANCE_TRAILER)?.parse().ok()?,
        position: LogPosition::new(text(POSITION_TRAILER)?.parse().ok()?),
    };
    let info = status.get_details_error_info().filter(|info| info.domain == DOMAIN)?;
    let value = |key: &str| info.metadata.get(key).map(String::as_str);
    let error = match info.reason.as_str() {
        "OUTCOME_UNKNOWN" => {
            let (unconfirmed_by, more) = branches(value("unconfirmed_by")?)?;
            RequestError::OutcomeUnknown { unconfirmed_by, more }
        }
        "CONGESTED" => {
            let (congested, more) = branches(value("congested")?)?;
            RequestError::Unavailable { congested, more }
        }
        FULL => RequestError::Full { log_max: LogPosition::new(value("log_max")?.parse().ok()?) },
        "VERSION_NOT_REACHED" => {
            let (lags, more) = lags(value("needed")?, value("here")?)?;
            let unheard = match value("unheard") {
                Some(text) => branches(text)?.0,
                None => Vec::new(),
            };
            NotReached { lags, more, unheard }.into()
        }
        "WRITES_LOST" => {
            let (named, more) = named_in(value("lost")?)?;
            let lost = |text: &str| {
                let (branch, life, writes) = of_life(text)?;
                Some(Lost { branch, life, writes })
            };
            RequestError::WritesLost { lost: named.map(lost).collect::<Option<_>>()?, more }
        }
        "RETURNING" => {
            let (unheard, more) = branches(value("unheard")?)?;
            RequestError::Returning { unheard, more }
        }
        "INSUFFICIENT_FUNDS" => RequestError::Refused(Refusal::InsufficientFunds {
            balance: value("balance")?.parse().ok()?,
            requested: value("requested")?.parse().ok()?,
        }),
        "BALANCE_OUT_OF_RANGE" => RequestError::Refused(Refusal::BalanceOutOfRange {
            balance: value("balance")?.parse().ok()?,
        }),
        "OUT_OF_ORDER" => RequestError::Refused(Refusal::OutOfOrder {
            latest: EventId::new(value("latest")?.parse().ok()?).ok()?,
        }),
        "EVENT_REUSED" => {
            RequestError::Refused(Refusal::EventReused { first: write(value("first")?)? })
        }
        _ => return None,
    };
    Some((error, trailers))
}

/// Reads `1, 2`, or what is named of a longer list and how many more there are.
fn branches(text: &str) -> Option<(Vec<BranchId>, usize)> {
    if text.is_empty() {
        return Some((Vec::new(), 0));
    }
    let (named, more) = named_in(text)?;
    let branches: Option<_> = named.map(|id| BranchId::new(id.parse().ok()?).ok()).collect();
    Some((branches?, more))
}

/// Reads `1:5, 2:7` twice: by origin, how many writes are needed and how many are here. Of a longer
/// list the same.
fn lags(needed: &str, here: &str) -> Option<(Vec<Lag>, usize)> {
    let ((needed, more), (here, _)) = (named_in(needed)?, named_in(here)?);
    let pairs = needed.zip(here);
    let lag = |(needed, here): (&str, &str)| {
        let ((origin, life, needed), (_, _, here)) = (of_life(needed)?, of_life(here)?);
        Some(Lag { origin, life, needed: needed.try_into().ok()?, here: here.try_into().ok()? })
    };
    let lags: Option<_> = pairs.map(lag).collect();
    Some((lags?, more))
}

/// Reads `2/7:3`: a branch, its life and a count. A first life is left out.
fn of_life(text: &str) -> Option<(BranchId, Life, u64)> {
    let (whose, count) = text.split_once(':')?;
    let (branch, life) = match whose.split_once('/') {
        Some((branch, life)) => (branch, Life::new(life.parse().ok()?)),
        None => (whose, Life::FIRST),
    };
    Some((BranchId::new(branch.parse().ok()?).ok()?, life, count.parse().ok()?))
}

/// Reads a write as it is shown: `deposit 400`.
fn write(text: &str) -> Option<Write> {
    let (word, amount) = text.split_once(' ')?;
    let amount = amount.parse().ok()?;
    [Write::deposit(amount), Write::withdraw(amount)]
        .into_iter()
        .find(|&write| Operation::Write(write).interface().word() == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Amount, Sequence};

    #[test]
    fn every_error_of_a_branch_survives_the_wire() {
        let branch = |id| BranchId::new(id).unwrap();
        let lag = |id, needed, here| Lag {
            origin: branch(id),
            life: if id == 7 { Life::new(1_234) } else { Life::FIRST },
            needed: Sequence::new(needed),
            here: Sequence::new(here),
        };
        let (balance, requested) = (Money::from_minor(-5), Money::from_minor(40_050));
        let first = Write::withdraw(Amount::try_from(requested).unwrap());
        let trailers =
            Trailers { token: Some(vec![0, 255, 7]), balance, position: LogPosition::new(9) };
        for error in [
            RequestError::OutcomeUnknown { unconfirmed_by: vec![branch(2), branch(10)], more: 0 },
            RequestError::Unavailable { congested: vec![branch(3)], more: 0 },
            RequestError::Full { log_max: LogPosition::new(400) },
            RequestError::from(NotReached {
                lags: vec![lag(1, 5, 0), lag(7, 2, 1)],
                more: 0,
                unheard: vec![branch(2), branch(3)],
            }),
            RequestError::WritesLost {
                lost: vec![
                    Lost { branch: branch(1), life: Life::FIRST, writes: 2 },
                    Lost { branch: branch(1), life: Life::new(u64::MAX), writes: 1 },
                ],
                more: 0,
            },
            RequestError::Returning { unheard: vec![branch(3)], more: 0 },
            RequestError::Returning { unheard: Vec::new(), more: 0 },
            RequestError::Refused(Refusal::InsufficientFunds { balance, requested }),
            RequestError::Refused(Refusal::BalanceOutOfRange { balance }),
            RequestError::Refused(Refusal::OutOfOrder { latest: EventId::new(4).unwrap() }),
            RequestError::Refused(Refusal::EventReused { first }),
        ] {
            let status = status_of(error.clone(), &trailers);
            assert_eq!(request_error_of(&status), Some((error, trailers.clone())));
        }
        assert_eq!(request_error_of(&CallError::Draining.into()), None);
    }

    /// The longest that each can be, and passbooks of 300 and 2,000 branches: two bytes a count.
    #[test]
    fn whatever_a_branch_says_fits() {
        let branch = |id| BranchId::new(id).unwrap();
        let ids: Vec<BranchId> = (2_147_480_000..2_147_483_000).map(branch).collect();
        let (needed, here) = (Sequence::new(u32::MAX), Sequence::new(u32::MAX - 1));
        let life = Life::new(u64::MAX);
        let lags = ids.iter().map(|&origin| Lag { origin, life, needed, here }).collect();
        let lost = ids.iter().map(|&branch| Lost { branch, life, writes: u64::MAX }).collect();
        let balance = Money::from_minor(i64::MIN);
        let position = LogPosition::new(u64::MAX);
        for error in [
            RequestError::OutcomeUnknown { unconfirmed_by: ids.clone(), more: 0 },
            RequestError::Unavailable { congested: ids, more: 0 },
            RequestError::from(NotReached { lags, ..NotReached::default() }),
            RequestError::WritesLost { lost, more: 0 },
        ] {
            for token_bytes in [1_226, 8_026] {
                let token = Some(vec![0xff; token_bytes]);
                let status = status_of(error.clone(), &Trailers { token, balance, position });
                assert!(room::fits(&status), "{token_bytes}: {error}");
                let (read, trailers) = request_error_of(&status).unwrap();
                // In the same words: eight of 3,000 are named.
                assert_eq!(read.to_string(), error.to_string());
                assert!(read.to_string().ends_with(" and 2992 more"), "{read}");
                assert_eq!((trailers.balance, trailers.position), (balance, position));
                let info = status.get_details_error_info().unwrap();
                let left_out = info.metadata.get("passbook_left_out").map(String::as_str);
                let told = (trailers.token.map(|token| token.len()), left_out);
                assert!(
                    [(Some(1_226), None), (None, Some("1226")), (None, Some("8026"))]
                        .contains(&told)
                );
            }
        }
        let few = RequestError::OutcomeUnknown { unconfirmed_by: vec![branch(2)], more: 0 };
        let token = Some(vec![7; 1_226]);
        let trailers = Trailers { token, balance, position };
        assert_eq!(request_error_of(&status_of(few.clone(), &trailers)), Some((few, trailers)));
    }
}
