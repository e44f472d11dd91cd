//! xtra, on tokio. Each of its messages has an answer; nobody waits for it here.

use futures_util::FutureExt;
use passbook::Scenario;
use xtra::{Address, Context, Handler, Mailbox};

use super::on_tokio::run_on_tokio;
use crate::actor::{Actor, Framework, Next};
use crate::bank::Closed;

struct Xtra;

struct Shell<A>(A);

struct Letter<M>(M);

impl<A: Actor> xtra::Actor for Shell<A> {
    type Stop = ();

    async fn stopped(self) {}
}

impl<A: Actor> Handler<Letter<A::Message>> for Shell<A> {
    type Return = ();

    async fn handle(&mut self, Letter(message): Letter<A::Message>, context: &mut Context<Self>) {
        if self.0.take(message) == Next::Stop {
            context.stop_self();
        }
    }
}

impl Framework for Xtra {
    type Address<A: Actor> = Address<Shell<A>>;

    async fn start<A: Actor>(actor: A) -> Address<Shell<A>> {
        xtra::spawn_tokio(Shell(actor), Mailbox::unbounded())
    }

    fn send<A: Actor>(to: &Address<Shell<A>>, message: A::Message) {
        let sent = to.send(Letter(message)).detach().now_or_never();
        assert!(matches!(sent, Some(Ok(_))), "it lives, and has room");
    }
}

/// Runs the bank `times` times, and returns the last.
pub(crate) fn on_xtra(scenario: &Scenario, times: usize) -> Closed {
    run_on_tokio::<Xtra>(scenario, times)
}
