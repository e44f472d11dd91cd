//! A customer, who carries its passbook from branch to branch, and keeps a book of its own of what it
//! is owed: by the names of writes, with no version vector.

use std::collections::BTreeSet;

use passbook::bank::{Entry, Input, Passbook, Reply, Request, Session, Ticket};
use passbook::model::{
    Amount, CustomerId, EventId, Guarantees, LogPosition, Money, Operation, Receipt, Refusal,
    RequestError, Write, WriteId,
};

use crate::checks::Fault;
use crate::world::World;

pub(crate) struct Customer {
    id: CustomerId,
    kind: Kind,
    passbook: Passbook,
    last_event: i64,
    /// A write whose end is not known: it is asked for again.
    open: Option<(EventId, Write)>,
    awaited: Option<Awaited>,
    /// Its acknowledged writes, and what it has read, but for what it was told is lost.
    owed: BTreeSet<WriteId>,
    /// Of those without a passbook: what was given under an id that its branch gave.
    given: i64,
}

/// What it brings with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Its passbook and its event ids.
    Careful,
    /// Its event ids.
    Careless,
    /// Nothing: its branch gives the ids.
    WalkIn,
}

#[derive(Debug, Clone, Copy)]
struct Awaited {
    ticket: Ticket,
    at: usize,
    operation: Operation,
    event: EventId,
}

impl Customer {
    pub(crate) fn new(id: i64, world: &World) -> Self {
        Self {
            id: CustomerId::new(id).unwrap(),
            kind: match id {
                1 | 2 => Kind::Careful,
                3 => Kind::Careless,
                _ => Kind::WalkIn,
            },
            passbook: Passbook::new(&world.roster),
            last_event: 0,
            open: None,
            awaited: None,
            owed: BTreeSet::new(),
            given: 0,
        }
    }

    pub(crate) fn waits_for(&self, ticket: Ticket) -> bool {
        self.awaited.is_some_and(|awaited| awaited.ticket == ticket)
    }

    /// Asks a branch for something, or waits no longer for one.
    pub(crate) fn act(&mut self, world: &mut World) -> Result<(), Fault> {
        if let Some(awaited) = self.awaited {
            if world.random.below(10) == 0 {
                self.gives_up(awaited, world);
            }
            return Ok(());
        }
        let at = world.below(world.nodes.len());
        let operation = if world.random.below(3) == 0 && self.open.is_none() {
            Operation::Query
        } else if let Some((_, write)) = self.open {
            world.seen.count("retry");
            Operation::Write(write)
        } else {
            // Each is another one, but those of one amount in ten: so a clash of ids shows.
            self.given += 1;
            Operation::Write(deposit(self.given))
        };
        let Some(event) = self.next_event(at, operation, world) else { return Ok(()) };
        let session = (self.kind == Kind::Careful)
            .then(|| Session { passbook: self.passbook.clone(), guarantees: Guarantees::ALL });
        let (ticket, customer, log) = (world.ticket(), self.id, world.nodes[at].log);
        self.awaited = Some(Awaited { ticket, at, operation, event });
        if self.kind == Kind::Careful {
            let id = WriteId { customer, event };
            world.judged.asks((ticket, log), id, operation, world.now);
        }
        let request = Request { ticket, customer, event, operation, session };
        world.tell(at, Input::Requested(request))
    }

    /// The id of what it asks next; `None` where its branch gives none.
    fn next_event(
        &mut self,
        at: usize,
        operation: Operation,
        world: &mut World,
    ) -> Option<EventId> {
        if let (Operation::Write(_), Some((event, _))) = (operation, self.open) {
            return Some(event);
        }
        if self.kind == Kind::WalkIn {
            let branch = &world.nodes[at].branch;
            if !branch.gives_event_ids() {
                return None;
            }
            // Each desk gives ids of its own, as the registry of a bank of several processes does.
            let step = i64::try_from(world.nodes.len()).unwrap();
            let first = i64::try_from(at).unwrap() + 1;
            let last = branch.latest_event(self.id).map_or(0, |id| i64::from(id.get()));
            let steps = (last - first).div_euclid(step) + 1;
            world.seen.count("given an id");
            return EventId::new(first + step * steps.max(0)).ok();
        }
        self.last_event += 1;
        EventId::new(self.last_event).ok()
    }

    /// The branch that it waits for forgets who waits.
    pub(crate) fn loses_answer_of(&mut self, at: usize, world: &mut World) {
        if let Some(awaited) = self.awaited.filter(|awaited| awaited.at == at) {
            self.gives_up(awaited, world);
        }
    }

    fn gives_up(&mut self, awaited: Awaited, world: &mut World) {
        self.awaited = None;
        world.judged.gives_up(awaited.ticket, world.now);
        self.ask_again(awaited);
    }

