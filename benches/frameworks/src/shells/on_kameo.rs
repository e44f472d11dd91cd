//! kameo, with a mailbox that has no bound in place of its own of 64 messages: a branch that waits
//! for room at another, which waits for room at the first, would wait for ever.

use std::convert::Infallible;

use kameo::actor::{ActorRef, Spawn};
use kameo::mailbox::unbounded;
use kameo::message::{Context, Message};
use passbook::Scenario;

use super::on_tokio::run_on_tokio;
use crate::actor::{Actor, Framework, Next};
use crate::bank::Closed;

struct Kameo;

struct Shell<A>(A);

impl<A: Actor> kameo::Actor for Shell<A> {
    type Args = Self;
    type Error = Infallible;

    async fn on_start(actor: Self, _: ActorRef<Self>) -> Result<Self, Infallible> {
        Ok(actor)
    }
}

impl<A: Actor> Message<A::Message> for Shell<A> {
    type Reply = ();

    async fn handle(&mut self, message: A::Message, context: &mut Context<Self, ()>) {
        if self.0.take(message) == Next::Stop {
            context.stop();
        }
    }
}

impl Framework for Kameo {
    type Address<A: Actor> = ActorRef<Shell<A>>;

    async fn start<A: Actor>(actor: A) -> ActorRef<Shell<A>> {
        Shell::spawn_with_mailbox(Shell(actor), unbounded())
    }

    fn send<A: Actor>(to: &ActorRef<Shell<A>>, message: A::Message) {
        assert!(to.tell(message).try_send().is_ok(), "it lives");
    }
}

/// Runs the bank `times` times, and returns the last.
pub(crate) fn on_kameo(scenario: &Scenario, times: usize) -> Closed {
    run_on_tokio::<Kameo>(scenario, times)
}
