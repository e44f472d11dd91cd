//! The bank's desk: keeps what it must know of customers who come from outside and do not carry it
//! themselves. It answers at once and serves no request.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use actix::{Actor, Context, Handler, Message, MessageResult};

use crate::bank::{Entry, Passbook};
use crate::model::{BranchId, BranchIndex, CustomerId, EventId, RequestNumber, Roster};

/// Keeps a passbook, the last event id and a count of requests per customer.
#[derive(Debug)]
pub struct Desk {
    roster: Arc<Roster>,
    customers: BTreeMap<CustomerId, Kept>,
    numbering: Numbering,
    /// Branches elsewhere that have introduced themselves as of this program.
    introduced: BTreeSet<BranchId>,
}

/// Which event ids the desk gives to writes that come without one: each `step`th.
#[derive(Debug, Clone, Copy)]
struct Numbering {
    first: i64,
    step: i64,
}

#[derive(Debug)]
struct Kept {
    passbook: Passbook,
    last_event: Option<EventId>,
    requests: RequestNumber,
}

/// Tells the desk that a customer asks for something.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Result<Announced, NoEventIdLeft>")]
pub struct Announce {
    /// Who.
    pub customer: CustomerId,
    /// What the request is and the event id that it bears.
    pub event: Announcement,
}

/// What a request is, as far as event ids go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announcement {
    /// A query; any id will do.
    Query(Option<EventId>),
    /// A write that bears this id.
    Write(EventId),
    /// A write that gets the next id: after all that the desk has heard of, and after the one here,
    /// which is the last that is known at the branch.
    NextWrite(Option<EventId>),
}

/// What the desk knows of a customer who asks for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// The event id that the request bears.
    pub event: EventId,
    /// Which of the customer's requests it is.
    pub request: RequestNumber,
    /// The passbook that the desk keeps for the customer.
    pub passbook: Passbook,
}

/// The customer has used the highest event id, so that no next one can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoEventIdLeft;

/// Enters what a reply says in the passbook that the desk keeps.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct Enter {
    /// Whose passbook.
    pub customer: CustomerId,
    /// What to enter.
    pub entry: Entry,
}

/// Tells the desk that a branch elsewhere has introduced itself as of this program.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Introduced(pub BranchId);

/// Asks the desk whether a branch elsewhere has introduced itself as of this program.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "bool")]
pub struct HasIntroduced(pub BranchId);

impl Desk {
    /// The desk of a bank of `roster`, which knows nobody yet.
    pub fn new(roster: Arc<Roster>) -> Self {
        let numbering = Numbering { first: 1, step: 1 };
        Self { roster, customers: BTreeMap::new(), numbering, introduced: BTreeSet::new() }
    }

    /// One of several desks of one bank, at the branch `here`. No two of them give the same event
    /// id: a write that another branch knows under the same id already would be taken for that one.
    pub fn at(here: BranchIndex, roster: Arc<Roster>) -> Self {
        let number = |index: usize| i64::try_from(index).unwrap_or(i64::MAX);
        let numbering = Numbering { first: number(here.get()) + 1, step: number(roster.len()) };
        Self { numbering, ..Self::new(roster) }
    }

    fn kept(&mut self, customer: CustomerId) -> &mut Kept {
        self.customers.entry(customer).or_insert_with(|| Kept {
            passbook: Passbook::new(&self.roster),
            last_event: None,
            requests: RequestNumber::default(),
        })
    }
}

impl Numbering {
    /// The first event id after `last`.
    fn after(self, last: Option<EventId>) -> Result<EventId, NoEventIdLeft> {
        let last = last.map_or(0, |last| i64::from(last.get()));
        let steps = (last - self.first).div_euclid(self.step) + 1;
        EventId::new(self.first + self.step * steps.max(0)).map_err(|_| NoEventIdLeft)
    }
}

impl Actor for Desk {
    type Context = Context<Self>;
}

impl Handler<Announce> for Desk {
    type Result = MessageResult<Announce>;

    fn handle(&mut self, announce: Announce, _: &mut Self::Context) -> Self::Result {
        let numbering = self.numbering;
        let kept = self.kept(announce.customer);
        let event = match announce.event {
            Announcement::Query(Some(event)) | Announcement::Write(event) => Ok(event),
            Announcement::Query(None) => numbering.after(kept.last_event),
            Announcement::NextWrite(known) => numbering.after(kept.last_event.max(known)),
        };
        let event = match event {
            Ok(event) => event,
            Err(none_left) => return MessageResult(Err(none_left)),
        };
        match announce.event {
            Announcement::Query(_) => {}
            Announcement::Write(_) | Announcement::NextWrite(_) => {
                kept.last_event = kept.last_event.max(Some(event));
            }
        }
        kept.requests = kept.requests.next();
        MessageResult(Ok(Announced {
            event,
            request: kept.requests,
            passbook: kept.passbook.clone(),
        }))
    }
}

impl Handler<Enter> for Desk {
    type Result = ();

    fn handle(&mut self, Enter { customer, entry }: Enter, _: &mut Self::Context) {
        let roster = Arc::clone(&self.roster);
        self.kept(customer).passbook.enter(&entry, &roster);
    }
}

impl Handler<Introduced> for Desk {
    type Result = ();

    fn handle(&mut self, Introduced(branch): Introduced, _: &mut Self::Context) {
        self.introduced.insert(branch);
    }
}

impl Handler<HasIntroduced> for Desk {
    type Result = bool;

    fn handle(&mut self, HasIntroduced(branch): HasIntroduced, _: &mut Self::Context) -> bool {
        self.introduced.contains(&branch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_desks_never_give_the_same_event_id() {
        let event = |id| EventId::new(id).unwrap();
        let given = |first, last: Option<i64>| {
            Numbering { first, step: 3 }.after(last.map(event)).unwrap().get()
        };
        assert_eq!([given(1, None), given(2, None), given(3, None)], [1, 2, 3]);
        assert_eq!([given(1, Some(1)), given(2, Some(1)), given(3, Some(1))], [4, 2, 3]);
        assert_eq!([given(1, Some(7)), given(2, Some(7)), given(3, Some(7))], [10, 8, 9]);
        let last = Some(event(i64::from(i32::MAX)));
        assert_eq!(Numbering { first: 1, step: 1 }.after(last), Err(NoEventIdLeft));
    }
}
