//! The classic contract.

use passbook::grpc::Limits;
use passbook::grpc::proto::banking::BranchRequest;
use tonic::Code;

use crate::shop::{
    Shop, assert_told, bank_of, branch, in_system, read_writes, relayed, reply, told, write,
};

#[test]
fn writes_are_answered_with_the_write_set_as_existing_clients_compare_it() {
    in_system(async {
        let shop = Shop::with(&bank_of(2), Limits::default(), Some(branch(1)));
        let mut bank = shop.classic().await;
        assert_eq!(bank.send(write("deposit", 1, 400.0)).await, reply(200, "[1]", 500.0));
        assert_eq!(bank.send(write("withdraw", 2, 0.1)).await, reply(200, "[1, 2]", 499.9));
        assert_eq!(bank.send(read_writes()).await, reply(200, "[1, 2]", 499.9));
        assert_eq!(bank.send(write("query", 3, 0.0)).await, reply(200, "", 499.9));
        // A query bears any event id or none, and its amount is not looked at.
        assert_eq!(bank.send(write("query", 0, f32::NAN)).await, reply(200, "", 499.9));
        let nobody = BranchRequest { customer_id: 9, ..read_writes() };
        assert_eq!(bank.send(nobody).await, reply(200, "[]", 499.9));
    });
}

#[test]
fn what_cannot_be_done_is_answered_with_400() {
    in_system(async {
        let shop = Shop::with(&bank_of(2), Limits::default(), Some(branch(1)));
        let mut bank = shop.classic().await;
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
            BranchRequest { r#type: "branch".to_owned(), id: 0, ..deposit.clone() },
            BranchRequest { read_writes: true, ..BranchRequest::default() },
            BranchRequest::default(),
            write("withdraw", 1, 100.01),
        ] {
            assert_eq!(bank.send(wrong.clone()).await, reply(400, "", 0.0), "{wrong:?}");
        }
        assert_eq!(bank.send(read_writes()).await, reply(200, "[]", 100.0));
        // An id that was refused for want of money may not name another write.
        assert_eq!(bank.send(write("deposit", 2, 1.0)).await, reply(200, "[2]", 101.0));
        assert_eq!(bank.send(write("deposit", 2, 2.0)).await.status, 400);
        assert_eq!(bank.send(write("deposit", 1, 2.0)).await.status, 400);
        assert_eq!(bank.send(write("deposit", 2, 1.0)).await, reply(200, "[2]", 101.0));
    });
}

#[test]
fn one_listener_for_all_finds_the_branch_in_the_metadata() {
    in_system(async {
        let shop = Shop::open(&bank_of(2));
        let mut bank = shop.classic().await;
        let deposited = bank.send_to("2", write("deposit", 1, 1.0)).await.unwrap();
        assert_eq!(deposited, reply(200, "[1]", 101.0));
        let queried = bank.send_to("1", write("query", 2, 0.0)).await.unwrap();
        assert_eq!(queried, reply(200, "", 101.0));
        for wrong in ["", "0", "-1", "one", "1.0"] {
            let answer = bank.send_to(wrong, read_writes()).await;
            let status = assert_told(answer, Code::InvalidArgument, "BAD_FIELD");
            assert_eq!(told(&status, "field"), "branch");
        }
        let answer = bank.0.msg_delivery(read_writes()).await;
        assert_told(answer, Code::InvalidArgument, "BAD_FIELD");
        assert_eq!(bank.send_to("3", read_writes()).await.unwrap().status, 400);
    });
}

/// To take it would give the number of a write to come away, and the bank would never agree again.
#[test]
fn nobody_brings_a_write_in_the_name_of_a_branch_that_lives_here() {
    in_system(async {
        let shop = Shop::with(&bank_of(2), Limits::default(), Some(branch(1)));
        let mut bank = shop.classic().await;
        for from in [1, 2, 3] {
            assert_eq!(bank.send(relayed(from, 1, 1.0)).await.status, 400, "{from}");
        }
        assert_eq!(bank.send(read_writes()).await, reply(200, "[]", 100.0));
        assert_eq!(bank.send(write("deposit", 1, 2.0)).await, reply(200, "[1]", 102.0));
    });
}
