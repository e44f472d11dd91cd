//! How a bank closes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use passbook::grpc::proto::v1;
use passbook::grpc::{Endpoint, Limits, Listener, Scenarios};
use passbook::model::Money;
use passbook::run::{Closing, FinalBalance, ServeOptions, serve};
use tokio::sync::oneshot;
use tonic::Code;

use crate::facade::elsewhere::asleep;
use crate::facade::test_bank::{
    At, TestBank, Typed, assert_told, bank_of, branch, in_system, write,
};

#[test]
fn new_calls_are_turned_away_and_those_under_way_end() {
    in_system(async {
        let mut options = bank_of(2);
        let _there = asleep(&mut options);
        let test_bank = TestBank::open(&options);
        let mut bank = test_bank.typed().await;
        let under_way = {
            let mut bank = bank.clone();
            tokio::spawn(async move { bank.deposit(At(1, 1, Some(1)), "1", None).await })
        };
        bank.holds(1, 1).await;
        test_bank.bank.drain();
        assert_told(bank.query(At(1, 1, None), None).await, Code::Unavailable, "DRAINING");
        assert_told(bank.deposit(At(1, 1, None), "1", None).await, Code::Unavailable, "DRAINING");
        assert_told(bank.get(1).await, Code::Unavailable, "DRAINING");
        let mut classic = test_bank.classic().await;
        let answer = classic.send_to("1", write("deposit", 2, 1.0)).await;
        assert_eq!(answer.unwrap().status, 400);
        test_bank.close.send(()).unwrap();
        let ended = under_way.await.unwrap();
        assert_told(ended, Code::DeadlineExceeded, "OUTCOME_UNKNOWN");
        test_bank.served.await.unwrap().unwrap();
    });
}

/// Over sockets, with everything that `passbook serve` has around it.
#[test]
fn an_open_stream_holds_the_bank_for_two_seconds_at_most() {
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let listeners = [1, 2].map(|id| Listener::bind(any_port, Some(branch(id))).unwrap());
    let [address, _] = listeners.each_ref().map(Listener::address);
    let options = ServeOptions {
        bank: bank_of(2),
        kept: Vec::new(),
        listeners: listeners.into(),
        scenarios: Scenarios::none(),
        origins: Arc::default(),
        limits: Limits::default(),
    };
    let (close, closed) = oneshot::channel();
    let client = std::thread::spawn(move || {
        in_system(async move {
            let endpoint = Endpoint::new(&format!("http://{address}")).unwrap();
            let mut bank =
                Typed(v1::bank_service_client::BankServiceClient::new(endpoint.channel()));
            bank.deposit(At(1, 1, None), "1", None).await.unwrap();
            // Health is watched to the end, whatever the bank does.
            let mut health = tonic_health::pb::health_client::HealthClient::new(endpoint.channel());
            let service = String::new();
            let request = tonic_health::pb::HealthCheckRequest { service };
            let mut watched = health.watch(request).await.unwrap().into_inner();
            watched.message().await.unwrap().unwrap();
            close.send(()).unwrap();
            while let Ok(Some(_)) = watched.message().await {}
        });
    });
    let closing = async { closed.await.unwrap() };
    let closed = tokio_limit(|| serve(options, closing));
    let balance = Some(Money::from_minor(10_100));
    let last = |id| FinalBalance { branch: branch(id), balance };
    assert_eq!(closed, Closing { balances: vec![last(1), last(2)], turned_away: 0, struck: None });
    client.join().unwrap();
}

/// Runs `serve`, which must end; a bank that does not would otherwise hang the tests.
fn tokio_limit(serve: impl FnOnce() -> Result<Closing, passbook::run::ServeError>) -> Closing {
    let (ended, end) = std::sync::mpsc::channel::<()>();
    let watchdog = std::thread::spawn(move || {
        let ended = end.recv_timeout(Duration::from_secs(20));
        assert!(ended != Err(std::sync::mpsc::RecvTimeoutError::Timeout), "it does not close");
    });
    let closing = serve().expect("it serves");
    ended.send(()).expect("the watchdog waits");
    watchdog.join().expect("it closes in time");
    closing
}
