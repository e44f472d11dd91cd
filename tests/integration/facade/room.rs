//! Errors of banks with many branches, over sockets, to clients that accept no more headers than
//! they must: what is told is cut, and the error comes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use passbook::bank::Passbook;
use passbook::grpc::proto::v1::bank_service_client::BankServiceClient;
use passbook::grpc::token::token_of;
use passbook::grpc::{Channel, Limits, Listener, Scenarios, Services};
use passbook::model::{Roster, Sequence};
use passbook::run::{LiveBank, LiveOptions};
use tonic::transport::Endpoint;
use tonic::{Code, Status};
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;

use crate::facade::elsewhere::{Away, Manner};
use crate::facade::test_bank::{At, LIFE, Typed, assert_told, bank_of, branch, in_system, told};

/// How much clients accept: as their libraries come, what the protocol proposes, and half of that.
const CLIENTS: [Option<u32>; 3] = [None, Some(8 << 10), Some(4 << 10)];

/// Serves `options` on a socket.
fn served(options: &LiveOptions) -> SocketAddr {
    let gateway = LiveBank::open(options, Vec::new()).gateway().clone();
    let (limits, origins) = (Limits::default(), Arc::default());
    let scenarios = Scenarios::none();
    let services = Services { gateway, scenarios, limits, origins };
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), None).expect("a port");
    let address = listener.address();
    actix_rt::spawn(async move { services.serve(listener, std::future::pending()).await });
    address
}

async fn channel(address: SocketAddr, header_bytes_max: Option<u32>) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address");
    let endpoint = match header_bytes_max {
        Some(max) => endpoint.http2_max_header_list_size(max),
        None => endpoint,
    };
    endpoint.connect().await.expect("it listens")
}

async fn client(address: SocketAddr, header_bytes_max: Option<u32>) -> Typed {
    Typed(BankServiceClient::new(channel(address, header_bytes_max).await))
}

/// A passbook that asks for one write of each branch.
fn far_ahead(options: &LiveOptions) -> Vec<u8> {
    let roster = Roster::clone(&options.roster).beginning_in(LIFE);
    let mut passbook = Passbook::new(&roster);
    for index in roster.indexes() {
        passbook.writes.cover(index, Sequence::new(1));
    }
    token_of(&passbook, &options.keys.tokens, &roster)
}

/// A bank of which only branch 1 lives here; the others are, or would be, where branch 2 is.
fn alone_of(branches: u32, second: &Away) -> LiveOptions {
    let mut options = bank_of(branches);
    let there = second.endpoint();
    options.elsewhere = (2..=branches).map(|id| (branch(id), there.clone())).collect();
    options
}

fn passbook(status: &Status) -> Option<Vec<u8>> {
    let token = status.metadata().get_bin("passbook-bin")?;
    Some(token.to_bytes().expect("base64").to_vec())
}

#[test]
fn a_version_that_hundreds_of_branches_lack_is_told_in_short() {
    in_system(async {
        let options = bank_of(300);
        let (address, ahead) = (served(&options), far_ahead(&options));
        for header_bytes_max in CLIENTS {
            let mut bank = client(address, header_bytes_max).await;
            let answer = bank.query(At(1, 1, None), Some(&ahead)).await;
            let status = assert_told(answer, Code::Unavailable, "VERSION_NOT_REACHED");
            assert_eq!(
                told(&status, "needed"),
                "1/5:1, 2/5:1, 3/5:1, 4/5:1, 5/5:1, 6/5:1, 7/5:1, 8/5:1 and 292 more"
            );
            assert!(
                status
                    .message()
                    .starts_with("not served in time: needs 1 write of branch 1 in its life 5,")
            );
            assert_eq!(passbook(&status), Some(ahead.clone()));
            let answer = bank.query(At(999, 1, None), None).await;
            let status = assert_told(answer, Code::NotFound, "UNKNOWN_BRANCH");
            assert_eq!(told(&status, "branches"), "1, 2, 3, 4, 5, 6, 7, 8 and 292 more");
        }
    });
}

#[test]
fn a_write_that_a_hundred_branches_have_not_confirmed_is_told_to_be_applied() {
    in_system(async {
        let second = Away::new();
        let mut options = alone_of(101, &second);
        options.branch.timeouts.wait_limit = Some(Duration::from_secs(20));
        let _there = second.arrive_as(Manner::Asleep);
        let address = served(&options);
        for (event, header_bytes_max) in (1..).zip(CLIENTS) {
            let mut bank = client(address, header_bytes_max).await;
            let answer = bank.deposit(At(1, 1, Some(event)), "1", None).await;
            let status = assert_told(answer, Code::DeadlineExceeded, "OUTCOME_UNKNOWN");
            assert_eq!(told(&status, "unconfirmed_by"), "2, 3, 4, 5, 6, 7, 8, 9 and 92 more");
            let token = passbook(&status).expect("there is room");
            let seen = bank.query(At(1, 1, None), Some(&token)).await.unwrap();
            assert_eq!(seen.position, u64::from(event));
        }
    });
}

/// The passbook has 4 kB here. That it is left out is said, and the old one stays good.
#[test]
fn where_a_passbook_has_no_room_the_error_comes_without_it() {
    in_system(async {
        let mut options = alone_of(2_000, &Away::new());
        options.links.return_limit = Duration::ZERO;
        let (address, ahead) = (served(&options), far_ahead(&options));
        for header_bytes_max in CLIENTS {
            let mut bank = client(address, header_bytes_max).await;
            let before = bank.query(At(1, 1, None), None).await.unwrap().passbook;
            let answer = bank.query(At(1, 1, None), Some(&ahead)).await;
            let status = assert_told(answer, Code::Unavailable, "VERSION_NOT_REACHED");
            // With a life of each branch in it.
            let left_out: usize = told(&status, "passbook_left_out").parse().unwrap();
            assert!(left_out > ahead.len(), "{left_out}");
            assert_eq!(passbook(&status), None);
            let answer = bank.deposit(At(1, 1, Some(1)), "1", Some(&before)).await;
            let status = assert_told(answer, Code::Unavailable, "RETURNING");
            assert_eq!(told(&status, "unheard"), "2, 3, 4, 5, 6, 7, 8, 9 and 1991 more");
            assert_eq!(status.metadata().get("passbook-balance").unwrap(), "100");
            let token = passbook(&status).expect("there is room where nobody has written");
            for shown in [&before, &token] {
                let seen = bank.query(At(1, 1, None), Some(shown)).await.unwrap();
                assert_eq!(seen.balance, "100");
            }
        }
    });
}

/// Reflection is not ours, and repeats what it does not find.
#[test]
fn what_reflection_repeats_is_cut() {
    in_system(async {
        let address = served(&bank_of(1));
        for header_bytes_max in CLIENTS {
            let channel = channel(address, header_bytes_max).await;
            let request = ServerReflectionRequest {
                host: String::new(),
                message_request: Some(MessageRequest::FileContainingSymbol("ß".repeat(100_000))),
            };
            let mut client = ServerReflectionClient::new(channel);
            let asked = client.server_reflection_info(tokio_stream::once(request)).await;
            let status = asked.unwrap().into_inner().message().await.unwrap_err();
            assert_eq!(status.code(), Code::NotFound, "{status:?}");
            assert!(status.message().contains("ßß"), "{status:?}");
        }
    });
}
