//! What it costs to encode and decode a request and its answer, with no transport under it.

use std::hint::black_box;
use std::time::Duration;

use prost::Message;

use super::schedule::now;
use super::work::{Customer, Step, Work};
use crate::bank::Passbook;
use crate::grpc::proto::v1;
use crate::grpc::token::{passbook_of, token_of};
use crate::model::{Amount, BranchIndex, Guarantees, Money, Operation, Sequence, Write, WriteKind};

/// Long enough to drown the clock and what comes between, and no more.
const LONG_ENOUGH: Duration = Duration::from_millis(30);

/// The mean over the requests of a repetition: from an event to the bytes of a typed request, from
/// these to what the branch takes, from what it answers to the bytes of a response, and from these
/// to what the customer reads. Amounts and passbooks are made and read with it; gRPC's own five
/// bytes and HTTP/2 are not.
pub(super) fn cost(work: &Work) -> Duration {
    let mut passbook = Passbook::new(&work.roster);
    for index in work.roster.indexes() {
        // Counts of two bytes each, as in a round that has gone on for a while.
        passbook.writes.cover(index, Sequence::new(1000));
        passbook.reads.cover(index, Sequence::new(1000));
    }
    let token = token_of(&passbook, &work.keys.tokens, &work.roster);
    let exchange = Exchange { work, passbook, token };
    let start = now();
    let (mut requests, mut repetition) = (0_u32, 0_u32);
    while start.elapsed() < LONG_ENOUGH || requests == 0 {
        for worker in &work.workers {
            for step in &worker.steps {
                exchange.run(step, worker.customers[step.who], repetition);
                requests = requests.saturating_add(1);
            }
        }
        repetition = (repetition + 1) % work.repetitions_max();
    }
    start.elapsed() / requests
}

/// A request and its answer.
struct Exchange<'a> {
    work: &'a Work,
    passbook: Passbook,
    token: Vec<u8>,
}

/// What every response has.
const BALANCE: Money = Money::from_minor(40_000);

macro_rules! request {
    ($message:ident { $($field:ident),* }) => {{
        let request = v1::$message { $($field),* };
        v1::$message::decode(bytes(&request).as_slice()).ok()
    }};
}

macro_rules! response {
    ($message:ident { $($field:ident: $value:expr),* }, $exchange:expr) => {{
        let Work { keys, roster, .. } = $exchange.work;
        let passbook = token_of(&$exchange.passbook, &keys.tokens, roster);
        let (balance, position) = (BALANCE.to_string(), 1000);
        let response = v1::$message { $($field: $value,)* balance, position, passbook };
        let read = v1::$message::decode(bytes(&response).as_slice()).ok();
        black_box(read.map(|read| (read.balance.parse::<Money>(), read.passbook)));
    }};
}

impl Exchange<'_> {
    fn run(&self, step: &Step, customer: Customer, repetition: u32) {
        let event = self.work.event(step, repetition);
        let passbook = (customer.guarantees != Guarantees::NONE).then(|| self.token.clone());
        let branch_id = self.branch(step.branch);
        let (customer_id, event_id) = (customer.id.get(), Some(event.id.get()));
        match event.operation {
            Operation::Query => {
                let read = request!(QueryRequest { branch_id, customer_id, event_id, passbook });
                self.read(read.and_then(|read| read.passbook));
                response!(QueryResponse {}, self);
            }
            Operation::Write(Write { kind, amount }) => {
                let (amount, told) = (amount.to_string(), event.id.get());
                match kind {
                    WriteKind::Deposit => {
                        let read = request!(DepositRequest {
                            branch_id,
                            customer_id,
                            event_id,
                            amount,
                            passbook
                        });
                        self.read_write(read.map(|read| (read.amount, read.passbook)));
                        response!(DepositResponse { event_id: told }, self);
                    }
                    WriteKind::Withdraw => {
                        let read = request!(WithdrawRequest {
                            branch_id,
                            customer_id,
                            event_id,
                            amount,
                            passbook
                        });
                        self.read_write(read.map(|read| (read.amount, read.passbook)));
                        response!(WithdrawResponse { event_id: told }, self);
                    }
                }
            }
        }
    }

    fn branch(&self, index: BranchIndex) -> u32 {
        self.work.roster.id(index).get()
    }

    fn read_write(&self, request: Option<(String, Option<Vec<u8>>)>) {
        if let Some((amount, passbook)) = request {
            black_box(amount.parse::<Money>().map(Amount::try_from)).ok();
            self.read(passbook);
        }
    }

    fn read(&self, token: Option<Vec<u8>>) {
        let Work { keys, roster, .. } = self.work;
        let read = |token: Vec<u8>| passbook_of(&token, &keys.tokens, roster);
        black_box(token.map(read));
    }
}

fn bytes(message: &impl Message) -> Vec<u8> {
    black_box(message.encode_to_vec())
}
