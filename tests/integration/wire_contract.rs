//! The classic contract, byte for byte: our stub made from `banking.proto` against one written by
//! hand from the field table that existing clients and branches go by.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

use passbook::grpc::proto::banking::branch_client::BranchClient;
use passbook::grpc::proto::banking::branch_server::{Branch, BranchServer};
use passbook::grpc::proto::banking::{BranchReply, BranchRequest};
use proptest::prelude::*;
use prost::Message;
use tonic::body::Body;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::{Service, http};
use tonic::server::UnaryService;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

const PATH: &str = "/banking.Branch/MsgDelivery";

/// `string type = 1; float balance = 2; string interface = 3; float money = 4; int32 id = 5;
/// int32 event_id = 6; int32 customer_id = 7; bool read_writes = 8`
#[derive(Clone, PartialEq, Message)]
struct RequestByHand {
    #[prost(string, tag = "1")]
    kind: String,
    #[prost(float, tag = "2")]
    balance: f32,
    #[prost(string, tag = "3")]
    interface: String,
    #[prost(float, tag = "4")]
    money: f32,
    #[prost(int32, tag = "5")]
    id: i32,
    #[prost(int32, tag = "6")]
    event_id: i32,
    #[prost(int32, tag = "7")]
    customer_id: i32,
    #[prost(bool, tag = "8")]
    read_writes: bool,
}

/// `int32 status = 1; string write_sets = 2; float balance = 3`
#[derive(Clone, PartialEq, Message)]
struct ReplyByHand {
    #[prost(int32, tag = "1")]
    status: i32,
    #[prost(string, tag = "2")]
    write_sets: String,
    #[prost(float, tag = "3")]
    balance: f32,
}

fn ours(by_hand: &RequestByHand) -> BranchRequest {
    let RequestByHand { kind, balance, interface, money, id, event_id, customer_id, read_writes } =
        by_hand.clone();
    BranchRequest {
        r#type: kind,
        balance,
        interface,
        money,
        id,
        event_id,
        customer_id,
        read_writes,
    }
}

fn our_reply(by_hand: &ReplyByHand) -> BranchReply {
    let ReplyByHand { status, write_sets, balance } = by_hand.clone();
    BranchReply { status, write_sets, balance }
}

fn any_request() -> impl Strategy<Value = RequestByHand> {
    let finite = || any::<f32>().prop_filter("comparable", |float| !float.is_nan());
    let floats = (finite(), finite());
    let ids = (any::<i32>(), any::<i32>(), any::<i32>());
    (any::<String>(), any::<String>(), floats, ids, any::<bool>()).prop_map(
        |(kind, interface, (balance, money), (id, event_id, customer_id), read_writes)| {
            RequestByHand {
                kind,
                balance,
                interface,
                money,
                id,
                event_id,
                customer_id,
                read_writes,
            }
        },
    )
}

fn any_reply() -> impl Strategy<Value = ReplyByHand> {
    let balance = any::<f32>().prop_filter("comparable", |float| !float.is_nan());
    (any::<i32>(), any::<String>(), balance).prop_map(|(status, write_sets, balance)| ReplyByHand {
        status,
        write_sets,
        balance,
    })
}

proptest! {
    #[test]
    fn both_stubs_write_and_read_the_same_request(request in any_request()) {
        let bytes = ours(&request).encode_to_vec();
        prop_assert_eq!(&request.encode_to_vec(), &bytes);
        prop_assert_eq!(BranchRequest::decode(bytes.as_slice()), Ok(ours(&request)));
        prop_assert_eq!(RequestByHand::decode(bytes.as_slice()), Ok(request));
    }

    #[test]
    fn both_stubs_write_and_read_the_same_reply(reply in any_reply()) {
        let bytes = our_reply(&reply).encode_to_vec();
        prop_assert_eq!(&reply.encode_to_vec(), &bytes);
        prop_assert_eq!(BranchReply::decode(bytes.as_slice()), Ok(our_reply(&reply)));
        prop_assert_eq!(ReplyByHand::decode(bytes.as_slice()), Ok(reply));
    }
}

/// Worked out by hand from the encoding: a key is the field's number times 8, plus 0 for a number
/// or truth value, 2 for a text, 5 for a float.
#[test]
fn a_deposit_of_400_is_these_bytes() {
    let request = BranchRequest {
        r#type: "customer".to_owned(),
        interface: "deposit".to_owned(),
        money: 400.0,
        id: 1,
        event_id: 2,
        customer_id: 1,
        ..BranchRequest::default()
    };
    let expected = [
        b"\x0a\x08customer".as_slice(),
        b"\x1a\x07deposit",
        b"\x25\x00\x00\xc8\x43",
        b"\x28\x01\x30\x02\x38\x01",
    ]
    .concat();
    assert_eq!(request.encode_to_vec(), expected);
}

/// Answers with what it was asked, so that a test sees whether all of it arrived.
fn echo(request: &RequestByHand) -> ReplyByHand {
    ReplyByHand { status: request.id, write_sets: request.kind.clone(), balance: request.money }
}

fn example() -> RequestByHand {
    RequestByHand {
        kind: "branch".to_owned(),
        balance: 0.0,
        interface: "withdraw".to_owned(),
        money: 0.01,
        id: 2,
        event_id: 3,
        customer_id: 1,
        read_writes: false,
    }
}

struct OurBranch;

#[tonic::async_trait]
impl Branch for OurBranch {
    async fn msg_delivery(
        &self,
        request: Request<BranchRequest>,
    ) -> Result<Response<BranchReply>, Status> {
        let request = request.into_inner();
        let reply =
            BranchReply { status: request.id, write_sets: request.r#type, balance: request.money };
        Ok(Response::new(reply))
    }
}

/// A branch made by someone else: it knows the path and the field table, and none of our code.
#[derive(Clone)]
struct BranchByHand;

impl UnaryService<RequestByHand> for BranchByHand {
    type Response = ReplyByHand;
    type Future = Ready<Result<Response<ReplyByHand>, Status>>;

    fn call(&mut self, request: Request<RequestByHand>) -> Self::Future {
        ready(Ok(Response::new(echo(request.get_ref()))))
    }
}

impl Service<http::Request<Body>> for BranchByHand {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        assert_eq!(request.uri().path(), PATH);
        let branch = self.clone();
        Box::pin(async move {
            let codec = ProstCodec::<ReplyByHand, RequestByHand>::default();
            Ok(tonic::server::Grpc::new(codec).unary(branch, request).await)
        })
    }
}

#[tokio::test]
async fn a_client_made_by_hand_calls_our_server() {
    let mut client = tonic::client::Grpc::new(BranchServer::new(OurBranch));
    let codec = ProstCodec::<RequestByHand, ReplyByHand>::default();
    client.ready().await.unwrap();
    let reply = client
        .unary(Request::new(example()), PathAndQuery::from_static(PATH), codec)
        .await
        .unwrap();
    assert_eq!(reply.into_inner(), echo(&example()));
}

#[tokio::test]
async fn our_client_calls_a_server_made_by_hand() {
    let mut client = BranchClient::new(BranchByHand);
    let reply = client.msg_delivery(ours(&example())).await.unwrap();
    assert_eq!(reply.into_inner(), our_reply(&echo(&example())));
}
