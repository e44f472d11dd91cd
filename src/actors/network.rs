//! The simulated network in real time: one actor that keeps every message on its way until its time
//! has come. In virtual time the clock itself keeps them.

use std::collections::BTreeMap;

use actix::{Actor, Context, Handler};

use super::{Due, PeerEnvelope, Peers, TimeSource};
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

/// What a network is made of.
#[derive(Debug)]
pub struct NetworkSetup {
    /// How long messages take.
    pub delays: Delays,
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
            self.setup.mailboxes.send(envelope);
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
        let at = self.setup.clock.now().after(self.setup.delays.draw(link));
        self.accepted += 1;
        self.on_their_way.insert((at, self.accepted), envelope);
        self.arm(ctx);
    }
}
