//! The peer service: what branches in other passbook processes ask of a branch here.

use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::convert::{self, FieldError, FieldProblem, propagated_write, version_entries};
use super::front::Front;
use super::proto::v1;
use super::proto::v1::peer_service_server::PeerService;
use super::status::CallError;
use crate::actors::{
    Came, Deliver, Delivered, Introduced, LinkNews, News, PeerEnvelope, ReadCame, ReplyTo,
    Summarize,
};
use crate::bank::PeerMessage;
use crate::model::{BranchId, LogPosition, MessageNumber};

/// How many writes are taken from the branch at a time for one that catches up.
const CHUNK: usize = 256;

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
        let peer = self.other_branch("branch_id", request.branch_id)?;
        self.front.bank().desk.do_send(Introduced(peer));
        let branch = self.front.branch(self.here)?;
        // Whoever could not reach us could not be reached either: it may hold what is missing here.
        branch.do_send(LinkNews { peer, news: News::InReach });
        let state = branch.send(Summarize).await.map_err(|_| CallError::ActorStopped)?;
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
        let branch = self.front.branch(self.here)?;
        let delivered = self.front.in_time(async {
            // A branch that has lost its memory gets that back first. What comes now may be a
            // customer's next write, and the ones before it are to come before it here too.
            self.front.caught_up().await?;
            branch.do_send(Deliver { envelope, reply_to });
            match acknowledged.await.map_err(|_| CallError::ActorStopped)? {
                Delivered::Applied { acknowledgement, number } => Ok((acknowledgement, number)),
                Delivered::Conflicts => Err(CallError::Conflict { from }),
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
        let request = request.into_inner();
        self.other_branch("branch_id", request.branch_id)?;
        let roster = self.front.bank().roster.clone();
        let version = convert::version_vector("version", request.version.as_ref(), &roster)
            .map_err(CallError::from)?;
        let branch = self.front.branch(self.here)?.clone();
        let (sender, receiver) = mpsc::channel(CHUNK);
        tokio::spawn(async move {
            let is_missed = |origin, sequence| {
                roster.index(origin).is_some_and(|origin| sequence > version.get(origin))
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
                    if is_missed(entry.dot.origin, entry.dot.sequence)
                        && sender.send(Ok(response())).await.is_err()
                    {
                        return;
                    }
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}
