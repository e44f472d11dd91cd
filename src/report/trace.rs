//! The recorded facts of a run, told request by request.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::history::{Fact, MessageBody, Recorded};
use crate::model::{BranchId, CustomerId, EventId, Money, Operation, RequestNumber, Time, WriteId};

/// A request, for the whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RequestKey {
    pub(super) customer: CustomerId,
    pub(super) number: RequestNumber,
}

/// What happened because of each request.
#[derive(Debug, Default)]
pub(super) struct Trace<'a> {
    request_traces: BTreeMap<RequestKey, RequestTrace<'a>>,
    /// Messages between branches that are about no request in particular.
    pub(super) other_messages: Vec<&'a Recorded>,
    /// The writes that each branch applied, by customer.
    write_sets: BTreeMap<BranchId, BTreeMap<CustomerId, Vec<EventId>>>,
}

/// What happened because of one request.
#[derive(Debug, Default)]
pub(super) struct RequestTrace<'a> {
    /// How many requests of the run were sent before it.
    pub(super) place: usize,
    /// When it was sent.
    pub(super) sent_at: Time,
    /// The balance after its write at the branch asked, if that branch applied one for it.
    pub(super) applied: Option<Money>,
    /// When that was.
    applied_at: Time,
    /// What the write came to at each other branch to which the branch asked sent it.
    pub(super) peers: BTreeMap<BranchId, Peer>,
    /// What was sent and received, in order.
    pub(super) messages: Vec<&'a Recorded>,
}

/// How far a write came at another branch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Peer {
    pub(super) delivery: Delivery,
    pub(super) held: Holding,
    /// The balance after it, where it was applied.
    pub(super) balance: Option<Money>,
    /// How much later than at the branch asked.
    pub(super) lag: Duration,
    pub(super) confirmation: Confirmation,
    /// The other branch's write set, as the branch asked found it.
    pub(super) comparison: Option<Comparison>,
}

/// Whether the message with a write came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Delivery {
    #[default]
    Sent,
    Received,
}

/// Whether a branch holds a write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Holding {
    #[default]
    No,
    /// It had accepted the same write itself, or had it from a third branch that did.
    Already,
    /// It was applied.
    Applied,
}

/// Whether the branch asked knows that a write is applied elsewhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Confirmation {
    #[default]
    Missing,
    Received,
}

/// Whether two branches hold the same writes of the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Comparison {
    Same,
    Different,
}

impl<'a> Trace<'a> {
    /// Follows `facts`, which are in causal order; those of different customers may interleave.
    pub(super) fn of(facts: &'a [Recorded]) -> Self {
        let mut teller = TraceBuilder::default();
        facts.iter().for_each(|recorded| teller.follow(recorded));
        teller.trace
    }

    pub(super) fn request_trace(&self, key: RequestKey) -> Option<&RequestTrace<'a>> {
        self.request_traces.get(&key)
    }

    /// The writes of `id`'s customer that `branch` applied up to and with it. Where an id names two
    /// writes, both stand where the first came: that is what branches compare.
    pub(super) fn write_set(&self, branch: BranchId, id: WriteId) -> Vec<EventId> {
        let set = self.write_sets.get(&branch).and_then(|sets| sets.get(&id.customer));
        let Some(set) = set else { return Vec::new() };
        let Some(first) = set.iter().position(|&event| event == id.event) else {
            return Vec::new();
        };
        let (mut up_to, later) = (set[..=first].to_vec(), &set[first + 1..]);
        let known: BTreeSet<EventId> = up_to.iter().copied().collect();
        up_to.extend(later.iter().filter(|event| known.contains(event)));
        up_to
    }
}

/// A write as one branch was asked for it. Two branches may have accepted the same one: each of
/// them then sends it to all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct WriteAt {
    id: WriteId,
    branch: BranchId,
}

