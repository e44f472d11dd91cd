//! The classic contract: what a `BranchRequest` asks, and the text of a write set.

use super::{FieldError, FieldProblem, amount_from_float, amount_to_float};
use crate::grpc::proto::banking::BranchRequest;
use crate::model::{
    BranchId, CustomerId, EventId, IdError, Interface, Operation, Write, WriteId, WriteKind,
};

const CUSTOMER: &str = "customer";
const BRANCH: &str = "branch";

/// What a classic request asks of a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassicCall {
    /// A customer deposits or withdraws.
    Write {
        /// Which write.
        id: WriteId,
        /// What it does.
        write: Write,
    },
    /// A customer asks for the balance.
    Query {
        /// Who.
        customer: CustomerId,
        /// Which of the customer's events it is, if it says so.
        event: Option<EventId>,
    },
    /// Another branch hands over a write.
    Propagate {
        /// The branch that does.
        from: BranchId,
        /// Which write.
        id: WriteId,
        /// What it does.
        write: Write,
    },
    /// Someone asks for the balance and a customer's write set.
    ReadWriteSet {
        /// Whose.
        customer: CustomerId,
    },
}

impl TryFrom<&BranchRequest> for ClassicCall {
    type Error = FieldError;

    fn try_from(request: &BranchRequest) -> Result<Self, FieldError> {
        let customer = id("customer_id", request.customer_id)?;
        if request.read_writes {
            return Ok(Self::ReadWriteSet { customer });
        }
        let from = match request.r#type.as_str() {
            CUSTOMER => None,
            BRANCH => Some(id("id", request.id)?),
            _ => return Err(word("type", "\"customer\" or \"branch\"", &request.r#type)),
        };
        let kind = match (interface(&request.interface), from) {
            (Some(Interface::Deposit), _) => WriteKind::Deposit,
            (Some(Interface::Withdraw), _) => WriteKind::Withdraw,
            (Some(Interface::Query), None) => {
                let event = match request.event_id {
                    0 => None,
                    event => Some(id("event_id", event)?),
                };
                return Ok(Self::Query { customer, event });
            }
            (Some(Interface::Query), Some(_)) => {
                let expected = "\"deposit\" or \"withdraw\" from a branch";
                return Err(word("interface", expected, &request.interface));
            }
            (None, _) => {
                let expected = "\"deposit\", \"withdraw\" or \"query\"";
                return Err(word("interface", expected, &request.interface));
            }
        };
        let id = WriteId { customer, event: id("event_id", request.event_id)? };
        let amount =
            amount_from_float(request.money).map_err(|error| FieldError::new("money", error))?;
        let write = Write { kind, amount };
        Ok(match from {
            None => Self::Write { id, write },
            Some(from) => Self::Propagate { from, id, write },
        })
    }
}

impl TryFrom<ClassicCall> for BranchRequest {
    type Error = FieldError;

    /// An error where a float cannot hold the amount.
    fn try_from(call: ClassicCall) -> Result<Self, FieldError> {
        Ok(match call {
            ClassicCall::Write { id, write } => Self {
                r#type: CUSTOMER.to_owned(),
                id: number(id.customer.get()),
                ..write_request(id, write)?
            },
            ClassicCall::Propagate { from, id, write } => Self {
                r#type: BRANCH.to_owned(),
                id: number(from.get()),
                ..write_request(id, write)?
            },
            ClassicCall::Query { customer, event } => Self {
                r#type: CUSTOMER.to_owned(),
                interface: Interface::Query.word().to_owned(),
                id: number(customer.get()),
                event_id: event.map_or(0, |event| number(event.get())),
                customer_id: number(customer.get()),
                ..Self::default()
            },
            ClassicCall::ReadWriteSet { customer } => {
                Self { customer_id: number(customer.get()), read_writes: true, ..Self::default() }
            }
        })
    }
}

fn write_request(id: WriteId, write: Write) -> Result<BranchRequest, FieldError> {
    let money = amount_to_float(write.amount).map_err(|error| FieldError::new("money", error))?;
    Ok(BranchRequest {
        interface: Operation::Write(write).interface().word().to_owned(),
        money,
        event_id: number(id.event.get()),
        customer_id: number(id.customer.get()),
        ..BranchRequest::default()
    })
}

fn id<T: TryFrom<i64, Error = IdError>>(field: &str, number: i32) -> Result<T, FieldError> {
    T::try_from(i64::from(number)).map_err(|error| FieldError::new(field, error))
}

fn number(id: u32) -> i32 {
    i32::try_from(id).expect("an id is at most i32::MAX")
}

fn interface(word: &str) -> Option<Interface> {
    Interface::ALL.into_iter().find(|interface| interface.word() == word)
}

fn word(field: &str, expected: &'static str, found: &str) -> FieldError {
    FieldError::new(field, FieldProblem::Word { expected, found: found.to_owned() })
}

/// The event ids `events` as the classic contract writes them: `[1, 2]`.
pub fn write_set_text(events: impl IntoIterator<Item = EventId>) -> String {
    let events: Vec<String> = events.into_iter().map(|event| event.to_string()).collect();
    format!("[{}]", events.join(", "))
}

/// What the field `write_sets` of a reply says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteSetText {
    /// Nothing: some branches leave the field out of some replies.
    Absent,
    /// These event ids, in this order.
    Events(Vec<EventId>),
}

