//! A history by hand in which everything happens once, and a name that does harm where it can.

use super::target::{Target, convert};
use crate::history::{
    Entry, Fact, Header, HistoryBuilder, HistoryError, Lamport, MessageBody, Recorded,
};
use crate::model::{
    Life, LogPosition, LossReason, MessageNumber, Money, Operation, Receipt, RequestError,
    RequestNumber, Roster, Write, WriteId, is_unseen,
};
use crate::report::fixture::{amount, branch, customer, event, money};

/// A formula, a tag, quotes, an escape code, a line of its own, and a change of direction.
pub(super) const HOSTILE: &str =
    "=1+1<script>alert(1)</script>\"'\\,\u{1b}[2J\nbranch-1 {\"branch-1\":99}\n\u{202e}end";

/// The same as it is shown.
pub(super) const SHOWN: &str = "=1+1<script>alert(1)</script>\"'\\,\\u{1b}[2J\\nbranch-1 \
                                {\"branch-1\":99}\\n\\u{202e}end";

/// Its facts, each a microsecond after the one before. The number behind each is its time.
fn facts(header: &Header) -> Vec<Recorded> {
    let (one, two) = (branch(1), branch(2));
    let number = MessageNumber::new;
    let deposit = Write::deposit(amount(400));
    let mut history = HistoryBuilder::new(header);
    let id = history.writes(customer(1), one, deposit); // 0 to 3
    let body = MessageBody::Propagate { id };
    history.add(Fact::MessageSent { from: one, to: two, number: number(1), body }); // 4
    history.add(Fact::MessageDuplicated { from: one, to: two, number: number(1), body }); // 5
    history.add(Fact::MessageReceived { from: one, to: two, number: number(1), body }); // 6
    history.applies(two, id, deposit); // 7
    history.add(Fact::MessageReceived { from: one, to: two, number: number(1), body }); // 8
    let body = MessageBody::Acknowledge { id, write_set_len: 1 };
    history.add(Fact::MessageSent { from: two, to: one, number: number(1), body }); // 9
    let sides = vec![vec![one], vec![two]];
    history.add(Fact::PartitionBegan { partition: 1, sides, one_way: false }); // 10
    let reason = Some(LossReason::Partition);
    history.add(Fact::MessageLost { from: two, to: one, number: number(1), body, reason }); // 11
    history.add(Fact::SlownessBegan { branch: one, delay_us: 5 }); // 12
    history.add(Fact::PartitionHealed { partition: 1 }); // 13
    history.add(Fact::SlownessEnded { branch: one }); // 14
    let (request, who) = (RequestNumber::new(2), customer(1));
    let query = WriteId { customer: who, event: event(2) };
    history.asks(query, two, Operation::Query); // 15
    history.add(Fact::RequestReceived { branch: two, customer: who, request }); // 16
    history.add(Fact::RequestParked { branch: two, customer: who, request }); // 17
    history.answers(who, Ok(Receipt::Balance(money(400)))).hears(who); // 18, 19
    history.add(Fact::BranchStopped { branch: two }); // 20
    let (life, kept, balance) = (Life::new(2), LogPosition::new(0), Money::ZERO);
    history.add(Fact::BranchStarted { branch: two, life, kept, balance }); // 21
    let withdraw = Operation::Write(Write::withdraw(amount(100)));
    history.asks(WriteId { customer: who, event: event(3) }, two, withdraw); // 22
    history.gives_up(who); // 23
    let other = WriteId { customer: customer(2), event: event(1) };
    let problem = HOSTILE.to_owned();
    history.asks(other, one, Operation::Query); // 24
    history.answers(customer(2), Err(RequestError::NoAnswer { branch: one, problem })); // 25
    history.hears(customer(2)); // 26
    history.add(Fact::WriteSetCompared { branch: one, with: two, id, agrees: false }); // 27
    let body = MessageBody::CatchUp;
    history.add(Fact::MessageSent { from: two, to: one, number: number(2), body }); // 28
    history.add(Fact::MessageReceived { from: two, to: one, number: number(2), body }); // 29
    let body = MessageBody::Missed { writes: 1 };
    history.add(Fact::MessageSent { from: one, to: two, number: number(2), body }); // 30
    history.add(Fact::MessageReceived { from: one, to: two, number: number(2), body }); // 31
    history.asks(WriteId { event: event(2), ..other }, one, Operation::Query); // 32
    history.into_facts()
}

/// `facts` as they are read, a line each.
pub(super) fn entries(facts: Vec<Recorded>) -> impl Iterator<Item = Result<Entry, HistoryError>> {
    (2_u64..)
        .zip(facts)
        .map(|(line, recorded)| Ok(Entry { line, lamport: Lamport::new(line), recorded }))
}

/// All of it.
pub(in crate::report) fn history() -> (Header, Vec<Recorded>) {
    let roster = Roster::new([branch(1), branch(2)]).unwrap();
    let header = Header::new(HOSTILE, roster, Money::ZERO);
    let facts = facts(&header);
    (header, facts)
}

/// It, in a format.
pub(super) fn converted(target: Target) -> Vec<u8> {
    let (header, facts) = history();
    let mut out = Vec::new();
    convert(target, u64::MAX, &mut out, &header, entries(facts)).unwrap();
    out
}

/// The same as text, in which nothing is obeyed by a terminal.
pub(super) fn text(target: Target) -> String {
    let text = String::from_utf8(converted(target)).unwrap();
    assert!(!text.chars().any(|c| c != '\n' && is_unseen(c)), "{text}");
    text
}
