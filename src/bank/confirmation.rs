//! Writes that some branch has not confirmed yet, and who waits for them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use smallvec::{SmallVec, smallvec};

use super::dispute::Disputes;
use super::{PropagatedWrite, Ticket, WriteSetDigest};
use crate::model::{BranchId, BranchIndex, Dot, Life, Roster, Sequence, Time};

/// The writes that a branch propagates and that are not confirmed everywhere.
#[derive(Debug, Clone, Default)]
pub(super) struct Confirmations {
    unconfirmed: BTreeMap<Dot, Box<Unconfirmed>>,
    /// Own writes on which some branch did not agree.
    disputes: Disputes,
    /// Who waits for how many of our own writes to be confirmed.
    settling: Vec<(Ticket, Sequence)>,
    /// When requests run out of time; ascending, for all wait equally long.
    limits: VecDeque<(Time, Dot, Ticket)>,
    /// When writes are sent again; ascending likewise.
    resends: VecDeque<(Time, Dot)>,
}

#[derive(Debug, Clone)]
struct Unconfirmed {
    write: PropagatedWrite,
    /// The customer's write set here, up to and with the write.
    expected: WriteSetDigest,
    /// Whether each branch has yet to confirm, by its index.
    missing: SmallVec<[bool; FEW_BRANCHES]>,
    missing_len: usize,
    /// Branches that hold other writes of the customer, or hold them in another order.
    disagreeing: Vec<BranchId>,
    /// Requests to answer when nothing is missing: mostly one.
    tickets: Tickets,
}

type Tickets = SmallVec<[Ticket; 1]>;

/// A bank of so few branches keeps what they have to confirm without an allocation of its own.
const FEW_BRANCHES: usize = 16;

/// How long a branch waits. `None`: for ever, as where no message is lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// For confirmations, until a request is answered as outcome unknown.
    pub confirm_limit: Option<Duration>,
    /// For an acknowledgement, until the write is sent again.
    pub resend_after: Option<Duration>,
    /// For the version that a request needs, until it is answered as not served.
    pub wait_limit: Option<Duration>,
    /// For the answers of all other branches, where it started without all that it had said, until
    /// it serves without them.
    pub return_limit: Option<Duration>,
}

impl Timeouts {
    /// How long a request may wait in all; `None`: for ever.
    pub fn in_all(self) -> Option<Duration> {
        Some(self.wait_limit?.saturating_add(self.confirm_limit?))
    }

    /// When a request that starts to wait for confirmations at `now` runs out of time.
    pub(super) fn confirm_by(self, now: Time) -> Option<Time> {
        self.confirm_limit.map(|limit| now.after(limit))
    }

    /// The same, of a request that waits for a version.
    pub(super) fn serve_by(self, now: Time) -> Option<Time> {
        self.wait_limit.map(|limit| now.after(limit))
    }
}

/// What a branch that acknowledges a write holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Compared {
    /// Whether that is what it should hold.
    pub(super) agrees: bool,
    /// Whether all others have acknowledged the write now.
    pub(super) is_last: bool,
}

/// A write that every other branch has acknowledged.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Acknowledged {
    /// The requests that waited for it.
    pub(super) tickets: Tickets,
    /// The branches whose write set is not as here.
    pub(super) disagreeing: Vec<BranchId>,
}

/// One life of a branch, in which it accepts writes.
#[derive(Debug, Clone, Copy)]
pub(super) struct OwnLife {
    pub(super) branch: BranchId,
    pub(super) life: Life,
}

impl OwnLife {
    /// Whether it accepted `dot`. What the branch accepted in another life is no own write.
    pub(super) fn is_of(self, dot: Dot) -> bool {
        dot.origin == self.branch && dot.life == self.life
    }
}

impl Confirmations {
    /// That of a branch which has accepted `own` writes in its life already, and has not seen whether
    /// they are confirmed: each is asked about anew.
    pub(super) fn after(own: Sequence) -> Self {
        let mut confirmations = Self::default();
        confirmations.disputes.enter_all_until(own);
        confirmations
    }

