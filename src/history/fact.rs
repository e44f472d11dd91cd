//! What can happen in a run, one fact at a time.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{
    BranchId, CustomerId, EventId, Life, LogPosition, LossReason, MessageNumber, Money, Operation,
    Outcome, RequestNumber, Sequence, Time, Write, WriteId,
};

/// A fact and when it happened. Facts of one run are recorded in causal order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// When, by the clock of the run.
    pub at: Time,
    /// What.
    pub fact: Fact,
}

/// What happened. A request is known by its customer and number: event ids may repeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields, expecting = "an object")]
#[non_exhaustive]
pub enum Fact {
    /// A customer sent a request to a branch.
    RequestSent {
        /// Who.
        customer: CustomerId,
        /// Which of the customer's requests.
        request: RequestNumber,
        /// To whom.
        branch: BranchId,
        /// The event id that it bears.
        event: EventId,
        /// What it asks.
        operation: Operation,
    },
    /// A branch took a customer's request out of its mailbox.
    RequestReceived {
        /// The branch that has it.
        branch: BranchId,
        /// Whose it is.
        customer: CustomerId,
        /// Which of the customer's requests.
        request: RequestNumber,
    },
    /// A branch applied a write. At each branch a write is applied once.
    WriteApplied {
        /// Where.
        branch: BranchId,
        /// Which write.
        id: WriteId,
        /// What it does.
        write: Write,
        /// The branch that accepted it from the customer.
        origin: BranchId,
        /// In which life the origin accepted it; `None` in its first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        life: Option<Life>,
        /// Which of the writes of that life it is.
        sequence: Sequence,
        /// Its place in this branch's apply log: 1 is the first.
        position: LogPosition,
        /// This branch's balance after it.
        #[serde(rename = "balance_minor")]
        balance: Money,
    },
    /// A branch sent a message to another.
    MessageSent {
        /// The sender.
        from: BranchId,
        /// The receiver.
        to: BranchId,
        /// Which of the sender's messages.
        number: MessageNumber,
        /// What it says.
        body: MessageBody,
    },
    /// A branch took another branch's message out of its mailbox.
    MessageReceived {
        /// The sender.
        from: BranchId,
        /// The receiver.
        to: BranchId,
        /// Which of the sender's messages.
        number: MessageNumber,
        /// What it says.
        body: MessageBody,
    },
    /// The network lost a message on its way: it will never be received.
    MessageLost {
        /// The sender.
        from: BranchId,
        /// The branch that will not receive it.
        to: BranchId,
        /// Which of the sender's messages.
        number: MessageNumber,
        /// What it said.
        body: MessageBody,
        /// Why, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<LossReason>,
    },
    /// The network made a copy of a message on its way: it can arrive once more.
    MessageDuplicated {
        /// The sender.
        from: BranchId,
        /// The receiver.
        to: BranchId,
        /// Which of the sender's messages.
        number: MessageNumber,
        /// What it says.
        body: MessageBody,
    },
    /// A branch compared a write set that another acknowledged with its own.
    WriteSetCompared {
        /// The branch that compares.
        branch: BranchId,
        /// The branch that acknowledged.
        with: BranchId,
        /// The write that was acknowledged.
        id: WriteId,
        /// Whether both hold the same writes of the customer in the same order, up to this one.
        agrees: bool,
    },
    /// A branch put a request aside until it holds what the customer's passbook asks for.
    RequestParked {
        /// The branch that has it.
        branch: BranchId,
        /// Whose it is.
        customer: CustomerId,
        /// Which of the customer's requests.
        request: RequestNumber,
    },
    /// A branch answered a request.
    ReplySent {
        /// The branch that answers.
        branch: BranchId,
        /// Who asked.
        customer: CustomerId,
        /// Which of the customer's requests.
        request: RequestNumber,
        /// How long the branch's apply log was when it answered.
        position: LogPosition,
        /// How the request ended.
        #[serde(with = "super::outcome")]
        outcome: Outcome,
    },
    /// A customer got the answer to a request.
    ReplyReceived {
        /// Who asked.
        customer: CustomerId,
        /// Which of the customer's requests.
        request: RequestNumber,
        /// The branch that answered.
        branch: BranchId,
    },
    /// A customer waits no longer for the answer to a request: what became of it is unknown.
    RequestGivenUp {
        /// Who asked.
        customer: CustomerId,
        /// Which of the customer's requests.
        request: RequestNumber,
        /// The branch that was asked.
        branch: BranchId,
    },
    /// A branch stopped: nothing happens there until it starts again.
    BranchStopped {
        /// Which.
        branch: BranchId,
    },
    /// A branch that had stopped started again.
    BranchStarted {
        /// Which.
        branch: BranchId,
        /// Which of its lives this is.
        life: Life,
        /// How many writes of its apply log it has kept: the first ones.
        kept: LogPosition,
        /// Its balance.
        #[serde(rename = "balance_minor")]
        balance: Money,
    },
    /// From now on messages between branches of different sides are lost.
    PartitionBegan {
        /// Tells the partitions of a run apart.
        partition: u32,
        /// The branches that still reach each other.
        sides: Vec<Vec<BranchId>>,
        /// Whether only what the first side says to the others is lost.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        one_way: bool,
    },
    /// A partition is over.
    PartitionHealed {
        /// Which.
        partition: u32,
    },
    /// From now on a branch handles each input later.
    SlownessBegan {
        /// Which.
        branch: BranchId,
        /// By how much, in microseconds.
        delay_us: u64,
    },
    /// A branch is no longer slow.
    SlownessEnded {
        /// Which.
        branch: BranchId,
    },
    /// All faults were over, and every accepted write was applied at every branch.
    Settled {},
    /// All faults had been over for as long as the bank was given to settle, and a branch still lacked
    /// writes that another holds. One fact for each life that it lacked some of.
    Unsettled {
        /// The branch that lacks them.
        branch: BranchId,
        /// The branch that accepted them.
        origin: BranchId,
        /// In which of its lives.
        life: Life,
        /// How many.
        writes: u64,
    },
}

