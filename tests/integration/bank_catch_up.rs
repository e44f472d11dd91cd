//! The pure bank when a branch has lost its memory, and asks another for what it may have
//! forgotten.

use std::sync::Arc;

use passbook::bank::{
    Branch, BranchConfig, Effect, EndOfLife, Input, LifeList, Missed, PeerMessage, PropagatedWrite,
    Request, Rest, Ticket,
};
use passbook::model::{
    Amount, BranchId, CustomerId, Dot, EventId, LogEntry, LogPosition, Money, Operation, Roster,
    Sequence, Time, Write, WriteId,
};

fn branch(id: u32) -> BranchId {
    BranchId::new(i64::from(id)).expect("a fit number")
}

fn one() -> Write {
    Write::deposit(Amount::try_from(Money::from_minor(100)).expect("more than 0"))
}

fn two() -> Write {
    Write::deposit(Amount::try_from(Money::from_minor(200)).expect("more than 0"))
}

fn empty(id: u32) -> Branch {
    let roster = Roster::new([1, 2, 3].map(branch)).expect("three branches");
    Branch::new(branch(id), Arc::new(roster), Money::ZERO, BranchConfig::default())
}

fn tell(at: &mut Branch, input: Input) -> Vec<Effect> {
    let mut effects = Vec::new();
    at.handle(Time::START, input, &mut effects);
    effects
}

fn id(who: u32, event: u32) -> WriteId {
    let customer = CustomerId::new(i64::from(who)).expect("a fit number");
    WriteId { customer, event: EventId::new(i64::from(event)).expect("a fit number") }
}

/// A deposit of 1 that a customer makes at `at`, on its way to the other branches.
fn accept(at: &mut Branch, id: WriteId) -> PropagatedWrite {
    let WriteId { customer, event } = id;
    let (ticket, session) = (Ticket(u64::from(event.get())), None);
    let operation = Operation::Write(one());
    let request = Request { ticket, customer, event, operation, session };
    let effects = tell(at, Input::Requested(request));
    let broadcast = effects.into_iter().find_map(|effect| match effect {
        Effect::Broadcast(write) => Some(write),
        Effect::Reply(_)
        | Effect::Waited { .. }
        | Effect::Settled(_)
        | Effect::Send { .. }
        | Effect::Applied(_)
        | Effect::Conflict(_)
        | Effect::IdClash(_)
        | Effect::Persist(_)
        | Effect::Lives(_)
        | Effect::Closed
        | Effect::Ended(_)
        | Effect::Compared { .. } => None,
    });
    broadcast.expect("it is propagated")
}

fn propagate(to: &mut Branch, write: &PropagatedWrite) -> Vec<Effect> {
    let (from, message) = (write.dot.origin, PeerMessage::Propagate(write.clone()));
    hear(to, from, message)
}

fn hear(to: &mut Branch, from: BranchId, message: PeerMessage) -> Vec<Effect> {
    tell(to, Input::FromPeer { from, lives: LifeList::of_first_lives(), message })
}

/// What `from` has and `to` has not.
fn missed(from: &mut Branch, to: &Branch) -> Vec<LogEntry> {
    let message = PeerMessage::CatchUp(to.version().clone());
    let told = hear(from, to.id(), message);
    let Some(Effect::Send { message: PeerMessage::Missed(missed), .. }) = told.first() else {
        panic!("not an answer: {told:?}");
    };
    assert_eq!(missed.rest, Rest::Nothing);
    missed.writes.clone()
}

fn catch_up(to: &mut Branch, from: &mut Branch) {
    let missed = Missed { writes: missed(from, to), rest: Rest::Nothing, held: None };
    hear(to, from.id(), PeerMessage::Missed(missed));
}

fn held(at: &Branch) -> Vec<WriteId> {
    at.log().map(|entry| entry.id).collect()
}

fn next_dot(at: &mut Branch, id: WriteId) -> Dot {
    accept(at, id).dot
}

fn dot(origin: BranchId, sequence: u32) -> Dot {
    Dot::first_life(origin, Sequence::new(sequence))
}

