//! A branch elsewhere as customers here meet it in the classic contract.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::percent_decode;
use tokio::time::timeout;
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Request, Response};

use super::endpoint::Endpoint;
use super::problem::{Absence, CallProblem, told};
use super::reply::ReplyFields;
use crate::actors::Ask;
use crate::grpc::classic_status::ClassicStatus;
use crate::grpc::convert::{BRANCH_KEY, ClassicCall, FieldError, WriteSetText, money_from_float};
use crate::grpc::proto::banking::branch_client::BranchClient;
use crate::grpc::proto::banking::{BranchReply, BranchRequest};
use crate::grpc::trailers::REASON_TRAILER;
use crate::model::{
    BranchId, CustomerId, EventId, Money, Operation, Receipt, RequestError, WriteId,
};

/// A branch elsewhere that speaks the classic contract. Cheap to copy.
#[derive(Debug, Clone)]
pub struct ClassicBranch {
    branch: BranchId,
    endpoint: Arc<Endpoint>,
    channel: Channel,
    /// How long each call may take.
    limit: Duration,
}

/// How a branch elsewhere stands, as far as the classic contract says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedState {
    /// Its balance.
    pub balance: Money,
    /// The write set of each customer that was asked about; without those that it does not tell.
    pub write_sets: BTreeMap<CustomerId, Vec<EventId>>,
}

/// What the contract says of one customer.
struct RemoteState {
    balance: Money,
    /// `None` where it is left out.
    write_set: Option<Vec<EventId>>,
}

impl ClassicBranch {
    /// The branch `branch` at `endpoint`, connected within `limit`, which each call may take too.
    pub async fn connect(
        branch: BranchId,
        endpoint: Endpoint,
        limit: Duration,
    ) -> Result<Self, Absence> {
        let channel = endpoint.connect(limit).await?;
        Ok(Self { branch, endpoint: Arc::new(endpoint), channel, limit })
    }

    pub(super) fn id(&self) -> BranchId {
        self.branch
    }

    /// How it stands, asked for each of `customers`.
    pub async fn standing(&self, customers: &[CustomerId]) -> Result<ReportedState, CallProblem> {
        // The balance is told beside some customer's write set; it need not be one of the run.
        let anybody = [CustomerId::new(1).expect("1 is an id")];
        let customers = if customers.is_empty() { &anybody } else { customers };
        let mut standing = ReportedState { balance: Money::ZERO, write_sets: BTreeMap::new() };
        for &customer in customers {
            let RemoteState { balance, write_set } = self.read_state(customer).await?;
            standing.balance = balance;
            standing.write_sets.extend(write_set.map(|write_set| (customer, write_set)));
        }
        Ok(standing)
    }

    /// What speaks at its address, where calls come to `absence`.
    pub async fn find_out(&self, absence: Absence) -> Absence {
        self.endpoint.find_out(absence, self.limit).await
    }

    pub(super) async fn ask(&self, ask: &Ask) -> ReplyFields {
        let told = match ask.operation {
            Operation::Query => self.query(ask).await,
            Operation::Write(write) => {
                let id = WriteId { customer: ask.customer, event: ask.event };
                self.write(ClassicCall::Write { id, write }, id).await
            }
        };
        told.unwrap_or_else(|problem| ReplyFields::no_answer(self.branch, &problem))
    }

    async fn query(&self, ask: &Ask) -> Result<ReplyFields, CallProblem> {
        let Ask { customer, event, .. } = *ask;
        let reply = self.call(ClassicCall::Query { customer, event: Some(event) }).await?;
        if self.status(&reply)? == ClassicStatus::Failed {
            return Ok(self.declined(reason(&reply)));
        }
        let balance = balance_of(reply.get_ref())?;
        let balance = self.balance_beside(balance, customer).await;
        Ok(ReplyFields { balance, ..ReplyFields::nothing_but(Ok(Receipt::Balance(balance))) })
    }

