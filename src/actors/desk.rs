//! The bank's desk: keeps what it must know of customers who come from outside and do not carry it
//! themselves. It answers at once and serves no request.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix::{Actor, Context, Handler, Message, MessageResult};

use crate::bank::{Entry, Passbook};
use crate::model::{CustomerId, EventId, RequestNumber, Roster};

/// Keeps a passbook, the last event id and a count of requests per customer.
#[derive(Debug)]
pub struct Desk {
    roster: Arc<Roster>,
    customers: BTreeMap<CustomerId, Kept>,
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
    /// A write; without an id it gets the next one.
    Write(Option<EventId>),
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

impl Desk {
    /// The desk of a bank of `roster`, which knows nobody yet.
    pub fn new(roster: Arc<Roster>) -> Self {
        Self { roster, customers: BTreeMap::new() }
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
    fn next_event(&self) -> Result<EventId, NoEventIdLeft> {
        let last = self.last_event.map_or(0, |last| i64::from(last.get()));
        EventId::new(last + 1).map_err(|_| NoEventIdLeft)
    }
}

impl Actor for Desk {
    type Context = Context<Self>;
}

impl Handler<Announce> for Desk {
    type Result = MessageResult<Announce>;

    fn handle(&mut self, announce: Announce, _: &mut Self::Context) -> Self::Result {
        let kept = self.kept(announce.customer);
        let event = match announce.event {
            Announcement::Query(Some(event)) | Announcement::Write(Some(event)) => Ok(event),
            Announcement::Query(None) | Announcement::Write(None) => kept.next_event(),
        };
        let event = match event {
            Ok(event) => event,
            Err(none_left) => return MessageResult(Err(none_left)),
        };
        if let Announcement::Write(_) = announce.event {
            kept.last_event = kept.last_event.max(Some(event));
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
