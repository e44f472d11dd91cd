//! The peer service: what branches in other passbook processes ask of a branch here.

use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::convert::{self, FieldError, FieldProblem, propagated_write, version_entries};
use super::front::Front;
use super::proto::v1;
use super::proto::v1::peer_service_server::PeerService;
use super::status::CallError;
use crate::actors::{Deliver, Delivered, Inspect, PeerEnvelope, ReplyTo};
use crate::bank::PeerMessage;
use crate::model::{BranchId, MessageNumber};

/// The peer service of one branch.
#[derive(Debug, Clone)]
pub(super) struct PeerServer {
    front: Front,
    here: BranchId,
}

impl PeerServer {
    /// The service of the branch `here`.
    pub(super) fn new(front: Front, here: BranchId) -> Self {
        Self { front, here }
    }

    fn other_branch(&self, field: &str, number: u32) -> Result<BranchId, CallError> {
        let branch = convert::branch_id(field, number)?;
        if branch == self.here || self.front.bank().roster.index(branch).is_none() {
            return Err(FieldError::new(field, FieldProblem::UnknownBranch { branch }).into());
        }
        Ok(branch)
    }
}

#[tonic::async_trait]
impl PeerService for PeerServer {
    type CatchUpStream = ReceiverStream<Result<v1::CatchUpResponse, Status>>;

    async fn introduce(
        &self,
        request: Request<v1::IntroduceRequest>,
    ) -> Result<Response<v1::IntroduceResponse>, Status> {
        let request = request.into_inner();
        let bank = self.front.bank().describe();
        if request.bank.as_ref() != Some(&bank) {
            return Err(CallError::OtherBank.into());
        }
        self.other_branch("branch_id", request.branch_id)?;
        let state = self.front.branch(self.here)?.send(Inspect).await;
        let state = state.map_err(|_| CallError::ActorStopped)?;
        let version = version_entries(&state.version, &self.front.bank().roster);
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
        let request = request.into_inner();
        let roster = &self.front.bank().roster;
        let write =
            propagated_write("write", request.write.as_ref(), roster).map_err(CallError::from)?;
        let from = self.other_branch("from_branch_id", request.from_branch_id)?;
        let number = MessageNumber::new(request.number);
        let message = PeerMessage::Propagate(write);
        let envelope = PeerEnvelope { from, to: self.here, number, message };
        let (reply_to, acknowledged) = oneshot::channel();
        let reply_to = ReplyTo::Caller(reply_to);
        self.front.branch(self.here)?.do_send(Deliver { envelope, reply_to });
        let Delivered { acknowledgement, number } =
            acknowledged.await.map_err(|_| CallError::ActorStopped)?;
        Ok(Response::new(v1::PropagateResponse {
            acknowledgement: Some(v1::Acknowledgement::by(self.here, &acknowledgement)),
            number: number.get(),
        }))
    }

    async fn catch_up(
        &self,
        request: Request<v1::CatchUpRequest>,
    ) -> Result<Response<Self::CatchUpStream>, Status> {
        let request = request.into_inner();
        self.other_branch("branch_id", request.branch_id)?;
        let roster = self.front.bank().roster.clone();
        let version = convert::version_vector("version", request.version.as_ref(), &roster)
            .map_err(CallError::from)?;
        let state = self.front.branch(self.here)?.send(Inspect).await;
        let state = state.map_err(|_| CallError::ActorStopped)?;
        let (sender, receiver) = mpsc::channel(64);
        tokio::spawn(async move {
            let is_missed = |origin, sequence| {
                roster.index(origin).is_some_and(|origin| sequence > version.get(origin))
            };
            let missed = state.log.into_iter();
            for entry in missed.filter(|entry| is_missed(entry.dot.origin, entry.dot.sequence)) {
                let response = v1::CatchUpResponse { missed: Some(entry.into()) };
                if sender.send(Ok(response)).await.is_err() {
                    return;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}
