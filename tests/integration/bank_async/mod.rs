//! The pure bank with async propagation: what each guarantee makes wait, where, and for what.

mod ids;

use std::time::Duration;

use crate::support::parts::{branch, customer, deposit, event, roster, withdraw};
use passbook::bank::{
    Branch, BranchConfig, Effect, Input, LifeList, Passbook, PeerMessage, Reply, Request, Session,
    Ticket, Timeouts,
};
use passbook::model::{
    BranchId, Durability, Event, Guarantee, Guarantees, Lag, Life, Money, NotReached, Operation,
    Outcome, Overdraft, Propagation, Receipt, RequestError, Sequence, Time, Waited, WriteId,
};

const WAIT_LIMIT: Duration = Duration::from_millis(50);

/// Three branches and the messages between them; the test says which message arrives next.
struct Net {
    branches: Vec<Branch>,
    wires: Vec<(BranchId, BranchId, PeerMessage)>,
    replies: Vec<Reply>,
    waited: Vec<(Ticket, Waited)>,
    clashes: Vec<WriteId>,
    now: Time,
}

impl Net {
    fn new(propagation: Propagation, timeouts: Timeouts) -> Self {
        let roster = roster(3);
        let config = BranchConfig {
            propagation,
            overdraft: Overdraft::Allow,
            timeouts,
            durability: Durability::Memory,
            log_max: None,
            kept_max: None,
        };
        let open = |&id| Branch::new(id, roster.clone(), Money::ZERO, config);
        Self {
            branches: roster.ids().iter().map(open).collect(),
            wires: Vec::new(),
            replies: Vec::new(),
            waited: Vec::new(),
            clashes: Vec::new(),
            now: Time::START,
        }
    }

    fn lagging() -> Self {
        let timeouts = Timeouts { wait_limit: Some(WAIT_LIMIT), ..Timeouts::default() };
        Self::new(Propagation::Async, timeouts)
    }

    fn at(&mut self, id: BranchId) -> &mut Branch {
        self.branches.iter_mut().find(|branch| branch.id() == id).expect("it is a branch")
    }

    fn tell(&mut self, at: BranchId, input: Input) {
        let mut effects = Vec::new();
        let now = self.now;
        self.at(at).handle(now, input, &mut effects);
        for effect in effects {
            match effect {
                Effect::Reply(reply) => self.replies.push(reply),
                Effect::Waited { ticket, waited } => self.waited.push((ticket, waited)),
                Effect::Send { to, message } => self.wires.push((at, to, message)),
                Effect::Broadcast(write) => {
                    let others = self.branches.iter().map(Branch::id).filter(|&to| to != at);
                    let message = PeerMessage::Propagate(write);
                    self.wires.extend(others.map(|to| (at, to, message.clone())));
                }
                Effect::Settled(_) | Effect::Compared { .. } | Effect::Applied(_) => {}
                Effect::IdClash(write) => self.clashes.push(write.id),
                Effect::Conflict(_)
                | Effect::Persist(_)
                | Effect::Lives(_)
                | Effect::Closed
                | Effect::Ended(_) => {
                    panic!("nobody lost its memory: {effect:?}")
                }
            }
        }
    }

    fn ask(&mut self, ticket: u64, who: &Visitor, event: Event) {
        let Event { id, branch, operation } = event;
        let session = Some(who.session.clone());
        let (ticket, customer) = (Ticket(ticket), customer(who.id));
        self.tell(
            branch,
            Input::Requested(Request { ticket, customer, event: id, operation, session }),
        );
    }

    /// Lets everything through that goes from the one to the other.
    fn deliver(&mut self, from: u32, to: u32) {
        let is_meant = |wire: &(BranchId, BranchId, PeerMessage)| {
            (wire.0, wire.1) == (branch(from), branch(to))
        };
        while let Some(place) = self.wires.iter().position(is_meant) {
            self.deliver_at(place);
        }
    }

    fn deliver_at(&mut self, place: usize) {
        let (from, to, message) = self.wires.remove(place);
        self.tell(to, Input::FromPeer { from, lives: LifeList::of_first_lives(), message });
    }

