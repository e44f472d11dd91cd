//! Watching a branch.

use std::time::Duration;

use passbook::grpc::proto::v1;
use tonic::Streaming;

use crate::facade::test_bank::{At, TestBank, Typed, bank_of, in_system};

async fn watch(bank: &mut Typed, from_position: u64) -> Streaming<v1::WatchBranchResponse> {
    let request = v1::WatchBranchRequest { branch_id: 1, from_position };
    bank.0.watch_branch(request).await.expect("a stream").into_inner()
}

async fn deposit(bank: &mut Typed, times: u32) {
    for _ in 0..times {
        bank.deposit(At(1, 1, None), "1", None).await.expect("a deposit");
    }
}

/// Position and balance of the next so many writes.
async fn next(
    watched: &mut Streaming<v1::WatchBranchResponse>,
    count: usize,
) -> Vec<(u64, String)> {
    let mut seen = Vec::new();
    while seen.len() < count {
        let write = watched.message().await.expect("a write").expect("the stream goes on");
        let id = write.applied.and_then(|applied| applied.id).expect("whole");
        assert_eq!(u64::from(id.event_id), write.position);
        seen.push((write.position, write.balance));
    }
    seen
}

fn writes(positions: std::ops::RangeInclusive<u64>) -> Vec<(u64, String)> {
    positions.map(|position| (position, (100 + position).to_string())).collect()
}

#[test]
fn a_watcher_sees_what_was_applied_and_then_what_is_applied() {
    in_system(async {
        let test_bank = TestBank::open(&bank_of(2));
        let mut bank = test_bank.typed().await;
        deposit(&mut bank, 3).await;
        let mut from_start = watch(&mut bank, 0).await;
        let mut from_first = watch(&mut bank, 1).await;
        let mut from_third = watch(&mut bank, 3).await;
        let mut beyond = watch(&mut bank, 6).await;
        deposit(&mut bank, 4).await;
        assert_eq!(next(&mut from_start, 7).await, writes(1..=7));
        assert_eq!(next(&mut from_first, 7).await, writes(1..=7));
        assert_eq!(next(&mut from_third, 5).await, writes(3..=7));
        assert_eq!(next(&mut beyond, 2).await, writes(6..=7));
    });
}

#[test]
fn a_slow_watcher_holds_nobody_up_and_misses_nothing() {
    in_system(async {
        let test_bank = TestBank::open(&bank_of(1));
        let mut slow = watch(&mut test_bank.typed().await, 1).await;
        let mut bank = test_bank.typed().await;
        // Far more than any buffer between holds.
        deposit(&mut bank, 3000).await;
        assert_eq!(next(&mut slow, 3000).await, writes(1..=3000));
    });
}

#[test]
fn a_watch_ends_when_the_bank_closes() {
    in_system(async {
        let test_bank = TestBank::open(&bank_of(1));
        let mut bank = test_bank.typed().await;
        let mut watched = watch(&mut bank, 1).await;
        deposit(&mut bank, 1).await;
        assert_eq!(next(&mut watched, 1).await, writes(1..=1));
        test_bank.bank.drain();
        let ended = tokio::time::timeout(Duration::from_secs(2), watched.message()).await;
        assert!(ended.expect("no longer than a bank drains").unwrap().is_none());
    });
}
