//! A bank that is served on a thread of its own, as `passbook serve` has it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use passbook::bank::{BranchConfig, Timeouts};
use passbook::grpc::seal::{BankKeys, BankSecret};
use passbook::grpc::{Limits, Listener, Scenarios};
use passbook::model::{BranchId, GuaranteePolicy, Life, Money, Propagation, Roster, Seed};
use passbook::network::LinkLatencies;
use passbook::run::{LinkOptions, LiveOptions, ServeOptions, begun_life, serve};
use passbook::storage::{About, DataFolder, KeptBranch};
use tokio::sync::oneshot;

/// A bank of `branches` branches behind one listener, as `passbook serve` has it.
pub(crate) fn start(branches: i64) -> SocketAddr {
    start_kept(branches, Propagation::default(), None)
}

/// The same with this `propagation`, and in a folder where one is named.
pub(crate) fn start_kept(
    branches: i64,
    propagation: Propagation,
    folder: Option<PathBuf>,
) -> SocketAddr {
    let (ready, address) = mpsc::channel();
    thread::spawn(move || {
        let ids = (1..=branches).map(|id| BranchId::new(id).expect("a small id"));
        let roster = Arc::new(Roster::new(ids).expect("different ids"));
        let life = begun_life();
        let kept = folder.map_or(Vec::new(), |folder| kept(&folder, &roster, life));
        // A classic call is for the branch that listens; a typed one names its branch.
        let first = BranchId::new(1).ok();
        let listener = Listener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), first);
        let listener = listener.expect("a port is free");
        ready.send(listener.address()).expect("main waits");
        let bank = LiveOptions {
            keys: BankKeys::new(&BankSecret::public(), "bench", &roster, Money::ZERO),
            roster,
            opening_balance: Money::ZERO,
            life,
            branch: BranchConfig {
                propagation,
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
            kept,
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

fn kept(folder: &Path, roster: &Roster, life: Life) -> Vec<KeptBranch> {
    let roster = roster.clone().beginning_in(life);
    let about = |&branch: &BranchId| About {
        bank: "bench".to_owned(),
        branch,
        roster: roster.clone(),
        opening_balance: Money::ZERO,
    };
    let about: Vec<About> = roster.ids().iter().map(about).collect();
    let folder = DataFolder::at(folder).expect("a folder");
    folder.open_all(&about).expect("files in it")
}
