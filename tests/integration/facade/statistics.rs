//! A branch that takes no more writes, and what a process counts of what it is asked.

use std::time::Duration;

use passbook::grpc::proto::v1;
use passbook::grpc::{LimitTeller, Limits};
use passbook::model::LogPosition;
use passbook::run::LiveOptions;
use tokio::sync::mpsc;
use tonic::Code;

use super::elsewhere::asleep;
use super::test_bank::{At, TestBank, Typed, assert_told, bank_of, branch, in_system, told, write};

/// Two branches that hold 100 each, and take no more than `writes`.
fn bank_for(writes: u64) -> LiveOptions {
    let mut options = bank_of(2);
    options.branch.log_max = Some(LogPosition::new(writes));
    options
}

async fn statistics(bank: &mut Typed) -> v1::GetStatisticsResponse {
    let asked = bank.0.get_statistics(v1::GetStatisticsRequest {});
    asked.await.expect("it answers").into_inner()
}

fn limit(statistics: &v1::GetStatisticsResponse, flag: &str) -> [Option<u64>; 3] {
    let limit = statistics.limits.iter().find(|limit| limit.flag == flag).expect("it is told");
    [Some(limit.hits), limit.taken, limit.max]
}

#[test]
fn a_full_bank_refuses_writes_in_both_contracts_and_goes_on_answering() {
    in_system(async {
        let test_bank = TestBank::open(&bank_for(2));
        let (mut bank, mut classic) = (test_bank.typed().await, test_bank.classic().await);
        for event in [1, 2] {
            bank.deposit(At(1, 1, Some(event)), "1", None).await.unwrap();
        }
        let answer = bank.deposit(At(2, 1, Some(3)), "1", None).await;
        let status = assert_told(answer, Code::ResourceExhausted, "FULL");
        assert_eq!(told(&status, "log_max"), "2");
        assert_eq!(status.metadata().get("passbook-balance").unwrap(), "102");
        assert_told(bank.withdraw(At(1, 7, None), "1").await, Code::ResourceExhausted, "FULL");
        let reply = classic.send_to("1", write("deposit", 3, 1.0)).await.unwrap();
        assert_eq!(
            (reply.status, reply.write_sets.as_str(), reply.balance),
            (400, "[1, 2]", 102.0)
        );
        // Reads go on, and what is applied is answered as before.
        assert_eq!(bank.query(At(2, 1, None), None).await.unwrap().balance, "102");
        assert_eq!(bank.get(1).await.unwrap().events.len(), 2);
        assert_eq!(bank.deposit(At(1, 1, Some(2)), "1", None).await.unwrap().position, 2);
        assert_eq!(classic.send_to("2", write("deposit", 2, 1.0)).await.unwrap().status, 200);
        let request = v1::WatchBranchRequest { branch_id: 1, from_position: 2 };
        let mut watched = bank.0.watch_branch(request).await.unwrap().into_inner();
        assert_eq!(watched.message().await.unwrap().unwrap().balance, "102");
    });
}

#[test]
fn why_a_classic_call_is_refused_by_a_full_branch_is_in_its_trailer() {
    in_system(async {
        let test_bank = TestBank::with(&bank_for(1), Limits::default(), Some(branch(1)));
        let mut classic = test_bank.classic().await;
        assert_eq!(classic.send(write("deposit", 1, 1.0)).await.status, 200);
        assert_eq!(
            classic.reason(write("deposit", 2, 1.0)).await,
            "FULL: full: the branch takes no more writes, for its limit is 1; it still answers queries"
        );
    });
}

