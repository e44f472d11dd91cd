//! The requests of customers, each from its sending to its end.

use std::collections::BTreeMap;

use crate::history::{Entry, Fact};
use crate::model::{
    BranchId, CustomerId, EventId, LogPosition, Operation, Outcome, OutcomeClass, RequestNumber,
    Time,
};

/// A request, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) customer: CustomerId,
    pub(super) number: RequestNumber,
    pub(super) branch: BranchId,
    pub(super) event: EventId,
    pub(super) operation: Operation,
    /// The line of its sending in the history: no other request has it.
    pub(super) line: u64,
    pub(super) sent_at: Time,
    pub(super) received_at: Option<Time>,
    /// When the branch put it aside.
    pub(super) parked_at: Option<Time>,
    pub(super) reply: Option<Reply>,
}

/// What a branch answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) at: Time,
    pub(super) position: LogPosition,
    pub(super) outcome: Outcome,
}

/// A request that its customer waits for no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) request: Request,
    pub(super) at: Time,
    pub(super) how: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The answer came.
    Answered,
    /// None came in time.
    GivenUp,
}

/// What a fact means to a request.
#[derive(Debug)]
pub(super) enum Step {
    Sent(Request),
    /// Its branch answered it.
    Replied(Request),
    Ended(Ended),
}

impl Ended {
    /// The answer that the customer got.
    pub(super) fn answer(&self) -> Option<&Reply> {
        match self.how {
            End::Answered => self.request.reply.as_ref(),
            End::GivenUp => None,
        }
    }

    pub(super) fn class(&self) -> OutcomeClass {
        self.answer().map_or(OutcomeClass::Unknown, |reply| OutcomeClass::of(&reply.outcome))
    }

    /// Why it was not done, or why that is not known.
    pub(super) fn problem(&self) -> Option<String> {
        match self.answer() {
            Some(Reply { outcome: Ok(_), .. }) => None,
            Some(Reply { outcome: Err(error), .. }) => Some(super::told::harmless(error)),
            None => Some("no answer came in time".to_owned()),
        }
    }
}

/// The requests that are under way: a customer has one at a time.
#[derive(Debug, Default)]
pub(super) struct Requests {
    open: BTreeMap<CustomerId, Request>,
}

impl Requests {
    /// Takes the next fact.
    pub(super) fn add(&mut self, entry: &Entry) -> Option<Step> {
        let at = entry.recorded.at;
        match &entry.recorded.fact {
            &Fact::RequestSent { customer, request, branch, event, operation } => {
                let request = Request {
                    customer,
                    number: request,
                    branch,
                    event,
                    operation,
                    line: entry.line,
                    sent_at: at,
                    received_at: None,
                    parked_at: None,
                    reply: None,
                };
                self.open.insert(customer, request.clone());
                Some(Step::Sent(request))
            }
            Fact::RequestReceived { customer, request, .. } => {
                self.find(*customer, *request)?.received_at = Some(at);
                None
            }
            Fact::RequestParked { customer, request, .. } => {
                self.find(*customer, *request)?.parked_at = Some(at);
                None
            }
            Fact::ReplySent { customer, request, position, outcome, .. } => {
                let open = self.find(*customer, *request)?;
                open.reply = Some(Reply { at, position: *position, outcome: outcome.clone() });
                Some(Step::Replied(open.clone()))
            }
            Fact::ReplyReceived { customer, request, .. } => {
                self.end(*customer, *request, at, End::Answered)
            }
            Fact::RequestGivenUp { customer, request, .. } => {
                self.end(*customer, *request, at, End::GivenUp)
            }
            Fact::WriteApplied { .. }
            | Fact::MessageSent { .. }
            | Fact::MessageReceived { .. }
            | Fact::MessageLost { .. }
            | Fact::MessageDuplicated { .. }
            | Fact::WriteSetCompared { .. }
            | Fact::BranchStopped { .. }
            | Fact::BranchStarted { .. }
            | Fact::PartitionBegan { .. }
            | Fact::PartitionHealed { .. }
            | Fact::Settled {}
            | Fact::Unsettled { .. }
            | Fact::SlownessBegan { .. }
            | Fact::SlownessEnded { .. } => None,
        }
    }

    /// Those that had not ended when the history did, by customer.
    pub(super) fn take_open(&mut self) -> impl Iterator<Item = Request> + use<> {
        std::mem::take(&mut self.open).into_values()
    }

    fn find(&mut self, customer: CustomerId, number: RequestNumber) -> Option<&mut Request> {
        self.open.get_mut(&customer).filter(|open| open.number == number)
    }

    fn end(
        &mut self,
        customer: CustomerId,
        number: RequestNumber,
        at: Time,
        how: End,
    ) -> Option<Step> {
        self.find(customer, number)?;
        let request = self.open.remove(&customer)?;
        Some(Step::Ended(Ended { request, at, how }))
    }
}
