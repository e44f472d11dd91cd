//! The simulated network in real time: one actor that keeps every message on its way until its time
//! has come. In virtual time the clock itself keeps them.

use std::collections::BTreeMap;

use actix::{Actor, Context, Handler};

use super::{Due, Faulty, PeerEnvelope, Peers, TimeSource};
use crate::model::Time;
use crate::network::{Delays, Link};

/// Delays the messages between branches. One queue and one armed timer, however many are on their
/// way: an actor's own timers cost quadratic time, and equal ones do not fire in order.
#[derive(Debug)]
pub struct Network {
    setup: NetworkSetup,
    /// By when they arrive; those of the same moment in the order in which they were sent.
    on_their_way: BTreeMap<(Time, u64), PeerEnvelope>,
    accepted: u64,
    armed: Option<Time>,
}

/// What a network does with what it carries.
#[derive(Debug)]
pub enum Carries {
    /// It takes its time.
    Late(Delays),
    /// It may lose it too.
    Faulty(Faulty),
}

/// What a network is made of.
#[derive(Debug)]
pub struct NetworkSetup {
    /// What it does with them.
    pub carries: Carries,
    /// The branches' own mailboxes.
    pub mailboxes: Peers,
    /// What time it is.
    pub clock: TimeSource,
}

impl Network {
    /// A network that carries nothing yet.
    pub fn new(setup: NetworkSetup) -> Self {
        Self { setup, on_their_way: BTreeMap::new(), accepted: 0, armed: None }
    }

    fn deliver_due(&mut self, ctx: &mut Context<Self>) {
        let now = self.setup.clock.now();
        while let Some(next) = self.on_their_way.first_entry()
            && next.key().0 <= now
        {
            let envelope = next.remove();
            let arrives = match &self.setup.carries {
                Carries::Late(_) => true,
                Carries::Faulty(faulty) => faulty.lets_arrive(&envelope),
            };
            if arrives {
                self.setup.mailboxes.send(envelope);
            }
        }
        self.arm(ctx);
    }

    fn arm(&mut self, ctx: &mut Context<Self>) {
        let Some(&(next, _)) = self.on_their_way.keys().next() else { return };
        if self.armed.is_some_and(|armed| armed <= next) {
            return;
        }
        self.armed = Some(next);
        self.setup.clock.wake_at(next, ctx);
    }
}

impl Actor for Network {
    type Context = Context<Self>;
}

impl Handler<Due> for Network {
    type Result = ();

    fn handle(&mut self, Due(at): Due, ctx: &mut Self::Context) {
        if self.armed == Some(at) {
            self.armed = None;
            self.deliver_due(ctx);
        }
    }
}

impl Handler<PeerEnvelope> for Network {
    type Result = ();

    fn handle(&mut self, envelope: PeerEnvelope, ctx: &mut Self::Context) {
        let link = Link { from: envelope.from, to: envelope.to };
        let arrivals = match &mut self.setup.carries {
            Carries::Late(delays) => [Some(delays.draw(link)), None],
            Carries::Faulty(faulty) => faulty.send(&envelope),
        };
        let now = self.setup.clock.now();
        for after in arrivals.into_iter().flatten() {
            self.accepted += 1;
            self.on_their_way.insert((now.after(after), self.accepted), envelope.clone());
        }
        self.arm(ctx);
    }
}
