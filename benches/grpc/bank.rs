//! A bank that is served on a thread of its own, as `passbook serve` has it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use passbook::bank::{BranchConfig, Timeouts};
use passbook::grpc::seal::{BankKeys, BankSecret};
use passbook::grpc::{Limits, Listener, Scenarios};
use passbook::model::{BranchId, GuaranteePolicy, Money, Roster, Seed};
use passbook::network::LinkLatencies;
use passbook::run::{LinkOptions, LiveOptions, ServeOptions, begun_life, serve};
use tokio::sync::oneshot;

/// A bank of `branches` branches behind one listener, as `passbook serve` has it.
pub(crate) fn start(branches: i64) -> SocketAddr {
    let (ready, address) = mpsc::channel();
    thread::spawn(move || {
        let ids = (1..=branches).map(|id| BranchId::new(id).expect("a small id"));
        let roster = Arc::new(Roster::new(ids).expect("different ids"));
        // A classic call is for the branch that listens; a typed one names its branch.
        let first = BranchId::new(1).ok();
        let listener = Listener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), first);
        let listener = listener.expect("a port is free");
        ready.send(listener.address()).expect("main waits");
        let bank = LiveOptions {
            keys: BankKeys::new(&BankSecret::public(), "bench", &roster, Money::ZERO),
            roster,
            opening_balance: Money::ZERO,
            life: begun_life(),
            branch: BranchConfig {
                timeouts: Timeouts {
                    confirm_limit: Some(Duration::from_secs(3)),
                    wait_limit: Some(Duration::from_secs(10)),
                    ..Timeouts::default()
                },
                ..BranchConfig::default()
            },
            guarantees: GuaranteePolicy::default(),
            latencies: LinkLatencies::default(),
            faults: None,
            seed: Seed::default(),
            elsewhere: BTreeMap::new(),
            links: LinkOptions::default(),
            sessions_max: 100_000,
        };
        let (_never, closing) = oneshot::channel::<()>();
        let limits = Limits::default();
        let options = ServeOptions {
            bank,
            listeners: vec![listener],
            scenarios: Scenarios::none(),
            limits,
            origins: Arc::default(),
        };
        serve(options, async {
            closing.await.expect("the bank outlives the bench");
        })
        .expect("it serves");
    });
    address.recv().expect("it starts")
}