    fn deliver_all(&mut self) {
        while !self.wires.is_empty() {
            self.deliver_at(0);
        }
    }

    fn wait(&mut self, span: Duration) {
        self.now = self.now.after(span);
        for id in self.branches.iter().map(Branch::id).collect::<Vec<_>>() {
            self.tell(id, Input::DeadlineReached);
        }
    }

    fn reply(&self, ticket: u64) -> Option<&Reply> {
        self.replies.iter().find(|reply| reply.ticket == Ticket(ticket))
    }

    fn outcome(&self, ticket: u64) -> Option<Outcome> {
        self.reply(ticket).map(|reply| reply.outcome.clone())
    }

    /// How many writes the branch holds.
    fn held(&self, id: u32) -> usize {
        let held = self.branches.iter().find(|held| held.id() == branch(id));
        held.expect("it is a branch").log().len()
    }
}

/// A customer with its passbook.
struct Visitor {
    id: u32,
    session: Session,
}

impl Visitor {
    fn new(id: u32, promised: &[Guarantee]) -> Self {
        let guarantees = promised.iter().fold(Guarantees::NONE, |set, &one| set.with(one));
        Self { id, session: Session { passbook: Passbook::new(&roster(3)), guarantees } }
    }

    /// Enters what the reply says.
    fn enter(&mut self, net: &Net, ticket: u64) {
        let reply = net.reply(ticket).expect("a reply");
        self.session.passbook.enter(&reply.entry, &roster(3));
    }
}

fn lag(origin: u32, needed: u32, here: u32) -> Lag {
    let (needed, here) = (Sequence::new(needed), Sequence::new(here));
    Lag { origin: branch(origin), life: Life::FIRST, needed, here }
}

fn not_reached(lag: Lag) -> Option<Outcome> {
    let missing = NotReached { lags: vec![lag], ..NotReached::default() };
    Some(Err(missing.into()))
}

const fn balance(minor: i64) -> Option<Outcome> {
    Some(Ok(Receipt::Balance(Money::from_minor(minor))))
}

#[test]
fn a_write_is_answered_before_any_other_branch_has_it() {
    let mut net = Net::lagging();
    net.ask(0, &Visitor::new(1, &[]), event(1, 1, deposit(400)));
    assert_eq!(net.outcome(0), Some(Ok(Receipt::Written)));
    assert_eq!([net.held(1), net.held(2), net.held(3)], [1, 0, 0]);
}

#[test]
fn a_read_at_a_lagging_branch_waits_for_my_deposit() {
    let mut net = Net::lagging();
    let mut me = Visitor::new(1, &[Guarantee::ReadYourWrites]);
    net.ask(0, &me, event(1, 1, deposit(400)));
    me.enter(&net, 0);
    net.ask(1, &me, event(2, 2, Operation::Query));
    assert_eq!(net.outcome(1), None);
    net.now = net.now.after(Duration::from_millis(7));
    net.deliver(1, 2);
    assert_eq!(net.outcome(1), balance(400));
    let waited = Waited { span: Duration::from_millis(7), lags: vec![lag(1, 1, 0)] };
    assert_eq!(net.waited, [(Ticket(1), waited)]);
}

#[test]
fn a_read_that_is_promised_nothing_does_not_wait() {
    let mut net = Net::lagging();
    let mut me = Visitor::new(1, &[Guarantee::MonotonicWrites, Guarantee::WritesFollowReads]);
    net.ask(0, &me, event(1, 1, deposit(400)));
    me.enter(&net, 0);
    net.ask(1, &me, event(2, 2, Operation::Query));
    assert_eq!(net.outcome(1), balance(0));
    assert_eq!(net.waited, []);
}

#[test]
fn a_read_waits_for_what_my_reads_have_seen_of_others() {
    let mut net = Net::lagging();
    net.ask(0, &Visitor::new(1, &[]), event(1, 1, deposit(400)));
    let mut me = Visitor::new(2, &[Guarantee::MonotonicReads]);
    net.ask(1, &me, event(1, 1, Operation::Query));
    me.enter(&net, 1);
    net.ask(2, &me, event(2, 2, Operation::Query));
    assert_eq!(net.outcome(2), None);
    net.deliver(1, 2);
    assert_eq!(net.outcome(2), balance(400));
}

