//! The session registry of a bank, where requests from outside come in: gives each the event id,
//! number and passbook that it does not bring itself, and hands it on to its branch. Serves none.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use actix::{
    Actor, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, MessageResult, WrapFuture,
};

use super::sessions::{Numbers, Remembered, Remembers, Sessions};
use super::{Answer, Ask, BranchActor, LatestEvent, ReplyTo};
use crate::bank::{Entry, Passbook, Session, VersionVector};
use crate::model::{
    BranchId, BranchIndex, CustomerId, EventId, GuaranteePolicy, LogPosition, Money, Operation,
    Outcome, RequestError, RequestNumber, Roster,
};

/// Keeps the passbooks and the last event ids of customers that do not bring them themselves.
#[derive(Debug)]
pub struct SessionRegistry {
    roster: Arc<Roster>,
    guarantees: GuaranteePolicy,
    sessions: Sessions,
    numbering: Numbering,
    /// The branches that can be asked for a customer's last event id.
    branches: Vec<Addr<BranchActor>>,
    /// The requests of customers whose last event id is being asked for, in the order in which they
    /// came.
    looked_up: BTreeMap<CustomerId, Vec<Queued>>,
    /// The passbook of a customer of whom nothing is kept.
    blank: Passbook,
    /// Branches elsewhere that have introduced themselves as of this program.
    introduced: BTreeSet<BranchId>,
}

/// Which event ids the registry gives to writes that come without one: each `step`th.
#[derive(Debug, Clone, Copy)]
struct Numbering {
    first: i64,
    step: i64,
}

/// What a customer asks.
#[derive(Debug)]
pub struct Call {
    /// The branch that is asked.
    pub branch: BranchId,
    /// Who asks.
    pub customer: CustomerId,
    /// The event id that it bears.
    pub event: EventIdSource,
    /// What is asked.
    pub operation: Operation,
    /// The passbook that goes with it.
    pub passbook: PassbookSource,
}

impl Call {
    /// Whether it is to be given an event id.
    fn is_unnumbered_write(&self) -> bool {
        matches!((self.event, self.operation), (EventIdSource::After(_), Operation::Write(_)))
    }
}

/// Brings what a customer asks to the registry.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Submit {
    /// What is asked.
    pub call: Call,
    /// The branch that is asked.
    pub branch: Addr<BranchActor>,
    /// Told the answer; even if nothing waits for it any more.
    pub tell: SubmitReply,
}

/// Takes the answer to a request.
pub type SubmitReply = Box<dyn FnOnce(Result<Submitted, NoEventId>) + Send>;

impl fmt::Debug for Submit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submit").field("call", &self.call).finish_non_exhaustive()
    }
}

/// The event id that a request bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventIdSource {
    /// This one.
    Id(EventId),
    /// None. It gets the next one: after all that the registry has heard of, and after the one
    /// here, which is the last that is known at the branch.
    After(Option<EventId>),
}

impl From<Option<EventId>> for EventIdSource {
    fn from(event: Option<EventId>) -> Self {
        event.map_or(Self::After(None), Self::Id)
    }
}

/// Which passbook goes with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PassbookSource {
    /// The one that the registry keeps for the customer.
    Kept,
    /// The one that the customer carries.
    Carried(Passbook),
}

/// Who keeps a customer's passbook.
#[derive(Debug, Clone, Copy)]
enum Keeper {
    Registry,
    Customer,
}

/// How a call went that reached its branch.
#[derive(Debug)]
pub struct Submitted {
    /// The event id that it bore. A query that brought none may have borne any.
    pub event: EventId,
    /// How it ended.
    pub outcome: Outcome,
    /// The branch's balance.
    pub balance: Money,
    /// How long the branch's apply log is.
    pub position: LogPosition,
    /// The customer's passbook after it.
    pub passbook: Passbook,
}

/// Why a write that brings no event id cannot be given one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoEventId {
    /// The customer has used the highest.
    NoneLeft,
    /// Some branch does not say which are used there.
    NotKnown(RequestError),
}

/// Tells the registry that a request for which it remembers the customer is answered: it enters
/// what the reply says in the passbook that it keeps, if it keeps one.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct Answered {
    pub(super) customer: CustomerId,
    pub(super) entry: Entry,
}

/// Tells the registry that a branch elsewhere has introduced itself as of this program.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Introduced(pub BranchId);

/// Asks the registry whether a branch elsewhere has introduced itself as of this program.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "bool")]
pub struct HasIntroduced(pub BranchId);

/// Tells the registry that a write goes straight to its branch: it remembers the customer until that
/// is [`Answered`].
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub(super) struct GoesStraight {
    pub(super) customer: CustomerId,
    pub(super) event: EventId,
}

