//! The classic contract, served: parse, send, map.

use std::net::IpAddr;

use tokio::sync::oneshot;
use tonic::{Request, Response, Status};

use super::gateway::Gateway;
use super::reason::{Reason, Refused};
use crate::actors::{
    Answer, Call, HasIntroduced, PassbookSource, ReadWriteSet, Relay, ReplyTo, Submitted,
    Summarize, WriteSetAt,
};
use crate::grpc::classic_status::ClassicStatus;
use crate::grpc::convert::{
    BRANCH_KEY, ClassicCall, is_from_branch, money_to_float, session, write_set_text,
};
use crate::grpc::error::{CallError, PeerError};
use crate::grpc::proto::banking::branch_server::Branch;
use crate::grpc::proto::banking::{BranchReply, BranchRequest};
use crate::model::{BranchId, CustomerId, LogPosition, Money, Operation, Write, WriteId};

/// The classic service of one branch, or of all behind one listener.
#[derive(Debug, Clone)]
pub(super) struct ClassicService {
    gateway: Gateway,
    branch: Option<BranchId>,
}

/// A write that a branch elsewhere hands over.
struct Relayed {
    from: BranchId,
    /// The address that the call comes from; `None`: a connection of this very process.
    at: Option<IpAddr>,
    id: WriteId,
    write: Write,
}

/// How a call ended, and what its reply says beside that.
struct Answered {
    result: Result<(), CallError>,
    told: ReplyBody,
}

/// What a classic reply says beside its status.
#[derive(Default)]
struct ReplyBody {
    write_sets: String,
    balance: Money,
}

impl ClassicService {
    /// The service of `branch`; where that is `None`, each call names its branch in the metadata.
    pub(super) fn new(gateway: Gateway, branch: Option<BranchId>) -> Self {
        Self { gateway, branch }
    }

    async fn answer(
        &self,
        branch: BranchId,
        at: Option<IpAddr>,
        request: &BranchRequest,
    ) -> Answered {
        let (customer, event, operation) = match ClassicCall::try_from(request) {
            Ok(ClassicCall::Query { customer, event }) => (customer, event, Operation::Query),
            Ok(ClassicCall::Write { id: WriteId { customer, event }, write }) => {
                (customer, Some(event), Operation::Write(write))
            }
            Ok(ClassicCall::UnnumberedWrite { customer, write }) => {
                (customer, None, Operation::Write(write))
            }
            Ok(ClassicCall::Propagate { from, id, write }) => {
                let relayed = self.relay(branch, Relayed { from, at, id, write }).await;
                return Answered::or_nothing(match relayed {
                    Ok(()) => self.state(branch, id.customer).await,
                    Err(error) => Err(error),
                });
            }
            Ok(ClassicCall::ReadWriteSet { customer }) => {
                return Answered::or_nothing(self.state(branch, customer).await);
            }
            Err(error) => return self.refuse(branch, request, error.into()).await,
        };
        let (event, passbook) = (event.into(), PassbookSource::Kept);
        let call = Call { branch, customer, event, operation, passbook };
        match self.gateway.serve(call).await {
            Ok(Submitted { outcome, balance, position, .. }) => {
                let result = outcome.map(drop).map_err(CallError::from);
                match self.write_set_at(branch, customer, position).await {
                    Ok(write_sets) => Answered { result, told: ReplyBody { write_sets, balance } },
                    Err(stopped) => self.refuse(branch, request, stopped).await,
                }
            }
            Err(error) => self.refuse(branch, request, error).await,
        }
    }

    /// A customer reads the write set from every reply, and compares it: so it gets it with a
    /// refusal too, as far as it is known whose session this is and what that branch holds.
    async fn refuse(
        &self,
        branch: BranchId,
        request: &BranchRequest,
        error: CallError,
    ) -> Answered {
        let result = Err(error);
        if request.read_writes || is_from_branch(request) {
            return Answered { result, told: ReplyBody::default() };
        }
        let told = match session(request) {
            Ok(customer) => self.state(branch, customer).await,
            Err(_) => self.balance(branch).await,
        };
        Answered { result, told: told.unwrap_or_else(|_| ReplyBody::nothing_written(Money::ZERO)) }
    }

