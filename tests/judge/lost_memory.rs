//! Branches that lose their memory, by hand: each rule once as it is kept and once as foul weather
//! breaks it. Each fact is a microsecond after the one before; verdicts and sentences are worked out
//! on paper.

use passbook::check::{InvalidHistory, Promised, Property, Undecided, Verdict, WitnessKind};
use passbook::history::{Fact, Recorded};
use passbook::model::{LogPosition, Money, Operation, Propagation, Receipt, Sequence};

use crate::asked_of_judge::{bank, counts, lost, numbered, verdict, witness};
use crate::history_builder::{HistoryBuilder, branch, deposit, refused, unknown, withdrawal};

#[test]
fn a_branch_that_kept_a_part_goes_on_after_it_with_a_log_of_its_own() {
    let mut history = HistoryBuilder::new(1, 0);
    for event in 1..=3 {
        history.writes(1, 1, event, deposit(event.into()));
    }
    history.stops(1).starts(1, 2).writes(1, 1, 4, deposit(4)).reads(1, 1, 5);
    // 1 + 2 + 4, at position 3: the balance of the third deposit is in the log that ended.
    assert_eq!(counts(&history, Property::Balances), (6, 0));
    let Fact::WriteApplied { position, balance, .. } = history.facts[15].fact else {
        panic!("the fourth apply")
    };
    assert_eq!((position, balance), (LogPosition::new(3), Money::from_minor(700)));
}

#[test]
fn what_was_not_kept_is_no_part_of_the_balance_at_a_start() {
    let mut history = HistoryBuilder::new(1, 0);
    history.writes(1, 1, 1, deposit(4)).writes(1, 1, 2, deposit(5)).stops(1).starts(1, 1);
    let Some(Recorded { fact: Fact::BranchStarted { balance, .. }, .. }) = history.facts.last_mut()
    else {
        panic!("a start")
    };
    *balance = Money::from_minor(900);
    assert_eq!(
        witness(&history, Property::Balances).sentence,
        "branch 1 gave its balance as 9 when it started, but the opening balance and its log come \
         to 4"
    );
}

#[test]
fn positions_go_on_after_what_was_kept() {
    let mut history = HistoryBuilder::new(1, 0);
    history.writes(1, 1, 1, deposit(4)).writes(1, 1, 2, deposit(5)).stops(1).starts(1, 1);
    history.asks(1, 1, 3, Operation::Write(deposit(6))).applies(1, 1, 3);
    let Some(Recorded { fact: Fact::WriteApplied { position, .. }, .. }) = history.facts.last_mut()
    else {
        panic!("an apply")
    };
    *position = LogPosition::new(3);
    let (said, expected) = (LogPosition::new(3), LogPosition::new(2));
    let branch = branch(1);
    assert_eq!(
        history.judge().unwrap_err().problem,
        InvalidHistory::ApplyOutOfPlace { branch, said, expected }
    );
}

#[test]
fn a_write_that_comes_again_after_a_loss_is_applied_once_in_each_log() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(1, 1, 1, deposit(4)).applies(2, 1, 1).stops(1).starts(1, 0).applies(1, 1, 1);
    assert_eq!(counts(&history, Property::ExactlyOnce), (1, 0));
    assert_eq!(lost(&history), 0);
    history.applies(1, 1, 1);
    let witness = witness(&history, Property::ExactlyOnce);
    assert_eq!((witness.kind, witness.branch), (WitnessKind::AppliedTwice, branch(1)));
}

#[test]
fn a_write_that_was_kept_and_comes_again_is_applied_twice() {
    let mut history = HistoryBuilder::new(1, 0);
    history.writes(1, 1, 1, deposit(4)).writes(1, 1, 2, deposit(5)).stops(1).starts(1, 1);
    history.applies(1, 1, 1);
    let verdict = verdict(&history, Property::ExactlyOnce);
    assert_eq!(verdict.witness().unwrap().kind, WitnessKind::AppliedTwice);
    // The second deposit is lost besides.
    assert_eq!((verdict.violations().total(), lost(&history)), (2, 1));
}

