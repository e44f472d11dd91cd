//! A bank in real time, behind the gRPC edge: all of its branches here, or one of them and links to
//! the others.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr, Recipient};
use tokio::sync::{mpsc, oneshot, watch};

use super::bank::{
    Again, BankSetup, FinalBalance, Links, Stopped, addresses, balances, lives_known_of, settling,
};
use super::foul_weather::Afflicted;
use crate::actors::{
    AnswerAll, BranchActor, Detail, PeerEnvelope, Peers, RecorderLink, SessionRegistry, Standing,
    StraightWay, TimeSource,
};
use crate::bank::{BranchConfig, EndOfLife, Timeouts};
use crate::grpc::seal::BankKeys;
use crate::grpc::{
    Believed, Endpoint, Gate, Gateway, GatewaySetup, Identity, LinkSetup, PeerClient, PeerFinding,
    PeerId, PeerLink,
};
use crate::model::{BranchId, GuaranteePolicy, Life, Money, Propagation, Roster, Seed};
use crate::network::{Delays, FaultCounts, Faults, LinkLatencies};

/// What a bank in real time is.
#[derive(Debug, Clone)]
pub struct LiveOptions {
    /// All branches, here and elsewhere.
    pub roster: Arc<Roster>,
    /// What each branch holds at the start.
    pub opening_balance: Money,
    /// The life that the branches here begin: higher than any of theirs before, and given to no other
    /// process.
    pub life: Life,
    /// How the branches here serve. How long they wait for branches elsewhere, `links` says.
    pub branch: BranchConfig,
    /// What customers are promised.
    pub guarantees: GuaranteePolicy,
    /// How long messages between branches take beyond what they need, from those that live here.
    pub latencies: LinkLatencies,
    /// What goes wrong between the branches, and with them; `None`: nothing. Heeded where all of them live
    /// here.
    pub faults: Option<Box<Faults>>,
    /// What all that is drawn from.
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
    /// How long customers wait at the start until all peers have said what the branch may have
    /// forgotten; those that are away are not waited for longer than that.
    pub return_limit: Duration,
    /// How long the branch waits for an answer to what it says before it says it again.
    pub resend_after: Duration,
}

impl Default for LinkOptions {
    fn default() -> Self {
        Self {
            kept_max: 10_000,
            return_limit: Duration::from_secs(2),
            resend_after: Duration::from_secs(1),
        }
    }
}

/// The actors of a bank in real time.
#[derive(Debug)]
pub struct LiveBank {
    gateway: Gateway,
    gate: watch::Sender<Gate>,
    afflicted: Option<Afflicted>,
    failed: oneshot::Receiver<BankFailure>,
}

