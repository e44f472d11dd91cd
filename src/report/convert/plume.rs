//! Plume's text, as checkers of transactions read it: `r|w(key,value,session,transaction)`, one
//! operation a line.
//!
//! Biswas and Enea's way to state a guarantee: each acknowledged write is a key of its own, 1 once
//! it is seen. Session 0 writes the zeros that all keys begin with, and each customer reads them
//! first. A query reads all keys. Each branch is an observer that reads all keys once for every
//! prefix of its log: so what a branch held, and in which order, binds what others may see.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::converter::{ConvertError, Converter, Entries};
use super::logs::{Logs, Naming, Prefix, WriteNumber};
use super::requests::{End, Requests, Step};
use crate::history::{Entry, Header};
use crate::model::number::count;
use crate::model::{CustomerId, Operation, WriteId};

/// The first session of a branch, where no customer has that number or a higher one.
const FIRST_OBSERVER: u64 = 1000;

#[derive(Debug, Default)]
pub(super) struct Plume {
    requests: Requests,
    logs: Logs,
    /// Which of `sessions` is a customer's: they are in the order in which the customers came.
    customers: BTreeMap<CustomerId, usize>,
    sessions: Vec<Session>,
    /// What a customer did whose answer has not come yet.
    under_way: BTreeMap<CustomerId, Did>,
}

/// A customer, and what it did.
#[derive(Debug)]
struct Session {
    number: u64,
    did: Vec<Did>,
}

#[derive(Debug)]
enum Did {
    Wrote(WriteNumber),
    Read(Prefix),
}

impl Converter for Plume {
    fn begin(&mut self, _out: &mut dyn Write, header: &Header) -> io::Result<()> {
        self.logs = Logs::new(header);
        Ok(())
    }

    fn add(&mut self, _out: &mut dyn Write, entry: &Entry) -> Result<(), ConvertError> {
        self.logs.add(&entry.recorded.fact);
        match self.requests.add(entry) {
            Some(Step::Sent(request)) => {
                let next = self.sessions.len();
                let session = *self.customers.entry(request.customer).or_insert(next);
                if session == next {
                    let number = request.customer.get().into();
                    self.sessions.push(Session { number, did: Vec::new() });
                }
            }
            // What a branch that loses its memory held is what it held when it answered.
            Some(Step::Replied(request)) => {
                let Some(reply) = &request.reply else { return Ok(()) };
                let did = match (&reply.outcome, request.operation) {
                    (Ok(_), Operation::Write(write)) => {
                        let id = WriteId { customer: request.customer, event: request.event };
                        match self.logs.name(id, write) {
                            Naming::First(number) | Naming::Again(number) => Did::Wrote(number),
                        }
                    }
                    (Ok(_), Operation::Query) => {
                        Did::Read(self.logs.prefix(request.branch, reply.position))
                    }
                    (Err(_), Operation::Write(_) | Operation::Query) => return Ok(()),
                };
                self.under_way.insert(request.customer, did);
            }
            Some(Step::Ended(ended)) => {
                let customer = ended.request.customer;
                let did = self.under_way.remove(&customer);
                let session = self.customers.get(&customer);
                if let (Some(did), Some(session), End::Answered) = (did, session, ended.how) {
                    self.sessions[*session].did.push(did);
                }
            }
            None => {}
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write) -> Result<(), ConvertError> {
        let mut text = Text::new(out, &self.sessions);
        Entries::default().add(self.entries(&text))?;
        for key in 1..=count(text.keys.len()) {
            text.write(key, 0, 0, 1)?;
        }
        text.transactions = 1;
        for session in &self.sessions {
            text.session(session, &self.logs)?;
        }
        let last = self.sessions.iter().map(|session| session.number).max();
        let first = last.map_or(FIRST_OBSERVER, |last| FIRST_OBSERVER.max(last + 1));
        for (session, log) in (first..).zip(self.logs.all()) {
            text.observer(session, log)?;
        }
        Ok(())
    }
}

impl Plume {
    /// How many lines there will be, and a little more.
    fn entries(&self, text: &Text<'_>) -> u64 {
        let did = self.sessions.iter().map(|session| count(session.did.len()) + 1);
        let seen = self.logs.all().iter().map(|log| count(log.len()) + 1);
        did.chain(seen).sum::<u64>().saturating_mul(count(text.keys.len()))
    }
}

/// The lines, as they are written.
struct Text<'a> {
    out: &'a mut dyn Write,
    /// The keys of the writes that were acknowledged.
    keys: BTreeMap<WriteNumber, u64>,
    transactions: u64,
}

impl<'a> Text<'a> {
    fn new(out: &'a mut dyn Write, sessions: &[Session]) -> Self {
        let mut keys = BTreeMap::new();
        for did in sessions.iter().flat_map(|session| &session.did) {
            if let Did::Wrote(number) = did {
                let next = count(keys.len()) + 1;
                keys.entry(*number).or_insert(next);
            }
        }
        Self { out, keys, transactions: 0 }
    }

