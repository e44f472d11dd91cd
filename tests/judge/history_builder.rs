//! Tells a history fact by fact, with the positions and balances that an honest branch would
//! record. Anything can happen in a history; only its own bookkeeping is right.

use std::collections::BTreeMap;
use std::sync::Arc;

use passbook::check::{Case, JudgeError, JudgeOptions, Verdicts, judge};
use passbook::history::{Fact, Recorded, Terms};
use passbook::model::{
    BranchId, CustomerId, EventId, Life, LogPosition, Money, Operation, Outcome, Receipt, Refusal,
    RequestError, RequestNumber, Roster, Sequence, Time, Write, WriteId,
};

pub(crate) fn branch(id: u32) -> BranchId {
    BranchId::new(id.into()).unwrap()
}

pub(crate) fn customer(id: u32) -> CustomerId {
    CustomerId::new(id.into()).unwrap()
}

pub(crate) fn write_id(customer_id: u32, event: u32) -> WriteId {
    WriteId { customer: customer(customer_id), event: EventId::new(event.into()).unwrap() }
}

pub(crate) fn deposit(units: i64) -> Write {
    Write::deposit(Money::from_minor(units * 100).try_into().unwrap())
}

pub(crate) fn withdrawal(units: i64) -> Write {
    Write::withdraw(Money::from_minor(units * 100).try_into().unwrap())
}

pub(crate) fn refused() -> Outcome {
    Err(RequestError::Refused(Refusal::OutOfOrder { latest: EventId::new(1).unwrap() }))
}

pub(crate) fn unknown() -> Outcome {
    Err(RequestError::OutcomeUnknown { unconfirmed_by: vec![branch(1)], more: 0 })
}

#[derive(Debug, Clone)]
pub(crate) struct HistoryBuilder {
    pub(crate) roster: Arc<Roster>,
    pub(crate) opening: Money,
    /// What was promised; `None` where nobody says.
    pub(crate) terms: Option<Terms>,
    pub(crate) facts: Vec<Recorded>,
    logs: BTreeMap<BranchId, (u64, Money)>,
    /// The last request of each customer: its number and branch.
    asked: BTreeMap<CustomerId, (u64, BranchId)>,
    contents: BTreeMap<WriteId, Write>,
    /// The branch that applied each write first, and how many writes there were before.
    origins: BTreeMap<(WriteId, Write), (BranchId, u64)>,
}

impl HistoryBuilder {
    /// A bank of `branches` branches that hold `opening` units each.
    pub(crate) fn new(branches: u32, opening: i64) -> Self {
        Self {
            roster: Roster::new((1..=branches).map(branch)).unwrap().into(),
            opening: Money::from_minor(opening * 100),
            terms: None,
            facts: Vec::new(),
            logs: BTreeMap::new(),
            asked: BTreeMap::new(),
            contents: BTreeMap::new(),
            origins: BTreeMap::new(),
        }
    }

    /// The same bank, where this is promised.
    pub(crate) fn promising(self, terms: Option<Terms>) -> Self {
        Self { terms, ..self }
    }

    pub(crate) fn judge(&self) -> Result<Verdicts, JudgeError> {
        self.judge_with(JudgeOptions::default())
    }

    pub(crate) fn judge_with(&self, options: JudgeOptions) -> Result<Verdicts, JudgeError> {
        judge(self.case(), options, &self.facts)
    }

    pub(crate) fn case(&self) -> Case {
        let (roster, opening_balance) = (Arc::clone(&self.roster), self.opening);
        Case { roster, opening_balance, terms: self.terms.clone() }
    }

    pub(crate) fn add(&mut self, fact: Fact) -> &mut Self {
        let at = Time::from_us(u64::try_from(self.facts.len()).unwrap());
        self.facts.push(Recorded { at, fact });
        self
    }

    pub(crate) fn asks(
        &mut self,
        who: u32,
        at: u32,
        event: u32,
        operation: Operation,
    ) -> &mut Self {
        let (customer, branch) = (customer(who), branch(at));
        let id = write_id(who, event);
        if let Operation::Write(write) = operation {
            self.contents.entry(id).or_insert(write);
        }
        let asked = self.asked.entry(customer).or_insert((0, branch));
        *asked = (asked.0 + 1, branch);
        let request = RequestNumber::new(asked.0);
        self.add(Fact::RequestSent { customer, request, branch, event: id.event, operation })
    }

    /// The customer's last request comes to its branch.
    pub(crate) fn comes(&mut self, who: u32) -> &mut Self {
        let customer = customer(who);
        let (request, branch) = self.asked[&customer];
        self.add(Fact::RequestReceived { branch, customer, request: RequestNumber::new(request) })
    }

    /// The customer waits no longer for the answer to its last request.
    pub(crate) fn gives_up(&mut self, who: u32) -> &mut Self {
        let customer = customer(who);
        let (request, branch) = self.asked[&customer];
        self.add(Fact::RequestGivenUp { customer, request: RequestNumber::new(request), branch })
    }

    /// The reply to the customer's last request is sent.
    pub(crate) fn answers(&mut self, who: u32, outcome: Outcome) -> &mut Self {
        let customer = customer(who);
        let (request, branch) = self.asked[&customer];
        let position = LogPosition::new(self.log(branch).0);
        let request = RequestNumber::new(request);
        self.add(Fact::ReplySent { branch, customer, request, position, outcome })
    }

    /// The reply to the customer's last request arrives.
    pub(crate) fn hears(&mut self, who: u32) -> &mut Self {
        let customer = customer(who);
        let (request, branch) = self.asked[&customer];
        self.add(Fact::ReplyReceived { customer, request: RequestNumber::new(request), branch })
    }

    /// A branch applies a write with the content that was asked for first under its id.
    pub(crate) fn applies(&mut self, at: u32, who: u32, event: u32) -> &mut Self {
        let id = write_id(who, event);
        self.applies_as(at, id, self.contents[&id])
    }

    pub(crate) fn applies_as(&mut self, at: u32, id: WriteId, write: Write) -> &mut Self {
        let branch = branch(at);
        let (len, balance) = self.log(branch);
        let balance = balance.checked_add(write.delta()).unwrap();
        self.logs.insert(branch, (len + 1, balance));
        // Each write is of a life of its own, so that any order of them is possible.
        let next = u64::try_from(self.origins.len()).unwrap();
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

    fn log(&self, branch: BranchId) -> (u64, Money) {
        self.logs.get(&branch).copied().unwrap_or((0, self.opening))
    }

    /// A write that its branch applies at once and acknowledges.
    pub(crate) fn writes(&mut self, who: u32, at: u32, event: u32, write: Write) -> &mut Self {
        self.asks(who, at, event, Operation::Write(write)).applies(at, who, event);
        self.answers(who, Ok(Receipt::Written)).hears(who)
    }

    /// A read that is answered with the balance of its branch.
    pub(crate) fn reads(&mut self, who: u32, at: u32, event: u32) -> &mut Self {
        let (_, balance) = self.log(branch(at));
        self.asks(who, at, event, Operation::Query);
        self.answers(who, Ok(Receipt::Balance(balance))).hears(who)
    }
}