#[test]
fn numbers_begin_anew_in_each_life_and_rise_from_what_was_kept() {
    let mut history = HistoryBuilder::new(2, 0);
    for event in 1..=4 {
        history.asks(1, 1, event, Operation::Write(deposit(1))).answers(1, refused()).hears(1);
    }
    for number in 1..=3 {
        history.applies(1, 1, number);
        numbered(&mut history, None, number);
    }
    history.stops(1).starts(1, 2);
    let mut again = history.clone();
    again.applies(1, 1, 3);
    numbered(&mut again, None, 3);
    assert!(again.judge().is_ok(), "what was lost comes again");
    again.applies(1, 1, 4);
    numbered(&mut again, Some(2), 1);
    assert!(again.judge().is_ok(), "the next life counts from 1");
    history.applies(1, 1, 4);
    numbered(&mut history, None, 1);
    let (origin, sequence) = (branch(1), Sequence::new(1));
    assert_eq!(
        history.judge().unwrap_err().problem,
        InvalidHistory::NumberNamesTwo { origin, sequence }
    );
    let mut gap = HistoryBuilder::new(2, 0);
    for event in 1..=3 {
        gap.asks(1, 1, event, Operation::Write(deposit(1))).answers(1, refused()).hears(1);
    }
    for (event, number) in [(1, 1), (2, 3), (3, 5)] {
        gap.applies(1, 1, event);
        numbered(&mut gap, None, number);
    }
    gap.stops(1).starts(1, 2).asks(1, 1, 4, Operation::Write(deposit(1))).applies(1, 1, 4);
    numbered(&mut gap, None, 2);
    let (branch, said, last) = (branch(1), Sequence::new(2), Sequence::new(3));
    assert_eq!(
        gap.judge().unwrap_err().problem,
        InvalidHistory::NumberFalls { branch, origin, said, last }
    );
}

#[test]
fn the_same_write_accepted_at_two_branches_is_one_under_two_numbers() {
    let mut history = HistoryBuilder::new(3, 0);
    history.asks(1, 1, 1, Operation::Write(deposit(4))).applies(1, 1, 1).gives_up(1);
    history.stops(1).asks(1, 2, 1, Operation::Write(deposit(4))).applies(2, 1, 1);
    numbered(&mut history, Some(7), 1);
    history.answers(1, Ok(Receipt::Written)).hears(1).applies(3, 1, 1).starts(1, 1);
    let verdicts = history.judge().unwrap();
    assert!(verdicts.iter().all(|(_, verdict)| verdict.violations().total() == 0), "{verdicts:?}");
    assert_eq!(verdicts.by_property.exactly_once.tested(), 1);
}

#[test]
fn the_order_of_writes_is_judged_in_a_log_that_ended() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(1, 1, 1, deposit(1)).writes(1, 1, 2, deposit(2));
    history.applies(2, 1, 2).applies(2, 1, 1).stops(2).starts(2, 0);
    history.applies(2, 1, 1).applies(2, 1, 2);
    // Branch 1, the log of branch 2 that ended, and its last one.
    assert_eq!(counts(&history, Property::MonotonicWrites), (3, 1));
    let witness = witness(&history, Property::MonotonicWrites);
    assert_eq!(
        witness.sentence,
        "customer 1 deposited 1 at branch 1 (event 1), then deposited 2 at branch 1 (event 2), but \
         branch 2 applied the second before the first: its writes were owed the order in which it \
         made them, at every branch"
    );
    let positions = [witness.earlier, witness.later].map(|step| step.unwrap().position.unwrap());
    assert_eq!(positions, [2, 1].map(LogPosition::new), "both in the log that ended");
    assert_eq!(counts(&history, Property::Convergence), (3, 0));
}

