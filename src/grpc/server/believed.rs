//! Which callers are believed to be branches elsewhere: those at the address of a peer who have
//! proved who they are, and show the ticket that they got for it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr, Context, Handler, Message, MessageResult};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use crate::grpc::client::{Endpoint, PeerClient};
use crate::grpc::error::{CallError, PeerError, PeerProblem};
use crate::grpc::proof::{End, Identity, Meeting, Role, Ticket};
use crate::grpc::seal::TAG_BYTES;
use crate::model::{BranchId, UnknownVersion};

/// How many meetings a peer may have begun and not ended. One more, and the oldest is forgotten.
const OPEN_MAX: usize = 8;

/// How long a peer has to prove itself.
const OPEN_LIMIT: Duration = Duration::from_secs(10);

/// How long a branch elsewhere may take to say which process it is.
const START_LIMIT: Duration = Duration::from_secs(2);

/// How long the addresses of a host are taken to stay as they are, and how soon they are asked for
/// again where there were none.
const ADDRESSES_LIMIT: Duration = Duration::from_secs(10);
const ADDRESSES_REST: Duration = Duration::from_millis(200);

/// Where each peer may call from.
type Hosts = BTreeMap<BranchId, Vec<IpAddr>>;

/// The tickets of peers, by the branch here and the peer.
type Tickets = BTreeMap<(BranchId, BranchId), Given>;

/// Which callers are believed. Cheap to copy.
#[derive(Debug, Clone)]
pub enum Believed {
    /// The branches of this very process, which have their ticket from its start.
    Ourselves(Ticket),
    /// Branches in other processes.
    Peers(PeersElsewhere),
}

/// The peers of this process, as they have proved themselves so far.
#[derive(Debug, Clone)]
pub struct PeersElsewhere {
    hosts: watch::Receiver<Hosts>,
    tickets: watch::Receiver<Tickets>,
    /// How to call each, by the branch here and the peer.
    clients: Arc<Clients>,
    prover: Addr<Prover>,
}

type Clients = BTreeMap<(BranchId, BranchId), PeerClient>;

/// A ticket, and the address at which it was given. None: a connection of this very process.
#[derive(Debug, Clone, Copy)]
struct Given {
    ticket: Ticket,
    at: Option<IpAddr>,
}

/// Who calls which branch, and from where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller {
    pub(super) here: BranchId,
    pub(super) peer: BranchId,
    pub(super) at: Option<IpAddr>,
}

/// A peer wants to prove itself, and the branch here to do so first.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Challenged")]
pub(super) struct Challenge {
    pub(super) here: BranchId,
    pub(super) caller: End,
}

/// What it is told.
#[derive(Debug)]
pub(super) struct Challenged {
    pub(super) answerer: End,
    pub(super) proof: [u8; TAG_BYTES],
}

/// A peer proves itself; nothing if it does not.
#[derive(Debug, Message)]
#[rtype(result = "Option<Proved>")]
pub(super) struct Prove {
    pub(super) caller: Caller,
    /// Of the branch here, in the meeting that this is about.
    pub(super) nonce: Vec<u8>,
    pub(super) proof: Vec<u8>,
}

/// A peer has proved that it knows the secret.
#[derive(Debug)]
pub(super) enum Proved {
    /// It is the process that was believed before.
    Known(Ticket),
    /// It is one that drew this number at its start, and is not known.
    Started(u64),
}

/// The process that drew this number at its start is believed to be the branch that it says.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Ticket")]
struct Believe {
    caller: Caller,
    start: u64,
}

/// A peer speaks another version.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
struct SpeaksOther {
    caller: Caller,
    unknown: UnknownVersion,
}

impl Believed {
    /// The branches of one process, which reach each other over connections.
    pub fn ourselves(identity: &Identity) -> Self {
        Self::Ourselves(Ticket::of_one_process(&identity.seal))
    }

