//! Where a witness leads, and what is refused for its size: what a verdict alone does not tell.

use std::num::NonZeroUsize;

use passbook::check::{
    CheckError, InvalidHistory, JudgeOptions, Property, StepsKept, Witness, judge_history,
};
use passbook::history::{Fact, Reader};
use passbook::model::{Money, Operation, Receipt, RequestNumber};

use crate::damage::file;
use crate::history_builder::{HistoryBuilder, branch, customer, deposit, write_id};

fn witness(history: &HistoryBuilder, property: Property) -> Witness {
    let verdicts = history.judge().unwrap();
    verdicts.of(property).unwrap().witness().expect("violated").clone()
}

/// The writes are accepted at branch 1, and it is branch 3 that has them the other way round.
#[test]
fn a_failed_write_is_kept_with_the_branch_that_has_it_too_early() {
    let mut history = HistoryBuilder::new(3, 0);
    history.writes(1, 1, 1, deposit(4)).writes(1, 1, 2, deposit(5));
    history.applies(2, 1, 1).applies(2, 1, 2).applies(3, 1, 2).applies(3, 1, 1);
    let mut options = JudgeOptions::default();
    options.witnesses = NonZeroUsize::MIN;
    options.steps = StepsKept::All;
    let failed = history.judge_with(options).unwrap().failed_steps;
    let found: Vec<_> =
        failed.iter().map(|step| (step.property, step.request.get(), step.branch)).collect();
    assert_eq!(found, [(Property::MonotonicWrites, 2, branch(3))]);
}

#[test]
fn a_wrong_balance_after_a_write_is_shown_where_it_was_applied() {
    let mut history = HistoryBuilder::new(1, 0);
    history.writes(1, 1, 1, deposit(4));
    let applied = history
        .facts
        .iter_mut()
        .position(|recorded| {
            let Fact::WriteApplied { balance, .. } = &mut recorded.fact else { return false };
            *balance = Money::from_minor(399);
            true
        })
        .expect("an apply");
    let witness = witness(&history, Property::Balances);
    // The header is line 1, and facts count from 0 here.
    assert_eq!(witness.shown.unwrap().line, Some(u64::try_from(applied).unwrap() + 2));
}

#[test]
fn each_of_two_writes_with_one_id_is_shown_where_it_was_asked_for() {
    let mut history = HistoryBuilder::new(2, 0);
    history.reads(1, 1, 7);
    for (units, at) in [(4, 1), (5, 2)] {
        history.asks(1, at, 1, Operation::Write(deposit(units)));
        history.applies_as(at, write_id(1, 1), deposit(units));
        history.answers(1, Ok(Receipt::Written)).hears(1);
    }
    history.applies_as(2, write_id(1, 1), deposit(4)).applies_as(1, write_id(1, 1), deposit(5));
    let witness = witness(&history, Property::ExactlyOnce);
    let asked = [witness.earlier.unwrap(), witness.later.unwrap()]
        .map(|step| (step.request.get(), step.branch));
    assert_eq!(asked, [(2, branch(1)), (3, branch(2))]);
}

#[test]
fn a_request_that_is_parked_was_sent_and_not_answered() {
    let (customer, parked_at) = (customer(1), branch(1));
    let parked = |request| Fact::RequestParked {
        branch: parked_at,
        customer,
        request: RequestNumber::new(request),
    };
    let mut history = HistoryBuilder::new(1, 0);
    history.asks(1, 1, 1, Operation::Query).add(parked(1));
    history.answers(1, Ok(Receipt::Balance(Money::ZERO))).hears(1);
    history.judge().expect("a possible one");
    let request = RequestNumber::new(1);
    let refused = history.add(parked(1)).judge().unwrap_err().problem;
    assert_eq!(refused, InvalidHistory::AnsweredTwice { customer, request });
    let request = RequestNumber::new(9);
    let refused = HistoryBuilder::new(1, 0).add(parked(9)).judge().unwrap_err().problem;
    assert_eq!(refused, InvalidHistory::NeverSent { customer, request });
}

/// A branch costs 260 bytes by what `docs/LIMITS.md` was measured with, and the text of its id nine
/// times its length.
#[test]
fn a_bank_that_is_too_large_is_refused_by_its_header() {
    let bytes_of = |branches: u32| {
        let file = file(&HistoryBuilder::new(branches, 0));
        let reader = Reader::new(file.as_slice()).unwrap();
        match judge_history(reader, JudgeOptions::default(), 100) {
            Err(CheckError::TooLarge { line: 1, bytes }) => bytes,
            other => panic!("{other:?}"),
        }
    };
    // Ids of four digits and a comma.
    assert_eq!(bytes_of(3000) - bytes_of(2000), 1000 * (260 + 9 * 5));
}
