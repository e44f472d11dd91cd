//! The peer service: what branches in other passbook processes ask of a branch here.

use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::believed::{Believed, Caller, Challenge, Challenged, PeersElsewhere, Prove};
use super::gateway::Gateway;
use crate::actors::{
    Deliver, Delivered, Heard, Introduced, LinkChange, LinkEvent, PeerEnvelope, ReplyTo, Summarize,
};
use crate::bank::{LifeList, PeerMessage};
use crate::grpc::convert::{
    self, FieldError, FieldProblem, life_list, life_numbers, propagated_write, version_entries,
};
use crate::grpc::error::{CallError, PeerError};
use crate::grpc::proof::{End, TICKET_KEY, Ticket, check_version, without_proofs};
use crate::grpc::proto::v1;
use crate::grpc::proto::v1::peer_service_server::PeerService;
use crate::model::{BranchId, LogEntry, MessageNumber, UnknownVersion};

/// How many parts of an answer are made before they are sent.
const PARTS_AHEAD: usize = 256;

/// The peer service of one branch, for peers alone.
#[derive(Debug, Clone)]
pub(super) struct PeerServer {
    gateway: Gateway,
    here: BranchId,
    believed: Believed,
}

impl PeerServer {
    /// The service of the branch `here`, for those that are `believed`.
    pub(super) fn new(gateway: Gateway, here: BranchId, believed: Believed) -> Self {
        Self { gateway, here, believed }
    }

    /// Who calls, if it is as it says and its ticket is good.
    fn peer<T>(
        &self,
        request: &Request<T>,
        field: &str,
        number: u32,
    ) -> Result<BranchId, CallError> {
        let caller = self.caller(request, field, number)?;
        let ticket = request.metadata().get_bin(TICKET_KEY);
        let ticket = ticket.and_then(|ticket| ticket.to_bytes().ok());
        self.believed.check(caller, ticket.and_then(|bytes| Ticket::from_bytes(&bytes)))?;
        Ok(caller.peer)
    }

    /// Who says to call, and from where.
    fn caller<T>(
        &self,
        request: &Request<T>,
        field: &str,
        number: u32,
    ) -> Result<Caller, CallError> {
        let peer = self.other_branch(field, number)?;
        let at = request.remote_addr().map(|address| address.ip());
        Ok(Caller { here: self.here, peer, at })
    }

    /// Who calls, if it speaks our version of this service.
    fn speaker<T>(
        &self,
        request: &Request<T>,
        number: u32,
        version: Result<(), UnknownVersion>,
    ) -> Result<(Caller, &PeersElsewhere), CallError> {
        let caller = self.caller(request, "branch_id", number)?;
        let peers = self.believed.check_address(caller.peer, caller.at)?;
        version.map_err(|unknown| {
            peers.refuse_version(caller, unknown);
            PeerError::OtherVersion { here: self.here, unknown }
        })?;
        Ok((caller, peers))
    }

    fn check_bank(
        &self,
        bank: Option<&v1::BankDescription>,
    ) -> Result<v1::BankDescription, CallError> {
        let ours = self.gateway.bank().describe();
        if bank == Some(&ours) { Ok(ours) } else { Err(PeerError::OtherBank.into()) }
    }

    /// Brings the branch what `from` sends it, and its answer back.
    async fn deliver(
        &self,
        from: BranchId,
        (number, lives): (MessageNumber, LifeList),
        message: PeerMessage,
    ) -> Result<Delivered, CallError> {
        let envelope = PeerEnvelope { from, to: self.here, number, lives, message };
        let waiting_max = self.gateway.limits().peer_waiting_max;
        let (reply_to, delivered) = oneshot::channel();
        let reply_to = ReplyTo::Caller(reply_to);
        self.gateway.branch(self.here)?.do_send(Deliver { envelope, waiting_max, reply_to });
        let delivered = async { delivered.await.map_err(|_| CallError::ActorStopped) };
        self.gateway.in_time(delivered).await
    }

    fn lives(&self, list: Option<&v1::LifeList>) -> Result<LifeList, CallError> {
        Ok(life_list("lives", list, &self.gateway.bank().roster)?)
    }

    fn other_branch(&self, field: &str, number: u32) -> Result<BranchId, CallError> {
        let branch = convert::branch_id(field, number)?;
        if branch == self.here || self.gateway.bank().roster.index(branch).is_none() {
            return Err(FieldError::new(field, FieldProblem::UnknownBranch { branch }).into());
        }
        Ok(branch)
    }
}

#[tonic::async_trait]
impl PeerService for PeerServer {
    type CatchUpStream = ReceiverStream<Result<v1::CatchUpResponse, Status>>;

    async fn challenge(
        &self,
        request: Request<v1::ChallengeRequest>,
    ) -> Result<Response<v1::ChallengeResponse>, Status> {
        let v1::ChallengeRequest { bank, branch_id, start, nonce, version } = request.get_ref();
        let (caller, peers) = self.speaker(&request, *branch_id, check_version(*version))?;
        let Caller { here, peer, .. } = caller;
        self.check_bank(bank.as_ref())?;
        let nonce = nonce.as_slice().try_into();
        let nonce = nonce.map_err(|_| FieldError::new("nonce", FieldProblem::Missing));
        let caller = End { branch: peer, start: *start, nonce: nonce.map_err(CallError::from)? };
        let Challenged { answerer, proof } = peers.challenge(Challenge { here, caller }).await?;
        let End { branch, start, nonce } = answerer;
        let (nonce, proof) = (nonce.to_vec(), proof.to_vec());
        let branch_id = branch.get();
        let version = *version;
        Ok(Response::new(v1::ChallengeResponse { branch_id, start, nonce, proof, version }))
    }

