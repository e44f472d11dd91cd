//! A whole bank in one thread, each branch behind a server of its own, whose branches reach each
//! other through channels.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr};
use tokio::sync::{mpsc, watch};

use super::bank::{BankSetup, Seat};
use crate::actors::{BranchActor, Peers, RecorderLink, SessionRegistry};
use crate::bank::{BranchConfig, LifeList};
use crate::grpc::seal::BankKeys;
use crate::grpc::{
    Believed, Channel, Contract, Gate, Gateway, GatewaySetup, Identity, Limits, LinkSetup,
    PeerClient, PeerId, PeerLink, Scenarios, Services,
};
use crate::model::{BranchId, GuaranteePolicy, Money, Roster};

/// Longer than any run.
const EVER: Duration = Duration::from_secs(1 << 32);

/// Far longer than anything takes within one machine; only a defect waits so long.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// What such a bank is.
pub(crate) struct SocketBank<'a> {
    pub(crate) roster: &'a Arc<Roster>,
    pub(crate) opening_balance: Money,
    pub(crate) keys: &'a BankKeys,
    pub(crate) branch: BranchConfig,
    /// One to each branch, shared by all branches that speak to it.
    pub(crate) channels: &'a [Channel],
}

impl SocketBank<'_> {
    /// Starts the branches, ascending by id. Called where a System runs, in real time.
    pub(crate) fn open_branches(&self, recorder: &RecorderLink) -> Vec<Seat<BranchActor>> {
        let Self { roster, opening_balance, channels, branch, .. } = *self;
        // All peers are ours and start empty: there is nothing to find out about them.
        let (found, _) = mpsc::unbounded_channel();
        let identity = Identity::new(self.keys.peers.clone());
        let setup = BankSetup {
            roster,
            opening_balance,
            branch,
            recorder,
            beginnings: None,
            disks: None,
            faulty: None,
        };
        let peers = |here, owner: &Addr<BranchActor>| {
            let links = roster.ids().iter().zip(channels).map(|(&peer, channel)| {
                if peer == here {
                    return owner.clone().recipient();
                }
                let (roster, identity) = (Arc::clone(roster), identity.clone());
                let ends = PeerId { here, peer, roster, opening_balance, identity };
                let setup = LinkSetup {
                    here,
                    owner: owner.clone(),
                    peer,
                    client: PeerClient::of_one_process(channel.clone(), ends),
                    lives: LifeList::of_first_lives(),
                    contract: Some(Contract::Typed),
                    kept_max: usize::MAX,
                    found: found.clone(),
                };
                PeerLink::new(setup).start().recipient()
            });
            Peers::straight(roster, links.collect())
        };
        setup.start(roster.ids().iter().copied(), |_| peers)
    }

    /// What is served for each of `branches`: each gateway knows its own branch alone. The registry
    /// counts requests as the customers do, so they share one.
    pub(crate) fn services(
        &self,
        branches: &[Addr<BranchActor>],
        guarantees: GuaranteePolicy,
    ) -> Vec<(BranchId, Services)> {
        let registry = SessionRegistry::new(Arc::clone(self.roster), guarantees).start();
        let gate = watch::Sender::new(Gate::Open).subscribe();
        let believed = Believed::ourselves(&Identity::new(self.keys.peers.clone()));
        let serve = |(&id, address): (&BranchId, &Addr<BranchActor>)| {
            let gateway = Gateway::new(GatewaySetup {
                roster: Arc::clone(self.roster),
                opening_balance: self.opening_balance,
                keys: self.keys.clone(),
                believed: Some(believed.clone()),
                branches: BTreeMap::from([(id, address.clone())]),
                registry: registry.clone(),
                straight_way: None,
                links: Vec::new(),
                gate: gate.clone(),
                answer_time_max: self.branch.timeouts.in_all(),
            });
            let limits = Limits {
                calls_max: u32::MAX,
                waiting_max: usize::MAX,
                peer_waiting_max: usize::MAX,
                connections_max: usize::MAX,
                address_connections_max: usize::MAX,
                unread_bytes_max: usize::MAX,
                // All run on one thread, which may be busy for long.
                idle_time_max: EVER,
                header_time_max: EVER,
                body_time_max: EVER,
                ..Limits::default()
            };
            let (scenarios, origins) = (Scenarios::none(), Arc::default());
            (id, Services { gateway, scenarios, limits, origins })
        };
        self.roster.ids().iter().zip(branches).map(serve).collect()
    }
}
