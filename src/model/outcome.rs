//! How a request ends: a receipt, a refusal, or an outcome that is not known yet.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::words::words;
use super::{BranchId, EventId, Life, LogPosition, Money, Sequence, Write, listed_of};

/// How a request ended.
pub type Outcome = Result<Receipt, RequestError>;

words! {
    /// What an outcome means to the customer, without the details.
    pub enum OutcomeClass {
        /// It was done.
        Ok = "ok",
        /// It was not done, and never will be.
        Refused = "refused",
        /// It may or may not be done.
        Unknown = "unknown",
    }
}

impl OutcomeClass {
    /// The class of `outcome`.
    pub const fn of(outcome: &Outcome) -> Self {
        match outcome {
            Ok(_) => Self::Ok,
            Err(
                RequestError::Refused(_)
                | RequestError::VersionNotReached { .. }
                | RequestError::Unavailable { .. }
                | RequestError::Full { .. }
                | RequestError::Declined { .. }
                | RequestError::WritesLost { .. }
                | RequestError::Returning { .. },
            ) => Self::Refused,
            Err(RequestError::OutcomeUnknown { .. } | RequestError::NoAnswer { .. }) => {
                Self::Unknown
            }
        }
    }
}

/// What a branch answers when it did what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Receipt {
    /// The write took effect and, with sync propagation, every branch confirmed it.
    Written,
    /// The balance that the query saw.
    #[serde(rename = "balance_minor")]
    Balance(Money),
}

/// Why a request was not answered with a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RequestError {
    /// It has not taken effect and never will.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// The write is applied here and goes on being propagated, but these branches have not
    /// confirmed it in time.
    #[error("outcome unknown: {}", why_unknown(unconfirmed_by, *more))]
    OutcomeUnknown {
        /// The branches that have not confirmed, ascending. None where the branch stopped that was
        /// asked: then it may not be applied either.
        unconfirmed_by: Vec<BranchId>,
        /// How many more there are, where a branch elsewhere named only some.
        #[serde(default, skip_serializing_if = "is_none")]
        more: usize,
    },
    /// These branches cannot be reached, or as much is on its way to them as can be kept. Nothing
    /// was done; it can be tried again.
    #[error("unavailable: out of reach or congested: {}", list(congested, *more))]
    Unavailable {
        /// The branches that take no more, ascending.
        congested: Vec<BranchId>,
        /// How many more there are, where a branch elsewhere named only some.
        #[serde(default, skip_serializing_if = "is_none")]
        more: usize,
    },
    /// The branch holds as many writes as it may, and takes no more of customers. Nothing was done.
    #[error(
        "full: the branch takes no more writes, for its limit is {log_max}; it still answers queries"
    )]
    Full {
        /// How many writes it may hold before it takes no more.
        log_max: LogPosition,
    },
    /// It is not known what became of it: the branch, which runs elsewhere, gave no answer, or none
    /// that says so. A write may have taken effect.
    #[error("outcome unknown: branch {branch} {problem}")]
    NoAnswer {
        /// The branch that was asked.
        branch: BranchId,
        /// What came in place of an answer, in words: `did not answer within 1s`.
        problem: String,
    },
    /// The branch, which runs elsewhere and speaks the classic contract, says that it failed, and
    /// does not hold the write. Nothing was done.
    #[error("branch {branch} answered 400{}", because(reason.as_deref()))]
    Declined {
        /// The branch that was asked.
        branch: BranchId,
        /// Why, where it says so.
        reason: Option<String>,
    },
    /// The branch does not hold in time what the customer's passbook asks for. Nothing was done.
    #[error("not served in time: {0}")]
    VersionNotReached(Box<NotReached>),
    /// The customer's passbook asks for writes that no branch holds any more: the memory of the
    /// branch that had accepted them ended. Nothing was done. The answer brings the passbook without
    /// them, and with that the session goes on.
    #[error("writes lost: {}", listed_of(lost.iter(), *more))]
    WritesLost {
        /// What is lost.
        lost: Vec<Lost>,
        /// How much more there is, where a branch elsewhere named only some.
        #[serde(default, skip_serializing_if = "is_none")]
        more: usize,
    },
    /// The branch has started again without all that it had said, and waits to hear from these
    /// branches what it lacks. Nothing was done; it can be tried again.
    #[error("unavailable: the branch {}", why_away(unheard, *more))]
    Returning {
        /// The branches that have not answered, ascending. None where it has yet to start again.
        unheard: Vec<BranchId>,
        /// How many more there are, where a branch elsewhere named only some.
        #[serde(default, skip_serializing_if = "is_none")]
        more: usize,
    },
}

impl RequestError {
    /// What is told of a branch that is down.
    pub const DOWN: Self = Self::Returning { unheard: Vec::new(), more: 0 };
}

/// What a request waited for in vain. In a box, for every answer has room for what it may say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotReached {
    /// What is missing at the branch that was asked.
    pub lags: Vec<Lag>,
    /// How much more there is, where a branch elsewhere named only some.
    #[serde(default, skip_serializing_if = "is_none")]
    pub more: usize,
    /// The branches that have not been heard since a life ended of which something is missing,
    /// ascending: they may hold it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unheard: Vec<BranchId>,
}

/// Writes of one origin that a branch does not hold yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lag {
    /// The branch that accepted them.
    pub origin: BranchId,
    /// The life in which it did.
    #[serde(default = "Life::first", skip_serializing_if = "Life::is_first")]
    pub life: Life,
    /// How many of its writes are needed.
    pub needed: Sequence,
    /// How many are here.
    pub here: Sequence,
}

/// Writes of one life that no branch holds any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// The branch that had accepted them.
    pub branch: BranchId,
    /// The life in which it had.
    #[serde(default = "Life::first", skip_serializing_if = "Life::is_first")]
    pub life: Life,
    /// How many of those that the session had written or read.
    pub writes: u64,
}

