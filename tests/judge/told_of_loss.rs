//! What is lost, who is told of it, and whether the bank settled, by hand: verdicts and sentences are
//! worked out on paper.

use passbook::check::{Overall, Promised, Property, Split, Undecided, Verdict, WitnessKind};
use passbook::history::Fact;
use passbook::model::{Life, LogPosition, Operation, Outcome, Overdraft, Propagation, Receipt};

use crate::asked_of_judge::{bank, counts, lost, numbered, terms, verdict, witness};
use crate::history_builder::{
    HistoryBuilder, branch, deposit, lost as told_lost, refused, withdrawal, write_id,
};

#[test]
fn a_session_that_is_told_of_a_loss_goes_on_without_it() {
    let told = |history: &mut HistoryBuilder| {
        history.writes(1, 1, 1, deposit(1)).applies(2, 1, 1).writes(1, 1, 2, deposit(2));
        history.reads(1, 1, 3).stops(1).starts(1, 0).asks(1, 1, 4, Operation::Query);
    };
    let mut history = HistoryBuilder::new(2, 0);
    told(&mut history);
    history.hears_of_loss(1).applies(1, 1, 1).reads(1, 1, 5).writes(1, 1, 6, deposit(6));
    history.applies(2, 1, 6);
    for (property, tests) in [
        (Property::ReadYourWrites, 2),
        (Property::MonotonicReads, 1),
        // The second deposit in the log that ended; the third at both branches, after the first.
        (Property::MonotonicWrites, 3),
        (Property::WritesFollowReads, 2),
    ] {
        assert_eq!(counts(&history, property), (tests, 0), "{property}");
    }
    // The second deposit is gone, and the answer that said so was true.
    assert_eq!((counts(&history, Property::ExactlyOnce), lost(&history)), ((4, 1), 1));

    let mut silent = HistoryBuilder::new(2, 0);
    told(&mut silent);
    silent.answers(1, refused()).hears(1).applies(1, 1, 1).reads(1, 1, 5);
    silent.writes(1, 1, 6, deposit(6)).applies(2, 1, 6);
    for property in [
        Property::ReadYourWrites,
        Property::MonotonicReads,
        Property::MonotonicWrites,
        Property::WritesFollowReads,
    ] {
        assert!(counts(&silent, property).1 > 0, "{property}");
    }
}

#[test]
fn a_write_that_is_asked_for_again_after_a_loss_was_told_need_not_follow_what_is_lost() {
    let again = |history: &mut HistoryBuilder, told: Outcome| {
        history.writes(1, 1, 1, deposit(1)).asks(1, 1, 2, Operation::Write(deposit(2)));
        history.gives_up(1).stops(1).starts(1, 0);
        history.asks(1, 2, 2, Operation::Write(deposit(2))).answers(1, told).hears(1);
        history.writes(1, 2, 2, deposit(2)).applies(1, 1, 2);
    };
    let mut history = HistoryBuilder::new(2, 0);
    again(&mut history, told_lost());
    assert_eq!(counts(&history, Property::MonotonicWrites), (0, 0));
    let mut silent = HistoryBuilder::new(2, 0);
    again(&mut silent, refused());
    assert_eq!(counts(&silent, Property::MonotonicWrites), (2, 2));
}

#[test]
fn a_write_that_is_asked_for_again_need_not_follow_what_came_after_its_first_request() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(2, 2, 1, deposit(4)).reads(1, 2, 1);
    history.asks(1, 2, 2, Operation::Write(deposit(2))).applies(2, 1, 2).gives_up(1);
    history.writes(2, 2, 3, deposit(3)).reads(1, 2, 3);
    history.writes(2, 1, 4, deposit(1)).reads(1, 1, 4).stops(1).starts(1, 0);
    history.asks(1, 1, 5, Operation::Query).hears_of_loss(1);
    history.asks(1, 2, 2, Operation::Write(deposit(2))).answers(1, Ok(Receipt::Written)).hears(1);
    // At branch 2, where it stands between the two deposits that its customer read there.
    assert_eq!(counts(&history, Property::WritesFollowReads), (1, 0));
}

