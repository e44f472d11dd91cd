//! A branch here and one elsewhere, written by someone else.

use std::time::Duration;

use passbook::grpc::Limits;
use passbook::model::Propagation;
use passbook::run::{BankFailure, LinkOptions};
use tonic::Code;

use crate::facade::elsewhere::{Away, Manner, There, asleep};
use crate::facade::test_bank::{
    At, TestBank, assert_told, bank_of, branch, in_system, read_writes, relayed, reply, told, write,
};

/// Branch 1 here, and branch 2 there.
fn meet(manner: Manner) -> (TestBank, There) {
    let away = Away::new();
    let mut options = bank_of(2);
    options.branch.timeouts.confirm_limit = Some(Duration::from_secs(20));
    options.elsewhere.insert(away.branch(), away.endpoint());
    let there = away.arrive_as(manner);
    (TestBank::with(&options, Limits::default(), Some(branch(1))), there)
}

#[test]
fn writes_are_confirmed_by_a_branch_that_answers_as_the_contract_says() {
    in_system(async {
        let (test_bank, there) = meet(Manner::Right);
        let mut bank = test_bank.classic().await;
        assert_eq!(bank.send(write("deposit", 1, 10.0)).await, reply(200, "[1]", 110.0));
        assert_eq!(bank.send(write("withdraw", 2, 5.0)).await, reply(200, "[1, 2]", 105.0));
        assert_eq!(there.sets(), [vec![1, 2]]);
    });
}

#[test]
fn a_branch_that_leaves_write_sets_out_is_asked_for_them() {
    in_system(async {
        let (test_bank, there) = meet(Manner::Terse);
        let mut bank = test_bank.classic().await;
        assert_eq!(bank.send(write("deposit", 1, 10.0)).await, reply(200, "[1]", 110.0));
        assert_eq!(there.sets(), [vec![1]]);
    });
}

#[test]
fn a_write_that_may_have_come_before_is_not_sent_again() {
    in_system(async {
        let (test_bank, there) = meet(Manner::Clumsy);
        let mut bank = test_bank.classic().await;
        assert_eq!(bank.send(write("deposit", 1, 10.0)).await, reply(200, "[1]", 110.0));
        assert_eq!(bank.send(write("deposit", 2, 10.0)).await, reply(200, "[1, 2]", 120.0));
        assert_eq!(there.sets(), [vec![1, 2]]);
    });
}

#[test]
fn a_write_that_was_refused_there_is_sent_again() {
    in_system(async {
        let (test_bank, there) = meet(Manner::Reluctant);
        let mut bank = test_bank.classic().await;
        assert_eq!(bank.send(write("deposit", 1, 10.0)).await, reply(200, "[1]", 110.0));
        assert_eq!(there.sets(), [vec![1]]);
    });
}

#[test]
fn a_write_set_that_is_not_ours_confirms_nothing_however_often_it_is_asked() {
    in_system(async {
        let (test_bank, there) = meet(Manner::Forgetful);
        let mut typed = test_bank.typed().await;
        let mut classic = test_bank.classic().await;
        for _ in 0..2 {
            let answer = typed.deposit(At(1, 1, Some(1)), "10", None).await;
            let status = assert_told(answer, Code::DeadlineExceeded, "OUTCOME_UNKNOWN");
            assert_eq!(told(&status, "unconfirmed_by"), "2");
            assert_eq!(classic.send(write("deposit", 1, 10.0)).await.status, 400);
        }
        assert_eq!(typed.get(1).await.unwrap().balance, "110");
        // It said that it applied the write, so that it was not sent again.
        assert_eq!(there.sets(), [vec![1]]);
    });
}

#[test]
fn a_branch_elsewhere_brings_its_writes_and_asks_for_write_sets() {
    in_system(async {
        let (test_bank, there) = meet(Manner::Right);
        let mut bank = test_bank.classic().await;
        assert_eq!(bank.send(relayed(2, 1, 10.0)).await, reply(200, "[1]", 110.0));
        // Sent again it is applied once, and other content under its name is refused.
        assert_eq!(bank.send(relayed(2, 1, 10.0)).await, reply(200, "[1]", 110.0));
        assert_eq!(bank.send(relayed(2, 1, 11.0)).await.status, 400);
        assert_eq!(bank.send(relayed(2, 2, 1.0)).await, reply(200, "[1, 2]", 111.0));
        assert_eq!(bank.send(read_writes()).await, reply(200, "[1, 2]", 111.0));
        // What it accepted is not sent back to it.
        assert_eq!(there.sets(), Vec::<Vec<i32>>::new());
        assert_eq!(bank.send(relayed(3, 3, 1.0)).await.status, 400);
        assert_eq!(bank.send(relayed(1, 3, 1.0)).await.status, 400);
    });
}