/// It would give its first number away twice, and nobody would take what bears it.
#[test]
fn a_branch_learns_of_a_write_of_its_own_that_counted_as_anothers() {
    let (mut first, mut second, mut third) = (empty(1), empty(2), empty(3));
    // Branch 1 accepts a write that reaches branch 2 alone; its customer asks again at branch 3.
    propagate(&mut second, &accept(&mut first, id(1, 1)));
    propagate(&mut second, &accept(&mut third, id(1, 1)));
    assert_eq!(held(&second), [id(1, 1)]);

    let mut reborn = empty(3);
    catch_up(&mut reborn, &mut second);
    assert_eq!(held(&reborn), [id(1, 1)]);
    assert_eq!(reborn.version(), second.version());
    assert_eq!(next_dot(&mut reborn, id(1, 2)), dot(branch(3), 2));
    assert_eq!(missed(&mut second, &reborn), []);
}

/// Both are held, and each of them is asked for by its own origin's count.
#[test]
fn a_branch_learns_of_both_writes_of_one_id() {
    let (mut first, mut second, mut third) = (empty(1), empty(2), empty(3));
    propagate(&mut second, &accept(&mut first, id(1, 1)));
    let other = PropagatedWrite { write: two(), ..accept(&mut third, id(1, 1)) };
    propagate(&mut second, &other);
    let mut reborn = empty(3);
    catch_up(&mut reborn, &mut second);
    assert_eq!(held(&reborn), [id(1, 1), id(1, 1)]);
    assert_eq!(reborn.balance(), Some(Money::from_minor(300)));
    assert_eq!(reborn.version(), second.version());
    // Under a number that is taken, a third write is another one, though its id is here.
    let write = Write::withdraw(two().amount);
    let wrong = propagate(&mut reborn, &PropagatedWrite { write, ..other });
    let [Effect::Send { to, message }, Effect::Conflict(_)] = wrong.as_slice() else {
        panic!("not a conflict: {wrong:?}");
    };
    // Its origin is told so, and ends: another one has its place.
    assert_eq!((*to, message), (branch(3), &PeerMessage::Taken(dot(branch(3), 1))));
    let told = hear(&mut third, reborn.id(), message.clone());
    let end = EndOfLife::NumberTaken { at: branch(3) };
    assert!(matches!(told[..], [Effect::Ended(told)] if told == end), "{told:?}");
    assert!(tell(&mut third, Input::InReach(branch(1))).is_empty());
}

/// A customer's next write is no sign that the ones before it are there.
#[test]
fn writes_come_in_the_order_that_the_other_branch_had_them_in() {
    let (mut second, mut third) = (empty(2), empty(3));
    let earlier = accept(&mut second, id(9, 1));
    propagate(&mut third, &earlier);
    propagate(&mut second, &accept(&mut third, id(5, 1)));
    let next = accept(&mut second, id(5, 2));

    let mut reborn = empty(1);
    assert_eq!(propagate(&mut reborn, &next).len(), 0);
    catch_up(&mut reborn, &mut second);
    assert_eq!(held(&reborn), [id(9, 1), id(5, 1), id(5, 2)]);
    assert_eq!(reborn.write_set(id(5, 1).customer), [id(5, 1).event, id(5, 2).event]);
}

#[test]
fn what_came_is_told_in_parts_of_the_log() {
    let (mut first, mut second) = (empty(1), empty(2));
    for event in 1..=3 {
        propagate(&mut second, &accept(&mut first, id(1, event)));
    }
    let again = PropagatedWrite { dot: dot(branch(3), 1), ..accept(&mut empty(3), id(1, 2)) };
    propagate(&mut second, &again);
    let write = one();
    let entry = |origin, sequence, event| LogEntry {
        dot: dot(branch(origin), sequence),
        id: id(1, event),
        write,
    };
    let all = [entry(1, 1, 1), entry(1, 2, 2), entry(1, 3, 3), entry(3, 1, 2)];
    let mut came = Vec::new();
    for after in 0..4 {
        came.extend(second.came_after(LogPosition::new(after), 1));
    }
    assert_eq!(came, all);
    assert_eq!(second.came_after(LogPosition::default(), 9), all);
}
