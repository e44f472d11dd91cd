//! What is under way between processes: requests, replies and the messages of branches, and what
//! is remembered of the sending of each.

use std::collections::BTreeMap;

use crate::history::Fact;
use crate::model::{BranchId, CustomerId, MessageNumber, RequestNumber};

/// What is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Parcel {
    Request { customer: CustomerId, request: RequestNumber },
    Reply { customer: CustomerId, request: RequestNumber },
    Message { from: BranchId, to: BranchId, number: MessageNumber },
}

/// What a fact means to what is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transit {
    Leaves(Parcel),
    /// It is received, or lost.
    Arrives(Parcel),
    /// The network makes a copy of it.
    IsCopied(Parcel),
}

impl Transit {
    pub(super) const fn of(fact: &Fact) -> Option<Self> {
        match *fact {
            Fact::RequestSent { customer, request, .. } => {
                Some(Self::Leaves(Parcel::Request { customer, request }))
            }
            Fact::RequestReceived { customer, request, .. } => {
                Some(Self::Arrives(Parcel::Request { customer, request }))
            }
            Fact::ReplySent { customer, request, .. } => {
                Some(Self::Leaves(Parcel::Reply { customer, request }))
            }
            Fact::ReplyReceived { customer, request, .. } => {
                Some(Self::Arrives(Parcel::Reply { customer, request }))
            }
            Fact::MessageSent { from, to, number, .. } => {
                Some(Self::Leaves(Parcel::Message { from, to, number }))
            }
            Fact::MessageReceived { from, to, number, .. }
            | Fact::MessageLost { from, to, number, .. } => {
                Some(Self::Arrives(Parcel::Message { from, to, number }))
            }
            Fact::MessageDuplicated { from, to, number, .. } => {
                Some(Self::IsCopied(Parcel::Message { from, to, number }))
            }
            Fact::WriteApplied { .. }
            | Fact::WriteSetCompared { .. }
            | Fact::RequestParked { .. }
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
}

/// What is under way, with a `T` for each that was known at its sending.
#[derive(Debug)]
pub(super) struct UnderWay<T>(BTreeMap<Parcel, Sent<T>>);

#[derive(Debug)]
struct Sent<T> {
    known: T,
    copies: u32,
}

/// What was known at the sending of what a fact is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Carried<T> {
    pub(super) known: T,
    /// How many copies are still under way.
    pub(super) left: u32,
}

impl<T> Default for UnderWay<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Clone> UnderWay<T> {
    /// Takes note of what leaves, with what is `known`.
    pub(super) fn leave(&mut self, parcel: Parcel, known: T) {
        self.0.insert(parcel, Sent { known, copies: 1 });
    }

    /// One arrives, or is lost. Nothing where its sending is not in the history.
    pub(super) fn arrive(&mut self, parcel: Parcel) -> Option<Carried<T>> {
        let sent = self.0.get_mut(&parcel)?;
        sent.copies -= 1;
        let carried = Carried { known: sent.known.clone(), left: sent.copies };
        if carried.left == 0 {
            self.0.remove(&parcel);
        }
        Some(carried)
    }

    /// There is one more of it.
    pub(super) fn copy(&mut self, parcel: Parcel) -> Option<Carried<T>> {
        let sent = self.0.get_mut(&parcel)?;
        sent.copies = sent.copies.saturating_add(1);
        Some(Carried { known: sent.known.clone(), left: sent.copies })
    }
}
