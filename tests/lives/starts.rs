//! How branches start beside others that may have been there before them, or know of no lives.

use std::sync::Arc;

use passbook::bank::{
    Branch, Effect, EndOfLife, Input, Missed, PeerMessage, Relayed, Rest, Ticket, VersionVector,
};
use passbook::model::{
    CustomerId, EventId, Life, Lost, Money, Operation, Propagation, Receipt, RequestError, Roster,
    Sequence, WriteId,
};

use crate::by_hand::{
    ask, asked, branch, config, deposit, dot, hear, lives, nothing_more, opened, replies, roster,
    session, started, tell,
};

/// A clock went back: nothing is named by the number that it began with.
#[test]
fn one_that_hears_of_a_later_life_of_itself_before_it_serves_goes_on_above_that() {
    let (mut at, _) = started(1, 3, Propagation::Async);
    let told = hear(&mut at, 2, [9, 1, 1], nothing_more());
    assert!(at.life() > Life::new(9), "{}", at.life());
    assert_eq!(asked(&told), [2, 3], "it was meant for another life, and all are asked anew");
    let life = at.life().get();
    for from in [2, 3] {
        assert!(!at.serves());
        hear(&mut at, from, [life, 1, 1], nothing_more());
    }
    assert!(at.serves() && at.is_closed());
    ask(&mut at, 0, 1, Operation::Write(deposit()), None);
    let last = at.version().last_dots(&roster());
    assert_eq!(last, [dot(1, life, 1)]);
    // From now on there is another process.
    let told = hear(&mut at, 2, [life + 1, 1, 1], nothing_more());
    assert!(matches!(told[..], [Effect::Ended(EndOfLife::Succeeded { .. })]));
}

/// No number is above it: another process is the branch, and there is nothing to rise to.
#[test]
fn one_that_hears_of_the_last_life_there_is_ends() {
    let (mut at, _) = started(1, 3, Propagation::Async);
    let told = hear(&mut at, 2, [u64::MAX, 1, 1], nothing_more());
    assert!(matches!(told[..], [Effect::Ended(EndOfLife::Succeeded { .. })]), "{told:?}");
}

/// An answer that says that there is more, and nothing new, is no reason to ask at once.
#[test]
fn an_answer_with_nothing_new_is_followed_by_a_question_only_later() {
    let (mut at, _) = started(1, 2, Propagation::Async);
    let more = PeerMessage::Missed(Missed { writes: Vec::new(), rest: Rest::More, held: None });
    assert!(asked(&hear(&mut at, 2, [2, 1, 1], more)).is_empty());
    assert_eq!(asked(&tell(&mut at, 20, Input::DeadlineReached)), [2, 3]);
}

/// Branch 3 speaks a contract without numbers, and branch 2 is away: it may hold a write of 3 under the
/// number that this one would get.
#[test]
fn one_that_has_not_heard_from_all_gives_no_numbers_to_what_is_relayed() {
    let (mut at, _) = started(1, 2, Propagation::Sync);
    tell(&mut at, 50, Input::DeadlineReached);
    assert!(at.serves());
    tell(&mut at, 50, Input::KnowsNoLives(branch(3)));
    let id = WriteId { customer: CustomerId::new(7).unwrap(), event: EventId::new(1).unwrap() };
    let relay = |ticket| {
        let (ticket, from) = (Ticket(ticket), branch(3));
        Input::Relayed(Relayed { ticket, from, id, write: deposit() })
    };
    let returning = RequestError::Returning { unheard: vec![branch(2)], more: 0 };
    assert_eq!(replies(&tell(&mut at, 60, relay(1)))[0].outcome, Err(returning));
    assert_eq!(at.log().len(), 0);
    hear(&mut at, 2, [2, 1, 1], nothing_more());
    assert_eq!(replies(&tell(&mut at, 70, relay(2)))[0].outcome, Ok(Receipt::Written));
}

