//! What a judge could let pass: each case is small, and its verdict is worked out on paper.

use std::num::NonZeroUsize;

use passbook::check::{
    InvalidHistory, JudgeOptions, Promised, Property, Split, StepsKept, Verdict, WitnessKind,
};
use passbook::history::{Fact, MessageBody, Recorded, Terms};
use passbook::model::{
    GuaranteePolicy, MessageNumber, Money, Operation, Outcome, Overdraft, Propagation, Receipt,
    Refusal, RequestError, RequestNumber, Sequence,
};

use crate::history_builder::{
    HistoryBuilder, branch, customer, deposit, refused, withdrawal, write_id,
};

fn verdict(history: &HistoryBuilder, property: Property) -> Verdict {
    history.judge().unwrap().of(property).expect("judged").clone()
}

/// How many tests there were, and how many failed.
fn counts(history: &HistoryBuilder, property: Property) -> (u64, u64) {
    let verdict = verdict(history, property);
    (verdict.tested(), verdict.violations().total())
}

fn terms(all: &str, overdraft: Overdraft) -> Option<Terms> {
    let guarantees = GuaranteePolicy { all: all.parse().unwrap(), ..GuaranteePolicy::default() };
    Some(Terms::new(guarantees, Propagation::Async, overdraft))
}

fn impossible(history: &HistoryBuilder) -> InvalidHistory {
    history.judge().unwrap_err().problem
}

#[test]
fn a_second_read_that_misses_the_same_write_fails_too() {
    let mut history = HistoryBuilder::new(3, 0);
    history.writes(2, 1, 1, deposit(4)).reads(1, 1, 1).reads(1, 2, 2).reads(1, 3, 3);
    history.applies(2, 2, 1).applies(3, 2, 1);
    assert_eq!(counts(&history, Property::MonotonicReads), (2, 2));
    let witness = verdict(&history, Property::MonotonicReads).witness().unwrap().clone();
    assert_eq!((witness.earlier.unwrap().event.get(), witness.later.unwrap().event.get()), (1, 2));
}

#[test]
fn a_write_is_compared_with_every_earlier_one() {
    let mut history = HistoryBuilder::new(2, 0);
    for event in 1..=3 {
        history.writes(1, 1, event, deposit(event.into()));
    }
    // Branch 2 has them as 2, 3, 1: neighbours are in order but for the first two.
    history.applies(2, 1, 2).applies(2, 1, 3).applies(2, 1, 1);
    assert_eq!(counts(&history, Property::MonotonicWrites), (4, 2));
}

#[test]
fn convergence_has_a_test_per_write_and_one_per_further_balance() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(1, 1, 1, deposit(4)).writes(2, 2, 1, deposit(5));
    assert_eq!(counts(&history, Property::Convergence), (3, 3));
    history.applies(2, 1, 1).applies(1, 2, 1);
    assert_eq!(counts(&history, Property::Convergence), (3, 0));
}

#[test]
fn what_a_branch_answers_last_is_its_balance_at_the_end() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(1, 1, 1, deposit(4)).applies(2, 1, 1);
    history.asks(1, 2, 2, Operation::Query).answers(1, Ok(Receipt::Balance(Money::ZERO))).hears(1);
    assert_eq!(counts(&history, Property::Convergence), (2, 1));
    let witness = verdict(&history, Property::Convergence).witness().unwrap().clone();
    assert_eq!(witness.kind, WitnessKind::BalancesDiffer);
}

#[test]
fn a_write_is_judged_by_what_was_refused_when_it_was_applied() {
    let mut history = HistoryBuilder::new(1, 0);
    history.asks(1, 1, 1, Operation::Write(deposit(4))).answers(1, refused()).hears(1);
    history.applies(1, 1, 1);
    // The retry comes too late to be asked for.
    history.asks(1, 1, 1, Operation::Write(deposit(4))).answers(1, Ok(Receipt::Written)).hears(1);
    let witness = verdict(&history, Property::ExactlyOnce).witness().unwrap().clone();
    assert_eq!(witness.kind, WitnessKind::RefusedButApplied);
    assert_eq!(witness.shown.unwrap().line, Some(5), "the apply is fact 4");

    let mut history = HistoryBuilder::new(1, 0);
    history.asks(1, 1, 1, Operation::Write(deposit(4))).answers(1, refused()).hears(1);
    history.writes(1, 1, 1, deposit(4));
    assert_eq!(counts(&history, Property::ExactlyOnce), (1, 0), "a retry asks for it anew");
}