    async fn prove(
        &self,
        request: Request<v1::ProveRequest>,
    ) -> Result<Response<v1::ProveResponse>, Status> {
        let caller = self.caller(&request, "branch_id", request.get_ref().branch_id)?;
        let peers = self.believed.check_address(caller.peer, caller.at)?;
        let v1::ProveRequest { nonce, proof, .. } = request.into_inner();
        let ticket = peers.prove(Prove { caller, nonce, proof }).await?;
        Ok(Response::new(v1::ProveResponse { ticket: ticket.bytes().to_vec() }))
    }

    async fn introduce(
        &self,
        request: Request<v1::IntroduceRequest>,
    ) -> Result<Response<v1::IntroduceResponse>, Status> {
        if request.metadata().get_bin(TICKET_KEY).is_none() {
            self.speaker(&request, request.get_ref().branch_id, Err(without_proofs()))?;
        }
        let bank = self.check_bank(request.get_ref().bank.as_ref())?;
        let peer = self.peer(&request, "branch_id", request.get_ref().branch_id)?;
        let lives = self.lives(request.get_ref().lives.as_ref())?;
        self.gateway.bank().registry.do_send(Introduced(peer));
        let branch = self.gateway.branch(self.here)?;
        branch.do_send(Heard { from: peer, lives });
        // Whoever could not reach us could not be reached either: it may hold what is missing here.
        branch.do_send(LinkChange { peer, news: LinkEvent::InReach });
        let state = self.gateway.ask(self.here, Summarize).await?;
        let roster = &self.gateway.bank().roster;
        Ok(Response::new(v1::IntroduceResponse {
            bank: Some(bank),
            branch_id: self.here.get(),
            version: Some(version_entries(&state.version, roster)),
            lives: Some(life_numbers(&state.lives, roster)),
        }))
    }

    async fn propagate(
        &self,
        request: Request<v1::PropagateRequest>,
    ) -> Result<Response<v1::PropagateResponse>, Status> {
        let from = self.peer(&request, "from_branch_id", request.get_ref().from_branch_id)?;
        let request = request.into_inner();
        let roster = &self.gateway.bank().roster;
        let write =
            propagated_write("write", request.write.as_ref(), roster).map_err(CallError::from)?;
        let lives = self.lives(request.lives.as_ref())?;
        let (number, message) = (MessageNumber::new(request.number), PeerMessage::Propagate(write));
        let (acknowledged, lives) = match self.deliver(from, (number, lives), message).await? {
            Delivered::Applied { acknowledgement, number, lives } => {
                (Some((acknowledgement, number)), lives)
            }
            Delivered::ThrownAway { lives } => (None, lives),
            Delivered::Conflicts => {
                return Err(CallError::from(PeerError::Conflict { from }).into());
            }
            Delivered::Crowded { waiting } => {
                return Err(CallError::from(PeerError::Crowded { waiting }).into());
            }
            Delivered::Answered { .. } => return Err(CallError::ActorStopped.into()),
        };
        let number = acknowledged.map_or(0, |(_, number)| number.get());
        Ok(Response::new(v1::PropagateResponse {
            acknowledgement: acknowledged
                .map(|(acknowledgement, _)| v1::Acknowledgement::by(self.here, &acknowledgement)),
            number,
            lives: Some(life_numbers(&lives, roster)),
        }))
    }

    async fn catch_up(
        &self,
        request: Request<v1::CatchUpRequest>,
    ) -> Result<Response<Self::CatchUpStream>, Status> {
        let from = self.peer(&request, "branch_id", request.get_ref().branch_id)?;
        let request = request.into_inner();
        let roster = &self.gateway.bank().roster;
        let version = convert::version_vector("version", request.version.as_ref(), roster)
            .map_err(CallError::from)?;
        let lives = self.lives(request.lives.as_ref())?;
        let message = PeerMessage::CatchUp(version);
        let delivered = self.deliver(from, (MessageNumber::default(), lives), message).await?;
        let (missed, lives) = match delivered {
            Delivered::Answered { missed, lives } => (Some(missed), lives),
            Delivered::ThrownAway { lives } => (None, lives),
            Delivered::Applied { .. } | Delivered::Conflicts | Delivered::Crowded { .. } => {
                return Err(CallError::ActorStopped.into());
            }
        };
        let end = v1::AnswerEnd::of(missed.as_ref(), &lives, roster);
        let writes = missed.map_or(Vec::new(), |missed| missed.writes);
        let (sender, receiver) = mpsc::channel(PARTS_AHEAD);
        tokio::spawn(async move {
            if send_parts(&sender, writes, end).await.is_err() {
                log::debug!("a branch has gone before it had its answer");
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

type Part = Result<v1::CatchUpResponse, Status>;

async fn send_parts(
    sender: &mpsc::Sender<Part>,
    writes: Vec<LogEntry>,
    end: v1::AnswerEnd,
) -> Result<(), mpsc::error::SendError<Part>> {
    for write in writes {
        let missed = Some(write.into());
        sender.send(Ok(v1::CatchUpResponse { missed, end: None })).await?;
    }
    sender.send(Ok(v1::CatchUpResponse { missed: None, end: Some(end) })).await
}
