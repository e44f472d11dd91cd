//! The pure bank at its bounds: how many writes a branch takes, and what is kept for others.

use std::sync::Arc;

use passbook::bank::{
    Branch, BranchConfig, Congestion, Effect, Input, LifeList, Missed, PeerMessage,
    PropagatedWrite, Relayed, Request, Rest, Ticket,
};
use passbook::model::{
    Amount, BranchId, CustomerId, Dot, EventId, LogEntry, LogPosition, Money, Operation, Outcome,
    Overdraft, Propagation, Receipt, Refusal, RequestError, Roster, Sequence, Time, Write, WriteId,
};

const FULL: RequestError = RequestError::Full { log_max: LogPosition::new(2) };

fn branch(id: i64) -> BranchId {
    BranchId::new(id).expect("a fit number")
}

fn id(customer: i64, event: i64) -> WriteId {
    let customer = CustomerId::new(customer).expect("a fit number");
    WriteId { customer, event: EventId::new(event).expect("a fit number") }
}

fn amount(minor: i64) -> Amount {
    Amount::try_from(Money::from_minor(minor)).expect("more than 0")
}

fn deposit() -> Write {
    Write::deposit(amount(100))
}

/// Branch 1 of two, which takes no more than two writes.
fn opened(propagation: Propagation) -> Branch {
    let roster = Arc::new(Roster::new([1, 2].map(branch)).expect("two branches"));
    let config = BranchConfig {
        propagation,
        overdraft: Overdraft::Reject,
        log_max: Some(LogPosition::new(2)),
        ..BranchConfig::default()
    };
    Branch::new(branch(1), roster, Money::ZERO, config)
}

fn tell(at: &mut Branch, input: Input) -> Vec<Effect> {
    let mut effects = Vec::new();
    at.handle(Time::START, input, &mut effects);
    effects
}

fn ask(at: &mut Branch, id: WriteId, operation: Operation) -> Vec<Effect> {
    let WriteId { customer, event } = id;
    let (ticket, session) = (Ticket(1), None);
    tell(at, Input::Requested(Request { ticket, customer, event, operation, session }))
}

/// How `effects` answer; nothing else may be among them but that a write was applied, and that it
/// is sent.
fn answer(effects: &[Effect]) -> Outcome {
    let answers: Vec<&Outcome> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Reply(reply) => Some(&reply.outcome),
            Effect::Broadcast(_) | Effect::Applied(_) => None,
            Effect::Waited { .. }
            | Effect::Settled(_)
            | Effect::Send { .. }
            | Effect::Conflict(_)
            | Effect::IdClash(_)
            | Effect::Persist(_)
            | Effect::Lives(_)
            | Effect::Closed
            | Effect::Ended(_)
            | Effect::Compared { .. } => panic!("unexpected: {effect:?}"),
        })
        .collect();
    let [outcome] = answers.as_slice() else { panic!("not one answer: {effects:?}") };
    (*outcome).clone()
}

fn write(at: &mut Branch, id: WriteId, write: Write) -> Outcome {
    answer(&ask(at, id, Operation::Write(write)))
}

fn query(at: &mut Branch) -> Outcome {
    answer(&ask(at, id(9, 1), Operation::Query))
}

/// The `sequence`th write of branch 2.
fn from_peer(sequence: u32, id: WriteId) -> PropagatedWrite {
    let dot = Dot::first_life(branch(2), Sequence::new(sequence));
    PropagatedWrite { dot, id, write: deposit(), dependencies: None }
}

fn hear(at: &mut Branch, message: PeerMessage) -> Vec<Effect> {
    tell(at, Input::FromPeer { from: branch(2), lives: LifeList::of_first_lives(), message })
}

fn propagate(at: &mut Branch, write: PropagatedWrite) -> Vec<Effect> {
    let message = PeerMessage::Propagate(write);
    hear(at, message)
}

