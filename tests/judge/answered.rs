//! What is owed of answers to writes, by hand: with sync propagation all branches have a write that is
//! acknowledged; and a refusal that is given again says what it said.

use passbook::check::{Overall, Property, WitnessKind};
use passbook::model::{Money, Operation, Overdraft, Propagation, Receipt, Refusal, RequestError};

use crate::asked_of_judge::{bank, counts, terms, verdict, witness};
use crate::history_builder::{HistoryBuilder, branch, deposit, withdrawal};

#[test]
fn with_sync_propagation_a_write_is_acknowledged_when_all_branches_have_it() {
    let mut late = bank(2, Propagation::Sync);
    late.asks(1, 1, 1, Operation::Write(deposit(4))).applies(1, 1, 1).applies(2, 1, 1);
    late.answers(1, Ok(Receipt::Written)).hears(1);
    assert_eq!(counts(&late, Property::ExactlyOnce), (1, 0));

    let mut early = bank(2, Propagation::Sync);
    early.writes(1, 1, 1, deposit(4)).applies(2, 1, 1);
    assert_eq!(counts(&early, Property::ExactlyOnce), (1, 1));
    let witness = witness(&early, Property::ExactlyOnce);
    assert_eq!((witness.kind, witness.branch), (WitnessKind::AcknowledgedEarly, branch(2)));
    assert_eq!(
        witness.sentence,
        "customer 1 was told that its own deposit of 4 (event 1) was done before branch 2 had \
         applied it: with sync propagation an acknowledged write is owed everywhere by then"
    );
    let cut_off = early.judge_cut_off().unwrap();
    assert_eq!(cut_off.of(Property::ExactlyOnce).unwrap().summary(), Overall::Violated);

    let anyhow = early.clone().promising(terms(Propagation::Async, Overdraft::Allow));
    assert_eq!(counts(&anyhow, Property::ExactlyOnce), (1, 0));
    assert_eq!(counts(&early.promising(None), Property::ExactlyOnce), (1, 0));
}

#[test]
fn what_a_branch_had_applied_before_its_memory_ended_was_acknowledged_in_time() {
    let mut history = bank(2, Propagation::Sync);
    history.asks(1, 1, 1, Operation::Write(deposit(4))).applies(1, 1, 1).applies(2, 1, 1);
    history.stops(2).starts(2, 0).answers(1, Ok(Receipt::Written)).hears(1).applies(2, 1, 1);
    assert_eq!(counts(&history, Property::ExactlyOnce), (1, 0));
}

#[test]
fn an_early_answer_that_does_not_arrive_tells_nobody_anything() {
    let mut history = bank(2, Propagation::Sync);
    history.asks(1, 1, 1, Operation::Write(deposit(4))).applies(1, 1, 1);
    history.answers(1, Ok(Receipt::Written)).gives_up(1).applies(2, 1, 1);
    assert_eq!(counts(&history, Property::ExactlyOnce), (1, 0));
    // The next one, as early, does.
    let mut again = bank(2, Propagation::Sync);
    again.asks(1, 1, 1, Operation::Write(deposit(4))).applies(1, 1, 1);
    again.answers(1, Ok(Receipt::Written)).gives_up(1);
    again.asks(1, 1, 1, Operation::Write(deposit(4))).answers(1, Ok(Receipt::Written)).hears(1);
    again.applies(2, 1, 1);
    assert_eq!(counts(&again, Property::ExactlyOnce), (1, 1));
}

#[test]
fn a_refusal_that_is_given_again_says_what_it_said() {
    let refused = |units: i64| {
        let (balance, requested) = (Money::from_minor(units * 100), Money::from_minor(900));
        Err(RequestError::Refused(Refusal::InsufficientFunds { balance, requested }))
    };
    let mut history = HistoryBuilder::new(1, 2);
    history.asks(1, 1, 1, Operation::Write(withdrawal(9))).answers(1, refused(2)).hears(1);
    history.writes(2, 1, 1, deposit(5));
    history.asks(1, 1, 1, Operation::Write(withdrawal(9))).answers(1, refused(2)).hears(1);
    // The first refusal, and the balance after the deposit.
    assert_eq!(counts(&history, Property::Balances), (2, 0));
    // Another one is a balance that the branch does not have.
    history.asks(1, 1, 1, Operation::Write(withdrawal(9))).answers(1, refused(3)).hears(1);
    assert_eq!(counts(&history, Property::Balances), (3, 1));
    assert_eq!(verdict(&history, Property::Balances).summary(), Overall::Violated);
}
