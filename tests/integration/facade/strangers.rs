//! What strangers send to a port that is not a proper call: each is told what is wrong with it.

use std::time::Duration;

use http_body_util::BodyExt;
use passbook::grpc::proto::banking::BranchRequest;
use passbook::grpc::proto::v1;
use passbook::grpc::{Limits, Origin};
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http::{HeaderMap, Request, Response, StatusCode};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::facade::elsewhere::asleep;
use crate::facade::test_bank::{TestBank, bank_of, branch, in_system, told, write};

const QUERY: &str = "/passbook.v1.BankService/Query";
const CLASSIC: &str = "/banking.Branch/MsgDelivery";

/// A message as gRPC frames it.
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("a small message").to_be_bytes();
    [&[0], length.as_slice(), message].concat()
}

fn query() -> Vec<u8> {
    let request = v1::QueryRequest { branch_id: 1, customer_id: 1, ..Default::default() };
    framed(&request.encode_to_vec())
}

/// Sends `body` over HTTP/2.
pub(crate) async fn post(
    test_bank: &TestBank,
    path: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> Response<Body> {
    let mut request = Request::post(format!("http://in-memory{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::new(http_body_util::Full::from(body))).expect("a request");
    let mut channel = test_bank.channel().await;
    std::future::poll_fn(|cx| channel.poll_ready(cx)).await.expect("the test_bank is open");
    channel.call(request).await.expect("an answer")
}

/// The status of a call that did not come as far as its service.
async fn status(
    test_bank: &TestBank,
    path: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> Status {
    let headers = [&[("content-type", "application/grpc")], headers].concat();
    let response = post(test_bank, path, &headers, body).await;
    assert_eq!(response.status(), StatusCode::OK);
    Status::from_header_map(response.headers()).expect("a status before any message")
}

#[track_caller]
fn assert_status(status: &Status, code: Code, reason: &str) {
    let found = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
    assert_eq!((status.code(), found.as_str()), (code, reason), "{status:?}");
}

/// Sends text over HTTP/1.1; what comes back.
async fn over_http_1(test_bank: &TestBank, request: &[u8]) -> String {
    let mut wire = test_bank.wire();
    wire.write_all(request).await.expect("the test_bank is open");
    let mut answer = Vec::new();
    wire.read_to_end(&mut answer).await.expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

async fn post_over_http_1(test_bank: &TestBank, path: &str, headers: &str, body: &[u8]) -> String {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: passbook\r\ncontent-length: {}\r\nconnection: close\r\n\
         {headers}\r\n",
        body.len()
    );
    over_http_1(test_bank, &[head.as_bytes(), body].concat()).await
}

#[test]
fn bytes_that_are_no_message_blame_the_client() {
    in_system(async {
        let test_bank = TestBank::open(&bank_of(1));
        // Field 7, customer_id, as text: an older form of the contract may have it so.
        let wrong_wire_type = framed(b"\x3a\x011");
        // Field 1, branch_id, as text.
        let wrong_type_in_typed = framed(b"\x0a\x011");
        let cut_off = query()[..6].to_vec();
        let flagged = [&[7], &query()[1..]].concat();
        let ends_within_a_field = framed(b"\x0a\x7fx");
        for (path, body, expected) in [
            (CLASSIC, wrong_wire_type, "customer_id: invalid wire type"),
            (QUERY, wrong_type_in_typed, "branch_id: invalid wire type"),
            (CLASSIC, ends_within_a_field, "buffer underflow"),
            (CLASSIC, framed(&[0xff; 30]), "invalid"),
            (QUERY, cut_off, "Unexpected EOF"),
            (QUERY, flagged, "invalid compression flag: 7"),
            (QUERY, Vec::new(), "Missing request message"),
        ] {
            let status = status(&test_bank, path, &[], body).await;
            assert_status(&status, Code::InvalidArgument, "UNREADABLE");
            assert!(status.message().starts_with("the request cannot be read: "), "{status:?}");
            assert!(status.message().contains(expected), "{status:?}");
        }
        let not_packed = [&[1], &query()[1..]].concat();
        let gzip = [("grpc-encoding", "gzip")];
        let unpacked = status(&test_bank, QUERY, &gzip, not_packed.clone()).await;
        assert_status(&unpacked, Code::InvalidArgument, "UNREADABLE");
        // These two codes are those of the gRPC compression specification.
        let no_encoding = status(&test_bank, QUERY, &[], not_packed.clone()).await;
        assert_status(&no_encoding, Code::Internal, "");
        let unknown = status(&test_bank, QUERY, &[("grpc-encoding", "br")], not_packed).await;
        assert_status(&unknown, Code::Unimplemented, "");
        assert!(unknown.message().contains("br"), "{unknown:?}");
    });
}

#[test]
fn an_empty_message_is_a_message_with_nothing_in_it() {
    in_system(async {
        let test_bank = TestBank::open(&bank_of(1));
        let status = status(&test_bank, QUERY, &[], framed(&[])).await;
        assert_status(&status, Code::InvalidArgument, "BAD_FIELD");
    });
}

#[test]
fn who_asks_for_what_is_not_served_is_told_what_is() {
    in_system(async {
        let test_bank = TestBank::with(&bank_of(1), Limits::default(), Some(branch(1)));
        let services = "banking.Branch, grpc.health.v1.Health, \
                        grpc.reflection.v1.ServerReflection, \
                        grpc.reflection.v1alpha.ServerReflection, passbook.v1.BankService";
        for path in ["/bank.Branch/MsgDelivery", "/Branch/MsgDelivery", "/", "/a/b/c"] {
            let status = status(&test_bank, path, &[], query()).await;
            assert_status(&status, Code::Unimplemented, "UNKNOWN_SERVICE");
            assert_eq!(told(&status, "services"), services);
            assert!(status.message().ends_with(services), "{status:?}");
        }
        for (path, methods) in [
            ("/banking.Branch/Deliver", "MsgDelivery"),
            ("/banking.Branch/", "MsgDelivery"),
            (
                "/passbook.v1.BankService/Transfer",
                "Deposit, Withdraw, Query, ListBranches, GetBranch, ReadBranch, WatchBranch, RunScenario, GetStatistics",
            ),
        ] {
            let status = status(&test_bank, path, &[], query()).await;
            assert_status(&status, Code::Unimplemented, "UNKNOWN_METHOD");
            assert_eq!(told(&status, "methods"), methods);
            assert!(status.message().contains(methods), "{status:?}");
        }
        // Where all branches live in one process there is nobody for peers.
        for test_bank in [test_bank, TestBank::open(&bank_of(1))] {
            let status =
                status(&test_bank, "/passbook.v1.PeerService/Introduce", &[], query()).await;
            assert_status(&status, Code::Unimplemented, "UNKNOWN_SERVICE");
            assert!(!told(&status, "services").contains("PeerService"), "{status:?}");
        }
        let mut options = bank_of(2);
        let _there = asleep(&mut options);
        let test_bank = TestBank::with(&options, Limits::default(), Some(branch(1)));
        let status = status(&test_bank, "/passbook.v1.PeerService/Meet", &[], query()).await;
        assert_status(&status, Code::Unimplemented, "UNKNOWN_METHOD");
        let methods = "Challenge, Prove, Introduce, Propagate, CatchUp";
        assert_eq!(told(&status, "methods"), methods);
    });
}

#[test]
fn what_is_no_grpc_is_told_so_in_http() {
    in_system(async {
        let test_bank = TestBank::open(&bank_of(1));
        for content_type in [
            "application/json",
            "application/grpc+json",
            "application/x-www-form-urlencoded",
            "application/grpcx",
        ] {
            let headers = [("content-type", content_type)];
            let response = post(&test_bank, QUERY, &headers, b"{}".to_vec()).await;
            assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "{content_type}");
            let text = response.into_body().collect().await.unwrap().to_bytes();
            assert!(text.starts_with(b"the content-type must be application/grpc"), "{text:?}");
            let header = format!("content-type: {content_type}\r\n");
            let answer = post_over_http_1(&test_bank, QUERY, &header, b"{}").await;
            assert!(answer.starts_with("HTTP/1.1 415 "), "{content_type}: {answer}");
        }
        assert_eq!(post(&test_bank, QUERY, &[], query()).await.status(), 415);
        let answer =
            post_over_http_1(&test_bank, QUERY, "content-type: application/grpc\r\n", &query())
                .await;
        assert!(answer.starts_with("HTTP/1.1 505 "), "{answer}");
        for method in ["GET", "PUT", "OPTIONS"] {
            let request =
                format!("{method} / HTTP/1.1\r\nhost: passbook\r\nconnection: close\r\n\r\n");
            let answer = over_http_1(&test_bank, request.as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 405 "), "{method}: {answer}");
            assert!(answer.contains("\r\nallow: POST\r\n"), "{method}: {answer}");
        }
    });
}

const PAGE: &str = "origin: https://bank.example\r\n";

fn preflight(origin: &str) -> String {
    format!(
        "OPTIONS {QUERY} HTTP/1.1\r\nhost: passbook\r\nconnection: close\r\n{origin}\
         access-control-request-method: POST\r\n\
         access-control-request-headers: content-type,x-grpc-web,branch\r\n\r\n"
    )
}

const GRPC_WEB: &str = "content-type: application/grpc-web+proto\r\nx-grpc-web: 1\r\n";

#[test]
fn a_page_from_elsewhere_may_call_where_its_origin_is_named() {
    in_system(async {
        let own = ["https://bank.example", "http://localhost:8080"].map(|o| o.parse().unwrap());
        let test_bank = TestBank::for_pages(&bank_of(1), Limits::default(), None, &own);
        let answer = over_http_1(&test_bank, preflight(PAGE).as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
        for line in [
            "access-control-allow-origin: https://bank.example",
            "access-control-allow-methods: POST",
            "access-control-allow-headers: content-type,x-grpc-web,branch",
            "access-control-max-age: 86400",
            "vary: origin",
        ] {
            assert!(answer.contains(&format!("\r\n{line}\r\n")), "{line}: {answer}");
        }
        let exposed = "\r\naccess-control-expose-headers: grpc-status, grpc-message, \
                       grpc-status-details-bin, grpc-encoding, grpc-accept-encoding, passbook-bin, \
                       passbook-balance, passbook-position, passbook-reason\r\n";
        let called =
            post_over_http_1(&test_bank, QUERY, &format!("{PAGE}{GRPC_WEB}"), &query()).await;
        assert!(called.starts_with("HTTP/1.1 200 "), "{called}");
        assert!(called.contains("grpc-status:0"), "{called}");
        // An error before the call is for the page to read too.
        let json = format!("{PAGE}content-type: application/json\r\n");
        let refused = post_over_http_1(&test_bank, QUERY, &json, b"{}").await;
        let unknown = post_over_http_1(&test_bank, "/x/Y", &format!("{PAGE}{GRPC_WEB}"), b"").await;
        for answer in [called, refused, unknown] {
            assert!(answer.contains(exposed), "{answer}");
            assert!(
                answer.contains("\r\naccess-control-allow-origin: https://bank.example\r\n"),
                "{answer}"
            );
        }
        let other = "origin: https://other.example\r\n";
        let answer = over_http_1(&test_bank, preflight(other).as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
        assert!(!answer.contains("access-control"), "{answer}");
    });
}

#[test]
fn pages_of_all_origins_may_call_or_none_which_is_the_default() {
    in_system(async {
        let all = TestBank::for_pages(&bank_of(1), Limits::default(), None, &[Origin::Any]);
        let answer = over_http_1(&all, preflight(PAGE).as_bytes()).await;
        assert!(answer.contains("\r\naccess-control-allow-origin: *\r\n"), "{answer}");
        let none = TestBank::open(&bank_of(1));
        let answer = over_http_1(&none, preflight(PAGE).as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
        let called = post_over_http_1(&none, QUERY, &format!("{PAGE}{GRPC_WEB}"), &query()).await;
        assert!(called.contains("grpc-status:0"), "{called}");
        assert!(!called.contains("access-control"), "{called}");
    });
}

/// The trailers of gRPC-web are a frame of the body.
#[test]
fn a_page_reads_why_a_classic_call_was_refused() {
    in_system(async {
        let test_bank = TestBank::with(&bank_of(1), Limits::default(), Some(branch(1)));
        let body = framed(&write("deposit", 1, -1.0).encode_to_vec());
        let answer = post_over_http_1(&test_bank, CLASSIC, GRPC_WEB, &body).await;
        let (_, frame) = answer.split_once("\u{fffd}\0\0\0").expect("a frame of trailers");
        assert!(frame.contains("grpc-status:0\r\n"), "{answer}");
        assert!(frame.contains("passbook-reason:BAD_FIELD: money: not positive"), "{answer}");
    });
}

#[test]
fn a_page_that_sends_no_message_is_told_so() {
    in_system(async {
        let test_bank = TestBank::open(&bank_of(1));
        let text = "content-type: application/grpc-web-text\r\n";
        for (headers, body) in [(GRPC_WEB, b"".as_slice()), (GRPC_WEB, b"\0\0"), (text, b"!!!!")] {
            let answer = post_over_http_1(&test_bank, QUERY, headers, body).await;
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
            // 3 is INVALID_ARGUMENT.
            assert!(answer.contains("grpc-status: 3\r\n"), "{answer}");
        }
    });
}

/// In HTTP/2 the reason comes after the reply, as a trailer and not as a header.
#[test]
fn the_reason_comes_after_the_reply() {
    in_system(async {
        let test_bank = TestBank::with(&bank_of(1), Limits::default(), Some(branch(1)));
        let body = framed(&BranchRequest::default().encode_to_vec());
        let headers = [("content-type", "application/grpc")];
        let response = post(&test_bank, CLASSIC, &headers, body).await;
        assert!(!response.headers().contains_key("passbook-reason"));
        let collected = response.into_body().collect().await.unwrap();
        let trailers: &HeaderMap = collected.trailers().expect("trailers");
        assert_eq!(trailers["grpc-status"], "0");
        let reason = trailers["passbook-reason"].to_str().unwrap();
        assert!(reason.starts_with("BAD_FIELD: type: expected \"customer\""), "{reason}");
    });
}

/// Nobody has cancelled it, and the write may have taken effect.
#[test]
fn a_call_whose_own_time_is_over_is_told_so() {
    in_system(async {
        let mut options = bank_of(2);
        options.branch.timeouts.confirm_limit = Some(Duration::from_secs(60));
        let _there = asleep(&mut options);
        let test_bank = TestBank::open(&options);
        let amount = "1".to_owned();
        let request =
            v1::DepositRequest { branch_id: 1, customer_id: 1, amount, ..Default::default() };
        let headers = format!("{GRPC_WEB}grpc-timeout: 50m\r\n");
        let path = "/passbook.v1.BankService/Deposit";
        let body = framed(&request.encode_to_vec());
        let answer = post_over_http_1(&test_bank, path, &headers, &body).await;
        // 4 is DEADLINE_EXCEEDED.
        assert!(answer.contains("\r\ngrpc-status: 4\r\n"), "{answer}");
        assert!(answer.contains("\r\ngrpc-message: no%20answer%20in%2050ms"), "{answer}");
        assert_eq!(test_bank.typed().await.holds(1, 1).await.balance, "101");
    });
}

/// It says how long its message is, and never sends all of it.
#[test]
fn a_call_that_does_not_come_whole_is_ended() {
    in_system(async {
        let limits = Limits { call_time_max: Duration::ZERO, ..Limits::default() };
        let test_bank = TestBank::with(&bank_of(1), limits, None);
        let head = format!(
            "POST {QUERY} HTTP/1.1\r\nhost: bank\r\n{GRPC_WEB}content-length: 100\r\n\
             connection: close\r\n\r\n"
        );
        let answer = over_http_1(&test_bank, head.as_bytes()).await;
        assert!(answer.contains("\r\ngrpc-status: 4\r\n"), "{answer}");
    });
}
