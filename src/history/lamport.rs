//! Lamport clocks of a run, computed from its facts: a counter per process, carried by messages.
//!
//! Lamport, "Time, LamportClocks, and the Ordering of Events in a Distributed System", 1978.
//! Remembers the processes and the messages on their way, and nothing else.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Fact, Process};
use crate::model::{BranchId, CustomerId, MessageNumber, RequestNumber};

/// A Lamport clock: a fact that can have caused another has the lower one.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Lamport(u64);

impl Lamport {
    /// The clock `count`: 1 is the first of a process.
    pub const fn new(count: u64) -> Self {
        Self(count)
    }

    /// The clock as a number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Lamport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Message {
    from: BranchId,
    to: BranchId,
    number: MessageNumber,
}

/// A message on its way.
#[derive(Debug, Clone, Copy)]
struct UnderWay {
    sent: Lamport,
    /// How many of it: more than one where the network made copies.
    copies: u32,
}

/// The request of a customer that is under way, and its reply. A customer has one at a time.
#[derive(Debug, Clone, Copy)]
struct Exchange {
    request: RequestNumber,
    sent: Lamport,
    replied: Option<Lamport>,
}

/// The clocks after some facts of a run.
#[derive(Debug, Default)]
pub(super) struct LamportClocks {
    processes: BTreeMap<Process, Lamport>,
    messages: BTreeMap<Message, UnderWay>,
    exchanges: BTreeMap<CustomerId, Exchange>,
}

impl LamportClocks {
    /// The clock of the last fact at `process`.
    pub(super) fn last(&self, process: Process) -> Option<Lamport> {
        self.processes.get(&process).copied()
    }

    /// The clock of `fact`: one more than what its process knew and what it heard.
    pub(super) fn stamp(&mut self, fact: &Fact) -> Lamport {
        let own = fact.process().and_then(|process| self.last(process)).unwrap_or_default();
        let clock = Lamport(own.max(self.heard(fact).unwrap_or_default()).0.saturating_add(1));
        self.advance(fact, clock);
        clock
    }

    /// The clock of the sending that `fact` is the end of, if it is one and the sending is known.
    pub(super) fn heard(&self, fact: &Fact) -> Option<Lamport> {
        match fact {
            Fact::MessageReceived { from, to, number, .. }
            | Fact::MessageLost { from, to, number, .. }
            | Fact::MessageDuplicated { from, to, number, .. } => {
                let message = Message { from: *from, to: *to, number: *number };
                self.messages.get(&message).map(|under_way| under_way.sent)
            }
            Fact::RequestReceived { customer, request, .. } => {
                self.exchange(*customer, *request).map(|exchange| exchange.sent)
            }
            Fact::ReplyReceived { customer, request, .. } => {
                self.exchange(*customer, *request)?.replied
            }
            Fact::RequestSent { .. }
            | Fact::WriteApplied { .. }
            | Fact::MessageSent { .. }
            | Fact::WriteSetCompared { .. }
            | Fact::RequestParked { .. }
            | Fact::ReplySent { .. }
            | Fact::RequestGivenUp { .. }
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

    /// Takes note that `fact` happened at `clock`. What has arrived or is lost is forgotten.
    pub(super) fn advance(&mut self, fact: &Fact, clock: Lamport) {
        if let Some(process) = fact.process() {
            self.processes.insert(process, clock);
        }
        match fact {
            Fact::MessageSent { from, to, number, .. } => {
                let under_way = UnderWay { sent: clock, copies: 1 };
                self.messages.insert(Message { from: *from, to: *to, number: *number }, under_way);
            }
            Fact::MessageReceived { from, to, number, .. }
            | Fact::MessageLost { from, to, number, .. } => {
                self.arrive(Message { from: *from, to: *to, number: *number });
            }
            Fact::MessageDuplicated { from, to, number, .. } => {
                let message = Message { from: *from, to: *to, number: *number };
                if let Some(under_way) = self.messages.get_mut(&message) {
                    under_way.copies = under_way.copies.saturating_add(1);
                }
            }
            Fact::RequestSent { customer, request, .. } => {
                let exchange = Exchange { request: *request, sent: clock, replied: None };
                self.exchanges.insert(*customer, exchange);
            }
            Fact::ReplySent { customer, request, .. } => {
                if let Some(exchange) = self.exchanges.get_mut(customer)
                    && exchange.request == *request
                {
                    exchange.replied = Some(clock);
                }
            }
            Fact::ReplyReceived { customer, request, .. }
            | Fact::RequestGivenUp { customer, request, .. } => {
                if self.exchange(*customer, *request).is_some() {
                    self.exchanges.remove(customer);
                }
            }
            Fact::RequestReceived { .. }
            | Fact::WriteApplied { .. }
            | Fact::WriteSetCompared { .. }
            | Fact::RequestParked { .. }
            | Fact::BranchStopped { .. }
            | Fact::BranchStarted { .. }
            | Fact::PartitionBegan { .. }
            | Fact::PartitionHealed { .. }
            | Fact::Settled {}
            | Fact::Unsettled { .. }
            | Fact::SlownessBegan { .. }
            | Fact::SlownessEnded { .. } => {}
        }
    }

    /// One of a message arrived or is lost.
    fn arrive(&mut self, message: Message) {
        if let Some(under_way) = self.messages.get_mut(&message) {
            under_way.copies -= 1;
            if under_way.copies == 0 {
                self.messages.remove(&message);
            }
        }
    }

    fn exchange(&self, customer: CustomerId, request: RequestNumber) -> Option<&Exchange> {
        self.exchanges.get(&customer).filter(|exchange| exchange.request == request)
    }

    /// How many messages are neither received nor lost.
    #[cfg(test)]
    pub(super) fn under_way(&self) -> usize {
        self.messages.len() + self.exchanges.len()
    }
}
