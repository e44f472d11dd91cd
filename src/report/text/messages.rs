//! Every message that an event caused, as it was sent and as it was received.

use crate::history::{Fact, MessageBody, Recorded};
use crate::model::Receipt;
use crate::report::palette::QUIET;
use crate::report::story::Chapter;
use crate::report::table::{Cell, Row};

/// A row per fact: when, who, which way, with whom, what.
pub(super) fn rows(chapter: &Chapter<'_>) -> Vec<Row> {
    chapter.messages.iter().filter_map(|recorded| row(recorded)).collect()
}

fn row(Recorded { at, fact }: &Recorded) -> Option<Row> {
    let (who, way, whom, what) = match fact {
        Fact::RequestSent { customer, branch, event, operation, .. } => (
            format!("customer {customer}"),
            Way::Out,
            format!("branch {branch}"),
            format!("event {event}: {operation}"),
        ),
        Fact::RequestReceived { branch, customer, .. } => (
            format!("branch {branch}"),
            Way::In,
            format!("customer {customer}"),
            "request".to_owned(),
        ),
        Fact::MessageSent { from, to, number, body } => (
            format!("branch {from}"),
            Way::Out,
            format!("branch {to}"),
            format!("#{number} {}", says(*body)),
        ),
        Fact::MessageReceived { from, to, number, body } => (
            format!("branch {to}"),
            Way::In,
            format!("branch {from}"),
            format!("#{number} {}", says(*body)),
        ),
        Fact::ReplySent { branch, customer, outcome, .. } => {
            let reply = match outcome {
                Ok(Receipt::Written) => "reply: ok".to_owned(),
                Ok(Receipt::Balance(balance)) => format!("reply: balance {balance}"),
                Err(error) => format!("reply: {error}"),
            };
            (format!("branch {branch}"), Way::Out, format!("customer {customer}"), reply)
        }
        Fact::ReplyReceived { customer, branch, .. } => (
            format!("customer {customer}"),
            Way::In,
            format!("branch {branch}"),
            "reply".to_owned(),
        ),
        Fact::WriteApplied { .. } | Fact::WriteSetCompared { .. } => return None,
    };
    let arrow = match way {
        Way::Out => "→",
        Way::In => "←",
    };
    let quiet = |text: String| Cell::new(QUIET, text);
    Some(vec![
        quiet(at.to_string()).right(),
        quiet(who),
        quiet(arrow.to_owned()),
        quiet(whom),
        quiet(what),
    ])
}

#[derive(Debug, Clone, Copy)]
enum Way {
    Out,
    In,
}

fn says(body: MessageBody) -> String {
    match body {
        MessageBody::Propagate { id } => format!("propagate {id}"),
        MessageBody::Acknowledge { id, write_set_len } => {
            format!("acknowledge {id}, write set of {write_set_len}")
        }
    }
}
