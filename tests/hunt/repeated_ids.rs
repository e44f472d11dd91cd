//! Customers that bear ids which they have used: of a write that they make again, or of another.

use passbook::Scenario;
use passbook::model::{Event, Operation, Random, Seed, Write};

/// `scenario`, in which events bear the ids of earlier ones here and there: most of them ask for the
/// same again, at whatever branch, and some for something else, or in the wrong order.
pub(crate) fn with_repeated_ids(mut scenario: Scenario, seed: Seed) -> Scenario {
    let branches = scenario.roster.ids().to_vec();
    for visit in &mut scenario.visits {
        let mut chance = Random::of_part(seed, u64::from(visit.customer.get()));
        let mut below = |end: usize| {
            usize::try_from(chance.below(u64::try_from(end).expect("few"))).expect("few")
        };
        let mut events: Vec<Event> = Vec::new();
        for event in std::mem::take(&mut visit.events) {
            events.push(event);
            let back = below(3).min(events.len() - 1);
            let earlier = events[events.len() - 1 - back];
            let branch = branches[below(branches.len())];
            match below(10) {
                0..4 => events.push(Event { branch, ..earlier }),
                4 => events.push(Event { branch, operation: other(earlier.operation), ..earlier }),
                _ => {}
            }
        }
        visit.events = events;
    }
    scenario
}

/// `scenario`, in which customers count backwards now and then.
pub(crate) fn with_falling_ids(mut scenario: Scenario, seed: Seed) -> Scenario {
    for visit in &mut scenario.visits {
        let mut chance = Random::of_part(seed, u64::from(visit.customer.get()));
        for place in 1..visit.events.len() {
            if chance.below(4) == 0 {
                let (before, from) = visit.events.split_at_mut(place);
                std::mem::swap(&mut before[place - 1].id, &mut from[0].id);
            }
        }
    }
    scenario
}

/// `scenario`, in which customers ask again for what they have just asked for, at whatever branch.
pub(crate) fn with_retries(mut scenario: Scenario, seed: Seed) -> Scenario {
    let branches = scenario.roster.ids().to_vec();
    for visit in &mut scenario.visits {
        let mut chance = Random::of_part(seed, u64::from(visit.customer.get()));
        let mut branch = || {
            let drawn = chance.below(u64::try_from(branches.len()).expect("few"));
            branches[usize::try_from(drawn).expect("few")]
        };
        let events = std::mem::take(&mut visit.events).into_iter();
        visit.events =
            events.flat_map(|event| [event, Event { branch: branch(), ..event }]).collect();
    }
    scenario
}

/// Another write of the same amount.
fn other(operation: Operation) -> Operation {
    match operation {
        Operation::Query => Operation::Query,
        Operation::Write(write) => {
            let twin = Write::deposit(write.amount);
            let is_it = twin == write;
            Operation::Write(if is_it { Write::withdraw(write.amount) } else { twin })
        }
    }
}
