//! What the actors cost behind gRPC: calls per second and latency of the bank's services, as a
//! ratio to a bare tonic service with no actor behind it, measured in the same run.
//!
//! `cargo bench --bench grpc`; with `-- deposit 1000` it makes so many calls of one kind and measures
//! nothing, so that a profiler can.

#[path = "grpc/bank.rs"]
mod bank;

use std::env;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use passbook::grpc::Endpoint;
use passbook::grpc::proto::banking::branch_client::BranchClient;
use passbook::grpc::proto::banking::branch_server::{Branch, BranchServer};
use passbook::grpc::proto::banking::{BranchReply, BranchRequest};
use passbook::grpc::proto::v1;
use passbook::grpc::proto::v1::bank_service_client::BankServiceClient;
use tokio::runtime::{Builder, Runtime};
use tokio::task::LocalSet;
use tonic::transport::Channel;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUND: Duration = Duration::from_millis(100);
const ROUNDS: usize = 41;
const IN_FLIGHT: [usize; 2] = [1, 64];

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
    TypedQuery,
    TypedDeposit,
    /// The bank gives the event ids, and customers show no passbook.
    PlainDeposit,
    /// At one branch of two, which waits for the other.
    DepositOfTwo,
    ClassicQuery,
}

impl Subject {
    const ALL: [Self; 6] = [
        Self::Bare,
        Self::TypedQuery,
        Self::TypedDeposit,
        Self::PlainDeposit,
        Self::DepositOfTwo,
        Self::ClassicQuery,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::TypedQuery => "query",
            Self::TypedDeposit => "deposit",
            Self::PlainDeposit => "plain-deposit",
            Self::DepositOfTwo => "deposit-of-two",
            Self::ClassicQuery => "classic-query",
        }
    }

    fn start(self) -> SocketAddr {
        match self {
            Self::Bare => start_bare(),
            Self::ClassicQuery | Self::TypedQuery | Self::TypedDeposit | Self::PlainDeposit => {
                bank::start(1)
            }
            Self::DepositOfTwo => bank::start(2),
        }
    }
}

/// A customer of the typed contract, with its passbook and the event id of its next write.
#[derive(Debug)]
struct Customer {
    channel: Channel,
    customer_id: u32,
    event_id: u32,
    passbook: Option<Vec<u8>>,
}

impl Customer {
    /// One that was never there before.
    fn new(channel: Channel) -> Self {
        static CUSTOMERS: AtomicU32 = AtomicU32::new(1);
        let customer_id = CUSTOMERS.fetch_add(1, Ordering::Relaxed);
        Self { channel, customer_id, event_id: 1, passbook: None }
    }

    async fn call(&mut self, subject: Subject) {
        match subject {
            Subject::Bare | Subject::ClassicQuery => self.query_in_classic().await,
            Subject::TypedQuery => self.query().await,
            Subject::TypedDeposit | Subject::DepositOfTwo => {
                let event_id = Some(self.event_id);
                self.event_id += 1;
                let passbook = self.passbook.take();
                self.passbook = Some(self.deposit(event_id, passbook).await.passbook);
            }
            Subject::PlainDeposit => {
                self.deposit(None, None).await;
            }
        }
    }

    async fn query_in_classic(&self) {
        let request = BranchRequest {
            r#type: "customer".to_owned(),
            interface: "query".to_owned(),
            id: 1,
            customer_id: 1,
            ..BranchRequest::default()
        };
        let reply = BranchClient::new(self.channel.clone()).msg_delivery(request).await;
        assert_eq!(reply.expect("it answers").into_inner().status, 200);
    }

    async fn query(&mut self) {
        let (customer_id, passbook) = (self.customer_id, self.passbook.take());
        let request = v1::QueryRequest { branch_id: 1, customer_id, event_id: None, passbook };
        let answer = BankServiceClient::new(self.channel.clone()).query(request).await;
        self.passbook = Some(answer.expect("it answers").into_inner().passbook);
    }

    async fn deposit(
        &self,
        event_id: Option<u32>,
        passbook: Option<Vec<u8>>,
    ) -> v1::DepositResponse {
        let (customer_id, amount) = (self.customer_id, "1".to_owned());
        let request = v1::DepositRequest { branch_id: 1, customer_id, event_id, amount, passbook };
        let answer = BankServiceClient::new(self.channel.clone()).deposit(request).await;
        answer.expect("it answers").into_inner()
    }
}

