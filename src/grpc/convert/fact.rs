//! Recorded facts in the typed contract's words.

use super::peer::life_field;
use crate::grpc::proto::v1;
use crate::grpc::status;
use crate::history::{Fact, MessageBody, Recorded};
use crate::model::{
    BranchId, CustomerId, Dot, Lag, Life, LogEntry, Lost, MessageNumber, Operation, Outcome,
    Receipt, RequestError, RequestNumber,
};

impl From<&Recorded> for v1::Fact {
    fn from(recorded: &Recorded) -> Self {
        Self { at_us: recorded.at.us(), what: what(&recorded.fact) }
    }
}

/// The fact in the words of the contract. It has none for faults, which no run that is asked for
/// over gRPC has.
fn what(fact: &Fact) -> Option<v1::fact::What> {
    use v1::fact::What;
    Some(match fact {
        &Fact::RequestSent { customer, request, branch, event, operation } => {
            What::RequestSent(v1::RequestSent {
                request: request_id(customer, request),
                branch_id: branch.get(),
                event_id: event.get(),
                interface: v1::Interface::from(operation.interface()).into(),
                amount: amount_of(operation),
            })
        }
        &Fact::RequestReceived { branch, customer, request } => {
            What::RequestReceived(v1::RequestReceived {
                request: request_id(customer, request),
                branch_id: branch.get(),
            })
        }
        &Fact::WriteApplied { branch, id, write, origin, life, sequence, position, balance } => {
            let dot = Dot { origin, life: life.unwrap_or(Life::FIRST), sequence };
            What::WriteApplied(v1::WriteApplied {
                branch_id: branch.get(),
                applied: Some(LogEntry { dot, id, write }.into()),
                position: position.get(),
                balance: balance.to_string(),
            })
        }
        &Fact::MessageSent { from, to, number, body } => {
            What::MessageSent(v1::MessageSent { message: message(from, to, number, body) })
        }
        &Fact::MessageReceived { from, to, number, body } => {
            What::MessageReceived(v1::MessageReceived { message: message(from, to, number, body) })
        }
        &Fact::MessageLost { from, to, number, body, reason: _ } => {
            What::MessageLost(v1::MessageLost { message: message(from, to, number, body) })
        }
        &Fact::WriteSetCompared { branch, with, id, agrees } => {
            What::WriteSetCompared(v1::WriteSetCompared {
                branch_id: branch.get(),
                with_branch_id: with.get(),
                id: Some(id.into()),
                agrees,
            })
        }
        Fact::ReplySent { branch, customer, request, position, outcome } => {
            What::ReplySent(v1::ReplySent {
                request: request_id(*customer, *request),
                branch_id: branch.get(),
                position: position.get(),
                outcome: Some(outcome.into()),
            })
        }
        &Fact::ReplyReceived { customer, request, branch } => {
            What::ReplyReceived(v1::ReplyReceived {
                request: request_id(customer, request),
                branch_id: branch.get(),
            })
        }
        Fact::RequestParked { .. }
        | Fact::RequestGivenUp { .. }
        | Fact::MessageDuplicated { .. }
        | Fact::BranchStopped { .. }
        | Fact::BranchStarted { .. }
        | Fact::PartitionBegan { .. }
        | Fact::PartitionHealed { .. }
        | Fact::Settled {}
        | Fact::Unsettled { .. }
        | Fact::SlownessBegan { .. }
        | Fact::SlownessEnded { .. } => return None,
    })
}

fn request_id(customer: CustomerId, request: RequestNumber) -> Option<v1::RequestId> {
    Some(v1::RequestId { customer_id: customer.get(), number: request.get() })
}

fn amount_of(operation: Operation) -> Option<String> {
    match operation {
        Operation::Write(write) => Some(write.amount.to_string()),
        Operation::Query => None,
    }
}

fn message(
    from: BranchId,
    to: BranchId,
    number: MessageNumber,
    body: MessageBody,
) -> Option<v1::Message> {
    use v1::message::Body;
    let body = match body {
        MessageBody::Propagate { id } => Body::Propagate(v1::Propagated { id: Some(id.into()) }),
        MessageBody::Acknowledge { id, write_set_len } => {
            Body::Acknowledge(v1::Acknowledged { id: Some(id.into()), write_set_len })
        }
        MessageBody::CatchUp => Body::CatchUp(v1::CatchUp {}),
        MessageBody::Missed { writes } => Body::Missed(v1::Missed { writes }),
    };
    Some(v1::Message {
        from_branch_id: from.get(),
        to_branch_id: to.get(),
        number: number.get(),
        body: Some(body),
    })
}

