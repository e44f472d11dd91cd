//! Runs made by hand for tests: a bank in a few lines, with no branch, actor or runner behind it.

use std::sync::Arc;
use std::time::Duration;

use crate::history::{Fact, MessageBody, Recorded};
use crate::model::{
    Amount, BranchId, CustomerId, Dot, EventId, LogEntry, LogPosition, MessageNumber, Money,
    Operation, Outcome, Receipt, Refusal, RequestError, RequestNumber, Sequence, Time, Write,
    WriteId,
};
use crate::run::{
    BranchResult, CustomerResult, RequestResult, Run, RunConfig, RunResult, VisitResult,
};
use crate::scenario::{Output, WrittenIds};

pub(crate) fn branch(number: i64) -> BranchId {
    BranchId::new(number).unwrap()
}

pub(crate) fn customer(number: i64) -> CustomerId {
    CustomerId::new(number).unwrap()
}

pub(crate) fn event(number: i64) -> EventId {
    EventId::new(number).unwrap()
}

/// Whole units.
pub(crate) fn money(units: i64) -> Money {
    Money::from_minor(units * 100)
}

pub(crate) fn amount(units: i64) -> Amount {
    Amount::try_from(money(units)).unwrap()
}

/// A bank with sync propagation that opens with 0 and does one request after the other.
#[derive(Debug)]
pub(crate) struct Bank {
    result: RunResult,
    facts: Vec<Recorded>,
    messages: u64,
}

impl Bank {
    pub(crate) fn new(name: &str, branches: i64) -> Self {
        let branches = (1..=branches).map(|id| BranchResult {
            id: branch(id),
            balance: Money::ZERO,
            log: Arc::default(),
        });
        let result = RunResult {
            weather: None,
            scenario: name.to_owned(),
            description: None,
            config: RunConfig::default(),
            opening_balance: Money::ZERO,
            branches: branches.collect(),
            customers: Vec::new(),
            visits: Vec::new(),
            written_ids: WrittenIds::default(),
            warnings: Vec::new(),
            ended: Time::START,
            verdicts: None,
            expected: None,
            remote: None,
        };
        Self { result, facts: Vec::new(), messages: 0 }
    }

    pub(crate) fn config(mut self, config: RunConfig) -> Self {
        self.result.config = config;
        self
    }

    pub(crate) fn expect(mut self, expected: Output) -> Self {
        self.result.expected = Some(expected);
        self
    }

    pub(crate) fn deposit(self, who: i64, id: i64, units: i64, at: i64) -> Self {
        self.write(who, id, Write::deposit(amount(units)), at)
    }

    pub(crate) fn withdraw(self, who: i64, id: i64, units: i64, at: i64) -> Self {
        self.write(who, id, Write::withdraw(amount(units)), at)
    }

    pub(crate) fn query(mut self, who: i64, id: i64, at: i64) -> Self {
        self.ask(who, id, Operation::Query, at);
        let balance = self.at(at).balance;
        self.answer(write_id(who, id), Operation::Query, at, Ok(Receipt::Balance(balance)))
    }

    /// A withdrawal that the balance does not cover.
    pub(crate) fn refuse(mut self, who: i64, id: i64, units: i64, at: i64) -> Self {
        let operation = Operation::Write(Write::withdraw(amount(units)));
        self.ask(who, id, operation, at);
        let balance = self.at(at).balance;
        let refusal = Refusal::InsufficientFunds { balance, requested: money(units) };
        self.answer(write_id(who, id), operation, at, Err(RequestError::Refused(refusal)))
    }

    /// A deposit that is applied already.
    pub(crate) fn retry(mut self, who: i64, id: i64, units: i64, at: i64) -> Self {
        let operation = Operation::Write(Write::deposit(amount(units)));
        self.ask(who, id, operation, at);
        self.answer(write_id(who, id), operation, at, Ok(Receipt::Written))
    }

    /// A deposit that the highest branch has not confirmed when the customer is answered.
    pub(crate) fn unconfirmed(mut self, who: i64, id: i64, units: i64, at: i64) -> Self {
        let write = Write::deposit(amount(units));
        let last = i64::try_from(self.result.branches.len()).unwrap();
        let operation = Operation::Write(write);
        self.ask(who, id, operation, at);
        self.apply(write_id(who, id), write, at, at);
        for to in (1..last).filter(|&to| to != at) {
            self.propagate(write_id(who, id), write, at, to);
        }
        let body = MessageBody::Propagate { id: write_id(who, id) };
        self.messages += 1;
        let number = MessageNumber::new(self.messages);
        self.record(Fact::MessageSent { from: branch(at), to: branch(last), number, body });
        let outcome =
            Err(RequestError::OutcomeUnknown { unconfirmed_by: vec![branch(last)], more: 0 });
        let mut bank = self.answer(write_id(who, id), operation, at, outcome);
        bank.record(Fact::MessageReceived { from: branch(at), to: branch(last), number, body });
        bank.apply(write_id(who, id), write, at, last);
        bank
    }

