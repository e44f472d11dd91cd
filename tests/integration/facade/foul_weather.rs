//! What clients see of a bank in which things go wrong on purpose.

use std::time::Duration;

use passbook::grpc::proto::v1;
use passbook::model::{Propagation, Time};
use passbook::network::{Crash, Faults, Keeps, Partition, ScheduledFault, Slowness};
use passbook::run::LiveOptions;
use tonic::{Code, Status};

use crate::facade::test_bank::{
    At, TestBank, Typed, assert_told, bank_of, branch, in_system, read_writes, told, write,
};

const MS: Duration = Duration::from_millis(1);

/// From the start of the bank until after `ms` milliseconds.
fn until(ms: u64) -> (Time, Time) {
    (Time::START, Time::from_us(ms * 1000))
}

fn partition(ms: u64) -> ScheduledFault {
    let (at, until) = until(ms);
    let sides = [1, 2].map(|id| vec![branch(id)]).into();
    ScheduledFault::Partition(Partition { sides, one_way: false, at, until })
}

/// Branch 1 is down from one moment to another.
fn crash(keeps: Keeps, from_ms: u64, until_ms: u64) -> ScheduledFault {
    let [at, until] = [from_ms, until_ms].map(|ms| Time::from_us(ms * 1000));
    ScheduledFault::Crash(Crash { branch: branch(1), keeps, at, until })
}

/// Two branches, between which and with which this goes wrong.
fn bank_with(faults: Faults) -> LiveOptions {
    let mut options = LiveOptions { faults: Some(Box::new(faults)), ..bank_of(2) };
    options.branch.propagation = Propagation::Async;
    let timeouts = &mut options.branch.timeouts;
    (timeouts.wait_limit, timeouts.confirm_limit) = (Some(10_000 * MS), Some(10_000 * MS));
    (timeouts.resend_after, timeouts.return_limit) = (Some(20 * MS), Some(5_000 * MS));
    options
}

fn scheduled(schedule: impl Into<Vec<ScheduledFault>>) -> LiveOptions {
    bank_with(Faults { schedule: schedule.into(), ..Faults::default() })
}

fn lossy(rates: &str) -> Faults {
    Faults { rates: rates.parse().expect("rates"), ..Faults::default() }
}

/// Asks until the branch that is asked is up.
async fn when_up<T>(mut ask: impl AsyncFnMut() -> Result<T, Status>) -> T {
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(status) if status.message() == DOWN => tokio::time::sleep(5 * MS).await,
            Err(status) => panic!("{status:?}"),
        }
    }
}

const DOWN: &str = "unavailable: the branch is down";

fn assert_down<T: std::fmt::Debug>(answer: Result<T, Status>) {
    let status = assert_told(answer, Code::Unavailable, "RETURNING");
    assert_eq!(status.message(), DOWN);
}

#[test]
fn where_every_message_is_lost_a_read_misses_the_write_before_it_or_is_refused() {
    let mut options = bank_with(lossy("loss=1"));
    options.branch.timeouts.wait_limit = Some(100 * MS);
    in_system(async {
        let test_bank = TestBank::open(&options);
        let mut bank = test_bank.typed().await;
        let passbook = bank.deposit(At(1, 1, None), "400", None).await.unwrap().passbook;
        assert_eq!(bank.query(At(2, 1, None), None).await.unwrap().balance, "100");
        let refused = bank.query(At(2, 1, None), Some(&passbook)).await;
        let status = assert_told(refused, Code::Unavailable, "VERSION_NOT_REACHED");
        assert_eq!(
            (told(&status, "needed"), told(&status, "here")),
            ("1/5:1".into(), "1/5:0".into())
        );
        assert!(test_bank.bank.struck().unwrap().loss > 1, "it is sent again");
        // When nothing goes wrong any more, what was lost is sent again and arrives.
        test_bank.bank.clear_up();
        bank.holds(2, 1).await;
        let read = bank.query(At(2, 1, None), Some(&passbook)).await.unwrap();
        assert_eq!(read.balance, "500");
    });
}

#[test]
fn a_read_waits_out_a_partition_where_it_shows_its_passbook() {
    in_system(async {
        let test_bank = TestBank::open(&scheduled([partition(1000)]));
        let mut bank = test_bank.typed().await;
        let passbook = bank.deposit(At(1, 1, None), "400", None).await.unwrap().passbook;
        assert_eq!(bank.query(At(2, 1, None), None).await.unwrap().balance, "100");
        let read = bank.query(At(2, 1, None), Some(&passbook)).await.unwrap();
        assert_eq!((read.balance.as_str(), read.position), ("500", 1));
        assert!(test_bank.bank.struck().unwrap().partition > 0);
    });
}