#[test]
fn a_balance_in_a_refusal_is_tested_and_is_no_read() {
    let refusal = |units: i64| -> Outcome {
        let balance = Money::from_minor(units * 100);
        let requested = Money::from_minor(900);
        Err(RequestError::Refused(Refusal::InsufficientFunds { balance, requested }))
    };
    for (claimed, violations) in [(4, 0), (5, 1)] {
        let mut history = HistoryBuilder::new(1, 0);
        history.writes(1, 1, 1, deposit(4)).asks(1, 1, 2, Operation::Write(withdrawal(9)));
        history.answers(1, refusal(claimed)).hears(1);
        assert_eq!(counts(&history, Property::Balances), (2, violations));
        assert_eq!(counts(&history, Property::ReadYourWrites), (0, 0));
    }
}

/// A branch applies a write under this number of branch 1.
fn numbered(history: &mut HistoryBuilder, at: u32, event: u32, number: u32) {
    history.applies(at, 1, event);
    let Some(Recorded { fact: Fact::WriteApplied { origin, life, sequence, .. }, .. }) =
        history.facts.last_mut()
    else {
        panic!("an apply");
    };
    (*origin, *life, *sequence) = (branch(1), None, Sequence::new(number));
}

fn three_asked() -> HistoryBuilder {
    let mut history = HistoryBuilder::new(2, 0);
    for event in 1..=3 {
        let deposit = deposit(event.into());
        history.asks(1, 1, event, Operation::Write(deposit)).answers(1, refused()).hears(1);
    }
    history
}

#[test]
fn numbers_of_an_origin_rise_and_name_one_write() {
    let mut history = three_asked();
    numbered(&mut history, 1, 1, 1);
    numbered(&mut history, 1, 2, 3);
    assert!(history.judge().is_ok(), "a gap is allowed");
    let mut falling = history.clone();
    numbered(&mut falling, 1, 3, 2);
    let (said, last) = (Sequence::new(2), Sequence::new(3));
    let (at, origin) = (branch(1), branch(1));
    assert_eq!(
        impossible(&falling),
        InvalidHistory::NumberFalls { branch: at, origin, said, last }
    );
    numbered(&mut history, 2, 3, 3);
    let sequence = Sequence::new(3);
    assert_eq!(impossible(&history), InvalidHistory::NumberNamesTwo { origin, sequence });
}

#[test]
fn a_write_that_two_branches_accepted_has_a_number_of_each() {
    let mut history = HistoryBuilder::new(3, 0);
    for at in 1..=2 {
        history.asks(1, at, 1, Operation::Write(deposit(4))).applies(at, 1, 1);
        let Some(Recorded { fact: Fact::WriteApplied { origin, .. }, .. }) =
            history.facts.last_mut()
        else {
            panic!("an apply");
        };
        *origin = branch(at);
        history.answers(1, Ok(Receipt::Written)).hears(1);
    }
    history.applies(3, 1, 1);
    assert_eq!(counts(&history, Property::ExactlyOnce), (1, 0));
    assert_eq!(counts(&history, Property::Convergence), (3, 0));
}

#[test]
fn a_reply_needs_a_reception_where_receptions_are_told() {
    let mut told = HistoryBuilder::new(1, 0);
    told.asks(1, 1, 1, Operation::Query).comes(1);
    told.answers(1, Ok(Receipt::Balance(Money::ZERO))).hears(1);
    assert_eq!(counts(&told, Property::Balances), (1, 0));
    told.asks(1, 1, 2, Operation::Query).answers(1, Ok(Receipt::Balance(Money::ZERO)));
    let (customer, request) = (customer(1), RequestNumber::new(2));
    assert_eq!(impossible(&told), InvalidHistory::NeverReceived { customer, request });

    let mut untold = HistoryBuilder::new(1, 0);
    untold.reads(1, 1, 1);
    assert!(untold.judge().is_ok(), "a run that tells none is judged");
    untold.asks(1, 1, 2, Operation::Query).comes(1);
    let request = RequestNumber::new(1);
    assert_eq!(impossible(&untold), InvalidHistory::NeverReceived { customer, request });
}