    /// The branches at `elsewhere`. Called where a System runs.
    pub fn peers(
        identity: Identity,
        elsewhere: &BTreeMap<BranchId, Endpoint>,
        clients: BTreeMap<(BranchId, BranchId), PeerClient>,
    ) -> Self {
        let hosts = watch::Sender::new(Hosts::new());
        for (&peer, endpoint) in elsewhere {
            match endpoint.host().parse() {
                Ok(address) => hosts.send_modify(|hosts| drop(hosts.insert(peer, vec![address]))),
                Err(_) => drop(actix_rt::spawn(look_up(peer, endpoint.clone(), hosts.clone()))),
            }
        }
        let tickets = watch::Sender::new(Tickets::new());
        let (known, given) = (hosts.subscribe(), tickets.subscribe());
        let prover = {
            let (open, other_versions) = (BTreeMap::new(), BTreeSet::new());
            let starts = BTreeMap::new();
            Prover { identity, open, starts, tickets, other_versions }.start()
        };
        let clients = Arc::new(clients);
        Self::Peers(PeersElsewhere { hosts: known, tickets: given, clients, prover })
    }

    /// Whether `caller` has proved who it is and shows the `ticket` that it got for it.
    pub(super) fn check(&self, caller: Caller, ticket: Option<Ticket>) -> Result<(), CallError> {
        let Caller { here, peer, at } = caller;
        let is_good = |ticket: Ticket| match self {
            Self::Ourselves(own) => own.is(&ticket),
            Self::Peers(PeersElsewhere { tickets, .. }) => tickets
                .borrow()
                .get(&(here, peer))
                .is_some_and(|given| given.at == at && given.ticket.is(&ticket)),
        };
        match ticket.is_some_and(is_good) {
            true => Ok(()),
            false => Err(PeerError::NotAPeer { branch: peer, problem: PeerProblem::Ticket }.into()),
        }
    }

    /// Whether `peer` is one, and an address at which it may be is `at`. A connection of this very
    /// process has none.
    pub(super) fn check_address(
        &self,
        peer: BranchId,
        at: Option<IpAddr>,
    ) -> Result<&PeersElsewhere, CallError> {
        let problem = PeerProblem::Address;
        match self {
            Self::Peers(peers) if peers.may_be_at(peer, at) => Ok(peers),
            Self::Peers(_) | Self::Ourselves(_) => {
                Err(PeerError::NotAPeer { branch: peer, problem }.into())
            }
        }
    }
}

impl PeersElsewhere {
    fn may_be_at(&self, peer: BranchId, at: Option<IpAddr>) -> bool {
        let hosts = self.hosts.borrow();
        let Some(at) = at.map(|at| at.to_canonical()) else { return true };
        let is_it = |host: &IpAddr| {
            let host = host.to_canonical();
            // All of loopback is this machine, and which part of it calls is the system's choice.
            host == at || (host.is_loopback() && at.is_loopback())
        };
        hosts.get(&peer).is_some_and(|hosts| hosts.iter().any(is_it))
    }

    /// Tells the log, once until it proves itself, of a peer that speaks another version.
    pub(super) fn refuse_version(&self, caller: Caller, unknown: UnknownVersion) {
        self.prover.do_send(SpeaksOther { caller, unknown });
    }

    /// Begins a meeting.
    pub(super) async fn challenge(&self, challenge: Challenge) -> Result<Challenged, CallError> {
        self.prover.send(challenge).await.map_err(|_| CallError::ActorStopped)
    }

    /// Ends one.
    pub(super) async fn prove(&self, prove: Prove) -> Result<Ticket, CallError> {
        let caller = prove.caller;
        let unproved = PeerError::NotAPeer { branch: caller.peer, problem: PeerProblem::Proof };
        let proved = self.prover.send(prove).await.map_err(|_| CallError::ActorStopped)?;
        match proved.ok_or(unproved)? {
            Proved::Known(ticket) => Ok(ticket),
            Proved::Started(start) => {
                self.check_start(caller, start).await?;
                let believed = self.prover.send(Believe { caller, start }).await;
                believed.map_err(|_| CallError::ActorStopped)
            }
        }
    }

    /// Whether the process that drew `start` is the one at the address of the branch that it says to be.
    async fn check_start(&self, caller: Caller, start: u64) -> Result<(), PeerError> {
        let Caller { here, peer: branch, .. } = caller;
        let unreached = PeerError::Unreached { branch };
        let client = self.clients.get(&(here, branch)).ok_or(unreached)?;
        match timeout(START_LIMIT, client.start_there()).await {
            Ok(Ok(Some(there))) if there == start => Ok(()),
            Ok(Ok(Some(_))) => Err(PeerError::Twin { branch }),
            Ok(Ok(None) | Err(_)) | Err(_) => Err(unreached),
        }
    }
}

