//! The customer actor: asks one thing after the other, and keeps what it was told.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use actix::{Actor, Addr, AsyncContext, Context, Recipient};
use tokio::sync::oneshot;

use super::barrier::{Barrier, Signal, Stand};
use super::{Answer, Ask, MakeVisit, RecorderLink, ReplyTo};
use crate::bank::{Passbook, Session};
use crate::history::{Fact, RequestResult};
use crate::model::number::count;
use crate::model::{
    BranchId, CustomerId, Event, Guarantees, Operation, RequestNumber, Roster, Time,
};

/// A customer, with its mailbox. A copy is the same one: whoever has started it says with it who it
/// is, and takes what came of its requests.
#[derive(Debug, Clone, Default)]
pub struct CustomerActor {
    pub(super) open: Rc<RefCell<Option<Customer>>>,
}

#[derive(Debug)]
pub(super) struct Customer {
    setup: CustomerSetup,
    /// `None` where nothing is promised.
    session: Option<Session>,
    visit: Option<UnderWay>,
    requests: Vec<RequestResult>,
}

/// Who a customer is and what it reaches.
#[derive(Debug, Clone)]
pub struct CustomerSetup {
    /// Who.
    pub id: CustomerId,
    /// What it is promised.
    pub guarantees: Guarantees,
    /// Its own mailbox.
    pub answers: Arc<Recipient<Answer>>,
    /// The branches' counters.
    pub counters: Counters,
    /// The recorder and the clock.
    pub recorder: RecorderLink,
}

/// Where customers turn to.
#[derive(Debug, Clone)]
pub struct Counters {
    /// The branches.
    pub roster: Arc<Roster>,
    /// Who takes requests for each branch, ascending by id.
    pub counters: Rc<[Recipient<Ask>]>,
    /// Where customers wait before each query, if they do.
    pub barrier: Option<Addr<Barrier>>,
}

/// A visit that has not ended.
#[derive(Debug)]
struct UnderWay {
    events: std::vec::IntoIter<Event>,
    asked: Option<Event>,
    /// When `asked` was sent.
    asked_at: Time,
    done: oneshot::Sender<()>,
}

impl Counters {
    /// Who takes requests for the branch `id`.
    ///
    /// Panics if it is no branch of the roster.
    pub fn at(&self, id: BranchId) -> &Recipient<Ask> {
        &self.counters[self.roster.index(id).expect("a visit is to a branch of the roster").get()]
    }
}

impl CustomerActor {
    /// Lets it be someone who has not asked anything yet.
    pub fn open(&self, setup: CustomerSetup) {
        *self.open.borrow_mut() = Some(Customer::new(setup));
    }

    /// All its requests; `None` where it has stopped. It is nobody any more.
    pub fn close(&self) -> Option<Vec<RequestResult>> {
        self.open.take().map(|customer| customer.requests)
    }
}

impl Customer {
    fn new(setup: CustomerSetup) -> Self {
        let guarantees = setup.guarantees;
        let session = (guarantees != Guarantees::NONE)
            .then(|| Session { passbook: Passbook::new(&setup.counters.roster), guarantees });
        Self { setup, session, visit: None, requests: Vec::new() }
    }

    fn go_on(&mut self, ctx: &mut Context<CustomerActor>) {
        let Some(mut visit) = self.visit.take() else { return };
        visit.asked = visit.events.next();
        match visit.asked {
            None => {
                self.stand(Stand::AtEnd);
                // Whoever sent us here may have given up; then nothing needs to be told.
                if visit.done.send(()).is_err() {
                    log::debug!("customer {} ended a visit that nobody waits for", self.setup.id);
                }
            }
            Some(event) if self.waits_before(event) => {
                self.visit = Some(visit);
                self.stand(Stand::AtQuery(ctx.address().recipient()));
            }
            Some(event) => {
                self.visit = Some(visit);
                self.ask(event);
            }
        }
    }

    fn waits_before(&self, event: Event) -> bool {
        event.operation == Operation::Query && self.setup.counters.barrier.is_some()
    }

    /// Tells the barrier, if there is one.
    fn stand(&self, stand: Stand) {
        if let Some(barrier) = &self.setup.counters.barrier {
            barrier.do_send(stand);
        }
    }

    fn ask(&mut self, event: Event) {
        let request = self.request_number();
        if let Some(visit) = &mut self.visit {
            visit.asked_at = self.setup.recorder.clock.now();
        }
        let Event { id, branch, operation } = event;
        let customer = self.setup.id;
        self.setup.recorder.record(|| Fact::RequestSent {
            customer,
            request,
            branch,
            event: id,
            operation,
        });
        let reply_to = ReplyTo::Mailbox(Arc::clone(&self.setup.answers));
        let session = self.session.clone();
        let ask = Ask { customer, request, event: id, operation, session, reply_to };
        self.setup.counters.at(branch).do_send(ask);
    }

    /// The number of the request that is asked next, or is being asked.
    fn request_number(&self) -> RequestNumber {
        RequestNumber::new(count(self.requests.len())).next()
    }
}

impl Actor for CustomerActor {
    type Context = Context<Self>;
}

