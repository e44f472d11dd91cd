//! A branch and a customer as every shell has them: what comes in, what is to be sent, and to whom.
//! Knows no actor.

use std::sync::Arc;

use passbook::bank::{
    Branch, BranchConfig, Effect, Input, PeerMessage, Reply, Request, Session, Ticket,
};
use passbook::model::{
    BranchId, CustomerId, Event, EventId, Guarantees, Money, Outcome, Roster, Time,
};
use passbook::{Passbook, Scenario};

/// The ticket of whoever waits for the bank to settle. Customers' are smaller.
const SETTLING: Ticket = Ticket(u64::MAX);

/// The upper half of a ticket says whose it is.
const TICKETS_OF_ONE: u64 = 1 << 32;

/// What a branch or a customer wants sent. Both are named by their places, from zero.
#[derive(Debug)]
pub(crate) enum Outgoing {
    ToBranch(usize, Input),
    ToCustomer(usize, Reply),
    /// All that this branch has accepted is applied everywhere.
    Settled,
}

/// A branch, and what it wants done translated into messages.
#[derive(Debug)]
pub(crate) struct Counter {
    branch: Branch,
    roster: Arc<Roster>,
    /// Kept between messages to spare an allocation each.
    effects: Vec<Effect>,
}

impl Counter {
    fn new(id: BranchId, scenario: &Scenario) -> Self {
        let propagation = scenario.settings.propagation.unwrap_or_default();
        let config = BranchConfig { propagation, ..BranchConfig::default() };
        let roster = Arc::clone(&scenario.roster);
        let branch = Branch::new(id, Arc::clone(&roster), scenario.opening_balance, config);
        Self { branch, roster, effects: Vec::new() }
    }

    /// The branches of a bank.
    pub(crate) fn all(scenario: &Scenario) -> impl Iterator<Item = Self> {
        scenario.roster.ids().iter().map(|&id| Self::new(id, scenario))
    }

    /// Hands `input` to the branch, and passes on what it wants sent. No branch of these banks has
    /// a deadline, so the time is always the same and there are no timers.
    pub(crate) fn take(&mut self, input: Input, mut send: impl FnMut(Outgoing)) {
        self.branch.handle(Time::START, input, &mut self.effects);
        let from = self.branch.id();
        for effect in self.effects.drain(..) {
            match effect {
                Effect::Reply(reply) => {
                    let customer = reply.ticket.0 / TICKETS_OF_ONE;
                    let customer = usize::try_from(customer).expect("a place of a customer");
                    send(Outgoing::ToCustomer(customer, reply));
                }
                Effect::Settled(_) => send(Outgoing::Settled),
                Effect::Broadcast(write) => {
                    for index in self.roster.indexes() {
                        if self.roster.id(index) != from {
                            let message = PeerMessage::Propagate(write.clone());
                            let lives = self.branch.lives().clone();
                            let input = Input::FromPeer { from, lives, message };
                            send(Outgoing::ToBranch(index.get(), input));
                        }
                    }
                }
                Effect::Send { to, message } => {
                    let to = self.roster.index(to).expect("branches know each other").get();
                    let lives = self.branch.lives().clone();
                    send(Outgoing::ToBranch(to, Input::FromPeer { from, lives, message }));
                }
                Effect::Waited { .. } | Effect::Applied(_) | Effect::Compared { .. } => {}
                Effect::Conflict(_)
                | Effect::IdClash(_)
                | Effect::Persist(_)
                | Effect::Lives(_)
                | Effect::Closed
                | Effect::Ended(_) => {
                    panic!("no write of these banks clashes, and no branch is lost: {effect:?}");
                }
            }
        }
    }

    /// What asks a branch to say when it has settled.
    pub(crate) const fn settle() -> Input {
        Input::SettleRequested(SETTLING)
    }
}

/// A customer, who asks for one thing after the other.
#[derive(Debug)]
pub(crate) struct Visitor {
    place: usize,
    id: CustomerId,
    roster: Arc<Roster>,
    session: Session,
    events: Vec<Event>,
    outcomes: Vec<Outcome>,
}

impl Visitor {
    /// The customers of a scenario in which each comes once.
    pub(crate) fn all(scenario: &Scenario) -> impl Iterator<Item = Self> {
        scenario.visits.iter().enumerate().map(|(place, visit)| Self {
            place,
            id: visit.customer,
            roster: Arc::clone(&scenario.roster),
            session: Session {
                passbook: Passbook::new(&scenario.roster),
                guarantees: Guarantees::ALL,
            },
            events: visit.events.clone(),
            outcomes: Vec::with_capacity(visit.events.len()),
        })
    }

    /// The next thing to ask, and of which branch.
    pub(crate) fn ask(&self) -> Option<(usize, Input)> {
        let number = self.outcomes.len();
        let &Event { id: event, branch, operation } = self.events.get(number)?;
        let place = |number: usize| u64::try_from(number).expect("a small number");
        let ticket = Ticket(place(self.place) * TICKETS_OF_ONE + place(number));
        let session = Some(self.session.clone());
        let request = Request { ticket, customer: self.id, event, operation, session };
        let to = self.roster.index(branch).expect("a branch of the scenario").get();
        Some((to, Input::Requested(request)))
    }

    /// Takes the answer to what was asked.
    pub(crate) fn hear(&mut self, reply: Reply) {
        self.session.passbook.enter(&reply.entry, &self.roster);
        self.outcomes.push(reply.outcome);
    }

    /// Where it stands among the customers.
    pub(crate) const fn place(&self) -> usize {
        self.place
    }
}

/// A bank that has closed.
#[derive(Debug, Default)]
pub(crate) struct Closed {
    pub(crate) counters: Vec<Counter>,
    pub(crate) visitors: Vec<Visitor>,
}

/// What must be the same whatever ran the bank. In which order branches apply the writes of
/// different customers is left to whatever runs them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    outcomes: Vec<Vec<Outcome>>,
    pub(crate) balances: Vec<Option<Money>>,
    /// Of each branch, what each customer wrote, in the order applied there.
    write_sets: Vec<Vec<Vec<EventId>>>,
}

impl Closed {
    /// What came of it.
    pub(crate) fn ended(mut self) -> Ended {
        self.counters.sort_by_key(|counter| counter.branch.id());
        self.visitors.sort_by_key(Visitor::place);
        let write_sets = |counter: &Counter| {
            self.visitors.iter().map(|visitor| counter.branch.write_set(visitor.id)).collect()
        };
        Ended {
            balances: self.counters.iter().map(|counter| counter.branch.balance()).collect(),
            write_sets: self.counters.iter().map(write_sets).collect(),
            outcomes: self.visitors.into_iter().map(|visitor| visitor.outcomes).collect(),
        }
    }
}
