//! Event ids: those that are left out are counted, and a customer whose writes do not bear rising
//! ids has all its events numbered from 1, for each event is a request of its own.
//!
//! An event without an id gets one more than the highest id that its customer has had so far, over
//! all the customer's visits: a branch refuses a write whose id is lower than one that it has.

use std::collections::BTreeMap;

use super::fault::{Checked, Fault};
use super::locate::Node;
use super::problem::Problem;
use super::source::{Source, Span};
use crate::model::{CustomerId, EventId, EventIds, OperationKind};
use crate::scenario::{Level, Visit, Warning, WrittenIds};

/// The keys of an event's id.
pub(super) const EVENT_ID: [&str; 2] = ["id", "customer-request-id"];

/// The ids of a whole input.
#[derive(Debug)]
pub(super) struct Numbering {
    how: EventIds,
    customers: BTreeMap<CustomerId, Ids>,
}

/// The ids of one customer so far, over its visits.
#[derive(Debug, Default)]
struct Ids {
    highest: Option<EventId>,
    last_write: Option<Use>,
    events: usize,
    /// Which of the events bear no id, counted from 0.
    left_out: Vec<usize>,
    /// The first id that cannot stay.
    offence: Option<Offence>,
}

/// An event id where it is used.
#[derive(Debug, Clone, Copy)]
struct Use {
    event: EventId,
    interface: OperationKind,
    /// Where the event begins.
    start: usize,
}

/// Why the ids of a customer cannot stay.
#[derive(Debug, Clone, Copy)]
enum Offence {
    /// A write whose id is not above that of the write before it.
    NotAbove { write: Use, before: Use },
    /// An event without an id, after the highest that there is.
    NoneLeft { start: usize },
}

/// The customers whose events are numbered anew.
#[derive(Debug)]
pub(super) struct Renumbered {
    first: CustomerId,
    offence: Offence,
    others: usize,
}

/// The ids of one visit.
#[derive(Debug)]
pub(super) struct VisitNumbering<'n> {
    how: EventIds,
    customer: CustomerId,
    ids: &'n mut Ids,
}

impl Numbering {
    pub(super) const fn new(how: EventIds) -> Self {
        Self { how, customers: BTreeMap::new() }
    }

    pub(super) fn visit_of(&mut self, customer: CustomerId) -> VisitNumbering<'_> {
        let ids = self.customers.entry(customer).or_default();
        VisitNumbering { how: self.how, customer, ids }
    }

    /// Numbers the events in `visits` of each customer whose ids cannot stay from 1.
    pub(super) fn finish(self, visits: &mut [Visit]) -> (WrittenIds, Option<Renumbered>) {
        let mut written = WrittenIds::default();
        let offenders = |(customer, ids): (&CustomerId, &Ids)| Some((*customer, ids.offence?));
        let in_text_order = |(_, offence): &(CustomerId, Offence)| offence.start();
        let first = match self.how {
            EventIds::AsWritten => None,
            EventIds::Renumber => {
                self.customers.iter().filter_map(offenders).min_by_key(in_text_order)
            }
        };
        let Some((first, offence)) = first else { return (written, None) };
        let mut others = 0_usize;
        for (customer, ids) in self.customers {
            if ids.offence.is_none() {
                continue;
            }
            others += usize::from(customer != first);
            let mut left_out = ids.left_out.into_iter().peekable();
            let visits = visits.iter_mut().filter(|visit| visit.customer == customer);
            let events = visits.flat_map(|visit| &mut visit.events);
            let numbered = events.zip(1..).enumerate().map(|(place, (event, number))| {
                let was = Some(event.id).filter(|_| left_out.next_if_eq(&place).is_none());
                event.id = EventId::new(number).expect("no text has so many events");
                was
            });
            written.0.insert(customer, numbered.collect());
        }
        (written, Some(Renumbered { first, offence, others }))
    }
}

impl VisitNumbering<'_> {
    /// The next event bears the id `event`.
    pub(super) fn given(
        &mut self,
        event: EventId,
        interface: OperationKind,
        start: usize,
    ) -> EventId {
        let ids = &mut *self.ids;
        ids.events += 1;
        ids.highest = ids.highest.max(Some(event));
        if interface != OperationKind::Query {
            let write = Use { event, interface, start };
            if let (Some(before), None) = (ids.last_write, ids.offence)
                && event <= before.event
            {
                ids.offence = Some(Offence::NotAbove { write, before });
            }
            ids.last_write = Some(write);
        }
        event
    }

    /// The next event bears no id, and gets one.
    pub(super) fn next(&mut self, interface: OperationKind, start: usize) -> Checked<EventId> {
        let highest = self.ids.highest.map_or(0, |highest| i64::from(highest.get()));
        let next = match (EventId::new(highest + 1), self.how) {
            (Ok(next), _) => next,
            (Err(_), EventIds::AsWritten) => {
                let problem = Problem::OutOfIds { customer: self.customer };
                return Err(Fault::new(problem).at(Span::new(start, 1)));
            }
            (Err(_), EventIds::Renumber) => {
                self.ids.offence.get_or_insert(Offence::NoneLeft { start });
                EventId::new(1).expect("1 is an id")
            }
        };
        self.ids.left_out.push(self.ids.events);
        Ok(self.given(next, interface, start))
    }
}

impl Offence {
    const fn start(&self) -> usize {
        match self {
            Self::NotAbove { write: Use { start, .. }, .. } | Self::NoneLeft { start } => *start,
        }
    }
}

impl Renumbered {
    /// The warning that names the first id of `source` that cannot stay.
    pub(super) fn warning(&self, source: &Source) -> Warning {
        let Self { first: customer, offence, others } = self;
        // At its id, or where it begins if it has none.
        let place = |start| {
            let event = Node::at(source.text(), start);
            let id = event.members_named(&EVENT_ID).next();
            source.place(id.map_or(event, |member| member.value).span())
        };
        let here = place(offence.start());
        let found = match offence {
            Offence::NotAbove { write, before } if write.event == before.event => format!(
                "event id {} of customer {customer} comes again, for a {}; its first use is the \
                 {} at {}",
                write.event,
                write.interface,
                before.interface,
                place(before.start)
            ),
            Offence::NotAbove { write, before } => format!(
                "event id {} of customer {customer}, for a {}, is below that of the {} before it, \
                 {} at {}",
                write.event,
                write.interface,
                before.interface,
                before.event,
                place(before.start)
            ),
            Offence::NoneLeft { .. } => format!(
                "the event has no id, and customer {customer} already has the highest that there is"
            ),
        };
        let more = match others {
            0 => String::new(),
            1 => ", as are those of another".to_owned(),
            _ => format!(", as are those of {others} others"),
        };
        let kept = "--event-ids as-written keeps the ids";
        Warning::new(
            Level::Warning,
            format!("{here}: {found}; the customer's events are numbered from 1{more} ({kept})"),
        )
    }
}
