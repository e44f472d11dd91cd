//! The bank's desk, where requests from outside come in: gives each the event id, number and
//! passbook that it does not bring itself, and hands it on to its branch. Serves none.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use actix::{Actor, Addr, AsyncContext, Context, Handler, Message};

use super::{Answer, Ask, BranchActor, ReplyTo};
use crate::bank::{Entry, Passbook, Session};
use crate::model::{
    BranchId, BranchIndex, CustomerId, EventId, Operation, Promises, RequestNumber, Roster,
};

/// Keeps a passbook, the last event id and a count of requests per customer.
#[derive(Debug)]
pub struct Desk {
    roster: Arc<Roster>,
    promises: Promises,
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

/// Brings what a customer asks to the desk.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Bring {
    /// The branch that is asked.
    pub branch: Addr<BranchActor>,
    /// Who asks.
    pub customer: CustomerId,
    /// The event id that it bears.
    pub event: Bears,
    /// What is asked.
    pub operation: Operation,
    /// The passbook that goes with it.
    pub passbook: Shown,
    /// Told the answer; even if nobody waits for it any more.
    pub tell: Tell,
}

/// Passes on what a request came to.
pub type Tell = Box<dyn FnOnce(Result<Brought, NoEventIdLeft>) + Send>;

impl fmt::Debug for Bring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bring")
            .field("customer", &self.customer)
            .field("event", &self.event)
            .field("operation", &self.operation)
            .finish_non_exhaustive()
    }
}

/// The event id that a request bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bears {
    /// This one.
    Id(EventId),
    /// None. It gets the next one: after all that the desk has heard of, and after the one here,
    /// which is the last that is known at the branch.
    After(Option<EventId>),
}

/// Which passbook goes with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// The one that the desk keeps for the customer.
    Kept,
    /// The one that the customer carries.
    Carried(Passbook),
}

/// An answer from a branch.
#[derive(Debug)]
pub struct Brought {
    /// The event id that the request bore.
    pub event: EventId,
    /// The passbook that went with it; the answer's entry is not in it.
    pub passbook: Passbook,
    /// The answer.
    pub answer: Answer,
}

/// The customer has used the highest event id, so that no next one can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoEventIdLeft;

/// Enters what a reply says in the passbook that the desk keeps.
#[derive(Debug, Message)]
#[rtype(result = "()")]
struct Enter {
    customer: CustomerId,
    entry: Entry,
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
    /// The desk of a bank of `roster`, which keeps its `promises` and knows nobody yet.
    pub fn new(roster: Arc<Roster>, promises: Promises) -> Self {
        let numbering = Numbering { first: 1, step: 1 };
        let (customers, introduced) = (BTreeMap::new(), BTreeSet::new());
        Self { roster, promises, customers, numbering, introduced }
    }

    /// One of several desks of one bank, at the branch `here`. No two of them give the same event
    /// id: a write that another branch knows under the same id already would be taken for that one.
    pub fn at(here: BranchIndex, roster: Arc<Roster>, promises: Promises) -> Self {
        let number = |index: usize| i64::try_from(index).unwrap_or(i64::MAX);
        let numbering = Numbering { first: number(here.get()) + 1, step: number(roster.len()) };
        Self { numbering, ..Self::new(roster, promises) }
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

impl Handler<Bring> for Desk {
    type Result = ();

    fn handle(&mut self, bring: Bring, ctx: &mut Self::Context) {
        let Bring { branch, customer, event, operation, passbook, tell } = bring;
        let (guarantees, numbering) = (self.promises.to(customer), self.numbering);
        let kept = self.kept(customer);
        let event = match event {
            Bears::Id(event) => event,
            Bears::After(known) => match numbering.after(kept.last_event.max(known)) {
                Ok(next) => next,
                Err(none_left) => return tell(Err(none_left)),
            },
        };
        if let Operation::Write(_) = operation {
            kept.last_event = kept.last_event.max(Some(event));
        }
        kept.requests = kept.requests.next();
        let request = kept.requests;
        let (passbook, keeper) = match passbook {
            Shown::Carried(carried) => (carried, None),
            Shown::Kept => (kept.passbook.clone(), Some(ctx.address())),
        };
        let session = Some(Session { passbook: passbook.clone(), guarantees });
        let reply_to = ReplyTo::Then(Box::new(move |answer: Answer| {
            // A kept passbook only grows, so what it held when it was shown it holds now.
            if let Some(keeper) = keeper
                && !passbook.holds(&answer.entry)
            {
                keeper.do_send(Enter { customer, entry: answer.entry.clone() });
            }
            tell(Ok(Brought { event, passbook, answer }));
        }));
        branch.do_send(Ask { customer, request, event, operation, session, reply_to });
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
