//! The peer service: what branches in other passbook processes ask of a branch here.

use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::believed::{Believed, Caller, Challenge, Challenged, PeersElsewhere, Prove};
use super::gateway::Gateway;
use crate::actors::{
    Came, Deliver, Delivered, Introduced, LinkChange, LinkEvent, PeerEnvelope, ReadCame, ReplyTo,
    Summarize,
};
use crate::bank::{LifeList, PeerMessage};
use crate::grpc::convert::{self, FieldError, FieldProblem, propagated_write, version_entries};
use crate::grpc::error::{CallError, PeerError};
use crate::grpc::proof::{End, TICKET_KEY, Ticket, check_version, without_proofs};
use crate::grpc::proto::v1;
use crate::grpc::proto::v1::peer_service_server::PeerService;
use crate::model::{BranchId, Dot, LogPosition, MessageNumber, UnknownVersion};

/// How many writes are taken from the branch at a time for one that catches up.
const CHUNK: usize = 256;

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
        self.gateway.bank().registry.do_send(Introduced(peer));
        let branch = self.gateway.branch(self.here)?;
        // Whoever could not reach us could not be reached either: it may hold what is missing here.
        branch.do_send(LinkChange { peer, news: LinkEvent::InReach });
        let state = branch.send(Summarize).await.map_err(|_| CallError::ActorStopped)?;
        let version = version_entries(&state.version, &self.gateway.bank().roster);
        Ok(Response::new(v1::IntroduceResponse {
            bank: Some(bank),
            branch_id: self.here.get(),
            version: Some(version),
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
        let number = MessageNumber::new(request.number);
        let message = PeerMessage::Propagate(write);
        let lives = LifeList::of_first_lives();
        let envelope = PeerEnvelope { from, to: self.here, number, lives, message };
        let (reply_to, acknowledged) = oneshot::channel();
        let reply_to = ReplyTo::Caller(reply_to);
        let branch = self.gateway.branch(self.here)?;
        let delivered = self.gateway.in_time(async {
            // A branch that has lost its memory gets that back first. What comes now may be a
            // customer's next write, and the ones before it are to come before it here too.
            self.gateway.caught_up().await?;
            let waiting_max = self.gateway.limits().peer_waiting_max;
            branch.do_send(Deliver { envelope, waiting_max, reply_to });
            match acknowledged.await.map_err(|_| CallError::ActorStopped)? {
                Delivered::Applied { acknowledgement, number } => Ok((acknowledgement, number)),
                Delivered::Conflicts => Err(PeerError::Conflict { from }.into()),
                Delivered::Crowded { waiting } => Err(PeerError::Crowded { waiting }.into()),
            }
        });
        let (acknowledgement, number) = delivered.await?;
        Ok(Response::new(v1::PropagateResponse {
            acknowledgement: Some(v1::Acknowledgement::by(self.here, &acknowledgement)),
            number: number.get(),
        }))
    }

    async fn catch_up(
        &self,
        request: Request<v1::CatchUpRequest>,
    ) -> Result<Response<Self::CatchUpStream>, Status> {
        self.peer(&request, "branch_id", request.get_ref().branch_id)?;
        let request = request.into_inner();
        let roster = self.gateway.bank().roster.clone();
        let version = convert::version_vector("version", request.version.as_ref(), &roster)
            .map_err(CallError::from)?;
        let branch = self.gateway.branch(self.here)?.clone();
        let (sender, receiver) = mpsc::channel(CHUNK);
        tokio::spawn(async move {
            let is_missed = |dot: Dot| {
                roster.origin(dot).is_some_and(|origin| dot.sequence > version.get(origin))
            };
            let mut after = LogPosition::default();
            loop {
                let Ok(Came { writes, end }) = branch.send(ReadCame { after, most: CHUNK }).await
                else {
                    let stopped = Err(CallError::ActorStopped.into());
                    if sender.send(stopped).await.is_err() {
                        log::debug!("a branch that catches up has gone before this one stopped");
                    }
                    return;
                };
                if writes.is_empty() {
                    return;
                }
                after = end;
                for entry in writes {
                    let response = || v1::CatchUpResponse { missed: Some(entry.into()) };
                    if is_missed(entry.dot) && sender.send(Ok(response())).await.is_err() {
                        return;
                    }
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}
