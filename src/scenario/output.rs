//! The output dialects as values: what a run prints, a scenario expects and a grader compares.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::model::{BranchId, CustomerId, Interface, Money};

/// A result in one of the classic output dialects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Output {
    /// `[{"id":1,"balance":400}]`: a row per customer, with the balance after its last event.
    Balances(Vec<BalanceRow>),
    /// A row per event, with the branch that served it.
    Events(Vec<EventsRow>),
    /// A row per customer with all its events, and no branch.
    Customers(Vec<EventsRow>),
}

/// A customer and its balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BalanceRow {
    /// The customer.
    pub id: CustomerId,
    /// The balance.
    pub balance: Money,
}

/// A customer and what became of some of its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventsRow {
    /// The customer.
    pub id: CustomerId,
    /// One event in dialect `events`, all of the customer's in `customers`.
    pub recv: Vec<EventResult>,
}

/// What became of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventResult {
    /// What was asked.
    pub interface: Interface,
    /// The branch that was asked; dialect `customers` leaves it out.
    pub branch: Option<BranchId>,
    /// What the customer was told.
    pub told: Told,
}

/// What a customer was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// `"balance": 400`: the answer to a query.
    Balance(Money),
    /// `"result": "success"`: the write took effect.
    Success,
    /// `"result": "fail"`: it did not, and never will.
    Fail,
    /// `"result": "unknown"`: nobody can say yet.
    Unknown,
}

impl Told {
    /// The word for it in `"result"`; `None` for a balance.
    pub const fn word(self) -> Option<&'static str> {
        match self {
            Self::Balance(_) => None,
            Self::Success => Some("success"),
            Self::Fail => Some("fail"),
            Self::Unknown => Some("unknown"),
        }
    }
}

impl Serialize for BalanceRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_struct("BalanceRow", 2)?;
        row.serialize_field("id", &self.id)?;
        row.serialize_field("balance", &self.balance.decimal())?;
        row.end()
    }
}

impl Serialize for EventResult {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_struct("EventResult", 3)?;
        row.serialize_field("interface", &self.interface)?;
        match self.branch {
            Some(branch) => row.serialize_field("branch", &branch)?,
            None => row.skip_field("branch")?,
        }
        match self.told {
            Told::Balance(balance) => row.serialize_field("balance", &balance.decimal())?,
            told @ (Told::Success | Told::Fail | Told::Unknown) => {
                row.serialize_field("result", &told.word())?;
            }
        }
        row.end()
    }
}
