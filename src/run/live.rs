//! A bank in real time, behind the gRPC edge: all of its branches here, or one of them and links to
//! the others.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr, Recipient};
use tokio::sync::{mpsc, watch};

use super::bank::{
    BankSetup, Beginning, Beginnings, FinalBalance, Links, Seat, Stopped, addresses, balances,
    lives_known_of, settling,
};
use super::foul_weather::Afflicted;
use super::watcher::{BankFailure, Told, watch_over};
use crate::actors::{
    AnswerAll, BranchActor, Detail, PeerEnvelope, Peers, RecorderLink, SessionRegistry,
    StraightWay, TimeSource,
};
use crate::bank::{BranchConfig, Start, Timeouts, VersionVector};
use crate::grpc::seal::BankKeys;
use crate::grpc::{
    Believed, Endpoint, Gate, Gateway, GatewaySetup, Identity, LinkSetup, PeerClient, PeerFinding,
    PeerId, PeerLink,
};
use crate::model::{BranchId, GuaranteePolicy, Life, Money, Roster, Seed};
use crate::network::{Delays, FaultCounts, Faults, LinkLatencies};
use crate::storage::KeptBranch;

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
    failed: watch::Receiver<Option<BankFailure>>,
}

impl LiveBank {
    /// Starts the actors. Called where a System runs, in real time. Branches with a file are `kept`
    /// there.
    pub fn open(options: &LiveOptions, kept: Vec<KeptBranch>) -> Self {
        let link = RecorderLink {
            clock: TimeSource::real_time(),
            observer: None,
            detail: Detail::Essentials,
        };
        Self::open_recorded(options, kept, &link)
    }