    fn ask_again(&mut self, Awaited { operation, event, .. }: Awaited) {
        if let (Operation::Write(write), Kind::Careful | Kind::Careless) = (operation, self.kind) {
            self.open = Some((event, write));
        }
    }

    pub(crate) fn hear(
        &mut self,
        at: usize,
        reply: &Reply,
        world: &mut World,
    ) -> Result<(), Fault> {
        let awaited = self.awaited.take().unwrap();
        if self.kind == Kind::Careful {
            self.passbook.enter(&reply.entry, &world.roster);
        }
        let id = WriteId { customer: self.id, event: awaited.event };
        match &reply.outcome {
            Ok(Receipt::Written) => {
                world.seen.count("written");
                self.open = None;
                self.owed.insert(id);
                Ok(())
            }
            Ok(Receipt::Balance(_)) => {
                world.seen.count("read");
                self.reads(at, reply.position, world)
            }
            Err(RequestError::WritesLost { .. }) => {
                world.seen.count("loss told");
                self.is_told_of_a_loss(reply, world)
            }
            Err(RequestError::OutcomeUnknown { .. }) => {
                world.seen.count("outcome unknown");
                self.ask_again(awaited);
                Ok(())
            }
            Err(RequestError::VersionNotReached { .. }) => {
                world.seen.count("waited in vain");
                self.ask_again(awaited);
                Ok(())
            }
            Err(RequestError::Returning { .. }) => {
                world.seen.count("returning told");
                self.ask_again(awaited);
                Ok(())
            }
            // Its own later write came first, which it made when it was told of a loss.
            Err(RequestError::Refused(Refusal::OutOfOrder { .. }))
                if self.kind != Kind::Careful =>
            {
                self.open = None;
                Ok(())
            }
            Err(error) => Err(format!("customer {} was told: {error}", self.id)),
        }
    }

    /// When all is well again no session waits: each is answered at any branch at once, or is told
    /// once of what it lost.
    pub(crate) fn goes_on(&mut self, world: &mut World) -> Result<(), Fault> {
        if let Some(awaited) = self.awaited {
            return Err(format!("customer {} waits for ever: {awaited:?}", self.id));
        }
        self.open = None;
        for may_be_told in [true, false] {
            let at = world.below(world.nodes.len());
            self.last_event += 1;
            let event = EventId::new(self.last_event).unwrap();
            let (passbook, guarantees) = (self.passbook.clone(), Guarantees::ALL);
            let session = Some(Session { passbook, guarantees });
            let (ticket, customer, operation) = (world.ticket(), self.id, Operation::Query);
            let request = Request { ticket, customer, event, operation, session };
            world.tell(at, Input::Requested(request))?;
            let reply = world.last_reply().ok_or("a session is not answered")?;
            match &reply.outcome {
                Ok(_) => self.reads(at, reply.position, world)?,
                Err(RequestError::WritesLost { .. }) if may_be_told => {
                    self.passbook.enter(&reply.entry, &world.roster);
                    self.is_told_of_a_loss(&reply, world)?;
                }
                Err(error) => return Err(format!("customer {} was told: {error}", self.id)),
            }
        }
        Ok(())
    }

    fn reads(&mut self, at: usize, seen: LogPosition, world: &World) -> Result<(), Fault> {
        if self.kind != Kind::Careful {
            return Ok(());
        }
        let held = world.held(at, seen);
        if let Some(missing) = self.owed.difference(&held).next() {
            return Err(format!("customer {} read without {missing}, and was not told", self.id));
        }
        self.owed = held;
        Ok(())
    }

    /// What it is told to be lost is held by nobody; what somebody holds it is owed still. It goes on
    /// with another write.
    fn is_told_of_a_loss(&mut self, reply: &Reply, world: &mut World) -> Result<(), Fault> {
        let Entry::Lost(last) = &reply.entry else {
            return Err("a loss that leaves the passbook as it was".to_owned());
        };
        for dot in last {
            let origin = world.roster.origin(*dot).unwrap();
            let held = world.nodes.iter().map(|node| node.branch.version().get(origin)).max();
            if held > Some(dot.sequence) {
                return Err(format!("customer {} was told that {dot:?} is the last", self.id));
            }
        }
        let held: BTreeSet<WriteId> = (0..world.nodes.len())
            .flat_map(|at| world.held(at, world.nodes[at].branch.position()))
            .collect();
        self.owed.retain(|id| held.contains(id) && world.known.was_accepted_once(*id));
        self.open = None;
        world.judged.begins_anew(self.id);
        Ok(())
    }
}

fn deposit(minor: i64) -> Write {
    Write::deposit(Amount::try_from(Money::from_minor(minor)).unwrap())
}
