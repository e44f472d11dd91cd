//! Lamport clocks of a run, computed from its facts: a counter per process, carried by messages.
//!
//! Lamport, "Time, LamportClocks, and the Ordering of Events in a Distributed System", 1978.
//! Remembers the processes and the messages on their way, and nothing else.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
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
    /// The clock of `fact`: one more than what its process knew and what it heard.
    pub(super) fn stamp(&mut self, fact: &Fact) -> Lamport {
        let process = fact.process();
        let own = process.and_then(|process| self.processes.get(&process).copied());
        let known = own.unwrap_or_default().max(self.hear(fact).unwrap_or_default());
        let clock = Lamport(known.0.saturating_add(1));
        if let Some(process) = process {
            self.advance(process, clock);
        }
        self.tell(fact, clock);
        clock
    }

    /// Takes note that a fact happened at `process` at `clock`. The clock of the one before it there.
    pub(super) fn advance(&mut self, process: Process, clock: Lamport) -> Option<Lamport> {
        self.processes.insert(process, clock)
    }

    /// The clock of the sending that `fact` is the end of, if it is one and the sending is known. What
    /// has arrived or is lost is forgotten.
    pub(super) fn hear(&mut self, fact: &Fact) -> Option<Lamport> {
        match fact {
            Fact::MessageReceived { from, to, number, .. }
            | Fact::MessageLost { from, to, number, .. } => {
                self.arrive(Message { from: *from, to: *to, number: *number })
            }
            Fact::MessageDuplicated { from, to, number, .. } => {
                let message = Message { from: *from, to: *to, number: *number };
                let under_way = self.messages.get_mut(&message)?;
                under_way.copies = under_way.copies.saturating_add(1);
                Some(under_way.sent)
            }
            Fact::RequestReceived { customer, request, .. } => {
                let exchange = self.exchanges.get(customer)?;
                (exchange.request == *request).then_some(exchange.sent)
            }
            Fact::ReplyReceived { customer, request, .. } => self.end(*customer, *request)?.replied,
            Fact::RequestGivenUp { customer, request, .. } => {
                self.end(*customer, *request);
                None
            }
            Fact::RequestSent { .. }
            | Fact::WriteApplied { .. }
            | Fact::MessageSent { .. }
            | Fact::WriteSetCompared { .. }
            | Fact::RequestParked { .. }
            | Fact::ReplySent { .. }
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

    /// Takes note of what `fact` sends at `clock`, if it is the beginning of a sending.
    pub(super) fn tell(&mut self, fact: &Fact, clock: Lamport) {
        match fact {
            Fact::MessageSent { from, to, number, .. } => {
                let under_way = UnderWay { sent: clock, copies: 1 };
                self.messages.insert(Message { from: *from, to: *to, number: *number }, under_way);
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
            Fact::MessageReceived { .. }
            | Fact::MessageLost { .. }
            | Fact::MessageDuplicated { .. }
            | Fact::RequestReceived { .. }
            | Fact::ReplyReceived { .. }
            | Fact::RequestGivenUp { .. }
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

    /// One of a message arrived or is lost. When it was sent.
    fn arrive(&mut self, message: Message) -> Option<Lamport> {
        let Entry::Occupied(mut under_way) = self.messages.entry(message) else { return None };
        let sent = under_way.get().sent;
        under_way.get_mut().copies -= 1;
        if under_way.get().copies == 0 {
            under_way.remove();
        }
        Some(sent)
    }

    /// A request is answered or given up. What there was of it.
    fn end(&mut self, customer: CustomerId, request: RequestNumber) -> Option<Exchange> {
        match self.exchanges.entry(customer) {
            Entry::Occupied(exchange) if exchange.get().request == request => {
                Some(exchange.remove())
            }
            Entry::Occupied(_) | Entry::Vacant(_) => None,
        }
    }

    /// How many messages are neither received nor lost.
    #[cfg(test)]
    pub(super) fn under_way(&self) -> usize {
        self.messages.len() + self.exchanges.len()
    }
}
