//! The typed contract's ids, money, enums and writes.

use std::collections::BTreeMap;

use super::field::within;
use super::{FieldError, FieldProblem};

use crate::grpc::proto::v1;
use crate::model::{
    Amount, BranchId, CustomerId, CustomerOrder, EventId, Guarantee, Guarantees, IdError, LogEntry,
    OperationKind, Overdraft, Propagation, QueryTiming, Write, WriteId, WriteKind,
};

/// The branch that `field` names.
pub fn branch_id(field: &str, number: u32) -> Result<BranchId, FieldError> {
    id(field, number)
}

/// The customer that `field` names.
pub fn customer_id(field: &str, number: u32) -> Result<CustomerId, FieldError> {
    id(field, number)
}

/// The event id in `field`.
pub fn event_id(field: &str, number: u32) -> Result<EventId, FieldError> {
    id(field, number)
}

fn id<T: TryFrom<i64, Error = IdError>>(field: &str, number: u32) -> Result<T, FieldError> {
    T::try_from(i64::from(number)).map_err(|error| FieldError::new(field, error))
}

/// The amount in `field`, as decimal text.
pub fn amount(field: &str, text: &str) -> Result<Amount, FieldError> {
    text.parse::<Amount>().map_err(|error| FieldError::new(field, error))
}

/// The write id in `field`.
pub fn write_id(field: &str, id: Option<v1::WriteId>) -> Result<WriteId, FieldError> {
    within(field, id, |id| {
        Ok(WriteId {
            customer: customer_id("customer_id", id.customer_id)?,
            event: event_id("event_id", id.event_id)?,
        })
    })
}

/// The write in `field`.
pub fn write(field: &str, write: Option<&v1::Write>) -> Result<Write, FieldError> {
    within(field, write, |write| {
        Ok(Write { kind: write_kind(write.kind)?, amount: amount("amount", &write.amount)? })
    })
}

fn write_kind(number: i32) -> Result<WriteKind, FieldError> {
    match v1::WriteKind::try_from(number) {
        Ok(v1::WriteKind::Deposit) => Ok(WriteKind::Deposit),
        Ok(v1::WriteKind::Withdraw) => Ok(WriteKind::Withdraw),
        Ok(v1::WriteKind::Unspecified) | Err(_) => Err(enum_value("kind", "WriteKind", number)),
    }
}

/// Readers of the settings of a scenario: what stands in a field, `None` where it leaves that to
/// the scenario.
macro_rules! settings {
    ($($reader:ident -> $setting:ident: $($value:ident),+;)+) => {
        $(
            /// The setting in `field`; `None` leaves it to the scenario.
            pub fn $reader(field: &str, number: i32) -> Result<Option<$setting>, FieldError> {
                match v1::$setting::try_from(number) {
                    Ok(v1::$setting::Unspecified) => Ok(None),
                    $(Ok(v1::$setting::$value) => Ok(Some($setting::$value)),)+
                    Err(_) => Err(enum_value(field, stringify!($setting), number)),
                }
            }
        )+
    };
}

settings! {
    propagation -> Propagation: Sync, Async;
    overdraft -> Overdraft: Allow, Reject;
    customers -> CustomerOrder: InOrder, Concurrent;
    queries -> QueryTiming: InPlace, AfterSettling;
}

/// The guarantees in `field`; `None` leaves them to the scenario.
pub fn guarantees(
    field: &str,
    set: Option<&v1::GuaranteeSet>,
) -> Result<Option<Guarantees>, FieldError> {
    let Some(set) = set else { return Ok(None) };
    let read = |number: i32| match v1::Guarantee::try_from(number) {
        Ok(v1::Guarantee::ReadYourWrites) => Ok(Guarantee::ReadYourWrites),
        Ok(v1::Guarantee::MonotonicReads) => Ok(Guarantee::MonotonicReads),
        Ok(v1::Guarantee::MonotonicWrites) => Ok(Guarantee::MonotonicWrites),
        Ok(v1::Guarantee::WritesFollowReads) => Ok(Guarantee::WritesFollowReads),
        Ok(v1::Guarantee::Unspecified) | Err(_) => Err(enum_value(field, "Guarantee", number)),
    };
    let mut kept = Guarantees::NONE;
    for number in &set.guarantees {
        kept = kept.with(read(*number)?);
    }
    Ok(Some(kept))
}

/// The write sets in an apply log, ascending by customer.
pub fn write_sets(log: &[LogEntry]) -> Vec<v1::WriteSet> {
    let mut sets = BTreeMap::<CustomerId, Vec<u32>>::new();
    for entry in log {
        sets.entry(entry.id.customer).or_default().push(entry.id.event.get());
    }
    let set = |(customer, event_ids): (CustomerId, _)| v1::WriteSet {
        customer_id: customer.get(),
        event_ids,
    };
    sets.into_iter().map(set).collect()
}

