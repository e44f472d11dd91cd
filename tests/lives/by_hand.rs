//! Single rules, each with the messages that need it.

use std::sync::Arc;
use std::time::Duration;

use passbook::bank::{
    Branch, BranchConfig, Effect, EndOfLife, Entry, Input, LifeList, Memory, Missed, Passbook,
    PeerMessage, PropagatedWrite, Reply, Request, Rest, Session, Start, Ticket, Timeouts,
    VersionVector,
};
use passbook::model::{
    Amount, BranchId, CustomerId, Dot, Durability, EventId, Guarantees, Life, LogEntry, Lost,
    Money, Operation, Overdraft, Propagation, Receipt, RequestError, Roster, Sequence, Time, Write,
};

const RETURN_LIMIT: Duration = Duration::from_millis(50);
const RESEND_AFTER: Duration = Duration::from_millis(20);

pub(crate) fn branch(id: i64) -> BranchId {
    BranchId::new(id).unwrap()
}

pub(crate) fn roster() -> Arc<Roster> {
    Arc::new(Roster::new([1, 2, 3].map(branch)).unwrap())
}

pub(crate) fn config(propagation: Propagation) -> BranchConfig {
    let timeouts = Timeouts {
        confirm_limit: Some(Duration::from_millis(500)),
        resend_after: Some(RESEND_AFTER),
        wait_limit: Some(Duration::from_millis(500)),
        return_limit: Some(RETURN_LIMIT),
    };
    BranchConfig {
        propagation,
        overdraft: Overdraft::Allow,
        timeouts,
        durability: Durability::Memory,
        log_max: None,
        kept_max: None,
    }
}

pub(crate) fn opened(id: i64, propagation: Propagation) -> Branch {
    Branch::new(branch(id), roster(), Money::ZERO, config(propagation))
}

/// It starts in this life with nothing.
pub(crate) fn started(id: i64, life: u64, propagation: Propagation) -> (Branch, Vec<Effect>) {
    let start = Start::NewLife { life: Life::new(life), memory: Memory::default() };
    let mut at = Branch::again(branch(id), roster(), Money::ZERO, config(propagation), start);
    let effects = tell(&mut at, 0, Input::Started);
    (at, effects)
}

pub(crate) fn tell(at: &mut Branch, ms: u64, input: Input) -> Vec<Effect> {
    let mut effects = Vec::new();
    at.handle(Time::START.after(Duration::from_millis(ms)), input, &mut effects);
    effects
}

pub(crate) fn lives(of: [u64; 3]) -> LifeList {
    LifeList::from_lives(of.map(Life::new), &roster()).unwrap()
}

pub(crate) fn hear(at: &mut Branch, from: i64, of: [u64; 3], message: PeerMessage) -> Vec<Effect> {
    tell(at, 0, Input::FromPeer { from: branch(from), lives: lives(of), message })
}

pub(crate) fn dot(origin: i64, life: u64, sequence: u32) -> Dot {
    let (life, sequence) = (Life::new(life), Sequence::new(sequence));
    Dot { origin: branch(origin), life, sequence }
}

/// A write of branch `origin` in its life `life`.
fn write(origin: i64, life: u64, sequence: u32) -> PropagatedWrite {
    let (customer, event) = (CustomerId::new(10 * origin), EventId::new(sequence.into()));
    let id = passbook::model::WriteId { customer: customer.unwrap(), event: event.unwrap() };
    PropagatedWrite { dot: dot(origin, life, sequence), id, write: deposit(), dependencies: None }
}

pub(crate) fn deposit() -> Write {
    Write::deposit(Amount::try_from(Money::from_minor(100)).unwrap())
}

fn propagate(origin: i64, life: u64, sequence: u32) -> PeerMessage {
    PeerMessage::Propagate(write(origin, life, sequence))
}

pub(crate) fn nothing_more() -> PeerMessage {
    PeerMessage::Missed(Missed { writes: Vec::new(), rest: Rest::Nothing, held: None })
}

pub(crate) fn ask(
    at: &mut Branch,
    ms: u64,
    event: i64,
    operation: Operation,
    session: Option<Session>,
) -> Vec<Effect> {
    let (customer, event) = (CustomerId::new(1).unwrap(), EventId::new(event).unwrap());
    let ticket = Ticket(u64::from(event.get()));
    tell(at, ms, Input::Requested(Request { ticket, customer, event, operation, session }))
}