#[test]
fn a_request_is_received_once_where_it_was_sent() {
    let mut history = HistoryBuilder::new(2, 0);
    history.asks(1, 1, 1, Operation::Query).comes(1);
    let (customer, request) = (customer(1), RequestNumber::new(1));
    let mut elsewhere = HistoryBuilder::new(2, 0);
    elsewhere.asks(1, 1, 1, Operation::Query);
    elsewhere.add(Fact::RequestReceived { branch: branch(2), customer, request });
    let (asked, found) = (branch(1), branch(2));
    assert_eq!(
        impossible(&elsewhere),
        InvalidHistory::OtherBranch { customer, request, asked, found }
    );
    history.comes(1);
    assert_eq!(impossible(&history), InvalidHistory::ReceivedTwice { customer, request });
}

/// Message 1 of branch 1, with this fact of it.
fn message(history: &mut HistoryBuilder, kind: &str, to: u32) {
    let (from, to, number) = (branch(1), branch(to), MessageNumber::new(1));
    let body = MessageBody::Propagate { id: write_id(1, 1) };
    history.add(match kind {
        "sent" => Fact::MessageSent { from, to, number, body },
        "received" => Fact::MessageReceived { from, to, number, body },
        "lost" => Fact::MessageLost { from, to, number, body, reason: None },
        "copied" => Fact::MessageDuplicated { from, to, number, body },
        other => panic!("{other}"),
    });
}

#[test]
fn a_message_ends_once_and_once_more_for_each_copy() {
    let after = |kinds: &[&str]| {
        let mut history = HistoryBuilder::new(3, 0);
        kinds.iter().for_each(|kind| message(&mut history, kind, 2));
        history
    };
    for whole in [
        &["sent"][..],
        &["sent", "lost"],
        &["sent", "copied", "received", "lost"],
        &["sent", "copied", "copied", "received", "received", "received"],
    ] {
        assert!(after(whole).judge().is_ok(), "{whole:?}");
    }
    let (from, number) = (branch(1), MessageNumber::new(1));
    let ended = InvalidHistory::MessageNotUnderWay { from, number };
    for odd in [
        &["received"][..],
        &["sent", "received", "received"],
        &["sent", "lost", "received"],
        &["sent", "copied", "received", "lost", "received"],
    ] {
        assert_eq!(impossible(&after(odd)), ended, "{odd:?}");
    }
    let mut elsewhere = after(&["sent"]);
    message(&mut elsewhere, "received", 3);
    let (sent, found) = (branch(2), branch(3));
    assert_eq!(
        impossible(&elsewhere),
        InvalidHistory::MessageElsewhere { from, number, sent, found }
    );
}

#[test]
fn each_test_is_of_a_customer_that_was_promised_it_or_was_not() {
    let mut history = HistoryBuilder::new(2, 0).promising(terms("none", Overdraft::Allow));
    let terms = history.terms.as_mut().unwrap();
    terms.guarantees.single.insert(customer(2), "ryw".parse().unwrap());
    history.writes(1, 1, 1, deposit(4)).writes(2, 1, 1, deposit(4)).reads(1, 2, 2);
    let not_promised = verdict(&history, Property::ReadYourWrites);
    assert_eq!(not_promised.promised(), Some(Promised::No));
    history.reads(2, 2, 2).reads(2, 1, 3);
    let broken = verdict(&history, Property::ReadYourWrites);
    assert_eq!(broken.promised(), Some(Promised::Yes));
    assert_eq!(broken.tests(), Split { promised: 2, not_promised: 1, unknown: 0 });
    assert_eq!(broken.violations(), Split { promised: 1, not_promised: 1, unknown: 0 });
    history.terms = None;
    assert_eq!(verdict(&history, Property::ReadYourWrites).promised(), Some(Promised::Unknown));
}