    /// Who has not confirmed the first of the writes that are not confirmed, where those are `most` or
    /// more; ascending.
    pub(super) fn behind(&self, most: usize, roster: &Roster) -> Vec<BranchId> {
        let first = self.unconfirmed.values().next().filter(|_| self.unconfirmed.len() >= most);
        first.map_or(Vec::new(), |first| first.missing_ids(roster).collect())
    }

    /// Starts to wait until every other branch than `here` has confirmed `write`.
    pub(super) fn expect(
        &mut self,
        write: PropagatedWrite,
        expected: WriteSetDigest,
        here: BranchIndex,
        roster: &Roster,
    ) {
        let mut missing = smallvec![true; roster.len()];
        missing[here.get()] = false;
        let missing_len = roster.len() - 1;
        let dot = write.dot;
        let (tickets, disagreeing) = (Tickets::new(), Vec::new());
        let unconfirmed =
            Unconfirmed { write, expected, missing, missing_len, disagreeing, tickets };
        self.unconfirmed.insert(dot, Box::new(unconfirmed));
    }

    /// Makes the request `ticket` wait for `dot`; false if nothing is awaited for that write.
    pub(super) fn wait(&mut self, dot: Dot, ticket: Ticket, limit: Option<Time>) -> bool {
        let Some(unconfirmed) = self.unconfirmed.get_mut(&dot) else { return false };
        unconfirmed.tickets.push(ticket);
        if let Some(limit) = limit {
            self.limits.push_back((limit, dot, ticket));
        }
        true
    }

    /// Sends `dot` again at `at` to the branches that have not confirmed it by then.
    pub(super) fn resend_at(&mut self, at: Time, dot: Dot) {
        self.resends.push_back((at, dot));
    }

    /// The branch `from` acknowledges `dot`, and what it holds `agrees` with what it should hold or
    /// does not; `None` if nothing is awaited from it.
    pub(super) fn acknowledge(
        &mut self,
        dot: Dot,
        from: BranchId,
        agrees: impl FnOnce(WriteSetDigest) -> bool,
        roster: &Roster,
    ) -> Option<Compared> {
        let unconfirmed = self.unconfirmed.get_mut(&dot)?;
        if !std::mem::take(&mut unconfirmed.missing[roster.index(from)?.get()]) {
            return None;
        }
        unconfirmed.missing_len -= 1;
        let agrees = agrees(unconfirmed.expected);
        if !agrees {
            unconfirmed.disagreeing.push(from);
        }
        Some(Compared { agrees, is_last: unconfirmed.missing_len == 0 })
    }

    /// The branches in `anew` have begun new lives: what their earlier ones acknowledged counts no
    /// more, neither for what is not confirmed yet, nor for the first `own` writes of this life when
    /// their customers ask again.
    pub(super) fn revoke(&mut self, anew: &[BranchIndex], own: Sequence, roster: &Roster) {
        self.disputes.enter_all_until(own);
        for unconfirmed in self.unconfirmed.values_mut() {
            for &branch in anew {
                let missing = &mut unconfirmed.missing[branch.get()];
                unconfirmed.missing_len += usize::from(!std::mem::replace(missing, true));
                unconfirmed.disagreeing.retain(|&at| at != roster.id(branch));
            }
        }
    }

    /// Takes out `dot`, which every branch other than that of `own` has acknowledged.
    pub(super) fn take_acknowledged(&mut self, dot: Dot, own: OwnLife) -> Option<Acknowledged> {
        let Unconfirmed { tickets, disagreeing, .. } = *self.unconfirmed.remove(&dot)?;
        // What another branch accepted is asked about anew each time, disputed or not.
        if !disagreeing.is_empty() && own.is_of(dot) {
            self.disputes.enter(dot.sequence);
        }
        Some(Acknowledged { tickets, disagreeing })
    }

    /// Whether every branch holds the own write `sequence` and not every one agreed on it.
    pub(super) fn is_disputed(&self, sequence: Sequence) -> bool {
        self.disputes.holds(sequence)
    }

