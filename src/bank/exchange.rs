//! What a branch makes of what other branches say: writes, acknowledgements, requests to catch up.

use super::confirmation::Acknowledged;
use super::log::Known;
use super::parking::{Parked, Waiter};
use super::{
    Acknowledgement, Branch, Effect, Entry, PeerMessage, PropagatedWrite, Relayed, Ticket,
    VersionVector, WriteSetDigest,
};
use crate::model::{
    BranchId, BranchIndex, Dot, LogEntry, LogPosition, Receipt, Refusal, Sequence, Time,
};

impl Branch {
    pub(super) fn take_message(
        &mut self,
        from: BranchId,
        message: PeerMessage,
        effects: &mut Vec<Effect>,
    ) {
        match message {
            PeerMessage::Propagate(write) => self.receive(from, write, effects),
            PeerMessage::Acknowledge(acknowledgement) => {
                self.compare(from, acknowledgement, effects);
            }
            PeerMessage::CatchUp(version) => {
                let is_missed = |entry: &LogEntry| {
                    entry.dot.sequence > version.get(self.index(entry.dot.origin))
                };
                let came = self.came_after(LogPosition::default(), usize::MAX);
                let missed = came.into_iter().filter(is_missed).collect();
                effects.push(Effect::Send { to: from, message: PeerMessage::Missed(missed) });
            }
            PeerMessage::Missed(missed) => {
                // What waits here is looked at when all of it is applied: what is missed comes in
                // an order in which nothing has to wait, and a write that waits need not come as
                // early.
                for LogEntry { dot, id, write } in missed {
                    let write = PropagatedWrite { dot, id, write, dependencies: None };
                    // After one that is left out nothing is taken, or answers with gaps would
                    // gather here without a bound. What is not taken is missed still, and asked for
                    // again.
                    if self.must_wait(&write) {
                        return;
                    }
                    self.receive(from, write, effects);
                }
            }
        }
    }

    /// Whether `write` comes before one that must be applied first.
    pub fn must_wait(&self, write: &PropagatedWrite) -> bool {
        let origin = self.index(write.dot.origin);
        write.dot.sequence > self.version.get(origin)
            && self.first_missing_before(write, origin).is_some()
    }

    /// Takes a write from another branch.
    fn receive(&mut self, from: BranchId, write: PropagatedWrite, effects: &mut Vec<Effect>) {
        let origin = self.index(write.dot.origin);
        if write.dot.sequence > self.version.get(origin) {
            if let Some(missing) = self.first_missing_before(&write, origin) {
                return self.parking.wait_for(missing, Waiter::Write { from, write });
            }
            self.apply(&write, origin, effects);
        } else {
            match self.log.known(write.id, write.write) {
                Known::Write(_) => {}
                Known::Id { .. } | Known::Nothing => return effects.push(Effect::Conflict(write)),
            }
        }
        let write_set = self.log.digest_at(write.id);
        let acknowledgement = Acknowledgement { dot: write.dot, id: write.id, write_set };
        let message = PeerMessage::Acknowledge(acknowledgement);
        effects.push(Effect::Send { to: from, message });
    }

    /// Takes a write from a branch that knows no origins and sequences, and answers it.
    pub(super) fn take_relayed(&mut self, relayed: Relayed, effects: &mut Vec<Effect>) {
        let Relayed { ticket, from, id, write } = relayed;
        match self.known(id, write) {
            Known::Write(_) => {
                effects.push(self.reply(ticket, Ok(Receipt::Written), Entry::Nothing));
            }
            // It has accepted another write under this id itself, and sends a third.
            Known::Id { first } if first.dot.origin == from => {
                effects.push(self.refuse(ticket, Refusal::EventReused { first: first.write }));
            }
            Known::Id { .. } | Known::Nothing => {
                let origin = self.index(from);
                let dot = Dot { origin: from, sequence: self.version.get(origin).next() };
                self.apply(
                    &PropagatedWrite { dot, id, write, dependencies: None },
                    origin,
                    effects,
                );
                effects.push(self.reply(ticket, Ok(Receipt::Written), Entry::Nothing));
            }
        }
    }

    /// Looks anew at what waited for the writes that were applied just now.
    pub(super) fn wake(&mut self, now: Time, effects: &mut Vec<Effect>) {
        while let Some(dot) = self.applied.pop_front() {
            for waiter in self.parking.wake(dot) {
                match waiter {
                    Waiter::Write { from, write } => self.receive(from, write, effects),
                    Waiter::Request(ticket) => self.reconsider(now, ticket, effects),
                }
            }
        }
    }

    fn reconsider(&mut self, now: Time, ticket: Ticket, effects: &mut Vec<Effect>) {
        let Some(parked) = self.parking.parked(ticket) else { return };
        if let Some(missing) = self.first_missing(&parked.needed) {
            self.parking.wait_for(missing, Waiter::Request(ticket));
        } else if let Some(parked) = self.parking.take(ticket) {
            effects.push(Effect::Waited { ticket, waited: parked.waited(now) });
            let Parked { request, needed, .. } = parked;
            self.serve(now, &request, Some(needed), effects);
        }
    }

    pub(super) fn first_missing(&self, needed: &VersionVector) -> Option<Dot> {
        needed.first_missing(&self.version, &self.roster)
    }

    /// The first write that must be applied here before `write`, if any is missing.
    fn first_missing_before(&self, write: &PropagatedWrite, origin: BranchIndex) -> Option<Dot> {
        let Dot { origin: id, sequence } = write.dot;
        if sequence > self.version.get(origin).next() {
            return Some(Dot { origin: id, sequence: Sequence::new(sequence.get() - 1) });
        }
        write.dependencies.as_ref()?.first_missing(&self.version, &self.roster)
    }

    /// Compares an acknowledged write set with ours, and answers the request that waited for it.
    fn compare(&mut self, from: BranchId, told: Acknowledgement, effects: &mut Vec<Effect>) {
        let Acknowledgement { dot, id, write_set } = told;
        // What was here with the write is what is here up to it now, and known at no cost, unless a
        // second write has come since under an id that came first before it.
        let agrees = |expected: WriteSetDigest| {
            expected.agrees(write_set)
                || self.log.has_clash(id.customer) && self.log.digest_at(id).agrees(write_set)
        };
        let agrees = self.confirmations.acknowledge(dot, from, agrees, &self.roster);
        let Some(agrees) = agrees else { return };
        effects.push(Effect::Compared { with: from, id, agrees });
        let acknowledged = self.confirmations.take_acknowledged(dot, self.id());
        let Some(Acknowledged { tickets, disagreeing }) = acknowledged else { return };
        for ticket in tickets {
            effects.push(if disagreeing.is_empty() {
                self.written(ticket, dot)
            } else {
                self.unknown(ticket, dot, disagreeing.clone())
            });
        }
        self.announce_settled(effects);
    }
}
