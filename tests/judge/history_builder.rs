//! The library's builder of histories, in short words: numbers for ids, whole units of money, and
//! writes that are known by their ids once they were asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use passbook::check::{Case, JudgeError, JudgeOptions, Verdicts, judge, judge_cut_off};
use passbook::history::{self, Fact, Header, Recorded, Terms};
use passbook::model::{
    BranchId, CustomerId, EventId, Life, Lost, Money, Operation, Outcome, Receipt, Refusal,
    RequestError, Roster, Write, WriteId,
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

pub(crate) fn lost() -> Outcome {
    let lost = Lost { branch: branch(1), life: Life::new(1), writes: 1 };
    Err(RequestError::WritesLost { lost: vec![lost], more: 0 })
}

#[derive(Debug, Clone)]
pub(crate) struct HistoryBuilder {
    pub(crate) roster: Arc<Roster>,
    pub(crate) opening: Money,
    /// What was promised; `None` where nobody says.
    pub(crate) terms: Option<Terms>,
    pub(crate) facts: Vec<Recorded>,
    books: history::HistoryBuilder,
    contents: BTreeMap<WriteId, Write>,
}

impl HistoryBuilder {
    /// A bank of `branches` branches that hold `opening` units each.
    pub(crate) fn new(branches: u32, opening: i64) -> Self {
        let roster = Roster::new((1..=branches).map(branch)).unwrap();
        let header = Header::new("history", roster, Money::from_minor(opening * 100));
        Self {
            books: history::HistoryBuilder::new(&header),
            roster: header.roster,
            opening: header.opening_balance,
            terms: None,
            facts: Vec::new(),
            contents: BTreeMap::new(),
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

    /// What the judge says where the end is lost.
    pub(crate) fn judge_cut_off(&self) -> Result<Verdicts, JudgeError> {
        judge_cut_off(self.case(), JudgeOptions::default(), &self.facts)
    }

    pub(crate) fn case(&self) -> Case {
        let mut case = Case::new(Arc::clone(&self.roster), self.opening);
        case.terms = self.terms.clone();
        case
    }

    fn tell(&mut self, tell: impl FnOnce(&mut history::HistoryBuilder)) -> &mut Self {
        let told = self.books.facts().len();
        tell(&mut self.books);
        self.facts.extend_from_slice(&self.books.facts()[told..]);
        self
    }

    pub(crate) fn add(&mut self, fact: Fact) -> &mut Self {
        self.tell(|books| {
            books.add(fact);
        })
    }

    pub(crate) fn asks(
        &mut self,
        who: u32,
        at: u32,
        event: u32,
        operation: Operation,
    ) -> &mut Self {
        let id = write_id(who, event);
        if let Operation::Write(write) = operation {
            self.contents.entry(id).or_insert(write);
        }
        self.tell(|books| {
            books.asks(id, branch(at), operation);
        })
    }

    /// The customer's last request comes to its branch.
    pub(crate) fn comes(&mut self, who: u32) -> &mut Self {
        let customer = customer(who);
        let (request, branch) = self.books.last(customer).unwrap();
        self.add(Fact::RequestReceived { branch, customer, request })
    }

    /// The customer waits no longer for the answer to its last request.
    pub(crate) fn gives_up(&mut self, who: u32) -> &mut Self {
        self.tell(|books| {
            books.gives_up(customer(who));
        })
    }

    pub(crate) fn stops(&mut self, at: u32) -> &mut Self {
        self.tell(|books| {
            books.stops(branch(at));
        })
    }

    /// A branch starts again with the first writes of its log.
    pub(crate) fn starts(&mut self, at: u32, kept: usize) -> &mut Self {
        self.tell(|books| {
            books.starts(branch(at), kept);
        })
    }

    /// The customer is told, in answer to its last request, that writes are lost.
    pub(crate) fn hears_of_loss(&mut self, who: u32) -> &mut Self {
        self.answers(who, lost()).hears(who)
    }

    /// The reply to the customer's last request is sent.
    pub(crate) fn answers(&mut self, who: u32, outcome: Outcome) -> &mut Self {
        self.tell(|books| {
            books.answers(customer(who), outcome);
        })
    }

    /// The reply to the customer's last request arrives.
    pub(crate) fn hears(&mut self, who: u32) -> &mut Self {
        self.tell(|books| {
            books.hears(customer(who));
        })
    }

    /// A branch applies a write with the content that was asked for first under its id.
    pub(crate) fn applies(&mut self, at: u32, who: u32, event: u32) -> &mut Self {
        let id = write_id(who, event);
        self.applies_as(at, id, self.contents[&id])
    }

    pub(crate) fn applies_as(&mut self, at: u32, id: WriteId, write: Write) -> &mut Self {
        self.tell(|books| {
            books.applies(branch(at), id, write);
        })
    }

    /// A write that its branch applies at once and acknowledges.
    pub(crate) fn writes(&mut self, who: u32, at: u32, event: u32, write: Write) -> &mut Self {
        self.asks(who, at, event, Operation::Write(write)).applies(at, who, event);
        self.answers(who, Ok(Receipt::Written)).hears(who)
    }

    /// The balance of a branch.
    pub(crate) fn balance(&self, at: u32) -> Money {
        self.books.log(branch(at)).1
    }

    /// A read that is answered with the balance of its branch.
    pub(crate) fn reads(&mut self, who: u32, at: u32, event: u32) -> &mut Self {
        let (_, balance) = self.books.log(branch(at));
        self.asks(who, at, event, Operation::Query);
        self.answers(who, Ok(Receipt::Balance(balance))).hears(who)
    }
}
