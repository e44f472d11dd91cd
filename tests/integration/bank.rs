//! The pure bank on a network that loses, doubles and reorders messages.

use std::time::Duration;

use crate::support::parts::{branch, customer, deposit, event, event_id, roster, withdraw};
use passbook::bank::{
    Branch, BranchConfig, Effect, Input, LifeList, PeerMessage, Reply, Request, Ticket, Timeouts,
};
use passbook::model::{
    BranchId, Durability, Event, Money, Operation, Overdraft, Propagation, Receipt, Refusal,
    RequestError, Time,
};
use proptest::prelude::*;

const RESEND_AFTER: Duration = Duration::from_millis(10);
const CONFIRM_LIMIT: Duration = Duration::from_millis(100);

/// Branches and the messages between them; the test says which message arrives next.
struct Net {
    branches: Vec<Branch>,
    wires: Vec<(BranchId, BranchId, PeerMessage)>,
    replies: Vec<Reply>,
    settled: Vec<Ticket>,
    agreements: Vec<bool>,
    now: Time,
}

impl Net {
    fn new(branches: u32, overdraft: Overdraft) -> Self {
        let roster = roster(branches);
        let timeouts = Timeouts {
            confirm_limit: Some(CONFIRM_LIMIT),
            resend_after: Some(RESEND_AFTER),
            wait_limit: None,
            return_limit: None,
        };
        let propagation = Propagation::Sync;
        let config = BranchConfig {
            propagation,
            overdraft,
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
            settled: Vec::new(),
            agreements: Vec::new(),
            now: Time::START,
        }
    }

    fn tell(&mut self, at: BranchId, input: Input) {
        let place =
            self.branches.iter().position(|branch| branch.id() == at).expect("it is a branch");
        let mut effects = Vec::new();
        self.branches[place].handle(self.now, input, &mut effects);
        for effect in effects {
            match effect {
                Effect::Reply(reply) => self.replies.push(reply),
                Effect::Settled(ticket) => self.settled.push(ticket),
                Effect::Send { to, message } => self.wires.push((at, to, message)),
                Effect::Broadcast(write) => {
                    let others = self.branches.iter().map(Branch::id).filter(|&to| to != at);
                    let message = PeerMessage::Propagate(write);
                    self.wires.extend(others.map(|to| (at, to, message.clone())));
                }
                Effect::Compared { agrees, .. } => self.agreements.push(agrees),
                Effect::Applied(_) | Effect::Waited { .. } => {}
                Effect::Conflict(_)
                | Effect::Persist(_)
                | Effect::Lives(_)
                | Effect::Closed
                | Effect::Ended(_) => {
                    panic!("nobody lost its memory: {effect:?}")
                }
                Effect::IdClash(write) => panic!("sync propagation lets no id clash: {write:?}"),
            }
        }
    }

    fn ask(&mut self, ticket: u64, who: u32, event: Event) {
        let Event { id, branch, operation } = event;
        let ticket = Ticket(ticket);
        let request =
            Request { ticket, customer: customer(who), event: id, operation, session: None };
        self.tell(branch, Input::Requested(request));
    }

    fn deliver(&mut self, place: usize) {
        let (from, to, message) = self.wires.remove(place);
        self.tell(to, Input::FromPeer { from, lives: LifeList::of_first_lives(), message });
    }

    fn deliver_all(&mut self) {
        while !self.wires.is_empty() {
            self.deliver(0);
        }
    }

    fn wait(&mut self, span: Duration) {
        self.now = self.now.after(span);
        for id in self.branches.iter().map(Branch::id).collect::<Vec<_>>() {
            self.tell(id, Input::DeadlineReached);
        }
    }

    fn outcomes(&self) -> Vec<(u64, Result<Receipt, RequestError>)> {
        self.replies.iter().map(|reply| (reply.ticket.0, reply.outcome.clone())).collect()
    }
}

fn refused(refusal: Refusal) -> Result<Receipt, RequestError> {
    Err(RequestError::Refused(refusal))
}