#[test]
fn past_the_wait_limit_a_read_fails_and_says_what_is_needed_and_what_is_here() {
    let mut net = Net::lagging();
    let mut me = Visitor::new(1, &[Guarantee::ReadYourWrites]);
    for id in 1..=3 {
        net.ask(u64::from(id), &me, event(id, 1, deposit(400)));
        me.enter(&net, u64::from(id));
    }
    let (from, to, first) = net.wires.remove(0);
    assert_eq!((from, to), (branch(1), branch(2)));
    net.tell(to, Input::FromPeer { from, lives: LifeList::of_first_lives(), message: first });
    net.ask(9, &me, event(4, 2, Operation::Query));
    net.wait(WAIT_LIMIT - Duration::from_micros(1));
    assert_eq!(net.outcome(9), None);
    net.wait(Duration::from_micros(1));
    assert_eq!(net.outcome(9), not_reached(lag(1, 3, 1)));
    let waited = Waited { span: WAIT_LIMIT, lags: vec![lag(1, 3, 1)] };
    assert_eq!(net.waited, [(Ticket(9), waited)]);
    net.deliver(1, 2);
    assert_eq!(net.replies.len(), 4, "what ran out of time is not answered a second time");
}

#[test]
fn a_write_waits_at_every_branch_for_my_writes_before_it() {
    let mut net = Net::lagging();
    let mut me = Visitor::new(1, &[Guarantee::MonotonicWrites]);
    net.ask(0, &me, event(1, 1, deposit(400)));
    me.enter(&net, 0);
    net.ask(1, &me, event(2, 2, withdraw(400)));
    assert_eq!(net.outcome(1), None, "branch 2 has not the deposit");
    net.deliver(1, 2);
    assert_eq!(net.outcome(1), Some(Ok(Receipt::Written)));
    net.deliver(2, 3);
    assert_eq!(net.held(3), 0, "branch 3 has the withdrawal, and keeps it until the deposit comes");
    net.deliver(1, 3);
    assert_eq!(net.held(3), 2);
    let order: Vec<u32> = net.at(branch(3)).log().map(|entry| entry.id.event.get()).collect();
    assert_eq!(order, [1, 2]);
}

#[test]
fn a_write_waits_at_every_branch_for_what_my_reads_saw() {
    let mut net = Net::lagging();
    net.ask(0, &Visitor::new(1, &[]), event(1, 1, deposit(400)));
    net.deliver(1, 2);
    let mut me = Visitor::new(2, &[Guarantee::WritesFollowReads]);
    net.ask(1, &me, event(1, 2, Operation::Query));
    me.enter(&net, 1);
    net.ask(2, &me, event(2, 2, withdraw(400)));
    assert_eq!(net.outcome(2), Some(Ok(Receipt::Written)), "what was seen is here");
    net.deliver(2, 3);
    assert_eq!(net.held(3), 0);
    net.deliver(1, 3);
    assert_eq!(net.held(3), 2);
}

#[test]
fn a_write_that_is_promised_nothing_overtakes() {
    let mut net = Net::lagging();
    let mut me = Visitor::new(1, &[Guarantee::ReadYourWrites, Guarantee::MonotonicReads]);
    net.ask(0, &me, event(1, 1, deposit(400)));
    me.enter(&net, 0);
    net.ask(1, &me, event(2, 2, withdraw(400)));
    assert_eq!(net.outcome(1), Some(Ok(Receipt::Written)));
    net.deliver(2, 3);
    assert_eq!(net.held(3), 1);
}

