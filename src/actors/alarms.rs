//! What waits for its moment in virtual time, and in which order it comes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::rc::Rc;

use slab::Slab;

use crate::model::Time;
use crate::model::number::count;

/// When something is to be done: of all at one moment by its turn, and of those, what was asked for
/// first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Alarm {
    at: Time,
    rank: u64,
    /// Where what is to be done stands.
    place: usize,
}

/// What comes first at one moment: what arrives just at a deadline is in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Message,
    Deadline,
}

/// The ranks of deadlines are above those of all messages.
const DEADLINES: u64 = 1 << 63;

/// What waits for its time. A message is moved when it comes and when it goes, and not each time
/// that the order of those that wait changes.
#[derive(Default)]
pub(super) struct Alarms {
    order: BinaryHeap<Reverse<Alarm>>,
    actions: Slab<Action>,
    /// How many there have been.
    added: u64,
}

/// What is to be done at a moment.
enum Action {
    Once(Box<dyn FnOnce()>),
    Round(Box<Round>),
}

/// One message on its way to many: as many arrivals, and one place among what waits.
struct Round {
    /// Those that are still to come, the next one last.
    arrivals: Vec<Arrival>,
    /// Of the first receiver, whenever it arrives there; those of the others follow.
    first_rank: u64,
    arrive: Rc<dyn Fn(usize)>,
}

/// What has come.
pub(super) enum Due {
    Action(Box<dyn FnOnce()>),
    Arrival(Rc<dyn Fn(usize)>, usize),
}

/// When a message arrives at which of its receivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Arrival {
    pub(super) at: Time,
    pub(super) receiver: usize,
}

impl Alarms {
    /// Begins anew with nothing that waits, in the same room.
    pub(super) fn begin_anew(&mut self) {
        let Self { order, actions, added } = self;
        order.clear();
        actions.clear();
        *added = 0;
    }

    /// The next moment for which something waits.
    pub(super) fn next(&self) -> Option<Time> {
        self.order.peek().map(|first| first.0.at)
    }

    /// Does `action` when it is `at`.
    pub(super) fn add(&mut self, at: Time, turn: Turn, action: Box<dyn FnOnce()>) {
        self.added += 1;
        let rank = match turn {
            Turn::Message => self.added,
            Turn::Deadline => DEADLINES | self.added,
        };
        let place = self.actions.insert(Action::Once(action));
        self.order.push(Reverse(Alarm { at, rank, place }));
    }

    /// Adds the `arrivals` of one message at some of so many `receivers`: as if each of these had one
    /// of its own.
    pub(super) fn add_round(
        &mut self,
        receivers: u64,
        mut arrivals: Vec<Arrival>,
        arrive: Rc<dyn Fn(usize)>,
    ) {
        arrivals.sort_unstable_by_key(|&arrival| Reverse(arrival));
        let Some(next) = arrivals.last() else { return };
        let first_rank = self.added + 1;
        self.added += receivers;
        let alarm = next.alarm(first_rank, self.actions.vacant_key());
        self.actions.insert(Action::Round(Box::new(Round { arrivals, first_rank, arrive })));
        self.order.push(Reverse(alarm));
    }

    /// The first thing that is to be done at `now`.
    pub(super) fn take(&mut self, now: Time) -> Option<Due> {
        let mut first = self.order.peek_mut().filter(|first| first.0.at == now)?;
        let place = first.0.place;
        if let Action::Round(round) = &mut self.actions[place]
            && let [.., next, due] = round.arrivals[..]
        {
            round.arrivals.pop();
            first.0 = next.alarm(round.first_rank, place);
            return Some(Due::Arrival(Rc::clone(&round.arrive), due.receiver));
        }
        PeekMut::pop(first);
        match self.actions.remove(place) {
            Action::Once(action) => Some(Due::Action(action)),
            Action::Round(round) => {
                let Round { arrivals, arrive, .. } = *round;
                arrivals.last().map(|last| Due::Arrival(arrive, last.receiver))
            }
        }
    }
}

impl Arrival {
    /// Where it stands among all that waits, if those of its message begin at `first_rank`.
    fn alarm(self, first_rank: u64, place: usize) -> Alarm {
        Alarm { at: self.at, rank: first_rank + count(self.receiver), place }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// What was told, in order: by which broadcast, to which receiver.
    type Told = Rc<RefCell<Vec<(usize, usize)>>>;

    fn run(mut alarms: Alarms) {
        while let Some(now) = alarms.next() {
            while let Some(due) = alarms.take(now) {
                match due {
                    Due::Action(action) => action(),
                    Due::Arrival(arrive, receiver) => arrive(receiver),
                }
            }
        }
    }

    proptest! {
        #[test]
        fn a_broadcast_arrives_as_a_message_to_each_would(
            broadcasts in vec(vec(1..9_u64, 1..6), 1..9),
        ) {
            let (together, apart) = (Told::default(), Told::default());
            let (mut rounds, mut messages) = (Alarms::default(), Alarms::default());
            for (which, moments) in broadcasts.iter().enumerate() {
                let tell = |told: &Told| {
                    let told = Rc::clone(told);
                    move |receiver| told.borrow_mut().push((which, receiver))
                };
                let arrivals = moments.iter().enumerate();
                let arrivals = arrivals.map(|(receiver, &us)| Arrival { at: Time::from_us(us), receiver });
                let arrivals: Vec<_> = arrivals.collect();
                for &Arrival { at, receiver } in &arrivals {
                    let tell = tell(&apart);
                    messages.add(at, Turn::Message, Box::new(move || tell(receiver)));
                }
                rounds.add_round(count(moments.len()), arrivals, Rc::new(tell(&together)));
                // One more that goes by itself.
                for (alarms, told) in [(&mut rounds, &together), (&mut messages, &apart)] {
                    let tell = tell(told);
                    alarms.add(Time::from_us(5), Turn::Message, Box::new(move || tell(usize::MAX)));
                }
            }
            run(rounds);
            run(messages);
            prop_assert_eq!(&*together.borrow(), &*apart.borrow());
            let messages = broadcasts.iter().map(|moments| moments.len() + 1).sum::<usize>();
            prop_assert_eq!(apart.borrow().len(), messages);
        }
    }
}
