//! A fact in words, on one line, and where it happened. Nothing in it is obeyed by a terminal,
//! ends a line, or turns the direction of a text.

use std::fmt::Display;

use crate::history::{Fact, MessageBody, Process};
use crate::model::{BranchId, LossReason, Outcome, Receipt, Shown};

/// The name of a process without blanks, and of the network for what happened at none.
pub(super) fn host(process: Option<Process>) -> String {
    match process {
        Some(Process::Branch(id)) => format!("branch-{id}"),
        Some(Process::Customer(id)) => format!("customer-{id}"),
        None => "network".to_owned(),
    }
}

/// What comes from elsewhere, as it can stand in any format.
pub(super) fn harmless(text: impl Display) -> String {
    Shown::new(&text.to_string()).to_string()
}

/// What happened, to be read beside the name of whom it happened to.
pub(super) fn told(fact: &Fact) -> String {
    match fact {
        Fact::RequestSent { branch, event, operation, .. } => {
            format!("asks branch {branch}: {operation} (event {event})")
        }
        Fact::RequestReceived { customer, request, .. } => {
            format!("receives request {request} of customer {customer}")
        }
        Fact::WriteApplied { id, write, position, balance, .. } => {
            format!("applies {id} as number {position}: {write}; balance {balance}")
        }
        Fact::MessageSent { to, number, body, .. } => {
            format!("sends message {number} to branch {to}: {}", body_told(*body))
        }
        Fact::MessageReceived { from, number, body, .. } => {
            format!("receives message {number} of branch {from}: {}", body_told(*body))
        }
        Fact::MessageLost { from, to, number, body, reason } => {
            let why = reason.map_or("", |reason| match reason {
                LossReason::Random => " by chance",
                LossReason::Partition => " to a partition",
                LossReason::BranchDown => " because its receiver is down",
            });
            let body = body_told(*body);
            format!("loses message {number} from branch {from} to branch {to}{why}: {body}")
        }
        Fact::MessageDuplicated { from, to, number, body } => {
            let body = body_told(*body);
            format!("copies message {number} from branch {from} to branch {to}: {body}")
        }
        Fact::WriteSetCompared { with, id, agrees, .. } => {
            let found = if *agrees { "agree" } else { "differ" };
            format!("compares with branch {with} up to {id}: they {found}")
        }
        Fact::RequestParked { customer, request, .. } => {
            format!("puts request {request} of customer {customer} aside")
        }
        Fact::ReplySent { customer, request, outcome, .. } => {
            let outcome = outcome_told(outcome);
            format!("answers request {request} of customer {customer}: {outcome}")
        }
        Fact::ReplyReceived { request, branch, .. } => {
            format!("gets the answer of branch {branch} to request {request}")
        }
        Fact::RequestGivenUp { request, branch, .. } => {
            format!("waits no longer for branch {branch} to answer request {request}")
        }
        Fact::BranchStopped { .. } => "stops".to_owned(),
        Fact::BranchStarted { life, kept, balance, .. } => {
            format!("starts in life {life} with {kept} writes kept; balance {balance}")
        }
        Fact::PartitionBegan { partition, sides, one_way } => {
            let way = if *one_way { ", one way" } else { "" };
            format!("begins partition {partition}{way}: {}", sides_told(sides))
        }
        Fact::PartitionHealed { partition } => format!("ends partition {partition}"),
        Fact::SlownessBegan { branch, delay_us } => {
            format!("slows branch {branch} by {delay_us} us")
        }
        Fact::SlownessEnded { branch } => format!("slows branch {branch} no longer"),
        Fact::Settled {} => "all is settled".to_owned(),
        Fact::Unsettled { branch, origin, life, writes } => {
            format!("branch {branch} still lacks {writes} writes of branch {origin} in life {life}")
        }
    }
}

/// `written`, `balance 400`, or why not.
pub(super) fn outcome_told(outcome: &Outcome) -> String {
    match outcome {
        Ok(Receipt::Written) => "written".to_owned(),
        Ok(Receipt::Balance(balance)) => format!("balance {balance}"),
        Err(error) => harmless(error),
    }
}

/// What a message says.
pub(super) fn body_told(body: MessageBody) -> String {
    match body {
        MessageBody::Propagate { id } => format!("apply {id}"),
        MessageBody::Acknowledge { id, write_set_len } => {
            format!("{id} is applied, {write_set_len} of the customer")
        }
        MessageBody::CatchUp => "what have I missed".to_owned(),
        MessageBody::Missed { writes } => format!("{writes} missed writes"),
    }
}

/// `1, 2 | 3`.
fn sides_told(sides: &[Vec<BranchId>]) -> String {
    let side =
        |side: &Vec<BranchId>| side.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    sides.iter().map(side).collect::<Vec<_>>().join(" | ")
}
