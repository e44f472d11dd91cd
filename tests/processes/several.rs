//! A bank whose branches live in three processes.

use passbook::grpc::proto::banking::BranchRequest;
use passbook::grpc::proto::v1;
use tokio::task::JoinSet;
use tonic::Code;
use tonic::transport::Channel;
use tonic_types::StatusExt;

use crate::process::{Process, classic, free_ports, one, state, typed, until, with_clients};

/// Where three branches are or will be.
struct Ports(u16);

impl Ports {
    fn serve(&self, branch: u16, more: &[&str]) -> Process {
        let mut args = vec![format!("--branch={branch}"), format!("--base-port={}", self.0 - 1)];
        for peer in (1..=3).filter(|&peer| peer != branch) {
            let port = self.0 + peer - 1;
            args.push(format!("--peer={peer}=http://127.0.0.1:{port}"));
        }
        args.extend(more.iter().map(|&arg| arg.to_owned()));
        Process::serve(&args, 1)
    }

    fn serve_all(&self, more: &[&str]) -> [Process; 3] {
        [1, 2, 3].map(|branch| self.serve(branch, more))
    }
}

fn deposit(customer_id: i32, event_id: i32) -> BranchRequest {
    BranchRequest {
        r#type: "customer".to_owned(),
        interface: "deposit".to_owned(),
        money: 1.0,
        id: customer_id,
        event_id,
        customer_id,
        ..BranchRequest::default()
    }
}

/// Waits until all three hold so many writes, and sees that they are the same.
async fn all_equal(channels: &[Channel; 3], writes: usize) -> v1::GetBranchResponse {
    let mut states = Vec::new();
    for (branch_id, channel) in (1..).zip(channels) {
        let all_there = |state: &v1::GetBranchResponse| state.events.len() >= writes;
        let state = until(|| state(channel.clone(), branch_id), all_there).await;
        states.push(v1::GetBranchResponse { branch_id: 0, write_sets: Vec::new(), ..state });
    }
    let [first, second, third] = states.try_into().expect("three");
    assert_eq!(first.events.len(), writes);
    assert_eq!(first, second);
    assert_eq!(first, third);
    first
}

fn versions(state: &v1::GetBranchResponse) -> Vec<u64> {
    let version = state.version.as_ref().expect("told");
    version.entries.iter().map(|entry| entry.applied).collect()
}

/// One is killed and brought back, and knows again what it had accepted itself.
#[test]
fn a_branch_that_lost_its_memory_gets_it_back_from_its_peers() {
    let ports = Ports(free_ports(3));
    let arguments = ["--confirm-limit=500ms", "--balance=100"];
    let [first, second, third] = ports.serve_all(&arguments);
    with_clients(async {
        let channels = [first.channel(), second.channel(), third.channel()];
        for event in 1..=4 {
            for (branch, channel) in (1..).zip(&channels) {
                typed(channel.clone()).deposit(one(branch, branch, Some(event))).await.unwrap();
            }
        }
        let state = all_equal(&channels, 12).await;
        assert_eq!((state.balance.as_str(), versions(&state)), ("112", vec![4, 4, 4]));

        second.kill();
        // Not confirmed by the one that is away, which is named; applied, and kept for it.
        let answer = typed(channels[0].clone()).deposit(one(1, 1, Some(5))).await.unwrap_err();
        assert_eq!(answer.code(), Code::DeadlineExceeded);
        let info = answer.get_details_error_info().unwrap();
        assert_eq!(info.reason, "OUTCOME_UNKNOWN");
        assert_eq!(info.metadata["unconfirmed_by"], "2");
        let reply = classic(channels[2].clone(), deposit(3, 5)).await.unwrap();
        assert_eq!((reply.status, reply.write_sets.as_str()), (400, "[1, 2, 3, 4, 5]"));

        let second = ports.serve(2, &arguments);
        // It waits until the branch has heard from all others.
        let deposited = typed(channels[1].clone()).deposit(one(2, 2, Some(5))).await.unwrap();
        assert_eq!(deposited.into_inner().event_id, 5);
        let state = all_equal(&channels, 15).await;
        // Branch 2 has begun another life.
        assert_eq!((state.balance.as_str(), versions(&state)), ("115", vec![5, 4, 1, 5]));
        // What nobody knew is known now.
        typed(channels[0].clone()).deposit(one(1, 1, Some(5))).await.unwrap();
        let reply = classic(channels[2].clone(), deposit(3, 5)).await.unwrap();
        assert_eq!((reply.status, reply.write_sets.as_str()), (200, "[1, 2, 3, 4, 5]"));

        for (process, signal) in [(first, "TERM"), (second, "INT"), (third, "TERM")] {
            let closed = process.close(signal);
            assert!(closed.status.success(), "{closed:?}");
            assert_eq!(closed.told()["balances"][0]["balance"], 115);
            assert!(!closed.log.contains("another write"), "{}", closed.log);
        }
    });
}

