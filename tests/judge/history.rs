//! History files: what is written is read back, what is documented is read, what is damaged is
//! refused with the line and the reason.

use std::fs;

use passbook::history::{
    Entry, Extent, Fact, Header, HistoryError, MessageBody, Reader, Recorded, Terms, Writer,
};
use passbook::model::{
    BranchId, CustomerId, EventId, GuaranteePolicy, Guarantees, Life, LogPosition, LossReason,
    MessageNumber, Money, Operation, Outcome, Overdraft, Propagation, Receipt, Refusal,
    RequestError, RequestNumber, Roster, Seed, Sequence, Time, Write, WriteId,
};
use proptest::prelude::*;

fn branch(id: u32) -> BranchId {
    BranchId::new(id.into()).unwrap()
}

fn customer(id: u32) -> CustomerId {
    CustomerId::new(id.into()).unwrap()
}

fn write_id() -> WriteId {
    WriteId { customer: customer(1), event: EventId::new(1).unwrap() }
}

fn deposit() -> Write {
    Write::deposit("400".parse().unwrap())
}

fn header() -> Header {
    let roster = Roster::new([branch(1), branch(2)]).unwrap();
    let mut header = Header::new("read \"your\" writes", roster, Money::from_minor(-5));
    let single = [(customer(1), "ryw,mw".parse().unwrap())].into();
    let guarantees = GuaranteePolicy { all: Guarantees::ALL, single };
    header.passbook = Some("0.1.0".to_owned());
    header.seed = Seed(u64::MAX);
    header.terms = Some(Terms::new(guarantees, Propagation::Sync, Overdraft::Reject));
    header.config = [("propagation".to_owned(), "sync".to_owned())].into();
    header
}

fn reply(request: u64, outcome: Outcome) -> Fact {
    Fact::ReplySent {
        branch: branch(1),
        customer: customer(1),
        request: RequestNumber::new(request),
        position: LogPosition::new(1),
        outcome,
    }
}

/// A deposit that reaches branch 2, whose acknowledgement is lost; and every kind of outcome.
fn facts() -> Vec<Recorded> {
    let (one, two) = (branch(1), branch(2));
    let (id, number) = (write_id(), MessageNumber::new(1));
    let request = RequestNumber::new(1);
    let balance = Money::from_minor(39_995);
    let applied = |at| Fact::WriteApplied {
        branch: at,
        id,
        write: deposit(),
        origin: one,
        life: None,
        sequence: Sequence::new(1),
        position: LogPosition::new(1),
        balance,
    };
    let propagate = MessageBody::Propagate { id };
    let acknowledge = MessageBody::Acknowledge { id, write_set_len: 1 };
    let event = id.event;
    let operation = Operation::Write(deposit());
    let facts = [
        Fact::RequestSent { customer: customer(1), request, branch: one, event, operation },
        Fact::RequestReceived { branch: one, customer: customer(1), request },
        applied(one),
        Fact::MessageSent { from: one, to: two, number, body: propagate },
        Fact::MessageReceived { from: one, to: two, number, body: propagate },
        applied(two),
        Fact::MessageSent { from: two, to: one, number, body: acknowledge },
        Fact::MessageLost { from: two, to: one, number, body: acknowledge, reason: None },
        Fact::WriteSetCompared { branch: one, with: two, id, agrees: true },
        reply(1, Ok(Receipt::Written)),
        Fact::ReplyReceived { customer: customer(1), request, branch: one },
        reply(2, Ok(Receipt::Balance(balance))),
        reply(3, Err(RequestError::OutcomeUnknown { unconfirmed_by: vec![two], more: 0 })),
        reply(
            4,
            Err(RequestError::Refused(Refusal::InsufficientFunds { balance, requested: balance })),
        ),
        reply(5, Err(RequestError::Refused(Refusal::OutOfOrder { latest: event }))),
        reply(6, Err(RequestError::Refused(Refusal::EventReused { first: deposit() }))),
        reply(7, Err(RequestError::Refused(Refusal::BalanceOutOfRange { balance }))),
    ];
    (0..).zip(facts).map(|(at_us, fact)| Recorded { at: Time::from_us(at_us), fact }).collect()
}