#[test]
fn calls_errors_and_limits_are_counted() {
    in_system(async {
        let test_bank = TestBank::open(&bank_for(2));
        let (mut bank, mut classic) = (test_bank.typed().await, test_bank.classic().await);
        for event in [1, 2, 3, 4] {
            let _answer = bank.deposit(At(1, 1, Some(event)), "1", None).await;
        }
        assert_told(
            bank.withdraw(At(1, 1, Some(2)), "1").await,
            Code::AlreadyExists,
            "EVENT_REUSED",
        );
        assert_told(bank.query(At(9, 1, None), None).await, Code::NotFound, "UNKNOWN_BRANCH");
        for event in [5, 1] {
            classic.send_to("2", write("deposit", event, 1.0)).await.unwrap();
        }
        let told = statistics(&mut bank).await;
        assert_eq!(
            told.connections,
            Some(v1::ConnectionStatistics {
                accepted: 2,
                open: 2,
                ..v1::ConnectionStatistics::default()
            })
        );
        let calls: Vec<_> = told.calls.iter().map(|of| (of.method.as_str(), of.calls)).collect();
        let expected = [
            ("banking.Branch/MsgDelivery", 2),
            ("passbook.v1.BankService/Deposit", 4),
            ("passbook.v1.BankService/GetStatistics", 1),
            ("passbook.v1.BankService/Query", 1),
            ("passbook.v1.BankService/Withdraw", 1),
        ];
        assert_eq!(calls, expected);
        let errors: Vec<_> = told.errors.iter().map(|of| (of.reason.as_str(), of.calls)).collect();
        assert_eq!(errors, [("UNKNOWN_BRANCH", 1), ("EVENT_REUSED", 1), ("FULL", 3)]);
        assert_eq!(limit(&told, "--log-max"), [Some(3), Some(2), Some(2)]);
        assert_eq!(limit(&told, "--waiting-max"), [Some(0), Some(0), Some(65_536)]);
        // Customer 1, of the classic contract.
        assert_eq!(limit(&told, "--sessions-max"), [Some(0), Some(1), Some(1_000)]);
        let log = |branch_id| v1::LogStatistics { branch_id, writes: 2, writes_max: Some(2) };
        assert_eq!((told.logs, told.peers), (vec![log(1), log(2)], vec![]));
    });
}

#[test]
fn what_is_kept_for_a_branch_that_is_away_is_told() {
    in_system(async {
        let mut options = bank_of(2);
        let _there = asleep(&mut options);
        options.links.kept_max = 1;
        let test_bank = TestBank::open(&options);
        let mut bank = test_bank.typed().await;
        let answer = bank.deposit(At(1, 1, Some(1)), "1", None).await;
        assert_told(answer, Code::DeadlineExceeded, "OUTCOME_UNKNOWN");
        let answer = bank.deposit(At(1, 1, Some(2)), "1", None).await;
        assert_told(answer, Code::ResourceExhausted, "CONGESTED");
        let told = statistics(&mut bank).await;
        let peer_branch_id = 2;
        let kept = v1::PeerStatistics { branch_id: 1, peer_branch_id, kept: 1, congested: true };
        assert_eq!(told.peers, [kept]);
        assert_eq!(limit(&told, "--kept-max"), [Some(1), Some(1), Some(1)]);
    });
}

#[test]
fn a_line_says_which_limit_was_hit_and_none_comes_where_none_was() {
    in_system(async {
        let test_bank = TestBank::open(&bank_for(1));
        let mut bank = test_bank.typed().await;
        let (lines, mut told) = mpsc::unbounded_channel();
        let tell = move |line: &str| lines.send(line.to_owned()).expect("the test listens");
        let mut limits = LimitTeller::new(test_bank.bank.gateway().clone(), tell);
        bank.deposit(At(1, 1, Some(1)), "1", None).await.unwrap();
        limits.tell().await;
        assert!(told.try_recv().is_err(), "nothing was hit");
        for event in [2, 3] {
            let answer = bank.deposit(At(1, 1, Some(event)), "1", None).await;
            assert_told(answer, Code::ResourceExhausted, "FULL");
        }
        let line = tokio::select! {
            never = limits.tell_each(Duration::from_millis(10)) => match never {},
            line = told.recv() => line.expect("a line"),
        };
        assert_eq!(line, "limits were hit: writes held (--log-max) 2 times");
        limits.tell().await;
        assert!(told.try_recv().is_err(), "it is told once");
    });
}
