//! The typed contract.

use std::time::Duration;

use passbook::grpc::Limits;
use passbook::grpc::proto::v1;
use passbook::grpc::seal::{BankKeys, BankSecret};
use passbook::model::Propagation;
use passbook::network::{Latency, LinkLatencies};
use passbook::run::LiveOptions;
use tokio::task::JoinSet;
use tonic::Code;
use tonic_types::StatusExt;

use crate::facade::test_bank::{At, LIFE, TestBank, assert_told, bank_of, in_system, told};

#[test]
fn every_call_answers() {
    in_system(async {
        let test_bank = TestBank::open(&bank_of(2));
        let mut bank = test_bank.typed().await;
        let deposited = bank.deposit(At(1, 7, Some(1)), "10.5", None).await.unwrap();
        assert_eq!((deposited.event_id, deposited.position), (1, 1));
        assert_eq!(deposited.balance, "110.5");
        let withdrawn = bank.withdraw(At(2, 7, Some(2)), "0.50").await.unwrap();
        assert_eq!((withdrawn.event_id, withdrawn.position), (2, 2));
        assert_eq!(withdrawn.balance, "110");
        let queried = bank.query(At(1, 7, None), None).await.unwrap();
        assert_eq!((queried.balance.as_str(), queried.position), ("110", 2));

        let listed = bank.0.list_branches(v1::ListBranchesRequest {}).await.unwrap().into_inner();
        let entry =
            |origin_branch_id| v1::VersionEntry { origin_branch_id, applied: 1, life: LIFE.get() };
        let version = Some(v1::VersionVector { entries: vec![entry(1), entry(2)] });
        let summary = |branch_id| {
            let (balance, version) = ("110".to_owned(), version.clone());
            v1::BranchSummary { branch_id, balance, version, position: 2 }
        };
        assert_eq!(listed.branches, [summary(1), summary(2)]);
        assert!(listed.elsewhere_branch_ids.is_empty());

        let event = |event_id, kind: v1::WriteKind, amount: &str| v1::BranchEvent {
            customer_id: 7,
            event_id,
            kind: kind.into(),
            amount: amount.to_owned(),
        };
        let expected = v1::GetBranchResponse {
            branch_id: 2,
            balance: "110".to_owned(),
            version: version.clone(),
            write_sets: vec![v1::WriteSet { customer_id: 7, event_ids: vec![1, 2] }],
            events: vec![
                event(1, v1::WriteKind::Deposit, "10.5"),
                event(2, v1::WriteKind::Withdraw, "0.5"),
            ],
            writes_left_out: 0,
        };
        assert_eq!(bank.get(2).await.unwrap(), expected);
        let view = v1::BranchView::Brief.into();
        let brief = bank.0.get_branch(v1::GetBranchRequest { branch_id: 2, view }).await.unwrap();
        let (write_sets, events) = (Vec::new(), Vec::new());
        assert_eq!(
            brief.into_inner(),
            v1::GetBranchResponse { write_sets, events, ..expected.clone() }
        );
    });
}

#[test]
fn a_passbook_is_carried_from_branch_to_branch() {
    in_system(async {
        let test_bank = TestBank::open(&bank_of(3));
        let mut bank = test_bank.typed().await;
        let mut passbook = bank.deposit(At(1, 1, None), "1", None).await.unwrap().passbook;
        for branch in [2, 3, 1, 2] {
            let deposited = bank.deposit(At(branch, 1, None), "1", Some(&passbook)).await;
            passbook = deposited.unwrap().passbook;
        }
        let queried = bank.query(At(3, 1, None), Some(&passbook)).await.unwrap();
        assert_eq!(queried.balance, "105");
    });
}