/// What happens only in a run with faults.
fn faults() -> Vec<Recorded> {
    let (one, two) = (branch(1), branch(2));
    let (customer, request) = (customer(1), RequestNumber::new(8));
    let (id, number) = (write_id(), MessageNumber::new(9));
    let (body, operation) = (MessageBody::Propagate { id }, Operation::Query);
    let reason = Some(LossReason::Partition);
    let facts = [
        Fact::RequestSent { customer, request, branch: one, event: id.event, operation },
        Fact::RequestParked { branch: one, customer, request },
        Fact::RequestGivenUp { customer, request, branch: one },
        Fact::SlownessBegan { branch: one, delay_us: 50_000 },
        Fact::SlownessEnded { branch: one },
        Fact::Settled {},
        Fact::Unsettled { branch: one, origin: two, life: Life::FIRST, writes: 3 },
        Fact::MessageSent { from: one, to: two, number, body },
        Fact::MessageDuplicated { from: one, to: two, number, body },
        Fact::PartitionBegan { partition: 1, sides: vec![vec![one], vec![two]], one_way: false },
        Fact::MessageLost { from: one, to: two, number, body, reason },
        Fact::MessageLost { from: one, to: two, number, body, reason },
        Fact::PartitionHealed { partition: 1 },
        Fact::BranchStopped { branch: one },
        Fact::BranchStarted {
            branch: one,
            life: Life::new(2),
            kept: LogPosition::new(1),
            balance: Money::from_minor(39_995),
        },
        Fact::WriteApplied {
            branch: one,
            id,
            write: deposit(),
            origin: one,
            life: Some(Life::new(2)),
            sequence: Sequence::new(1),
            position: LogPosition::new(2),
            balance: Money::from_minor(79_995),
        },
    ];
    let at = |at_us, fact| Recorded { at: Time::from_us(at_us), fact };
    (100..).zip(facts).map(|(at_us, fact)| at(at_us, fact)).collect()
}

fn written() -> Vec<u8> {
    written_of(&facts())
}

fn written_of(facts: &[Recorded]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), &header()).unwrap();
    for recorded in facts {
        writer.record(recorded).unwrap();
    }
    writer.finish().unwrap()
}

fn read(bytes: &[u8]) -> Result<Vec<Entry>, HistoryError> {
    Reader::new(bytes)?.collect()
}

fn error(text: &str) -> String {
    read(text.as_bytes()).unwrap_err().to_string()
}

/// `written()` with the first `from` on line `line` replaced.
fn edited(line: usize, from: &str, to: &str) -> String {
    let text = String::from_utf8(written()).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    assert!(lines[line - 1].contains(from), "{from} is on line {line}: {}", lines[line - 1]);
    lines[line - 1] = lines[line - 1].replacen(from, to, 1);
    lines.join("\n")
}

#[test]
fn what_is_written_is_read_back() {
    let bytes = written();
    assert_eq!(*Reader::new(&*bytes).unwrap().header(), header());
    let entries = read(&bytes).unwrap();
    assert_eq!(entries.iter().map(|entry| entry.recorded.clone()).collect::<Vec<_>>(), facts());
    assert_eq!(entries.iter().map(|entry| entry.line).collect::<Vec<_>>(), Vec::from_iter(2..19));
}

#[test]
fn what_faults_leave_is_read_back_too() {
    let entries = read(&written_of(&faults())).unwrap();
    let facts = entries.iter().map(|entry| entry.recorded.clone());
    assert_eq!(facts.collect::<Vec<_>>(), faults());
    // The customer and the branch: 1, 2 (parked at the branch), 2 (given up). Losing, copying,
    // cutting off and slowing down happen at no process: one more than the sending, or 1.
    let clocks: Vec<u64> = entries.iter().map(|entry| entry.lamport.get()).collect();
    assert_eq!(clocks, [1, 1, 2, 1, 1, 1, 1, 2, 3, 1, 3, 3, 1, 3, 4, 5]);
}

#[test]
fn a_header_says_what_was_promised_and_who_recorded() {
    let text = String::from_utf8(written()).unwrap();
    let header: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!((&header["version"], &header["passbook"]), (&2.into(), &"0.1.0".into()));
    assert_eq!(
        header["promised"],
        serde_json::json!({
            "guarantees": "all", "customers": {"1": "ryw,mw"}, "propagation": "sync",
            "overdraft": "reject",
        })
    );
}

#[test]
fn a_history_of_version_1_is_read_for_ever() {
    let bytes = fs::read("tests/golden/history-1.jsonl").unwrap();
    let reader = Reader::new(&*bytes).unwrap();
    assert_eq!((&reader.header().terms, &reader.header().passbook), (&None, &None));
    assert_eq!(reader.header().config["guarantees"], "ryw,mr,wfr");
    assert_eq!(read(&bytes).unwrap().len(), 26);
}

