//! ractor, on tokio.

use std::marker::PhantomData;

use passbook::Scenario;
use ractor::{ActorProcessingErr, ActorRef};

use super::on_tokio::run_on_tokio;
use crate::actor::{Actor, Framework, Next};
use crate::bank::Closed;

struct Ractor;

/// The actor itself is the state that ractor keeps for it.
struct Shell<A>(PhantomData<A>);

struct State<A>(A);

impl<A: Actor> ractor::Actor for Shell<A> {
    type Msg = A::Message;
    type State = State<A>;
    type Arguments = State<A>;

    async fn pre_start(
        &self,
        _: ActorRef<A::Message>,
        actor: State<A>,
    ) -> Result<State<A>, ActorProcessingErr> {
        Ok(actor)
    }

    async fn handle(
        &self,
        myself: ActorRef<A::Message>,
        message: A::Message,
        actor: &mut State<A>,
    ) -> Result<(), ActorProcessingErr> {
        if actor.0.take(message) == Next::Stop {
            myself.stop(None);
        }
        Ok(())
    }
}

impl Framework for Ractor {
    type Address<A: Actor> = ActorRef<A::Message>;

    async fn start<A: Actor>(actor: A) -> ActorRef<A::Message> {
        let started = ractor::Actor::spawn(None, Shell(PhantomData), State(actor)).await;
        started.expect("it cannot fail to start").0
    }

    fn send<A: Actor>(to: &ActorRef<A::Message>, message: A::Message) {
        assert!(to.cast(message).is_ok(), "it lives");
    }
}

/// Runs the bank `times` times, and returns the last.
pub(crate) fn on_ractor(scenario: &Scenario, times: usize) -> Closed {
    run_on_tokio::<Ractor>(scenario, times)
}
