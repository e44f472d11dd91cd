//! How to run a scenario, and why a run did not end.

use std::{fmt, io};

use thiserror::Error;

use super::remote::{HeldBefore, NotThere};
use crate::check::{JudgeError, JudgeOptions};
use crate::grpc::seal::NoRandomness;
use crate::grpc::{BindError, EdgeError};
use crate::model::{BranchId, Money};
use crate::network::Impossible;
use crate::scenario::Settings;

/// How to run a scenario, beyond what it says itself.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// What overrides the scenario's own settings.
    pub overrides: Settings,
    /// Whether facts are kept.
    pub recording: Recording,
    /// Whether the judge says what it thinks of the run.
    pub judging: Judging,
    /// What is wanted of the judge beyond the verdicts.
    pub judge: JudgeOptions,
    /// Whether it is kept what chance decided.
    pub chances: Chances,
    /// Whether it is looked if the bank comes to rest when all is over.
    pub rest: Rest,
}

/// Whether it is looked if a bank that has settled comes to rest: nobody sends anything any more. That
/// takes time, and is no part of what a history tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Rest {
    /// It is not.
    #[default]
    Taken,
    /// It is.
    Looked,
}

/// Whether a run keeps what chance decided in it. That costs time and memory with every message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Chances {
    /// It does not.
    #[default]
    Forgotten,
    /// It does.
    Kept,
}

/// Whether a run is judged. The judge needs a few dozen bytes per request, and eight per write and
/// branch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Judging {
    /// It is.
    #[default]
    On,
    /// It is not.
    Off,
}

/// Whether a run keeps its facts. That costs time and memory with every message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Recording {
    /// Only the result is kept.
    #[default]
    Off,
    /// Every fact is kept.
    Facts,
}

/// Why a run did not end.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// An actor stopped before its work was done: a defect of this program.
    #[error("an actor stopped before its work was done")]
    ActorStopped,
    /// It was told to stop.
    #[error("the run was stopped before its end")]
    Stopped,
    /// Nothing happens any more, though customers wait for answers: a defect of this program.
    #[error("the run came to a standstill before every customer had its answers")]
    Standstill,
    /// The judge finds that no run can have had these facts: a defect of this program.
    #[error("the recorded facts contradict each other: {0}")]
    Facts(#[from] JudgeError),
    /// The history could not be written.
    #[error("cannot write the history")]
    History(#[source] io::Error),
    /// The writes that the branches accepted add up to more than a balance can be.
    #[error("the balance of branch {branch} is out of range")]
    BalanceOutOfRange {
        /// The branch.
        branch: BranchId,
    },
    /// A run over sockets is asked for faults.
    #[error(
        "faults and disks are simulated between the branches of one process alone; leave them out, or run it in virtual time"
    )]
    FaultsOverSockets,
    /// A branch is to forget what is on its disk.
    #[error(
        "a branch with a disk keeps what it has said; leave out amnesia and what crashes keep, or the disk"
    )]
    DiskForgets,
    /// It is said when a nemesis strikes, and there is none.
    #[error(
        "there is no nemesis to strike at an interval or for a duration; say what it does with --nemesis partition,crash, or in the scenario"
    )]
    NoNemesis,
    /// No bank of the scenario's branches can have its faults.
    #[error(transparent)]
    Impossible(#[from] Impossible),
    /// A run over sockets could not listen.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// A run over sockets has nothing to seal passbooks with.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// A server of a run over sockets failed.
    #[error(transparent)]
    Edge(#[from] EdgeError),
    /// Nobody says where a branch is.
    #[error("nobody says where branch {branch} is; name it with --connect {branch}=http://…")]
    NoEndpoint {
        /// The branch.
        branch: BranchId,
    },
    /// Where branches should be, none are.
    #[error("{}", listed(.0))]
    NotThere(Vec<NotThere>),
    /// Branches that run elsewhere hold something before the run, and must not.
    #[error(
        "{} before the run, and not {opening_balance} alone; start the branches anew, or leave out --fresh",
        listed(leftovers)
    )]
    NotFresh {
        /// What they hold.
        leftovers: Vec<HeldBefore>,
        /// What they must hold.
        opening_balance: Money,
    },
}

fn listed(items: &[impl fmt::Display]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