#[test]
fn a_session_that_is_told_of_a_loss_is_still_owed_what_survived() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(1, 2, 1, deposit(1)).writes(1, 1, 2, deposit(2)).stops(1).starts(1, 0);
    history.asks(1, 1, 3, Operation::Query).hears_of_loss(1).reads(1, 1, 4).applies(1, 1, 1);
    let witness = witness(&history, Property::ReadYourWrites);
    assert_eq!(witness.write, Some(write_id(1, 1)), "branch 2 holds the first deposit");
    assert_eq!(counts(&history, Property::ReadYourWrites), (1, 1));
}

#[test]
fn an_answer_that_tells_of_a_loss_and_does_not_arrive_tells_nobody() {
    let mut history = HistoryBuilder::new(1, 0);
    history.writes(1, 1, 1, deposit(1)).stops(1).starts(1, 0).asks(1, 1, 2, Operation::Query);
    history.answers(1, crate::history_builder::lost()).gives_up(1).reads(1, 1, 3);
    assert_eq!(counts(&history, Property::ReadYourWrites), (1, 1));
    assert_eq!(counts(&history, Property::ExactlyOnce), (1, 1), "the lost deposit alone");
}

#[test]
fn a_session_is_told_wrongly_where_a_branch_holds_all_that_it_is_owed() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(1, 1, 1, deposit(1)).applies(2, 1, 1).reads(2, 1, 1);
    history.asks(2, 2, 2, Operation::Query).hears_of_loss(2);
    let verdict = verdict(&history, Property::ExactlyOnce);
    assert_eq!((verdict.tested(), verdict.promised()), (2, Some(Promised::Yes)));
    let witness = verdict.witness().unwrap();
    assert_eq!((witness.kind, witness.branch), (WitnessKind::ToldWrongly, branch(2)));
    assert_eq!(
        witness.sentence,
        "branch 2 told customer 2 (event 2) that writes are lost, but branch 1 holds all that the \
         customer had written or read: what is called lost was owed to be lost"
    );
}

#[test]
fn a_session_can_be_told_twice() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(1, 1, 1, deposit(1)).stops(1).starts(1, 0).asks(1, 1, 2, Operation::Query);
    history.hears_of_loss(1).writes(1, 1, 3, deposit(3)).stops(1).starts(1, 0);
    history.asks(1, 1, 4, Operation::Query).hears_of_loss(1).reads(1, 1, 5);
    // Two deposits are lost; both answers that say so are true.
    assert_eq!((counts(&history, Property::ExactlyOnce), lost(&history)), ((4, 2), 2));
    assert_eq!(counts(&history, Property::ReadYourWrites), (0, 0));
}

#[test]
fn what_is_lost_under_one_number_and_held_under_another_may_be_called_lost() {
    let mut history = HistoryBuilder::new(2, 0);
    history.asks(1, 1, 1, Operation::Write(deposit(4))).applies(1, 1, 1).reads(2, 1, 1);
    history.gives_up(1).stops(1).starts(1, 0);
    history.asks(1, 2, 1, Operation::Write(deposit(4))).applies(2, 1, 1);
    numbered(&mut history, Some(7), 1);
    history.answers(1, Ok(Receipt::Written)).hears(1).applies(1, 1, 1);
    numbered(&mut history, Some(7), 1);
    history.asks(2, 1, 2, Operation::Query).hears_of_loss(2);
    assert_eq!(verdict(&history, Property::ExactlyOnce).promised(), Some(Promised::No));
    // What customer 2 had read was the first of the two.
    history.stops(1).starts(1, 0).reads(2, 1, 3).applies(1, 1, 1);
    numbered(&mut history, Some(7), 1);
    assert_eq!(counts(&history, Property::MonotonicReads), (0, 0));
}

#[test]
fn what_was_acknowledged_and_ended_with_a_memory_is_lost_and_was_not_promised() {
    let mut history = bank(2, Propagation::Async);
    history.writes(1, 1, 1, deposit(4)).stops(1).starts(1, 0);
    let verdict = verdict(&history, Property::ExactlyOnce);
    assert_eq!(verdict.violations(), Split { not_promised: 1, ..Split::default() });
    let witness = verdict.witness().unwrap();
    assert_eq!((witness.kind, witness.branch), (WitnessKind::Lost, branch(1)));
    assert_eq!(
        witness.sentence,
        "customer 1 was told that its own deposit of 4 (event 1) was done, but no branch holds it \
         any more, for branch 1 lost its memory at 0.004 ms: an acknowledged write is owed \
         everywhere"
    );
    assert_eq!((lost(&history), counts(&history, Property::Convergence)), (1, (0, 0)));
}