#[test]
fn with_loss_duplicates_and_reordering_every_write_counts_once() {
    let mut options = bank_with(lossy("loss=0.3,duplicate=0.5,reorder=0.5"));
    options.branch.propagation = Propagation::Sync;
    in_system(async {
        let test_bank = TestBank::open(&options);
        let mut bank = test_bank.typed().await;
        for event in 1..=20 {
            bank.deposit(At(1 + event % 2, 1, Some(event)), "1", None).await.unwrap();
        }
        for id in [1, 2] {
            let state = bank.get(id).await.unwrap();
            assert_eq!((state.balance.as_str(), state.events.len()), ("120", 20));
        }
        let struck = test_bank.bank.struck().unwrap();
        assert!(struck.loss > 0 && struck.duplicate > 0, "{struck:?}");
    });
}

/// Whatever asks a branch that is down, in both contracts.
#[test]
fn a_branch_that_is_down_serves_nobody_and_does_not_say_how_it_stands() {
    in_system(async {
        let test_bank = TestBank::open(&scheduled([crash(Keeps::All, 0, 60_000)]));
        let mut bank = test_bank.typed().await;
        while bank.query(At(1, 1, None), None).await.is_ok() {}
        assert_down(bank.query(At(1, 1, None), None).await);
        assert_down(bank.deposit(At(1, 1, None), "1", None).await);
        assert_down(bank.deposit(At(1, 1, Some(1)), "1", None).await);
        assert_down(bank.get(1).await);
        assert_down(bank.0.list_branches(v1::ListBranchesRequest {}).await);
        let (branch_id, from_position) = (1, 0);
        let watch = v1::WatchBranchRequest { branch_id, from_position };
        assert_down(bank.0.watch_branch(watch).await);
        let read = v1::ReadBranchRequest { branch_id, from_position, page_writes_max: 0 };
        assert_down(bank.0.read_branch(read).await);
        let mut classic = test_bank.classic().await;
        for (request, write_sets) in [(write("deposit", 1, 1.0), "[]"), (read_writes(), "")] {
            let reply = classic.send_to("1", request).await.unwrap();
            assert_eq!((reply.status, reply.write_sets.as_str()), (400, write_sets));
        }
        // The process goes on, and so does the other branch.
        let statistics = bank.0.get_statistics(v1::GetStatisticsRequest {}).await.unwrap();
        let logs = statistics.into_inner().logs;
        assert_eq!(logs.iter().map(|log| log.branch_id).collect::<Vec<_>>(), [2]);
        assert_eq!(bank.query(At(2, 1, None), None).await.unwrap().balance, "100");
    });
}

#[test]
fn a_client_that_asks_again_with_the_same_event_id_is_served_once() {
    in_system(async {
        // Branch 2 confirms nothing before branch 1 has stopped.
        let mut options = scheduled([partition(1100), crash(Keeps::All, 1000, 1200)]);
        options.branch.propagation = Propagation::Sync;
        let test_bank = TestBank::open(&options);
        let mut bank = test_bank.typed().await;
        let in_hand = bank.deposit(At(1, 1, Some(5)), "10", None).await;
        let status = assert_told(in_hand, Code::DeadlineExceeded, "OUTCOME_UNKNOWN");
        assert_eq!(status.message(), "outcome unknown: the branch stopped before it answered");
        assert_down(bank.deposit(At(1, 1, Some(5)), "10", None).await);
        let again = when_up(async || bank.deposit(At(1, 1, Some(5)), "10", None).await).await;
        assert_eq!((again.event_id, again.position, again.balance.as_str()), (5, 1, "110"));
        for id in [1, 2] {
            assert_eq!(bank.get(id).await.unwrap().events.len(), 1);
        }
    });
}

#[test]
fn a_request_that_a_slow_branch_has_not_taken_up_when_it_stops_was_not_done() {
    in_system(async {
        let (at, until) = until(60_000);
        let slow = Slowness { branch: branch(1), delay: 30_000 * MS, at, until };
        let slow = ScheduledFault::Slow(slow);
        let test_bank = TestBank::open(&scheduled([slow, crash(Keeps::All, 1000, 60_000)]));
        let mut bank = test_bank.typed().await;
        assert_down(bank.deposit(At(1, 1, None), "1", None).await);
        assert_eq!(test_bank.bank.struck().unwrap().slow, 1);
    });
}

