//! The way in, shared by both contracts: finds the branch, puts the request in its mailbox, waits
//! for the answer. Knows no wire format.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr, Handler, Message};
use tokio::sync::{Semaphore, SemaphorePermit, oneshot, watch};

use super::admission::{Admission, WaitingSlot};
use super::believed::Believed;
use super::connections::Connections;
use super::gate::Gate;
use super::gather::Unread;
use super::limits::Limits;
use super::reason::{ReasonLog, Refused};
use crate::actors::{
    BranchActor, Call, EventIdSource, LatestEvent, NoEventId, SessionRegistry, StraightWay, Submit,
    Submitted,
};
use crate::grpc::client::PeerLink;
use crate::grpc::convert;
use crate::grpc::error::CallError;
use crate::grpc::proto::v1;
use crate::grpc::seal::BankKeys;
use crate::model::{BranchId, Money, Operation, RequestError, Roster};

/// The bank as its façade sees it. Cheap to copy.
#[derive(Debug, Clone)]
pub struct Gateway {
    bank: Arc<GatewaySetup>,
    limits: Limits,
    /// Shared by all copies.
    admission: Arc<Admission>,
    reasons: Addr<ReasonLog>,
    /// Whose turn it is to make a long answer. Shared by all copies.
    turns: Arc<Semaphore>,
    connections: Connections,
    unread: Arc<Unread>,
}

/// What a façade needs to know of its bank.
#[derive(Debug)]
pub struct GatewaySetup {
    /// All branches, here and elsewhere.
    pub roster: Arc<Roster>,
    /// What each branch held at the start.
    pub opening_balance: Money,
    /// With which it proves that something is of this bank.
    pub keys: BankKeys,
    /// Which callers are believed to be branches elsewhere; `None`: none, for there are none.
    pub believed: Option<Believed>,
    /// The branches that live in this process.
    pub branches: BTreeMap<BranchId, Addr<BranchActor>>,
    /// Where requests come in.
    pub registry: Addr<SessionRegistry>,
    /// The way past it; `None` where it counts all requests.
    pub straight_way: Option<StraightWay>,
    /// The links to branches elsewhere.
    pub links: Vec<Addr<PeerLink>>,
    /// Whether requests are let in.
    pub gate: watch::Receiver<Gate>,
    /// How long a branch takes at most to answer, if it has a limit of its own.
    pub answer_time_max: Option<Duration>,
}

impl GatewaySetup {
    /// What the branches of one bank have in common.
    pub(super) fn describe(&self) -> v1::BankDescription {
        convert::bank_description(&self.roster, self.opening_balance)
    }
}

impl Gateway {
    /// The façade's view of the bank `setup`. Called where a System runs.
    pub fn new(setup: GatewaySetup) -> Self {
        let reasons = ReasonLog::default().start();
        Self {
            bank: Arc::new(setup),
            limits: Limits::default(),
            admission: Arc::default(),
            reasons,
            turns: Arc::new(Semaphore::new(1)),
            connections: Connections::start(),
            unread: Arc::default(),
        }
    }

    /// The same, with other limits.
    #[must_use]
    pub(super) fn within(&self, limits: Limits) -> Self {
        Self { limits, ..self.clone() }
    }