#[test]
fn where_no_memory_ended_nothing_is_lost() {
    for propagation in [Propagation::Async, Propagation::Sync] {
        let mut history = bank(2, propagation);
        history.asks(1, 1, 1, Operation::Write(deposit(4)));
        history.answers(1, Ok(Receipt::Written)).hears(1);
        let verdict = verdict(&history, Property::ExactlyOnce);
        assert_eq!((verdict.promised(), lost(&history)), (Some(Promised::Yes), 1));
        assert_eq!(
            verdict.witness().unwrap().sentence,
            "customer 1 was told that its own deposit of 4 (event 1) was done, but no branch ever \
             applied it: an acknowledged write is owed everywhere"
        );
    }
}

#[test]
fn with_sync_propagation_a_write_is_lost_only_where_every_memory_ended() {
    let mut history = bank(2, Propagation::Sync);
    history.asks(1, 1, 1, Operation::Write(deposit(4))).applies(1, 1, 1);
    let mut early = history.clone();
    early.answers(1, Ok(Receipt::Written)).hears(1).stops(1).starts(1, 0).stops(2).starts(2, 0);
    assert_eq!(verdict(&early, Property::ExactlyOnce).promised(), Some(Promised::Yes));
    history.applies(2, 1, 1).answers(1, Ok(Receipt::Written)).hears(1);
    history.stops(1).stops(2).starts(1, 0).starts(2, 0);
    assert_eq!(verdict(&history, Property::ExactlyOnce).promised(), Some(Promised::No));
    assert_eq!(
        witness(&history, Property::ExactlyOnce).sentence,
        "customer 1 was told that its own deposit of 4 (event 1) was done, but no branch holds it \
         any more, for branch 1 lost its memory at 0.005 ms, branch 2 at 0.006 ms: an acknowledged \
         write is owed everywhere"
    );
    history.terms = None;
    assert_eq!(verdict(&history, Property::ExactlyOnce).promised(), Some(Promised::No));
}

#[test]
fn what_was_refused_is_applied_in_no_log_from_then_on() {
    let mut history = HistoryBuilder::new(1, 0);
    history.asks(1, 1, 1, Operation::Write(deposit(4))).answers(1, refused()).hears(1);
    history.applies(1, 1, 1).stops(1).starts(1, 0);
    let witness = witness(&history, Property::ExactlyOnce);
    assert_eq!(witness.kind, WitnessKind::RefusedButApplied);
    assert_eq!(witness.later.unwrap().position, Some(LogPosition::new(1)), "in the log that ended");
}

#[test]
fn two_contents_under_one_id_are_found_though_one_of_them_is_lost() {
    let mut history = HistoryBuilder::new(2, 0);
    for (units, at) in [(4, 1), (5, 2)] {
        history.asks(1, at, 1, Operation::Write(deposit(units)));
        history.applies_as(at, write_id(1, 1), deposit(units)).gives_up(1);
    }
    history.stops(1).starts(1, 0).applies_as(1, write_id(1, 1), deposit(5));
    let verdict = verdict(&history, Property::ExactlyOnce);
    assert_eq!(verdict.witness().unwrap().kind, WitnessKind::IdNotUnique);
    assert_eq!(verdict.promised(), Some(Promised::No));
}

#[test]
fn without_its_end_nothing_is_missing_or_lost_and_what_is_broken_is_broken() {
    let mut history = HistoryBuilder::new(1, 0);
    history.writes(1, 1, 1, deposit(4)).stops(1).starts(1, 0).reads(1, 1, 2);
    history.asks(1, 1, 3, Operation::Query).hears_of_loss(1);
    let cut = history.judge_cut_off().unwrap();
    assert_eq!(cut.by_property.exactly_once, Verdict::Undecided(Undecided::CutOff));
    assert_eq!(cut.lost, 0);
    assert_eq!(cut.by_property.read_your_writes.summary(), Overall::Violated);
    assert_eq!(lost(&history), 1);
}

