//! The output dialects as values: what a run prints, a scenario expects and a grader compares.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::model::{BranchId, CustomerId, Decimal, Interface, Money};

/// A result in one of the classic output dialects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// `[{"id":1,"balance":400}]`: a row per customer, with the balance after its last event.
    Balances(Vec<BalanceRow>),
    /// A row per event, with the branch that served it.
    Events(Vec<EventsRow>),
    /// A row per visit with all its events, and no branch.
    Customers(Vec<EventsRow>),
    /// The same in the oldest form: `{"interface":"query","result":"success","money":500}`.
    Classic(Vec<EventsRow>),
}

/// A customer and its balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BalanceRow {
    /// The customer.
    pub id: CustomerId,
    /// The balance; `None` where it was told nothing.
    pub balance: Option<Money>,
}

/// A customer and what became of some of its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventsRow {
    /// The customer.
    pub id: CustomerId,
    /// One event in dialect `events`, all of the visit's in `customers` and `classic`.
    pub recv: Vec<EventResult>,
}

/// What became of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventResult {
    /// What was asked.
    pub interface: Interface,
    /// The branch that was asked; dialects `customers` and `classic` leave it out.
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
    /// `null`: nothing, as an expected result may have it.
    Nothing,
}

impl Told {
    /// The word for it in `"result"`; `None` for a balance, and for nothing.
    pub const fn word(self) -> Option<&'static str> {
        match self {
            Self::Balance(_) | Self::Nothing => None,
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
        row.serialize_field("balance", &self.balance.map(Money::decimal))?;
        row.end()
    }
}

impl Serialize for Output {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Balances(rows) => rows.serialize(serializer),
            Self::Events(rows) | Self::Customers(rows) => rows.serialize(serializer),
            Self::Classic(rows) => serializer.collect_seq(rows.iter().map(ClassicRow::from)),
        }
    }
}

/// A row of dialect `classic`.
#[derive(Serialize)]
struct ClassicRow {
    id: CustomerId,
    recv: Vec<ClassicResult>,
}

#[derive(Serialize)]
struct ClassicResult {
    interface: Interface,
    result: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    money: Option<Decimal>,
}

impl From<&EventsRow> for ClassicRow {
    fn from(row: &EventsRow) -> Self {
        let results = row.recv.iter().map(|event| {
            let (result, money) = match event.told {
                Told::Balance(balance) => (Told::Success.word(), Some(balance.decimal())),
                told @ (Told::Success | Told::Fail | Told::Unknown | Told::Nothing) => {
                    (told.word(), None)
                }
            };
            ClassicResult { interface: event.interface, result, money }
        });
        Self { id: row.id, recv: results.collect() }
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
            told @ (Told::Success | Told::Fail | Told::Unknown | Told::Nothing) => {
                row.serialize_field("result", &told.word())?;
            }
        }
        row.end()
    }
}
