//! Clients that ask too much, or no sense at all: they are told, and nobody else is harmed.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use passbook::grpc::Limits;
use passbook::grpc::proto::v1;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinSet;
use tonic::Code;
use tonic::codec::CompressionEncoding;

use crate::facade::elsewhere::asleep;
use crate::facade::test_bank::{At, TestBank, assert_told, bank_of, in_system, told};

/// The connection preface of HTTP/2 and an empty frame of settings.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// Sends `bytes` and no more; what comes back until the server closes the connection.
async fn send(mut wire: DuplexStream, bytes: &[u8]) -> io::Result<Vec<u8>> {
    wire.write_all(bytes).await?;
    wire.shutdown().await?;
    rest(wire).await
}

async fn rest(mut wire: DuplexStream) -> io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    wire.read_to_end(&mut answer).await?;
    Ok(answer)
}

#[test]
fn bytes_that_make_no_sense_harm_nobody() {
    in_system(async {
        let test_bank = TestBank::open(&bank_of(1));
        let mut bank = test_bank.typed().await;
        let truncated = [PREFACE, b"\0\x10\0\x01\x04\0\0\0\x01half a header"].concat();
        let oversized = [PREFACE, b"\xff\xff\xff\0\0\0\0\0\x01"].concat();
        let zeros = vec![0; 100_000];
        for garbage in [b"".as_slice(), b"\x16\x03\x01 is TLS", &zeros, &truncated, &oversized] {
            // The server may hang up before all is sent; then nothing comes back.
            let answer = send(test_bank.wire(), garbage).await.unwrap_or_default();
            assert!(!String::from_utf8_lossy(&answer).contains("200"), "{answer:?}");
            assert_eq!(bank.query(At(1, 1, None), None).await.unwrap().balance, "100");
        }
    });
}

#[test]
fn a_plain_http_1_request_gets_an_http_1_error() {
    in_system(async {
        let test_bank = TestBank::open(&bank_of(1));
        let request = b"GET / HTTP/1.1\r\nhost: passbook\r\nconnection: close\r\n\r\n";
        let mut wire = test_bank.wire();
        wire.write_all(request).await.unwrap();
        let answer = rest(wire).await.unwrap();
        let text = String::from_utf8_lossy(&answer);
        assert!(text.starts_with("HTTP/1.1 4"), "{text}");
        let mut bank = test_bank.typed().await;
        assert_eq!(bank.query(At(1, 1, None), None).await.unwrap().balance, "100");
    });
}

#[test]
fn a_message_that_is_too_large_is_refused_compressed_or_not() {
    in_system(async {
        let limits = Limits { message_bytes_max: 1000, ..Limits::default() };
        let test_bank = TestBank::with(&bank_of(1), limits, None);
        let mut bank = test_bank.typed().await;
        let large = "1".repeat(2000);
        let answer = bank.deposit(At(1, 1, None), &large, None).await;
        let status = assert_told(answer, Code::ResourceExhausted, "TOO_LARGE");
        assert_eq!(told(&status, "limit_bytes"), "1000");
        assert_eq!(status.message(), "the message is too large; the limit is 1000 bytes");
        // Small on the wire and large when unpacked.
        bank.0 = bank.0.send_compressed(CompressionEncoding::Gzip);
        let answer = bank.deposit(At(1, 1, None), &"1".repeat(200_000), None).await;
        assert_told(answer, Code::ResourceExhausted, "TOO_LARGE");
        assert_eq!(bank.query(At(1, 1, None), None).await.unwrap().balance, "100");
    });
}

#[test]
fn headers_that_are_too_large_are_refused() {
    in_system(async {
        let limits = Limits { header_bytes_max: 1000, ..Limits::default() };
        let test_bank = TestBank::with(&bank_of(1), limits, None);
        let mut bank = test_bank.typed().await;
        let mut request = tonic::Request::new(v1::ListBranchesRequest {});
        request.metadata_mut().insert("filler", "x".repeat(2000).parse().unwrap());
        assert!(bank.0.list_branches(request).await.is_err());
        assert_eq!(bank.query(At(1, 1, None), None).await.unwrap().balance, "100");
    });
}

/// HTTP/2 tells a client how many calls it may make at the same time, and it waits by itself.
#[test]
fn more_calls_than_a_connection_may_make_wait_for_their_turn() {
    in_system(async {
        let limits = Limits { calls_max: 2, ..Limits::default() };
        let test_bank = TestBank::with(&bank_of(1), limits, None);
        let bank = test_bank.typed().await;
        let mut calls = JoinSet::new();
        for _ in 0..20 {
            let mut bank = bank.clone();
            calls.spawn(async move { bank.deposit(At(1, 1, None), "1", None).await });
        }
        assert!(calls.join_all().await.iter().all(Result::is_ok));
    });
}

#[test]
fn more_requests_than_may_wait_are_refused_and_counted() {
    in_system(async {
        let limits = Limits { waiting_max: 2, ..Limits::default() };
        let mut options = bank_of(2);
        options.branch.timeouts.confirm_limit = Some(Duration::from_secs(60));
        let _there = asleep(&mut options);
        let test_bank = TestBank::with(&options, limits, None);
        let mut bank = test_bank.typed().await;
        let mut calls = JoinSet::new();
        // One is given its event id; one brings it, and goes straight to its branch.
        for at in [At(1, 1, None), At(1, 2, Some(1))] {
            let mut bank = bank.clone();
            calls.spawn(async move { bank.deposit(at, "1", None).await });
        }
        bank.holds(1, 2).await;
        for at in [At(1, 3, None), At(1, 3, Some(1))] {
            let answer = bank.deposit(at, "1", None).await;
            let status = assert_told(answer, Code::ResourceExhausted, "OVERLOADED");
            assert_eq!(told(&status, "waiting"), "2");
        }
        assert_eq!(test_bank.bank.gateway().turned_away(), 2);
        // Who goes away leaves a request behind that waits on.
        calls.shutdown().await;
        assert_told(bank.query(At(1, 3, None), None).await, Code::ResourceExhausted, "OVERLOADED");
        assert_eq!(bank.get(1).await.unwrap().events.len(), 2);
    });
}

#[test]
fn a_call_that_takes_too_long_is_told_so_and_its_write_goes_on() {
    in_system(async {
        let limits = Limits { call_time_max: Duration::from_millis(50), ..Limits::default() };
        let mut options = bank_of(2);
        options.branch.timeouts.confirm_limit = Some(Duration::from_secs(60));
        let there = asleep(&mut options);
        let test_bank = TestBank::with(&options, limits, None);
        let mut bank = test_bank.typed().await;
        let answer = bank.deposit(At(1, 1, Some(1)), "1", None).await;
        assert_told(answer, Code::DeadlineExceeded, "TIME_OVER");
        assert_eq!(bank.query(At(1, 1, None), None).await.unwrap().balance, "101");
        // The write is still on its way: it is confirmed when the other branch is there.
        there.wake();
        loop {
            match bank.deposit(At(1, 1, Some(1)), "1", None).await {
                Ok(deposited) => break assert_eq!(deposited.balance, "101"),
                Err(status) => assert_eq!(status.code(), Code::DeadlineExceeded),
            }
        }
        assert_eq!(there.sets(), [vec![1]]);
    });
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = taken.local_addr().unwrap();
    let error = passbook::grpc::Listener::bind(address, None).unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "cannot listen on {address}: another program uses this port; choose another with \
             --base-port, --single-port or port 0"
        )
    );
}