#[test]
fn as_many_witnesses_and_steps_are_kept_as_are_asked_for() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(1, 1, 1, deposit(4)).reads(1, 2, 2).reads(1, 2, 3).reads(1, 2, 4);
    history.writes(1, 1, 5, deposit(5)).applies(2, 1, 5).applies(2, 1, 1);
    let options = |witnesses, steps| {
        let mut options = JudgeOptions::default();
        (options.witnesses, options.steps) = (NonZeroUsize::new(witnesses).unwrap(), steps);
        options
    };
    let few = history.judge_with(options(2, StepsKept::None)).unwrap();
    let later: Vec<u32> = few
        .by_property
        .read_your_writes
        .witnesses()
        .iter()
        .map(|witness| witness.later.unwrap().event.get())
        .collect();
    assert_eq!((later, few.failed_steps.len()), (vec![2, 3], 0));
    let all = history.judge_with(options(1, StepsKept::All)).unwrap();
    let steps: Vec<(Property, u64, u32)> = all
        .failed_steps
        .iter()
        .map(|step| (step.property, step.request.get(), step.branch.get()))
        .collect();
    assert_eq!(
        steps,
        [
            (Property::ReadYourWrites, 2, 2),
            (Property::ReadYourWrites, 3, 2),
            (Property::ReadYourWrites, 4, 2),
            (Property::MonotonicWrites, 5, 2),
        ]
    );
}

/// 100 at both branches; each accepts a withdrawal of 80 before it hears of the other's.
fn overdrawn(policy: Overdraft) -> HistoryBuilder {
    let mut history = HistoryBuilder::new(2, 100).promising(terms("all", policy));
    history.writes(1, 1, 1, withdrawal(80)).writes(2, 2, 1, withdrawal(80));
    history.applies(1, 2, 1).applies(2, 1, 1);
    history
}

#[test]
fn two_branches_that_each_decide_alone_can_overdraw() {
    let history = overdrawn(Overdraft::Reject);
    let verdict = verdict(&history, Property::NoOverdraft);
    assert_eq!((verdict.tested(), verdict.violations().total()), (4, 2));
    // What each branch accepted itself it could cover.
    assert_eq!(verdict.promised(), Some(Promised::No));
    let witness = verdict.witness().unwrap();
    assert_eq!(
        witness.sentence,
        "branch 1 applied customer 2's withdrawal of 80 (event 1), which branch 2 had accepted, \
         and its balance went to -60: branch 2 did not yet hold customer 1's withdrawal of 80 \
         (event 1), which branch 1 had accepted: each branch decides alone"
    );
    assert_eq!((witness.write, witness.other), (Some(write_id(2, 1)), Some(write_id(1, 1))));
    assert!(overdrawn(Overdraft::Allow).judge().unwrap().by_property.no_overdraft.is_none());
}

#[test]
fn a_withdrawal_that_overtakes_the_deposit_behind_it_can_overdraw() {
    let mut history = HistoryBuilder::new(2, 0).promising(terms("none", Overdraft::Reject));
    history.writes(1, 1, 1, deposit(5)).writes(1, 1, 2, withdrawal(5));
    history.applies(2, 1, 2).applies(2, 1, 1);
    let verdict = verdict(&history, Property::NoOverdraft);
    assert_eq!((verdict.tested(), verdict.violations().total()), (2, 1));
    assert_eq!(
        verdict.witness().unwrap().sentence,
        "branch 2 applied customer 1's withdrawal of 5 (event 2), which branch 1 had accepted, \
         and its balance went to -5: branch 1 held customer 1's deposit of 5 (event 1), which was \
         missing here"
    );
}

#[test]
fn a_branch_that_accepts_what_it_cannot_cover_breaks_its_promise() {
    let mut history = HistoryBuilder::new(1, 0).promising(terms("none", Overdraft::Reject));
    history.writes(1, 1, 1, withdrawal(5));
    assert_eq!(verdict(&history, Property::NoOverdraft).promised(), Some(Promised::Yes));
}