#[test]
fn lamport_clocks_rise_at_each_process_and_with_each_message() {
    let clocks: Vec<u64> =
        read(&written()).unwrap().iter().map(|entry| entry.lamport.get()).collect();
    // sent 1, received 2, applied 3, message 4; branch 2: received 5, applied 6, message 7, lost 8;
    // branch 1 again: compared 5, reply 6; customer: 7; branch 1: 7 and on.
    assert_eq!(clocks, [1, 2, 3, 4, 5, 6, 7, 8, 5, 6, 7, 7, 8, 9, 10, 11, 12]);
}

#[test]
fn every_line_of_the_documentation_is_read() {
    let doc = fs::read_to_string("docs/HISTORY.md").unwrap();
    let examples: Vec<&str> = doc.lines().filter(|line| line.starts_with('{')).collect();
    let [header, facts @ .., end] = examples.as_slice() else { panic!("no examples") };
    assert_eq!(*end, format!(r#"{{"end":{{"facts":{}}}}}"#, facts.len() - 1));
    let mut kinds: Vec<String> = Vec::new();
    for fact in facts {
        let text = format!("{header}\n{fact}\n{{\"end\":{{\"facts\":1}}}}\n");
        let entries = read(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{fact}"));
        kinds.push(kind(&entries[0].recorded.fact));
    }
    let all = self::facts().into_iter().chain(faults());
    let mut all: Vec<String> = all.map(|recorded| kind(&recorded.fact)).collect();
    for kinds in [&mut kinds, &mut all] {
        kinds.sort();
        kinds.dedup();
    }
    assert_eq!(kinds, all, "every kind of fact has its example");
}

fn kind(fact: &Fact) -> String {
    format!("{fact:?}").split(' ').next().unwrap().to_owned()
}

#[test]
fn a_bad_line_is_named_with_what_is_wrong() {
    for (text, message) in [
        (String::new(), "line 1: the history is empty: its header is missing"),
        ("hello\n".to_owned(), "line 1: not JSON: expected value (column 1)"),
        (
            r#"[{"id":1}]"#.to_owned(),
            "line 1: not the header of a history: invalid type: object, expected a string (column 1)",
        ),
        (
            edited(1, r#""history":"passbook""#, r#""history":"jepsen""#),
            "line 1: a history of \"jepsen\"; `history` must be \"passbook\"",
        ),
        (
            edited(1, "[1,2]", "[]"),
            "line 1: `branches` of the header: a bank has at least one branch",
        ),
        (edited(1, "[1,2]", "[2,2]"), "line 1: `branches` of the header: branch 2 is there twice"),
        (
            edited(1, "[1,2]", "[1,0]"),
            "line 1: not the header of a history: an id is a whole number from 1 to 2147483647, \
             found 0 (column 131)",
        ),
        (edited(3, "}}}", "}}"), "line 3: not JSON: EOF while parsing an object (column 88)"),
        (edited(3, r#""at_us":1,"#, ""), "line 3: not a fact: the key `at_us` is missing"),
        (edited(3, r#""lamport":2,"#, ""), "line 3: not a fact: the key `lamport` is missing"),
        (
            edited(3, r#","request":1"#, ""),
            "line 3: not a fact: missing field `request` (column 75)",
        ),
        (
            edited(3, r#""request":1"#, r#""request":1,"request":1"#),
            "line 3: not a fact: duplicate field `request` (column 96)",
        ),
        (
            edited(3, r#""request":1"#, r#""request":1,"note":1"#),
            "line 3: not a fact: unknown field `note`, expected one of `branch`, `customer`, \
             `request` (column 93)",
        ),
        (
            edited(3, "request_received", "request_dropped"),
            "line 3: not a fact: unknown variant `request_dropped`, expected one of \
             `request_sent`, `request_received`, `write_applied`, `message_sent`, \
             `message_received`, `message_lost`, `message_duplicated`, `write_set_compared`, \
             `request_parked`, `reply_sent`, `reply_received`, `request_given_up`, \
             `branch_stopped`, `branch_started`, `partition_began`, `partition_healed`, \
             `slowness_began`, `slowness_ended`, `settled`, `unsettled` (column 48)",
        ),
        (
            edited(2, "40000", "-40000"),
            "line 2: not a fact: not positive; an amount is more than 0 (column 154)",
        ),
        (edited(4, r#""at_us":2"#, r#""at_us":0"#), "line 4: time goes backwards: 0 us after 1 us"),
        (
            edited(4, r#""lamport":3"#, r#""lamport":2"#),
            "line 4: the Lamport clock of branch 1 goes from 2 to 2; it must rise",
        ),
        (
            edited(6, r#""lamport":5"#, r#""lamport":4"#),
            "line 6: Lamport clock 4, though it was sent at 4; it must be later",
        ),
        (edited(3, "{", "\n{"), "line 3: an empty line before the end of the history"),
        (edited(19, "17", "18"), "line 19: the end marker counts 18 facts, but there are 17"),
        (edited(19, "}}", "}}\n{}"), "line 20: a line after the end marker"),
        (edited(19, "{", r#"{"at_us":5,"#), "line 19: both a fact and the end marker"),
    ] {
        assert_eq!(error(&text), message);
    }
}

#[test]
fn what_is_json_and_does_not_fit_is_told_without_the_names_of_types() {
    for (text, message) in [
        (
            edited(3, r#""at_us":1"#, r#""at_us":null"#),
            "line 3: not a fact: invalid type: null, expected a whole number (column 13)",
        ),
        (
            edited(3, r#""request":1"#, r#""request":"1""#),
            "line 3: not a fact: invalid type: string \"1\", expected a whole number (column 88)",
        ),
        (
            edited(3, r#"{"request_received":{"branch":1,"customer":1,"request":1}}"#, "null"),
            "line 3: not a fact: expected a word, or an object with one key (column 31)",
        ),
        (
            edited(3, r#"{"request_received":{"branch":1,"customer":1,"request":1}}"#, "{}"),
            "line 3: not a fact: expected a word, or an object with one key (column 32)",
        ),
        (
            edited(3, r#"{"branch":1,"customer":1,"request":1}"#, "5"),
            "line 3: not a fact: invalid type: integer `5`, expected an object (column 51)",
        ),
    ] {
        assert_eq!(error(&text), message);
    }
}

#[test]
fn a_history_that_is_cut_off_is_read_up_to_its_last_whole_line() {
    let bytes = written();
    let header = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    let extent = |bytes: &[u8]| {
        let mut reader = Reader::new(bytes)?;
        let facts = reader.by_ref().collect::<Result<Vec<_>, _>>()?.len();
        Ok::<_, HistoryError>((facts, reader.extent()))
    };
    // Without the last line end it is still whole.
    assert_eq!(extent(&bytes[..bytes.len() - 1]).unwrap(), (17, Extent::Whole));
    for len in 0..header {
        assert!(read(&bytes[..len]).is_err(), "cut at {len} of {}", bytes.len());
    }
    for len in header..bytes.len() - 1 {
        let whole = bytes[..len].iter().filter(|byte| **byte == b'\n').count();
        // A fact that lacks nothing but its line end is whole, and the end marker is no fact.
        let is_whole = bytes[len] == b'\n' && len > header;
        let facts = (whole + usize::from(is_whole)).saturating_sub(1);
        assert_eq!(extent(&bytes[..len]).unwrap(), (facts, Extent::CutOff), "cut at {len}");
    }
}

#[test]
fn blank_lines_at_the_end_and_a_byte_order_mark_are_harmless() {
    let mut bytes = "\u{feff}".as_bytes().to_vec();
    bytes.extend(written());
    bytes.extend(b"\n  \r\n");
    assert_eq!(read(&bytes).unwrap().len(), 17);
    // The same where it was cut off.
    let cut = bytes.len() - "{\"end\":{\"facts\":17}}\n\n  \r\n".len();
    bytes.truncate(cut);
    bytes.extend(b"\n\n");
    assert_eq!(read(&bytes).unwrap().len(), 17);
}

#[test]
fn an_endless_line_is_refused_before_it_fills_the_memory() {
    let error = Reader::new(std::io::BufReader::new(std::io::repeat(b'1'))).unwrap_err();
    assert_eq!(error.to_string(), "line 1: longer than 64MiB; --document-max allows more");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..Default::default() })]

    #[test]
    fn a_fact_taken_out_is_missed(line in 1_usize..18) {
        let text = String::from_utf8(written()).unwrap();
        let kept: Vec<&str> =
            text.lines().enumerate().filter(|(n, _)| *n != line).map(|(_, line)| line).collect();
        prop_assert!(read(kept.join("\n").as_bytes()).is_err());
    }

    #[test]
    fn damaged_bytes_never_panic(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = written();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Err(error) = read(&bytes) {
            prop_assert!((1..=40).contains(&error.line), "{error}");
        }
    }
}