#[test]
fn a_write_is_answered_when_the_last_branch_confirms_it() {
    let mut net = Net::new(3, Overdraft::Allow);
    net.ask(0, 1, event(1, 1, deposit(400)));
    assert_eq!(net.wires.len(), 2);
    net.deliver(0);
    net.deliver(0);
    net.deliver(0);
    assert_eq!(net.outcomes(), [], "one branch has not confirmed yet");
    net.deliver_all();
    assert_eq!(net.outcomes(), [(0, Ok(Receipt::Written))]);
    assert_eq!(net.replies[0].balance, Money::from_minor(400));
}

#[test]
fn a_branch_out_of_reach_makes_the_outcome_unknown_and_gets_the_write_later() {
    let mut net = Net::new(3, Overdraft::Allow);
    net.ask(0, 1, event(1, 1, deposit(400)));
    net.wires.retain(|&(_, to, _)| to != branch(3));
    net.deliver_all();
    net.wait(CONFIRM_LIMIT);
    let unknown = RequestError::OutcomeUnknown { unconfirmed_by: vec![branch(3)], more: 0 };
    assert_eq!(net.outcomes(), [(0, Err(unknown))]);
    assert_eq!(net.branches[0].balance(), Some(Money::from_minor(400)), "it stays applied");
    net.deliver_all();
    assert_eq!(net.branches[2].balance(), Some(Money::from_minor(400)), "it was sent again");
}

#[test]
fn a_bank_that_closes_answers_who_waits_and_makes_nobody_wait_any_more() {
    let mut net = Net::new(3, Overdraft::Allow);
    net.ask(0, 1, event(1, 1, deposit(400)));
    net.wires.retain(|&(_, to, _)| to == branch(2));
    net.deliver_all();
    net.ask(1, 2, event(1, 1, deposit(1)));
    net.tell(branch(1), Input::Closing);
    let unknown = |ids: &[u32]| {
        let unconfirmed_by = ids.iter().copied().map(branch).collect();
        Err(RequestError::OutcomeUnknown { unconfirmed_by, more: 0 })
    };
    assert_eq!(net.outcomes(), [(0, unknown(&[3])), (1, unknown(&[2, 3]))]);
    net.ask(2, 1, event(2, 1, deposit(1)));
    net.wait(Duration::ZERO);
    assert_eq!(net.outcomes()[2..], [(2, unknown(&[2, 3]))]);
    net.deliver_all();
    net.wait(CONFIRM_LIMIT);
    assert_eq!(net.replies.len(), 3, "each is answered once");
}

#[test]
fn a_retry_gets_the_first_result_again_and_is_applied_once() {
    let mut net = Net::new(2, Overdraft::Allow);
    net.ask(0, 1, event(1, 1, deposit(400)));
    net.ask(1, 1, event(1, 1, deposit(400)));
    net.deliver_all();
    net.ask(2, 1, event(1, 1, deposit(400)));
    assert_eq!(net.outcomes(), [0, 1, 2].map(|ticket| (ticket, Ok(Receipt::Written))));
    assert_eq!(net.branches[0].log().len(), 1);
}

#[test]
fn a_retry_at_another_branch_is_answered_only_when_all_branches_have_the_write() {
    let mut net = Net::new(3, Overdraft::Allow);
    net.ask(0, 1, event(1, 1, deposit(400)));
    net.deliver(0);
    net.wires.clear();
    net.ask(1, 1, event(1, 2, deposit(400)));
    assert_eq!(net.outcomes(), [], "branch 3 does not have it");
    net.deliver_all();
    assert_eq!(net.outcomes(), [(1, Ok(Receipt::Written))]);
    assert!(net.branches.iter().all(|branch| branch.log().len() == 1));
}

#[test]
fn an_event_id_names_one_write_for_ever() {
    let mut net = Net::new(1, Overdraft::Allow);
    net.ask(0, 1, event(2, 1, deposit(400)));
    net.ask(1, 1, event(2, 1, deposit(500)));
    net.ask(2, 1, event(1, 1, deposit(400)));
    net.ask(3, 1, event(2, 1, Operation::Query));
    let Operation::Write(first) = deposit(400) else { panic!("a deposit is a write") };
    let latest = event_id(2);
    assert_eq!(
        net.outcomes(),
        [
            (0, Ok(Receipt::Written)),
            (1, refused(Refusal::EventReused { first })),
            (2, refused(Refusal::OutOfOrder { latest })),
            (3, Ok(Receipt::Balance(Money::from_minor(400)))),
        ]
    );
}

