//! Calls to a branch elsewhere, in either contract, on behalf of a branch here.

use std::sync::Arc;

use thiserror::Error;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::convert::{
    ClassicCall, FieldError, FieldProblem, WriteSetText, acknowledgement, bank_description,
    logged_write, version_entries,
};
use super::proto::banking::branch_client::BranchClient;
use super::proto::banking::{BranchReply, BranchRequest};
use super::proto::v1;
use super::proto::v1::peer_service_client::PeerServiceClient;
use super::remote::Contract;
use super::status::ClassicStatus;
use crate::bank::{Acknowledgement, LogEntry, PropagatedWrite, VersionVector, WriteSetDigest};
use crate::model::{BranchId, EventId, MessageNumber, Money, Roster};

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
    /// The write cannot be said in its contract.
    #[error("{0}")]
    Unsayable(FieldError),
}

impl From<Status> for LinkError {
    fn from(status: Status) -> Self {
        Self::Status(Box::new(status))
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
    pub(super) async fn propagate_classic(
        &self,
        write: &PropagatedWrite,
    ) -> Result<(Acknowledgement, MessageNumber), LinkError> {
        let PropagatedWrite { dot, id, write, .. } = *write;
        let call = ClassicCall::Propagate { from: self.ends.here, id, write };
        let mut held = self.call(call).await?;
        if held == WriteSetText::Absent {
            held = self.call(ClassicCall::ReadWriteSet { customer: id.customer }).await?;
        }
        let write_set = digest_up_to(held, id.event).ok_or(LinkError::NotApplied)?;
        Ok((Acknowledgement { dot, id, write_set }, MessageNumber::default()))
    }

    async fn call(&self, call: ClassicCall) -> Result<WriteSetText, LinkError> {
        let request = BranchRequest::try_from(call).map_err(LinkError::Unsayable)?;
        let mut client = BranchClient::new(self.channel.clone());
        let BranchReply { status, write_sets, .. } =
            client.msg_delivery(request).await?.into_inner();
        match ClassicStatus::from_number(status) {
            Some(ClassicStatus::Done) => Ok(WriteSetText::parse(&write_sets)?),
            Some(ClassicStatus::Failed) => Err(LinkError::NotApplied),
            None => {
                let problem = FieldProblem::EnumValue { name: "status", found: status };
                Err(FieldError::new("status", problem).into())
            }
        }
    }

    /// Asks for everything that `here` has not.
    pub(super) async fn catch_up(&self, here: &VersionVector) -> Result<Vec<LogEntry>, LinkError> {
        let roster = &self.ends.roster;
        let request = v1::CatchUpRequest {
            branch_id: self.ends.here.get(),
            version: Some(version_entries(here, roster)),
        };
        let mut client = PeerServiceClient::new(self.channel.clone());
        let mut stream = client.catch_up(request).await?.into_inner();
        let mut missed = Vec::new();
        while let Some(response) = stream.message().await? {
            missed.push(logged_write("missed", response.missed.as_ref(), roster)?);
        }
        Ok(missed)
    }
}

/// The digest of a write set up to and with `event`, or `None` if it does not hold that.
fn digest_up_to(held: WriteSetText, event: EventId) -> Option<WriteSetDigest> {
    let WriteSetText::Events(events) = held else { return None };
    let place = events.iter().position(|&held| held == event)?;
    Some(WriteSetDigest::of(events.into_iter().take(place + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_set_that_has_gone_on_counts_up_to_the_write_that_was_sent() {
        let event = |id| EventId::new(id).unwrap();
        let held = |ids: &[i64]| WriteSetText::Events(ids.iter().map(|&id| event(id)).collect());
        let expected = WriteSetDigest::of([event(1), event(2)]);
        assert_eq!(digest_up_to(held(&[1, 2]), event(2)), Some(expected));
        assert_eq!(digest_up_to(held(&[1, 2, 3]), event(2)), Some(expected));
        assert_ne!(digest_up_to(held(&[2]), event(2)), Some(expected));
        assert_eq!(digest_up_to(held(&[1]), event(2)), None);
        assert_eq!(digest_up_to(WriteSetText::Absent, event(2)), None);
    }
}