/// An apply log as events.
pub fn branch_events(log: &[LogEntry]) -> Vec<v1::BranchEvent> {
    let event = |entry: &LogEntry| v1::BranchEvent {
        customer_id: entry.id.customer.get(),
        event_id: entry.id.event.get(),
        kind: v1::WriteKind::from(entry.write.kind).into(),
        amount: entry.write.amount.to_string(),
    };
    log.iter().map(event).collect()
}

/// How much is told of a branch.
pub fn branch_view(field: &str, number: i32) -> Result<v1::BranchView, FieldError> {
    v1::BranchView::try_from(number).map_err(|_| enum_value(field, "BranchView", number))
}

fn enum_value(field: &str, name: &'static str, found: i32) -> FieldError {
    FieldError::new(field, FieldProblem::EnumValue { name, found })
}

impl From<WriteId> for v1::WriteId {
    fn from(id: WriteId) -> Self {
        Self { customer_id: id.customer.get(), event_id: id.event.get() }
    }
}

impl From<Write> for v1::Write {
    fn from(write: Write) -> Self {
        Self { kind: v1::WriteKind::from(write.kind).into(), amount: write.amount.to_string() }
    }
}

impl From<WriteKind> for v1::WriteKind {
    fn from(kind: WriteKind) -> Self {
        match kind {
            WriteKind::Deposit => Self::Deposit,
            WriteKind::Withdraw => Self::Withdraw,
        }
    }
}

impl From<OperationKind> for v1::Interface {
    fn from(interface: OperationKind) -> Self {
        match interface {
            OperationKind::Deposit => Self::Deposit,
            OperationKind::Withdraw => Self::Withdraw,
            OperationKind::Query => Self::Query,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Money, MoneyError};
    use proptest::prelude::*;

    #[test]
    fn what_is_wrong_names_its_field() {
        assert_eq!(
            branch_id("branch_id", 0),
            Err(FieldError::new("branch_id", IdError { found: 0 }))
        );
        assert_eq!(amount("amount", "1e3"), Err(FieldError::new("amount", MoneyError::Exponent)));
        assert_eq!(write("write", None), Err(FieldError::new("write", FieldProblem::Missing)));
        let deposit = v1::Write { kind: 1, amount: "0".to_owned() };
        assert_eq!(
            write("write", Some(&deposit)),
            Err(FieldError::new("write.amount", MoneyError::NotPositive))
        );
        let nothing = v1::Write { kind: 0, amount: "1".to_owned() };
        assert_eq!(
            write("write", Some(&nothing)).unwrap_err().to_string(),
            "write.kind: no value of WriteKind that can stand here: 0"
        );
        let nobody = v1::WriteId { customer_id: u32::MAX, event_id: 1 };
        assert_eq!(
            write_id("id", Some(nobody)),
            Err(FieldError::new("id.customer_id", IdError { found: i64::from(u32::MAX) }))
        );
    }

    #[test]
    fn an_enum_that_says_nothing_leaves_it_to_the_scenario() {
        assert_eq!(propagation("propagation", 0), Ok(None));
        assert_eq!(overdraft("overdraft", 0), Ok(None));
        assert_eq!(customers("customers", 0), Ok(None));
        assert_eq!(queries("queries", 0), Ok(None));
        assert_eq!(propagation("propagation", 1), Ok(Some(Propagation::Sync)));
        assert_eq!(overdraft("overdraft", 2), Ok(Some(Overdraft::Reject)));
        assert_eq!(customers("customers", 2), Ok(Some(CustomerOrder::Concurrent)));
        assert_eq!(queries("queries", 2), Ok(Some(QueryTiming::AfterSettling)));
        let of = |numbers: &[i32]| {
            guarantees("guarantees", Some(&v1::GuaranteeSet { guarantees: numbers.to_vec() }))
        };
        assert_eq!(guarantees("guarantees", None), Ok(None));
        assert_eq!(of(&[]), Ok(Some(Guarantees::NONE)));
        assert_eq!(of(&[4, 3, 2, 1]), Ok(Some(Guarantees::ALL)));
        assert_eq!(of(&[0]), Err(enum_value("guarantees", "Guarantee", 0)));
        assert_eq!(overdraft("overdraft", 9), Err(enum_value("overdraft", "Overdraft", 9)));
    }

    proptest! {
        #[test]
        fn a_write_survives_the_wire(cents in 1..=i64::MAX, customer in 1..=i64::from(i32::MAX)) {
            let amount = Amount::try_from(Money::from_minor(cents)).unwrap();
            for meant in [Write::deposit(amount), Write::withdraw(amount)] {
                prop_assert_eq!(write("write", Some(&v1::Write::from(meant))), Ok(meant));
            }
            let id = WriteId {
                customer: CustomerId::new(customer).unwrap(),
                event: EventId::new(1).unwrap(),
            };
            prop_assert_eq!(write_id("id", Some(id.into())), Ok(id));
        }
    }
}