#[test]
fn the_first_writes_of_a_branch_come_before_its_later_ones_whatever_is_promised() {
    let mut net = Net::lagging();
    let me = Visitor::new(1, &[]);
    net.ask(0, &me, event(1, 1, deposit(1)));
    net.ask(1, &me, event(2, 1, deposit(2)));
    let later = net.wires.pop().expect("the second write to branch 3");
    assert_eq!(later.1, branch(3));
    net.tell(
        branch(3),
        Input::FromPeer { from: branch(1), lives: LifeList::of_first_lives(), message: later.2 },
    );
    assert_eq!(net.held(3), 0);
    net.deliver(1, 3);
    assert_eq!(net.held(3), 2);
}

#[test]
fn a_branch_that_was_away_catches_up_and_serves_who_waited() {
    let mut net = Net::lagging();
    let mut me = Visitor::new(1, &[Guarantee::ReadYourWrites]);
    for id in 1..=2 {
        net.ask(u64::from(id), &me, event(id, id, deposit(100)));
        me.enter(&net, u64::from(id));
        net.deliver(1, 2);
    }
    net.wires.clear();
    net.ask(9, &me, event(3, 3, Operation::Query));
    assert_eq!(net.outcome(9), None);
    net.tell(branch(3), Input::InReach(branch(2)));
    net.deliver(3, 2);
    net.deliver(2, 3);
    assert_eq!(net.outcome(9), balance(200), "branch 2 had all, its own and branch 1's");
}

#[test]
fn a_passbook_covers_a_write_whose_outcome_is_unknown() {
    let limit = Duration::from_millis(5);
    let timeouts = Timeouts {
        confirm_limit: Some(limit),
        wait_limit: Some(WAIT_LIMIT),
        ..Timeouts::default()
    };
    let mut net = Net::new(Propagation::Sync, timeouts);
    let mut me = Visitor::new(1, &[Guarantee::ReadYourWrites]);
    net.ask(0, &me, event(1, 1, deposit(400)));
    net.wait(limit);
    let unconfirmed_by = vec![branch(2), branch(3)];
    assert_eq!(net.outcome(0), Some(Err(RequestError::OutcomeUnknown { unconfirmed_by, more: 0 })));
    me.enter(&net, 0);
    net.ask(1, &me, event(2, 2, Operation::Query));
    assert_eq!(net.outcome(1), None, "it may have taken effect, so the read waits for it");
    net.deliver(1, 2);
    assert_eq!(net.outcome(1), balance(400));
}

#[test]
fn a_refused_or_unserved_request_leaves_the_passbook_as_it_was() {
    let mut net = Net::lagging();
    let mut me = Visitor::new(1, &[Guarantee::ReadYourWrites]);
    net.ask(0, &me, event(1, 1, deposit(400)));
    me.enter(&net, 0);
    let before = me.session.passbook.clone();
    net.ask(1, &me, event(1, 1, deposit(500)));
    net.ask(2, &me, event(2, 2, Operation::Query));
    net.wait(WAIT_LIMIT);
    for ticket in [1, 2] {
        assert!(net.outcome(ticket).is_some_and(|outcome| outcome.is_err()), "{ticket}");
        me.enter(&net, ticket);
    }
    assert_eq!(me.session.passbook, before);
}

#[test]
fn a_request_that_waits_when_the_bank_closes_is_told_what_is_missing_and_leaves_nothing_behind() {
    let mut net = Net::lagging();
    let mut me = Visitor::new(1, &[Guarantee::ReadYourWrites, Guarantee::MonotonicWrites]);
    net.ask(0, &me, event(1, 1, deposit(400)));
    me.enter(&net, 0);
    net.ask(1, &me, event(2, 2, Operation::Query));
    net.ask(2, &me, event(3, 2, deposit(1)));
    net.tell(branch(2), Input::Closing);
    let missing = not_reached(lag(1, 1, 0));
    assert_eq!((net.outcome(1), net.outcome(2)), (missing.clone(), missing.clone()));
    net.ask(3, &me, event(3, 2, Operation::Query));
    net.wait(Duration::ZERO);
    assert_eq!(net.outcome(3), missing);
    net.deliver_all();
    assert_eq!(net.at(branch(2)).balance(), Some(Money::from_minor(400)), "nothing was done");
}
