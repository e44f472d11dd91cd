//! Processes whose branches hold as many writes as they may.

use passbook::grpc::proto::v1;
use tempfile::TempDir;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::process::{Process, free_ports, one, passbook, state, typed, with_clients};

fn serve(args: &[&str], listeners: usize) -> Process {
    let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
    Process::serve(&args, listeners)
}

async fn statistics(channel: Channel) -> v1::GetStatisticsResponse {
    let asked = v1::GetStatisticsRequest {};
    typed(channel).get_statistics(asked).await.expect("it answers").into_inner()
}

#[track_caller]
fn assert_full<T: std::fmt::Debug>(answer: Result<T, Status>) {
    let status = answer.expect_err("it is full");
    let reason = status.get_details_error_info().expect("details").reason;
    assert_eq!((status.code(), reason.as_str()), (Code::ResourceExhausted, "FULL"));
}

/// Each process has a limit of its own, and refuses its own customers alone.
#[test]
fn a_process_that_is_full_still_applies_what_the_others_take() {
    let first_port = free_ports(2);
    let base = format!("--base-port={}", first_port - 1);
    let at = |id: u16| format!("--peer={id}=http://127.0.0.1:{}", first_port + id - 1);
    let first = serve(&["--branch=1", &at(2), &base, "--log-max=2"], 1);
    let second = serve(&["--branch=2", &at(1), &base, "--log-max=4"], 1);
    with_clients(async {
        let (mut at_first, mut at_second) = (typed(first.channel()), typed(second.channel()));
        at_first.deposit(one(1, 1, Some(1))).await.unwrap();
        at_second.deposit(one(2, 2, Some(1))).await.unwrap();
        assert_full(at_first.deposit(one(1, 1, Some(2))).await);
        // Sync propagation: it is answered when the full one has applied it.
        for event in [2, 3] {
            at_second.deposit(one(2, 2, Some(event))).await.unwrap();
        }
        assert_full(at_second.deposit(one(2, 2, Some(4))).await);
        // Whoever asks again is answered as before, wherever the write was taken.
        for customer in [1, 2] {
            at_first.deposit(one(1, customer, Some(1))).await.unwrap();
        }
        for (branch, process) in [(1, &first), (2, &second)] {
            let state = state(process.channel(), branch).await;
            assert_eq!((state.balance.as_str(), state.events.len()), ("4", 4));
        }
        let log = v1::LogStatistics { branch_id: 1, writes: 4, writes_max: Some(2) };
        assert_eq!(statistics(first.channel()).await.logs, [log]);
    });
    let closed = first.close("TERM");
    let line = "limits were hit: writes held (--log-max) once";
    assert!(closed.status.success() && closed.log.contains(line), "{closed:?}");
}

/// 64 MiB, of which the program itself takes half and each branch 5,000 bytes. The logs get a half of the
/// rest, and a write by a new customer takes 266 bytes at each branch.
#[test]
fn how_many_writes_are_held_follows_from_the_memory() {
    let process = serve(&["--base-port=0", "--memory-max=64MiB"], 2);
    with_clients(async {
        let told = statistics(process.channel()).await;
        let log = |branch_id| v1::LogStatistics { branch_id, writes: 0, writes_max: Some(31_526) };
        assert_eq!(told.logs, [log(1), log(2)]);
    });
    let closed = process.close("TERM");
    assert!(!closed.log.contains("limits"), "none was hit: {closed:?}");
    // With a disk the other branch may have 10,000 on their way that this disk has not kept, and each of
    // them takes as much as four: they get up to half.
    let folder = TempDir::new().unwrap();
    let data = format!("--data={}", folder.path().display());
    let process = serve(&["--base-port=0", "--memory-max=64MiB", &data], 2);
    with_clients(async {
        let told = statistics(process.channel()).await;
        let most = told.logs.iter().map(|log| log.writes_max);
        assert_eq!(most.collect::<Vec<_>>(), [Some(15_763); 2]);
    });
}

#[test]
fn more_writes_than_have_room_are_refused_before_anything_is_served() {
    let args = ["serve", "--base-port=0", "--memory-max=100MB", "--log-max=1000000"];
    let output = passbook(&args.map(str::to_owned)).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "error: 1000000 writes at each branch take about 508MiB, and 64MiB of memory are left for \
         them; choose a lower --log-max, or allow more with --memory-max\n"
    );
}
