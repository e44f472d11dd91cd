//! One event id at two branches that have not heard of each other: for one write, and for two.

use std::collections::BTreeSet;

use passbook::bank::{Branch, Input, PeerMessage, Timeouts};
use passbook::model::{
    Money, Operation, Propagation, Receipt, Refusal, RequestError, Write, WriteId,
};
use proptest::prelude::*;

use crate::bank_async::{Net, Visitor};
use crate::support::parts::{branch, customer, deposit, event, event_id};

#[test]
fn one_id_for_two_writes_at_two_branches_is_told_and_both_are_held_everywhere() {
    let mut net = Net::lagging();
    let careless = Visitor::new(1, &[]);
    net.ask(0, &careless, event(1, 1, deposit(800)));
    net.ask(1, &careless, event(1, 2, deposit(900)));
    for (from, to) in [(1, 2), (2, 1), (2, 3), (1, 3)] {
        net.deliver(from, to);
    }
    let id = WriteId { customer: customer(1), event: event_id(1) };
    assert_eq!(net.clashes, [id, id, id]);
    for at in &net.branches {
        assert_eq!(at.balance(), Some(Money::from_minor(1700)));
        assert_eq!(at.write_set(customer(1)), [event_id(1), event_id(1)]);
        assert_eq!(at.version(), net.branches[0].version());
    }
    // A retry of either is answered as that one, at every branch, and adds nothing.
    for (ticket, at, units) in [(2, 1, 800), (3, 1, 900), (4, 3, 800), (5, 2, 800)] {
        net.ask(ticket, &careless, event(1, at, deposit(units)));
        assert_eq!(net.outcome(ticket), Some(Ok(Receipt::Written)), "{units} at {at}");
    }
    net.ask(6, &careless, event(1, 3, deposit(700)));
    let Operation::Write(first) = deposit(900) else { panic!("a deposit is a write") };
    let refused = RequestError::Refused(Refusal::EventReused { first });
    assert_eq!(net.outcome(6), Some(Err(refused)), "900 came first to branch 3");
    assert_eq!([net.held(1), net.held(2), net.held(3)], [2, 2, 2]);
}

#[test]
fn branches_agree_on_an_id_of_two_writes_as_soon_as_both_hold_both() {
    let mut net = Net::new(Propagation::Sync, Timeouts::default());
    let careless = Visitor::new(1, &[]);
    net.ask(0, &careless, event(1, 1, deposit(800)));
    net.ask(1, &careless, event(1, 2, deposit(900)));
    // Branch 2 holds 900 and 800, and says so to branch 1, which has heard of 800 alone.
    net.deliver(1, 2);
    let (heard, late): (Vec<_>, _) = net.wires.drain(..).partition(|(from, _, message)| {
        *from == branch(1) || matches!(message, PeerMessage::Acknowledge(_))
    });
    net.wires = heard;
    for (from, to) in [(1, 3), (2, 1), (3, 1)] {
        net.deliver(from, to);
    }
    let unconfirmed_by = vec![branch(2)];
    assert_eq!(net.outcome(0), Some(Err(RequestError::OutcomeUnknown { unconfirmed_by, more: 0 })));
    net.wires.extend(late);
    for (from, to) in [(2, 1), (2, 3), (1, 2), (3, 2)] {
        net.deliver(from, to);
    }
    assert_eq!(net.outcome(1), Some(Ok(Receipt::Written)), "all hold both by now");
    net.ask(2, &careless, event(1, 1, deposit(800)));
    for (from, to) in [(1, 2), (1, 3), (2, 1), (3, 1)] {
        net.deliver(from, to);
    }
    assert_eq!(net.outcome(2), Some(Ok(Receipt::Written)));
    // What comes after it is agreed on too, though the two stand in another order.
    net.ask(3, &careless, event(2, 3, deposit(100)));
    for (from, to) in [(3, 1), (3, 2), (1, 3), (2, 3)] {
        net.deliver(from, to);
    }
    assert_eq!(net.outcome(3), Some(Ok(Receipt::Written)));
}

#[test]
fn one_write_sent_to_two_branches_counts_once_everywhere() {
    let mut net = Net::lagging();
    let me = Visitor::new(1, &[]);
    net.ask(0, &me, event(1, 1, deposit(400)));
    net.ask(1, &me, event(1, 2, deposit(400)));
    for (from, to) in [(1, 2), (2, 1), (2, 3), (1, 3)] {
        net.deliver(from, to);
    }
    assert_eq!([net.held(1), net.held(2), net.held(3)], [1, 1, 1]);
    assert_eq!(net.clashes, []);
}