/// Why a bank cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BankFailure {
    /// A peer speaks only the classic contract, which cannot carry what async propagation needs.
    ClassicPeer(BranchId),
    /// Another process is the branch.
    Twin {
        /// The branch.
        branch: BranchId,
        /// Who says so.
        found_by: BranchId,
    },
    /// Another one is the branch now.
    Ended {
        /// The branch.
        branch: BranchId,
        /// Why.
        end: EndOfLife,
    },
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
        let LiveOptions { opening_balance, keys, life, .. } = options;
        let is_whole = options.elsewhere.is_empty();
        // Branches that begin together need nobody to tell them of each other's lives.
        let roster = &match is_whole {
            true => Arc::new(Roster::clone(&options.roster).beginning_in(*life)),
            false => Arc::clone(&options.roster),
        };
        let is_here = |id: &BranchId| !options.elsewhere.contains_key(id);
        let here: Vec<BranchId> = roster.ids().iter().copied().filter(is_here).collect();
        let gate = watch::Sender::new(if is_whole { Gate::Open } else { Gate::Returning });
        let identity = Identity::new(keys.peers.clone());
        let (found, finds) = mpsc::unbounded_channel();
        let ((standing, stands), (fails, failed)) = (mpsc::unbounded_channel(), oneshot::channel());
        let watcher = Watcher { gate: gate.clone(), propagation: options.branch.propagation };
        actix_rt::spawn(watcher.watch(here.len(), stands, finds, fails));
        let delays = || Delays::new(options.latencies.clone(), options.seed, Arc::clone(roster));
        let faults = options.faults.as_deref().filter(|_| is_whole);
        let afflicted = faults.map(|faults| Afflicted::new(faults, delays(), recorder));
        let faulty = afflicted.as_ref().map(|afflicted| &afflicted.faulty);
        let setup = BankSetup {
            roster,
            opening_balance: *opening_balance,
            branch: if is_whole { options.branch } else { options.branch_with_peers() },
            recorder,
            again: (!is_whole).then_some(Again { life: *life, standing }),
            faulty,
        };
        let (mut links, mut clients) = (Vec::new(), BTreeMap::new());
        let ways = Links { latencies: &options.latencies, seed: options.seed, faulty };
        let seats = if is_whole {
            setup.start_all(|mailboxes| ways.connect(mailboxes, &recorder.clock))
        } else {
            setup.start(here.iter().copied(), |seats| {
                let branches: BTreeMap<_, _> = here.iter().copied().zip(addresses(seats)).collect();
                let (made, identity, found) = ((&mut links, &mut clients), &identity, &found);
                move |here, owner| {
                    let (owner, identity, found) = (owner.clone(), identity.clone(), found.clone());
                    let (links, clients) = (&mut *made.0, &mut *made.1);
                    let mut linker =
                        Linker { options, here, owner, identity, found, links, clients };
                    ways.connect(linker.peers(&branches), &recorder.clock)
                }
            })
        };
        if let Some(afflicted) = &afflicted {
            afflicted.begin(options.seed, (roster, &seats), recorder);
        }
        let branches: BTreeMap<BranchId, Addr<BranchActor>> =
            here.into_iter().zip(addresses(&seats)).collect();
        let registry = Self::registry(options, roster)
            .forgetting(options.sessions_max, branches.values().cloned().collect())
            .start();
        let (bank, guarantees) = (Arc::clone(roster), options.guarantees.clone());
        let straight_way = StraightWay::new(bank, guarantees, registry.clone());
        let gateway = Gateway::new(GatewaySetup {
            roster: Arc::clone(roster),
            opening_balance: *opening_balance,
            keys: keys.clone(),
            believed: (!is_whole).then(|| Believed::peers(identity, &options.elsewhere, clients)),
            branches,
            registry,
            straight_way: Some(straight_way),
            links,
            gate: gate.subscribe(),
            answer_time_max: options.branch.timeouts.in_all(),
        });
        Self { gateway, gate, afflicted, failed }
    }

    fn registry(options: &LiveOptions, roster: &Arc<Roster>) -> SessionRegistry {
        let LiveOptions { elsewhere, guarantees, .. } = options;
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

    /// Lets nothing go wrong on purpose any more.
    pub fn clear_up(&self) {
        self.afflicted.iter().for_each(Afflicted::clear_up);
    }

    /// How often each kind of fault struck, where any was asked for.
    pub fn struck(&self) -> Option<FaultCounts> {
        self.afflicted.as_ref().map(Afflicted::struck)
    }

    /// Answers all requests that wait at a branch here: what they wait for will not come any more.
    pub async fn answer_all(&self) {
        for (branch, address) in self.branches() {
            if address.send(AnswerAll).await.is_err() {
                log::error!("branch {branch} stopped before it had answered all");
            }
        }
    }

    /// Ends when the bank cannot go on.
    pub async fn failure(&mut self) -> BankFailure {
        match (&mut self.failed).await {
            Ok(failure) => failure,
            Err(_) => std::future::pending().await,
        }
    }

    /// Waits until every other branch has what the branches here have accepted so far.
    pub async fn settle(&self) {
        if let Some(afflicted) = &self.afflicted
            && afflicted.settle().await.is_err()
        {
            log::error!("what lets things go wrong stopped before the bank had settled");
        }
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

impl LiveOptions {
    /// How a branch serves whose peers live elsewhere.
    fn branch_with_peers(&self) -> BranchConfig {
        let LinkOptions { return_limit, resend_after, .. } = self.links;
        let (return_limit, resend_after) = (Some(return_limit), Some(resend_after));
        let timeouts = Timeouts { return_limit, resend_after, ..self.branch.timeouts };
        BranchConfig { timeouts, ..self.branch }
    }
}

/// Sees to what branches and links find out.
struct Watcher {
    gate: watch::Sender<Gate>,
    propagation: Propagation,
}

impl Watcher {
    /// Opens the gate when so many `branches` here serve, and tells why the bank cannot go on.
    async fn watch(
        self,
        branches: usize,
        mut stands: mpsc::UnboundedReceiver<Standing>,
        mut finds: mpsc::UnboundedReceiver<PeerFinding>,
        fails: oneshot::Sender<BankFailure>,
    ) {
        let mut serving = 0;
        let failure = loop {
            let (mut stood, mut found) = (None, None);
            tokio::select! {
                biased;
                standing = stands.recv() => stood = standing,
                finding = finds.recv() => found = finding,
            }
            match (stood, found) {
                (Some(Standing::Serves(_)), _) => {
                    serving += 1;
                    if serving == branches {
                        self.open_gate();
                    }
                }
                (Some(Standing::Ended { branch, end }), _) => {
                    break BankFailure::Ended { branch, end };
                }
                (None, Some(PeerFinding::Classic(peer))) => {
                    if self.propagation == Propagation::Async {
                        break BankFailure::ClassicPeer(peer);
                    }
                }
                (None, Some(PeerFinding::Twin { of, found_by })) => {
                    break BankFailure::Twin { branch: of, found_by };
                }
                // The bank is gone.
                (None, None) => return,
            }
        };
        if fails.send(failure).is_err() {
            log::debug!("the bank is closing already");
        }
    }

    fn open_gate(&self) {
        self.gate.send_if_modified(|gate| {
            let opens = *gate == Gate::Returning;
            if opens {
                *gate = Gate::Open;
            }
            opens
        });
    }
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
    /// What each of them speaks with, by the branch here and the one elsewhere.
    clients: &'a mut BTreeMap<(BranchId, BranchId), PeerClient>,
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
        let LiveOptions { roster, opening_balance, links, life, .. } = self.options;
        let (here, opening_balance) = (self.here, *opening_balance);
        let (identity, shared) = (self.identity.clone(), Arc::clone(roster));
        let ends = PeerId { here, peer, roster: shared, opening_balance, identity };
        let client = PeerClient::new(endpoint.channel(), ends);
        self.clients.insert((here, peer), client.clone());
        let setup = LinkSetup {
            here,
            owner: self.owner.clone(),
            peer,
            client,
            lives: lives_known_of(Some((here, *life)), roster),
            contract: None,
            kept_max: links.kept_max,
            found: self.found.clone(),
        };
        let link = PeerLink::new(setup).start();
        self.links.push(link.clone());
        link.recipient()
    }
}