    /// Brings the write of a branch elsewhere, which speaks this contract alone.
    async fn relay(&self, branch: BranchId, relayed: Relayed) -> Result<(), CallError> {
        let Relayed { from, at, id, write } = relayed;
        let here = self.gateway.branch(branch)?;
        self.check_relayer(from, at).await?;
        // Its number here depends on how many came before: those must be known again first.
        self.gateway.in_time(self.gateway.enter_gate()).await?;
        let (reply_to, answer) = oneshot::channel();
        let reply_to = ReplyTo::Caller(reply_to);
        here.do_send(Relay { from, id, write, reply_to });
        let answer = async { answer.await.map_err(|_| CallError::ActorStopped) };
        let Answer { outcome, .. } = self.gateway.in_time(answer).await?;
        outcome?;
        Ok(())
    }

    /// Only a branch elsewhere brings its writes in this contract, and only one that speaks no
    /// other: to take a write in the name of one of our own would give its number away.
    async fn check_relayer(&self, from: BranchId, at: Option<IpAddr>) -> Result<(), CallError> {
        let bank = self.gateway.bank();
        if bank.roster.index(from).is_none() {
            let branches = bank.roster.ids().to_vec();
            return Err(CallError::UnknownBranch { branch: from, branches });
        }
        let is_ours = bank.branches.contains_key(&from)
            || bank
                .registry
                .send(HasIntroduced(from))
                .await
                .map_err(|_| CallError::ActorStopped)?;
        match &bank.believed {
            Some(believed) if !is_ours => believed.check_address(from, at).map(drop),
            Some(_) | None => Err(PeerError::NotThatBranch { from }.into()),
        }
    }

    /// The customer's write set as it was when the branch gave its answer, so that it shows no more
    /// and no less than the balance does.
    async fn write_set_at(
        &self,
        branch: BranchId,
        customer: CustomerId,
        position: LogPosition,
    ) -> Result<String, CallError> {
        let read = self.gateway.branch(branch)?.send(WriteSetAt(customer, position)).await;
        read.map(write_set_text).map_err(|_| CallError::ActorStopped)
    }

    /// How the branch and the customer's write set there stand now.
    async fn state(&self, branch: BranchId, customer: CustomerId) -> Result<ReplyBody, CallError> {
        let state = self.gateway.ask(branch, ReadWriteSet(customer)).await?;
        Ok(ReplyBody {
            write_sets: write_set_text(state.write_set),
            balance: state.balance.unwrap_or_default(),
        })
    }

    /// How the branch stands now, for a customer who is not known.
    async fn balance(&self, branch: BranchId) -> Result<ReplyBody, CallError> {
        let summary = self.gateway.ask(branch, Summarize).await?;
        Ok(ReplyBody::nothing_written(summary.balance.unwrap_or_default()))
    }

    fn branch_of(&self, request: &Request<BranchRequest>) -> Result<BranchId, Status> {
        if let Some(branch) = self.branch {
            return Ok(branch);
        }
        let named = request.metadata().get(BRANCH_KEY).and_then(|value| value.to_str().ok());
        named
            .and_then(|text| text.parse().ok())
            .and_then(|number| BranchId::new(number).ok())
            .ok_or_else(|| CallError::NoBranchNamed { key: BRANCH_KEY }.into())
    }
}

impl Answered {
    /// What is told, or an error and nothing else.
    fn or_nothing(told: Result<ReplyBody, CallError>) -> Self {
        match told {
            Ok(told) => Self { result: Ok(()), told },
            Err(error) => Self { result: Err(error), told: ReplyBody::default() },
        }
    }
}

impl ReplyBody {
    fn nothing_written(balance: Money) -> Self {
        Self { write_sets: write_set_text([]), balance }
    }
}

#[tonic::async_trait]
impl Branch for ClassicService {
    async fn msg_delivery(
        &self,
        request: Request<BranchRequest>,
    ) -> Result<Response<BranchReply>, Status> {
        let branch = self.branch_of(&request)?;
        let peer = request.remote_addr().map(|address| address.ip());
        let Answered { result, told } = self.answer(branch, peer, request.get_ref()).await;
        let status = ClassicStatus::of(&result).number();
        let ReplyBody { write_sets, balance } = told;
        let reply = BranchReply { status, write_sets, balance: money_to_float(balance) };
        let mut response = Response::new(reply);
        if let Err(error) = result {
            response.extensions_mut().insert(Reason::of(&error));
            self.gateway.tell_refused(Refused { branch, peer, error });
        }
        Ok(response)
    }
}
