//! Histories of runs with faults: requests given up, branches that stop and start, and ends that
//! are missing.

use passbook::check::{
    InvalidHistory, JudgeOptions, Overall, Property, Undecided, Verdict, Verdicts, judge_cut_off,
};
use passbook::history::Fact;
use passbook::model::{Life, LogPosition, Money, Operation, Receipt, RequestNumber};

use crate::history_builder::{HistoryBuilder, branch, customer, deposit, refused};

fn impossible(history: &HistoryBuilder) -> InvalidHistory {
    history.judge().unwrap_err().problem
}

fn of(verdicts: &Verdicts, property: Property) -> &Verdict {
    verdicts.of(property).expect("judged")
}

fn stops(history: &mut HistoryBuilder, at: u32) {
    history.add(Fact::BranchStopped { branch: branch(at) });
}

fn starts(history: &mut HistoryBuilder, at: u32, kept: u64, balance: i64) {
    history.add(Fact::BranchStarted {
        branch: branch(at),
        life: Life::new(2),
        kept: LogPosition::new(kept),
        balance: Money::from_minor(balance * 100),
    });
}

/// What the judge says of a history whose end is lost.
fn cut_off(history: &HistoryBuilder) -> Verdicts {
    judge_cut_off(history.case(), JudgeOptions::default(), &history.facts).unwrap()
}

#[test]
fn a_request_that_was_given_up_may_have_taken_effect_or_not() {
    let mut history = HistoryBuilder::new(2, 0);
    history.asks(1, 1, 1, Operation::Write(deposit(4))).gives_up(1).reads(1, 1, 2);
    let before = history.judge().unwrap();
    assert_eq!(
        before.by_property.read_your_writes.summary(),
        Overall::Undecided,
        "nothing was acknowledged"
    );
    assert_eq!(before.by_property.exactly_once.tested(), 0);
    history.applies(1, 1, 1).applies(2, 1, 1);
    assert_eq!(history.judge().unwrap().by_property.exactly_once.summary(), Overall::Holds);
}

#[test]
fn an_answer_that_comes_too_late_is_told_to_nobody() {
    let mut history = HistoryBuilder::new(2, 0);
    history.asks(1, 1, 1, Operation::Write(deposit(4))).applies(1, 1, 1).applies(2, 1, 1);
    let (customer, request) = (customer(1), RequestNumber::new(1));
    let late = Fact::ReplySent {
        branch: branch(1),
        customer,
        request,
        position: LogPosition::new(1),
        outcome: Ok(Receipt::Written),
    };
    let mut arrives = history.clone();
    history.gives_up(1).reads(1, 2, 2).add(late.clone());
    assert_eq!(history.judge().unwrap().by_property.read_your_writes.summary(), Overall::Undecided);
    history.add(late.clone());
    assert_eq!(impossible(&history), InvalidHistory::AnsweredTwice { customer, request });
    // The same where it was on its way when the customer gave up.
    arrives.add(late).gives_up(1).reads(1, 2, 2);
    assert_eq!(arrives.judge().unwrap().by_property.read_your_writes.summary(), Overall::Undecided);
    arrives.gives_up(1);
    let request = RequestNumber::new(2);
    assert_eq!(impossible(&arrives), InvalidHistory::NotAwaited { customer, request });
}

#[test]
fn nothing_happens_at_a_branch_that_has_stopped() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(1, 1, 1, deposit(4));
    stops(&mut history, 2);
    history.applies(2, 1, 1);
    assert_eq!(impossible(&history), InvalidHistory::Stopped { branch: branch(2) });
    let mut running = HistoryBuilder::new(2, 0);
    starts(&mut running, 2, 0, 0);
    assert_eq!(impossible(&running), InvalidHistory::NotStopped { branch: branch(2) });
}

#[test]
fn a_branch_that_kept_all_goes_on_with_its_log() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(1, 1, 1, deposit(4)).applies(2, 1, 1);
    stops(&mut history, 1);
    let down = history.judge().unwrap();
    assert_eq!(*of(&down, Property::Convergence), Verdict::Undecided(Undecided::BranchDown));
    starts(&mut history, 1, 1, 4);
    history.writes(1, 1, 2, deposit(5)).applies(2, 1, 2).reads(1, 1, 3);
    let up = history.judge().unwrap();
    assert!(up.iter().all(|(_, verdict)| verdict.summary() != Overall::Violated), "{up:?}");
    assert_eq!(of(&up, Property::Convergence).tested(), 3);
}

#[test]
fn a_balance_at_a_start_is_the_sum_of_what_was_kept() {
    let mut history = HistoryBuilder::new(1, 0);
    history.writes(1, 1, 1, deposit(4));
    stops(&mut history, 1);
    starts(&mut history, 1, 1, 5);
    assert_eq!(history.judge().unwrap().by_property.balances.summary(), Overall::Violated);
}

#[test]
fn a_branch_starts_with_what_it_held_at_most() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(1, 1, 1, deposit(4));
    stops(&mut history, 1);
    starts(&mut history, 1, 2, 4);
    let (branch, kept, held) = (branch(1), LogPosition::new(2), LogPosition::new(1));
    assert_eq!(impossible(&history), InvalidHistory::KeptTooMuch { branch, kept, held });
}

#[test]
fn a_partition_begins_and_heals() {
    let mut history = HistoryBuilder::new(2, 0);
    let sides = vec![vec![branch(1)], vec![branch(2)]];
    history.add(Fact::PartitionBegan { partition: 1, sides, one_way: false });
    history.add(Fact::SlownessBegan { branch: branch(1), delay_us: 50_000 });
    history.add(Fact::SlownessEnded { branch: branch(1) });
    history.add(Fact::PartitionHealed { partition: 1 });
    assert_eq!(history.judge().unwrap().summary(), Overall::Undecided, "nothing was asked");
    history.add(Fact::PartitionHealed { partition: 1 });
    assert_eq!(impossible(&history), InvalidHistory::PartitionTwice { partition: 1 });
}

#[test]
fn of_a_history_without_its_end_only_what_speaks_of_the_past_is_decided() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(1, 1, 1, deposit(4));
    let whole = history.judge().unwrap();
    assert_eq!(whole.by_property.exactly_once.summary(), Overall::Violated, "missing at branch 2");
    let cut = cut_off(&history);
    for property in [Property::Convergence, Property::ExactlyOnce] {
        assert_eq!(*of(&cut, property), Verdict::Undecided(Undecided::CutOff));
    }
    history.applies(2, 1, 1).reads(1, 2, 2);
    assert_eq!(history.judge().unwrap().summary(), Overall::Holds);
    assert_eq!(cut_off(&history).summary(), Overall::Undecided, "the rest may be worse");
    history.asks(1, 1, 3, Operation::Write(deposit(5))).answers(1, refused()).hears(1);
    history.applies(1, 1, 3);
    assert_eq!(cut_off(&history).summary(), Overall::Violated, "that will not get better");
}