#[test]
fn lives_are_learned_from_one_that_says_nothing_else() {
    let mut at = opened(1, Propagation::Async);
    let list = |of| Input::Heard { from: branch(2), lives: lives(of) };
    assert_eq!(asked(&tell(&mut at, 0, list([1, 4, 1]))), [2, 3]);
    assert!(asked(&tell(&mut at, 0, list([1, 4, 1]))).is_empty(), "nothing is new");
    assert!(asked(&tell(&mut at, 0, list([1, 3, 7]))).is_empty(), "that life of it is over");
    let told = tell(&mut at, 0, list([2, 4, 1]));
    assert!(matches!(told[..], [Effect::Ended(EndOfLife::Succeeded { .. })]));
}

#[test]
fn what_is_taken_of_whom_is_known_before_it_comes() {
    let mut at = opened(1, Propagation::Async);
    tell(&mut at, 0, Input::Heard { from: branch(2), lives: lives([1, 4, 1]) });
    for (of, is_taken) in [
        ([1, 4, 1], true),
        ([1, 5, 1], true),
        ([1, 4, 9], true),
        ([1, 3, 1], false),
        ([0, 4, 1], false),
    ] {
        assert_eq!(at.takes(branch(2), &lives(of)), is_taken, "{of:?}");
    }
}

/// Branch 3 speaks a contract without lives.
#[test]
fn one_that_knows_of_no_lives_is_not_waited_for_and_nothing_is_closed_beside_it() {
    let (mut at, _) = started(1, 2, Propagation::Sync);
    tell(&mut at, 0, Input::KnowsNoLives(branch(3)));
    assert!(!at.serves());
    let told = hear(&mut at, 2, [2, 1, 1], nothing_more());
    assert!(at.serves() && at.gives_event_ids() && !at.is_closed());
    assert!(!told.iter().any(|effect| matches!(effect, Effect::Closed)));
    assert!(replies(&ask(&mut at, 0, 1, Operation::Write(deposit()), None)).is_empty());
    // What is lost nobody can say.
    let lost = session(&[dot(1, 1, 1)]);
    assert!(replies(&ask(&mut at, 0, 2, Operation::Query, Some(lost))).is_empty());
    let told = tell(&mut at, 600, Input::DeadlineReached);
    let late = replies(&told).into_iter().find_map(|reply| match &reply.outcome {
        Err(RequestError::VersionNotReached(late)) => Some(late.unheard.clone()),
        _ => None,
    });
    assert_eq!(late, Some(vec![branch(3)]));
    // When it can be asked after all, it has yet to answer.
    assert_eq!(asked(&tell(&mut at, 600, Input::InReach(branch(3)))), [3]);
    let told = hear(&mut at, 3, [2, 1, 1], nothing_more());
    assert!(at.is_closed() && told.iter().any(|effect| matches!(effect, Effect::Closed)));
}

/// All that there were before the bank began are over, and nobody is there to be asked.
#[test]
fn in_a_bank_that_begins_as_a_whole_what_is_of_before_is_lost_at_once() {
    let roster = Arc::new(Roster::clone(&roster()).beginning_in(Life::new(9)));
    let mut at = Branch::new(branch(1), roster, Money::ZERO, config(Propagation::Sync));
    let told = ask(&mut at, 0, 1, Operation::Query, Some(session(&[dot(2, 8, 3)])));
    let expected = RequestError::WritesLost {
        lost: vec![Lost { branch: branch(2), life: Life::new(8), writes: 3 }],
        more: 0,
    };
    assert_eq!(replies(&told)[0].outcome, Err(expected));
}

/// An answer that brings nothing, from one that holds so many writes of the asker's life.
fn holding(held: u32) -> PeerMessage {
    let held = Some(Sequence::new(held));
    PeerMessage::Missed(Missed { writes: Vec::new(), rest: Rest::Nothing, held })
}

/// Branch 1 when it has accepted two writes, which nobody got, and has started again with both.
fn started_with_two_writes() -> (Branch, Vec<Effect>) {
    let mut before = opened(1, Propagation::Async);
    for event in [1, 2] {
        ask(&mut before, 0, event, Operation::Write(deposit()), None);
    }
    let mut at = before.started_again(before.position(), Life::new(2));
    assert_eq!(at.life(), Life::FIRST);
    let effects = tell(&mut at, 0, Input::Started);
    (at, effects)
}

