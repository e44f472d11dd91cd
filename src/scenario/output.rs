//! The output dialects as values: what a run prints, a scenario expects and a grader compares.

use serde::{Deserialize, Serialize};

use crate::model::{BranchId, CustomerId, Money, OperationKind};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BalanceRow {
    /// The customer.
    pub id: CustomerId,
    /// The balance; `None` where it was told nothing.
    #[serde(with = "decimal")]
    pub balance: Option<Money>,
}

/// A balance as the decimal number that it is.
mod decimal {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::model::{Decimal, Money};

    pub(super) fn serialize<S: Serializer>(
        balance: &Option<Money>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        balance.map(Money::decimal).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Money>, D::Error> {
        Ok(Option::<Decimal>::deserialize(deserializer)?.map(Money::from))
    }
}

/// A customer and what became of some of its events.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    pub interface: OperationKind,
    /// The branch that was asked; dialects `customers` and `classic` leave it out.
    pub branch: Option<BranchId>,
    /// What the customer was told.
    pub told: EventOutcome,
}

/// What a customer was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventOutcome {
    /// `"balance": 400`: the answer to a query.
    Balance(Money),
    /// `"result": "success"`: the write took effect.
    Success,
    /// `"result": "fail"`: it did not, and never will.
    Fail,
    /// `"result": "unknown"`: it is not known yet.
    Unknown,
    /// `null`: nothing, as an expected result may have it.
    Nothing,
}

impl EventOutcome {
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
