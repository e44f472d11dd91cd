//! The simulated network: one actor that keeps every message on its way until its time has come.

use std::collections::BTreeMap;

use actix::{Actor, AsyncContext, Context, Handler};

use super::{PeerEnvelope, Peers, TimeSource};
use crate::model::{Random, Seed, Time};
use crate::network::{Link, LinkLatencies};

/// Delays the messages between branches. One queue and one armed timer, however many are on their
/// way: an actor's own timers cost quadratic time, and equal ones do not fire in order.
#[derive(Debug)]
pub struct Network {
    setup: NetworkSetup,
    chances: BTreeMap<Link, Random>,
    /// By when they arrive; those of the same moment in the order in which they were sent.
    on_their_way: BTreeMap<(Time, u64), PeerEnvelope>,
    accepted: u64,
    armed: Option<Time>,
}

/// What a network is made of.
#[derive(Debug)]
pub struct NetworkSetup {
    /// How long messages take.
    pub latencies: LinkLatencies,
    /// What chances are drawn from.
    pub seed: Seed,
    /// The branches' own mailboxes.
    pub mailboxes: Peers,
    /// What time it is.
    pub clock: TimeSource,
}

impl Network {
    /// A network that carries nothing yet.
    pub fn new(setup: NetworkSetup) -> Self {
        Self {
            setup,
            chances: BTreeMap::new(),
            on_their_way: BTreeMap::new(),
            accepted: 0,
            armed: None,
        }
    }

    fn deliver_due(&mut self, ctx: &mut Context<Self>) {
        let now = self.setup.clock.now();
        while let Some(next) = self.on_their_way.first_entry()
            && next.key().0 <= now
        {
            let envelope = next.remove();
            self.setup.mailboxes.link(envelope.to).do_send(envelope);
        }
        self.arm(now, ctx);
    }

    fn arm(&mut self, now: Time, ctx: &mut Context<Self>) {
        let Some(&(next, _)) = self.on_their_way.keys().next() else { return };
        if self.armed.is_some_and(|armed| armed <= next) {
            return;
        }
        self.armed = Some(next);
        ctx.run_later(self.setup.clock.sleep_for(next.since(now)), move |network, ctx| {
            if network.armed == Some(next) {
                network.armed = None;
                network.deliver_due(ctx);
            }
        });
    }
}

impl Actor for Network {
    type Context = Context<Self>;
}

impl Handler<PeerEnvelope> for Network {
    type Result = ();

    fn handle(&mut self, envelope: PeerEnvelope, ctx: &mut Self::Context) {
        let link = Link { from: envelope.from, to: envelope.to };
        let seed = self.setup.seed;
        let chance = self.chances.entry(link).or_insert_with(|| link.chances(seed));
        let now = self.setup.clock.now();
        let at = now.after(self.setup.latencies.of(link).draw(chance));
        self.accepted += 1;
        self.on_their_way.insert((at, self.accepted), envelope);
        self.arm(now, ctx);
    }
}