    pub(crate) fn run(self) -> Run {
        Run { result: self.result, facts: self.facts, messages: 0, decided: None, restless: None }
    }

    fn write(mut self, who: i64, id: i64, write: Write, at: i64) -> Self {
        let last = i64::try_from(self.result.branches.len()).unwrap();
        self.ask(who, id, Operation::Write(write), at);
        self.apply(write_id(who, id), write, at, at);
        for to in (1..=last).filter(|&to| to != at) {
            self.propagate(write_id(who, id), write, at, to);
        }
        self.answer(write_id(who, id), Operation::Write(write), at, Ok(Receipt::Written))
    }

    fn propagate(&mut self, id: WriteId, write: Write, from: i64, to: i64) {
        let body = MessageBody::Propagate { id };
        self.send(from, to, body);
        self.apply(id, write, from, to);
        let log = &self.at(to).log;
        let write_set_len = log.iter().filter(|write| write.id.customer == id.customer).count();
        let write_set_len = u32::try_from(write_set_len).unwrap();
        self.send(to, from, MessageBody::Acknowledge { id, write_set_len });
        self.record(Fact::WriteSetCompared {
            branch: branch(from),
            with: branch(to),
            id,
            agrees: true,
        });
    }

    fn send(&mut self, from: i64, to: i64, body: MessageBody) {
        self.messages += 1;
        let (from, to, number) = (branch(from), branch(to), MessageNumber::new(self.messages));
        self.record(Fact::MessageSent { from, to, number, body });
        self.record(Fact::MessageReceived { from, to, number, body });
    }

    fn apply(&mut self, id: WriteId, write: Write, origin: i64, at: i64) {
        let of_origin = |logged: &&LogEntry| logged.dot.origin == branch(origin);
        let at = self.at(at);
        let earlier = at.log.iter().filter(of_origin).count();
        let sequence = Sequence::new(u32::try_from(earlier).unwrap()).next();
        at.balance = at.balance.checked_add(write.delta()).unwrap();
        let origin = branch(origin);
        Arc::make_mut(&mut at.log).push(LogEntry {
            id,
            write,
            dot: Dot::first_life(origin, sequence),
        });
        let position = LogPosition::new(u64::try_from(at.log.len()).unwrap());
        let (branch, balance) = (at.id, at.balance);
        self.record(Fact::WriteApplied {
            branch,
            id,
            write,
            origin,
            life: None,
            sequence,
            position,
            balance,
        });
    }

    fn ask(&mut self, who: i64, id: i64, operation: Operation, at: i64) {
        let (customer, request, branch) =
            (customer(who), self.next_request(customer(who)), branch(at));
        let event = event(id);
        self.record(Fact::RequestSent { customer, request, branch, event, operation });
        self.record(Fact::RequestReceived { branch, customer, request });
    }

    fn answer(mut self, id: WriteId, operation: Operation, at: i64, outcome: Outcome) -> Self {
        let (customer, number) = (id.customer, self.next_request(id.customer));
        let (branch, balance) = (branch(at), self.at(at).balance);
        let position = LogPosition::new(u64::try_from(self.at(at).log.len()).unwrap());
        let reply = outcome.clone();
        self.record(Fact::ReplySent {
            branch,
            customer,
            request: number,
            position,
            outcome: reply,
        });
        self.record(Fact::ReplyReceived { customer, request: number, branch });
        let event = id.event;
        let request = RequestResult {
            number,
            event,
            branch,
            operation,
            outcome,
            position,
            balance,
            took: Duration::ZERO,
            waited: None,
        };
        match self.result.visits.last_mut() {
            Some(visit) if visit.customer == customer => visit.requests += 1,
            Some(_) | None => self.result.visits.push(VisitResult { customer, requests: 1 }),
        }
        match self.result.customers.iter_mut().find(|other| other.id == customer) {
            Some(known) => known.requests.push(request),
            None => {
                self.result
                    .customers
                    .push(CustomerResult { id: customer, requests: vec![request] });
            }
        }
        self
    }

    fn next_request(&self, who: CustomerId) -> RequestNumber {
        let known = self.result.customers.iter().find(|known| known.id == who);
        let made = known.map_or(0, |known| known.requests.len());
        RequestNumber::new(u64::try_from(made).unwrap()).next()
    }

    fn at(&mut self, number: i64) -> &mut BranchResult {
        self.result.branches.iter_mut().find(|other| other.id == branch(number)).unwrap()
    }

    fn record(&mut self, fact: Fact) {
        self.facts.push(Recorded { at: Time::START, fact });
    }
}

fn write_id(who: i64, id: i64) -> WriteId {
    WriteId { customer: customer(who), event: event(id) }
}
