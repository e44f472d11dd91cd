//! actix: what passbook has.

use actix::{ActorContext, Addr, Context, Handler, Message, System};
use passbook::Scenario;

use super::on_tokio::one_thread;
use crate::actor::{Actor, Framework, Next, run};
use crate::bank::Closed;

struct Actix;

struct Shell<A>(A);

struct Letter<M>(M);

impl<M> Message for Letter<M> {
    type Result = ();
}

impl<A: Actor> actix::Actor for Shell<A> {
    type Context = Context<Self>;
}

impl<A: Actor> Handler<Letter<A::Message>> for Shell<A> {
    type Result = ();

    fn handle(&mut self, Letter(message): Letter<A::Message>, context: &mut Context<Self>) {
        if self.0.take(message) == Next::Stop {
            context.stop();
        }
    }
}

impl Framework for Actix {
    type Address<A: Actor> = Addr<Shell<A>>;

    async fn start<A: Actor>(actor: A) -> Addr<Shell<A>> {
        actix::Actor::start(Shell(actor))
    }

    fn send<A: Actor>(to: &Addr<Shell<A>>, message: A::Message) {
        to.do_send(Letter(message));
    }
}

/// Runs the bank `times` times, and returns the last.
pub(crate) fn on_actix(scenario: &Scenario, times: usize) -> Closed {
    System::with_tokio_rt(one_thread).block_on(async {
        let mut closed = Closed::default();
        for _ in 0..times {
            closed = run::<Actix>(scenario).await;
        }
        closed
    })
}
