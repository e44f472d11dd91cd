//! The classic contract, served: parse, send, map.

use tokio::sync::oneshot;
use tonic::{Request, Response, Status};

use super::convert::{ClassicCall, money_to_float, write_set_text};
use super::front::{Call, Front, Served};
use super::proto::banking::branch_server::Branch;
use super::proto::banking::{BranchReply, BranchRequest};
use super::status::{CallError, ClassicStatus};
use crate::actors::{Answer, HasIntroduced, ReadWriteSet, Relay, ReplyTo, Shown};
use crate::model::{BranchId, CustomerId, Money, Operation, WriteId};

/// The metadata key that names the branch where one listener serves them all.
pub(super) const BRANCH_KEY: &str = "branch";

/// The classic service of one branch, or of all behind one listener.
#[derive(Debug, Clone)]
pub(super) struct ClassicService {
    front: Front,
    branch: Option<BranchId>,
}

/// What a classic reply says beside its status.
#[derive(Default)]
struct Told {
    write_sets: String,
    balance: Money,
}

impl ClassicService {
    /// The service of `branch`; where that is `None`, each call names its branch in the metadata.
    pub(super) fn new(front: Front, branch: Option<BranchId>) -> Self {
        Self { front, branch }
    }

    async fn answer(&self, branch: BranchId, request: &BranchRequest) -> Result<Told, CallError> {
        let customer = match ClassicCall::try_from(request)? {
            ClassicCall::ReadWriteSet { customer } => customer,
            ClassicCall::Query { customer, event } => {
                let (operation, passbook) = (Operation::Query, Shown::Kept);
                let call = Call { branch, customer, event, operation, passbook };
                let Served { outcome, balance, .. } = self.front.serve(call).await?;
                outcome?;
                return Ok(Told { balance, write_sets: String::new() });
            }
            ClassicCall::Write { id, write } => {
                let WriteId { customer, event } = id;
                let (operation, passbook) = (Operation::Write(write), Shown::Kept);
                let call = Call { branch, customer, event: Some(event), operation, passbook };
                self.front.serve(call).await?.outcome?;
                customer
            }
            ClassicCall::Propagate { from, id, write } => {
                let here = self.front.branch(branch)?;
                self.check_relayer(from).await?;
                // Its number here depends on how many came before: those must be known again first.
                self.front.in_time(self.front.enter_gate()).await?;
                let (reply_to, answer) = oneshot::channel();
                let reply_to = ReplyTo::Caller(reply_to);
                here.do_send(Relay { from, id, write, reply_to });
                let Answer { outcome, .. } = answer.await.map_err(|_| CallError::ActorStopped)?;
                outcome?;
                id.customer
            }
        };
        self.write_set(branch, customer).await
    }

    /// Only a branch elsewhere brings its writes in this contract, and only one that speaks no other:
    /// to take a write in the name of one of our own would give its number away.
    async fn check_relayer(&self, from: BranchId) -> Result<(), CallError> {
        let bank = self.front.bank();
        if bank.roster.index(from).is_none() {
            let branches = bank.roster.ids().to_vec();
            return Err(CallError::UnknownBranch { branch: from, branches });
        }
        let is_ours = bank.branches.contains_key(&from)
            || bank.desk.send(HasIntroduced(from)).await.map_err(|_| CallError::ActorStopped)?;
        if is_ours { Err(CallError::NotThatBranch { from }) } else { Ok(()) }
    }

    async fn write_set(&self, branch: BranchId, customer: CustomerId) -> Result<Told, CallError> {
        let read = self.front.branch(branch)?.send(ReadWriteSet(customer)).await;
        let state = read.map_err(|_| CallError::ActorStopped)?;
        Ok(Told {
            write_sets: write_set_text(state.write_set),
            balance: state.balance.unwrap_or_default(),
        })
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

#[tonic::async_trait]
impl Branch for ClassicService {
    async fn msg_delivery(
        &self,
        request: Request<BranchRequest>,
    ) -> Result<Response<BranchReply>, Status> {
        let branch = self.branch_of(&request)?;
        let answer = self.answer(branch, request.get_ref()).await;
        if let Err(error) = &answer {
            log::info!("branch {branch} answers a classic call with 400: {error}");
        }
        let status = ClassicStatus::of(&answer).number();
        let Told { write_sets, balance } = answer.unwrap_or_default();
        Ok(Response::new(BranchReply { status, write_sets, balance: money_to_float(balance) }))
    }
}