#[test]
fn an_overdraft_is_refused_where_the_policy_says_so_and_stays_refused() {
    let mut net = Net::new(1, Overdraft::Reject);
    let (balance, requested) = (Money::ZERO, Money::from_minor(400));
    net.ask(0, 1, event(1, 1, withdraw(400)));
    net.ask(1, 2, event(1, 1, deposit(1000)));
    net.ask(2, 1, event(1, 1, withdraw(400)));
    net.ask(3, 1, event(2, 1, withdraw(400)));
    assert_eq!(
        net.outcomes(),
        [
            (0, refused(Refusal::InsufficientFunds { balance, requested })),
            (1, Ok(Receipt::Written)),
            (2, refused(Refusal::InsufficientFunds { balance, requested })),
            (3, Ok(Receipt::Written)),
        ]
    );
}

/// A thousand refusals of one customer are remembered, those with the highest ids.
#[test]
fn a_refusal_that_is_forgotten_is_decided_anew() {
    let mut net = Net::new(1, Overdraft::Reject);
    let ask = |net: &mut Net, id: u32| {
        net.replies.clear();
        net.ask(0, 1, event(id, 1, withdraw(400)));
        net.outcomes()[0].1.clone()
    };
    let (balance, requested) = (Money::ZERO, Money::from_minor(400));
    let insufficient = refused(Refusal::InsufficientFunds { balance, requested });
    for id in 1..=1001 {
        assert_eq!(ask(&mut net, id), insufficient);
    }
    net.ask(1, 2, event(1, 1, deposit(1000)));
    assert_eq!(ask(&mut net, 2), insufficient);
    assert_eq!(ask(&mut net, 1001), insufficient);
    assert_eq!(ask(&mut net, 1), Ok(Receipt::Written));
    assert_eq!(net.branches[0].latest_event(customer(1)), Some(event_id(1001)));
}

#[test]
fn a_balance_has_an_end_and_a_write_past_it_is_refused() {
    let mut net = Net::new(1, Overdraft::Allow);
    net.ask(0, 1, event(1, 1, deposit(i64::MAX)));
    net.ask(1, 1, event(2, 1, deposit(1)));
    let balance = Money::from_minor(i64::MAX);
    assert_eq!(
        net.outcomes(),
        [(0, Ok(Receipt::Written)), (1, refused(Refusal::BalanceOutOfRange { balance }))]
    );
}

#[test]
fn a_write_that_comes_before_its_predecessor_waits_for_it() {
    let mut net = Net::new(2, Overdraft::Allow);
    net.ask(0, 1, event(1, 1, deposit(1)));
    net.ask(1, 2, event(1, 1, deposit(2)));
    net.deliver(1);
    assert_eq!(net.branches[1].log().len(), 0);
    net.deliver_all();
    let order: Vec<_> = net.branches[1].log().map(|entry| entry.id.customer).collect();
    assert_eq!(order, [customer(1), customer(2)]);
    assert_eq!(net.replies.len(), 2);
}

#[test]
fn write_sets_in_another_order_do_not_count_as_agreement() {
    // One customer writes at two branches at once, which a careful customer never does.
    let mut net = Net::new(2, Overdraft::Allow);
    net.ask(0, 1, event(1, 1, deposit(1)));
    net.ask(1, 1, event(2, 2, deposit(2)));
    net.deliver_all();
    assert_eq!(net.agreements, [false, false]);
    let unknown =
        |id| Err(RequestError::OutcomeUnknown { unconfirmed_by: vec![branch(id)], more: 0 });
    assert_eq!(net.outcomes(), [(0, unknown(2)), (1, unknown(1))]);
}

#[test]
fn whoever_waits_for_settling_is_told_when_what_was_accepted_so_far_is_confirmed() {
    let mut net = Net::new(2, Overdraft::Allow);
    net.tell(branch(1), Input::SettleRequested(Ticket(7)));
    assert_eq!(net.settled, [Ticket(7)]);
    net.ask(0, 1, event(1, 1, deposit(1)));
    net.tell(branch(1), Input::SettleRequested(Ticket(8)));
    net.ask(1, 2, event(1, 1, deposit(1)));
    net.deliver(0);
    assert_eq!(net.settled, [Ticket(7)]);
    net.deliver(1);
    assert_eq!(net.settled, [Ticket(7), Ticket(8)], "the later write is not waited for");
}

