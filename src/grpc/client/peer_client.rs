//! Calls to a branch elsewhere, in either contract, on behalf of a branch here.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::time::timeout;
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use crate::bank::{
    Acknowledgement, LifeList, Missed, PropagatedWrite, VersionVector, WriteSetDigest,
};
use crate::grpc::classic_status::ClassicStatus;
use crate::grpc::convert::{
    ClassicCall, FieldError, FieldProblem, WriteSetText, acknowledgement, answer_end,
    bank_description, life_list, life_numbers, logged_write, version_entries,
};
use crate::grpc::proof::{
    End, Identity, Meeting, Role, TICKET_KEY, Ticket, VERSIONS, check_version, without_proofs,
};
use crate::grpc::proto::banking::branch_client::BranchClient;
use crate::grpc::proto::banking::{BranchReply, BranchRequest};
use crate::grpc::proto::v1;
use crate::grpc::proto::v1::peer_service_client::PeerServiceClient;
use crate::grpc::status::{CONFLICT, DOMAIN, TWIN, UNKNOWN_METHOD};
use crate::model::{BranchId, CustomerId, EventId, MessageNumber, Money, Roster, UnknownVersion};

/// How many writes of one answer are taken: far more than a page has, however often each was accepted.
const MISSED_MAX: usize = 1_000_000;

/// Speaks to one branch elsewhere. Cheap to copy.
#[derive(Debug, Clone)]
pub struct PeerClient {
    channel: Channel,
    ends: Arc<PeerId>,
    /// What the other end gave for the last proof.
    ticket: Option<Ticket>,
}

/// Who speaks to whom, and of which bank.
#[derive(Debug)]
pub struct PeerId {
    /// The branch here.
    pub here: BranchId,
    /// The branch elsewhere.
    pub peer: BranchId,
    /// All branches of the bank.
    pub roster: Arc<Roster>,
    /// What each of them held at the start.
    pub opening_balance: Money,
    /// With what the branch here proves who it is.
    pub identity: Identity,
}

