//! The bank's desk, where requests from outside come in: gives each the event id, number and
//! passbook that it does not bring itself, and hands it on to its branch. Serves none.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix::{Actor, Addr, AsyncContext, Context, Handler, Message};
use tokio::sync::oneshot;

use super::{Answer, Ask, BranchActor, ReplyTo};
use crate::bank::{Entry, Passbook, Session};
use crate::model::{CustomerId, EventId, Guarantees, Operation, RequestNumber, Roster};

/// Keeps a passbook, the last event id and a count of requests per customer.
#[derive(Debug)]
pub struct Desk {
    roster: Arc<Roster>,
    guarantees: Guarantees,
    customers: BTreeMap<CustomerId, Kept>,
}

#[derive(Debug)]
struct Kept {
    passbook: Passbook,
    last_event: Option<EventId>,
    requests: RequestNumber,
}

/// Brings what a customer asks to the desk.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Bring {
    /// The branch that is asked.
    pub branch: Addr<BranchActor>,
    /// Who asks.
    pub customer: CustomerId,
    /// The event id that it bears. Without one, it gets the one after the customer's last write.
    pub event: Option<EventId>,
    /// What is asked.
    pub operation: Operation,
    /// The passbook that goes with it.
    pub passbook: Shown,
    /// Who waits for the answer. Even if nobody does any more, a kept passbook is entered.
    pub caller: oneshot::Sender<Result<Brought, NoEventIdLeft>>,
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

impl Desk {
    /// The desk of a bank of `roster`, which keeps `guarantees` and knows nobody yet.
    pub fn new(roster: Arc<Roster>, guarantees: Guarantees) -> Self {
        Self { roster, guarantees, customers: BTreeMap::new() }
    }

    fn kept(&mut self, customer: CustomerId) -> &mut Kept {
        self.customers.entry(customer).or_insert_with(|| Kept {
            passbook: Passbook::new(&self.roster),
            last_event: None,
            requests: RequestNumber::default(),
        })
    }
}

impl Kept {
    fn next_event(&self) -> Option<EventId> {
        let last = self.last_event.map_or(0, |last| i64::from(last.get()));
        EventId::new(last + 1).ok()
    }
}

impl Actor for Desk {
    type Context = Context<Self>;
}

impl Handler<Bring> for Desk {
    type Result = ();

    fn handle(&mut self, bring: Bring, ctx: &mut Self::Context) {
        let Bring { branch, customer, event, operation, passbook, caller } = bring;
        let guarantees = self.guarantees;
        let kept = self.kept(customer);
        let Some(event) = event.or_else(|| kept.next_event()) else {
            return tell(caller, Err(NoEventIdLeft));
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
            if let Some(keeper) = keeper {
                keeper.do_send(Enter { customer, entry: answer.entry.clone() });
            }
            tell(caller, Ok(Brought { event, passbook, answer }));
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

fn tell(
    caller: oneshot::Sender<Result<Brought, NoEventIdLeft>>,
    brought: Result<Brought, NoEventIdLeft>,
) {
    if caller.send(brought).is_err() {
        log::debug!("a client went away before its answer came");
    }
}