pub(crate) fn replies(effects: &[Effect]) -> Vec<&Reply> {
    let reply = |effect: &'_ Effect| matches!(effect, Effect::Reply(_));
    let replies = effects.iter().filter(|effect| reply(effect));
    replies
        .map(|effect| if let Effect::Reply(reply) = effect { reply } else { unreachable!() })
        .collect()
}

pub(crate) fn asked(effects: &[Effect]) -> Vec<u32> {
    let mut asked = Vec::new();
    for effect in effects {
        if let Effect::Send { to, message: PeerMessage::CatchUp(_) } = effect {
            asked.push(to.get());
        }
    }
    asked
}

/// A session that has written what these dots cover.
pub(crate) fn session(dots: &[Dot]) -> Session {
    let mut passbook = Passbook::new(&roster());
    for dot in dots {
        passbook.enter(&Entry::Wrote(*dot), &roster());
    }
    Session { passbook, guarantees: Guarantees::ALL }
}

#[test]
fn a_branch_that_returns_asks_all_others_again_and_again_until_each_has_answered() {
    let (mut at, effects) = started(1, 2, Propagation::Async);
    assert_eq!(asked(&effects), [2, 3]);
    hear(&mut at, 2, [2, 1, 1], nothing_more());
    assert_eq!(asked(&tell(&mut at, 20, Input::DeadlineReached)), [3]);
    hear(&mut at, 3, [2, 1, 1], nothing_more());
    assert!(at.is_closed());
    assert_eq!(at.next_deadline(), None);
}

#[test]
fn one_that_returns_serves_nobody_until_all_have_answered() {
    let (mut at, _) = started(1, 2, Propagation::Async);
    assert_eq!(replies(&ask(&mut at, 0, 1, Operation::Query, None)), Vec::<&Reply>::new());
    hear(&mut at, 2, [2, 1, 1], nothing_more());
    let told = hear(&mut at, 3, [2, 1, 1], propagate(3, 1, 1));
    assert!(replies(&told).is_empty());
    let told = hear(&mut at, 3, [2, 1, 1], nothing_more());
    let [reply] = replies(&told)[..] else { panic!("{told:?}") };
    assert_eq!(reply.outcome, Ok(Receipt::Balance(Money::from_minor(100))));
}

#[test]
fn past_the_return_limit_it_serves_but_takes_no_writes_where_others_must_confirm_them() {
    for (propagation, takes_writes) in [(Propagation::Async, true), (Propagation::Sync, false)] {
        let (mut at, _) = started(1, 2, propagation);
        hear(&mut at, 2, [2, 1, 1], nothing_more());
        assert!(replies(&ask(&mut at, 0, 1, Operation::Query, None)).is_empty());
        let told = tell(&mut at, 50, Input::DeadlineReached);
        assert_eq!(replies(&told).len(), 1, "{told:?}");
        assert!(!at.gives_event_ids(), "the next id may name a write that branch 3 holds");
        let told = ask(&mut at, 50, 2, Operation::Write(deposit()), None);
        let outcome = &replies(&told)[0].outcome;
        if takes_writes {
            assert_eq!(*outcome, Ok(Receipt::Written));
        } else {
            let unheard = vec![branch(3)];
            assert_eq!(*outcome, Err(RequestError::Returning { unheard, more: 0 }));
        }
        hear(&mut at, 3, [2, 1, 1], nothing_more());
        assert!(at.gives_event_ids());
    }
}

#[test]
fn a_number_of_one_life_never_names_a_write_of_another() {
    let (mut at, _) = started(1, 2, Propagation::Async);
    for from in [2, 3] {
        hear(&mut at, from, [2, 1, 1], nothing_more());
    }
    let told = ask(&mut at, 0, 1, Operation::Write(deposit()), None);
    assert_eq!(replies(&told)[0].entry, Entry::Wrote(dot(1, 2, 1)));
    // The first write of its first life, which a late message brings.
    hear(&mut at, 2, [2, 1, 1], propagate(1, 1, 1));
    let held: Vec<Dot> = at.log().map(|entry| entry.dot).collect();
    assert_eq!(held, [dot(1, 2, 1), dot(1, 1, 1)]);
    assert_eq!(at.version().last_dots(&roster()), [dot(1, 1, 1), dot(1, 2, 1)]);
}

#[test]
fn what_a_life_that_is_over_sends_is_thrown_away() {
    let mut at = opened(2, Propagation::Async);
    hear(&mut at, 1, [2, 1, 1], PeerMessage::CatchUp(VersionVector::new(&roster())));
    assert!(hear(&mut at, 1, [1, 1, 1], propagate(1, 1, 1)).is_empty());
    assert_eq!(at.position().get(), 0);
    // Its list is not learned from either.
    hear(&mut at, 1, [1, 1, 9], propagate(1, 1, 1));
    assert_eq!(*at.lives(), lives([2, 1, 1]));
}