/// Keeps the addresses of a peer's host as they are, as long as anybody wants to know.
async fn look_up(peer: BranchId, endpoint: Endpoint, hosts: watch::Sender<Hosts>) {
    while !hosts.is_closed() {
        let found = tokio::net::lookup_host((endpoint.host(), 0)).await;
        let found: Vec<IpAddr> = match found {
            Ok(addresses) => addresses.map(|address| address.ip()).collect(),
            Err(error) => {
                log::info!(
                    "the host of branch {peer}, {}, has no address: {error}",
                    endpoint.host()
                );
                Vec::new()
            }
        };
        let rest = if found.is_empty() { ADDRESSES_REST } else { ADDRESSES_LIMIT };
        hosts.send_modify(|hosts| drop(hosts.insert(peer, found)));
        sleep(rest).await;
    }
}

/// Meets peers, and gives tickets.
#[derive(Debug)]
struct Prover {
    identity: Identity,
    /// Begun and not ended, by the branch here and the peer; the oldest first.
    open: BTreeMap<(BranchId, BranchId), VecDeque<Open>>,
    /// What the process drew at its start that is believed to be each peer, likewise.
    starts: BTreeMap<(BranchId, BranchId), u64>,
    tickets: watch::Sender<Tickets>,
    /// Of whom the log was told that they speak another version.
    other_versions: BTreeSet<BranchId>,
}

#[derive(Debug)]
struct Open {
    meeting: Meeting,
    until: Instant,
}

impl Actor for Prover {
    type Context = Context<Self>;
}

impl Handler<Challenge> for Prover {
    type Result = MessageResult<Challenge>;

    fn handle(
        &mut self,
        Challenge { here, caller }: Challenge,
        _: &mut Self::Context,
    ) -> Self::Result {
        let answerer = self.identity.end(here);
        let meeting = Meeting { caller, answerer };
        let open = self.open.entry((here, caller.branch)).or_default();
        if open.len() == OPEN_MAX {
            open.pop_front();
        }
        open.push_back(Open { meeting, until: Instant::now() + OPEN_LIMIT });
        let proof = meeting.proof(&self.identity.seal, Role::Answerer);
        MessageResult(Challenged { answerer, proof })
    }
}

impl Handler<SpeaksOther> for Prover {
    type Result = ();

    fn handle(&mut self, SpeaksOther { caller, unknown }: SpeaksOther, _: &mut Self::Context) {
        let Caller { here, peer, .. } = caller;
        if self.other_versions.insert(peer) {
            log::warn!("branch {peer} calls branch {here}, and is {unknown}");
        }
    }
}

impl Handler<Prove> for Prover {
    type Result = Option<Proved>;

    fn handle(&mut self, prove: Prove, _: &mut Self::Context) -> Option<Proved> {
        let Prove { caller, nonce, proof } = prove;
        let Caller { here, peer, at } = caller;
        let now = Instant::now();
        let open = self.open.get_mut(&(here, peer))?;
        open.retain(|open| open.until > now);
        let found = open.iter().position(|open| open.meeting.answerer.nonce[..] == nonce)?;
        // Proved or not, it is over.
        let Open { meeting, .. } = open.remove(found)?;
        if !meeting.is_proved(&self.identity.seal, Role::Caller, &proof) {
            log::info!("who says to be branch {peer} at {at:?} does not prove it");
            return None;
        }
        self.other_versions.remove(&peer);
        let start = meeting.caller.start;
        let is_known = self.starts.get(&(here, peer)) == Some(&start);
        Some(if is_known { Proved::Known(self.ticket(caller)) } else { Proved::Started(start) })
    }
}

impl Handler<Believe> for Prover {
    type Result = MessageResult<Believe>;

    fn handle(
        &mut self,
        Believe { caller, start }: Believe,
        _: &mut Self::Context,
    ) -> Self::Result {
        self.starts.insert((caller.here, caller.peer), start);
        MessageResult(self.ticket(caller))
    }
}

impl Prover {
    /// A new ticket for the caller; it has no other one any more.
    fn ticket(&self, Caller { here, peer, at }: Caller) -> Ticket {
        let ticket = Ticket::random();
        self.tickets.send_modify(|tickets| {
            tickets.insert((here, peer), Given { ticket, at });
        });
        ticket
    }
}
