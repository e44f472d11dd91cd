//! A bank in real time, behind the gRPC edge: all of its branches here, or one of them and links to
//! the others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr, Recipient};
use tokio::sync::{mpsc, oneshot, watch};

use super::bank::{BankSetup, FinalBalance, LinkDelays, Stopped, addresses, balances, settling};
use crate::actors::{
    AnswerAll, BranchActor, Detail, PeerEnvelope, Peers, RecorderLink, SessionRegistry,
    StraightWay, TimeSource,
};
use crate::bank::BranchConfig;
use crate::grpc::seal::BankKeys;
use crate::grpc::{
    Believed, Endpoint, Gate, Gateway, GatewaySetup, Identity, LinkSetup, PeerClient, PeerFinding,
    PeerId, PeerLink,
};
use crate::model::{BranchId, GuaranteePolicy, Money, Propagation, Roster, Seed};
use crate::network::LinkLatencies;

/// What a bank in real time is.
#[derive(Debug, Clone)]
pub struct LiveOptions {
    /// All branches, here and elsewhere.
    pub roster: Arc<Roster>,
    /// What each branch holds at the start.
    pub opening_balance: Money,
    /// How the branches here serve.
    pub branch: BranchConfig,
    /// What customers are promised.
    pub guarantees: GuaranteePolicy,
    /// How long messages between branches take beyond what they need, from those that live here.
    pub latencies: LinkLatencies,
    /// What that is drawn from.
    pub seed: Seed,
    /// With which it proves that something is of this bank.
    pub keys: BankKeys,
    /// Branches in other processes; all others live here.
    pub elsewhere: BTreeMap<BranchId, Endpoint>,
    /// How links to them behave.
    pub links: LinkOptions,
    /// How many customers are remembered that do not bring their passbook or their event ids.
    pub sessions_max: usize,
}

/// How links to branches elsewhere behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkOptions {
    /// How many writes are kept for a branch that is away before no more are taken.
    pub kept_max: usize,
    /// How long customers wait at the start until the branch has asked all its peers for what it
    /// may have forgotten; peers that are away by then are not waited for.
    pub catch_up_limit: Duration,
}

impl Default for LinkOptions {
    fn default() -> Self {
        Self { kept_max: 10_000, catch_up_limit: Duration::from_secs(2) }
    }
}

/// The actors of a bank in real time.
#[derive(Debug)]
pub struct LiveBank {
    gateway: Gateway,
    gate: watch::Sender<Gate>,
    is_unfit: oneshot::Receiver<BranchId>,
}

impl LiveBank {
    /// Starts the actors. Called where a System runs, in real time.
    pub fn open(options: &LiveOptions) -> Self {
        let link = RecorderLink {
            clock: TimeSource::real_time(),
            observer: None,
            detail: Detail::Essentials,
        };
        Self::open_recorded(options, &link)
    }

    /// The same, recorded.
    pub(super) fn open_recorded(options: &LiveOptions, recorder: &RecorderLink) -> Self {
        let LiveOptions { roster, opening_balance, keys, .. } = options;
        let is_here = |id: &BranchId| !options.elsewhere.contains_key(id);
        let here: Vec<BranchId> = roster.ids().iter().copied().filter(is_here).collect();
        let gate = watch::Sender::new(match options.elsewhere.is_empty() {
            true => Gate::Open,
            false => Gate::CatchingUp,
        });
        let identity = Identity::new(keys.peers.clone());
        let (found, finds) = mpsc::unbounded_channel();
        let (unfit, is_unfit) = oneshot::channel();
        actix_rt::spawn(watch_links(options.clone(), finds, gate.clone(), unfit));
        let setup = BankSetup {
            roster,
            opening_balance: *opening_balance,
            branch: options.branch,
            recorder,
        };
        let mut links = Vec::new();
        let delays = LinkDelays { latencies: &options.latencies, seed: options.seed };
        let seats = if options.elsewhere.is_empty() {
            setup.start_all(|mailboxes| delays.connect(mailboxes, &recorder.clock))
        } else {
            setup.start(here.iter().copied(), |seats| {
                let branches: BTreeMap<_, _> = here.iter().copied().zip(addresses(seats)).collect();
                let (links, identity, found) = (&mut links, &identity, &found);
                move |here, owner| {
                    let (owner, identity, found) = (owner.clone(), identity.clone(), found.clone());
                    let mut linker = Linker { options, here, owner, identity, found, links };
                    delays.connect(linker.peers(&branches), &recorder.clock)
                }
            })
        };
        let branches: BTreeMap<BranchId, Addr<BranchActor>> =
            here.into_iter().zip(addresses(&seats)).collect();
        let registry = Self::registry(options)
            .forgetting(options.sessions_max, branches.values().cloned().collect())
            .start();
        let (bank, guarantees) = (Arc::clone(roster), options.guarantees.clone());
        let straight_way = StraightWay::new(bank, guarantees, registry.clone());
        let gateway = Gateway::new(GatewaySetup {
            roster: Arc::clone(roster),
            opening_balance: *opening_balance,
            keys: keys.clone(),
            believed: (!options.elsewhere.is_empty())
                .then(|| Believed::peers(identity, &options.elsewhere)),
            branches,
            registry,
            straight_way: Some(straight_way),
            links,
            gate: gate.subscribe(),
            answer_time_max: options.branch.timeouts.in_all(),
        });
        Self { gateway, gate, is_unfit }
    }

