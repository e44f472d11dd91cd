//! Branches, the messages between them, and all that goes wrong. Knows which write was applied where,
//! and not why.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use passbook::bank::{
    Branch, BranchConfig, Effect, Input, LifeList, Memory, PeerMessage, PropagatedWrite, Reply,
    Start, Ticket, Timeouts, VersionVector,
};
use passbook::model::{
    BranchId, Durability, Life, LogPosition, Money, Overdraft, Propagation, Random, Roster, Seed,
    Time, WriteId,
};

use crate::checks::{Fault, Known};
use crate::customer::Customer;
use crate::judged::Judged;
use crate::seen::Seen;

/// A message on its way.
#[derive(Debug, Clone)]
struct Wire {
    from: BranchId,
    to: BranchId,
    lives: LifeList,
    message: PeerMessage,
}

pub(crate) struct Node {
    pub(crate) branch: Branch,
    /// Tells the logs of one branch apart: another one begins where something is forgotten.
    pub(crate) log: u32,
}

pub(crate) struct World {
    pub(crate) random: Random,
    pub(crate) roster: Arc<Roster>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) now: Time,
    pub(crate) judged: Judged,
    pub(crate) seen: Seen,
    pub(crate) propagation: Propagation,
    pub(crate) next_ticket: u64,
    wires: Vec<Wire>,
    pub(crate) known: Known,
    newest_life: Vec<u64>,
    replies: Vec<(usize, Reply)>,
    amnesia_percent: u64,
    /// Whether memories end. Where none does, nobody asks all others anew for that reason.
    forgets: bool,
    logs: u32,
}

const STEPS: usize = 160;

impl World {
    /// Lets everything go wrong for a while, then nothing, and looks at it all the time.
    pub(crate) fn run(seed: u64) -> Result<Seen, Fault> {
        let mut world = Self::new(seed);
        let mut customers: Vec<Customer> = (1..=4).map(|id| Customer::new(id, &world)).collect();
        for _ in 0..STEPS {
            world.step(&mut customers)?;
            world.hand_out(&mut customers)?;
        }
        world.heal(&mut customers)?;
        let Self { judged, seen, .. } = world;
        judged.verdict()?;
        Ok(seen)
    }

    fn new(seed: u64) -> Self {
        let mut random = Random::of_part(Seed(seed), 17);
        // In a bank of more than 16 branches a write names only the nearest of what it depends on.
        let branches = if seed % 100 == 99 { 17 } else { 2 + seed % 4 };
        let ids = (1..=branches).map(|id| BranchId::new(id.try_into().unwrap()).unwrap());
        let roster = Arc::new(Roster::new(ids).unwrap());
        let propagation = if random.below(2) == 0 { Propagation::Sync } else { Propagation::Async };
        let forgets = seed % 10 != 9;
        let mut world = Self {
            nodes: Vec::new(),
            now: Time::START,
            judged: Judged::default(),
            seen: Seen::default(),
            propagation,
            next_ticket: 0,
            wires: Vec::new(),
            known: Known::default(),
            newest_life: vec![1; roster.len()],
            replies: Vec::new(),
            amnesia_percent: 2 + 2 * (seed % 3),
            forgets,
            logs: 0,
            random,
            roster: Arc::clone(&roster),
        };
        // Branches of one bank in one process begin together; those of several know of no other.
        let is_known = world.random.below(3) > 0;
        for (place, &id) in roster.ids().iter().enumerate() {
            let config = world.config();
            let branch = if is_known {
                Branch::new(id, Arc::clone(&roster), Money::ZERO, config)
            } else {
                let life = Life::new(world.new_life(place));
                let unknown = roster.ids().iter().map(|_| Life::new(0));
                let lives = LifeList::from_lives(unknown, &roster).unwrap();
                let memory = Memory { lives, ..Memory::default() };
                let start = Start::NewLife { life, memory };
                Branch::again(id, Arc::clone(&roster), Money::ZERO, config, start)
            };
            let log = world.new_log(id);
            world.nodes.push(Node { branch, log });
        }
        if !is_known {
            for at in 0..roster.len() {
                world.tell(at, Input::Started).unwrap();
            }
        }
        world
    }