#[test]
fn without_its_passbook_a_client_sees_the_past_of_a_branch_that_lags() {
    let lag = Latency::Constant(Duration::from_millis(200));
    let mut options = LiveOptions {
        latencies: LinkLatencies { default: lag, ..LinkLatencies::default() },
        ..bank_of(2)
    };
    options.branch.propagation = Propagation::Async;
    options.branch.timeouts.wait_limit = Some(Duration::from_secs(10));
    in_system(async {
        let test_bank = TestBank::open(&options);
        let mut bank = test_bank.typed().await;
        let passbook = bank.deposit(At(1, 1, None), "1", None).await.unwrap().passbook;
        let without = bank.query(At(2, 1, None), None).await.unwrap();
        let with = bank.query(At(2, 1, None), Some(&passbook)).await.unwrap();
        assert_eq!((without.balance.as_str(), with.balance.as_str()), ("100", "101"));
    });
}

#[test]
fn a_passbook_that_asks_for_more_than_is_here_is_told_what_is_missing() {
    in_system(async {
        let (one, other) = (TestBank::open(&bank_of(2)), TestBank::open(&bank_of(2)));
        let (mut one, mut other) = (one.typed().await, other.typed().await);
        // Both banks are called the same, and the other one has not seen the write.
        let passbook = one.deposit(At(1, 1, None), "1", None).await.unwrap().passbook;
        let status = assert_told(
            other.query(At(2, 1, None), Some(&passbook)).await,
            Code::Unavailable,
            "VERSION_NOT_REACHED",
        );
        let told = (told(&status, "needed"), told(&status, "here"));
        assert_eq!(told, ("1/5:1".into(), "1/5:0".into()));
        assert!(status.metadata().get_bin("passbook-bin").is_some());
        assert_eq!(status.metadata().get("passbook-position").unwrap(), "0");
        assert_eq!(status.metadata().get("passbook-balance").unwrap(), "100");
    });
}

#[test]
fn a_passbook_that_this_bank_did_not_make_is_refused() {
    in_system(async {
        let test_bank = TestBank::open(&bank_of(2));
        let mut bank = test_bank.typed().await;
        let mut options = bank_of(2);
        let (roster, secret) = (&options.roster, BankSecret::public());
        options.keys = BankKeys::new(&secret, "another", roster, options.opening_balance);
        let another = TestBank::open(&options);
        let foreign = another.typed().await.query(At(1, 1, None), None).await.unwrap().passbook;
        let ours = bank.query(At(1, 1, None), None).await.unwrap().passbook;
        let mut damaged = ours.clone();
        damaged[0] ^= 1;
        for token in [foreign.as_slice(), &damaged, &ours[1..], b"", b"no passbook"] {
            let answer = bank.deposit(At(1, 1, None), "1", Some(token)).await;
            let status = assert_told(answer, Code::InvalidArgument, "BAD_FIELD");
            assert_eq!(told(&status, "field"), "passbook");
            assert_eq!(
                status.message(),
                "passbook: not of this bank, or from before it started again; leave it out"
            );
        }
        assert_eq!(bank.get(1).await.unwrap().events, []);
    });
}

/// A token as the program before seals gave it, whose checksum is no secret.
fn unsealed(bank: u64, writes: &[u8]) -> Vec<u8> {
    let fnv = |bytes: &[u8]| {
        bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    };
    let length = u8::try_from(writes.len()).expect("a few");
    let mut token = [&[9][..], &bank.to_le_bytes(), &[0x12, length], writes].concat();
    token.extend([0x1a, 2, 0, 0]);
    let checksum = fnv(&token);
    [&token, &[0x21][..], &checksum.to_le_bytes()].concat()
}

#[test]
fn forged_passbooks_of_the_future_are_refused_at_once_and_hold_up_nobody() {
    in_system(async {
        let mut options = bank_of(2);
        options.branch.timeouts.wait_limit = Some(Duration::from_secs(10));
        let limits = Limits { waiting_max: 8, ..Limits::default() };
        let test_bank = TestBank::with(&options, limits, None);
        let bank = test_bank.typed().await;
        // 5,000 writes of branch 1 that never were, as both formats say it.
        let sealed = [&[1, 0, 1, 0x88, 0x27, 0][..], &[0; 16]].concat();
        // The mark of this very bank was no secret either.
        let ours = 0x9ef3_59c2_0646_1cef;
        let mut forged = JoinSet::new();
        for token in [sealed, unsealed(ours, &[0x88, 0x27, 0])] {
            for _ in 0..100 {
                let (mut bank, token) = (bank.clone(), token.clone());
                forged.spawn(async move { bank.query(At(1, 1, None), Some(&token)).await });
            }
        }
        let answers = tokio::time::timeout(Duration::from_secs(5), forged.join_all()).await;
        for answer in answers.expect("none of them is kept waiting") {
            assert_told(answer, Code::InvalidArgument, "BAD_FIELD");
        }
        let honest = bank.clone().query(At(1, 2, None), None).await.unwrap();
        assert_eq!(honest.balance, "100");
    });
}