#[test]
fn what_was_kept_is_tested_once_and_not_in_every_log() {
    let mut history = HistoryBuilder::new(1, 0);
    history.writes(1, 1, 1, deposit(1)).writes(1, 1, 2, deposit(2)).writes(1, 1, 3, deposit(3));
    history.stops(1).starts(1, 2).stops(1).starts(1, 1);
    // The second and the third deposit follow others, each in a log that ended.
    assert_eq!(counts(&history, Property::MonotonicWrites), (2, 0));
}

#[test]
fn convergence_is_of_last_logs_and_undecided_where_a_branch_is_down() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(1, 1, 1, deposit(1)).applies(2, 1, 1).stops(2);
    assert_eq!(verdict(&history, Property::Convergence), Verdict::Undecided(Undecided::BranchDown));
    history.starts(2, 0);
    assert_eq!(
        witness(&history, Property::Convergence).sentence,
        "at the end branch 1 holds customer 1's deposit of 1 (event 1), and branch 2 does not: all \
         branches were owed the same writes"
    );
    assert_eq!(
        witness(&history, Property::ExactlyOnce).sentence,
        "customer 1 was told that its own deposit of 1 (event 1) was done, but branch 2 does not \
         hold it any more, for branch 2 lost its memory at 0.005 ms: an acknowledged write is owed \
         everywhere"
    );
    assert_eq!(lost(&history), 0, "branch 1 holds it");
}

#[test]
fn a_read_after_amnesia_breaks_read_your_writes() {
    let mut history = bank(1, Propagation::Async);
    history.writes(1, 1, 1, deposit(4)).reads(1, 1, 2).stops(1).starts(1, 0).reads(1, 1, 3);
    let verdict = verdict(&history, Property::ReadYourWrites);
    assert_eq!((verdict.tested(), verdict.promised()), (2, Some(Promised::Yes)));
    assert_eq!(
        verdict.witness().unwrap().sentence,
        "customer 1 deposited 4 at branch 1 (event 1), then read the balance 0 at branch 1 (event \
         3), whose log no longer held that deposit, for branch 1 lost its memory at 0.007 ms: it \
         was owed at least its own deposit"
    );
}

#[test]
fn a_read_elsewhere_says_whose_memory_ended() {
    let mut history = bank(2, Propagation::Async);
    history.writes(1, 1, 1, deposit(4)).stops(1).starts(1, 0).reads(1, 2, 2);
    assert_eq!(
        witness(&history, Property::ReadYourWrites).sentence,
        "customer 1 deposited 4 at branch 1 (event 1), then read the balance 0 at branch 2 (event \
         2), whose log never held that deposit, for branch 1 lost its memory at 0.004 ms: it was \
         owed at least its own deposit"
    );
}

#[test]
fn a_read_is_judged_by_the_log_in_which_it_was_answered() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(1, 1, 1, deposit(4)).applies(2, 1, 1).reads(1, 2, 2).stops(2).starts(2, 0);
    assert_eq!(counts(&history, Property::ReadYourWrites), (1, 0), "it was there then");
    history.applies(2, 1, 1).reads(1, 2, 3);
    assert_eq!(counts(&history, Property::ReadYourWrites), (2, 0), "and is there again");
}

#[test]
fn a_read_after_amnesia_breaks_monotonic_reads() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(2, 1, 1, deposit(4)).reads(1, 1, 1).stops(1).starts(1, 0).reads(1, 1, 2);
    assert_eq!(
        witness(&history, Property::MonotonicReads).sentence,
        "customer 1 read the balance 4 at branch 1 (event 1), with customer 2's deposit of 4 (event \
         1) in it, then read the balance 0 at branch 1 (event 2), whose log no longer held that \
         deposit, for branch 1 lost its memory at 0.007 ms: it was owed at least all that it had \
         already seen"
    );
    // As it would be if the branch had kept all.
    let mut kept = HistoryBuilder::new(2, 0);
    kept.writes(2, 1, 1, deposit(4)).reads(1, 1, 1).stops(1).starts(1, 1).reads(1, 1, 2);
    assert_eq!(counts(&kept, Property::MonotonicReads), (1, 0));
}

