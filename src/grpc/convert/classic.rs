//! The classic contract: what a `BranchRequest` asks, and the text of a write set.

use super::{FieldError, FieldProblem, amount_from_float, amount_to_float};
use crate::grpc::proto::banking::BranchRequest;
use crate::model::{
    BranchId, CustomerId, EventId, IdError, Operation, OperationKind, Write, WriteId, WriteKind,
};

const CUSTOMER: &str = "customer";
const BRANCH: &str = "branch";

/// The metadata key that names the branch where one listener serves them all.
pub(crate) const BRANCH_KEY: &str = "branch";

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
    /// A customer deposits or withdraws, and leaves it to the branch to give the event id: the
    /// oldest form of this contract, where `id` alone says whose session it is.
    UnnumberedWrite {
        /// Who.
        customer: CustomerId,
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
        if request.read_writes {
            let customer = id("customer_id", request.customer_id)?;
            return Ok(Self::ReadWriteSet { customer });
        }
        match request.r#type.as_str() {
            CUSTOMER => from_customer(request),
            BRANCH => from_branch(request),
            _ => Err(word("type", "\"customer\" or \"branch\"", &request.r#type)),
        }
    }
}

fn from_customer(request: &BranchRequest) -> Result<ClassicCall, FieldError> {
    let customer = session(request)?;
    let kind = match interface(&request.interface) {
        Some(OperationKind::Deposit) => WriteKind::Deposit,
        Some(OperationKind::Withdraw) => WriteKind::Withdraw,
        Some(OperationKind::Query) => {
            let event = match request.event_id {
                0 => None,
                event => Some(id("event_id", event)?),
            };
            return Ok(ClassicCall::Query { customer, event });
        }
        None => {
            let expected = "\"deposit\", \"withdraw\" or \"query\"";
            return Err(word("interface", expected, &request.interface));
        }
    };
    if is_oldest_form(request) {
        return Ok(ClassicCall::UnnumberedWrite { customer, write: write(kind, request)? });
    }
    let id = WriteId { customer, event: id("event_id", request.event_id)? };
    Ok(ClassicCall::Write { id, write: write(kind, request)? })
}

fn from_branch(request: &BranchRequest) -> Result<ClassicCall, FieldError> {
    let customer = id("customer_id", request.customer_id)?;
    let from = id("id", request.id)?;
    let kind = match interface(&request.interface) {
        Some(OperationKind::Deposit) => WriteKind::Deposit,
        Some(OperationKind::Withdraw) => WriteKind::Withdraw,
        Some(OperationKind::Query) | None => {
            let expected = "\"deposit\" or \"withdraw\" from a branch";
            return Err(word("interface", expected, &request.interface));
        }
    };
    let id = WriteId { customer, event: id("event_id", request.event_id)? };
    Ok(ClassicCall::Propagate { from, id, write: write(kind, request)? })
}

/// Whose session a customer's request is of. An error where that is not certain: siblings of this
/// contract have other things in these fields.
pub fn session(request: &BranchRequest) -> Result<CustomerId, FieldError> {
    let sender = id("id", request.id);
    if is_oldest_form(request) {
        return sender;
    }
    let customer = id("customer_id", request.customer_id)?;
    if sender? == customer {
        Ok(customer)
    } else {
        let problem = FieldProblem::NotTheCustomer { id: request.id, customer };
        Err(FieldError::new("id", problem))
    }
}

/// Whether a branch says so of itself: then it is no customer that is answered.
pub fn is_from_branch(request: &BranchRequest) -> bool {
    request.r#type == BRANCH
}

/// The oldest form has neither field. Only one of them is a mistake.
fn is_oldest_form(request: &BranchRequest) -> bool {
    request.customer_id == 0 && request.event_id == 0
}

fn write(kind: WriteKind, request: &BranchRequest) -> Result<Write, FieldError> {
    let amount =
        amount_from_float(request.money).map_err(|error| FieldError::new("money", error))?;
    Ok(Write { kind, amount })
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
            ClassicCall::UnnumberedWrite { customer, write } => Self {
                r#type: CUSTOMER.to_owned(),
                id: number(customer.get()),
                ..money_request(write)?
            },
            ClassicCall::Propagate { from, id, write } => Self {
                r#type: BRANCH.to_owned(),
                id: number(from.get()),
                ..write_request(id, write)?
            },
            ClassicCall::Query { customer, event } => Self {
                r#type: CUSTOMER.to_owned(),
                interface: OperationKind::Query.word().to_owned(),
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
    Ok(BranchRequest {
        event_id: number(id.event.get()),
        customer_id: number(id.customer.get()),
        ..money_request(write)?
    })
}

fn money_request(write: Write) -> Result<BranchRequest, FieldError> {
    let money = amount_to_float(write.amount).map_err(|error| FieldError::new("money", error))?;
    let interface = Operation::Write(write).interface().word().to_owned();
    Ok(BranchRequest { interface, money, ..BranchRequest::default() })
}

fn id<T: TryFrom<i64, Error = IdError>>(field: &str, number: i32) -> Result<T, FieldError> {
    T::try_from(i64::from(number)).map_err(|error| FieldError::new(field, error))
}

fn number(id: u32) -> i32 {
    i32::try_from(id).expect("an id is at most i32::MAX")
}

fn interface(word: &str) -> Option<OperationKind> {
    OperationKind::ALL.into_iter().find(|interface| interface.word() == word)
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
            id: 3,
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
        let from = BranchId::new(3).unwrap();
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
        // The oldest form.
        let unnumbered = |r: &mut BranchRequest| (r.customer_id, r.event_id) = (0, 0);
        assert_eq!(
            of(unnumbered),
            Ok(ClassicCall::UnnumberedWrite { customer, write: Write::deposit(amount) })
        );
        assert_eq!(
            of(|r| {
                (r.customer_id, r.event_id) = (0, 0);
                r.interface = "query".to_owned();
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
        let customer = CustomerId::new(3).unwrap();
        for (id, interface) in [(1, "deposit"), (4, "withdraw"), (2, "query")] {
            refused(
                &BranchRequest { id, interface: interface.to_owned(), ..deposit() },
                FieldError::new("id", FieldProblem::NotTheCustomer { id, customer }),
            );
        }
        // One of the two alone is a mistake.
        refused(
            &BranchRequest { event_id: 0, ..deposit() },
            FieldError::new("event_id", IdError { found: 0 }),
        );
        refused(
            &BranchRequest { id: 0, customer_id: 0, event_id: 0, ..deposit() },
            FieldError::new("id", IdError { found: 0 }),
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
        (0..6, ids(), ids(), ids(), cents).prop_map(|(kind, customer, event, from, cents)| {
            let customer = CustomerId::new(customer).unwrap();
            let event = EventId::new(event).unwrap();
            let id = WriteId { customer, event };
            let amount = Amount::try_from(Money::from_minor(cents)).unwrap();
            match kind {
                0 => ClassicCall::Write { id, write: Write::deposit(amount) },
                1 => ClassicCall::Write { id, write: Write::withdraw(amount) },
                2 => ClassicCall::Query { customer, event: (cents > 1).then_some(event) },
                3 => ClassicCall::ReadWriteSet { customer },
                4 => ClassicCall::UnnumberedWrite { customer, write: Write::withdraw(amount) },
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
