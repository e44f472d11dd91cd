//! A field of a request that does not say what it must.

use thiserror::Error;

use super::FloatError;
use crate::model::{BranchId, CustomerId, IdError, MoneyError};

/// Which field is wrong, and how.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{field}: {problem}")]
pub struct FieldError {
    /// The field's path from the request, with dots: `write.amount`.
    pub field: String,
    /// What is wrong with it.
    pub problem: FieldProblem,
}

impl FieldError {
    /// `problem` is in `field`.
    pub fn new(field: &str, problem: impl Into<FieldProblem>) -> Self {
        Self { field: field.to_owned(), problem: problem.into() }
    }

    /// The same, where the message with the field stands in the field `outer` of another.
    #[must_use]
    pub fn within(self, outer: &str) -> Self {
        Self { field: format!("{outer}.{}", self.field), problem: self.problem }
    }
}

/// What `read` makes of the message in `field`, which must be there.
pub(super) fn within<M, R>(
    field: &str,
    message: Option<M>,
    read: impl FnOnce(M) -> Result<R, FieldError>,
) -> Result<R, FieldError> {
    let message = message.ok_or_else(|| FieldError::new(field, FieldProblem::Missing))?;
    read(message).map_err(|error| error.within(field))
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum FieldProblem {
    /// It must be there.
    #[error("missing")]
    Missing,
    /// No id.
    #[error(transparent)]
    Id(#[from] IdError),
    /// No decimal text, or none of an amount.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// No float that stands for money.
    #[error(transparent)]
    Float(#[from] FloatError),
    /// A word that is not one of those expected.
    #[error("expected {expected}, found {found:?}")]
    Word {
        /// The words that would do.
        expected: &'static str,
        /// The word as it came.
        found: String,
    },
    /// An enum value that the contract does not have, or that means nothing here.
    #[error("no value of {name} that can stand here: {found}")]
    EnumValue {
        /// The enum.
        name: &'static str,
        /// The number as it came.
        found: i32,
    },
    /// The bank has no such branch.
    #[error("no branch of this bank: {branch}")]
    UnknownBranch {
        /// As it came.
        branch: BranchId,
    },
    /// The entries of a version vector are to ascend by origin, each origin once.
    #[error("not ascending at branch {branch}")]
    NotAscending {
        /// The origin that is not above the one before it.
        branch: BranchId,
    },
    /// A list is to have one for each branch of the bank.
    #[error("{found} of {branches} branches")]
    OneForEach {
        /// How many branches there are.
        branches: usize,
        /// How many are listed.
        found: usize,
    },
    /// Counts of writes start at 1.
    #[error("0 is no place; the first is 1")]
    NoPlace,
    /// A list or an answer has no more.
    #[error("more than {most}, which is the most")]
    TooManyParts {
        /// How many it has at most.
        most: usize,
    },
    /// No branch has accepted so many writes.
    #[error("{number} is more writes than a branch accepts")]
    TooManyWrites {
        /// As it came.
        number: u64,
    },
    /// A customer's call names two customers.
    #[error(
        "{id} is not the customer_id {customer}; a customer's call bears its own id in both \
         fields, or in id alone with neither customer_id nor event_id"
    )]
    NotTheCustomer {
        /// As it came.
        id: i32,
        /// The other one.
        customer: CustomerId,
    },
    /// No write set.
    #[error("expected a write set such as \"[1, 2]\", found {found:?}")]
    WriteSet {
        /// The text as it came.
        found: String,
    },
}