#[test]
fn what_a_branch_forgets_before_anybody_has_heard_of_it_is_told_to_be_lost() {
    in_system(async {
        let schedule = [partition(1100), crash(Keeps::First(0), 1000, 1200)];
        let test_bank = TestBank::open(&scheduled(schedule));
        let mut bank = test_bank.typed().await;
        let passbook = bank.deposit(At(1, 1, Some(1)), "400", None).await.unwrap().passbook;
        let lost = bank.query(At(2, 1, None), Some(&passbook)).await;
        let status = assert_told(lost, Code::DataLoss, "WRITES_LOST");
        let passbook = status.metadata().get_bin("passbook-bin").unwrap().to_bytes().unwrap();
        let read = bank.query(At(1, 1, None), Some(&passbook)).await.unwrap();
        assert_eq!((read.balance.as_str(), read.position), ("100", 0));
        // It begins a life of its own, in which the same event is another write.
        let again = bank.deposit(At(1, 1, Some(1)), "400", Some(&passbook)).await.unwrap();
        assert_eq!(bank.holds(2, 1).await.balance, "500");
        let read = bank.query(At(2, 1, None), Some(&again.passbook)).await.unwrap();
        assert_eq!(read.balance, "500");
    });
}

#[test]
fn what_a_branch_forgets_and_others_hold_comes_back() {
    in_system(async {
        let test_bank = TestBank::open(&scheduled([crash(Keeps::First(0), 1000, 2000)]));
        let mut bank = test_bank.typed().await;
        let passbook = bank.deposit(At(1, 1, None), "400", None).await.unwrap().passbook;
        bank.holds(2, 1).await;
        while bank.get(1).await.is_ok() {}
        let read = when_up(async || bank.query(At(1, 1, None), Some(&passbook)).await).await;
        assert_eq!((read.balance.as_str(), read.position), ("500", 1));
    });
}

#[test]
fn who_watches_or_reads_a_branch_is_told_when_it_stops() {
    in_system(async {
        let test_bank = TestBank::open(&scheduled([crash(Keeps::First(0), 1000, 1001)]));
        let mut bank: Typed = test_bank.typed().await;
        bank.deposit(At(1, 1, None), "1", None).await.unwrap();
        let watch = v1::WatchBranchRequest { branch_id: 1, from_position: 0 };
        let mut watched = bank.0.watch_branch(watch).await.unwrap().into_inner();
        assert_eq!(watched.message().await.unwrap().unwrap().position, 1);
        assert_down(watched.message().await);
    });
}

/// A customer of whom nothing is remembered brings no event id, and a branch that is down may hold
/// writes of it.
#[test]
fn no_event_id_is_given_that_a_branch_may_hold_which_is_down() {
    in_system(async {
        let mut options = scheduled([partition(60_000), crash(Keeps::All, 1000, 1200)]);
        options.sessions_max = 1;
        let test_bank = TestBank::open(&options);
        let mut bank = test_bank.typed().await;
        // Branch 1 alone hears of it.
        assert_eq!(bank.deposit(At(1, 1, None), "400", None).await.unwrap().event_id, 1);
        bank.deposit(At(2, 2, None), "1", None).await.unwrap();
        while bank.get(1).await.is_ok() {}
        assert_down(bank.deposit(At(2, 1, None), "400", None).await);
        let given = when_up(async || bank.deposit(At(2, 1, None), "400", None).await).await;
        assert_eq!(given.event_id, 2);
    });
}

/// A server that is cut off for days keeps no more than this.
#[test]
fn no_more_is_kept_for_a_branch_that_is_cut_off_than_may_be() {
    in_system(async {
        let mut options = scheduled([partition(60_000)]);
        options.branch.kept_max = Some(2);
        let test_bank = TestBank::open(&options);
        let mut bank = test_bank.typed().await;
        for event in [1, 2] {
            bank.deposit(At(1, 1, Some(event)), "1", None).await.unwrap();
        }
        let third = bank.deposit(At(1, 1, Some(3)), "1", None).await;
        let status = assert_told(third, Code::ResourceExhausted, "CONGESTED");
        assert_eq!(told(&status, "congested"), "2");
        test_bank.bank.clear_up();
        bank.holds(2, 2).await;
        loop {
            match bank.deposit(At(1, 1, Some(3)), "1", None).await {
                Ok(deposited) => break assert_eq!(deposited.position, 3),
                Err(status) => assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}"),
            }
        }
    });
}