#[test]
fn a_passbook_of_the_unsealed_version_is_refused_by_its_version() {
    in_system(async {
        let test_bank = TestBank::open(&bank_of(2));
        let mut bank = test_bank.typed().await;
        let answer = bank.query(At(1, 1, None), Some(&unsealed(7, &[1, 0]))).await;
        let status = assert_told(answer, Code::InvalidArgument, "BAD_FIELD");
        assert_eq!(
            status.message(),
            "passbook: a token of version 0, and this passbook takes versions 1 and 2; leave it out"
        );
    });
}

#[test]
fn a_passbook_may_be_handed_on_to_another_customer() {
    in_system(async {
        let test_bank = TestBank::open(&bank_of(2));
        let mut bank = test_bank.typed().await;
        let passbook = bank.deposit(At(1, 1, None), "1", None).await.unwrap().passbook;
        let seen = bank.query(At(2, 9, None), Some(&passbook)).await.unwrap();
        assert_eq!(seen.balance, "101");
    });
}

#[test]
fn a_write_that_is_sent_again_is_done_once() {
    in_system(async {
        let test_bank = TestBank::open(&bank_of(2));
        let mut bank = test_bank.typed().await;
        let first = bank.deposit(At(1, 1, Some(5)), "10", None).await.unwrap();
        for branch in [1, 2, 1] {
            let again = bank.deposit(At(branch, 1, Some(5)), "10.00", None).await.unwrap();
            assert_eq!((again.event_id, again.balance.as_str()), (5, "110"));
            assert_eq!(again.position, first.position);
        }
        let other = bank.deposit(At(2, 1, Some(5)), "11", None).await;
        let status = assert_told(other, Code::AlreadyExists, "EVENT_REUSED");
        assert_eq!(told(&status, "first"), "deposit 10");
        let other = bank.withdraw(At(1, 1, Some(5)), "10").await;
        assert_told(other, Code::AlreadyExists, "EVENT_REUSED");
        let earlier = bank.deposit(At(2, 1, Some(4)), "10", None).await;
        let status = assert_told(earlier, Code::Aborted, "OUT_OF_ORDER");
        assert_eq!(told(&status, "latest"), "5");
        // Another customer has event ids of its own.
        bank.deposit(At(1, 2, Some(4)), "10", None).await.unwrap();
        assert_eq!(bank.query(At(2, 1, None), None).await.unwrap().balance, "120");
    });
}

#[test]
fn a_write_without_an_event_id_gets_the_next_one() {
    in_system(async {
        let test_bank = TestBank::open(&bank_of(2));
        let mut bank = test_bank.typed().await;
        let mut given = Vec::new();
        for (branch, event) in [(1, None), (2, None), (1, Some(9)), (2, None), (1, None)] {
            let deposited = bank.deposit(At(branch, 1, event), "1", None).await.unwrap();
            given.push(deposited.event_id);
        }
        assert_eq!(given, [1, 2, 9, 10, 11]);
        let last = u32::try_from(i32::MAX).unwrap();
        bank.deposit(At(1, 1, Some(last)), "1", None).await.unwrap();
        let answer = bank.deposit(At(1, 1, None), "1", None).await;
        let status = assert_told(answer, Code::InvalidArgument, "BAD_FIELD");
        assert_eq!(told(&status, "field"), "event_id");
    });
}

