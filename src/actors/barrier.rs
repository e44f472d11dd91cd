//! Where customers wait before their queries, so that a query sees every write that came before it.
//! Knows who is still on the way, and nothing of what anybody asks.

use std::sync::Arc;

use actix::{Actor, AsyncContext, Context, Handler, Message, Recipient};

use super::{AwaitSettled, ReplyTo, Settled};

/// Holds queries back until every customer stands at one or is at its end and all propagation is
/// done. Then all that wait are sent together, and no customer goes on until all are answered.
#[derive(Debug)]
pub struct Barrier {
    /// Who can say that all propagation is done; all of them have to.
    settle: Vec<Recipient<AwaitSettled>>,
    /// How many customers may yet write before they stand at a query.
    on_the_way: usize,
    /// Customers at a query that is not sent yet, in the order in which they came.
    waiting: Vec<Recipient<Signal>>,
    /// How many of `settle` have yet to say so.
    unsettled: usize,
    /// Customers whose query is sent.
    asking: Vec<Recipient<Signal>>,
    /// How many of those have no answer yet.
    unanswered: usize,
}

/// So many more customers set out; sent before any of them does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub struct SetOut {
    /// How many.
    pub customers: usize,
}

/// Where a customer stands.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) enum Stand {
    /// At a query; it is told when to send it, and when to go on.
    AtQuery(Recipient<Signal>),
    /// Its query is answered.
    Answered,
    /// At the end of its visit.
    AtEnd,
}

/// What a waiting customer is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub(super) enum Signal {
    /// To send its query.
    Ask,
    /// To go on after its query.
    GoOn,
}

impl Barrier {
    /// A barrier at which no customer stands yet. Propagation is done when all of `settle` say so.
    pub fn new(settle: Vec<Recipient<AwaitSettled>>) -> Self {
        Self {
            settle,
            on_the_way: 0,
            waiting: Vec::new(),
            unsettled: 0,
            asking: Vec::new(),
            unanswered: 0,
        }
    }

    fn leave_the_way(&mut self) {
        self.on_the_way = self.on_the_way.checked_sub(1).expect("who arrives has set out");
    }

    fn settle_if_all_stand(&mut self, ctx: &mut Context<Self>) {
        if self.on_the_way > 0 || self.waiting.is_empty() {
            return;
        }
        self.unsettled = self.settle.len();
        let here = Arc::new(ctx.address().recipient());
        for settle in &self.settle {
            settle.do_send(AwaitSettled { reply_to: ReplyTo::Mailbox(Arc::clone(&here)) });
        }
    }
}

impl Actor for Barrier {
    type Context = Context<Self>;
}

impl Handler<SetOut> for Barrier {
    type Result = ();

    fn handle(&mut self, SetOut { customers }: SetOut, _: &mut Self::Context) {
        self.on_the_way += customers;
    }
}

impl Handler<Stand> for Barrier {
    type Result = ();

    fn handle(&mut self, stand: Stand, ctx: &mut Self::Context) {
        match stand {
            Stand::AtQuery(customer) => {
                self.leave_the_way();
                self.waiting.push(customer);
                self.settle_if_all_stand(ctx);
            }
            Stand::AtEnd => {
                self.leave_the_way();
                self.settle_if_all_stand(ctx);
            }
            Stand::Answered => {
                self.unanswered -= 1;
                if self.unanswered == 0 {
                    self.on_the_way = self.asking.len();
                    for customer in self.asking.drain(..) {
                        customer.do_send(Signal::GoOn);
                    }
                }
            }
        }
    }
}

impl Handler<Settled> for Barrier {
    type Result = ();

    fn handle(&mut self, _: Settled, _: &mut Self::Context) {
        self.unsettled -= 1;
        if self.unsettled == 0 {
            self.asking = std::mem::take(&mut self.waiting);
            self.unanswered = self.asking.len();
            for customer in &self.asking {
                customer.do_send(Signal::Ask);
            }
        }
    }
}
