//! The simulated network: one actor that keeps every message on its way until its time has come.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};

use actix::{Actor, AsyncContext, Context, Handler};

use super::{Clock, PeerEnvelope, Peers};
use crate::model::{Chance, Seed, Time};
use crate::network::{Link, LinkLatencies};

/// Delays the messages between branches. One heap and one armed timer, however many are on their
/// way: an actor's own timers cost quadratic time, and equal ones do not fire in order.
#[derive(Debug)]
pub struct Network {
    setup: NetworkSetup,
    chances: BTreeMap<Link, Chance>,
    on_their_way: BinaryHeap<Delivery>,
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
    pub clock: Clock,
}

#[derive(Debug)]
struct Delivery {
    at: Time,
    /// Messages for the same moment arrive in the order in which they were sent.
    order: u64,
    envelope: PeerEnvelope,
}

impl Network {
    /// A network that carries nothing yet.
    pub fn new(setup: NetworkSetup) -> Self {
        Self {
            setup,
            chances: BTreeMap::new(),
            on_their_way: BinaryHeap::new(),
            accepted: 0,
            armed: None,
        }
    }

    fn deliver_due(&mut self, ctx: &mut Context<Self>) {
        let now = self.setup.clock.now();
        while self.on_their_way.peek().is_some_and(|next| next.at <= now) {
            if let Some(Delivery { envelope, .. }) = self.on_their_way.pop() {
                self.setup.mailboxes.link(envelope.to).do_send(envelope);
            }
        }
        self.arm(now, ctx);
    }

    fn arm(&mut self, now: Time, ctx: &mut Context<Self>) {
        let Some(next) = self.on_their_way.peek().map(|next| next.at) else { return };
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
        self.on_their_way.push(Delivery { at, order: self.accepted, envelope });
        self.arm(now, ctx);
    }
}

/// The heap gives the greatest first, so the earliest is the greatest.
impl Ord for Delivery {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

impl PartialOrd for Delivery {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Delivery {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Delivery {}