#[test]
fn what_is_meant_for_an_earlier_life_is_thrown_away_but_teaches_lives_and_questions_are_read() {
    let (mut at, _) = started(1, 2, Propagation::Async);
    let told = hear(&mut at, 3, [1, 4, 1], propagate(3, 1, 1));
    assert_eq!(at.position().get(), 0);
    assert_eq!(*at.lives(), lives([2, 4, 1]));
    assert_eq!(asked(&told), [2, 3], "a larger list starts the questions over");
    let question = PeerMessage::CatchUp(VersionVector::new(&roster()));
    let told = hear(&mut at, 3, [1, 1, 1], question);
    let is_answer =
        |effect: &Effect| matches!(effect, Effect::Send { message: PeerMessage::Missed(_), .. });
    assert!(told.iter().any(is_answer), "{told:?}");
}

#[test]
fn an_answer_counts_only_with_the_same_list_of_lives() {
    let mut at = opened(2, Propagation::Async);
    let question = PeerMessage::CatchUp(VersionVector::new(&roster()));
    hear(&mut at, 1, [2, 1, 1], question);
    hear(&mut at, 3, [1, 1, 1], nothing_more());
    hear(&mut at, 1, [2, 1, 1], nothing_more());
    assert!(!at.is_closed(), "branch 3 has not heard of the life that began");
    let told = hear(&mut at, 3, [2, 1, 1], nothing_more());
    assert!(matches!(told[..], [Effect::Closed]), "{told:?}");
}

#[test]
fn a_session_is_told_what_is_lost_as_soon_as_all_have_answered_and_goes_on_without_it() {
    let mut at = opened(2, Propagation::Async);
    hear(&mut at, 1, [1, 1, 1], propagate(1, 1, 1));
    let mut session = session(&[dot(1, 1, 3), dot(3, 1, 1)]);
    assert!(ask(&mut at, 0, 1, Operation::Query, Some(session.clone())).is_empty());
    let question = PeerMessage::CatchUp(VersionVector::new(&roster()));
    hear(&mut at, 1, [2, 1, 1], question);
    hear(&mut at, 1, [2, 1, 1], nothing_more());
    let told = hear(&mut at, 3, [2, 1, 1], nothing_more());
    let [reply] = replies(&told)[..] else { panic!("{told:?}") };
    let lost = vec![Lost { branch: branch(1), life: Life::FIRST, writes: 2 }];
    assert_eq!(reply.outcome, Err(RequestError::WritesLost { lost, more: 0 }));
    session.passbook.enter(&reply.entry, &roster());
    // The write of branch 3 is missing still, and not lost.
    let left = session.passbook.writes.last_dots(&roster());
    assert_eq!(left, [dot(1, 1, 1), dot(3, 1, 1)]);
    assert!(ask(&mut at, 0, 2, Operation::Query, Some(session.clone())).is_empty());
    let told = hear(&mut at, 3, [2, 1, 1], propagate(3, 1, 1));
    assert_eq!(replies(&told).len(), 1);
    // Whoever asks now is told at once.
    let told =
        ask(&mut at, 0, 3, Operation::Write(deposit()), Some(self::session(&[dot(1, 1, 2)])));
    let [Effect::Reply(reply)] = told.as_slice() else { panic!("{told:?}") };
    assert!(matches!(reply.outcome, Err(RequestError::WritesLost { .. })));
}

#[test]
fn at_its_limit_a_request_hears_that_a_life_is_over_and_who_has_not_been_heard() {
    let mut at = opened(2, Propagation::Async);
    let session = session(&[dot(1, 1, 1)]);
    ask(&mut at, 0, 1, Operation::Query, Some(session));
    let question = PeerMessage::CatchUp(VersionVector::new(&roster()));
    hear(&mut at, 1, [2, 1, 1], question);
    hear(&mut at, 1, [2, 1, 1], nothing_more());
    let told = tell(&mut at, 500, Input::DeadlineReached);
    let outcome = &replies(&told)[0].outcome;
    let Err(RequestError::VersionNotReached(missing)) = outcome else { panic!("{outcome:?}") };
    assert_eq!((missing.lags[0].life, &*missing.unheard), (Life::FIRST, [branch(3)].as_slice()));
}