impl Customer {
    fn make_visit(&mut self, visit: MakeVisit, ctx: &mut Context<CustomerActor>) {
        let MakeVisit { events, done } = visit;
        assert!(self.visit.is_none(), "customer {} is still on a visit", self.setup.id);
        self.requests.reserve(events.len());
        self.visit =
            Some(UnderWay { events: events.into_iter(), asked: None, asked_at: Time::START, done });
        self.go_on(ctx);
    }

    fn hear(&mut self, answer: Answer, ctx: &mut Context<CustomerActor>) {
        let Answer { request, branch, outcome, position, balance, entry, waited } = answer;
        let customer = self.setup.id;
        self.setup.recorder.record(|| Fact::ReplyReceived { customer, request, branch });
        let asked = self.visit.as_ref().and_then(|visit| Some((visit.asked?, visit.asked_at)));
        let (Some((Event { id, branch, operation }, asked_at)), true) =
            (asked, request == self.request_number())
        else {
            log::warn!("customer {customer} got an answer that it does not wait for: {request}");
            return;
        };
        if let Some(session) = &mut self.session {
            session.passbook.enter(&entry, &self.setup.counters.roster);
        }
        self.requests.push(RequestResult {
            number: request,
            event: id,
            branch,
            operation,
            outcome,
            position,
            balance,
            took: self.setup.recorder.clock.now().since(asked_at),
            waited,
        });
        // After a query that waited, all go on together.
        match &self.setup.counters.barrier {
            Some(barrier) if operation == Operation::Query => barrier.do_send(Stand::Answered),
            Some(_) | None => self.go_on(ctx),
        }
    }

    fn heed(&mut self, signal: Signal, ctx: &mut Context<CustomerActor>) {
        let query = self.visit.as_ref().and_then(|visit| visit.asked);
        match (signal, query) {
            (Signal::Ask, Some(query)) => self.ask(query),
            (Signal::GoOn, _) => self.go_on(ctx),
            (Signal::Ask, None) => {
                log::warn!("customer {} was told to ask, and has no query", self.setup.id);
            }
        }
    }
}

hand_on! {
    CustomerActor:
    MakeVisit => make_visit,
    Answer => hear,
    Signal => heed,
}

#[cfg(test)]
mod tests {
    use actix::Handler;

    use super::*;
    use crate::actors::{Detail, TimeSource};
    use crate::bank::{Entry, VersionVector};
    use crate::model::{
        Dot, EventId, Life, LogPosition, Lost, Money, Outcome, Receipt, RequestError, Sequence,
    };

    /// Answers each request by what is left of its answers, and keeps the passbooks that it was shown.
    struct Counter {
        answers: Vec<(Outcome, Entry)>,
        shown: Rc<RefCell<Vec<Passbook>>>,
    }

    impl Actor for Counter {
        type Context = Context<Self>;
    }

    impl Handler<Ask> for Counter {
        type Result = ();

        fn handle(&mut self, ask: Ask, _: &mut Self::Context) {
            let Ask { request, session, reply_to, .. } = ask;
            self.shown.borrow_mut().extend(session.map(|session| session.passbook));
            let (outcome, entry) = self.answers.remove(0);
            let (position, balance) = (LogPosition::default(), Money::ZERO);
            let branch = BranchId::new(1).unwrap();
            let waited = None;
            reply_to.send(Answer { request, branch, outcome, position, balance, entry, waited });
        }
    }

    #[test]
    fn a_customer_that_is_told_of_a_loss_goes_on_without_what_is_lost() {
        actix::System::new().block_on(async {
            let id = BranchId::new(1).unwrap();
            let roster = Arc::new(Roster::new([id]).unwrap());
            let place = roster.index(id).unwrap();
            let mut seen = VersionVector::new(&roster);
            seen.cover(place, Sequence::new(5));
            let last = Dot { origin: id, life: Life::FIRST, sequence: Sequence::new(2) };
            let lost = vec![Lost { branch: id, life: Life::FIRST, writes: 3 }];
            let balance = || Ok(Receipt::Balance(Money::ZERO));
            let answers = vec![
                (balance(), Entry::Read(seen.clone())),
                (Err(RequestError::WritesLost { lost, more: 0 }), Entry::Lost(vec![last])),
                (balance(), Entry::Nothing),
            ];
            let shown = Rc::<RefCell<Vec<Passbook>>>::default();
            let counter = Counter { answers, shown: Rc::clone(&shown) }.start().recipient();
            let customer = CustomerActor::default();
            let address = customer.clone().start();
            let clock = TimeSource::real_time();
            customer.open(CustomerSetup {
                id: CustomerId::new(1).unwrap(),
                guarantees: Guarantees::ALL,
                answers: Arc::new(address.clone().recipient()),
                counters: Counters {
                    roster: Arc::clone(&roster),
                    counters: [counter].into(),
                    barrier: None,
                },
                recorder: RecorderLink { clock, observer: None, detail: Detail::Essentials },
            });
            let (done, visited) = oneshot::channel();
            let event = |event| Event {
                id: EventId::new(event).unwrap(),
                branch: id,
                operation: Operation::Query,
            };
            address.do_send(MakeVisit { events: [1, 2, 3].map(event).into(), done });
            visited.await.unwrap();
            let reads: Vec<u64> =
                shown.borrow().iter().map(|shown| shown.reads.get(place).get()).collect();
            assert_eq!(reads, [0, 5, 2]);
        });
    }
}
