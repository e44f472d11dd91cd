//! What the actors cost behind gRPC: calls per second and latency of the bank's services, as a
//! ratio to a bare tonic service with no actor behind it, measured in the same run.
//!
//! `cargo bench --bench grpc`

#[path = "grpc/bank.rs"]
mod bank;

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use passbook::grpc::Endpoint;
use passbook::grpc::proto::banking::branch_client::BranchClient;
use passbook::grpc::proto::banking::branch_server::{Branch, BranchServer};
use passbook::grpc::proto::banking::{BranchReply, BranchRequest};
use passbook::grpc::proto::v1;
use passbook::grpc::proto::v1::bank_service_client::BankServiceClient;
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use tonic::transport::Channel;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUND: Duration = Duration::from_millis(150);
const ROUNDS: usize = 25;
const IN_FLIGHT: [usize; 3] = [1, 16, 64];

/// A tonic service that answers from nothing.
struct Bare;

#[tonic::async_trait]
impl Branch for Bare {
    async fn msg_delivery(
        &self,
        _: Request<BranchRequest>,
    ) -> Result<Response<BranchReply>, Status> {
        Ok(Response::new(BranchReply { status: 200, write_sets: String::new(), balance: 400.0 }))
    }
}

/// What is called, and on which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Bare,
    ClassicQuery,
    TypedQuery,
    TypedDeposit,
    TypedDepositOfTwo,
}

impl Subject {
    const ALL: [Self; 5] = [
        Self::Bare,
        Self::ClassicQuery,
        Self::TypedQuery,
        Self::TypedDeposit,
        Self::TypedDepositOfTwo,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare tonic service",
            Self::ClassicQuery => "classic query",
            Self::TypedQuery => "typed query",
            Self::TypedDeposit => "typed deposit, one branch",
            Self::TypedDepositOfTwo => "typed deposit, two branches, sync",
        }
    }

    fn start(self) -> SocketAddr {
        match self {
            Self::Bare => start_bare(),
            Self::ClassicQuery | Self::TypedQuery | Self::TypedDeposit => bank::start(1),
            Self::TypedDepositOfTwo => bank::start(2),
        }
    }

    async fn call(self, channel: Channel) {
        match self {
            Self::Bare | Self::ClassicQuery => {
                let request = BranchRequest {
                    r#type: "customer".to_owned(),
                    interface: "query".to_owned(),
                    id: 1,
                    customer_id: 1,
                    ..BranchRequest::default()
                };
                let reply = BranchClient::new(channel).msg_delivery(request).await;
                assert_eq!(reply.expect("it answers").into_inner().status, 200);
            }
            Self::TypedQuery => {
                let request = v1::QueryRequest {
                    branch_id: 1,
                    customer_id: 1,
                    event_id: None,
                    passbook: None,
                };
                BankServiceClient::new(channel).query(request).await.expect("it answers");
            }
            Self::TypedDeposit | Self::TypedDepositOfTwo => {
                let request = v1::DepositRequest {
                    branch_id: 1,
                    customer_id: 1,
                    event_id: None,
                    amount: "1".to_owned(),
                    passbook: None,
                };
                BankServiceClient::new(channel).deposit(request).await.expect("it answers");
            }
        }
    }
}

/// Some rounds of one subject at one number of calls in flight.
#[derive(Debug, Default)]
struct Measured {
    calls_per_second: Vec<f64>,
    latencies: Vec<Duration>,
}

fn main() {
    // A server for each: one that has just been called is scheduled otherwise than one that has
    // not.
    let subjects = Subject::ALL.map(|subject| (subject, subject.start()));
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut table = String::new();
    writeln!(
        table,
        "{:<34} {:>9} {:>12} {:>10} {:>10} {:>8}",
        "call", "in flight", "calls/s", "p50", "p99", "ratio"
    )
    .expect("a string takes all");
    for in_flight in IN_FLIGHT {
        let mut measured: Vec<Measured> =
            Subject::ALL.iter().map(|_| Measured::default()).collect();
        // One round of each in turn, and another one first each time, so that what disturbs the
        // machine disturbs all alike; the first warms up.
        for round in 0..=ROUNDS {
            let mut turns: Vec<_> = subjects.into_iter().zip(&mut measured).collect();
            turns.rotate_left(round % subjects.len());
            for ((subject, address), measured) in turns {
                let (calls_per_second, latencies) =
                    LocalSet::new().block_on(&runtime, load(subject, address, in_flight));
                if round > 0 {
                    measured.calls_per_second.push(calls_per_second);
                    measured.latencies.extend(latencies);
                }
            }
        }
        let base = median(&mut measured[0].calls_per_second.clone());
        for (subject, mut measured) in Subject::ALL.into_iter().zip(measured) {
            let calls = median(&mut measured.calls_per_second);
            measured.latencies.sort_unstable();
            let at = |percent: usize| measured.latencies[measured.latencies.len() * percent / 100];
            writeln!(
                table,
                "{:<34} {in_flight:>9} {calls:>12.0} {:>10.1?} {:>10.1?} {:>8.2}",
                subject.name(),
                at(50),
                at(99),
                calls / base
            )
            .expect("a string takes all");
        }
    }
    print_table(&table);
}

#[expect(clippy::print_stdout, reason = "a bench prints what it measured")]
fn print_table(table: &str) {
    println!("{table}");
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

#[expect(clippy::disallowed_methods, reason = "a bench measures")]
fn now() -> Instant {
    Instant::now()
}

/// Keeps `in_flight` calls under way for a round.
async fn load(subject: Subject, address: SocketAddr, in_flight: usize) -> (f64, Vec<Duration>) {
    let endpoint = Endpoint::new(&format!("http://{address}")).expect("an address");
    let channel = endpoint.connect(Duration::from_secs(10)).await.expect("it listens");
    let start = now();
    let callers: Vec<_> = (0..in_flight)
        .map(|_| {
            let channel = channel.clone();
            tokio::task::spawn_local(async move {
                let mut latencies = Vec::new();
                while start.elapsed() < ROUND {
                    let called = now();
                    subject.call(channel.clone()).await;
                    latencies.push(called.elapsed());
                }
                latencies
            })
        })
        .collect();
    let mut latencies = Vec::new();
    for caller in callers {
        latencies.extend(caller.await.expect("no caller panics"));
    }
    let calls = u32::try_from(latencies.len()).expect("fewer calls than that");
    (f64::from(calls) / start.elapsed().as_secs_f64(), latencies)
}

/// The bare service, on a thread of its own as the bank is.
fn start_bare() -> SocketAddr {
    let (ready, address) = mpsc::channel();
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let socket = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
            let socket = socket.expect("a port is free");
            ready.send(socket.local_addr().expect("it is bound")).expect("main waits");
            let incoming = TcpIncoming::from(socket).with_nodelay(Some(true));
            tonic::transport::Server::builder()
                .add_service(BranchServer::new(Bare))
                .serve_with_incoming(incoming)
                .await
                .expect("it serves");
        });
    });
    address.recv().expect("it starts")
}