    /// Takes out that the own write `sequence` is disputed: the others are asked anew.
    pub(super) fn forget_dispute(&mut self, sequence: Sequence) {
        self.disputes.forget(sequence);
    }

    /// Makes `ticket` wait until the first `own` writes of this life are confirmed.
    pub(super) fn settle(&mut self, ticket: Ticket, own: Sequence) {
        self.settling.push((ticket, own));
    }

    /// Whether every write of the life `own` is confirmed.
    pub(super) fn are_settled(&self, own: OwnLife) -> bool {
        self.first_unsettled(own).is_none()
    }

    fn first_unsettled(&self, own: OwnLife) -> Option<Sequence> {
        self.unconfirmed.keys().find(|dot| own.is_of(**dot)).map(|dot| dot.sequence)
    }

    /// Takes out who has nothing more to wait for in the life `own`.
    pub(super) fn take_settled(&mut self, own: OwnLife) -> Vec<Ticket> {
        if self.settling.is_empty() {
            return Vec::new();
        }
        let first = self.first_unsettled(own);
        let is_settled = |count: Sequence| first.is_none_or(|first| first > count);
        if !self.settling.iter().any(|&(_, count)| is_settled(count)) {
            return Vec::new();
        }
        let (settled, settling) =
            self.settling.drain(..).partition(|&(_, count): &(Ticket, Sequence)| is_settled(count));
        self.settling = settling;
        settled.into_iter().map(|(ticket, _)| ticket).collect::<Vec<Ticket>>()
    }

    /// Whether anything runs out of time.
    pub(super) fn has_limits(&self) -> bool {
        !(self.limits.is_empty() && self.resends.is_empty())
    }

    /// When something runs out of time next.
    pub(super) fn next_deadline(&self) -> Option<Time> {
        let limit = self.limits.front().map(|&(at, ..)| at);
        let resend = self.resends.front().map(|&(at, _)| at);
        Time::earlier(limit, resend)
    }

    /// Takes out one request that has run out of time by `now`, with the branches it waited for.
    pub(super) fn take_expired(
        &mut self,
        now: Time,
        roster: &Roster,
    ) -> Option<(Ticket, Dot, Vec<BranchId>)> {
        while let Some((_, dot, ticket)) = self.limits.pop_front_if(|&mut (at, ..)| at <= now) {
            let Some(unconfirmed) = self.unconfirmed.get_mut(&dot) else { continue };
            let Some(place) = unconfirmed.tickets.iter().position(|&waits| waits == ticket) else {
                continue;
            };
            unconfirmed.tickets.swap_remove(place);
            return Some((ticket, dot, unconfirmed.missing_ids(roster).collect()));
        }
        None
    }

    /// Takes out all requests that wait, each with its write and the branches it waited for.
    pub(super) fn take_all_waiting(
        &mut self,
        roster: &Roster,
    ) -> Vec<(Ticket, Dot, Vec<BranchId>)> {
        self.limits.clear();
        let mut waiting = Vec::new();
        for (&dot, unconfirmed) in &mut self.unconfirmed {
            for ticket in std::mem::take(&mut unconfirmed.tickets) {
                waiting.push((ticket, dot, unconfirmed.missing_ids(roster).collect()));
            }
        }
        waiting
    }

    /// Takes out one write that is due to be sent again by `now`, with the branches to send it to.
    pub(super) fn take_resend(
        &mut self,
        now: Time,
        roster: &Roster,
    ) -> Option<(PropagatedWrite, Vec<BranchId>)> {
        while let Some((_, dot)) = self.resends.pop_front_if(|&mut (at, _)| at <= now) {
            if let Some(unconfirmed) = self.unconfirmed.get(&dot) {
                let to = unconfirmed.missing_ids(roster).collect();
                return Some((unconfirmed.write.clone(), to));
            }
        }
        None
    }
}

impl Unconfirmed {
    fn missing_ids(&self, roster: &Roster) -> impl Iterator<Item = BranchId> {
        roster.ids().iter().zip(&self.missing).filter(|(_, missing)| **missing).map(|(id, _)| *id)
    }
}
