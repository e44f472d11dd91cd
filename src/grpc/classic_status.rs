//! How a call ends in the classic contract, which has two words for it.

use super::error::CallError;

/// The status of a classic reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClassicStatus {
    /// 200.
    Done,
    /// 400: not done, or not confirmed by every branch in time.
    Failed,
}

impl ClassicStatus {
    /// How a call that ended in `result` is told. The classic contract has one word for every
    /// error.
    pub(super) fn of<T>(result: &Result<T, CallError>) -> Self {
        if result.is_ok() { Self::Done } else { Self::Failed }
    }

    /// The number.
    pub(super) const fn number(self) -> i32 {
        match self {
            Self::Done => 200,
            Self::Failed => 400,
        }
    }

    /// What `number` in the reply of another program says; `None` if the contract has no such.
    pub(super) const fn from_number(number: i32) -> Option<Self> {
        match number {
            200 => Some(Self::Done),
            400 => Some(Self::Failed),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_classic_contract_has_two_words() {
        assert_eq!(ClassicStatus::of(&Ok(())).number(), 200);
        assert_eq!(ClassicStatus::of::<()>(&Err(CallError::Draining)).number(), 400);
        for status in [ClassicStatus::Done, ClassicStatus::Failed] {
            assert_eq!(ClassicStatus::from_number(status.number()), Some(status));
        }
        assert_eq!(ClassicStatus::from_number(500), None);
    }
}
