//! Calls to a branch elsewhere, in either contract, on behalf of a branch here.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::time::timeout;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::convert::{
    ClassicCall, FieldError, FieldProblem, WriteSetText, acknowledgement, bank_description,
    logged_write, version_entries,
};
use super::proto::banking::branch_client::BranchClient;
use super::proto::banking::{BranchReply, BranchRequest};
use super::proto::v1;
use super::proto::v1::peer_service_client::PeerServiceClient;
use super::remote::Contract;
use super::status::{CONFLICT, ClassicStatus};
use crate::bank::{Acknowledgement, LogEntry, PropagatedWrite, VersionVector, WriteSetDigest};
use crate::model::{BranchId, CustomerId, EventId, MessageNumber, Money, Roster};

/// Speaks to one branch elsewhere. Cheap to copy.
#[derive(Debug, Clone)]
pub struct PeerClient {
    channel: Channel,
    ends: Arc<Ends>,
}

/// Who speaks to whom, and of which bank.
#[derive(Debug)]
pub struct Ends {
    /// The branch here.
    pub here: BranchId,
    /// The branch elsewhere.
    pub peer: BranchId,
    /// All branches of the bank.
    pub roster: Arc<Roster>,
    /// What each of them held at the start.
    pub opening_balance: Money,
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
    /// The write cannot be said in its contract.
    #[error("{0}")]
    Unsayable(FieldError),
}

/// Whether a write may have come to the other end before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    /// It has not.
    First,
    /// It may have.
    Again,
}

impl From<Status> for LinkError {
    fn from(status: Status) -> Self {
        if is_conflict(&status) { Self::Conflict } else { Self::Status(Box::new(status)) }
    }
}

impl PeerClient {
    /// Speaks through `channel`.
    pub fn new(channel: Channel, ends: Ends) -> Self {
        Self { channel, ends: Arc::new(ends) }
    }

    /// Finds out which contract the other end speaks, and that it is of the same bank.
    pub(super) async fn introduce(&self) -> Result<Contract, LinkError> {
        let Ends { here, roster, opening_balance, .. } = &*self.ends;
        let request = v1::IntroduceRequest {
            bank: Some(bank_description(roster, *opening_balance)),
            branch_id: here.get(),
            version: None,
        };
        match PeerServiceClient::new(self.channel.clone()).introduce(request).await {
            Ok(_) => Ok(Contract::Typed),
            Err(status) if status.code() == Code::Unimplemented => Ok(Contract::Classic),
            Err(status) => Err(status.into()),
        }
    }

    /// Hands over a write in the typed contract.
    pub(super) async fn propagate(
        &self,
        write: &PropagatedWrite,
        number: MessageNumber,
    ) -> Result<(Acknowledgement, MessageNumber), LinkError> {
        let Ends { here, roster, .. } = &*self.ends;
        let request = v1::PropagateRequest {
            write: Some(v1::PropagatedWrite::of(write, roster)),
            from_branch_id: here.get(),
            number: number.get(),
        };
        let mut client = PeerServiceClient::new(self.channel.clone());
        let response = client.propagate(request).await?.into_inner();
        let said = acknowledgement("acknowledgement", response.acknowledgement.as_ref(), roster)?;
        if said.dot == write.dot && said.id == write.id {
            Ok((said, MessageNumber::new(response.number)))
        } else {
            Err(LinkError::NotApplied)
        }
    }

    /// Hands over a write in the classic contract. The other end's write set is read from the reply
    /// or, where that leaves it out, asked for.
    ///
    /// A branch written elsewhere may apply whatever it is sent. So a write that may have come there
    /// before is sent only if the write set there does not hold it.
    pub(super) async fn propagate_classic(
        &self,
        write: &PropagatedWrite,
        attempt: Attempt,
    ) -> Result<(Acknowledgement, MessageNumber), LinkError> {
        let PropagatedWrite { dot, id, write, .. } = *write;
        let told = |write_set| (Acknowledgement { dot, id, write_set }, MessageNumber::default());
        if attempt == Attempt::Again {
            let held = self.write_set(id.customer).await?;
            if let Some(write_set) = digest_up_to(&held, id.event) {
                return Ok(told(write_set));
            }
        }
        let mut held =
            self.call(ClassicCall::Propagate { from: self.ends.here, id, write }).await?;
        if held.is_empty() {
            held = self.write_set(id.customer).await?;
        }
        // It says that it has applied the write. A write set without it is not ours, and to send the
        // write again would make nothing better.
        let write_set = digest_up_to(&held, id.event).unwrap_or_else(|| WriteSetDigest::of(held));
        Ok(told(write_set))
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

    /// Asks for everything that `here` has not; waits up to `limit` for each part of it.
    pub(super) async fn catch_up(
        &self,
        here: &VersionVector,
        limit: Duration,
    ) -> Result<Vec<LogEntry>, LinkError> {
        let late = |_| LinkError::Late { limit };
        let roster = &self.ends.roster;
        let request = v1::CatchUpRequest {
            branch_id: self.ends.here.get(),
            version: Some(version_entries(here, roster)),
        };
        let mut client = PeerServiceClient::new(self.channel.clone());
        let answered = timeout(limit, client.catch_up(request)).await.map_err(late)?;
        let mut stream = answered?.into_inner();
        let mut missed = Vec::new();
        while let Some(response) = timeout(limit, stream.message()).await.map_err(late)?? {
            missed.push(logged_write("missed", response.missed.as_ref(), roster)?);
        }
        Ok(missed)
    }
}

fn is_conflict(status: &Status) -> bool {
    status.code() == Code::FailedPrecondition
        && status.get_details_error_info().is_some_and(|info| info.reason == CONFLICT)
}

/// The digest of a write set up to and with `event`, or `None` if it does not hold that.
fn digest_up_to(held: &[EventId], event: EventId) -> Option<WriteSetDigest> {
    let place = held.iter().position(|&held| held == event)?;
    Some(WriteSetDigest::of(held.iter().copied().take(place + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_set_that_has_gone_on_counts_up_to_the_write_that_was_sent() {
        let event = |id| EventId::new(id).unwrap();
        let held = |ids: &[i64]| ids.iter().map(|&id| event(id)).collect::<Vec<_>>();
        let expected = WriteSetDigest::of([event(1), event(2)]);
        assert_eq!(digest_up_to(&held(&[1, 2]), event(2)), Some(expected));
        assert_eq!(digest_up_to(&held(&[1, 2, 3]), event(2)), Some(expected));
        assert_ne!(digest_up_to(&held(&[2]), event(2)), Some(expected));
        assert_eq!(digest_up_to(&held(&[1]), event(2)), None);
        assert_eq!(digest_up_to(&[], event(2)), None);
    }
}