    fn registry(options: &LiveOptions) -> SessionRegistry {
        let LiveOptions { roster, elsewhere, guarantees, .. } = options;
        let mut here = roster.ids().iter().filter(|id| !elsewhere.contains_key(id));
        match here.next().and_then(|&here| roster.index(here)) {
            Some(here) if !elsewhere.is_empty() => {
                SessionRegistry::at(here, Arc::clone(roster), guarantees.clone())
            }
            Some(_) | None => SessionRegistry::new(Arc::clone(roster), guarantees.clone()),
        }
    }

    /// The way in.
    pub fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// The actors of the branches that live here.
    fn branches(&self) -> &BTreeMap<BranchId, Addr<BranchActor>> {
        &self.gateway.bank().branches
    }

    /// Turns new requests away. Those under way go on.
    pub fn drain(&self) {
        self.gate.send_replace(Gate::Draining);
    }

    /// Answers all requests that wait at a branch here: what they wait for will not come any more.
    pub async fn answer_all(&self) {
        for (branch, address) in self.branches() {
            if address.send(AnswerAll).await.is_err() {
                log::error!("branch {branch} stopped before it had answered all");
            }
        }
    }

    /// Ends when a peer turns out to speak only the classic contract, which cannot carry what async
    /// propagation needs.
    pub async fn unfit_peer(&mut self) -> BranchId {
        match (&mut self.is_unfit).await {
            Ok(peer) => peer,
            Err(_) => std::future::pending().await,
        }
    }

    /// Waits until every branch elsewhere has what the branches here have accepted so far.
    pub async fn settle(&self) {
        for (branch, settled) in self.branches().keys().zip(settling(self.branches().values())) {
            if settled.await.is_err() {
                log::error!("branch {branch} stopped before it was settled");
            }
        }
    }

    /// What each branch here holds.
    pub(super) async fn balances(&self) -> Result<Vec<FinalBalance>, Stopped> {
        balances(self.branches().values()).await
    }
}

/// Watches what links find out: lets customers in when all peers have been asked, and notices one
/// that cannot do what this bank needs.
async fn watch_links(
    options: LiveOptions,
    mut found: mpsc::UnboundedReceiver<PeerFinding>,
    gate: watch::Sender<Gate>,
    unfit: oneshot::Sender<BranchId>,
) {
    let mut asked = BTreeSet::new();
    let limit = tokio::time::sleep(options.links.catch_up_limit);
    tokio::pin!(limit);
    loop {
        let is_waiting = *gate.borrow() == Gate::CatchingUp;
        tokio::select! {
            biased;
            found = found.recv() => match found {
                None => return,
                Some(PeerFinding::Classic(peer)) if options.branch.propagation == Propagation::Async => {
                    if unfit.send(peer).is_err() {
                        log::debug!("the bank is closing already");
                    }
                    return;
                }
                Some(PeerFinding::CaughtUp(peer) | PeerFinding::Classic(peer)) => {
                    asked.insert(peer);
                    if asked.len() == options.elsewhere.len() {
                        open_gate(&gate);
                    }
                }
            },
            () = &mut limit, if is_waiting => {
                log::warn!("some peers are away: customers are served without asking them");
                open_gate(&gate);
            }
        }
    }
}

fn open_gate(gate: &watch::Sender<Gate>) {
    gate.send_if_modified(|gate| {
        let opens = *gate == Gate::CatchingUp;
        if opens {
            *gate = Gate::Open;
        }
        opens
    });
}

/// Makes the links from one branch here to branches elsewhere.
struct Linker<'a> {
    options: &'a LiveOptions,
    here: BranchId,
    owner: Addr<BranchActor>,
    identity: Identity,
    found: mpsc::UnboundedSender<PeerFinding>,
    /// All that were made.
    links: &'a mut Vec<Addr<PeerLink>>,
}

impl Linker<'_> {
    /// All peers of the branch here.
    fn peers(&mut self, branches: &BTreeMap<BranchId, Addr<BranchActor>>) -> Peers {
        let LiveOptions { roster, elsewhere, .. } = self.options;
        let link = |peer: &BranchId| match elsewhere.get(peer) {
            Some(endpoint) => self.link(*peer, endpoint),
            None => branches[peer].clone().recipient(),
        };
        Peers::straight(roster, roster.ids().iter().map(link).collect())
    }

    fn link(&mut self, peer: BranchId, endpoint: &Endpoint) -> Recipient<PeerEnvelope> {
        let LiveOptions { roster, opening_balance, links, .. } = self.options;
        let (here, roster, opening_balance) = (self.here, Arc::clone(roster), *opening_balance);
        let ends = PeerId { here, peer, roster, opening_balance, identity: self.identity.clone() };
        let setup = LinkSetup {
            here,
            owner: self.owner.clone(),
            peer,
            client: PeerClient::new(endpoint.channel(), ends),
            contract: None,
            kept_max: links.kept_max,
            found: self.found.clone(),
        };
        let link = PeerLink::new(setup).start();
        self.links.push(link.clone());
        link.recipient()
    }
}
