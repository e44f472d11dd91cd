//! Writes that some branch has not confirmed yet, and who waits for them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::{Dot, PropagatedWrite, Ticket, WriteSetDigest};
use crate::model::{BranchId, BranchIndex, Roster, Sequence, Time};

/// The writes that a branch propagates and that are not confirmed everywhere.
#[derive(Debug, Clone, Default)]
pub(super) struct Confirmations {
    unconfirmed: BTreeMap<Dot, Unconfirmed>,
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
    missing: Box<[bool]>,
    missing_len: usize,
    /// Requests to answer when nothing is missing.
    tickets: Vec<Ticket>,
}

/// How long a branch waits for confirmations. `None`: for ever, as where no message is lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Patience {
    /// Until a request is answered as outcome unknown.
    pub confirm_limit: Option<Duration>,
    /// Until a write is sent again to those who have not acknowledged it.
    pub resend_after: Option<Duration>,
}

/// What an acknowledgement came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Confirmed {
    /// The branch that sent it holds other writes of the customer than we do.
    Disagrees,
    /// Others have yet to confirm, or nobody waits for it any more.
    Partly,
    /// That was the last one: these requests can be answered.
    Everywhere(Vec<Ticket>),
}

impl Confirmations {
    /// Starts to wait until every other branch than `here` has confirmed `write`.
    pub(super) fn expect(
        &mut self,
        write: PropagatedWrite,
        expected: WriteSetDigest,
        here: BranchIndex,
        roster: &Roster,
    ) {
        let missing: Box<[bool]> = roster.indexes().map(|index| index != here).collect();
        let missing_len = roster.len() - 1;
        let dot = write.dot;
        let tickets = Vec::new();
        self.unconfirmed
            .insert(dot, Unconfirmed { write, expected, missing, missing_len, tickets });
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

    /// Sends `dot` again at `at` to whoever has not confirmed it by then.
    pub(super) fn resend_at(&mut self, at: Time, dot: Dot) {
        self.resends.push_back((at, dot));
    }

    /// The branch at `from` acknowledges `dot`, holding `write_set`.
    pub(super) fn acknowledge(
        &mut self,
        dot: Dot,
        from: BranchIndex,
        write_set: WriteSetDigest,
    ) -> Confirmed {
        let Some(unconfirmed) = self.unconfirmed.get_mut(&dot) else { return Confirmed::Partly };
        if unconfirmed.expected != write_set {
            return Confirmed::Disagrees;
        }
        if std::mem::take(&mut unconfirmed.missing[from.get()]) {
            unconfirmed.missing_len -= 1;
        }
        if unconfirmed.missing_len > 0 {
            return Confirmed::Partly;
        }
        let tickets = self.unconfirmed.remove(&dot).map(|done| done.tickets);
        Confirmed::Everywhere(tickets.unwrap_or_default())
    }

    /// Makes `ticket` wait until the first `own` writes of the branch `here` are confirmed.
    pub(super) fn settle(&mut self, ticket: Ticket, own: Sequence) {
        self.settling.push((ticket, own));
    }

    /// Takes out who has nothing more to wait for at the branch `here`.
    pub(super) fn take_settled(&mut self, here: BranchId) -> Vec<Ticket> {
        if self.settling.is_empty() {
            return Vec::new();
        }
        let own = |dot: &&Dot| dot.origin == here;
        let first = self.unconfirmed.keys().find(own).map(|dot| dot.sequence);
        let is_settled = |own: Sequence| first.is_none_or(|first| first > own);
        let (settled, settling) =
            self.settling.drain(..).partition(|&(_, own): &(Ticket, Sequence)| is_settled(own));
        self.settling = settling;
        settled.into_iter().map(|(ticket, _)| ticket).collect::<Vec<Ticket>>()
    }

    /// When something runs out of time next.
    pub(super) fn next_deadline(&self) -> Option<Time> {
        let limit = self.limits.front().map(|&(at, ..)| at);
        let resend = self.resends.front().map(|&(at, _)| at);
        limit.into_iter().chain(resend).min()
    }

    /// Takes out one request that has run out of time by `now`, with the branches it waited for.
    pub(super) fn take_expired(
        &mut self,
        now: Time,
        roster: &Roster,
    ) -> Option<(Ticket, Vec<BranchId>)> {
        while let Some((_, dot, ticket)) = self.limits.pop_front_if(|&mut (at, ..)| at <= now) {
            let Some(unconfirmed) = self.unconfirmed.get_mut(&dot) else { continue };
            let Some(place) = unconfirmed.tickets.iter().position(|&waits| waits == ticket) else {
                continue;
            };
            unconfirmed.tickets.swap_remove(place);
            return Some((ticket, unconfirmed.missing_ids(roster).collect()));
        }
        None
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
