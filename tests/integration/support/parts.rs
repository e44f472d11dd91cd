//! Small parts that scenarios are made of.

use std::sync::Arc;

use passbook::model::{
    Amount, BranchId, CustomerId, Event, EventId, Money, Operation, Roster, Write,
};

pub(crate) fn branch(id: u32) -> BranchId {
    BranchId::new(i64::from(id)).expect("a fit number")
}

pub(crate) fn customer(id: u32) -> CustomerId {
    CustomerId::new(i64::from(id)).expect("a fit number")
}

pub(crate) fn event_id(id: u32) -> EventId {
    EventId::new(i64::from(id)).expect("a fit number")
}

pub(crate) fn amount(minor: i64) -> Amount {
    Amount::try_from(Money::from_minor(minor)).expect("a fit number")
}

pub(crate) fn deposit(minor: i64) -> Operation {
    Operation::Write(Write::deposit(amount(minor)))
}

pub(crate) fn withdraw(minor: i64) -> Operation {
    Operation::Write(Write::withdraw(amount(minor)))
}

pub(crate) fn event(id: u32, at: u32, operation: Operation) -> Event {
    Event { id: event_id(id), branch: branch(at), operation }
}

pub(crate) fn roster(branches: u32) -> Arc<Roster> {
    Arc::new(Roster::new((1..=branches).map(branch)).expect("a fit number"))
}