#[derive(Debug, Clone)]
enum Step {
    Ask { who: u32, at: u32, again: bool, operation: Operation },
    Deliver(prop::sample::Index),
    Lose(prop::sample::Index),
    Double(prop::sample::Index),
    Wait,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let operation = prop_oneof![
        3 => (1i64..500).prop_map(deposit),
        3 => (1i64..500).prop_map(withdraw),
        1 => Just(Operation::Query),
    ];
    let ask = (1u32..=3, 1u32..=4, prop::bool::weighted(0.2), operation)
        .prop_map(|(who, at, again, operation)| Step::Ask { who, at, again, operation });
    let step = prop_oneof![
        3 => ask,
        8 => any::<prop::sample::Index>().prop_map(Step::Deliver),
        1 => any::<prop::sample::Index>().prop_map(Step::Lose),
        1 => any::<prop::sample::Index>().prop_map(Step::Double),
        1 => Just(Step::Wait),
    ];
    prop::collection::vec(step, 0..300)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whatever_the_network_does_all_branches_end_with_the_same_writes(
        steps in steps(),
        overdraft in prop_oneof![Just(Overdraft::Allow), Just(Overdraft::Reject)],
    ) {
        let mut net = Net::new(4, overdraft);
        let mut asked = Vec::<(u32, Event)>::new();
        for step in steps {
            match step {
                Step::Ask { who, at, again, operation } => {
                    let last = asked.iter().rev().find(|&&(by, _)| by == who).map(|&(_, last)| last);
                    let next = match last {
                        Some(last) if again => Event { branch: branch(at), ..last },
                        // A customer keeps to one branch, so that its writes stay in order there.
                        Some(last) => event(last.id.get() + 1, who, operation),
                        None => event(1, who, operation),
                    };
                    // To send a write again is safe anywhere once it is applied there.
                    let known = net.branches[usize::try_from(next.branch.get() - 1).unwrap()]
                        .write_set(customer(who))
                        .contains(&next.id);
                    if next.branch == branch(who) || known {
                        asked.push((who, next));
                        net.ask(u64::try_from(asked.len() - 1).unwrap(), who, next);
                    }
                }
                Step::Deliver(at) if !net.wires.is_empty() => {
                    let place = at.index(net.wires.len());
                    net.deliver(place);
                }
                Step::Lose(at) if !net.wires.is_empty() => {
                    let place = at.index(net.wires.len());
                    net.wires.remove(place);
                }
                Step::Double(at) if !net.wires.is_empty() => {
                    let copy = net.wires[at.index(net.wires.len())].clone();
                    net.wires.push(copy);
                }
                Step::Wait => net.wait(RESEND_AFTER),
                Step::Deliver(_) | Step::Lose(_) | Step::Double(_) => {}
            }
        }
        for _ in 0..3 {
            net.deliver_all();
            net.wait(CONFIRM_LIMIT);
        }
        prop_assert_eq!(net.replies.len(), asked.len(), "every request is answered once");
        let mut writes: Vec<_> = net.branches[0].log().map(|entry| (entry.id, entry.write)).collect();
        writes.sort();
        let total: i64 = writes.iter().map(|(_, write)| write.delta().minor()).sum();
        for branch in &net.branches {
            let mut here: Vec<_> = branch.log().map(|entry| (entry.id, entry.write)).collect();
            here.sort();
            prop_assert_eq!(&here, &writes);
            prop_assert_eq!(branch.balance(), Some(Money::from_minor(total)));
            prop_assert_eq!(branch.version(), net.branches[0].version());
        }
        for reply in &net.replies {
            let (who, event) = asked[usize::try_from(reply.ticket.0).unwrap()];
            if reply.outcome == Ok(Receipt::Written) {
                prop_assert!(writes.iter().any(|(id, _)| id.customer == customer(who) && id.event == event.id));
            }
        }
    }
}