#[test]
fn nobody_learns_of_a_life_from_a_passbook() {
    let mut at = opened(2, Propagation::Async);
    assert!(ask(&mut at, 0, 1, Operation::Query, Some(session(&[dot(1, 7, 1)]))).is_empty());
    assert_eq!(*at.lives(), LifeList::of_first_lives());
    let told = hear(&mut at, 1, [7, 1, 1], propagate(1, 7, 1));
    assert_eq!(replies(&told).len(), 1, "{told:?}");
}

#[test]
fn what_an_ended_life_acknowledged_counts_no_more() {
    let mut at = opened(1, Propagation::Sync);
    let told = ask(&mut at, 0, 1, Operation::Write(deposit()), None);
    let Some(Effect::Broadcast(write)) = told.last() else { panic!("{told:?}") };
    let acknowledge = |from: i64, of: [u64; 3], at: &mut Branch| {
        let mut there = opened(from, Propagation::Sync);
        let told = hear(&mut there, 1, [1, 1, 1], PeerMessage::Propagate(write.clone()));
        let Some(Effect::Send { message, .. }) = told.last() else { panic!("{told:?}") };
        hear(at, from, of, message.clone())
    };
    acknowledge(2, [1, 1, 1], &mut at);
    let question = PeerMessage::CatchUp(VersionVector::new(&roster()));
    hear(&mut at, 2, [1, 2, 1], question);
    assert!(replies(&acknowledge(3, [1, 2, 1], &mut at)).is_empty(), "branch 2 may lack it");
    let told = acknowledge(2, [1, 2, 1], &mut at);
    assert_eq!(replies(&told)[0].outcome, Ok(Receipt::Written));
    // Confirmed by all; then one of those forgets it, and whoever asks again waits for it.
    let question = PeerMessage::CatchUp(VersionVector::new(&roster()));
    hear(&mut at, 3, [1, 2, 2], question);
    assert!(replies(&ask(&mut at, 0, 1, Operation::Write(deposit()), None)).is_empty());
}

#[test]
fn a_write_that_this_start_has_not_seen_confirmed_is_confirmed_anew() {
    let mut before = opened(1, Propagation::Sync);
    ask(&mut before, 0, 1, Operation::Write(deposit()), None);
    let came = before.came_after(Default::default(), 9);
    for start in [
        Start::SameLife(Memory { came: came.clone(), ..Memory::default() }),
        Start::NewLife { life: Life::new(2), memory: Memory { came, ..Memory::default() } },
    ] {
        let mut at =
            Branch::again(branch(1), roster(), Money::ZERO, config(Propagation::Sync), start);
        let of = at.lives().lives(&roster()).map(Life::get).collect::<Vec<_>>();
        let of: [u64; 3] = of.try_into().unwrap();
        tell(&mut at, 0, Input::Started);
        for from in [2, 3] {
            hear(&mut at, from, of, nothing_more());
        }
        let told = ask(&mut at, 0, 1, Operation::Write(deposit()), None);
        assert!(matches!(told[..], [Effect::Broadcast(_)]), "{told:?}");
    }
}

#[test]
fn a_branch_that_hears_of_a_later_life_of_itself_ends() {
    let mut at = opened(1, Propagation::Async);
    let told = hear(&mut at, 2, [4, 1, 1], nothing_more());
    let by = Life::new(4);
    assert!(matches!(told[..], [Effect::Ended(EndOfLife::Succeeded { by: told })] if told == by));
    assert!(ask(&mut at, 0, 1, Operation::Query, None).is_empty());
}

#[test]
fn a_branch_whose_number_names_another_write_elsewhere_ends() {
    let mut at = opened(1, Propagation::Async);
    ask(&mut at, 0, 1, Operation::Write(deposit()), None);
    // Of an earlier life, or of another branch: that is somebody else's.
    for other in [dot(1, 9, 1), dot(2, 1, 1)] {
        assert!(hear(&mut at, 2, [1, 1, 1], PeerMessage::Taken(other)).is_empty());
    }
    let told = hear(&mut at, 2, [1, 1, 1], PeerMessage::Taken(dot(1, 1, 1)));
    let end = EndOfLife::NumberTaken { at: branch(2) };
    assert!(matches!(told[..], [Effect::Ended(told)] if told == end), "{told:?}");
}

