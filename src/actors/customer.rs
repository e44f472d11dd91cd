//! The customer actor: asks one thing after the other, and keeps what it was told.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr, AsyncContext, Context, Recipient};
use tokio::sync::oneshot;

use super::barrier::{Barrier, Signal, Stand};
use super::{Answer, Ask, BranchNews, Due, MakeVisit, RecorderLink, ReplyTo};
use crate::bank::{Passbook, Session};
use crate::history::{Fact, RequestResult};
use crate::model::number::count;
use crate::model::{
    BranchId, CustomerId, Event, Guarantees, Operation, Random, RequestNumber, Roster, Time,
};
use crate::network::Latency;

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

/// What a customer knows whose branches may stop, or who waits before events.
#[derive(Debug, Clone, Default)]
pub struct Foul {
    /// How long it waits before each event that says nothing else, and what that is drawn from.
    think: Option<(Latency, Random)>,
    /// How many of its requests it has given up.
    given_up: u64,
    /// Who has been asked and has not answered.
    asked: Option<BranchId>,
    /// Branches that are down.
    down: BTreeSet<BranchId>,
    /// Whether it would ask, and all are.
    is_stuck: bool,
    /// How long it is to wait before each event of its visit, where that is said.
    after: std::vec::IntoIter<Option<Duration>>,
    /// How long it has waited before each event, where it draws that.
    paused: Vec<Duration>,
}

/// What a customer leaves.
#[derive(Debug, Clone, Default)]
pub struct CustomerRecord {
    /// Its requests that came to an end, one for each event.
    pub requests: Vec<RequestResult>,
    /// How long it waited before each event, where it drew that.
    pub paused: Vec<Duration>,
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
    /// There where branches may stop, or the customer thinks.
    pub foul: Option<Box<Foul>>,
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
    /// When `asked` was sent first.
    asked_at: Time,
    done: oneshot::Sender<()>,
}

impl Foul {
    /// That of a customer that thinks as long as `think` says.
    pub fn new(think: Option<(Latency, Random)>) -> Self {
        Self { think, ..Self::default() }
    }
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

