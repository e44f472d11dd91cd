//! A history as marks on the tracks of a timeline, of which no format is known: one track for each
//! customer and branch and one for the network, arrows between them.

use super::condition::{Change, Condition, Conditions};
use super::requests::{Ended, Request, Requests, Step};
use super::told::told;
use super::under_way::{Transit, UnderWay};
use crate::history::{Entry, Process};
use crate::model::Time;

/// One mark; all of a fact are at its time.
#[derive(Debug)]
pub(super) enum Mark {
    /// A request begins on the track of its customer.
    RequestBegins(Request),
    RequestEnds(Box<Ended>),
    /// A fact.
    Moment(Moment),
    ConditionBegins(Condition),
    ConditionEnds(Condition),
}

#[derive(Debug)]
pub(super) struct Moment {
    /// Whose track; `None` is the network's.
    pub(super) process: Option<Process>,
    pub(super) told: String,
    pub(super) arrow: Option<Arrow>,
}

/// The end of an arrow that a moment is; arrows with one number are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrow {
    Begins(u64),
    /// More of it is to come.
    Passes(u64),
    Ends(u64),
}

#[derive(Debug, Default)]
pub(super) struct Timeline {
    requests: Requests,
    under_way: UnderWay<u64>,
    conditions: Conditions,
    arrows: u64,
}

impl Timeline {
    /// What the next fact adds, in the order in which it nests.
    pub(super) fn add(&mut self, entry: &Entry) -> Vec<Mark> {
        let fact = &entry.recorded.fact;
        let mut marks = Vec::with_capacity(2);
        let mut ends = None;
        match self.requests.add(entry) {
            Some(Step::Sent(request)) => marks.push(Mark::RequestBegins(request)),
            Some(Step::Ended(ended)) => ends = Some(Mark::RequestEnds(Box::new(ended))),
            Some(Step::Replied(_)) | None => {}
        }
        let arrow = Transit::of(fact).and_then(|transit| self.arrow(transit));
        marks.push(Mark::Moment(Moment { process: fact.process(), told: told(fact), arrow }));
        marks.extend(ends);
        marks.extend(self.conditions.add(entry).map(|change| match change {
            Change::Began(condition) => Mark::ConditionBegins(condition),
            Change::Ended(condition, _) => Mark::ConditionEnds(condition),
        }));
        marks
    }

    /// The requests that have no end.
    pub(super) fn take_open(&mut self) -> impl Iterator<Item = Request> + use<> {
        self.requests.take_open()
    }

    fn arrow(&mut self, transit: Transit) -> Option<Arrow> {
        match transit {
            Transit::Leaves(parcel) => {
                self.arrows += 1;
                self.under_way.leave(parcel, self.arrows);
                Some(Arrow::Begins(self.arrows))
            }
            Transit::Arrives(parcel) => {
                let carried = self.under_way.arrive(parcel)?;
                let is_last = carried.left == 0;
                Some(if is_last { Arrow::Ends } else { Arrow::Passes }(carried.known))
            }
            Transit::IsCopied(parcel) => {
                self.under_way.copy(parcel).map(|carried| Arrow::Passes(carried.known))
            }
        }
    }
}

/// In nanoseconds from the start of the run.
pub(super) const fn nanos(at: Time) -> u64 {
    at.us().saturating_mul(1000)
}
