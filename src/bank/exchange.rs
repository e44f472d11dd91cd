//! What a branch makes of what other branches say: writes, acknowledgements, requests to catch up.

use super::confirmation::{Acknowledged, Compared};
use super::life_list::SendersLives;
use super::log::Known;
use super::parking::Waiter;
use super::{
    Acknowledgement, Branch, Effect, EndOfLife, Entry, PeerMessage, PropagatedWrite, Relayed,
    VersionVector, WriteSetDigest,
};
use crate::model::{BranchId, Dot, OriginLife, Receipt, Refusal, Time};

impl Branch {
    #[inline(always)]
    pub(super) fn take_message(
        &mut self,
        (now, from): (Time, BranchId),
        lives: SendersLives,
        message: PeerMessage,
        effects: &mut Vec<Effect>,
    ) {
        match message {
            PeerMessage::Propagate(write) => self.receive(from, write, effects),
            PeerMessage::Acknowledge(acknowledgement) => {
                self.compare(from, acknowledgement, effects);
            }
            PeerMessage::CatchUp(version) => self.answer((now, from), &version, effects),
            PeerMessage::Missed(missed) => self.take_missed((now, from), lives, missed, effects),
            PeerMessage::Taken(dot) => {
                if self.own_life().is_of(dot) {
                    self.end(EndOfLife::NumberTaken { at: from }, effects);
                }
            }
        }
    }

    /// Whether `write` comes before one that must be applied first.
    pub fn must_wait(&self, write: &PropagatedWrite) -> bool {
        let origin = self.origin(write.dot);
        write.dot.sequence > self.version.get(origin)
            && self.first_missing_before(write, origin).is_some()
    }

    /// Takes a write from another branch.
    pub(super) fn receive(
        &mut self,
        from: BranchId,
        write: PropagatedWrite,
        effects: &mut Vec<Effect>,
    ) {
        let origin = self.origin(write.dot);
        let write_set = if write.dot.sequence > self.version.get(origin) {
            if let Some(missing) = self.first_missing_before(&write, origin) {
                return self.parking.wait_for(missing, Waiter::Write { from, write });
            }
            self.apply(&write, origin, effects)
        } else {
            match self.log.known(write.id, write.write) {
                Known::Write(_) => self.log.digest_at(write.id),
                Known::Id { .. } | Known::Nothing => {
                    let message = PeerMessage::Taken(write.dot);
                    effects.push(Effect::Send { to: from, message });
                    return effects.push(Effect::Conflict(write));
                }
            }
        };
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
            // A third branch may hold it, or another one, under the number that it would get.
            Known::Id { .. } | Known::Nothing if self.has_not_heard_others_than(from) => {
                effects.push(self.reply(ticket, Err(self.returning()), Entry::Nothing));
            }
            Known::Id { .. } | Known::Nothing => {
                // It names no lives: it is taken to have one, however often it started.
                let origin = OriginLife::from(self.index(from));
                let dot = self.roster.dot(origin, self.version.get(origin).next());
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

    pub(super) fn first_missing(&self, needed: &VersionVector) -> Option<Dot> {
        needed.first_missing(&self.version, &self.roster)
    }

    /// The first write that must be applied here before `write`, if any is missing.
    fn first_missing_before(&self, write: &PropagatedWrite, origin: OriginLife) -> Option<Dot> {
        let Dot { sequence, .. } = write.dot;
        if sequence > self.version.get(origin).next() {
            return Some(Dot { sequence: sequence.before(), ..write.dot });
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
        let compared = self.confirmations.acknowledge(dot, from, agrees, &self.roster);
        let Some(Compared { agrees, is_last }) = compared else { return };
        effects.push(Effect::Compared { with: from, id, agrees });
        if !is_last {
            return;
        }
        let acknowledged = self.confirmations.take_acknowledged(dot, self.own_life());
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