#[test]
fn a_long_answer_comes_in_parts_each_of_which_is_asked_for() {
    let (mut at, mut other) = (opened(2, Propagation::Async), opened(1, Propagation::Async));
    for sequence in 1..=10_001 {
        hear(&mut at, 1, [1, 1, 1], propagate(1, 1, sequence));
    }
    let question = PeerMessage::CatchUp(other.version().clone());
    let told = hear(&mut at, 1, [1, 1, 1], question);
    let [Effect::Send { message: PeerMessage::Missed(first), .. }] = told.as_slice() else {
        panic!("{} effects", told.len())
    };
    assert_eq!((first.writes.len(), first.rest), (10_000, Rest::More));
    let asked = hear(&mut other, 2, [1, 1, 1], PeerMessage::Missed(first.clone()));
    let Some(Effect::Send { message: question, .. }) = asked.last() else { panic!("no question") };
    let told = hear(&mut at, 1, [1, 1, 1], question.clone());
    let [Effect::Send { message: PeerMessage::Missed(last), .. }] = told.as_slice() else {
        panic!("{} effects", told.len())
    };
    let left: Vec<Dot> = last.writes.iter().map(|entry| entry.dot).collect();
    assert_eq!((left, last.rest), (vec![dot(1, 1, 10_001)], Rest::Nothing));
}

/// There a write names only the nearest of what it depends on. What an earlier life of its own branch
/// wrote is not brought by its own place.
#[test]
fn in_a_large_bank_a_write_waits_for_those_of_an_earlier_life_of_its_branch() {
    let roster = Arc::new(Roster::new((1..=17).map(branch)).unwrap());
    let config = config(Propagation::Async);
    let lives = |first| {
        let lives = std::iter::once(first).chain(std::iter::repeat_n(1, 16)).map(Life::new);
        LifeList::from_lives(lives, &roster).unwrap()
    };
    let PropagatedWrite { dot: remembered, id, write: deposited, .. } = write(1, 1, 1);
    let entry = LogEntry { dot: remembered, id, write: deposited };
    let mut passbook = Passbook::new(&roster);
    passbook.enter(&Entry::Wrote(remembered), &roster);
    let memory = Memory { lives: lives(1), came: vec![entry], ..Memory::default() };
    let start = Start::NewLife { life: Life::new(2), memory };
    let mut at = Branch::again(branch(1), Arc::clone(&roster), Money::ZERO, config, start);
    tell(&mut at, 0, Input::Started);
    for from in 2..=17 {
        let (from, message) = (branch(from), nothing_more());
        tell(&mut at, 0, Input::FromPeer { from, lives: lives(2), message });
    }
    // Its own next one comes last, and is all that is near.
    ask(&mut at, 0, 1, Operation::Write(deposit()), None);
    let session = Session { passbook, guarantees: Guarantees::ALL };
    let told = ask(&mut at, 0, 2, Operation::Write(deposit()), Some(session));
    let Some(Effect::Broadcast(second)) = told.last() else { panic!("{told:?}") };
    let mut other = Branch::new(branch(2), Arc::clone(&roster), Money::ZERO, config);
    let first = PropagatedWrite { dot: dot(1, 2, 1), ..write(1, 2, 1) };
    for write in [first, second.clone()] {
        let (from, message) = (branch(1), PeerMessage::Propagate(write));
        tell(&mut other, 0, Input::FromPeer { from, lives: lives(2), message });
    }
    let held: Vec<Dot> = other.log().map(|entry| entry.dot).collect();
    assert_eq!(held, [dot(1, 2, 1)]);
}

#[test]
fn who_is_asked_by_one_that_has_more_asks_back() {
    let mut at = opened(2, Propagation::Async);
    let mut theirs = VersionVector::new(&roster());
    theirs.cover(roster().origin(dot(1, 1, 1)).unwrap(), Sequence::new(1));
    let told = hear(&mut at, 3, [1, 1, 1], PeerMessage::CatchUp(theirs.clone()));
    assert_eq!(asked(&told), [3]);
    // One question is under way; another one would be answered with the same.
    let told = hear(&mut at, 3, [1, 1, 1], PeerMessage::CatchUp(theirs));
    assert_eq!(asked(&told), Vec::<u32>::new());
}

#[test]
fn a_list_of_lives_is_the_same_whoever_began_where() {
    let told = lives([1, 1, 1]);
    assert_eq!(told, LifeList::of_first_lives());
    let later = Roster::new([1, 2, 3].map(branch)).unwrap().beginning_in(Life::new(7));
    let list = LifeList::from_lives([7, 7, 7].map(Life::new), &later).unwrap();
    assert_eq!(list, LifeList::of_first_lives());
    assert_eq!(list.lives(&later).map(Life::get).collect::<Vec<_>>(), [7, 7, 7]);
}
