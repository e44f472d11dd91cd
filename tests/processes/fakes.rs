//! What may listen where a branch should be.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::thread;

use passbook::grpc::proto::banking::branch_server::{Branch, BranchServer};
use passbook::grpc::proto::banking::{BranchReply, BranchRequest};
use passbook::grpc::proto::v1;
use passbook::grpc::proto::v1::peer_service_server::{PeerService, PeerServiceServer};
use tokio::sync::Notify;
use tonic::metadata::MetadataValue;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Request, Response, Status};
use tonic_health::ServingStatus;
use tonic_types::{ErrorDetails, StatusExt};

/// How a fake branch answers.
pub(crate) enum Answers {
    With(BranchReply),
    /// 400, with a reason.
    Because(&'static str),
    /// Nothing, ever.
    Never,
    /// The whole server ends in place of an answer.
    Dies,
}

/// A branch that answers as it is told.
struct Fake<F> {
    answer: F,
    dies: Arc<Notify>,
}

#[tonic::async_trait]
impl<F: Fn(&BranchRequest) -> Answers + Send + Sync + 'static> Branch for Fake<F> {
    async fn msg_delivery(
        &self,
        request: Request<BranchRequest>,
    ) -> Result<Response<BranchReply>, Status> {
        match (self.answer)(request.get_ref()) {
            Answers::With(reply) => Ok(Response::new(reply)),
            Answers::Because(reason) => {
                let mut response = Response::new(reply(400, "[]", 0.0));
                let reason = MetadataValue::from_static(reason);
                response.metadata_mut().insert("passbook-reason", reason);
                Ok(response)
            }
            Answers::Never => std::future::pending().await,
            Answers::Dies => {
                self.dies.notify_one();
                std::future::pending().await
            }
        }
    }
}

/// Of a peer, no more than how it begins.
struct FakePeer {
    version: Option<u32>,
}

#[tonic::async_trait]
impl PeerService for FakePeer {
    type CatchUpStream = tokio_stream::Empty<Result<v1::CatchUpResponse, Status>>;

    async fn challenge(
        &self,
        _: Request<v1::ChallengeRequest>,
    ) -> Result<Response<v1::ChallengeResponse>, Status> {
        if self.version.is_none() {
            // So a passbook of version 0 names a method that it does not have.
            let (code, message) = (Code::Unimplemented, "no method \"Challenge\"");
            return Err(Status::with_error_details(
                code,
                message,
                ErrorDetails::with_error_info("UNKNOWN_METHOD", "passbook", []),
            ));
        }
        let (nonce, version) = (vec![0; 16], self.version);
        Ok(Response::new(v1::ChallengeResponse { nonce, version, ..Default::default() }))
    }

    async fn prove(
        &self,
        _: Request<v1::ProveRequest>,
    ) -> Result<Response<v1::ProveResponse>, Status> {
        Err(Status::internal("it was not to come so far"))
    }

    async fn introduce(
        &self,
        _: Request<v1::IntroduceRequest>,
    ) -> Result<Response<v1::IntroduceResponse>, Status> {
        Err(Status::internal("it was not to come so far"))
    }

    async fn propagate(
        &self,
        _: Request<v1::PropagateRequest>,
    ) -> Result<Response<v1::PropagateResponse>, Status> {
        Err(Status::internal("it was not to come so far"))
    }

    async fn catch_up(
        &self,
        _: Request<v1::CatchUpRequest>,
    ) -> Result<Response<Self::CatchUpStream>, Status> {
        Err(Status::internal("it was not to come so far"))
    }
}

fn listener() -> (TcpListener, String) {
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listener = TcpListener::bind(any_port).expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    (listener, address)
}

/// Serves `router` on a thread of its own until `dies`; where it is.
fn served(
    router: impl FnOnce() -> tonic::transport::server::Router + Send + 'static,
    dies: Arc<Notify>,
) -> String {
    let (listener, address) = listener();
    listener.set_nonblocking(true).expect("a socket");
    thread::spawn(move || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().expect("a runtime");
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
            let serving = router().serve_with_incoming(TcpIncoming::from(listener));
            tokio::select! {
                served = serving => served.expect("it serves"),
                () = dies.notified() => {}
            }
        });
        // Its connections end with the runtime.
        runtime.shutdown_background();
    });
    address
}

/// A branch that answers each call by `answer`.
pub(crate) fn branch(answer: impl Fn(&BranchRequest) -> Answers + Send + Sync + 'static) -> String {
    let dies = Arc::new(Notify::new());
    let fake = Fake { answer, dies: Arc::clone(&dies) };
    served(move || Server::builder().add_service(BranchServer::new(fake)), dies)
}

/// A branch that holds `balance` for ever, whatever it is asked, and no writes.
pub(crate) fn idle(balance: f32) -> String {
    branch(move |_| Answers::With(reply(200, "[]", balance)))
}

/// A branch that speaks the peer service in the version that it answers a challenge with, or knows
/// of no challenges.
pub(crate) fn peer(version: Option<u32>) -> String {
    let service = PeerServiceServer::new(FakePeer { version });
    served(move || Server::builder().add_service(service), Arc::new(Notify::new()))
}

/// A gRPC server with another service.
pub(crate) fn other_service() -> String {
    let health = || {
        let (_, service) = tonic_health::server::health_reporter();
        Server::builder().add_service(service)
    };
    served(health, Arc::new(Notify::new()))
}

/// A gRPC server that takes no requests now, and says so.
pub(crate) fn not_serving() -> String {
    let health = || {
        let (reporter, service) = tonic_health::server::health_reporter();
        let told = pin!(reporter.set_service_status("", ServingStatus::NotServing));
        // Nobody else is there yet, so that it is said at once.
        assert!(told.poll(&mut Context::from_waker(Waker::noop())).is_ready());
        Server::builder().add_service(service)
    };
    served(health, Arc::new(Notify::new()))
}

/// A branch that never answers.
pub(crate) fn asleep() -> String {
    branch(|_| Answers::Never)
}

/// Takes connections, and says nothing.
pub(crate) fn hangs() -> String {
    let (listener, address) = listener();
    thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    address
}

/// Answers whoever has sent the head of a request by `answer`, and closes the connection.
pub(crate) fn says(answer: &'static [u8]) -> String {
    let (listener, address) = listener();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut lines = BufReader::new(stream.try_clone().expect("a socket")).lines();
            while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            stream.write_all(answer).expect("it listens");
        }
    });
    address
}

pub(crate) fn reply(status: i32, write_sets: &str, balance: f32) -> BranchReply {
    BranchReply { status, write_sets: write_sets.to_owned(), balance }
}
