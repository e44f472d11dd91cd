//! Whether a history says which requests branches received. If it does at all, it does of all.

use super::InvalidHistory;
use crate::model::{CustomerId, RequestNumber};

#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Receptions {
    /// No fact has shown it yet.
    #[default]
    Unknown,
    Told,
    /// This request was answered without one.
    Untold(CustomerId, RequestNumber),
}

impl Receptions {
    /// A branch received a request.
    pub(super) fn received(&mut self) -> Result<(), InvalidHistory> {
        match *self {
            Self::Told => Ok(()),
            Self::Unknown => {
                *self = Self::Told;
                Ok(())
            }
            Self::Untold(customer, request) => {
                Err(InvalidHistory::NeverReceived { customer, request })
            }
        }
    }

    /// A branch answered a request, which it is said to have received or not.
    pub(super) fn answered(
        &mut self,
        is_received: bool,
        (customer, request): (CustomerId, RequestNumber),
    ) -> Result<(), InvalidHistory> {
        match *self {
            Self::Told if !is_received => Err(InvalidHistory::NeverReceived { customer, request }),
            Self::Unknown => {
                *self = Self::Untold(customer, request);
                Ok(())
            }
            Self::Told | Self::Untold(..) => Ok(()),
        }
    }
}