#[test]
fn a_full_branch_takes_no_more_writes_and_answers_all_else_as_before() {
    let mut at = opened(Propagation::Async);
    for event in [1, 2] {
        assert_eq!(write(&mut at, id(1, event), deposit()), Ok(Receipt::Written));
    }
    let refused = ask(&mut at, id(1, 3), Operation::Write(deposit()));
    assert_eq!((answer(&refused), refused.len()), (Err(FULL), 1), "nothing else is done");
    assert_eq!(write(&mut at, id(2, 1), deposit()), Err(FULL), "whoever asks");
    assert_eq!(at.latest_event(id(2, 1).customer), None, "it has left nothing behind");
    assert_eq!(query(&mut at), Ok(Receipt::Balance(Money::from_minor(200))));
    // What is applied is applied, and what is refused for another reason hears that one.
    assert_eq!(write(&mut at, id(1, 2), deposit()), Ok(Receipt::Written));
    let reused = RequestError::Refused(Refusal::EventReused { first: deposit() });
    assert_eq!(write(&mut at, id(1, 2), Write::deposit(amount(7))), Err(reused));
    let [balance, requested] = [200, 900].map(Money::from_minor);
    let poor = RequestError::Refused(Refusal::InsufficientFunds { balance, requested });
    assert_eq!(write(&mut at, id(1, 4), Write::withdraw(amount(900))), Err(poor));
    assert_eq!((at.position(), at.balance()), (LogPosition::new(2), Some(balance)));
}

#[test]
fn a_full_branch_applies_and_acknowledges_what_others_took() {
    let mut at = opened(Propagation::Sync);
    for (sequence, event) in [(1, 1), (2, 2), (3, 3)] {
        let told = propagate(&mut at, from_peer(sequence, id(2, event)));
        let sequence = Sequence::new(sequence);
        let acknowledges = |effect: &Effect| {
            matches!(effect, Effect::Send { message: PeerMessage::Acknowledge(told), .. }
                if told.dot.sequence == sequence)
        };
        assert!(told.iter().any(acknowledges), "{told:?}");
    }
    let relayed = Relayed { ticket: Ticket(2), from: branch(2), id: id(3, 1), write: deposit() };
    assert_eq!(answer(&tell(&mut at, Input::Relayed(relayed))), Ok(Receipt::Written));
    assert_eq!((at.position(), at.balance()), (LogPosition::new(4), Some(Money::from_minor(400))));
    assert_eq!(write(&mut at, id(1, 1), deposit()), Err(FULL));
}

/// One write that is sent to many branches at once is one entry of the log, and takes memory for
/// each of them.
#[test]
fn a_write_that_two_branches_took_counts_twice() {
    let mut at = opened(Propagation::Async);
    assert_eq!(write(&mut at, id(1, 1), deposit()), Ok(Receipt::Written));
    propagate(&mut at, from_peer(1, id(1, 1)));
    assert_eq!((at.position(), at.came()), (LogPosition::new(1), LogPosition::new(2)));
    assert_eq!(write(&mut at, id(1, 2), deposit()), Err(FULL));
}

/// A customer that sends old writes again, while a branch is away, would have each of them kept for
/// it.
#[test]
fn nothing_more_is_kept_for_a_branch_that_takes_no_more() {
    let mut at = opened(Propagation::Sync);
    propagate(&mut at, from_peer(1, id(2, 1)));
    let congestion = |congestion| Input::Congestion { peer: branch(2), congestion };
    tell(&mut at, congestion(Congestion::Full));
    let told = ask(&mut at, id(2, 1), Operation::Write(deposit()));
    let unknown = RequestError::OutcomeUnknown { unconfirmed_by: vec![branch(2)], more: 0 };
    assert_eq!((answer(&told), told.len()), (Err(unknown), 1));
    tell(&mut at, congestion(Congestion::Clear));
    let told = ask(&mut at, id(2, 1), Operation::Write(deposit()));
    assert!(matches!(told.as_slice(), [Effect::Broadcast(_)]), "it is asked anew: {told:?}");
}

/// An answer to a question of what is missing is in an order in which nothing waits. One with a gap
/// is of a branch gone wrong, and is asked for at each start of a connection.
#[test]
fn of_an_answer_with_a_gap_nothing_is_kept() {
    let mut at = opened(Propagation::Async);
    let entry = |sequence: u32, event| {
        let PropagatedWrite { dot, id, write, .. } = from_peer(sequence, id(2, event));
        LogEntry { dot, id, write }
    };
    let writes = vec![entry(1, 1), entry(3, 3), entry(4, 4)];
    hear(&mut at, PeerMessage::Missed(Missed { writes, rest: Rest::Nothing, held: None }));
    assert_eq!(at.position(), LogPosition::new(1));
    // Had the third been kept, it would be applied with the second.
    propagate(&mut at, from_peer(2, id(2, 2)));
    assert_eq!(at.position(), LogPosition::new(2));
}