#[derive(Debug, Default)]
struct TraceBuilder<'a> {
    trace: Trace<'a>,
    /// The last request for each write.
    asked_by: BTreeMap<WriteAt, RequestKey>,
    /// The request by which a branch accepted each write.
    made_by: BTreeMap<WriteAt, RequestKey>,
}

impl<'a> TraceBuilder<'a> {
    fn follow(&mut self, recorded: &'a Recorded) {
        match &recorded.fact {
            &Fact::RequestSent { customer, request, branch, event, operation } => {
                let key = RequestKey { customer, number: request };
                if let Operation::Write(_) = operation {
                    let id = WriteId { customer, event };
                    self.asked_by.insert(WriteAt { id, branch }, key);
                }
                let place = self.trace.request_traces.len();
                let request_trace = self.request_trace(key);
                (request_trace.place, request_trace.sent_at) = (place, recorded.at);
                request_trace.messages.push(recorded);
            }
            Fact::RequestReceived { customer, request, .. }
            | Fact::ReplySent { customer, request, .. }
            | Fact::ReplyReceived { customer, request, .. } => {
                let key = RequestKey { customer: *customer, number: *request };
                self.request_trace(key).messages.push(recorded);
            }
            &Fact::WriteApplied { branch, id, origin, balance, .. } => {
                self.applied((branch, recorded.at), WriteAt { id, branch: origin }, balance);
            }
            Fact::MessageSent { from, to, body, .. } => {
                match body {
                    MessageBody::Propagate { id } => {
                        self.peer(*id, *from, *to);
                    }
                    MessageBody::Acknowledge { id, .. } => {
                        if let Some(peer) = self.peer(*id, *to, *from) {
                            peer.held = peer.held.max(Holding::Already);
                        }
                    }
                    MessageBody::CatchUp | MessageBody::Missed { .. } => {}
                }
                self.message((*from, *to), body, recorded);
            }
            Fact::MessageLost { from, to, body, .. } => {
                self.message((*from, *to), body, recorded);
            }
            Fact::MessageReceived { from, to, body, .. } => {
                match body {
                    MessageBody::Propagate { id } => {
                        if let Some(peer) = self.peer(*id, *from, *to) {
                            peer.delivery = Delivery::Received;
                        }
                    }
                    MessageBody::Acknowledge { id, .. } => {
                        if let Some(peer) = self.peer(*id, *to, *from) {
                            peer.confirmation = Confirmation::Received;
                        }
                    }
                    MessageBody::CatchUp | MessageBody::Missed { .. } => {}
                }
                self.message((*from, *to), body, recorded);
            }
            Fact::WriteSetCompared { branch, with, id, agrees } => {
                self.compared(*id, (*branch, *with), *agrees);
            }
            Fact::RequestParked { .. }
            | Fact::RequestGivenUp { .. }
            | Fact::MessageDuplicated { .. }
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

    /// `branch` compared its write set with the one of `with`.
    fn compared(&mut self, id: WriteId, (branch, with): (BranchId, BranchId), agrees: bool) {
        let found = if agrees { Comparison::Same } else { Comparison::Different };
        if let Some(peer) = self.peer(id, branch, with) {
            peer.comparison = Some(found);
        }
    }

    /// `branch` applied a write as it was `accepted` there or elsewhere.
    fn applied(&mut self, (branch, at): (BranchId, Time), accepted: WriteAt, balance: Money) {
        let id = accepted.id;
        let by_customer = self.trace.write_sets.entry(branch).or_default();
        by_customer.entry(id.customer).or_default().push(id.event);
        if branch != accepted.branch {
            let Some(&key) = self.made_by.get(&accepted) else { return };
            let request_trace = self.request_trace(key);
            let lag = at.since(request_trace.applied_at);
            let peer = request_trace.peers.entry(branch).or_default();
            *peer = Peer { held: Holding::Applied, balance: Some(balance), lag, ..*peer };
        } else if !self.made_by.contains_key(&accepted)
            && let Some(&key) = self.asked_by.get(&accepted)
        {
            self.made_by.insert(accepted, key);
            let request_trace = self.request_trace(key);
            request_trace.applied = Some(balance);
            request_trace.applied_at = at;
        }
    }

    fn request_trace(&mut self, key: RequestKey) -> &mut RequestTrace<'a> {
        self.trace.request_traces.entry(key).or_default()
    }

    /// The request because of which `sender` propagates the write `id`: the one by which it
    /// accepted it, or a retry, for which it asks all others whether they hold what another branch
    /// accepted.
    fn cause(&self, id: WriteId, sender: BranchId) -> Option<RequestKey> {
        let write = WriteAt { id, branch: sender };
        self.made_by.get(&write).or_else(|| self.asked_by.get(&write)).copied()
    }

    /// What the write `id`, which `sender` propagates, came to at `branch`.
    fn peer(&mut self, id: WriteId, sender: BranchId, branch: BranchId) -> Option<&mut Peer> {
        let key = self.cause(id, sender)?;
        Some(self.request_trace(key).peers.entry(branch).or_default())
    }

    fn message(
        &mut self,
        (from, to): (BranchId, BranchId),
        body: &MessageBody,
        recorded: &'a Recorded,
    ) {
        let cause = match *body {
            MessageBody::Propagate { id } => self.cause(id, from),
            MessageBody::Acknowledge { id, .. } => self.cause(id, to),
            MessageBody::CatchUp | MessageBody::Missed { .. } => None,
        };
        match cause {
            Some(key) => self.request_trace(key).messages.push(recorded),
            None => self.trace.other_messages.push(recorded),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::{Bank, branch, customer, event, money};

    fn key(who: i64, number: u64) -> RequestKey {
        RequestKey { customer: customer(who), number: RequestNumber::new(number) }
    }

    #[test]
    fn a_write_is_followed_to_every_branch_and_back() {
        let facts = Bank::new("a", 3).deposit(1, 1, 400, 2).run().facts;
        let trace = Trace::of(&facts);
        let request_trace = trace.request_trace(key(1, 1)).unwrap();
        let done = Peer {
            delivery: Delivery::Received,
            held: Holding::Applied,
            balance: Some(money(400)),
            lag: Duration::ZERO,
            confirmation: Confirmation::Received,
            comparison: Some(Comparison::Same),
        };
        assert_eq!(request_trace.peers, [(branch(1), done), (branch(3), done)].into());
        let id = WriteId { customer: customer(1), event: event(1) };
        assert_eq!(trace.write_set(branch(2), id), [event(1)]);
    }

    #[test]
    fn interleaved_customers_are_told_apart() {
        let one = Bank::new("a", 3).deposit(1, 1, 10, 1).run().facts;
        let two = Bank::new("a", 3).deposit(2, 1, 20, 2).run().facts;
        let facts: Vec<_> = one.into_iter().zip(two).flat_map(|(a, b)| [a, b]).collect();
        let trace = Trace::of(&facts);
        let (first, second) =
            (trace.request_trace(key(1, 1)).unwrap(), trace.request_trace(key(2, 1)).unwrap());
        assert_eq!(first.applied, Some(money(10)));
        assert_eq!(second.applied, Some(money(20)));
        assert!(first.peers.keys().eq(&[branch(2), branch(3)]));
        assert!(second.peers.keys().eq(&[branch(1), branch(3)]));
        assert_eq!((first.messages.len(), second.messages.len()), (12, 12));
        assert_eq!((first.place, second.place), (0, 1));
    }

    #[test]
    fn a_retry_made_nothing_and_takes_nothing_from_the_first() {
        let facts = Bank::new("a", 2).deposit(1, 1, 10, 1).retry(1, 1, 10, 1).run().facts;
        let trace = Trace::of(&facts);
        assert_eq!(trace.request_trace(key(1, 1)).unwrap().applied, Some(money(10)));
        assert_eq!(trace.request_trace(key(1, 2)).unwrap().applied, None);
        assert!(trace.request_trace(key(1, 2)).unwrap().peers.is_empty());
    }
}
