//! A task and a channel for each actor, and no framework.

use passbook::Scenario;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::actor::{Actor, Framework, Next, run};
use crate::bank::Closed;

struct Tokio;

impl Framework for Tokio {
    type Address<A: Actor> = UnboundedSender<A::Message>;

    async fn start<A: Actor>(mut actor: A) -> UnboundedSender<A::Message> {
        let (address, mut mailbox) = unbounded_channel();
        tokio::spawn(async move {
            while let Some(message) = mailbox.recv().await {
                if actor.take(message) == Next::Stop {
                    break;
                }
            }
        });
        address
    }

    fn send<A: Actor>(to: &UnboundedSender<A::Message>, message: A::Message) {
        assert!(to.send(message).is_ok(), "it lives");
    }
}

/// Runs the bank `times` times, and returns the last.
pub(crate) fn on_tokio(scenario: &Scenario, times: usize) -> Closed {
    run_on_tokio::<Tokio>(scenario, times)
}

/// The same with whatever starts its actors as tasks of tokio.
pub(super) fn run_on_tokio<F: Framework>(scenario: &Scenario, times: usize) -> Closed {
    one_thread().block_on(async {
        let mut closed = Closed::default();
        for _ in 0..times {
            closed = run::<F>(scenario).await;
        }
        closed
    })
}

/// The runtime of all that have one.
pub(super) fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("a runtime")
}