#[test]
fn deposits_at_the_same_time_all_count() {
    in_system(async {
        let test_bank = TestBank::open(&bank_of(1));
        let mut calls = JoinSet::new();
        for _ in 0..4 {
            let bank = test_bank.typed().await;
            for _ in 0..50 {
                let mut bank = bank.clone();
                calls.spawn(async move { bank.deposit(At(1, 1, None), "1", None).await });
            }
        }
        let answers = calls.join_all().await;
        let mut given: Vec<u32> =
            answers.into_iter().map(|answer| answer.unwrap().event_id).collect();
        given.sort_unstable();
        assert_eq!(given, (1..=200).collect::<Vec<u32>>());
        let mut bank = test_bank.typed().await;
        assert_eq!(bank.query(At(1, 1, None), None).await.unwrap().balance, "300");
    });
}

#[test]
fn an_unknown_branch_is_not_found() {
    in_system(async {
        let test_bank = TestBank::open(&bank_of(2));
        let mut bank = test_bank.typed().await;
        let status =
            assert_told(bank.query(At(3, 1, None), None).await, Code::NotFound, "UNKNOWN_BRANCH");
        assert_eq!(
            (told(&status, "branch"), told(&status, "branches")),
            ("3".into(), "1, 2".into())
        );
        assert_told(bank.get(3).await, Code::NotFound, "UNKNOWN_BRANCH");
        let request = v1::WatchBranchRequest { branch_id: 3, from_position: 0 };
        assert_told(bank.0.watch_branch(request).await, Code::NotFound, "UNKNOWN_BRANCH");
    });
}

#[test]
fn a_wrong_field_is_named() {
    in_system(async {
        let test_bank = TestBank::open(&bank_of(1));
        let mut bank = test_bank.typed().await;
        for amount in ["", "0", "-1", "1.005", "NaN", "inf", "1e3", "ten", "92233720368547758.08"] {
            let answer = bank.deposit(At(1, 1, None), amount, None).await;
            let status = assert_told(answer, Code::InvalidArgument, "BAD_FIELD");
            let details = status.get_error_details();
            let wrong: Vec<_> = details.bad_request().unwrap().field_violations.iter().collect();
            assert_eq!(wrong.len(), 1);
            assert_eq!(wrong[0].field, "amount", "{amount}");
        }
        for (at, field) in [
            (At(0, 1, None), "branch_id"),
            (At(1, 0, None), "customer_id"),
            (At(1, 1, Some(0)), "event_id"),
            (At(1, u32::MAX, None), "customer_id"),
        ] {
            let answer = bank.deposit(at, "1", None).await;
            let status = assert_told(answer, Code::InvalidArgument, "BAD_FIELD");
            assert_eq!(told(&status, "field"), field);
        }
        let answer = bank.0.get_branch(v1::GetBranchRequest { branch_id: 1, view: 9 }).await;
        let status = assert_told(answer, Code::InvalidArgument, "BAD_FIELD");
        assert_eq!(told(&status, "field"), "view");
        assert_eq!(bank.get(1).await.unwrap().events, []);
    });
}

#[test]
fn what_the_balance_does_not_cover_is_refused_and_can_be_tried_under_another_event_id() {
    in_system(async {
        let test_bank = TestBank::open(&bank_of(2));
        let mut bank = test_bank.typed().await;
        let answer = bank.withdraw(At(1, 1, Some(1)), "100.01").await;
        let status = assert_told(answer, Code::FailedPrecondition, "INSUFFICIENT_FUNDS");
        assert_eq!(
            (told(&status, "balance"), told(&status, "requested")),
            ("100".into(), "100.01".into())
        );
        assert!(status.metadata().get_bin("passbook-bin").is_some());
        bank.deposit(At(2, 1, Some(2)), "0.01", None).await.unwrap();
        assert_eq!(bank.withdraw(At(1, 1, Some(3)), "100.01").await.unwrap().balance, "0");
    });
}

#[test]
fn a_balance_out_of_range_is_refused() {
    in_system(async {
        let test_bank = TestBank::open(&bank_of(1));
        let mut bank = test_bank.typed().await;
        let answer = bank.deposit(At(1, 1, None), "92233720368547758.07", None).await;
        assert_told(answer, Code::OutOfRange, "BALANCE_OUT_OF_RANGE");
        assert_eq!(bank.query(At(1, 1, None), None).await.unwrap().balance, "100");
    });
}