    fn config(&self) -> BranchConfig {
        let ms = |ms| Some(Duration::from_millis(ms));
        let timeouts = Timeouts {
            confirm_limit: ms(60),
            resend_after: ms(20),
            wait_limit: ms(80),
            return_limit: ms(50),
        };
        let (propagation, overdraft) = (self.propagation, Overdraft::Allow);
        BranchConfig {
            propagation,
            overdraft,
            timeouts,
            durability: Durability::Memory,
            log_max: None,
            kept_max: None,
        }
    }

    fn new_life(&mut self, at: usize) -> u64 {
        self.newest_life[at] += 1;
        self.newest_life[at]
    }

    fn new_log(&mut self, id: BranchId) -> u32 {
        self.logs += 1;
        self.judged.begins_log(self.logs, id);
        self.logs
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.random.below(end.try_into().unwrap())).unwrap()
    }

    fn any_node(&mut self) -> usize {
        self.below(self.roster.len())
    }

    fn step(&mut self, customers: &mut [Customer]) -> Result<(), Fault> {
        let chance = self.random.below(100);
        if !self.forgets {
            return match chance {
                0..6 => self.ask_for_something(customers),
                6..16 => self.crash_keeping_all(customers),
                16..22 => self.wait(1 + self.random.clone().below(9)),
                _ => self.move_a_message(),
            };
        }
        let amnesia = self.amnesia_percent;
        match chance {
            0..27 => self.ask_for_something(customers),
            27..31 => {
                let (at, of) = (self.any_node(), self.any_node());
                let peer = self.roster.ids()[of];
                if at == of { Ok(()) } else { self.tell(at, Input::InReach(peer)) }
            }
            31..33 => self.crash_keeping_all(customers),
            33..35 => self.crash_keeping_a_part(customers),
            35..39 => self.forward(),
            39..49 => self.wait(1 + self.random.clone().below(9)),
            _ if chance < 49 + amnesia => self.forget_all(customers),
            _ => self.move_a_message(),
        }
    }

    fn ask_for_something(&mut self, customers: &mut [Customer]) -> Result<(), Fault> {
        let who = self.below(customers.len());
        customers[who].act(self)
    }

    fn move_a_message(&mut self) -> Result<(), Fault> {
        if self.wires.is_empty() {
            return Ok(());
        }
        let place = self.below(self.wires.len());
        let lost = if self.forgets { 15 } else { 45 };
        match self.random.below(100) {
            chance if chance < lost => {
                self.wires.swap_remove(place);
                Ok(())
            }
            chance if chance < lost + 9 => {
                let wire = self.wires[place].clone();
                self.deliver(wire)
            }
            _ => {
                let wire = self.wires.swap_remove(place);
                self.deliver(wire)
            }
        }
    }

    fn deliver(&mut self, Wire { from, to, lives, message }: Wire) -> Result<(), Fault> {
        let at = self.roster.index(to).unwrap().get();
        self.tell(at, Input::FromPeer { from, lives, message })
    }

    pub(crate) fn wait(&mut self, ms: u64) -> Result<(), Fault> {
        self.now = self.now.after(Duration::from_millis(ms));
        for at in 0..self.nodes.len() {
            if self.nodes[at].branch.next_deadline().is_some_and(|due| due <= self.now) {
                self.tell(at, Input::DeadlineReached)?;
            }
        }
        Ok(())
    }

    /// A branch that holds a write sends it on, as it does for a customer who asks again.
    fn forward(&mut self) -> Result<(), Fault> {
        let at = self.any_node();
        let branch = &self.nodes[at].branch;
        let came = branch.came_after(LogPosition::default(), usize::MAX);
        if came.is_empty() {
            return Ok(());
        }
        let (from, lives) = (branch.id(), branch.lives().clone());
        let place = self.below(came.len());
        let mut before = VersionVector::new(&self.roster);
        for entry in &came[..place] {
            before.cover(self.roster.origin(entry.dot).unwrap(), entry.dot.sequence);
        }
        let (dot, id, write) = (came[place].dot, came[place].id, came[place].write);
        let write = PropagatedWrite { dot, id, write, dependencies: Some(before.into()) };
        let others: Vec<BranchId> =
            self.roster.ids().iter().copied().filter(|&to| to != from).collect();
        for to in others {
            let (lives, message) = (lives.clone(), PeerMessage::Propagate(write.clone()));
            self.wires.push(Wire { from, to, lives, message });
        }
        Ok(())
    }

    fn forget_all(&mut self, customers: &mut [Customer]) -> Result<(), Fault> {
        let at = self.any_node();
        self.seen.count("amnesia");
        let lives = self.unknown_or_first(at);
        let start = Start::NewLife {
            life: Life::new(self.new_life(at)),
            memory: Memory { lives, ..Memory::default() },
        };
        self.start_again((at, true), start, customers)
    }

    /// What one that forgot everything takes others to be: in their first lives, where it knows that
    /// they began with it.
    fn unknown_or_first(&mut self, at: usize) -> LifeList {
        let begins_alone = self.nodes[at].branch.lives().lives(&self.roster).any(|life| {
            // No branch of a bank that begins together is ever unknown.
            life == Life::new(0)
        });
        if begins_alone || self.random.below(2) == 0 {
            let unknown = self.roster.ids().iter().map(|_| Life::new(0));
            return LifeList::from_lives(unknown, &self.roster).unwrap();
        }
        LifeList::of_first_lives()
    }

    fn crash_keeping_all(&mut self, customers: &mut [Customer]) -> Result<(), Fault> {
        let at = self.any_node();
        self.seen.count("all kept");
        let branch = &self.nodes[at].branch;
        // What starts while it returns has no more to say than one that starts anew.
        let came = branch.came_after(LogPosition::default(), usize::MAX);
        let memory = Memory { lives: branch.lives().clone(), came, ..Memory::default() };
        if branch.gives_event_ids() {
            return self.start_again((at, false), Start::SameLife(memory), customers);
        }
        let start = Start::NewLife { life: Life::new(self.new_life(at)), memory };
        self.start_again((at, true), start, customers)
    }

    fn crash_keeping_a_part(&mut self, customers: &mut [Customer]) -> Result<(), Fault> {
        let at = self.any_node();
        self.seen.count("a part kept");
        let mut came = self.nodes[at].branch.came_after(LogPosition::default(), usize::MAX);
        let kept = self.below(came.len() + 1);
        came.truncate(kept);
        let lives = if self.random.below(2) == 0 {
            self.nodes[at].branch.lives().clone()
        } else {
            self.unknown_or_first(at)
        };
        let life = Life::new(self.new_life(at));
        let start = Start::NewLife { life, memory: Memory { lives, came, ..Memory::default() } };
        self.start_again((at, true), start, customers)
    }

    fn start_again(
        &mut self,
        (at, begins_log): (usize, bool),
        start: Start,
        customers: &mut [Customer],
    ) -> Result<(), Fault> {
        for customer in customers {
            customer.loses_answer_of(at, self);
        }
        let id = self.roster.ids()[at];
        let config = self.config();
        let branch = Branch::again(id, Arc::clone(&self.roster), Money::ZERO, config, start);
        self.nodes[at].branch = branch;
        if begins_log {
            let log = self.new_log(id);
            self.nodes[at].log = log;
            self.judged.keeps(log, self.nodes[at].branch.log(), self.now);
        }
        self.tell(at, Input::Started)
    }

    /// Tells a branch something, and does what it wants done.
    pub(crate) fn tell(&mut self, at: usize, input: Input) -> Result<(), Fault> {
        let mut effects = Vec::new();
        self.nodes[at].branch.handle(self.now, input, &mut effects);
        let from = self.nodes[at].branch.id();
        let lives = self.nodes[at].branch.lives().clone();
        let mut applied = Vec::new();
        for effect in effects {
            match effect {
                Effect::Reply(reply) => {
                    self.check_written(at, &reply)?;
                    self.judged.replies(&reply, self.now);
                    self.replies.push((at, reply));
                }
                Effect::Send { to, message } => {
                    let lives = lives.clone();
                    self.wires.push(Wire { from, to, lives, message });
                }
                Effect::Broadcast(write) => {
                    if self.known.is_sent(&write) == 2 {
                        self.seen.count("accepted twice");
                    }
                    for &to in self.roster.ids().iter().filter(|&&to| to != from) {
                        let message = PeerMessage::Propagate(write.clone());
                        self.wires.push(Wire { from, to, lives: lives.clone(), message });
                    }
                }
                Effect::Applied(now) => {
                    applied.push(now.dot);
                    self.judged.applies(self.nodes[at].log, now, self.now);
                }
                Effect::Closed => {
                    self.seen.count("closed");
                    let version = self.nodes[at].branch.version().clone();
                    self.known.is_closed(lives.lives(&self.roster).collect(), version);
                }
                Effect::Conflict(write) | Effect::IdClash(write) => {
                    return Err(format!("a name was given twice: {write:?}"));
                }
                Effect::Ended(end) => return Err(format!("branch {from} ended: {end}")),
                Effect::Waited { .. }
                | Effect::Settled(_)
                | Effect::Persist(_)
                | Effect::Lives(_)
                | Effect::Compared { .. } => {}
            }
        }
        self.check_applied(at, &applied)
    }

    pub(crate) fn last_reply(&mut self) -> Option<Reply> {
        self.replies.pop().map(|(_, reply)| reply)
    }

    fn hand_out(&mut self, customers: &mut [Customer]) -> Result<(), Fault> {
        for (at, reply) in std::mem::take(&mut self.replies) {
            for customer in &mut *customers {
                if customer.waits_for(reply.ticket) {
                    customer.hear(at, &reply, self)?;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn ticket(&mut self) -> Ticket {
        self.next_ticket += 1;
        Ticket(self.next_ticket)
    }

    /// The first writes in the log of a branch.
    pub(crate) fn held(&self, at: usize, until: LogPosition) -> BTreeSet<WriteId> {
        let until = usize::try_from(until.get()).unwrap();
        self.nodes[at].branch.log().take(until).map(|entry| entry.id).collect()
    }

    fn heal(&mut self, customers: &mut [Customer]) -> Result<(), Fault> {
        // A branch asks by itself until it has heard all that it needs; a link that comes back is no
        // more than a help.
        let links_come_back = self.forgets && self.random.below(2) == 0;
        for _ in 0..30 {
            self.wait(25)?;
            for at in 0..if links_come_back { self.nodes.len() } else { 0 } {
                for of in 0..self.nodes.len() {
                    if at != of {
                        self.tell(at, Input::InReach(self.roster.ids()[of]))?;
                    }
                }
            }
            let mut moved = 0;
            while !self.wires.is_empty() {
                let place = self.below(self.wires.len());
                let wire = self.wires.swap_remove(place);
                self.deliver(wire)?;
                moved += 1;
                if moved > 5_000 * self.nodes.len() * self.nodes.len() {
                    return Err("branches go on talking for ever".to_owned());
                }
            }
            self.hand_out(customers)?;
        }
        self.check_converged()?;
        for customer in customers {
            customer.goes_on(self)?;
        }
        Ok(())
    }

    fn check_converged(&self) -> Result<(), Fault> {
        let first = &self.nodes[0].branch;
        for Node { branch, .. } in &self.nodes {
            if branch.version() != first.version() || branch.balance() != first.balance() {
                return Err(format!("branches 1 and {} differ for ever", branch.id()));
            }
            if branch.holds_waiting_writes() {
                return Err(format!("a write waits for ever at branch {}", branch.id()));
            }
            if !branch.is_closed() || !branch.gives_event_ids() {
                return Err(format!("branch {} never closes", branch.id()));
            }
        }
        Ok(())
    }
}
