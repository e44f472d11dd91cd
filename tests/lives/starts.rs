//! How branches start beside others that may have been there before them, or know of no lives.

use std::sync::Arc;

use passbook::bank::{Branch, Effect, EndOfLife, Input};
use passbook::model::{Life, Lost, Money, Operation, Propagation, RequestError, Roster};

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