#[test]
fn without_its_end_a_write_that_nobody_answered_may_be_gone_yet() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(1, 1, 1, deposit(1)).asks(1, 2, 2, Operation::Write(deposit(2)));
    history.applies(2, 1, 2).gives_up(1);
    let cut = history.judge_cut_off().unwrap();
    assert_eq!(cut.by_property.monotonic_writes, Verdict::Undecided(Undecided::NothingToTest));
    assert_eq!(counts(&history, Property::MonotonicWrites), (1, 1));
}

#[test]
fn a_withdrawal_that_a_branch_learns_again_is_not_accepted_again() {
    let mut history =
        HistoryBuilder::new(2, 5).promising(terms(Propagation::Async, Overdraft::Reject));
    history.writes(1, 1, 1, withdrawal(5)).applies(2, 1, 1).writes(2, 2, 1, deposit(1));
    history.writes(2, 2, 2, withdrawal(1)).stops(1).starts(1, 0);
    history.applies(1, 2, 2).applies(1, 1, 1).applies(1, 2, 1);
    let verdict = verdict(&history, Property::NoOverdraft);
    assert_eq!(verdict.promised(), Some(Promised::No));
    assert_eq!(
        verdict.witness().unwrap().sentence,
        "branch 1 applied customer 1's withdrawal of 5 (event 1), which branch 1 had accepted, and \
         its balance went to -1: branch 1 did not yet hold customer 2's withdrawal of 1 (event 2), \
         which branch 2 had accepted: each branch decides alone"
    );
}

#[test]
fn whether_a_bank_settled_is_judged_where_the_history_says_so() {
    let mut history = HistoryBuilder::new(2, 0);
    history.writes(1, 1, 1, deposit(4));
    assert!(history.judge().unwrap().of(Property::Settles).is_none());
    let unsettled = |origin: u32, life: u64, writes: u64| Fact::Unsettled {
        branch: branch(2),
        origin: branch(origin),
        life: Life::new(life),
        writes,
    };
    let mut waits = history.clone();
    waits.add(unsettled(1, 1, 3)).add(unsettled(1, 2, 1));
    let verdict = verdict(&waits, Property::Settles);
    assert_eq!((verdict.tested(), verdict.promised()), (2, Some(Promised::Yes)));
    let witness = verdict.witness().unwrap();
    assert_eq!((witness.kind, witness.branch), (WitnessKind::NotSettled, branch(2)));
    assert_eq!(
        witness.sentence,
        "branch 2 still waited for 3 writes that branch 1 had accepted, though all faults were \
         over: every accepted write was owed everywhere"
    );
    waits.facts.remove(waits.facts.len() - 2);
    assert_eq!(
        crate::asked_of_judge::witness(&waits, Property::Settles).sentence,
        "branch 2 still waited for 1 write that branch 1 had accepted in its life 2, though all \
         faults were over: every accepted write was owed everywhere"
    );
    history.applies(2, 1, 1).add(Fact::Settled {});
    assert_eq!(counts(&history, Property::Settles), (1, 0));
}

#[test]
fn that_a_bank_settled_is_not_taken_on_trust() {
    let mut differs = HistoryBuilder::new(2, 0);
    differs.writes(1, 1, 1, deposit(4)).add(Fact::Settled {});
    assert_eq!(
        witness(&differs, Property::Settles).sentence,
        "the bank is said to have settled, but branch 1 held 1 write, and branch 2 held 0 writes"
    );
    assert_eq!(counts(&differs, Property::Convergence), (1, 1));
    let mut down = HistoryBuilder::new(2, 0);
    down.stops(2).add(Fact::Settled {});
    assert_eq!(
        witness(&down, Property::Settles).sentence,
        "the bank is said to have settled, but branch 2 was down"
    );
    // As many writes, and others: for convergence to say.
    let mut others = HistoryBuilder::new(2, 0);
    others.writes(1, 1, 1, deposit(4)).writes(2, 2, 1, deposit(4)).add(Fact::Settled {});
    assert_eq!(counts(&others, Property::Settles), (1, 0));
    assert_eq!(verdict(&others, Property::Convergence).summary(), Overall::Violated);
}