/// A [`Submit`], and a token that is dropped when it has gone on to its branch.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct Queued {
    pub(super) bring: Submit,
    pub(super) token: Option<Arc<()>>,
}

/// What is asked of a branch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    pub(super) customer: CustomerId,
    pub(super) request: RequestNumber,
    pub(super) event: EventId,
    pub(super) operation: Operation,
}

impl Request {
    /// It with its `session`. When it is answered, `learn` has the passbook as it was shown and what
    /// is to be entered, and `tell` gets the answer.
    pub(super) fn ask(
        self,
        session: Session,
        roster: Arc<Roster>,
        learn: impl FnOnce(&Passbook, &Entry) + Send + 'static,
        tell: impl FnOnce(Result<Submitted, NoEventId>) + Send + 'static,
    ) -> Ask {
        let Self { customer, request, event, operation } = self;
        let mut passbook = session.passbook.clone();
        let reply_to = ReplyTo::Then(Box::new(move |answer: Answer| {
            let Answer { outcome, position, balance, entry, .. } = answer;
            learn(&passbook, &entry);
            passbook.enter(&entry, &roster);
            tell(Ok(Submitted { event, outcome, balance, position, passbook }));
        }));
        Ask { customer, request, event, operation, session: Some(session), reply_to }
    }
}

/// Asks the registry how many customers it remembers.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Remembered")]
pub struct CountRemembered;

impl SessionRegistry {
    /// The session registry of a bank of `roster`, which keeps its `guarantees` and knows no customer
    /// yet.
    pub fn new(roster: Arc<Roster>, guarantees: GuaranteePolicy) -> Self {
        let numbering = Numbering { first: 1, step: 1 };
        let (sessions, introduced) = (Sessions::new(Remembers::All), BTreeSet::new());
        let (branches, looked_up) = (Vec::new(), BTreeMap::new());
        let blank = Passbook::new(&roster);
        Self { roster, guarantees, sessions, numbering, branches, looked_up, blank, introduced }
    }

    /// The same, but it remembers no more than `sessions_max` customers, fewer in a bank of more
    /// than 83 branches, beside those that are being served. The last event id of one that it has
    /// forgotten it asks of `branches`, which are those that live here.
    #[must_use]
    pub fn forgetting(self, sessions_max: usize, branches: Vec<Addr<BranchActor>>) -> Self {
        let remembers = Remembers::at_most(sessions_max, self.roster.len());
        Self { sessions: Sessions::new(remembers), branches, ..self }
    }

    /// The same, where the branches `held` this when they started: any customer may have written and
    /// seen all of it.
    #[must_use]
    pub fn remembering(self, held: VersionVector) -> Self {
        let blank = Passbook { writes: held.clone(), reads: held };
        Self { blank, ..self }
    }

    /// One of several desks of one bank, at the branch `here`. No two of them give the same event
    /// id: a write that another branch knows under the same id already would be taken for that one.
    pub fn at(here: BranchIndex, roster: Arc<Roster>, guarantees: GuaranteePolicy) -> Self {
        let number = |index: usize| i64::try_from(index).unwrap_or(i64::MAX);
        let numbering = Numbering { first: number(here.get()) + 1, step: number(roster.len()) };
        Self { numbering, ..Self::new(roster, guarantees) }
    }

    fn take_up(&mut self, queued: Queued, ctx: &mut Context<Self>) {
        let customer = queued.bring.call.customer;
        let kept = self.sessions.begin(customer);
        if let Some(behind) = self.looked_up.get_mut(&customer) {
            return behind.push(queued);
        }
        if queued.bring.call.is_unnumbered_write() {
            match kept.numbers {
                Numbers::Recent => return self.look_up(queued, ctx),
                Numbers::All => kept.numbers = Numbers::Given,
                Numbers::Given => {}
            }
        }
        self.hand_on(queued, ctx);
    }

    /// Asks the branches for the customer's last event id before it hands `queued` on, and what the
    /// customer asks meanwhile after it.
    fn look_up(&mut self, queued: Queued, ctx: &mut Context<Self>) {
        let customer = queued.bring.call.customer;
        self.looked_up.insert(customer, vec![queued]);
        let asked: Vec<_> =
            self.branches.iter().map(|branch| branch.send(LatestEvent(customer))).collect();
        let latest = async move {
            let mut latest = None;
            for answer in asked {
                // One whose actor is gone serves no request.
                if let Ok(told) = answer.await {
                    latest = latest.max(told?);
                }
            }
            Ok(latest)
        };
        ctx.spawn(latest.into_actor(self).map(move |latest, registry, ctx| {
            if let (Ok(latest), Some(kept)) = (&latest, registry.sessions.get_mut(customer)) {
                kept.last_event = kept.last_event.max(*latest);
                kept.numbers = Numbers::Given;
            }
            let unknown: Option<RequestError> = latest.err();
            for queued in registry.looked_up.remove(&customer).unwrap_or_default() {
                match &unknown {
                    Some(why) if queued.bring.call.is_unnumbered_write() => {
                        registry.sessions.end(customer);
                        (queued.bring.tell)(Err(NoEventId::NotKnown(why.clone())));
                    }
                    Some(_) | None => registry.hand_on(queued, ctx),
                }
            }
        }));
    }

