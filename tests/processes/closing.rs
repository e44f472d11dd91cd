//! SIGTERM loses no outcome: requests under way are answered before their connection closes.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use passbook::grpc::proto::banking::BranchRequest;
use passbook::grpc::proto::banking::branch_client::BranchClient;
use passbook::grpc::proto::v1;
use tokio::task::JoinSet;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::fakes::{asleep, hangs};
use crate::process::{Closed, Process, channel, one, state, typed, until, with_clients};

/// Branch 1, which waits a minute for a branch 2 that is there and never answers.
fn beside_one_that_sleeps() -> Process {
    let args = ["--branch=1", "--base-port=0", "--confirm-limit=60s"].map(str::to_owned);
    Process::serve(&[&args[..], &[format!("--peer=2={}", asleep())]].concat(), 1)
}

/// Closes a process that must end long before anything that waits in it has waited enough.
async fn close(process: Process, signal: &'static str) -> Closed {
    let closed = tokio::task::spawn_blocking(move || process.close(signal));
    let closed = tokio::time::timeout(Duration::from_secs(20), closed).await;
    closed.expect("it ends in time").expect("no panic")
}

/// A deposit of 1 by customer 21, in the classic contract.
fn classic_one() -> BranchRequest {
    BranchRequest {
        r#type: "customer".to_owned(),
        interface: "deposit".to_owned(),
        money: 1.0,
        id: 21,
        customer_id: 21,
        event_id: 1,
        ..BranchRequest::default()
    }
}

#[track_caller]
fn reason(status: &Status) -> (Code, String) {
    (status.code(), status.get_details_error_info().expect("details").reason)
}

#[test]
fn deposits_that_wait_for_a_peer_are_told_that_their_outcome_is_unknown() {
    with_clients(async {
        let process = beside_one_that_sleeps();
        let address = process.addresses[0].clone();
        let mut deposits = JoinSet::new();
        for customer in 1..=20 {
            // Each on a connection of its own.
            let channel = channel(&address);
            deposits.spawn(async move { typed(channel).deposit(one(1, customer, Some(1))).await });
        }
        let mut in_classic = BranchClient::new(process.channel());
        let in_classic = tokio::spawn(async move { in_classic.msg_delivery(classic_one()).await });
        let watcher = process.channel();
        until(|| state(watcher.clone(), 1), |state| state.events.len() == 21).await;
        let closed = close(process, "TERM").await;
        for answer in deposits.join_all().await {
            let status = answer.unwrap_err();
            let unknown = (Code::DeadlineExceeded, "OUTCOME_UNKNOWN".to_owned());
            assert_eq!(reason(&status), unknown, "{status:?}");
            let info = status.get_details_error_info().unwrap();
            assert_eq!(info.metadata["unconfirmed_by"], "2");
            assert!(status.metadata().get_bin("passbook-bin").is_some());
        }
        let answer = in_classic.await.unwrap().unwrap();
        let reason = answer.metadata().get("passbook-reason").unwrap().to_str().unwrap();
        assert!(reason.starts_with("OUTCOME_UNKNOWN: "), "{reason}");
        let reply = answer.into_inner();
        assert_eq!((reply.status, reply.write_sets.as_str()), (400, "[1]"));
        assert!(closed.status.success());
        let line = "closing with calls still under way, or writes that some branch has not got";
        assert!(closed.log.contains(line), "{}", closed.log);
        assert_eq!(closed.told()["balances"][0]["balance"], 21, "they are applied");
    });
}

#[test]
fn a_second_signal_and_a_client_that_does_not_read_lose_no_answer() {
    with_clients(async {
        let process = beside_one_that_sleeps();
        let mut silent = TcpStream::connect(&process.addresses[0]).unwrap();
        // The connection preface of HTTP/2 and an empty frame of settings; it never reads a byte.
        silent.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
        let client = process.channel();
        let deposit = tokio::spawn({
            let client = client.clone();
            async move { typed(client).deposit(one(1, 1, Some(1))).await }
        });
        until(|| state(client.clone(), 1), |state| state.events.len() == 1).await;
        process.signal("TERM");
        let closed = close(process, "TERM").await;
        let status = deposit.await.unwrap().unwrap_err();
        let unknown = (Code::DeadlineExceeded, "OUTCOME_UNKNOWN".to_owned());
        assert_eq!(reason(&status), unknown, "{status:?}");
        assert!(closed.status.success());
        drop(silent);
    });
}

/// Branch 2 never reaches branch 1, so that what it accepted is not there.
#[test]
fn a_query_that_waits_for_its_passbook_is_told_what_is_missing() {
    with_clients(async {
        let serve = |branch: u32, peer: String| {
            let fixed = ["--base-port=0", "--propagation=async", "--wait-limit=60s"];
            let own = [format!("--branch={branch}"), format!("--peer={peer}")];
            Process::serve(&[&fixed.map(str::to_owned)[..], &own].concat(), 1)
        };
        let second = serve(2, format!("1={}", hangs()));
        let first = serve(1, format!("2=http://{}", second.addresses[0]));
        // It has asked branch 2 for all that there is.
        typed(first.channel()).deposit(one(1, 2, Some(1))).await.unwrap();
        let deposited = typed(second.channel()).deposit(one(2, 1, Some(1))).await.unwrap();
        let passbook = Some(deposited.into_inner().passbook);
        let client = first.channel();
        let query = v1::QueryRequest { branch_id: 1, customer_id: 1, event_id: None, passbook };
        let query = tokio::spawn({
            let client = client.clone();
            async move { typed(client).query(query).await }
        });
        for _ in 0..2 {
            state(client.clone(), 1).await;
        }
        assert!(!query.is_finished());
        let closed = close(first, "TERM").await;
        let status = query.await.unwrap().unwrap_err();
        let missing = (Code::Unavailable, "VERSION_NOT_REACHED".to_owned());
        assert_eq!(reason(&status), missing, "{status:?}");
        let message = status.message();
        assert!(message.contains("needs 1 write of branch 2 in its life "), "{status:?}");
        assert!(message.ends_with(", has 0"), "{status:?}");
        assert!(closed.status.success());
    });
}