    fn write(&mut self, key: u64, value: u8, session: u64, transaction: u64) -> io::Result<()> {
        writeln!(self.out, "w({key},{value},{session},{transaction})")
    }

    /// One customer.
    fn session(&mut self, session: &Session, logs: &Logs) -> io::Result<()> {
        let mut seen = Seen::new(self.keys.len());
        let &Session { number: session, ref did } = session;
        self.read(session, &seen)?;
        for did in did {
            match did {
                Did::Wrote(number) => {
                    self.transactions += 1;
                    let (key, transaction) = (self.keys[number], self.transactions);
                    self.write(key, 1, session, transaction)?;
                }
                Did::Read(prefix) => {
                    seen = Seen::new(self.keys.len());
                    logs.writes(*prefix).iter().for_each(|number| seen.add(*number, &self.keys));
                    self.read(session, &seen)?;
                }
            }
        }
        Ok(())
    }

    /// One log of a branch.
    fn observer(&mut self, session: u64, log: &[WriteNumber]) -> io::Result<()> {
        let mut seen = Seen::new(self.keys.len());
        self.read(session, &seen)?;
        for number in log {
            if self.keys.contains_key(number) {
                seen.add(*number, &self.keys);
                self.read(session, &seen)?;
            }
        }
        Ok(())
    }

    /// A transaction that reads all keys.
    fn read(&mut self, session: u64, seen: &Seen) -> io::Result<()> {
        if seen.0.is_empty() {
            return Ok(());
        }
        self.transactions += 1;
        for (key, value) in (1_u64..).zip(&seen.0) {
            writeln!(self.out, "r({key},{value},{session},{})", self.transactions)?;
        }
        Ok(())
    }
}

/// The value of each key, in their order.
struct Seen(Vec<u8>);

impl Seen {
    fn new(keys: usize) -> Self {
        Self(vec![0; keys])
    }

    fn add(&mut self, number: WriteNumber, keys: &BTreeMap<WriteNumber, u64>) {
        let place = keys.get(&number).and_then(|key| usize::try_from(key - 1).ok());
        if let Some(value) = place.and_then(|place| self.0.get_mut(place)) {
            *value = 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::HistoryBuilder;
    use crate::model::{Money, Roster, Write};
    use crate::report::convert::fixture::{entries, text};
    use crate::report::convert::{Target, convert};
    use crate::report::fixture::{amount, branch, customer};

    #[test]
    fn what_would_grow_without_an_end_is_refused_before_a_line_is_written() {
        // 5,000 keys are read by each branch 5,000 times, and there are four of those.
        let roster = Roster::new((1..=4).map(branch)).unwrap();
        let header = Header::new("many", roster, Money::ZERO);
        let mut history = HistoryBuilder::new(&header);
        let deposit = Write::deposit(amount(1));
        for _ in 0..5000 {
            let id = history.writes(customer(1), branch(1), deposit);
            (2..=4).for_each(|other| {
                history.applies(branch(other), id, deposit);
            });
        }
        let mut out = Vec::new();
        let refused =
            convert(Target::Plume, u64::MAX, &mut out, &header, entries(history.into_facts()));
        assert!(matches!(refused, Err(ConvertError::TooLarge)));
        assert!(out.is_empty());
    }

    #[test]
    fn no_branch_has_the_session_of_a_customer() {
        let header = Header::new("far", Roster::new([branch(1)]).unwrap(), Money::ZERO);
        let mut history = HistoryBuilder::new(&header);
        history.writes(customer(1000), branch(1), Write::deposit(amount(1)));
        let mut out = Vec::new();
        convert(Target::Plume, u64::MAX, &mut out, &header, entries(history.into_facts())).unwrap();
        let lines = "w(1,0,0,1)\nr(1,0,1000,2)\nw(1,1,1000,3)\nr(1,0,1001,4)\nr(1,1,1001,5)\n";
        assert_eq!(String::from_utf8(out).unwrap(), lines);
    }

    #[test]
    fn what_is_acknowledged_is_a_key_and_each_log_of_a_branch_an_observer() {
        // The withdrawal was given up and the second customer was told nothing: neither is there.
        // Branch 2 lost its memory, and begins again at nothing.
        let lines = "w(1,0,0,1) r(1,0,1,2) w(1,1,1,3) r(1,1,1,4) r(1,0,2,5) r(1,0,1000,6) \
                     r(1,1,1000,7) r(1,0,1001,8) r(1,1,1001,9) r(1,0,1002,10)";
        assert_eq!(text(Target::Plume).lines().collect::<Vec<_>>().join(" "), lines);
    }
}
