//! What a customer asks of a branch: a write (deposit or withdrawal) or a query.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::words::words;
use super::{Amount, BranchId, EventId, Money};

/// Which way a write moves money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WriteKind {
    /// Money comes in.
    Deposit,
    /// Money goes out.
    Withdraw,
}

/// The content of a write: a deposit or a withdrawal of an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Write {
    /// Which way.
    pub kind: WriteKind,
    /// How much.
    #[serde(rename = "amount_minor")]
    pub amount: Amount,
}

impl Write {
    /// A deposit of `amount`.
    pub const fn deposit(amount: Amount) -> Self {
        Self { kind: WriteKind::Deposit, amount }
    }

    /// A withdrawal of `amount`.
    pub const fn withdraw(amount: Amount) -> Self {
        Self { kind: WriteKind::Withdraw, amount }
    }

    /// What it adds to a balance: below zero for a withdrawal.
    pub const fn delta(self) -> Money {
        match self.kind {
            WriteKind::Deposit => self.amount.money(),
            WriteKind::Withdraw => Money::from_minor(-self.amount.money().minor()),
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", Operation::Write(*self).interface(), self.amount)
    }
}

/// What a customer asks of a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// Deposit or withdraw.
    Write(Write),
    /// Tell the balance.
    Query,
}

impl Operation {
    /// Which kind of operation it is.
    pub const fn interface(self) -> OperationKind {
        match self {
            Self::Write(Write { kind: WriteKind::Deposit, .. }) => OperationKind::Deposit,
            Self::Write(Write { kind: WriteKind::Withdraw, .. }) => OperationKind::Withdraw,
            Self::Query => OperationKind::Query,
        }
    }
}

words! {
    /// The kind of an operation, by its word in input, output and wire contracts.
    #[derive(PartialOrd, Ord, Hash)]
    pub enum OperationKind {
        /// Money comes in.
        Deposit = "deposit",
        /// Money goes out.
        Withdraw = "withdraw",
        /// The balance is asked for.
        Query = "query",
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write(write) => write.fmt(f),
            Self::Query => f.write_str("query"),
        }
    }
}

/// One thing that a customer asks of a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// Its id. Queries may repeat ids, and so do some course inputs.
    pub id: EventId,
    /// The branch that is asked.
    pub branch: BranchId,
    /// What is asked.
    pub operation: Operation,
}