/// The client's fault: both branches have accepted one, so both are held.
#[test]
fn one_id_for_two_writes_at_two_branches_counts_twice_at_both() {
    in_system(async {
        let (test_bank, there) = meet(Manner::Right);
        let mut bank = test_bank.classic().await;
        assert_eq!(bank.send(write("deposit", 1, 8.0)).await, reply(200, "[1]", 108.0));
        assert_eq!(bank.send(relayed(2, 1, 9.0)).await, reply(200, "[1, 1]", 117.0));
        assert_eq!(bank.send(relayed(2, 1, 9.0)).await, reply(200, "[1, 1]", 117.0));
        assert_eq!(bank.send(write("deposit", 1, 8.0)).await, reply(200, "[1, 1]", 117.0));
        assert_eq!(bank.send(write("deposit", 1, 7.0)).await.status, 400);
        assert_eq!(bank.send(read_writes()).await, reply(200, "[1, 1]", 117.0));
        assert_eq!(there.sets(), [vec![1]]);
    });
}

#[test]
fn a_write_that_cannot_be_confirmed_stays_applied_and_comes_later() {
    in_system(async {
        let mut options = bank_of(2);
        let there = asleep(&mut options);
        let test_bank = TestBank::with(&options, Limits::default(), Some(branch(1)));
        let (mut typed, mut classic) = (test_bank.typed().await, test_bank.classic().await);
        let answer = typed.deposit(At(1, 1, Some(1)), "10", None).await;
        let status = assert_told(answer, Code::DeadlineExceeded, "OUTCOME_UNKNOWN");
        assert_eq!(told(&status, "unconfirmed_by"), "2");
        let passbook = status.metadata().get_bin("passbook-bin").unwrap().to_bytes().unwrap();
        assert_eq!(classic.send(write("deposit", 2, 5.0)).await.status, 400);
        assert_eq!(classic.send(read_writes()).await, reply(200, "[1, 2]", 115.0));
        // The passbook in the trailers covers the write.
        let queried = typed.query(At(1, 1, None), Some(&passbook)).await.unwrap();
        assert_eq!(queried.balance, "115");
        there.wake();
        while classic.send(write("deposit", 2, 5.0)).await != reply(200, "[1, 2]", 115.0) {}
        assert_eq!(there.sets(), [vec![1, 2]]);
    });
}

#[test]
fn a_client_that_goes_away_does_not_take_its_write_with_it() {
    in_system(async {
        let mut options = bank_of(2);
        options.branch.timeouts.confirm_limit = Some(Duration::from_secs(60));
        let there = asleep(&mut options);
        let test_bank = TestBank::with(&options, Limits::default(), Some(branch(1)));
        let mut classic = test_bank.classic().await;
        let gone = tokio::spawn(async move { classic.send(write("deposit", 1, 10.0)).await });
        let mut typed = test_bank.typed().await;
        typed.holds(1, 1).await;
        gone.abort();
        assert!(gone.await.unwrap_err().is_cancelled());
        there.wake();
        let again = test_bank.classic().await.send(write("deposit", 1, 10.0)).await;
        assert_eq!(again, reply(200, "[1]", 110.0));
        assert_eq!(there.sets(), [vec![1]]);
    });
}

#[test]
fn no_more_writes_are_taken_than_can_be_kept_and_none_is_lost() {
    in_system(async {
        let mut options = bank_of(2);
        options.branch.timeouts.confirm_limit = Some(Duration::ZERO);
        options.links = LinkOptions { kept_max: 4, ..options.links };
        let there = asleep(&mut options);
        let test_bank = TestBank::with(&options, Limits::default(), Some(branch(1)));
        let (mut typed, mut classic) = (test_bank.typed().await, test_bank.classic().await);
        let mut refused = 0;
        for event in 1..=6 {
            let answer = typed.deposit(At(1, 1, Some(event)), "1", None).await;
            let code = answer.as_ref().unwrap_err().code();
            if code == Code::ResourceExhausted {
                let status = assert_told(answer, Code::ResourceExhausted, "CONGESTED");
                assert_eq!(told(&status, "congested"), "2");
                refused += 1;
            } else {
                assert_told(answer, Code::DeadlineExceeded, "OUTCOME_UNKNOWN");
            }
        }
        assert_eq!((refused, test_bank.bank.gateway().turned_away()), (2, 2));
        assert_eq!(classic.send(read_writes()).await, reply(200, "[1, 2, 3, 4]", 104.0));
        there.wake();
        // The bank takes writes again when those that were kept have gone.
        while typed.deposit(At(1, 1, Some(7)), "1", None).await.is_err() {}
        assert_eq!(there.sets(), [vec![1, 2, 3, 4, 7]]);
    });
}

/// The classic contract cannot carry what a write depends on.
#[test]
fn async_propagation_with_a_branch_that_speaks_only_the_classic_contract_is_found_out() {
    in_system(async {
        let away = Away::new();
        let mut options = bank_of(2);
        options.branch.propagation = Propagation::Async;
        options.elsewhere.insert(away.branch(), away.endpoint());
        let _there = away.arrive();
        let test_bank = TestBank::open(&options);
        assert_eq!(test_bank.bank.failure().await, BankFailure::ClassicPeer(branch(2)));
    });
}