#[derive(Debug, Clone)]
enum Step {
    /// A customer asks for a write, mostly without having heard the answer to the one before.
    Ask {
        who: u32,
        id: u32,
        at: u32,
        units: i64,
    },
    Deliver(prop::sample::Index),
    Double(prop::sample::Index),
    CatchUp {
        at: u32,
        from: u32,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ask = (1_u32..=2, 1_u32..=4, 1_u32..=3, 1_i64..=3)
        .prop_map(|(who, id, at, units)| Step::Ask { who, id, at, units });
    let step = prop_oneof![
        3 => ask,
        4 => any::<prop::sample::Index>().prop_map(Step::Deliver),
        1 => any::<prop::sample::Index>().prop_map(Step::Double),
        1 => (1_u32..=3, 1_u32..=3).prop_map(|(at, from)| Step::CatchUp { at, from }),
    ];
    prop::collection::vec(step, 0..120)
}

/// The writes of a branch, in no order.
fn held(branch: &Branch) -> Vec<(WriteId, Write)> {
    let mut held: Vec<_> = branch.log().map(|entry| (entry.id, entry.write)).collect();
    held.sort();
    held
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whatever_ids_customers_repeat_all_branches_end_with_the_same_writes(
        steps in steps(),
        propagation in prop_oneof![Just(Propagation::Async), Just(Propagation::Sync)],
    ) {
        let mut net = Net::new(propagation, Timeouts::default());
        let mut asked = Vec::new();
        for step in steps {
            match step {
                Step::Ask { who, id, at, units } => {
                    let write = deposit(units);
                    net.ask(u64::try_from(asked.len()).unwrap(), &Visitor::new(who, &[]), event(id, at, write));
                    asked.push((WriteId { customer: customer(who), event: event_id(id) }, write));
                }
                Step::Deliver(at) if !net.wires.is_empty() => {
                    net.deliver_at(at.index(net.wires.len()));
                }
                Step::Double(at) if !net.wires.is_empty() => {
                    let copy = net.wires[at.index(net.wires.len())].clone();
                    net.wires.push(copy);
                }
                Step::CatchUp { at, from } if at != from => {
                    net.tell(branch(at), Input::InReach(branch(from)));
                }
                Step::Deliver(_) | Step::Double(_) | Step::CatchUp { .. } => {}
            }
        }
        net.deliver_all();
        let all = held(&net.branches[0]);
        prop_assert!(all.windows(2).all(|two| two[0] != two[1]), "a write counts once: {all:?}");
        let total: i64 = all.iter().map(|(_, write)| write.delta().minor()).sum();
        for branch in &net.branches {
            prop_assert_eq!(&held(branch), &all);
            prop_assert_eq!(branch.balance(), Some(Money::from_minor(total)));
            prop_assert_eq!(branch.version(), net.branches[0].version());
        }
        let answered: Vec<_> = net.replies.iter().map(|reply| reply.ticket).collect();
        prop_assert_eq!(answered.len(), asked.len(), "every request is answered once");
        for reply in &net.replies {
            let (id, operation) = asked[usize::try_from(reply.ticket.0).unwrap()];
            let Operation::Write(write) = operation else { panic!("all are deposits") };
            let is_refused = matches!(reply.outcome, Err(RequestError::Refused(_)));
            prop_assert!(is_refused || all.contains(&(id, write)), "{:?}", reply);
        }
        // Asked again when all is known everywhere, each write that is held is confirmed, unless
        // its customer's writes stand in another order somewhere.
        let in_order = |branch: &Branch, customer| {
            let mut first = branch.write_set(customer);
            let mut seen = BTreeSet::new();
            first.retain(|&event| seen.insert(event));
            first
        };
        for &(id, write) in &all {
            let ticket = 1_000 + u64::from(id.event.get());
            net.replies.clear();
            let who = Visitor::new(id.customer.get(), &[]);
            net.ask(ticket, &who, event(id.event.get(), 1, Operation::Write(write)));
            net.deliver_all();
            let orders: Vec<_> =
                net.branches.iter().map(|branch| in_order(branch, id.customer)).collect();
            if propagation == Propagation::Async || orders.iter().all(|order| *order == orders[0]) {
                prop_assert_eq!(net.outcome(ticket), Some(Ok(Receipt::Written)));
            }
        }
    }
}
