//! The actors of a bank, whatever runs them, and how a bank is run with them: a framework starts an
//! actor, and sends it a message. All messages go one way; an answer is a message too.

use std::sync::Arc;

use passbook::Scenario;
use passbook::bank::{Input, Reply};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::bank::{Closed, Counter, Outgoing, Visitor};

/// What runs actors.
pub(crate) trait Framework: Sized + 'static {
    /// How an actor is reached.
    type Address<A: Actor>: Send + Sync + 'static;

    /// Starts `actor`, with a mailbox that has no bound.
    async fn start<A: Actor>(actor: A) -> Self::Address<A>;

    /// Puts `message` into a mailbox.
    fn send<A: Actor>(to: &Self::Address<A>, message: A::Message);
}

/// What an actor does, but for what a framework does for it.
pub(crate) trait Actor: Send + Sync + Unpin + 'static {
    /// What comes in its mailbox.
    type Message: Send + 'static;

    /// Handles one message.
    fn take(&mut self, message: Self::Message) -> Next;
}

/// What an actor does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Wait,
    Stop,
}

/// Whom an actor can reach.
pub(crate) struct Addresses<F: Framework> {
    branches: Vec<F::Address<BranchActor<F>>>,
    customers: Vec<F::Address<CustomerActor<F>>>,
    news: UnboundedSender<News>,
}

/// What whoever runs the bank is told.
enum News {
    Settled,
    BranchStops(Box<Counter>),
    CustomerStops(Visitor),
}

/// A branch of the bank. What it holds goes with the news that it stops.
pub(crate) struct BranchActor<F: Framework> {
    /// Boxed, for an actor is moved many times until it runs.
    counter: Option<Box<Counter>>,
    addresses: Option<Arc<Addresses<F>>>,
}

/// What a branch's mailbox takes.
pub(crate) enum ToBranch<F: Framework> {
    Open(Arc<Addresses<F>>),
    Input(Input),
    Close,
}

impl<F: Framework> Actor for BranchActor<F> {
    type Message = ToBranch<F>;

    fn take(&mut self, message: ToBranch<F>) -> Next {
        match (message, &self.addresses) {
            (ToBranch::Open(addresses), _) => self.addresses = Some(addresses),
            (ToBranch::Input(input), Some(addresses)) => {
                let counter = self.counter.as_mut().expect("it has not stopped");
                counter.take(input, |outgoing| addresses.send(outgoing));
            }
            (ToBranch::Close, Some(addresses)) => {
                let counter = self.counter.take().expect("it stops once");
                addresses.tell(News::BranchStops(counter));
                return Next::Stop;
            }
            (ToBranch::Input(_) | ToBranch::Close, None) => panic!("opened before all else"),
        }
        Next::Wait
    }
}

/// A customer of the bank; it goes with the news that it stops.
pub(crate) struct CustomerActor<F: Framework> {
    visitor: Option<Visitor>,
    addresses: Option<Arc<Addresses<F>>>,
}

/// What a customer's mailbox takes.
pub(crate) enum ToCustomer<F: Framework> {
    Begin(Arc<Addresses<F>>),
    Reply(Reply),
}

impl<F: Framework> Actor for CustomerActor<F> {
    type Message = ToCustomer<F>;

    fn take(&mut self, message: ToCustomer<F>) -> Next {
        let visitor = self.visitor.as_mut().expect("it has not stopped");
        match message {
            ToCustomer::Begin(addresses) => self.addresses = Some(addresses),
            ToCustomer::Reply(reply) => visitor.hear(reply),
        }
        let addresses = self.addresses.as_ref().expect("it begins before all else");
        if let Some((to, input)) = visitor.ask() {
            addresses.send(Outgoing::ToBranch(to, input));
            return Next::Wait;
        }
        addresses.tell(News::CustomerStops(self.visitor.take().expect("it stops once")));
        Next::Stop
    }
}

impl<F: Framework> Addresses<F> {
    fn send(&self, outgoing: Outgoing) {
        match outgoing {
            Outgoing::ToBranch(to, input) => F::send(&self.branches[to], ToBranch::Input(input)),
            Outgoing::ToCustomer(to, reply) => {
                F::send(&self.customers[to], ToCustomer::Reply(reply));
            }
            Outgoing::Settled => self.tell(News::Settled),
        }
    }

    fn tell(&self, news: News) {
        assert!(self.news.send(news).is_ok(), "the bank is run to its end");
    }
}

/// Runs the bank of `scenario` to its end: its actors start, all customers are served at once, all
/// writes settle, and the actors stop.
pub(crate) async fn run<F: Framework>(scenario: &Scenario) -> Closed {
    let (news, mut told) = unbounded_channel();
    let (mut branches, mut customers) = (Vec::new(), Vec::new());
    for counter in Counter::all(scenario) {
        let actor = BranchActor { counter: Some(Box::new(counter)), addresses: None };
        branches.push(F::start(actor).await);
    }
    for visitor in Visitor::all(scenario) {
        let actor = CustomerActor { visitor: Some(visitor), addresses: None };
        customers.push(F::start(actor).await);
    }
    let addresses = Arc::new(Addresses::<F> { branches, customers, news });
    let to_all = |message: &dyn Fn() -> ToBranch<F>| {
        for branch in &addresses.branches {
            F::send(branch, message());
        }
    };
    to_all(&|| ToBranch::Open(Arc::clone(&addresses)));
    for customer in &addresses.customers {
        F::send(customer, ToCustomer::Begin(Arc::clone(&addresses)));
    }
    let mut closed = Closed::default();
    hear(&mut told, addresses.customers.len(), &mut closed).await;
    to_all(&|| ToBranch::Input(Counter::settle()));
    hear(&mut told, addresses.branches.len(), &mut closed).await;
    to_all(&|| ToBranch::Close);
    hear(&mut told, addresses.branches.len(), &mut closed).await;
    closed
}

/// Waits for so many pieces of news.
async fn hear(told: &mut UnboundedReceiver<News>, pieces: usize, closed: &mut Closed) {
    for _ in 0..pieces {
        match told.recv().await.expect("actors live until they say that they stop") {
            News::Settled => {}
            News::BranchStops(counter) => closed.counters.push(*counter),
            News::CustomerStops(visitor) => closed.visitors.push(visitor),
        }
    }
}