impl From<&Outcome> for v1::Outcome {
    fn from(outcome: &Outcome) -> Self {
        use v1::outcome::Result;
        let result = match outcome {
            Ok(Receipt::Written) => Result::Written(v1::Written {}),
            Ok(Receipt::Balance(balance)) => Result::Balance(balance.to_string()),
            Err(RequestError::Refused(refusal)) => Result::Refused(v1::Refused {
                reason: status::refusal_reason(refusal).word().to_owned(),
                message: refusal.to_string(),
            }),
            Err(RequestError::OutcomeUnknown { unconfirmed_by, .. }) => {
                Result::Unknown(v1::OutcomeUnknown {
                    unconfirmed_branch_ids: unconfirmed_by.iter().map(|id| id.get()).collect(),
                })
            }
            // Of branches elsewhere alone: no bank of ours says so.
            Err(RequestError::NoAnswer { branch, .. }) => {
                Result::Unknown(v1::OutcomeUnknown { unconfirmed_branch_ids: vec![branch.get()] })
            }
            Err(error @ RequestError::Declined { .. }) => Result::Refused(v1::Refused {
                reason: status::DECLINED.to_owned(),
                message: error.to_string(),
            }),
            // Of a bank that serves alone: none that runs a scenario has such a bound.
            Err(error @ RequestError::Full { .. }) => Result::Refused(v1::Refused {
                reason: status::FULL.to_owned(),
                message: error.to_string(),
            }),
            Err(RequestError::Unavailable { congested, .. }) => {
                Result::Unavailable(v1::Unavailable {
                    congested_branch_ids: congested.iter().map(|id| id.get()).collect(),
                })
            }
            Err(RequestError::VersionNotReached(missing)) => {
                Result::VersionNotReached(v1::VersionNotReached {
                    lags: missing.lags.iter().map(v1::Lag::from).collect(),
                    unheard_branch_ids: missing.unheard.iter().map(|id| id.get()).collect(),
                })
            }
            Err(RequestError::WritesLost { lost, .. }) => Result::WritesLost(v1::WritesLost {
                lost: lost.iter().map(v1::LostWrites::from).collect(),
            }),
            Err(RequestError::Returning { unheard, .. }) => Result::Returning(v1::Returning {
                unheard_branch_ids: unheard.iter().map(|id| id.get()).collect(),
            }),
        };
        Self { result: Some(result) }
    }
}

impl From<&Lag> for v1::Lag {
    fn from(lag: &Lag) -> Self {
        Self {
            origin_branch_id: lag.origin.get(),
            needed: lag.needed.get(),
            here: lag.here.get(),
            life: life_field(lag.life),
        }
    }
}

impl From<&Lost> for v1::LostWrites {
    fn from(lost: &Lost) -> Self {
        let Lost { branch, life, writes } = *lost;
        Self { branch_id: branch.get(), life: life_field(life), writes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Amount, EventId, LogPosition, Money, Refusal, Sequence, Time, Write, WriteId,
    };

    fn fact(fact: Fact) -> v1::fact::What {
        let recorded = Recorded { at: Time::from_us(7), fact };
        let told = v1::Fact::from(&recorded);
        assert_eq!(told.at_us, 7);
        told.what.unwrap()
    }

    #[test]
    fn an_applied_write_is_told_with_its_origin_and_balance() {
        let id = WriteId { customer: CustomerId::new(3).unwrap(), event: EventId::new(4).unwrap() };
        let amount = Amount::try_from(Money::from_minor(40_050)).unwrap();
        let told = fact(Fact::WriteApplied {
            branch: BranchId::new(2).unwrap(),
            id,
            write: Write::withdraw(amount),
            origin: BranchId::new(1).unwrap(),
            life: None,
            sequence: Sequence::new(5),
            position: LogPosition::new(6),
            balance: Money::from_minor(-5),
        });
        let expected = v1::WriteApplied {
            branch_id: 2,
            applied: Some(v1::LoggedWrite {
                id: Some(v1::WriteId { customer_id: 3, event_id: 4 }),
                write: Some(v1::Write { kind: 2, amount: "400.5".to_owned() }),
                origin_branch_id: 1,
                sequence: 5,
                life: 0,
            }),
            position: 6,
            balance: "-0.05".to_owned(),
        };
        assert_eq!(told, v1::fact::What::WriteApplied(expected));
    }

    #[test]
    fn a_refusal_is_told_by_reason_and_in_words() {
        let latest = EventId::new(9).unwrap();
        let told = fact(Fact::ReplySent {
            branch: BranchId::new(1).unwrap(),
            customer: CustomerId::new(2).unwrap(),
            request: RequestNumber::new(3),
            position: LogPosition::new(4),
            outcome: Err(RequestError::Refused(Refusal::OutOfOrder { latest })),
        });
        let refused = v1::Refused {
            reason: "OUT_OF_ORDER".to_owned(),
            message: "out of order: write 9 of this customer is already applied here".to_owned(),
        };
        let expected = v1::ReplySent {
            request: Some(v1::RequestId { customer_id: 2, number: 3 }),
            branch_id: 1,
            position: 4,
            outcome: Some(v1::Outcome { result: Some(v1::outcome::Result::Refused(refused)) }),
        };
        assert_eq!(told, v1::fact::What::ReplySent(expected));
    }
}
