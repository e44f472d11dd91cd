//! Event ids: those that are left out are counted, those that repeat are remembered for a warning.
//!
//! An event without an id gets one more than the highest id that its customer has had so far, over
//! all the customer's visits: a branch refuses a write whose id is lower than one that it has.

use std::collections::BTreeMap;

use super::Warning;
use super::error::{Checked, Fault};
use super::problem::Problem;
use super::source::{Place, Source, Span};
use crate::model::{CustomerId, EventId, Interface};

/// How many repeated ids are named one by one.
const WARNINGS_MAX: usize = 5;

/// The ids of a whole input.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    highest: BTreeMap<CustomerId, EventId>,
    uses: Vec<Use>,
    /// Whether an id was not above all before it. Only then can one repeat.
    any_not_ascending: bool,
}

/// An event id where it is used.
#[derive(Debug, Clone, Copy)]
struct Use {
    customer: CustomerId,
    event: EventId,
    interface: Interface,
    at: Span,
}

/// An event id that an earlier event of the customer bears too.
#[derive(Debug, Clone, Copy)]
pub(super) struct Repeat {
    again: Use,
    first: Use,
}

/// The ids of one visit.
#[derive(Debug)]
pub(super) struct VisitNumbering<'n> {
    numbering: &'n mut Numbering,
    customer: CustomerId,
    highest: Option<EventId>,
}

impl Numbering {
    pub(super) fn visit_of(&mut self, customer: CustomerId) -> VisitNumbering<'_> {
        let highest = self.highest.get(&customer).copied();
        VisitNumbering { numbering: self, customer, highest }
    }

    /// The repeated ids, in the order of the text.
    pub(super) fn repeats(mut self) -> Vec<Repeat> {
        let mut repeats = Vec::new();
        if !self.any_not_ascending {
            return repeats;
        }
        self.uses.sort_by_key(|used| (used.customer, used.event, used.at.start));
        for same in self.uses.chunk_by(|a, b| (a.customer, a.event) == (b.customer, b.event)) {
            let [first, rest @ ..] = same else { continue };
            repeats.extend(rest.iter().map(|again| Repeat { again: *again, first: *first }));
        }
        repeats.sort_by_key(|repeat| repeat.again.at.start);
        repeats
    }
}

impl VisitNumbering<'_> {
    /// The next event bears the id `event`.
    pub(super) fn given(&mut self, event: EventId, interface: Interface, at: Span) -> EventId {
        let is_higher = self.highest.is_none_or(|highest| event > highest);
        if is_higher {
            self.highest = Some(event);
        }
        self.numbering.any_not_ascending |= !is_higher;
        self.numbering.uses.push(Use { customer: self.customer, event, interface, at });
        event
    }

    /// The next event bears no id, and gets one.
    pub(super) fn next(&mut self, interface: Interface, at: Span) -> Checked<EventId> {
        let highest = self.highest.map_or(0, |highest| i64::from(highest.get()));
        let event = EventId::new(highest + 1).map_err(|_| {
            Fault::new(Problem::OutOfIds { customer: self.customer }, Span::new(at.start, 1))
        })?;
        Ok(self.given(event, interface, at))
    }

    /// To be called at the end of the visit, for the customer's next one.
    pub(super) fn end(self) {
        if let Some(highest) = self.highest {
            self.numbering.highest.insert(self.customer, highest);
        }
    }
}

/// The warnings about repeated ids in `source`: the first few, and how many more there are.
pub(super) fn warnings(source: &Source, repeats: &[Repeat]) -> Vec<Warning> {
    let place = |used: &Use| {
        let place = Place::of(source.text(), used.at.start);
        format!("{}:{place}", source.shown_name())
    };
    let mut warnings: Vec<Warning> = repeats
        .iter()
        .take(WARNINGS_MAX)
        .map(|Repeat { again, first }| {
            let Use { customer, event, interface, .. } = again;
            let (here, there, was) = (place(again), place(first), first.interface);
            Warning {
                message: format!(
                    "{here}: event id {event} of customer {customer} comes again, for a \
                     {interface}; its first use is the {was} at {there}"
                ),
            }
        })
        .collect();
    if repeats.len() > WARNINGS_MAX {
        let (more, name) = (repeats.len() - WARNINGS_MAX, source.shown_name());
        warnings.push(Warning { message: format!("{name}: and {more} more repeated event ids") });
    }
    warnings
}
