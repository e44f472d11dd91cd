//! Long apply logs: one answer has the first writes, and pages have them all.

use std::collections::BTreeMap;
use std::time::Duration;

use passbook::grpc::Limits;
use passbook::grpc::proto::v1;
use passbook::grpc::proto::v1::read_branch_response::Item;
use tonic::{Code, Streaming};

use crate::facade::test_bank::{At, TestBank, Typed, assert_told, bank_of, in_system};

/// Deposits of 1, 2, 3 and so on, by customer 1 and customer 2 in turns.
async fn deposit(bank: &mut Typed, times: u32) {
    for amount in 1..=times {
        let at = At(1, 2 - amount % 2, Some(amount.div_ceil(2)));
        bank.deposit(at, &amount.to_string(), None).await.expect("a deposit");
    }
}

/// What branches hold after that, from one amount to another.
fn events(amounts: std::ops::RangeInclusive<u32>) -> Vec<v1::BranchEvent> {
    let event = |amount: u32| v1::BranchEvent {
        customer_id: 2 - amount % 2,
        event_id: amount.div_ceil(2),
        kind: v1::WriteKind::Deposit.into(),
        amount: amount.to_string(),
    };
    amounts.map(event).collect()
}

fn set(customer_id: u32, event_ids: &[u32]) -> v1::WriteSet {
    v1::WriteSet { customer_id, event_ids: event_ids.to_vec() }
}

async fn read(
    bank: &mut Typed,
    from_position: u64,
    page_writes_max: u32,
) -> (v1::BranchSummary, Streaming<v1::ReadBranchResponse>) {
    let request = v1::ReadBranchRequest { branch_id: 1, from_position, page_writes_max };
    let mut stream = bank.0.read_branch(request).await.expect("a stream").into_inner();
    let first = stream.message().await.expect("an item").expect("an item").item;
    let Some(Item::Branch(summary)) = first else { panic!("no branch at first: {first:?}") };
    (summary, stream)
}

async fn pages(mut stream: Streaming<v1::ReadBranchResponse>) -> Vec<v1::BranchPage> {
    let mut pages = Vec::new();
    while let Some(response) = stream.message().await.expect("a page") {
        let Some(Item::Page(page)) = response.item else { panic!("no page: {response:?}") };
        pages.push(page);
    }
    pages
}

#[test]
fn an_answer_has_so_many_writes_and_says_how_many_are_left_out() {
    in_system(async {
        let limits = Limits { log_entries_max: 3, ..Limits::default() };
        let test_bank = TestBank::with(&bank_of(1), limits, None);
        let mut bank = test_bank.typed().await;
        deposit(&mut bank, 3).await;
        let whole = bank.get(1).await.unwrap();
        assert_eq!((whole.events, whole.writes_left_out), (events(1..=3), 0));
        bank.deposit(At(1, 2, Some(2)), "4", None).await.unwrap();
        bank.deposit(At(1, 3, Some(1)), "5", None).await.unwrap();
        let cut = bank.get(1).await.unwrap();
        assert_eq!((cut.events, cut.writes_left_out), (events(1..=3), 2));
        assert_eq!(cut.write_sets, [set(1, &[1, 2]), set(2, &[1])]);
        assert_eq!(cut.balance, "115");
        let view = v1::BranchView::Brief.into();
        let brief = bank.0.get_branch(v1::GetBranchRequest { branch_id: 1, view }).await.unwrap();
        assert_eq!(brief.into_inner().writes_left_out, 0);
    });
}

#[test]
fn all_pages_together_are_the_apply_log_in_its_order() {
    in_system(async {
        let test_bank = TestBank::open(&bank_of(1));
        let mut bank = test_bank.typed().await;
        deposit(&mut bank, 5).await;
        let (summary, stream) = read(&mut bank, 0, 2).await;
        assert_eq!((summary.position, summary.balance.as_str()), (5, "115"));
        let page = |from_position, amounts, write_sets: &[v1::WriteSet]| v1::BranchPage {
            from_position,
            events: events(amounts),
            write_sets: write_sets.to_vec(),
        };
        let expected = [
            page(1, 1..=2, &[set(1, &[1]), set(2, &[1])]),
            page(3, 3..=4, &[set(1, &[2]), set(2, &[2])]),
            page(5, 5..=5, &[set(1, &[3])]),
        ];
        assert_eq!(pages(stream).await, expected);
        let from_the_third = read(&mut bank, 3, 2).await.1;
        assert_eq!(pages(from_the_third).await, expected[1..]);
        for beyond in [6, u64::MAX] {
            assert_eq!(pages(read(&mut bank, beyond, 2).await.1).await, []);
        }
    });
}

#[test]
fn pages_that_are_read_late_hold_nobody_up_and_end_where_the_branch_stood() {
    in_system(async {
        let test_bank = TestBank::open(&bank_of(1));
        let mut bank = test_bank.typed().await;
        deposit(&mut bank, 1200).await;
        let late = read(&mut test_bank.typed().await, 1, 0).await.1;
        bank.deposit(At(1, 3, Some(1)), "1", None).await.unwrap();
        let pages = pages(late).await;
        let starts: Vec<u64> = pages.iter().map(|page| page.from_position).collect();
        assert_eq!(starts, [1, 501, 1001]);
        let mut sets = BTreeMap::<u32, Vec<u32>>::new();
        for set in pages.iter().flat_map(|page| &page.write_sets) {
            sets.entry(set.customer_id).or_default().extend(&set.event_ids);
        }
        let all: Vec<v1::BranchEvent> = pages.into_iter().flat_map(|page| page.events).collect();
        assert_eq!(all, events(1..=1200));
        let ids: Vec<u32> = (1..=600).collect();
        assert_eq!(sets, BTreeMap::from([(1, ids.clone()), (2, ids)]));
    });
}

#[test]
fn a_page_that_is_not_read_in_time_ends_the_stream_with_an_error() {
    in_system(async {
        let limits = Limits { call_time_max: Duration::from_millis(50), ..Limits::default() };
        let test_bank = TestBank::with(&bank_of(1), limits, None);
        let mut bank = test_bank.typed().await;
        deposit(&mut bank, 300).await;
        // A page for each write, so that not all of them fit what lies between server and client.
        let mut unread = read(&mut test_bank.slow().await, 1, 1).await.1;
        // Longer than the server waits for its client.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let mut pages = 0;
        let status = loop {
            match unread.message().await {
                Ok(page) => pages += u32::from(page.is_some()),
                Err(status) => break status,
            }
        };
        assert_told(Err::<(), _>(status), Code::DeadlineExceeded, "TIME_OVER");
        assert!(pages < 300, "{pages}");
    });
}

#[test]
fn reading_ends_with_an_error_when_the_bank_closes() {
    in_system(async {
        let test_bank = TestBank::open(&bank_of(1));
        let mut bank = test_bank.typed().await;
        deposit(&mut bank, 300).await;
        let mut unread = read(&mut test_bank.slow().await, 1, 1).await.1;
        test_bank.bank.drain();
        let status = loop {
            match unread.message().await {
                Ok(page) => assert!(page.is_some(), "it ends as if it were whole"),
                Err(status) => break status,
            }
        };
        assert_told(Err::<(), _>(status), Code::Unavailable, "DRAINING");
    });
}