/// Each process gives event ids of its own: if two gave the same, two deposits would count as one.
#[test]
fn deposits_without_event_ids_at_every_process_all_count() {
    let ports = Ports(free_ports(3));
    let processes = ports.serve_all(&["--propagation=async", "--guarantees=none"]);
    with_clients(async {
        let channels = processes.each_ref().map(Process::channel);
        let mut calls = JoinSet::new();
        for _ in 0..20 {
            for (branch, channel) in (1..).zip(channels.clone()) {
                calls.spawn(async move {
                    typed(channel).deposit(one(branch, 1, None)).await.map(|_| ())
                });
            }
        }
        // A deposit may come after one with a higher id from elsewhere, and is then refused: it has
        // had no effect.
        let mut done = 0;
        while let Some(answer) = calls.join_next().await {
            match answer.unwrap() {
                Ok(()) => done += 1,
                Err(status) => assert_eq!(status.code(), Code::Aborted, "{status:?}"),
            }
        }
        assert!(done >= 20, "{done} of 60");
        let state = all_equal(&channels, done).await;
        assert_eq!(state.balance, done.to_string());
    });
}

#[test]
fn a_passbook_is_worth_the_same_in_every_process() {
    let ports = Ports(free_ports(3));
    let processes = ports.serve_all(&["--propagation=async"]);
    with_clients(async {
        let mut passbook = None;
        for (branch, process) in (0..10).flat_map(|_| (1..).zip(&processes)) {
            let request = v1::DepositRequest { passbook, ..one(branch, 1, None) };
            let deposited = typed(process.channel()).deposit(request).await.unwrap();
            passbook = Some(deposited.into_inner().passbook);
        }
        // Async propagation, and yet every branch has seen all of it when it answers.
        for (branch_id, process) in (1..).zip(&processes) {
            let (event_id, passbook) = (None, passbook.clone());
            let request = v1::QueryRequest { branch_id, customer_id: 1, event_id, passbook };
            let queried = typed(process.channel()).query(request).await.unwrap().into_inner();
            assert_eq!(queried.balance, "30");
        }
    });
}

/// Async propagation: its customers have their answers already.
#[test]
fn a_branch_that_closes_hands_over_what_it_has_accepted() {
    let ports = Ports(free_ports(3));
    let arguments = ["--propagation=async", "--guarantees=none"];
    let [first, second, third] = ports.serve_all(&arguments);
    with_clients(async {
        let mut calls = JoinSet::new();
        for customer in 1..=500 {
            let mut bank = typed(first.channel());
            calls.spawn(async move { bank.deposit(one(1, customer, None)).await });
        }
        assert!(calls.join_all().await.iter().all(Result::is_ok));
        first.close("TERM");
        for (branch, process) in [(2, &second), (3, &third)] {
            assert_eq!(state(process.channel(), branch).await.balance, "500");
        }
    });
}

#[test]
fn what_cannot_be_kept_for_a_peer_that_is_away_is_refused_and_counted() {
    let ports = Ports(free_ports(3));
    let arguments = ["--confirm-limit=10ms", "--kept-max=2"];
    let [first, second, third] = ports.serve_all(&arguments);
    with_clients(async {
        let mut bank = typed(first.channel());
        // All have heard from each other, and then two go.
        let request = v1::QueryRequest { branch_id: 1, customer_id: 1, ..Default::default() };
        bank.query(request).await.unwrap();
        second.kill();
        third.kill();
        let mut codes = Vec::new();
        for event in 1..=5 {
            codes.push(bank.deposit(one(1, 1, Some(event))).await.unwrap_err().code());
        }
        let (unknown, full) = (Code::DeadlineExceeded, Code::ResourceExhausted);
        assert_eq!(codes, [unknown, unknown, full, full, full]);
        // What was taken comes to the others when they are there, and then more is taken.
        let second = ports.serve(2, &["--confirm-limit=10s"]);
        let third = ports.serve(3, &["--confirm-limit=10s"]);
        let again = || {
            let mut bank = bank.clone();
            async move { bank.deposit(one(1, 1, Some(6))).await }
        };
        until(again, Result::is_ok).await.unwrap();
        all_equal(&[first.channel(), second.channel(), third.channel()], 3).await;
        let closed = first.close("TERM");
        let turned_away = closed.told()["turned_away"].as_u64();
        assert!(turned_away >= Some(3), "{closed:?}");
    });
}
