//! The run as a history, for the judge. Each log of a branch is a branch of its own there: so one that
//! forgets is another one, and nothing has to be known of lives. A session that was told of a loss
//! goes on as another customer's; what survived is looked after in `customer.rs`.

use std::collections::BTreeMap;

use passbook::bank::{Applied, Reply, Ticket};
use passbook::check::{Case, JudgeOptions, Overall, Property, judge_cut_off};
use passbook::history::{Fact, Recorded};
use passbook::model::{
    BranchId, CustomerId, Life, LogEntry, LogPosition, Money, Operation, RequestNumber, Roster,
    Time, WriteId,
};

use crate::checks::Fault;

#[derive(Default)]
pub(crate) struct Judged {
    facts: Vec<Recorded>,
    /// Under which names the sessions of a customer go.
    names: BTreeMap<CustomerId, Name>,
    /// Whose request waits, and at which log.
    awaited: BTreeMap<Ticket, (CustomerId, u32)>,
    /// Under which name a write was made.
    made: BTreeMap<WriteId, CustomerId>,
    logs: u32,
}

#[derive(Clone, Copy)]
struct Name {
    session: u32,
    requests: u64,
}

/// The branch that a log is.
fn log_branch(log: u32) -> BranchId {
    BranchId::new(log.into()).unwrap()
}

impl Judged {
    pub(crate) fn begins_log(&mut self, log: u32, _: BranchId) {
        self.logs = log;
    }

    fn add(&mut self, at: Time, fact: Fact) {
        self.facts.push(Recorded { at, fact });
    }

    fn name(&self, customer: CustomerId) -> CustomerId {
        let session = self.names.get(&customer).map_or(0, |name| name.session);
        CustomerId::new(i64::from(customer.get() + 10 * session)).unwrap()
    }

    fn named(&self, id: WriteId) -> WriteId {
        WriteId { customer: self.made.get(&id).copied().unwrap_or(id.customer), ..id }
    }

    pub(crate) fn begins_anew(&mut self, customer: CustomerId) {
        let name = self.names.entry(customer).or_insert(Name { session: 0, requests: 0 });
        *name = Name { session: name.session + 1, requests: 0 };
    }

    pub(crate) fn asks(
        &mut self,
        (ticket, log): (Ticket, u32),
        id: WriteId,
        operation: Operation,
        at: Time,
    ) {
        self.awaited.insert(ticket, (id.customer, log));
        let customer = self.name(id.customer);
        let name = self.names.entry(id.customer).or_insert(Name { session: 0, requests: 0 });
        name.requests += 1;
        let request = RequestNumber::new(name.requests);
        if let Operation::Write(_) = operation {
            self.made.entry(id).or_insert(customer);
        }
        let (branch, event) = (log_branch(log), id.event);
        self.add(at, Fact::RequestSent { customer, request, branch, event, operation });
    }

    fn last(&self, customer: CustomerId) -> (CustomerId, RequestNumber) {
        let requests = self.names.get(&customer).map_or(0, |name| name.requests);
        (self.name(customer), RequestNumber::new(requests))
    }

    pub(crate) fn gives_up(&mut self, ticket: Ticket, at: Time) {
        let Some((customer, log)) = self.awaited.remove(&ticket) else { return };
        let ((customer, request), branch) = (self.last(customer), log_branch(log));
        self.add(at, Fact::RequestGivenUp { customer, request, branch });
    }

    pub(crate) fn replies(&mut self, reply: &Reply, at: Time) {
        let Some((customer, log)) = self.awaited.remove(&reply.ticket) else { return };
        let ((customer, request), branch) = (self.last(customer), log_branch(log));
        let (position, outcome) = (reply.position, reply.outcome.clone());
        self.add(at, Fact::ReplySent { branch, customer, request, position, outcome });
        self.add(at, Fact::ReplyReceived { customer, request, branch });
    }

    pub(crate) fn applies(&mut self, log: u32, applied: Applied, at: Time) {
        let Applied { dot, id, write, position, balance } = applied;
        let fact = Fact::WriteApplied {
            branch: log_branch(log),
            id: self.named(id),
            write,
            origin: log_branch(dot.origin.get()),
            life: Some(Life::new(dot.life.get())),
            sequence: dot.sequence,
            position,
            balance,
        };
        self.add(at, fact);
    }

    pub(crate) fn keeps(&mut self, log: u32, kept: impl Iterator<Item = LogEntry>, at: Time) {
        let (mut position, mut balance) = (LogPosition::default(), Money::ZERO);
        for LogEntry { dot, id, write } in kept {
            position = position.next();
            balance = balance.checked_add(write.delta()).unwrap();
            self.applies(log, Applied { dot, id, write, position, balance }, at);
        }
    }

    /// What the judge says of the guarantees of every session, in every log.
    pub(crate) fn verdict(self) -> Result<(), Fault> {
        let roster = Roster::new((1..=self.logs).map(log_branch)).unwrap();
        let case = Case::new(roster, Money::ZERO);
        let verdicts = judge_cut_off(case, JudgeOptions::default(), &self.facts);
        let verdicts = verdicts.map_err(|error| format!("no history: {error}"))?;
        for property in [
            Property::ReadYourWrites,
            Property::MonotonicReads,
            Property::MonotonicWrites,
            Property::WritesFollowReads,
            Property::Balances,
        ] {
            let verdict = verdicts.of(property).unwrap();
            if verdict.summary() == Overall::Violated {
                return Err(format!("{property}: {verdict:?}"));
            }
        }
        Ok(())
    }
}