fn sent(effects: &[Effect], is_wanted: impl Fn(&PeerMessage) -> bool) -> Option<PeerMessage> {
    effects.iter().find_map(|effect| {
        let Effect::Send { message, .. } = effect else { return None };
        is_wanted(message).then(|| message.clone())
    })
}

/// It does not know who holds the writes, and sends none of them again. An answer to a question that it
/// asked before its start shows nothing: who gave it has not heard of them.
#[test]
fn one_that_starts_with_all_asks_until_each_other_holds_what_it_had_accepted() {
    let (mut at, effects) = started_with_two_writes();
    assert_eq!(asked(&effects), [2, 3]);
    hear(&mut at, 2, [1, 1, 1], holding(2));
    hear(&mut at, 3, [1, 1, 1], holding(1));
    assert!(at.is_closed() && !at.is_settled());
    let told = tell(&mut at, 20, Input::DeadlineReached);
    assert_eq!(asked(&told), [3]);
    let is_question = |message: &PeerMessage| matches!(message, PeerMessage::CatchUp(_));
    let is_answer = |message: &PeerMessage| matches!(message, PeerMessage::Missed(_));
    let mut other = opened(3, Propagation::Async);
    // It lacks what the question shows, and asks back.
    let question = sent(&told, is_question).unwrap();
    let told = hear(&mut other, 1, [1, 1, 1], question);
    hear(&mut at, 3, [1, 1, 1], sent(&told, is_answer).unwrap());
    assert!(!at.is_settled());
    let told = hear(&mut at, 3, [1, 1, 1], sent(&told, is_question).unwrap());
    hear(&mut other, 1, [1, 1, 1], sent(&told, is_answer).unwrap());
    assert_eq!(other.position().get(), 2);
    let told = tell(&mut at, 40, Input::DeadlineReached);
    assert_eq!(asked(&told), [3]);
    let told = hear(&mut other, 1, [1, 1, 1], sent(&told, is_question).unwrap());
    hear(&mut at, 3, [1, 1, 1], sent(&told, is_answer).unwrap());
    assert!(at.is_settled());
    assert!(asked(&tell(&mut at, 60, Input::DeadlineReached)).is_empty());
    assert_eq!(at.next_deadline(), None);
}

#[test]
fn who_waits_for_its_writes_to_be_confirmed_waits_for_those_of_before_its_start() {
    let (mut at, _) = started_with_two_writes();
    let ticket = Ticket(77);
    assert!(tell(&mut at, 0, Input::SettleRequested(ticket)).is_empty());
    hear(&mut at, 2, [1, 1, 1], holding(2));
    // A question shows it as well.
    let mut theirs = VersionVector::new(&roster());
    theirs.cover(roster().origin(dot(1, 1, 1)).unwrap(), Sequence::new(2));
    let told = hear(&mut at, 3, [1, 1, 1], PeerMessage::CatchUp(theirs));
    let is_told = |effect: &Effect| matches!(effect, Effect::Settled(told) if *told == ticket);
    assert!(told.iter().any(is_told), "{told:?}");
}

/// A process of an earlier version leaves it out: it has read the question, and asks back.
#[test]
fn an_answer_that_does_not_say_what_is_held_ends_the_questions() {
    let (mut at, _) = started_with_two_writes();
    for from in [2, 3] {
        hear(&mut at, from, [1, 1, 1], nothing_more());
    }
    assert!(at.is_settled());
    assert_eq!(at.next_deadline(), None);
}

/// Its life would go on, and it would serve with no more than it had before it heard from all.
#[test]
fn one_that_returns_and_starts_again_with_all_returns_anew() {
    let (at, _) = started(1, 2, Propagation::Sync);
    let mut again = at.started_again(at.position(), Life::new(3));
    assert_eq!(again.life(), Life::new(3));
    assert_eq!(asked(&tell(&mut again, 0, Input::Started)), [2, 3]);
    assert!(!again.serves());
    // It has heard from all: its life goes on over a start that keeps all.
    for from in [2, 3] {
        hear(&mut again, from, [3, 1, 1], nothing_more());
    }
    let later = again.started_again(again.position(), Life::new(4));
    assert_eq!((later.life(), later.serves()), (Life::new(3), true));
}