    /// The same, recorded.
    pub(super) fn open_recorded(
        options: &LiveOptions,
        kept: Vec<KeptBranch>,
        recorder: &RecorderLink,
    ) -> Self {
        let is_whole = options.elsewhere.is_empty();
        let roster = &options.roster_of(&kept);
        let life = options.life_of(&kept);
        let here = options.here();
        let beginnings = options.beginnings((&here, roster), kept);
        let begins = !beginnings.values().any(|beginning| beginning.start.is_some());
        let gate = watch::Sender::new(if begins { Gate::Open } else { Gate::Returning });
        let identity = Identity::new(options.keys.peers.clone());
        let (Told { standing, found, failed: disk_fails }, failed) =
            watch_over(here.len(), gate.clone(), options.branch.propagation);
        let of = RefCell::new(beginnings);
        let afflicted = options.afflicted(roster, recorder);
        let faulty = afflicted.as_ref().map(|afflicted| &afflicted.faulty);
        let setup = BankSetup {
            roster,
            opening_balance: options.opening_balance,
            branch: if begins { options.branch } else { options.branch_again() },
            recorder,
            beginnings: Some(Beginnings { of, standing, failed: disk_fails }),
            disks: None,
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
                    let mut linker = Linker {
                        options,
                        life,
                        roster,
                        here,
                        owner,
                        identity,
                        found,
                        links,
                        clients,
                    };
                    ways.connect(linker.peers(&branches), &recorder.clock)
                }
            })
        };
        if let Some(afflicted) = &afflicted {
            afflicted.begin(options.seed, (roster, &seats), recorder);
        }
        let branches: BTreeMap<BranchId, Addr<BranchActor>> =
            here.into_iter().zip(addresses(&seats)).collect();
        let registry = Self::registry(options, roster, &branches);
        let registry = registry.remembering(held(&seats, roster)).start();
        let straight_way =
            StraightWay::new(Arc::clone(roster), options.guarantees.clone(), registry.clone());
        let gateway = Gateway::new(GatewaySetup {
            roster: Arc::clone(roster),
            opening_balance: options.opening_balance,
            keys: options.keys.clone(),
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

    fn registry(
        options: &LiveOptions,
        roster: &Arc<Roster>,
        branches: &BTreeMap<BranchId, Addr<BranchActor>>,
    ) -> SessionRegistry {
        let (bank, guarantees) = (Arc::clone(roster), options.guarantees.clone());
        let first = options.here().first().and_then(|&here| roster.index(here));
        let registry = match first {
            Some(here) if !options.elsewhere.is_empty() => {
                SessionRegistry::at(here, bank, guarantees)
            }
            Some(_) | None => SessionRegistry::new(bank, guarantees),
        };
        registry.forgetting(options.sessions_max, branches.values().cloned().collect())
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
    pub async fn failure(&self) -> BankFailure {
        self.failed(|_| true).await
    }

    /// Ends when nothing is true any more that the bank would say: not even closing in order.
    pub(super) async fn end(&self) -> BankFailure {
        self.failed(BankFailure::is_end).await
    }

    async fn failed(&self, counts: impl Fn(&BankFailure) -> bool) -> BankFailure {
        let mut failed = self.failed.clone();
        let failure = failed.wait_for(|failure| failure.as_ref().is_some_and(&counts)).await;
        match failure.ok().and_then(|failure| failure.clone()) {
            Some(failure) => failure,
            None => std::future::pending().await,
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
    /// The roster of a bank of which these branches are `kept` on a disk; of a new one, if none is.
    pub(crate) fn roster_of(&self, kept: &[KeptBranch]) -> Arc<Roster> {
        // Branches that begin together need nobody to tell them of each other's lives.
        let is_whole = self.elsewhere.is_empty();
        let first_life = kept.first().map(KeptBranch::first_life);
        match first_life.or(is_whole.then_some(self.life)) {
            Some(life) => Arc::new(Roster::clone(&self.roster).beginning_in(life)),
            None => Arc::clone(&self.roster),
        }
    }

    /// The branches that live here, ascending.
    fn here(&self) -> Vec<BranchId> {
        let is_here = |id: &BranchId| !self.elsewhere.contains_key(id);
        self.roster.ids().iter().copied().filter(is_here).collect()
    }

    /// In which life the branch here is, where it is the only one.
    fn life_of(&self, kept: &[KeptBranch]) -> Life {
        kept.first().and_then(KeptBranch::life).unwrap_or(self.life)
    }

    /// What lets things go wrong on purpose between branches that all live here.
    fn afflicted(&self, roster: &Arc<Roster>, recorder: &RecorderLink) -> Option<Afflicted> {
        let faults = self.faults.as_deref().filter(|_| self.elsewhere.is_empty())?;
        let delays = Delays::new(self.latencies.clone(), self.seed, Arc::clone(roster));
        Some(Afflicted::new(faults, delays, recorder))
    }

    /// How the branches `here` begin, of which some are `kept` on a disk.
    fn beginnings(
        &self,
        (here, roster): (&[BranchId], &Roster),
        kept: Vec<KeptBranch>,
    ) -> BTreeMap<BranchId, Beginning> {
        let is_whole = self.elsewhere.is_empty();
        let is_new = kept.iter().all(|kept| kept.memory.is_none());
        let beginning = |branch: &BranchId| match is_whole && is_new {
            true => (*branch, Beginning::default()),
            false => (*branch, Beginning::of_life(self.life, roster)),
        };
        let mut beginnings: BTreeMap<_, _> = here.iter().map(beginning).collect();
        for KeptBranch { branch, store, memory, .. } in kept {
            let beginning = beginnings.entry(branch).or_default();
            beginning.store = Some(store);
            if let Some(memory) = memory {
                beginning.start = Some(Start::FromDisk { spare: self.life, memory });
            }
        }
        beginnings
    }

    /// How a branch serves that may have been there before.
    fn branch_again(&self) -> BranchConfig {
        let LinkOptions { return_limit, resend_after, .. } = self.links;
        let (return_limit, resend_after) = (Some(return_limit), Some(resend_after));
        let timeouts = Timeouts { return_limit, resend_after, ..self.branch.timeouts };
        BranchConfig { timeouts, ..self.branch }
    }
}

/// All that the branches at `seats` hold.
fn held(seats: &[Seat<BranchActor>], roster: &Roster) -> VersionVector {
    let mut held = VersionVector::new(roster);
    for version in seats.iter().filter_map(|seat| seat.actor.version()) {
        held.merge(&version);
    }
    held
}

/// Makes the links from one branch here to branches elsewhere.
struct Linker<'a> {
    options: &'a LiveOptions,
    /// In which life the branch here is.
    life: Life,
    roster: &'a Arc<Roster>,
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
        let (roster, elsewhere) = (self.roster, &self.options.elsewhere);
        let link = |peer: &BranchId| match elsewhere.get(peer) {
            Some(endpoint) => self.link(*peer, endpoint),
            None => branches[peer].clone().recipient(),
        };
        Peers::straight(roster, roster.ids().iter().map(link).collect())
    }

    fn link(&mut self, peer: BranchId, endpoint: &Endpoint) -> Recipient<PeerEnvelope> {
        let LiveOptions { opening_balance, links, .. } = self.options;
        let (roster, life) = (self.roster, self.life);
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
            lives: lives_known_of(Some((here, life)), roster),
            contract: None,
            kept_max: links.kept_max,
            found: self.found.clone(),
        };
        let link = PeerLink::new(setup).start();
        self.links.push(link.clone());
        link.recipient()
    }
}