    /// What clients and peers may ask, at most.
    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Waits for the turn to make a long answer: one at a time, so that others are served between
    /// two.
    pub(super) async fn turn(&self) -> Result<SemaphorePermit<'_>, CallError> {
        self.turns.acquire().await.map_err(|_| CallError::Draining)
    }

    /// How many requests were turned away so far because too much was waiting or on its way.
    pub fn turned_away(&self) -> u64 {
        self.admission.turned_away()
    }

    /// What is counted of all that comes.
    pub(super) fn admission(&self) -> Arc<Admission> {
        Arc::clone(&self.admission)
    }

    /// The connections on which it is asked, on all ports.
    pub fn connections(&self) -> &Connections {
        &self.connections
    }

    /// What requests take that have not come whole.
    pub(super) fn unread(&self) -> &Arc<Unread> {
        &self.unread
    }

    /// Counts a classic call that is answered with 400, and logs it.
    pub(super) fn tell_refused(&self, refused: Refused) {
        self.admission.refuse(&refused.error);
        self.reasons.do_send(refused);
    }

    /// What it knows of its bank.
    pub fn bank(&self) -> &GatewaySetup {
        &self.bank
    }

    /// The actor of the branch `id`, if it lives here.
    pub fn branch(&self, id: BranchId) -> Result<&Addr<BranchActor>, CallError> {
        self.bank.branches.get(&id).ok_or_else(|| match self.bank.roster.index(id) {
            Some(_) => CallError::ServedElsewhere {
                branch: id,
                here: self.bank.branches.keys().copied().collect(),
            },
            None => {
                CallError::UnknownBranch { branch: id, branches: self.bank.roster.ids().to_vec() }
            }
        })
    }

    /// What the branch `id` says of how it stands. An error where it does not live here, or is down.
    pub(super) async fn ask<M, T>(&self, id: BranchId, question: M) -> Result<T, CallError>
    where
        M: Message<Result = Result<T, RequestError>> + Send + 'static,
        T: Send + 'static,
        BranchActor: Handler<M>,
    {
        let told = self.branch(id)?.send(question).await;
        Ok(told.map_err(|_| CallError::ActorStopped)??)
    }

    /// Waits until the branches here serve.
    pub async fn enter_gate(&self) -> Result<(), CallError> {
        if *self.bank.gate.borrow() == Gate::Open {
            return Ok(());
        }
        let mut gate = self.bank.gate.clone();
        let open = gate.wait_for(|&gate| gate != Gate::Returning).await;
        match open.as_deref() {
            Ok(Gate::Open) => Ok(()),
            Ok(Gate::Returning | Gate::Draining) | Err(_) => Err(CallError::Draining),
        }
    }

    /// An error while the bank closes.
    pub(super) fn refuse_if_draining(&self) -> Result<(), CallError> {
        match *self.bank.gate.borrow() {
            Gate::Open | Gate::Returning => Ok(()),
            Gate::Draining => Err(CallError::Draining),
        }
    }

    /// Brings `call` to its branch. Once it is in the branch's mailbox nothing takes it out again:
    /// a client that gives up, or is told that its time is over, hears no answer, and its passbook
    /// is entered all the same.
    pub async fn serve(&self, call: Call) -> Result<Submitted, CallError> {
        let served = match Admission::place(&self.admission, self.limits.waiting_max) {
            Ok(place) => self.bring(call, place).await,
            Err(overloaded) => Err(overloaded),
        };
        if is_turned_away(&served) {
            self.admission.turn_away();
        }
        served
    }

    /// Waits for `answer` as long as a call may take.
    pub(super) async fn in_time<T>(
        &self,
        answer: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        let limit = self.limits.call_time_max;
        let answered = tokio::time::timeout(limit, answer).await;
        answered.unwrap_or(Err(CallError::TimeOver { limit }))
    }

    async fn bring(&self, mut call: Call, place: WaitingSlot) -> Result<Submitted, CallError> {
        self.refuse_if_draining()?;
        if !self.can_be_numbered(&call) {
            call.event = Box::pin(self.in_time(self.wait_to_bear(&call))).await?;
        }
        let brought = self.hand_in(call, place)?;
        let brought = async { brought.await.map_err(|_| CallError::ActorStopped) };
        let brought = match self.bank.answer_time_max {
            // A timer for each call would never go off.
            Some(limit) if limit <= self.limits.call_time_max => brought.await?,
            Some(_) | None => Box::pin(self.in_time(brought)).await?,
        };
        Ok(brought?)
    }

    /// Whether the registry can tell at once which event id `call` bears.
    fn can_be_numbered(&self, call: &Call) -> bool {
        match (call.event, call.operation) {
            (EventIdSource::Id(_), _) | (EventIdSource::After(_), Operation::Query) => true,
            (EventIdSource::After(_), Operation::Write(_)) => self.is_whole(),
        }
    }

    /// The event id that it bears when the branch serves and has said what it knows.
    async fn wait_to_bear(&self, call: &Call) -> Result<EventIdSource, CallError> {
        self.enter_gate().await?;
        Ok(EventIdSource::After(self.ask(call.branch, LatestEvent(call.customer)).await?))
    }

    /// Whether all branches live here, so that the registry hears of every write. Otherwise others
    /// may have arrived at the branch from elsewhere.
    fn is_whole(&self) -> bool {
        self.bank.branches.len() == self.bank.roster.len()
    }

    /// Hands `call` in, and says where its answer will come out.
    fn hand_in(
        &self,
        call: Call,
        place: WaitingSlot,
    ) -> Result<oneshot::Receiver<Result<Submitted, NoEventId>>, CallError> {
        let branch = self.branch(call.branch)?;
        let (caller, brought) = oneshot::channel();
        let tell = move |brought| {
            drop(place);
            if caller.send(brought).is_err() {
                log::debug!("a client went away before its answer came");
            }
        };
        match &self.bank.straight_way {
            Some(straight_way) => straight_way.submit(call, branch, tell),
            None => {
                let (branch, tell) = (branch.clone(), Box::new(tell));
                self.bank.registry.do_send(Submit { call, branch, tell });
            }
        }
        Ok(brought)
    }
}

/// Whether nothing was done because too much is waiting or on its way.
fn is_turned_away(served: &Result<Submitted, CallError>) -> bool {
    match served {
        Ok(Submitted { outcome: Err(RequestError::Unavailable { .. }), .. })
        | Err(CallError::Overloaded { .. }) => true,
        Ok(_) | Err(_) => false,
    }
}