#[test]
fn a_read_whose_answer_did_not_arrive_binds_nothing() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(2, 1, 1, deposit(4)).asks(1, 1, 1, Operation::Query);
    history.answers(1, Ok(Receipt::Balance(Money::from_minor(400)))).gives_up(1);
    history.stops(1).starts(1, 0).reads(1, 1, 2);
    assert_eq!(counts(&history, Property::MonotonicReads), (0, 0));
}

#[test]
fn a_write_after_amnesia_breaks_monotonic_writes() {
    let mut history = HistoryBuilder::new(1, 0);
    history.writes(1, 1, 1, deposit(1)).stops(1).starts(1, 0).writes(1, 1, 2, deposit(2));
    assert_eq!(
        witness(&history, Property::MonotonicWrites).sentence,
        "customer 1 deposited 1 at branch 1 (event 1), then deposited 2 at branch 1 (event 2), but \
         branch 1 applied the second without the first, for branch 1 lost its memory at 0.004 ms: \
         its writes were owed the order in which it made them, at every branch"
    );
}

#[test]
fn a_write_after_amnesia_breaks_writes_follow_reads() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(1, 1, 1, deposit(4)).reads(2, 1, 1).stops(1).starts(1, 0);
    history.writes(2, 2, 2, withdrawal(4)).applies(1, 2, 2);
    assert_eq!(counts(&history, Property::WritesFollowReads), (2, 2));
    assert_eq!(
        witness(&history, Property::WritesFollowReads).sentence,
        "customer 2 read the balance 4 at branch 1 (event 1), with customer 1's deposit of 4 (event \
         1) in it, then withdrew 4 at branch 2 (event 2), but branch 1 applied this write without \
         the one that was seen, for branch 1 lost its memory at 0.007 ms: it was owed a place after \
         all that the customer had seen, at every branch"
    );
}

#[test]
fn a_write_that_nobody_answered_and_nobody_holds_has_not_happened() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(1, 1, 1, deposit(1)).asks(1, 2, 2, Operation::Write(deposit(2)));
    history.applies(2, 1, 2).stops(2).gives_up(1);
    let mut survives = history.clone();
    history.starts(2, 0);
    assert_eq!(counts(&history, Property::MonotonicWrites), (0, 0));
    assert_eq!(lost(&history), 0, "nobody was told that it was done");
    // Its branch holds it still, without the one before it.
    survives.starts(2, 1);
    assert_eq!(counts(&survives, Property::MonotonicWrites), (1, 1));
    // Answered, it has happened, whatever was lost.
    let mut answered = HistoryBuilder::new(2, 0);
    answered.writes(1, 1, 1, deposit(1)).asks(1, 2, 2, Operation::Write(deposit(2)));
    answered.applies(2, 1, 2).answers(1, unknown()).hears(1).stops(2).starts(2, 0);
    assert_eq!(counts(&answered, Property::MonotonicWrites), (1, 1));
}

#[test]
fn a_write_without_an_answer_binds_nothing_that_comes_after_it() {
    let mut history = HistoryBuilder::new(2, 0);
    history.asks(1, 1, 1, Operation::Write(deposit(1))).applies(1, 1, 1).gives_up(1);
    history.writes(1, 2, 2, deposit(2));
    assert_eq!(counts(&history, Property::MonotonicWrites), (0, 0));
    // Once a retry is answered it does.
    history.asks(1, 1, 1, Operation::Write(deposit(1))).answers(1, Ok(Receipt::Written)).hears(1);
    assert_eq!(counts(&history, Property::MonotonicWrites), (0, 0), "only for what comes then");
    history.writes(1, 2, 3, deposit(3));
    assert_eq!(counts(&history, Property::MonotonicWrites), (1, 1));
}