    /// Hands on a request that has begun to its branch.
    fn hand_on(&mut self, queued: Queued, ctx: &mut Context<Self>) {
        let Queued { bring: Submit { call, branch, tell }, token } = queued;
        let Call { customer, event, operation, passbook, .. } = call;
        let guarantees = self.guarantees.to(customer);
        let forgets = self.sessions.forgets();
        let Some(kept) = self.sessions.get_mut(customer) else { return };
        let event = match event {
            EventIdSource::Id(event) => event,
            EventIdSource::After(known) => match self.numbering.after(kept.last_event.max(known)) {
                Ok(next) => next,
                Err(none_left) => {
                    self.sessions.end(customer);
                    return tell(Err(none_left));
                }
            },
        };
        if let Operation::Write(_) = operation {
            kept.last_event = kept.last_event.max(Some(event));
        }
        let request = Request { customer, request: kept.requests, event, operation };
        let (passbook, keeper) = match passbook {
            PassbookSource::Carried(carried) => (carried, Keeper::Customer),
            PassbookSource::Kept => {
                let kept = kept.passbook.get_or_insert_with(|| self.blank.clone());
                (kept.clone(), Keeper::Registry)
            }
        };
        let registry = ctx.address();
        let learn = move |shown: &Passbook, learnt: &Entry| {
            let entry = match keeper {
                // But for what is lost a kept passbook only grows, and no reply says what is lost again: so
                // what it held when it was shown it holds now.
                Keeper::Registry if !shown.holds(learnt) => learnt.clone(),
                Keeper::Registry | Keeper::Customer => Entry::Nothing,
            };
            if forgets || entry != Entry::Nothing {
                registry.do_send(Answered { customer, entry });
            }
        };
        let session = Session { passbook, guarantees };
        branch.do_send(request.ask(session, Arc::clone(&self.roster), learn, tell));
        drop(token);
    }
}

impl Numbering {
    /// The first event id after `last`.
    fn after(self, last: Option<EventId>) -> Result<EventId, NoEventId> {
        let last = last.map_or(0, |last| i64::from(last.get()));
        let steps = (last - self.first).div_euclid(self.step) + 1;
        EventId::new(self.first + self.step * steps.max(0)).map_err(|_| NoEventId::NoneLeft)
    }
}

impl Actor for SessionRegistry {
    type Context = Context<Self>;
}

impl Handler<Submit> for SessionRegistry {
    type Result = ();

    fn handle(&mut self, bring: Submit, ctx: &mut Self::Context) {
        self.take_up(Queued { bring, token: None }, ctx);
    }
}

impl Handler<Queued> for SessionRegistry {
    type Result = ();

    fn handle(&mut self, queued: Queued, ctx: &mut Self::Context) {
        self.take_up(queued, ctx);
    }
}

impl Handler<Answered> for SessionRegistry {
    type Result = ();

    fn handle(&mut self, Answered { customer, entry }: Answered, _: &mut Self::Context) {
        if let Some(kept) = self.sessions.get_mut(customer)
            && let Some(passbook) = &mut kept.passbook
        {
            passbook.enter(&entry, &self.roster);
        }
        self.sessions.end(customer);
    }
}

impl Handler<GoesStraight> for SessionRegistry {
    type Result = ();

    fn handle(&mut self, write: GoesStraight, _: &mut Self::Context) {
        let kept = self.sessions.begin(write.customer);
        kept.last_event = kept.last_event.max(Some(write.event));
    }
}

impl Handler<Introduced> for SessionRegistry {
    type Result = ();

    fn handle(&mut self, Introduced(branch): Introduced, _: &mut Self::Context) {
        self.introduced.insert(branch);
    }
}

impl Handler<HasIntroduced> for SessionRegistry {
    type Result = bool;

    fn handle(&mut self, HasIntroduced(branch): HasIntroduced, _: &mut Self::Context) -> bool {
        self.introduced.contains(&branch)
    }
}

impl Handler<CountRemembered> for SessionRegistry {
    type Result = MessageResult<CountRemembered>;

    fn handle(&mut self, _: CountRemembered, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.sessions.remembered())
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
        assert_eq!(Numbering { first: 1, step: 1 }.after(last), Err(NoEventId::NoneLeft));
    }
}
