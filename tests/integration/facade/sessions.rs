//! A bank that remembers few customers: what it has forgotten it asks its branches, so that no
//! event id is given twice.

use passbook::grpc::proto::banking::BranchRequest;
use passbook::run::LiveOptions;
use tokio::task::JoinSet;
use tonic::Code;

use crate::facade::elsewhere::asleep;
use crate::facade::test_bank::{At, Classic, TestBank, Typed, assert_told, bank_of};

/// Remembers one customer.
fn forgetful(branches: u32) -> LiveOptions {
    LiveOptions { sessions_max: 1, ..bank_of(branches) }
}

/// Lets the bank serve others in between, at branch 1.
async fn others_come(bank: &mut Typed) {
    for customer in 100..110 {
        bank.deposit(At(1, customer, None), "1", None).await.expect("it is served");
    }
}

/// The oldest form of the classic contract: the bank keeps the passbook and gives the event ids.
async fn deposit_in_the_oldest_form(classic: &mut Classic, branch: &str) -> String {
    let request = BranchRequest {
        r#type: "customer".to_owned(),
        interface: "deposit".to_owned(),
        money: 1.0,
        id: 1,
        ..BranchRequest::default()
    };
    let reply = classic.send_to(branch, request).await.expect("a reply");
    assert_eq!(reply.status, 200);
    reply.write_sets
}

#[test]
fn an_event_id_that_was_given_is_never_given_again() {
    in_shop(&forgetful(2), async |test_bank| {
        let (mut bank, mut classic) = (test_bank.typed().await, test_bank.classic().await);
        assert_eq!(deposit_in_the_oldest_form(&mut classic, "1").await, "[1]");
        assert_eq!(deposit_in_the_oldest_form(&mut classic, "1").await, "[1, 2]");
        others_come(&mut bank).await;
        assert_eq!(deposit_in_the_oldest_form(&mut classic, "2").await, "[1, 2, 3]");
        others_come(&mut bank).await;
        let answer = bank.deposit(At(1, 1, None), "1", None).await.unwrap();
        assert_eq!((answer.event_id, answer.balance.as_str()), (4, "124"));
    });
}

#[test]
fn an_id_that_a_customer_brought_itself_counts_as_well() {
    in_shop(&forgetful(2), async |test_bank| {
        let mut bank = test_bank.typed().await;
        bank.deposit(At(2, 1, Some(7)), "1", None).await.unwrap();
        let answer = bank.deposit(At(1, 1, None), "1", None).await.unwrap();
        assert_eq!(answer.event_id, 8);
    });
}

#[test]
fn the_id_of_a_refused_write_is_taken() {
    in_shop(&forgetful(1), async |test_bank| {
        let mut bank = test_bank.typed().await;
        let refused = bank.withdraw(At(1, 1, None), "500").await;
        assert_told(refused, Code::FailedPrecondition, "INSUFFICIENT_FUNDS");
        others_come(&mut bank).await;
        let answer = bank.withdraw(At(1, 1, None), "100").await.unwrap();
        assert_eq!(answer.event_id, 2);
    });
}

#[test]
fn requests_at_the_same_time_of_one_that_was_forgotten_get_ids_of_their_own() {
    in_shop(&forgetful(2), async |test_bank| {
        let mut bank = test_bank.typed().await;
        bank.deposit(At(1, 1, None), "1", None).await.unwrap();
        others_come(&mut bank).await;
        let mut calls = JoinSet::new();
        for _ in 0..6 {
            let mut bank = bank.clone();
            calls.spawn(async move { bank.deposit(At(1, 1, None), "1", None).await });
        }
        let answers = calls.join_all().await;
        let mut given: Vec<u32> =
            answers.into_iter().map(|answer| answer.unwrap().event_id).collect();
        given.sort_unstable();
        assert_eq!(given, [2, 3, 4, 5, 6, 7]);
    });
}

/// Sync, and branch 2 is away: the first deposit is still under way when others come and go.
#[test]
fn who_is_being_served_is_remembered() {
    crate::facade::test_bank::in_system(async {
        let mut options = forgetful(2);
        let _there = asleep(&mut options);
        let test_bank = TestBank::open(&options);
        let mut bank = test_bank.typed().await;
        let under_way = {
            let mut bank = bank.clone();
            tokio::spawn(async move { bank.deposit(At(1, 1, None), "1", None).await })
        };
        bank.holds(1, 1).await;
        for customer in 100..110 {
            bank.query(At(1, customer, None), None).await.unwrap();
        }
        let unknown = bank.deposit(At(1, 1, None), "1", None).await;
        assert_told(unknown, Code::DeadlineExceeded, "OUTCOME_UNKNOWN");
        let unknown = under_way.await.unwrap();
        assert_told(unknown, Code::DeadlineExceeded, "OUTCOME_UNKNOWN");
        let events = bank.get(1).await.unwrap().events;
        assert_eq!(events.len(), 2, "two deposits, under two ids");
    });
}

fn in_shop(options: &LiveOptions, test: impl AsyncFnOnce(&TestBank)) {
    crate::facade::test_bank::in_system(async {
        let test_bank = TestBank::open(options);
        test(&test_bank).await;
    });
}