    async fn write(&self, call: ClassicCall, id: WriteId) -> Result<ReplyFields, CallProblem> {
        let reply = self.call(call).await?;
        if self.status(&reply)? == ClassicStatus::Done {
            let balance = money_from_float(reply.get_ref().balance).unwrap_or_default();
            let balance = self.balance_beside(balance, id.customer).await;
            return Ok(ReplyFields { balance, ..ReplyFields::nothing_but(Ok(Receipt::Written)) });
        }
        let reason = reason(&reply);
        if reason.as_ref().is_some_and(|reason| !leaves_open(reason)) {
            return Ok(self.declined(reason));
        }
        let told = because(reason.as_deref());
        // The contract has one word for what was not done and for what not every branch has
        // confirmed. The write set tells them apart.
        match self.read_state(id.customer).await.map(|state| state.write_set) {
            Ok(Some(write_set)) if write_set.contains(&id.event) => {
                Err(CallProblem::Unconfirmed { reason: told })
            }
            Ok(Some(_)) => Ok(self.declined(reason)),
            Ok(None) | Err(_) => Err(CallProblem::Failed { reason: told }),
        }
    }

    /// Some branches leave the balance out of a reply, and tell it only beside a write set.
    async fn balance_beside(&self, told: Money, customer: CustomerId) -> Money {
        match told {
            Money::ZERO => self.read_state(customer).await.map_or(told, |state| state.balance),
            told => told,
        }
    }

    fn declined(&self, reason: Option<String>) -> ReplyFields {
        ReplyFields::nothing_but(Err(RequestError::Declined { branch: self.branch, reason }))
    }

    fn status(&self, reply: &Response<BranchReply>) -> Result<ClassicStatus, CallProblem> {
        let status = reply.get_ref().status;
        ClassicStatus::from_number(status).ok_or(CallProblem::Status { status })
    }

    async fn read_state(&self, customer: CustomerId) -> Result<RemoteState, CallProblem> {
        let reply = self.call(ClassicCall::ReadWriteSet { customer }).await?;
        // Existing branches leave the status out here.
        if reply.get_ref().status != 0 && self.status(&reply)? == ClassicStatus::Failed {
            let reason = because(reason(&reply).as_deref());
            return Err(CallProblem::TellsNothing { reason });
        }
        let reply = reply.into_inner();
        let text = WriteSetText::parse(&reply.write_sets);
        let write_set = match text.map_err(|error| CallProblem::malformed(&error))? {
            WriteSetText::Absent => None,
            WriteSetText::Events(events) => Some(events),
        };
        Ok(RemoteState { balance: balance_of(&reply)?, write_set })
    }

    async fn call(&self, call: ClassicCall) -> Result<Response<BranchReply>, CallProblem> {
        let request =
            BranchRequest::try_from(call).map_err(|error| CallProblem::unsayable(&error))?;
        let mut request = Request::new(request);
        // Where one listener serves all branches, this says which.
        request.metadata_mut().insert(BRANCH_KEY, MetadataValue::from(self.branch.get()));
        let mut client = BranchClient::new(self.channel.clone());
        let limit = self.limit;
        let reply = timeout(limit, client.msg_delivery(request)).await;
        reply.map_err(|_| CallProblem::Late { limit })?.map_err(|status| (&status).into())
    }
}

fn balance_of(reply: &BranchReply) -> Result<Money, CallProblem> {
    money_from_float(reply.balance)
        .map_err(|error| CallProblem::malformed(&FieldError::new("balance", error)))
}

fn because(reason: Option<&str>) -> String {
    reason.map_or_else(String::new, |reason| format!(": {reason}"))
}

/// Why a reply says 400, where it tells: a word of the typed contract, a colon, and a sentence.
/// What is not printable ASCII is percent-encoded.
fn reason(reply: &Response<BranchReply>) -> Option<String> {
    let reason = reply.metadata().get(REASON_TRAILER)?.as_bytes();
    Some(told(&percent_decode(reason).decode_utf8_lossy()))
}

/// Whether a write that failed for `reason` may have taken effect.
fn leaves_open(reason: &str) -> bool {
    ["OUTCOME_UNKNOWN", "TIME_OVER", "ACTOR_STOPPED"].iter().any(|word| reason.starts_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_percent_encoded_is_read_and_all_else_left_as_it_is() {
        for (text, decoded) in
            [("50%25 of %C3%A9", "50% of é"), ("100%", "100%"), ("%zz%4", "%zz%4"), ("", "")]
        {
            let mut reply = Response::new(BranchReply::default());
            reply.metadata_mut().insert(REASON_TRAILER, text.parse().unwrap());
            assert_eq!(reason(&reply).as_deref(), Some(decoded));
        }
    }
}