    /// What it leaves; `None` where it has stopped. It is nobody any more.
    pub fn close(&self) -> Option<CustomerRecord> {
        let mut open = self.open.borrow_mut();
        let customer = open.as_mut()?;
        let requests = std::mem::take(&mut customer.requests);
        let paused = customer.setup.foul.take().map_or(Vec::new(), |foul| foul.paused);
        *open = None;
        Some(CustomerRecord { requests, paused })
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
            Some(event) => {
                self.visit = Some(visit);
                match self.pause() {
                    Duration::ZERO => self.come_up(event, ctx),
                    pause => {
                        let clock = &self.setup.recorder.clock;
                        clock.wake_at(clock.now().after(pause), ctx);
                    }
                }
            }
        }
    }

    /// How long it waits before the next event.
    fn pause(&mut self) -> Duration {
        let Some(foul) = &mut self.setup.foul else { return Duration::ZERO };
        let said = foul.after.next().flatten();
        let Some((think, chance)) = &mut foul.think else { return said.unwrap_or_default() };
        let drawn = think.draw(chance);
        let pause = said.unwrap_or(drawn);
        foul.paused.push(pause);
        pause
    }

    /// It is the turn of `event`.
    fn come_up(&mut self, event: Event, ctx: &mut Context<CustomerActor>) {
        if self.waits_before(event) {
            self.stand(Stand::AtQuery(ctx.address().recipient()));
        } else {
            self.ask(event);
        }
    }

    fn wake(&mut self, _: Due, ctx: &mut Context<CustomerActor>) {
        if let Some(event) = self.visit.as_ref().and_then(|visit| visit.asked) {
            self.come_up(event, ctx);
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
        if let Some(visit) = &mut self.visit {
            visit.asked_at = self.setup.recorder.clock.now();
        }
        self.ask_at(event.branch, event);
    }

    /// Asks `wanted`, or the next branch that is not down. Where all are, it waits until one is not.
    fn ask_at(&mut self, wanted: BranchId, event: Event) {
        let branch = self.reachable(wanted);
        if let Some(foul) = &mut self.setup.foul {
            (foul.asked, foul.is_stuck) = (branch, branch.is_none());
        }
        let Some(branch) = branch else { return };
        let request = self.request_number();
        let Event { id, operation, .. } = event;
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

    fn reachable(&self, wanted: BranchId) -> Option<BranchId> {
        let Some(foul) = self.setup.foul.as_ref().filter(|foul| !foul.down.is_empty()) else {
            return Some(wanted);
        };
        let ids = self.setup.counters.roster.ids();
        let (before, from) = ids.split_at(ids.partition_point(|&id| id < wanted));
        from.iter().chain(before).copied().find(|id| !foul.down.contains(id))
    }
}

impl Actor for CustomerActor {
    type Context = Context<Self>;
}

impl Customer {
    fn make_visit(&mut self, visit: MakeVisit, ctx: &mut Context<CustomerActor>) {
        let MakeVisit { events, after, done } = visit;
        assert!(self.visit.is_none(), "customer {} is still on a visit", self.setup.id);
        self.requests.reserve(events.len());
        if !after.is_empty() || self.setup.foul.is_some() {
            self.setup.foul.get_or_insert_default().after = after.into_iter();
        }
        let (asked, asked_at) = (None, Time::START);
        self.visit = Some(UnderWay { events: events.into_iter(), asked, asked_at, done });
        self.go_on(ctx);
    }

    fn hear(&mut self, answer: Answer, ctx: &mut Context<CustomerActor>) {
        let Answer { request, branch, outcome, position, balance, entry, waited } = answer;
        let customer = self.setup.id;
        let asked = self.visit.as_ref().and_then(|visit| Some((visit.asked?, visit.asked_at)));
        let (Some((Event { id, operation, .. }, asked_at)), true) =
            (asked, self.waits_for(request))
        else {
            log::debug!("customer {customer} got an answer that it does not wait for: {request}");
            return;
        };
        self.setup.recorder.record(|| Fact::ReplyReceived { customer, request, branch });
        if let Some(foul) = &mut self.setup.foul {
            foul.asked = None;
        }
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

    /// Whether the answer to its last request is still to come.
    fn waits_for(&self, request: RequestNumber) -> bool {
        let is_asking = self.setup.foul.as_ref().is_none_or(|foul| foul.asked.is_some());
        request == self.request_number() && is_asking
    }

    /// The number of the request that is asked next, or is being asked.
    fn request_number(&self) -> RequestNumber {
        let given_up = self.setup.foul.as_ref().map_or(0, |foul| foul.given_up);
        RequestNumber::new(count(self.requests.len()) + given_up).next()
    }

    /// A branch has stopped or started. Whoever waits for its answer gives up, and asks the same again.
    fn hear_news(&mut self, news: BranchNews, _: &mut Context<CustomerActor>) {
        let BranchNews { branch, is_up } = news;
        let (customer, request) = (self.setup.id, self.request_number());
        let Some(foul) = &mut self.setup.foul else { return };
        if is_up {
            foul.down.remove(&branch);
        } else {
            foul.down.insert(branch);
        }
        let gives_up = !is_up && foul.asked == Some(branch);
        let asks = gives_up || is_up && foul.is_stuck;
        if gives_up {
            foul.given_up += 1;
            self.setup.recorder.record(|| Fact::RequestGivenUp { customer, request, branch });
        }
        if let Some(event) = self.visit.as_ref().and_then(|visit| visit.asked).filter(|_| asks) {
            self.ask_at(branch, event);
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
    Due => wake,
    BranchNews => hear_news,
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
                foul: None,
                recorder: RecorderLink { clock, observer: None, detail: Detail::Essentials },
            });
            let (done, visited) = oneshot::channel();
            let event = |event| Event {
                id: EventId::new(event).unwrap(),
                branch: id,
                operation: Operation::Query,
            };
            let events = [1, 2, 3].map(event).into();
            address.do_send(MakeVisit { events, after: Vec::new(), done });
            visited.await.unwrap();
            let reads: Vec<u64> =
                shown.borrow().iter().map(|shown| shown.reads.get(place).get()).collect();
            assert_eq!(reads, [0, 5, 2]);
        });
    }
}
