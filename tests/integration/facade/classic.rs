//! The classic contract.

use passbook::grpc::Limits;
use passbook::grpc::proto::banking::BranchRequest;
use tokio::task::JoinSet;
use tonic::Code;

use crate::facade::elsewhere::asleep;
use crate::facade::test_bank::{
    At, TestBank, assert_told, bank_of, branch, in_system, read_writes, relayed, reply, told, write,
};

#[test]
fn writes_are_answered_with_the_write_set_as_existing_clients_compare_it() {
    in_system(async {
        let test_bank = TestBank::with(&bank_of(2), Limits::default(), Some(branch(1)));
        let mut bank = test_bank.classic().await;
        assert_eq!(bank.send(write("deposit", 1, 400.0)).await, reply(200, "[1]", 500.0));
        assert_eq!(bank.send(write("withdraw", 2, 0.1)).await, reply(200, "[1, 2]", 499.9));
        assert_eq!(bank.send(read_writes()).await, reply(200, "[1, 2]", 499.9));
        assert_eq!(bank.send(write("query", 3, 0.0)).await, reply(200, "[1, 2]", 499.9));
        // A query bears any event id or none, and its amount is not looked at.
        assert_eq!(bank.send(write("query", 0, f32::NAN)).await, reply(200, "[1, 2]", 499.9));
        let other = BranchRequest { id: 9, customer_id: 9, ..write("query", 1, 0.0) };
        assert_eq!(bank.send(other).await, reply(200, "[]", 499.9));
        let nobody = BranchRequest { customer_id: 9, ..read_writes() };
        assert_eq!(bank.send(nobody).await, reply(200, "[]", 499.9));
    });
}

