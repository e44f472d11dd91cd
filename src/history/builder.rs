//! Tells a history by hand: what sessions asked and were told, and what each branch applied.
//!
//! Keeps the books that a history needs, and no others: the place of each write in a branch's log,
//! the balance after it, and the number of each request. Anything may happen in it.

use std::collections::BTreeMap;

use super::{Fact, Header, Recorded};
use crate::model::{
    BranchId, CustomerId, EventId, Life, LogPosition, Money, Operation, Outcome, Receipt,
    RequestNumber, Sequence, Time, Write, WriteId,
};

/// The facts of a run, told one by one. Each is a microsecond after the one before.
///
/// What cannot have happened is told all the same, and the judge says what it is.
#[derive(Debug, Clone)]
pub struct HistoryBuilder {
    opening_balance: Money,
    facts: Vec<Recorded>,
    /// The balance of each branch after each write in its log.
    logs: BTreeMap<BranchId, Vec<Money>>,
    /// How often each branch has started again.
    starts: BTreeMap<BranchId, u64>,
    /// The last request of each customer: its number and branch.
    asked: BTreeMap<CustomerId, (u64, BranchId)>,
    /// The branch that applied each write first, and how many writes there were before.
    origins: BTreeMap<(WriteId, Write), (BranchId, u64)>,
}

impl HistoryBuilder {
    /// A history with this header, in which nothing has happened yet.
    pub fn new(header: &Header) -> Self {
        Self {
            opening_balance: header.opening_balance,
            facts: Vec::new(),
            logs: BTreeMap::new(),
            starts: BTreeMap::new(),
            asked: BTreeMap::new(),
            origins: BTreeMap::new(),
        }
    }

    /// All that has happened, in order.
    pub fn facts(&self) -> &[Recorded] {
        &self.facts
    }

    /// The same, for keeps.
    pub fn into_facts(self) -> Vec<Recorded> {
        self.facts
    }

    /// A customer makes a write: its branch applies it, and the customer is told so. The write is
    /// named by the number of the customer's request.
    ///
    /// # Panics
    ///
    /// After more requests of one customer than there are event ids, about four thousand million.
    pub fn writes(&mut self, customer: CustomerId, branch: BranchId, write: Write) -> WriteId {
        let id = WriteId { customer, event: self.next_event(customer) };
        self.asks(id, branch, Operation::Write(write)).applies(branch, id, write);
        self.answers(customer, Ok(Receipt::Written)).hears(customer);
        id
    }

    /// A customer asks a branch for its balance, and is told `balance`. The judge holds it against
    /// what the branch has applied by now.
    ///
    /// # Panics
    ///
    /// As [`HistoryBuilder::writes`].
    pub fn reads(&mut self, customer: CustomerId, branch: BranchId, balance: Money) -> &mut Self {
        let id = WriteId { customer, event: self.next_event(customer) };
        self.asks(id, branch, Operation::Query);
        self.answers(customer, Ok(Receipt::Balance(balance))).hears(customer)
    }

    /// A branch applies a write: its next one.
    pub fn applies(&mut self, branch: BranchId, id: WriteId, write: Write) -> &mut Self {
        let (len, balance) = self.log(branch);
        let balance = balance.saturating_add(write.delta());
        self.logs.entry(branch).or_default().push(balance);
        // Each write is of a life of its own, so that branches may apply them in any order.
        let next = self.origins.len();
        let next = u64::try_from(next).expect("a number in memory fits 64 bits");
        let (origin, life) = *self.origins.entry((id, write)).or_insert((branch, next));
        self.add(Fact::WriteApplied {
            branch,
            id,
            write,
            origin,
            life: Some(Life::new(life)),
            sequence: Sequence::new(1),
            position: LogPosition::new(len + 1),
            balance,
        })
    }

    /// A customer sends its next request, with the event id of `id`.
    pub fn asks(&mut self, id: WriteId, branch: BranchId, operation: Operation) -> &mut Self {
        let WriteId { customer, event } = id;
        let asked = self.asked.entry(customer).or_insert((0, branch));
        *asked = (asked.0 + 1, branch);
        let request = RequestNumber::new(asked.0);
        self.add(Fact::RequestSent { customer, request, branch, event, operation })
    }

    /// The branch that a customer asked last answers.
    pub fn answers(&mut self, customer: CustomerId, outcome: Outcome) -> &mut Self {
        let Some((request, branch)) = self.last(customer) else { return self };
        let position = LogPosition::new(self.log(branch).0);
        self.add(Fact::ReplySent { branch, customer, request, position, outcome })
    }

    /// The answer to a customer's last request arrives.
    pub fn hears(&mut self, customer: CustomerId) -> &mut Self {
        let Some((request, branch)) = self.last(customer) else { return self };
        self.add(Fact::ReplyReceived { customer, request, branch })
    }

    /// A customer waits no longer for the answer to its last request: what became of it is unknown.
    pub fn gives_up(&mut self, customer: CustomerId) -> &mut Self {
        let Some((request, branch)) = self.last(customer) else { return self };
        self.add(Fact::RequestGivenUp { customer, request, branch })
    }

    /// A branch stops.
    pub fn stops(&mut self, branch: BranchId) -> &mut Self {
        self.add(Fact::BranchStopped { branch })
    }

    /// A branch starts again with the first `kept` writes of its log, or with all if there are not
    /// as many.
    pub fn starts(&mut self, branch: BranchId, kept: usize) -> &mut Self {
        self.logs.entry(branch).or_default().truncate(kept);
        let starts = self.starts.entry(branch).or_insert(0);
        *starts += 1;
        // The first life is that before the first start.
        let life = Life::new(*starts + 1);
        let (kept, balance) = self.log(branch);
        self.add(Fact::BranchStarted { branch, life, kept: LogPosition::new(kept), balance })
    }

    /// Any other fact. Nothing is worked out of it.
    pub fn add(&mut self, fact: Fact) -> &mut Self {
        let at = u64::try_from(self.facts.len()).expect("a number in memory fits 64 bits");
        self.facts.push(Recorded { at: Time::from_us(at), fact });
        self
    }

    /// The last request of a customer, and its branch; `None` before the first. Who has asked
    /// nothing is told nothing.
    pub fn last(&self, customer: CustomerId) -> Option<(RequestNumber, BranchId)> {
        let (request, branch) = self.asked.get(&customer)?;
        Some((RequestNumber::new(*request), *branch))
    }

    /// How many writes a branch has applied, and its balance.
    pub fn log(&self, branch: BranchId) -> (u64, Money) {
        let log = self.logs.get(&branch).map_or(&[][..], Vec::as_slice);
        let len = u64::try_from(log.len()).expect("a number in memory fits 64 bits");
        (len, log.last().copied().unwrap_or(self.opening_balance))
    }

    fn next_event(&self, customer: CustomerId) -> EventId {
        let next = self.asked.get(&customer).map_or(1, |(request, _)| request + 1);
        let event = i64::try_from(next).ok().and_then(|next| EventId::new(next).ok());
        event.expect("a customer has no more requests than there are event ids")
    }
}
