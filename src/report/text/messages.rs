//! Every message that an event caused, as it was sent and as it was received.

use crate::history::{Fact, MessageBody, Recorded};
use crate::model::{Outcome, Receipt};
use crate::report::palette::QUIET;
use crate::report::table::{Cell, Row};
use crate::report::trace::RequestTrace;
use crate::report::words::count;
use crate::run::RequestResult;

const SENT_TO: &str = "→";
const LOST: &str = "✗";
const RECEIVED_FROM: &str = "←";

/// A row per message sent and per message received because of `request`.
pub(super) fn rows(request: &RequestResult, request_trace: &RequestTrace<'_>) -> Vec<Row> {
    request_trace.messages.iter().filter_map(|recorded| row(recorded, Some(request))).collect()
}

/// The same for messages between branches that are about no request.
pub(super) fn between_branches(messages: &[&Recorded]) -> Vec<Row> {
    messages.iter().filter_map(|recorded| row(recorded, None)).collect()
}

/// When, who, which way, with whom, what.
fn row(Recorded { at, fact }: &Recorded, request: Option<&RequestResult>) -> Option<Row> {
    let asks =
        || request.map_or_else(String::new, |of| format!("event {}: {}", of.event, of.operation));
    let answers = || request.map_or_else(String::new, |of| reply(&of.outcome));
    let (who, way, whom, what) = match fact {
        Fact::RequestSent { customer, branch, .. } => {
            (format!("customer {customer}"), SENT_TO, format!("branch {branch}"), asks())
        }
        Fact::RequestReceived { customer, branch, .. } => {
            (format!("branch {branch}"), RECEIVED_FROM, format!("customer {customer}"), asks())
        }
        Fact::MessageSent { from, to, number, body } => {
            let what = format!("#{number} {}", says(*body));
            (format!("branch {from}"), SENT_TO, format!("branch {to}"), what)
        }
        Fact::MessageReceived { from, to, number, body } => {
            let what = format!("#{number} {}", says(*body));
            (format!("branch {to}"), RECEIVED_FROM, format!("branch {from}"), what)
        }
        Fact::MessageLost { from, to, number, body, reason: _ } => {
            let what = format!("#{number} {}", says(*body));
            (format!("branch {from}"), LOST, format!("branch {to}"), what)
        }
        Fact::ReplySent { customer, branch, .. } => {
            (format!("branch {branch}"), SENT_TO, format!("customer {customer}"), answers())
        }
        Fact::ReplyReceived { customer, branch, .. } => {
            (format!("customer {customer}"), RECEIVED_FROM, format!("branch {branch}"), answers())
        }
        Fact::WriteApplied { .. }
        | Fact::WriteSetCompared { .. }
        | Fact::RequestParked { .. }
        | Fact::RequestGivenUp { .. }
        | Fact::MessageDuplicated { .. }
        | Fact::BranchStopped { .. }
        | Fact::BranchStarted { .. }
        | Fact::PartitionBegan { .. }
        | Fact::PartitionHealed { .. }
        | Fact::Settled {}
        | Fact::Unsettled { .. }
        | Fact::SlownessBegan { .. }
        | Fact::SlownessEnded { .. } => return None,
    };
    let texts = [who, way.to_owned(), whom, what].map(|text| Cell::new(QUIET, text));
    let mut row = vec![Cell::new(QUIET, at.to_string()).right()];
    row.extend(texts);
    Some(row)
}

fn says(body: MessageBody) -> String {
    match body {
        MessageBody::Propagate { id } => format!("propagate {id}"),
        MessageBody::Acknowledge { id, write_set_len } => {
            format!("acknowledge {id}, write set of {}", count(write_set_len, "write"))
        }
        MessageBody::CatchUp => "catch up: send what is missing here".to_owned(),
        MessageBody::Missed { writes } => {
            format!("catch up: {} sent", count(writes, "missing write"))
        }
    }
}

fn reply(outcome: &Outcome) -> String {
    match outcome {
        Ok(Receipt::Written) => "reply: ok".to_owned(),
        Ok(Receipt::Balance(balance)) => format!("reply: balance {balance}"),
        Err(error) => format!("reply: {error}"),
    }
}