/// A request waited at its branch for writes that its customer's passbook asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waited {
    /// How long.
    pub span: Duration,
    /// What was missing when the request came.
    pub lags: Vec<Lag>,
}

impl fmt::Display for Lag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, life, needed, here } = self;
        let writes = if needed.get() == 1 { "write" } else { "writes" };
        write!(f, "needs {needed} {writes} of branch {origin}{}, has {here}", in_life(*life))
    }
}

impl From<NotReached> for RequestError {
    fn from(missing: NotReached) -> Self {
        Self::VersionNotReached(Box::new(missing))
    }
}

impl fmt::Display for NotReached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lags, more, unheard } = self;
        f.write_str(&listed_of(lags.iter(), *more))?;
        if unheard.is_empty() {
            return Ok(());
        }
        let unheard = list(unheard, 0);
        write!(f, "; a life of those is over, and nothing was heard since from {unheard}")
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { branch, life, writes } = self;
        let word = if *writes == 1 { "write" } else { "writes" };
        write!(f, "{writes} {word} of branch {branch}{}", in_life(*life))
    }
}

/// Which life of a branch, where it is not its first.
fn in_life(life: Life) -> String {
    if life.is_first() { String::new() } else { format!(" in its life {life}") }
}

/// Why a branch did not apply a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Refusal {
    /// Overdraft is rejected, and there is less than the withdrawal needs.
    #[error("insufficient funds: the balance is {balance}, {requested} was requested")]
    InsufficientFunds {
        /// The balance at the branch that refused.
        #[serde(rename = "balance_minor")]
        balance: Money,
        /// What the withdrawal asked for.
        #[serde(rename = "requested_minor")]
        requested: Money,
    },
    /// The balance after it would be out of range.
    #[error("the balance {balance} has no room for it")]
    BalanceOutOfRange {
        /// The balance at the branch that refused.
        #[serde(rename = "balance_minor")]
        balance: Money,
    },
    /// A later write of the same customer is already applied here.
    #[error("out of order: write {latest} of this customer is already applied here")]
    OutOfOrder {
        /// The customer's highest event id in this branch's write set.
        latest: EventId,
    },
    /// The event id already names another write.
    #[error("this event id already names another write: {first}")]
    EventReused {
        /// What the id names.
        first: Write,
    },
}

fn because(reason: Option<&str>) -> String {
    reason.map_or_else(String::new, |reason| format!(": {reason}"))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_none(more: &usize) -> bool {
    *more == 0
}

fn why_unknown(unconfirmed_by: &[BranchId], more: usize) -> String {
    if unconfirmed_by.is_empty() {
        return "the branch stopped before it answered".to_owned();
    }
    format!("not confirmed in time by {}", list(unconfirmed_by, more))
}

fn why_away(unheard: &[BranchId], more: usize) -> String {
    if unheard.is_empty() {
        return "is down".to_owned();
    }
    format!("started anew, and has not heard from {}", list(unheard, more))
}

fn list(branches: &[BranchId], more: usize) -> String {
    let word = if branches.len() == 1 && more == 0 { "branch" } else { "branches" };
    format!("{word} {}", listed_of(branches.iter(), more))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn branch(id: i64) -> BranchId {
        BranchId::new(id).unwrap()
    }

    fn lags(origins: i64, needed: u32) -> NotReached {
        let (needed, here) = (Sequence::new(needed), Sequence::default());
        let lag = |id| Lag { origin: branch(id), life: Life::FIRST, needed, here };
        NotReached { lags: (1..=origins).map(lag).collect(), ..NotReached::default() }
    }

    #[test]
    fn one_write_is_one_write() {
        let told = |needed| RequestError::from(lags(1, needed)).to_string();
        assert_eq!(told(1), "not served in time: needs 1 write of branch 1, has 0");
        assert_eq!(told(2), "not served in time: needs 2 writes of branch 1, has 0");
    }

    #[test]
    fn lost_writes_are_told_by_branch_and_life_and_who_has_not_been_heard() {
        let lost = |branch_id, life, writes| Lost { branch: branch(branch_id), life, writes };
        let lost = vec![lost(1, Life::FIRST, 1), lost(3, Life::new(7), 2)];
        assert_eq!(
            RequestError::WritesLost { lost, more: 0 }.to_string(),
            "writes lost: 1 write of branch 1, 2 writes of branch 3 in its life 7"
        );
        let late = NotReached { unheard: vec![branch(2), branch(3)], ..lags(1, 1) };
        assert_eq!(
            RequestError::from(late).to_string(),
            "not served in time: needs 1 write of branch 1, has 0; a life of those is over, and \
             nothing was heard since from branches 2, 3"
        );
        assert_eq!(
            RequestError::Returning { unheard: vec![branch(2)], more: 0 }.to_string(),
            "unavailable: the branch started anew, and has not heard from branch 2"
        );
    }

    #[test]
    fn many_branches_are_not_all_named() {
        let told = lags(300, 1).to_string();
        assert!(told.ends_with(", needs 1 write of branch 8, has 0 and 292 more"), "{told}");
        let branches: Vec<BranchId> = (2..=300).map(branch).collect();
        assert_eq!(
            RequestError::OutcomeUnknown { unconfirmed_by: branches.clone(), more: 0 }.to_string(),
            "outcome unknown: not confirmed in time by branches 2, 3, 4, 5, 6, 7, 8, 9 and 291 more"
        );
        assert_eq!(
            RequestError::Unavailable { congested: branches, more: 0 }.to_string(),
            "unavailable: out of reach or congested: branches 2, 3, 4, 5, 6, 7, 8, 9 and 291 more"
        );
    }
}