/// Whose fact it is: everything that happens at one process happens in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Process {
    /// A branch of the bank.
    Branch(BranchId),
    /// A customer.
    Customer(CustomerId),
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Branch(id) => write!(f, "branch {id}"),
            Self::Customer(id) => write!(f, "customer {id}"),
        }
    }
}

impl Fact {
    /// The process at which it happened; `None` for what happened to a message on its way, or to
    /// the network.
    pub const fn process(&self) -> Option<Process> {
        match self {
            Self::RequestSent { customer, .. }
            | Self::ReplyReceived { customer, .. }
            | Self::RequestGivenUp { customer, .. } => Some(Process::Customer(*customer)),
            Self::RequestReceived { branch, .. }
            | Self::WriteApplied { branch, .. }
            | Self::WriteSetCompared { branch, .. }
            | Self::RequestParked { branch, .. }
            | Self::ReplySent { branch, .. }
            | Self::BranchStopped { branch }
            | Self::BranchStarted { branch, .. } => Some(Process::Branch(*branch)),
            Self::MessageSent { from, .. } => Some(Process::Branch(*from)),
            Self::MessageReceived { to, .. } => Some(Process::Branch(*to)),
            Self::MessageLost { .. }
            | Self::MessageDuplicated { .. }
            | Self::PartitionBegan { .. }
            | Self::PartitionHealed { .. }
            | Self::SlownessBegan { .. }
            | Self::SlownessEnded { .. }
            | Self::Settled {}
            | Self::Unsettled { .. } => None,
        }
    }
}

/// What a message between branches says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum MessageBody {
    /// Apply this write.
    Propagate {
        /// Which write.
        id: WriteId,
    },
    /// This write is applied here.
    Acknowledge {
        /// Which write.
        id: WriteId,
        /// How many writes of the customer the sender holds, up to and with this one.
        write_set_len: u32,
    },
    /// Send me what I have not.
    CatchUp,
    /// What was asked for by catching up.
    Missed {
        /// How many writes.
        writes: u64,
    },
}
