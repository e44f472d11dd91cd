//! The exit codes: which wins when there are several, and which an error becomes.

use std::fmt::Display;
use std::io;
use std::os::raw::c_int;
use std::process::ExitCode;

use miette::Diagnostic;
use signal_hook::consts::{SIGHUP, SIGTERM};

use super::terminal::Terminal;
use crate::batch::{BatchError, FailedError, JoinError, ResumeError, Status};
use crate::check::Overall;
use crate::compare::CompareError;
use crate::run::{ServeError, with_causes};
use crate::source::{Clash, FilesError, InputError, OtherKind};

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
    /// A server that the command needs cannot be reached, went away, or has no room.
    Unavailable,
    /// The terminal went away.
    HungUp,
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// A defect of this program, or results that could not be written.
    Internal,
}

impl Exit {
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Holds => 0,
            Self::Violated => 1,
            Self::BadInput => 2,
            Self::Undecided => 3,
            Self::Unavailable => 69,
            Self::Internal => 70,
            Self::HungUp => 129,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// How the program ends when it is told to by `signal`: as a shell says it.
    pub(super) const fn of_signal(signal: c_int) -> Self {
        match signal {
            SIGHUP => Self::HungUp,
            SIGTERM => Self::Terminated,
            _ => Self::Interrupted,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl From<Overall> for Exit {
    fn from(summary: Overall) -> Self {
        match summary {
            Overall::Holds => Self::Holds,
            Overall::Violated => Self::Violated,
            Overall::Undecided => Self::Undecided,
        }
    }
}

/// What a batch comes to whose worst row is of this status. A scenario that is wrong is a failed
/// row of a batch, and no wrong use of the program.
impl From<Status> for Exit {
    fn from(status: Status) -> Self {
        match status {
            Status::Holds => Self::Holds,
            Status::Undecided => Self::Undecided,
            Status::Unexpected | Status::Violated | Status::Error => Self::Violated,
        }
    }
}

/// Why a command ends before it is done.
#[derive(Debug)]
pub(super) enum Failure {
    /// Results cannot be written.
    Output(io::Error),
    /// Something is wrong with what the command was given; it is shown with its place.
    Input(Box<dyn Diagnostic>),
    /// What is wrong, in a sentence.
    Message { message: String, exit: Exit },
    /// A defect of this program.
    Defect {
        message: String,
        /// The command that shows it again.
        again: String,
    },
}

impl Failure {
    fn input(error: impl Diagnostic + 'static) -> Self {
        Self::Input(Box::new(error))
    }

    /// The arguments, or what they name, are wrong.
    pub(super) fn bad_input(message: impl Display) -> Self {
        Self::Message { message: message.to_string(), exit: Exit::BadInput }
    }

    /// It is not the fault of what the command was given.
    pub(super) fn internal(message: impl Display) -> Self {
        Self::Message { message: message.to_string(), exit: Exit::Internal }
    }

    /// Tells it, and returns how the program ends.
    pub(super) fn tell(self, terminal: &mut Terminal) -> io::Result<Exit> {
        match self {
            Self::Output(error) => Err(error),
            Self::Input(error) => {
                terminal.diagnostic(&*error);
                Ok(Exit::BadInput)
            }
            Self::Message { message, exit } => {
                terminal.error(&message);
                Ok(exit)
            }
            Self::Defect { message, again } => {
                terminal.error(&message);
                terminal.advice(&[
                    "This is a defect of passbook. Please report it with the scenario and what stands above.",
                    &format!("To see it again: {again}"),
                ]);
                Ok(Exit::Internal)
            }
        }
    }
}

macro_rules! failures {
    ($($error:ty => $failure:expr;)+) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                $failure(error)
            }
        })+
    };
}

failures! {
    io::Error => Self::Output;
    Clash => Self::input;
    FilesError => Self::input;
    InputError => Self::input;
    OtherKind => Self::input;
    ResumeError => Self::bad_input;
    FailedError => Self::bad_input;
    JoinError => Self::bad_input;
    BatchError => Self::internal;
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::ClassicPeer { .. }
            | ServeError::Twin { .. }
            | ServeError::Ended { .. }
            | ServeError::Disk { .. } => Self::bad_input(error),
            ServeError::Edge(_) | ServeError::Stopped | ServeError::BranchStopped => {
                Self::internal(error)
            }
        }
    }
}

impl From<CompareError> for Failure {
    fn from(error: CompareError) -> Self {
        Self::Message { message: with_causes(&error), exit: (&error).into() }
    }
}

impl From<&CompareError> for Exit {
    fn from(error: &CompareError) -> Self {
        match error {
            CompareError::NoTransports
            | CompareError::NoRounds
            | CompareError::NoCopies
            | CompareError::NoRequests
            | CompareError::Rate { .. }
            | CompareError::Ids { .. }
            | CompareError::TooMany { .. }
            | CompareError::QueriesWait
            | CompareError::Faults => Self::BadInput,
            CompareError::Stopped => Self::Undecided,
            CompareError::NoProgram
            | CompareError::NoRandomness(_)
            | CompareError::Runtime(_)
            | CompareError::BranchListener(_)
            | CompareError::Folder { .. }
            | CompareError::Process { .. }
            | CompareError::Unanswered { .. }
            | CompareError::NoState { .. }
            | CompareError::Unsettled { .. }
            | CompareError::Balance { .. }
            | CompareError::Answers { .. }
            | CompareError::BankEnded(_) => Self::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_scenarios_the_worst_counts() {
        let worst_first = [
            Exit::Internal,
            Exit::Terminated,
            Exit::Interrupted,
            Exit::HungUp,
            Exit::Unavailable,
            Exit::BadInput,
            Exit::Violated,
            Exit::Undecided,
            Exit::Holds,
        ];
        assert!(worst_first.is_sorted_by(|worse, better| worse > better));
        assert_eq!(worst_first.map(Exit::code), [70, 143, 130, 129, 69, 2, 1, 3, 0]);
    }
}