/// Why a branch elsewhere did not do what it was asked.
#[derive(Debug, Error)]
pub enum LinkError {
    /// It was not reached, or it refused.
    #[error("{}: {}", .0.code(), .0.message())]
    Status(#[from] Box<Status>),
    /// It answered something that is no answer.
    #[error("it answered {0}")]
    Answer(#[from] FieldError),
    /// It does not hold the write that it was sent.
    #[error("it was sent a write, and does not hold it")]
    NotApplied,
    /// It did not answer in time.
    #[error("no answer in {limit:?}")]
    Late {
        /// How long it was waited for.
        limit: Duration,
    },
    /// It knows another write under the same origin and sequence.
    #[error("it knows another write under the same number")]
    Conflict,
    /// It speaks another version of the peer service.
    #[error("it is {0}")]
    OtherVersion(#[from] UnknownVersion),
    /// It does not prove that it is the branch that is meant.
    #[error("it does not prove to be branch {peer}; its secret, or its --bank-name, is another")]
    Unproved {
        /// The branch that is meant.
        peer: BranchId,
    },
    /// Another branch is there.
    #[error("branch {found} is there, and not branch {peer}; look at --peer")]
    OtherBranch {
        /// The branch that is meant.
        peer: BranchId,
        /// The one that answers.
        found: u32,
    },
    /// Another process is the branch that this one says to be.
    #[error("another process is this branch already")]
    Twin,
    /// The write cannot be said in its contract.
    #[error("{0}")]
    Unsayable(FieldError),
}

/// What the other end speaks.
pub(super) enum Introduced {
    /// The classic contract alone.
    Classic,
    /// The typed one; it knows of these lives.
    Typed {
        /// Shows the ticket that the other end gave.
        client: PeerClient,
        lives: LifeList,
    },
}

/// What came of something that was sent to the other end, with its list of lives.
pub(super) struct Told<T> {
    /// `None`: the other end has thrown it away.
    pub(super) said: Option<T>,
    pub(super) lives: LifeList,
}

/// Whether a write may have come to the other end before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    /// It has not.
    First,
    /// It may have.
    Again,
    /// It has: the other end has said so.
    Confirmed,
}

impl From<Status> for LinkError {
    fn from(status: Status) -> Self {
        match reason(&status).as_deref() {
            Some(CONFLICT) => Self::Conflict,
            Some(_) | None => Self::Status(Box::new(status)),
        }
    }
}

impl PeerClient {
    /// Speaks through `channel`.
    pub fn new(channel: Channel, ends: PeerId) -> Self {
        Self { channel, ends: Arc::new(ends), ticket: None }
    }

    /// The same, to a branch of this very process, to which nothing need be proved.
    pub fn of_one_process(channel: Channel, ends: PeerId) -> Self {
        let ticket = Some(Ticket::of_one_process(&ends.identity.seal));
        Self { ticket, ..Self::new(channel, ends) }
    }

    /// Finds out which contract the other end speaks, and where that is the typed one, that it is
    /// of the same bank: each end proves to the other who it is. The branch here knows of `lives`.
    pub(super) async fn introduce(self, lives: &LifeList) -> Result<Introduced, LinkError> {
        let Some(ticket) = self.prove().await? else { return Ok(Introduced::Classic) };
        let client = Self { ticket: Some(ticket), ..self };
        let PeerId { here, roster, .. } = &*client.ends;
        let request = client.showing(v1::IntroduceRequest {
            bank: Some(client.bank()),
            branch_id: here.get(),
            version: None,
            lives: Some(life_numbers(lives, roster)),
        });
        let answer = PeerServiceClient::new(client.channel.clone()).introduce(request).await?;
        let lives = life_list("lives", answer.into_inner().lives.as_ref(), roster)?;
        Ok(Introduced::Typed { client, lives })
    }

    /// What the process drew at its start that answers as the branch elsewhere; `None` where it speaks
    /// the classic contract alone.
    pub(crate) async fn start_there(&self) -> Result<Option<u64>, LinkError> {
        Ok(self.challenge().await?.map(|meeting| meeting.answerer.start))
    }

    /// Begins a meeting, in which the other end has proved that it is the branch that is meant.
    async fn challenge(&self) -> Result<Option<Meeting>, LinkError> {
        let PeerId { here, peer, identity, .. } = &*self.ends;
        let caller = identity.end(*here);
        let request = v1::ChallengeRequest {
            bank: Some(self.bank()),
            branch_id: here.get(),
            start: caller.start,
            nonce: caller.nonce.to_vec(),
            version: u32::try_from(VERSIONS.newest).ok(),
        };
        let mut client = PeerServiceClient::new(self.channel.clone());
        let answer = match client.challenge(request).await {
            Ok(answer) => answer.into_inner(),
            Err(status) if is_classic(&status) => return Ok(None),
            Err(status) if has_no_proofs(&status) => return Err(without_proofs().into()),
            Err(status) => return Err(status.into()),
        };
        check_version(answer.version)?;
        if answer.branch_id != peer.get() {
            return Err(LinkError::OtherBranch { peer: *peer, found: answer.branch_id });
        }
        let unproved = LinkError::Unproved { peer: *peer };
        let Ok(nonce) = answer.nonce.as_slice().try_into() else { return Err(unproved) };
        let answerer = End { branch: *peer, start: answer.start, nonce };
        let meeting = Meeting { caller, answerer };
        if meeting.is_proved(&identity.seal, Role::Answerer, &answer.proof) {
            Ok(Some(meeting))
        } else {
            Err(unproved)
        }
    }

    /// A new ticket, or `None` where the other end speaks the classic contract alone.
    async fn prove(&self) -> Result<Option<Ticket>, LinkError> {
        let PeerId { here, peer, identity, .. } = &*self.ends;
        let Some(meeting) = self.challenge().await? else { return Ok(None) };
        let proof = meeting.proof(&identity.seal, Role::Caller).to_vec();
        let nonce = meeting.answerer.nonce.to_vec();
        let request = v1::ProveRequest { branch_id: here.get(), nonce, proof };
        let proved = PeerServiceClient::new(self.channel.clone()).prove(request).await;
        // Taken from nobody who has not proved who it is: it ends this process.
        let refused = |status: Status| match reason(&status).as_deref() {
            Some(TWIN) => LinkError::Twin,
            Some(_) | None => status.into(),
        };
        let given = proved.map_err(refused)?.into_inner();
        let unproved = LinkError::Unproved { peer: *peer };
        Ticket::from_bytes(&given.ticket).map(Some).ok_or(unproved)
    }

    fn bank(&self) -> v1::BankDescription {
        bank_description(&self.ends.roster, self.ends.opening_balance)
    }

    /// `message` with the ticket beside it.
    fn showing<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(ticket) = &self.ticket {
            let ticket = MetadataValue::from_bytes(ticket.bytes());
            request.metadata_mut().insert_bin(TICKET_KEY, ticket);
        }
        request
    }

    /// Hands over a write in the typed contract.
    pub(super) async fn propagate(
        &self,
        write: &PropagatedWrite,
        number: MessageNumber,
        lives: &LifeList,
    ) -> Result<Told<Acknowledged>, LinkError> {
        let PeerId { here, roster, .. } = &*self.ends;
        let request = v1::PropagateRequest {
            write: Some(v1::PropagatedWrite::of(write, roster)),
            from_branch_id: here.get(),
            number: number.get(),
            lives: Some(life_numbers(lives, roster)),
        };
        let mut client = PeerServiceClient::new(self.channel.clone());
        let response = client.propagate(self.showing(request)).await?.into_inner();
        let lives = life_list("lives", response.lives.as_ref(), roster)?;
        let Some(said) = &response.acknowledgement else { return Ok(Told { said: None, lives }) };
        let said = acknowledgement("acknowledgement", Some(said), roster)?;
        if said.dot == write.dot && said.id == write.id {
            let said = Some((said, MessageNumber::new(response.number)));
            Ok(Told { said, lives })
        } else {
            Err(LinkError::NotApplied)
        }
    }

    /// Hands over a write in the classic contract. The other end's write set is read from the reply
    /// or, where that leaves it out, asked for.
    ///
    /// A branch written elsewhere may apply whatever it is sent. So a write that may have come
    /// there before is sent only if the write set there does not hold it.
    pub(super) async fn propagate_classic(
        &self,
        write: &PropagatedWrite,
        attempt: Attempt,
        lives: &LifeList,
    ) -> Result<Told<Acknowledged>, LinkError> {
        let PropagatedWrite { dot, id, write, .. } = *write;
        // It knows of no lives, so that it says nothing against these.
        let told = |write_set| {
            let acknowledgement = Acknowledgement { dot, id, write_set };
            let said = Some((acknowledgement, MessageNumber::default()));
            Told { said, lives: lives.clone() }
        };
        match attempt {
            Attempt::First => {}
            Attempt::Again => {
                let held = self.write_set(id.customer).await?;
                if let Some(write_set) = WriteSetDigest::of_ids(&held, id.event) {
                    return Ok(told(write_set));
                }
            }
            Attempt::Confirmed => {
                return Ok(told(up_to(&self.write_set(id.customer).await?, id.event)));
            }
        }
        let mut held =
            self.call(ClassicCall::Propagate { from: self.ends.here, id, write }).await?;
        if held.is_empty() {
            held = self.write_set(id.customer).await?;
        }
        Ok(told(up_to(&held, id.event)))
    }

    /// The customer's write set at the other end; nothing where that does not tell.
    async fn write_set(&self, customer: CustomerId) -> Result<Vec<EventId>, LinkError> {
        match self.call(ClassicCall::ReadWriteSet { customer }).await {
            Err(LinkError::NotApplied) => Ok(Vec::new()),
            told => told,
        }
    }

    async fn call(&self, call: ClassicCall) -> Result<Vec<EventId>, LinkError> {
        let request = BranchRequest::try_from(call).map_err(LinkError::Unsayable)?;
        let mut client = BranchClient::new(self.channel.clone());
        let BranchReply { status, write_sets, .. } =
            client.msg_delivery(request).await?.into_inner();
        match ClassicStatus::from_number(status) {
            Some(ClassicStatus::Done) => {}
            Some(ClassicStatus::Failed) => return Err(LinkError::NotApplied),
            None => {
                let problem = FieldProblem::EnumValue { name: "status", found: status };
                return Err(FieldError::new("status", problem).into());
            }
        }
        Ok(match WriteSetText::parse(&write_sets) {
            Ok(WriteSetText::Events(events)) => events,
            Ok(WriteSetText::Absent) => Vec::new(),
            Err(error) => {
                log::warn!("branch {} answered {error}", self.ends.peer);
                Vec::new()
            }
        })
    }

    /// Asks for everything that `here` has not; waits up to `limit` for each part of it. An answer that
    /// does not come whole is none.
    pub(super) async fn catch_up(
        &self,
        here: &VersionVector,
        lives: &LifeList,
        limit: Duration,
    ) -> Result<Told<Missed>, LinkError> {
        let late = |_| LinkError::Late { limit };
        let roster = &self.ends.roster;
        let request = v1::CatchUpRequest {
            branch_id: self.ends.here.get(),
            version: Some(version_entries(here, roster)),
            lives: Some(life_numbers(lives, roster)),
        };
        let mut client = PeerServiceClient::new(self.channel.clone());
        let answered =
            timeout(limit, client.catch_up(self.showing(request))).await.map_err(late)?;
        let mut stream = answered?.into_inner();
        let mut writes = Vec::new();
        while let Some(part) = timeout(limit, stream.message()).await.map_err(late)?? {
            if part.missed.is_some() {
                if writes.len() == MISSED_MAX {
                    let problem = FieldProblem::TooManyParts { most: MISSED_MAX };
                    return Err(FieldError::new("missed", problem).into());
                }
                writes.push(logged_write("missed", part.missed.as_ref(), roster)?);
            }
            if let Some(end) = &part.end {
                let (lives, missed) = answer_end("end", end, roster)?;
                return Ok(Told { said: missed.map(|end| Missed { writes, ..end }), lives });
            }
        }
        Err(FieldError::new("end", FieldProblem::Missing).into())
    }
}

/// That a write is applied at the other end, and which of its messages says so.
pub(super) type Acknowledged = (Acknowledgement, MessageNumber);

/// Whether it is one of ours that has the peer service, and nothing in it to prove.
fn has_no_proofs(status: &Status) -> bool {
    status.code() == Code::Unimplemented
        && status.get_details_error_info().is_some_and(|info| info.reason == UNKNOWN_METHOD)
}

/// Whether it knows nothing of the peer service. One of ours that has none says so in words of its
/// own: it is another bank's, or of another version.
fn is_classic(status: &Status) -> bool {
    status.code() == Code::Unimplemented
        && status.get_details_error_info().is_none_or(|info| info.domain != DOMAIN)
}

/// Which of the peer service's errors of this code it is.
fn reason(status: &Status) -> Option<String> {
    let info = status.get_details_error_info().filter(|info| info.domain == DOMAIN)?;
    (status.code() == Code::FailedPrecondition).then_some(info.reason)
}

/// The digest of the write set `held` of a branch that says that it has applied `event`. A set
/// without it is not ours, and to send the write again would make nothing better.
fn up_to(held: &[EventId], event: EventId) -> WriteSetDigest {
    let whole = || WriteSetDigest::told(0, 0, None);
    WriteSetDigest::of_ids(held, event).unwrap_or_else(whole)
}
