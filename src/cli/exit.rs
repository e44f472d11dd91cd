//! The exit codes, and which wins when there are several.

use std::process::ExitCode;

use crate::batch::Status;
use crate::check::Summary;

/// What `--help` says of them.
pub(super) const EXIT_CODES: &str = "\
Exit codes:
   0  everything holds
   1  a guarantee is violated, or the result is not the expected one (batch: or a scenario failed)
   2  the arguments or a scenario are wrong
   3  undecided: nothing could be tested (check: no guarantee; --strict: not every property)
  70  a defect of passbook, or results that could not be written";

/// How the program ends. Ordered: of several scenarios the greatest counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Exit {
    /// Everything is as it should be.
    #[default]
    Holds,
    /// Nothing could be decided.
    Undecided,
    /// A guarantee is violated, or the result is not the expected one.
    Violated,
    /// The arguments or a scenario are wrong.
    BadInput,
    /// A defect of this program, or results that could not be written.
    Internal,
}

impl Exit {
    const fn code(self) -> u8 {
        match self {
            Self::Holds => 0,
            Self::Violated => 1,
            Self::BadInput => 2,
            Self::Undecided => 3,
            Self::Internal => 70,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl From<Summary> for Exit {
    fn from(summary: Summary) -> Self {
        match summary {
            Summary::Holds => Self::Holds,
            Summary::Violated => Self::Violated,
            Summary::Undecided => Self::Undecided,
        }
    }
}

/// What a batch comes to whose worst row is of this status. A scenario that is wrong is a failed row
/// of a batch, and no wrong use of the program.
impl From<Status> for Exit {
    fn from(status: Status) -> Self {
        match status {
            Status::Holds => Self::Holds,
            Status::Undecided => Self::Undecided,
            Status::Unexpected | Status::Violated | Status::Error => Self::Violated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_scenarios_the_worst_counts() {
        let worst_first =
            [Exit::Internal, Exit::BadInput, Exit::Violated, Exit::Undecided, Exit::Holds];
        assert!(worst_first.is_sorted_by(|worse, better| worse > better));
        assert_eq!(worst_first.map(Exit::code), [70, 2, 1, 3, 0]);
    }
}
