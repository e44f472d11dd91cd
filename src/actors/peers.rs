//! The ways from a branch to the others: their own mailboxes, or whatever stands for them.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use actix::Recipient;

use super::PeerEnvelope;
use super::alarms::Turn;
use super::executor::VirtualTime;
use super::faulty::Faulty;
use crate::bank::{LifeList, PeerMessage, PropagatedWrite};
use crate::model::number::count;
use crate::model::{BranchId, MessageNumber, Roster};
use crate::network::{Delays, Link};

/// The ways to all branches.
#[derive(Debug, Clone)]
pub struct Peers {
    /// The branches.
    pub roster: Arc<Roster>,
    /// One recipient per branch, ascending by id.
    pub links: Rc<[Recipient<PeerEnvelope>]>,
    /// What is on these ways.
    pub way: Way,
}

/// What is on the way between two branches.
#[derive(Debug, Clone)]
pub enum Way {
    /// Nothing that takes time.
    Straight,
    /// In virtual time: messages take what is drawn for each.
    Late(Rc<RefCell<Delays>>, VirtualTime),
    /// The same, and messages may be lost.
    Faulty(Faulty, VirtualTime),
}

impl Peers {
    /// The branches of `roster`, reached through `links` in no time of their own.
    pub fn straight(roster: &Arc<Roster>, links: Rc<[Recipient<PeerEnvelope>]>) -> Self {
        Self { roster: Arc::clone(roster), links, way: Way::Straight }
    }

    /// Sends `envelope`.
    ///
    /// Panics if it is for no branch of the roster, or for its sender.
    pub fn send(&self, envelope: PeerEnvelope) {
        let PeerEnvelope { from, to, .. } = envelope;
        assert!(from != to, "branch {from} sends a message to itself");
        let index = self.roster.index(to).expect("a message is for a branch of the roster").get();
        match &self.way {
            Way::Straight => self.links[index].do_send(envelope),
            Way::Late(delays, time) => {
                let at = time.now().after(delays.borrow_mut().draw(Link { from, to }));
                let links = Rc::clone(&self.links);
                time.do_at(at, Turn::Message, move || links[index].do_send(envelope));
            }
            Way::Faulty(faulty, time) => {
                for after in faulty.send(&envelope).into_iter().flatten() {
                    let (links, faulty, envelope) =
                        (Rc::clone(&self.links), faulty.clone(), envelope.clone());
                    time.do_at(time.now().after(after), Turn::Message, move || {
                        if faulty.lets_arrive(&envelope) {
                            links[index].do_send(envelope);
                        }
                    });
                }
            }
        }
    }

    /// Sends a write to every branch but its sender. In virtual time it is on its way once, however
    /// many there are.
    ///
    /// Panics if the sender is no branch of the roster.
    pub fn broadcast(&self, broadcast: Broadcast) {
        let from = broadcast.from;
        let here = self.roster.index(from).expect("a branch is in its own roster").get();
        let receivers = 0..self.links.len() - 1;
        match &self.way {
            Way::Straight => receivers.for_each(|which| {
                let (place, envelope) = broadcast.envelope((here, which), &self.roster);
                self.links[place].do_send(envelope);
            }),
            Way::Late(delays, time) => {
                let mut delays = delays.borrow_mut();
                let now = time.now();
                let moments = receivers.map(|which| {
                    let to = self.roster.ids()[place_of_other(here, which)];
                    now.after(delays.draw(Link { from, to }))
                });
                let (roster, links) = (Arc::clone(&self.roster), Rc::clone(&self.links));
                time.arrive_at_each(moments, move |which| {
                    let (place, envelope) = broadcast.envelope((here, which), &roster);
                    links[place].do_send(envelope);
                });
            }
            // Each has a fate of its own.
            Way::Faulty(..) => receivers.for_each(|which| {
                let (_, envelope) = broadcast.envelope((here, which), &self.roster);
                self.send(envelope);
            }),
        }
    }
}

/// A write for every branch but its sender.
#[derive(Debug)]
pub struct Broadcast {
    /// The branch that says it.
    pub from: BranchId,
    /// Which of the sender's messages the first of them is; those to the others follow.
    pub first: MessageNumber,
    /// The sender's list of lives.
    pub lives: LifeList,
    /// The write.
    pub write: PropagatedWrite,
}

impl Broadcast {
    /// What the branch `which` of the roster gets, not counting the sender, which stands at `here`;
    /// and the place of that branch.
    fn envelope(&self, (here, which): (usize, usize), roster: &Roster) -> (usize, PeerEnvelope) {
        let place = place_of_other(here, which);
        let (from, to, lives) = (self.from, roster.ids()[place], self.lives.clone());
        let number = MessageNumber::new(self.first.get() + count(which));
        let message = PeerMessage::Propagate(self.write.clone());
        (place, PeerEnvelope { from, to, number, lives, message })
    }
}

/// Where in a roster the branch `which` stands, not counting the one that stands at `here`.
fn place_of_other(here: usize, which: usize) -> usize {
    which + usize::from(which >= here)
}