impl WriteSetText {
    /// Reads `text`, with any space around ids.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        if text.trim().is_empty() {
            return Ok(Self::Absent);
        }
        serde_json::from_str(text).map(Self::Events).map_err(|_| {
            FieldError::new("write_sets", FieldProblem::WriteSet { found: text.to_owned() })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::convert::FloatError;
    use crate::model::{Amount, Money, MoneyError};
    use proptest::prelude::*;

    fn deposit() -> BranchRequest {
        BranchRequest {
            r#type: "customer".to_owned(),
            balance: 7.0,
            interface: "deposit".to_owned(),
            money: 400.5,
            id: 1,
            event_id: 2,
            customer_id: 3,
            read_writes: false,
        }
    }

    fn events(ids: &[i64]) -> Vec<EventId> {
        ids.iter().map(|id| EventId::new(*id).unwrap()).collect()
    }

    #[track_caller]
    fn refused(request: &BranchRequest, error: FieldError) {
        assert_eq!(ClassicCall::try_from(request), Err(error));
    }

    #[test]
    fn each_kind_of_request_is_told_by_its_fields() {
        let customer = CustomerId::new(3).unwrap();
        let id = WriteId { customer, event: EventId::new(2).unwrap() };
        let amount = Amount::try_from(Money::from_minor(40_050)).unwrap();
        let from = BranchId::new(1).unwrap();
        let of = |change: fn(&mut BranchRequest)| {
            let mut request = deposit();
            change(&mut request);
            ClassicCall::try_from(&request)
        };
        assert_eq!(of(|_| {}), Ok(ClassicCall::Write { id, write: Write::deposit(amount) }));
        assert_eq!(
            of(|r| r.interface = "withdraw".to_owned()),
            Ok(ClassicCall::Write { id, write: Write::withdraw(amount) })
        );
        assert_eq!(
            of(|r| r.r#type = "branch".to_owned()),
            Ok(ClassicCall::Propagate { from, id, write: Write::deposit(amount) })
        );
        assert_eq!(
            of(|r| {
                r.interface = "query".to_owned();
                r.money = f32::NAN;
            }),
            Ok(ClassicCall::Query { customer, event: Some(id.event) })
        );
        assert_eq!(
            of(|r| {
                r.interface = "query".to_owned();
                r.event_id = 0;
            }),
            Ok(ClassicCall::Query { customer, event: None })
        );
        let check = BranchRequest { customer_id: 3, read_writes: true, ..BranchRequest::default() };
        assert_eq!(ClassicCall::try_from(&check), Ok(ClassicCall::ReadWriteSet { customer }));
    }

    #[test]
    fn what_is_wrong_names_its_field() {
        let type_words = "\"customer\" or \"branch\"";
        refused(
            &BranchRequest { r#type: String::new(), ..deposit() },
            word("type", type_words, ""),
        );
        refused(
            &BranchRequest { r#type: "Customer".to_owned(), ..deposit() },
            word("type", type_words, "Customer"),
        );
        refused(
            &BranchRequest { interface: "transfer".to_owned(), ..deposit() },
            word("interface", "\"deposit\", \"withdraw\" or \"query\"", "transfer"),
        );
        refused(
            &BranchRequest {
                r#type: "branch".to_owned(),
                interface: "query".to_owned(),
                ..deposit()
            },
            word("interface", "\"deposit\" or \"withdraw\" from a branch", "query"),
        );
        refused(
            &BranchRequest { customer_id: 0, ..deposit() },
            FieldError::new("customer_id", IdError { found: 0 }),
        );
        refused(
            &BranchRequest { event_id: -1, ..deposit() },
            FieldError::new("event_id", IdError { found: -1 }),
        );
        refused(
            &BranchRequest { r#type: "branch".to_owned(), id: 0, ..deposit() },
            FieldError::new("id", IdError { found: 0 }),
        );
        refused(
            &BranchRequest { money: 0.0, ..deposit() },
            FieldError::new("money", FloatError::Money(MoneyError::NotPositive)),
        );
        refused(
            &BranchRequest { money: 0.001, ..deposit() },
            FieldError::new("money", FloatError::NotWholeCents { found: 0.001 }),
        );
    }

    #[test]
    fn a_write_set_is_the_text_that_existing_clients_compare() {
        assert_eq!(write_set_text(events(&[1, 2])), "[1, 2]");
        assert_eq!(write_set_text(events(&[7])), "[7]");
        assert_eq!(write_set_text([]), "[]");
    }

    #[test]
    fn a_write_set_is_read_however_it_is_spaced() {
        for text in ["[1, 2]", "[1,2]", " [ 1 ,2 ]\n"] {
            assert_eq!(WriteSetText::parse(text), Ok(WriteSetText::Events(events(&[1, 2]))));
        }
        assert_eq!(WriteSetText::parse("[]"), Ok(WriteSetText::Events(Vec::new())));
        assert_eq!(WriteSetText::parse(" "), Ok(WriteSetText::Absent));
    }

    #[test]
    fn what_is_no_write_set_is_refused() {
        for found in ["1, 2", "[1, 2", "[1 2]", "[1,]", "[0]", "[-1]", "[1.0]", "[\"1\"]", "[] x"] {
            let problem = FieldProblem::WriteSet { found: found.to_owned() };
            assert_eq!(
                WriteSetText::parse(found),
                Err(FieldError::new("write_sets", problem)),
                "{found}"
            );
        }
    }

    fn any_call() -> impl Strategy<Value = ClassicCall> {
        let ids = || 1..=i64::from(i32::MAX);
        let cents = 1..=super::super::FLOAT_EXACT_MAX.minor();
        (0..5, ids(), ids(), ids(), cents).prop_map(|(kind, customer, event, from, cents)| {
            let customer = CustomerId::new(customer).unwrap();
            let event = EventId::new(event).unwrap();
            let id = WriteId { customer, event };
            let amount = Amount::try_from(Money::from_minor(cents)).unwrap();
            match kind {
                0 => ClassicCall::Write { id, write: Write::deposit(amount) },
                1 => ClassicCall::Write { id, write: Write::withdraw(amount) },
                2 => ClassicCall::Query { customer, event: (cents > 1).then_some(event) },
                3 => ClassicCall::ReadWriteSet { customer },
                _ => ClassicCall::Propagate {
                    from: BranchId::new(from).unwrap(),
                    id,
                    write: Write::deposit(amount),
                },
            }
        })
    }

    proptest! {
        #[test]
        fn a_request_that_we_send_is_read_as_it_was_meant(call in any_call()) {
            let request = BranchRequest::try_from(call).unwrap();
            prop_assert_eq!(ClassicCall::try_from(&request), Ok(call));
        }

        #[test]
        fn a_write_set_survives_its_text(ids in prop::collection::vec(1..=i64::from(i32::MAX), 0..9)) {
            let set = events(&ids);
            prop_assert_eq!(
                WriteSetText::parse(&write_set_text(set.clone())),
                Ok(WriteSetText::Events(set))
            );
        }
    }
}