#[test]
fn what_cannot_be_done_is_answered_with_400() {
    in_system(async {
        let test_bank = TestBank::with(&bank_of(2), Limits::default(), Some(branch(1)));
        let mut bank = test_bank.classic().await;
        for money in [
            0.0,
            -0.0,
            -1.0,
            0.001,
            400.123,
            200_000.01,
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::MAX,
            f32::MIN_POSITIVE,
        ] {
            assert_eq!(bank.send(write("deposit", 1, money)).await.status, 400, "{money}");
        }
        let deposit = write("deposit", 1, 1.0);
        for wrong in [
            BranchRequest { customer_id: 0, ..deposit.clone() },
            BranchRequest { customer_id: -1, ..deposit.clone() },
            BranchRequest { event_id: 0, ..deposit.clone() },
            BranchRequest { interface: "Deposit".to_owned(), ..deposit.clone() },
            BranchRequest { interface: String::new(), ..deposit.clone() },
            BranchRequest { r#type: "client".to_owned(), ..deposit.clone() },
            BranchRequest::default(),
            write("withdraw", 1, 100.01),
        ] {
            assert_eq!(bank.send(wrong.clone()).await, reply(400, "[]", 100.0), "{wrong:?}");
        }
        // Who is no customer is told nothing more.
        for wrong in [
            BranchRequest { r#type: "branch".to_owned(), id: 0, ..deposit.clone() },
            BranchRequest { read_writes: true, ..BranchRequest::default() },
        ] {
            assert_eq!(bank.send(wrong.clone()).await, reply(400, "", 0.0), "{wrong:?}");
        }
        assert_eq!(bank.send(read_writes()).await, reply(200, "[]", 100.0));
        // An id that was refused for want of money may not name another write.
        assert_eq!(bank.send(write("deposit", 2, 1.0)).await, reply(200, "[2]", 101.0));
        // What is refused comes with the write set too.
        for refused in [
            write("deposit", 2, 2.0),
            write("deposit", 1, 2.0),
            write("withdraw", 3, 500.0),
            write("deposit", 3, -1.0),
            write("transfer", 3, 1.0),
        ] {
            assert_eq!(bank.send(refused.clone()).await, reply(400, "[2]", 101.0), "{refused:?}");
        }
        assert_eq!(bank.send(write("deposit", 2, 1.0)).await, reply(200, "[2]", 101.0));
    });
}

#[test]
fn one_listener_for_all_finds_the_branch_in_the_metadata() {
    in_system(async {
        let test_bank = TestBank::open(&bank_of(2));
        let mut bank = test_bank.classic().await;
        let deposited = bank.send_to("2", write("deposit", 1, 1.0)).await.unwrap();
        assert_eq!(deposited, reply(200, "[1]", 101.0));
        let queried = bank.send_to("1", write("query", 2, 0.0)).await.unwrap();
        assert_eq!(queried, reply(200, "[1]", 101.0));
        for wrong in ["", "0", "-1", "one", "1.0"] {
            let answer = bank.send_to(wrong, read_writes()).await;
            let status = assert_told(answer, Code::InvalidArgument, "BAD_FIELD");
            assert_eq!(told(&status, "field"), "branch");
        }
        let answer = bank.0.msg_delivery(read_writes()).await;
        assert_told(answer, Code::InvalidArgument, "BAD_FIELD");
        assert_eq!(bank.send_to("3", read_writes()).await.unwrap(), reply(400, "", 0.0));
        // What is not there holds nothing, and its reply can be read all the same.
        let nowhere = bank.send_to("3", write("query", 3, 0.0)).await.unwrap();
        assert_eq!(nowhere, reply(400, "[]", 0.0));
    });
}

/// To take it would give the number of a write to come away, and the bank would never agree again.
#[test]
fn nobody_brings_a_write_in_the_name_of_a_branch_that_lives_here() {
    in_system(async {
        let test_bank = TestBank::with(&bank_of(2), Limits::default(), Some(branch(1)));
        let mut bank = test_bank.classic().await;
        for from in [1, 2, 3] {
            assert_eq!(bank.send(relayed(from, 1, 1.0)).await.status, 400, "{from}");
        }
        assert_eq!(bank.send(read_writes()).await, reply(200, "[]", 100.0));
        assert_eq!(bank.send(write("deposit", 1, 2.0)).await, reply(200, "[1]", 102.0));
    });
}

/// The branch keeps nothing but the deposits of 1 by this customer, so that the two must agree.
#[test]
fn a_write_set_holds_what_the_balance_beside_it_counts() {
    in_system(async {
        let test_bank = TestBank::with(&bank_of(2), Limits::default(), Some(branch(1)));
        let bank = test_bank.classic().await;
        let mut calls = JoinSet::new();
        for call in 0..200 {
            let mut bank = bank.clone();
            let interface = if call % 2 == 0 { "deposit" } else { "query" };
            let request = BranchRequest { customer_id: 0, ..write(interface, 0, 1.0) };
            calls.spawn(async move { bank.send(request).await });
        }
        for reply in calls.join_all().await {
            let held: Vec<u16> = serde_json::from_str(&reply.write_sets).unwrap();
            let expected: Vec<u16> = (1..=100).take(held.len()).collect();
            let balance = 100.0 + f32::from(u16::try_from(held.len()).unwrap());
            assert_eq!((reply.status, held, reply.balance), (200, expected, balance));
        }
    });
}

/// An older form of the contract has something else in these fields: to apply what it sends would
/// be to write in other people's names.
#[test]
fn a_customer_who_bears_two_ids_is_refused_and_nothing_is_applied() {
    in_system(async {
        let test_bank = TestBank::with(&bank_of(2), Limits::default(), Some(branch(1)));
        let mut bank = test_bank.classic().await;
        assert_eq!(bank.send(write("deposit", 1, 1.0)).await, reply(200, "[1]", 101.0));
        for (interface, customer_id) in [("deposit", 3), ("withdraw", 4), ("query", 3)] {
            let sibling = BranchRequest { customer_id, ..write(interface, 2, 10.0) };
            assert_eq!(bank.send(sibling.clone()).await, reply(400, "[]", 101.0), "{sibling:?}");
            assert_eq!(
                bank.reason(sibling).await,
                format!(
                    "BAD_FIELD: id: 1 is not the customer_id {customer_id}; a customer's call bears \
                     its own id in both fields, or in id alone with neither customer_id nor event_id"
                )
            );
        }
        for customer_id in [3, 4] {
            let set = BranchRequest { customer_id, ..read_writes() };
            assert_eq!(bank.send(set).await, reply(200, "[]", 101.0));
        }
        assert_eq!(bank.send(read_writes()).await, reply(200, "[1]", 101.0));
    });
}

/// The oldest form of the contract: `id` alone says who it is, and nothing numbers the events.
#[test]
fn a_customer_without_customer_id_and_event_id_is_served_and_the_branch_numbers_its_writes() {
    in_system(async {
        let test_bank = TestBank::open(&bank_of(2));
        let mut bank = test_bank.classic().await;
        let oldest = |interface: &str, money| BranchRequest {
            id: 5,
            customer_id: 0,
            ..write(interface, 0, money)
        };
        for (branch, request, expected) in [
            ("1", oldest("query", 0.0), reply(200, "[]", 100.0)),
            ("1", oldest("deposit", 400.0), reply(200, "[1]", 500.0)),
            ("2", oldest("withdraw", 70.0), reply(200, "[1, 2]", 430.0)),
            ("1", oldest("query", 0.0), reply(200, "[1, 2]", 430.0)),
            // The same again is another deposit: nothing says that it is not.
            ("1", oldest("deposit", 400.0), reply(200, "[1, 2, 3]", 830.0)),
            // It is the same session in the form of today.
            (
                "2",
                BranchRequest { id: 5, customer_id: 5, ..write("deposit", 7, 1.0) },
                reply(200, "[1, 2, 3, 7]", 831.0),
            ),
            ("1", oldest("withdraw", 1.0), reply(200, "[1, 2, 3, 7, 8]", 830.0)),
            ("1", oldest("withdraw", 831.0), reply(400, "[1, 2, 3, 7, 8]", 830.0)),
            // With only one of the two it is a mistake.
            ("1", BranchRequest { event_id: 9, ..oldest("deposit", 1.0) }, reply(400, "[]", 830.0)),
            (
                "1",
                BranchRequest { customer_id: 5, ..oldest("deposit", 1.0) },
                reply(400, "[1, 2, 3, 7, 8]", 830.0),
            ),
            ("1", BranchRequest { id: 0, ..oldest("deposit", 1.0) }, reply(400, "[]", 830.0)),
        ] {
            assert_eq!(
                bank.send_to(branch, request.clone()).await.unwrap(),
                expected,
                "{request:?}"
            );
        }
    });
}

#[test]
fn the_reason_of_a_400_is_in_the_trailers() {
    in_system(async {
        let test_bank = TestBank::with(&bank_of(2), Limits::default(), Some(branch(1)));
        let mut bank = test_bank.classic().await;
        for (wrong, expected) in [
            (write("deposit", 1, -1.0), "BAD_FIELD: money: not positive; an amount is more than 0"),
            (
                write("überweisen", 1, 1.0),
                "BAD_FIELD: interface: expected \"deposit\", \"withdraw\" or \"query\", found \
                 \"%C3%BCberweisen\"",
            ),
            (
                write("withdraw", 1, 100.5),
                "INSUFFICIENT_FUNDS: refused: insufficient funds: the balance is 100, 100.5 was requested",
            ),
        ] {
            assert_eq!(bank.reason(wrong).await, expected);
        }
        let long = bank.reason(write(&"x".repeat(1_000_000), 1, 1.0)).await;
        assert!(long.len() <= 1024, "{}", long.len());
        let done = bank.0.msg_delivery(write("deposit", 2, 1.0)).await.unwrap();
        assert!(done.metadata().get("passbook-reason").is_none());
        assert_eq!(done.into_inner(), reply(200, "[2]", 101.0));
        let branch = bank.reason(relayed(2, 1, 1.0)).await;
        assert!(branch.starts_with("BAD_FIELD: id: branch 2 brings its writes"), "{branch}");
    });
}

#[test]
fn a_branch_of_another_process_is_served_elsewhere_and_not_unknown() {
    in_system(async {
        let mut options = bank_of(2);
        let _there = asleep(&mut options);
        let test_bank = TestBank::open(&options);
        let mut typed = test_bank.typed().await;
        let answers = [
            typed.query(At(2, 1, None), None).await.map(drop),
            typed.deposit(At(2, 1, Some(1)), "1", None).await.map(drop),
            typed.get(2).await.map(drop),
        ];
        for answer in answers {
            let status = assert_told(answer, Code::FailedPrecondition, "SERVED_ELSEWHERE");
            assert_eq!(told(&status, "branch"), "2");
            assert_eq!(told(&status, "branches"), "1");
        }
        let unknown = typed.query(At(3, 1, None), None).await;
        let status = assert_told(unknown, Code::NotFound, "UNKNOWN_BRANCH");
        assert_eq!(told(&status, "branches"), "1, 2");
        let mut classic = test_bank.classic().await;
        let mut request = tonic::Request::new(write("deposit", 1, 1.0));
        request.metadata_mut().insert("branch", "2".parse().unwrap());
        let response = classic.0.msg_delivery(request).await.unwrap();
        assert_eq!(
            response.metadata().get("passbook-reason").unwrap().to_str().unwrap(),
            "SERVED_ELSEWHERE: branch 2 is served elsewhere, by another process of this bank; here \
             there is 1"
        );
        assert_eq!(response.into_inner(), reply(400, "[]", 0.0));
    });
}