/// The rounds of one subject at one number of calls in flight.
#[derive(Debug, Default)]
struct Measured {
    calls_per_second: Vec<f64>,
    latencies: Vec<Duration>,
}

fn main() {
    if let Some((subject, calls)) = asked_for() {
        return make_calls(subject, calls);
    }
    // A server for each: one that has just been called is scheduled otherwise than one that has
    // not.
    let subjects = Subject::ALL.map(|subject| (subject, subject.start()));
    let runtime = runtime();
    print(&format!(
        "{:<15} {:>9} {:>9} {:>9} {:>9}  {}",
        "call", "in flight", "calls/s", "p50", "p99", "to the bare service (95%)"
    ));
    for in_flight in IN_FLIGHT {
        let mut measured = Subject::ALL.map(|_| Measured::default());
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
        let bare = measured[0].calls_per_second.clone();
        for (subject, measured) in Subject::ALL.into_iter().zip(measured) {
            print(&row(subject, in_flight, measured, &bare));
        }
    }
}

/// What was measured of `subject`, beside what the bare service did in the same rounds.
fn row(subject: Subject, in_flight: usize, measured: Measured, bare: &[f64]) -> String {
    let Measured { calls_per_second, mut latencies } = measured;
    let to_bare = calls_per_second.iter().zip(bare).map(|(calls, bare)| calls / bare).collect();
    let (_, calls, _) = median(calls_per_second);
    let (low, ratio, high) = median(to_bare);
    latencies.sort_unstable();
    let at = |percent: usize| latencies[latencies.len() * percent / 100];
    format!(
        "{:<15} {in_flight:>9} {calls:>9.0} {:>9.1?} {:>9.1?}  {ratio:.3} ({low:.3} to {high:.3})",
        subject.name(),
        at(50),
        at(99),
    )
}

/// The median of the figures of [`ROUNDS`] rounds, between the ends of its 95% interval: that many
/// rounds have their true median between the 14th and the 28th in all but 2.8% of cases.
fn median(mut figures: Vec<f64>) -> (f64, f64, f64) {
    figures.sort_unstable_by(f64::total_cmp);
    (figures[13], figures[20], figures[27])
}

/// `-- deposit 1000`: which calls are to be made, and how many.
fn asked_for() -> Option<(Subject, usize)> {
    let mut arguments = env::args().skip(1).filter(|argument| argument != "--bench");
    let name = arguments.next()?;
    let subject = Subject::ALL.into_iter().find(|subject| subject.name() == name);
    let calls = arguments.next()?.parse().expect("how many calls");
    Some((subject.expect("a call of the table"), calls))
}

/// Makes `calls` calls, one after the other, for someone who looks on: `valgrind
/// --tool=callgrind --separate-threads=yes`.
fn make_calls(subject: Subject, calls: usize) {
    let address = subject.start();
    runtime().block_on(async {
        let mut customer = Customer::new(connect(address).await);
        for _ in 0..calls {
            customer.call(subject).await;
        }
    });
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

#[expect(clippy::print_stdout, reason = "a bench prints what it measured")]
fn print(line: &str) {
    println!("{line}");
}

#[expect(clippy::disallowed_methods, reason = "a bench measures")]
fn now() -> Instant {
    Instant::now()
}

async fn connect(address: SocketAddr) -> Channel {
    let endpoint = Endpoint::new(&format!("http://{address}")).expect("an address");
    endpoint.connect(Duration::from_secs(10)).await.expect("it listens")
}

/// Keeps `in_flight` calls under way for a round, each of a customer of its own.
async fn load(subject: Subject, address: SocketAddr, in_flight: usize) -> (f64, Vec<Duration>) {
    let channel = connect(address).await;
    let start = now();
    let callers: Vec<_> = (0..in_flight)
        .map(|_| {
            let mut customer = Customer::new(channel.clone());
            tokio::task::spawn_local(async move {
                let mut latencies = Vec::new();
                while start.elapsed() < ROUND {
                    let called = now();
                    customer.call(subject).await;
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
        runtime().block_on(async {
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
