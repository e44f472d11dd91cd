//! Results in the output dialects, as a scenario expects them, to an [`Output`]. Lenient in form,
//! strict in content: what is understood otherwise than it stands is noted.
//!
//! The dialect is recognised from the keys: rows with `balance` are `balances`; rows with `recv`
//! are `events` where results bear `branch`; else `classic` where queries have `money` with `result`
//! beside it, and `customers` where they have `balance`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::error::Checked;
use super::json::{Keys, Kind, Member, Node};
use super::leniency::{Leniencies, Leniency};
use super::problem::{BranchList, Problem, Thing};
use super::process::INTERFACES;
use super::source::Span;
use super::value::{Choice, Words, balance, digits, id_of, required};
use crate::model::{BranchId, CustomerId, IdError, Interface, Money, Roster};
use crate::scenario::{BalanceRow, EventResult, EventsRow, Output, Told, Visit};

pub(super) const ROW_KEYS: Keys<4> =
    Keys { of: Thing::Row, names: ["id", "balance", "money", "recv"] };
pub(super) const RESULT_KEYS: Keys<6> = Keys {
    of: Thing::EventResult,
    names: ["interface", "branch", "balance", "money", "result", "id"],
};
pub(super) const RESULTS: Words<Told> = Words {
    of: "result",
    choices: &[
        Choice { word: "success", means: Told::Success },
        Choice { word: "fail", means: Told::Fail },
        Choice { word: "unknown", means: Told::Unknown },
    ],
};
/// Other words for the same.
const OTHER_RESULTS: Words<Told> = Words {
    of: "result",
    choices: &[
        Choice { word: "ok", means: Told::Success },
        Choice { word: "true", means: Told::Success },
        Choice { word: "failed", means: Told::Fail },
        Choice { word: "failure", means: Told::Fail },
        Choice { word: "false", means: Told::Fail },
    ],
};

/// Who can be in an expected result.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parties<'s> {
    pub(super) roster: &'s Roster,
    pub(super) visits: &'s [Visit],
}

/// Reads the rows in `documents`: in an array, or each by itself. What is understood otherwise than
/// it stands goes into `leniencies`.
pub(super) fn read(
    documents: &[Node<'_>],
    parties: Parties<'_>,
    leniencies: &mut Leniencies,
) -> Checked<Output> {
    let customers = parties.visits.iter().map(|visit| visit.customer).collect();
    let (told, form) = (BTreeSet::new(), Form::default());
    let mut rows = Rows { parties, customers, told, leniencies, form };
    let mut balances = Vec::new();
    let mut events = Vec::new();
    for document in documents {
        for row in rows.one_or_all(*document)? {
            match rows.row(row)? {
                Row::Balance(row) => balances.push(row),
                Row::Events(row) => events.push(row),
            }
        }
    }
    Ok(rows.output(balances, events))
}

/// One row.
enum Row {
    Balance(BalanceRow),
    Events(EventsRow),
}

/// The rows so far.
struct Rows<'s, 'l> {
    parties: Parties<'s>,
    customers: BTreeSet<CustomerId>,
    /// The customers that have a balance.
    told: BTreeSet<CustomerId>,
    leniencies: &'l mut Leniencies,
    form: Form,
}

/// How the rows are written, and where first.
#[derive(Default)]
struct Form {
    /// A row with a balance alone.
    balance: Option<Span>,
    /// A row with events.
    recv: Option<Span>,
    /// All rows with events.
    rows: Vec<Span>,
    /// Events that say which branch they were at.
    branch: Option<Span>,
    /// Queries with `money`.
    money: Option<Span>,
    /// Queries with a balance and a `result` beside it.
    beside: Option<Span>,
    /// Queries that are not as dialect `classic` has them.
    not_classic: Option<Span>,
}

impl Rows<'_, '_> {
    /// The elements of an array; something else is one by itself.
    fn one_or_all<'a>(&mut self, node: Node<'a>) -> Checked<Vec<Node<'a>>> {
        if node.kind() == Kind::Object {
            self.leniencies.add(Leniency::OneObject, start(node));
            return Ok(vec![node]);
        }
        node.elements()
    }

    fn row(&mut self, node: Node<'_>) -> Checked<Row> {
        let [id, balance, money, recv] = self.members(node, &ROW_KEYS)?;
        let customer = self.customer(required(node, &ROW_KEYS, "id", id)?)?;
        let balance = self.one_balance(&ROW_KEYS, [balance, money])?;
        match (balance, recv) {
            (None, None) => {
                let problem = Problem::MissingKey { of: Thing::Row, key: "balance" };
                Err(node.fault_at_start(problem))
            }
            (Some(one), Some(other)) => {
                Err(other.key.fault(Problem::MixedDialects).and(one.key.span()))
            }
            (Some(member), None) => {
                if let Some(money) = money {
                    self.leniencies.add(Leniency::Money, money.key.span());
                }
                self.form.balance.get_or_insert(member.key.span());
                alone(member, self.form.recv)?;
                if !self.told.insert(customer) {
                    self.leniencies.add(Leniency::SeveralBalances, start(node));
                }
                Ok(Row::Balance(BalanceRow { id: customer, balance: self.money(member.value)? }))
            }
            (None, Some(member)) => {
                self.form.recv.get_or_insert(member.key.span());
                alone(member, self.form.balance)?;
                self.form.rows.push(start(node));
                let results = self.one_or_all(member.value)?.into_iter();
                let recv = results.map(|node| self.result(node)).collect::<Checked<_>>()?;
                Ok(Row::Events(EventsRow { id: customer, recv }))
            }
        }
    }

    fn result(&mut self, node: Node<'_>) -> Checked<EventResult> {
        let [interface, branch, balance, money, result, id] = self.members(node, &RESULT_KEYS)?;
        let interface = required(node, &RESULT_KEYS, "interface", interface)?;
        let interface = match self.word(&INTERFACES, interface)? {
            Some(interface) => interface,
            None => INTERFACES.read(interface)?,
        };
        let branch = branch.map(|member| self.branch(member)).transpose()?;
        if let Some(id) = id {
            self.leniencies.add(Leniency::EventId, id.key.span());
        }
        let told = match interface {
            Interface::Query => self.query(node, [balance, money], result)?,
            Interface::Deposit | Interface::Withdraw => {
                self.write(node, interface, balance.or(money), result)?
            }
        };
        Ok(EventResult { interface, branch, told })
    }

    fn query(
        &mut self,
        node: Node<'_>,
        [balance, money]: [Option<Member<'_>>; 2],
        result: Option<Member<'_>>,
    ) -> Checked<Told> {
        let seen = self.one_balance(&RESULT_KEYS, [balance, money])?;
        let wrong = Problem::WrongResult { interface: Interface::Query };
        let word = result.map(|member| self.told(member.value)).transpose()?;
        let told = match (seen, result, word) {
            (None, _, None) => Err(node.fault_at_start(wrong)),
            (None, Some(member), Some(Told::Success)) => Err(member.value.fault(wrong)),
            (None, _, Some(told)) => Ok(told),
            (Some(member), result, word) => match (self.money(member.value)?, result, word) {
                (Some(balance), _, None | Some(Told::Success | Told::Nothing)) => {
                    Ok(Told::Balance(balance))
                }
                (None, _, None | Some(Told::Nothing)) => Ok(Told::Nothing),
                (None, _, Some(told @ (Told::Fail | Told::Unknown))) => Ok(told),
                (_, result, Some(_)) => {
                    Err(result.map_or(node, |result| result.value).fault(wrong))
                }
            },
        }?;
        if let Some(seen) = seen {
            let form = &mut self.form;
            if let Some(money) = money {
                form.money.get_or_insert(money.key.span());
            }
            if let Some(result) = result {
                form.beside.get_or_insert(result.key.span());
            }
            if balance.is_some() || result.is_none() {
                form.not_classic.get_or_insert(seen.key.span());
            }
        }
        Ok(told)
    }

    fn write(
        &mut self,
        node: Node<'_>,
        interface: Interface,
        money: Option<Member<'_>>,
        result: Option<Member<'_>>,
    ) -> Checked<Told> {
        let wrong = Problem::WrongResult { interface };
        match (result, money) {
            (Some(result), money) => {
                if let Some(money) = money {
                    self.leniencies.add(Leniency::MoneyOfWrite, money.key.span());
                }
                self.told(result.value)
            }
            (None, Some(money)) => Err(money.key.fault(wrong)),
            (None, None) => Err(node.fault_at_start(wrong)),
        }
    }

    /// What a `result` says.
    fn told(&mut self, node: Node<'_>) -> Checked<Told> {
        let told = match node.kind() {
            Kind::Null => return Ok(Told::Nothing),
            Kind::Boolean => {
                let told = if node.boolean()? { Told::Success } else { Told::Fail };
                self.leniencies.add(Leniency::OtherWord, node.span());
                return Ok(told);
            }
            Kind::Object | Kind::Array | Kind::String | Kind::Number => {
                self.word(&RESULTS, node)?
            }
        };
        if let Some(told) = told {
            return Ok(told);
        }
        match self.word(&OTHER_RESULTS, node)? {
            Some(told) => {
                self.leniencies.add(Leniency::OtherWord, node.span());
                Ok(told)
            }
            None => RESULTS.read(node),
        }
    }

    /// What the word `node` stands for, in any case; `None` if it is none of `words`.
    fn word<T: Copy>(&mut self, words: &Words<T>, node: Node<'_>) -> Checked<Option<T>> {
        let found = node.string()?;
        if let Some(meaning) = words.meaning(&found) {
            return Ok(Some(meaning));
        }
        let meaning = words.meaning(&found.to_ascii_lowercase());
        if meaning.is_some() {
            self.leniencies.add(Leniency::LetterCase, node.span());
        }
        Ok(meaning)
    }

    fn members<'a, const N: usize>(
        &mut self,
        node: Node<'a>,
        keys: &Keys<N>,
    ) -> Checked<[Option<Member<'a>>; N]> {
        node.members_in_any_case(keys, |at| self.leniencies.add(Leniency::LetterCase, at))
    }

    /// The one of `balance` and `money` that is there; both may be, if they say the same.
    fn one_balance<'a, const N: usize>(
        &mut self,
        keys: &Keys<N>,
        [balance, money]: [Option<Member<'a>>; 2],
    ) -> Checked<Option<Member<'a>>> {
        if let (Some(one), Some(other)) = (balance, money)
            && self.money(one.value)? != self.money(other.value)?
        {
            let problem = Problem::TwoNames { of: keys.of, first: "balance", second: "money" };
            return Err(other.key.fault(problem).and(one.key.span()));
        }
        Ok(balance.or(money))
    }

    /// A balance; `None` where nothing was told.
    fn money(&mut self, node: Node<'_>) -> Checked<Option<Money>> {
        if node.kind() == Kind::Null {
            return Ok(None);
        }
        self.digits(node)?;
        balance(node).map(Some)
    }

    fn customer(&mut self, node: Node<'_>) -> Checked<CustomerId> {
        let customer = self.id(node)?;
        if !self.customers.contains(&customer) {
            return Err(node.fault(Problem::UnknownCustomer { id: customer }));
        }
        Ok(customer)
    }

    fn branch(&mut self, member: Member<'_>) -> Checked<BranchId> {
        self.form.branch.get_or_insert(member.key.span());
        let branch = self.id(member.value)?;
        let roster = self.parties.roster;
        match roster.index(branch) {
            Some(_) => Ok(branch),
            None => {
                let bank = BranchList::of(roster);
                Err(member.value.fault(Problem::UnknownBranch { id: branch, bank }))
            }
        }
    }

    fn id<T: TryFrom<i64, Error = IdError>>(&mut self, node: Node<'_>) -> Checked<T> {
        let digits = self.digits(node)?;
        id_of(node, &digits)
    }

    fn digits<'a>(&mut self, node: Node<'a>) -> Checked<Cow<'a, str>> {
        if node.kind() == Kind::String {
            self.leniencies.add(Leniency::NumberAsText, node.span());
        }
        digits(node)
    }

    /// The rows in the dialect that they are of.
    fn output(self, balances: Vec<BalanceRow>, events: Vec<EventsRow>) -> Output {
        if let Some(row) = self.odd_row(&events) {
            self.leniencies.add(Leniency::RowBorders, row);
        }
        if events.is_empty() {
            return Output::Balances(balances);
        }
        let Form { branch, money, beside, not_classic, .. } = self.form;
        if branch.is_none() && money.is_some() && not_classic.is_none() {
            return Output::Classic(events);
        }
        let leniencies = [(Leniency::Money, money), (Leniency::ResultBeside, beside)];
        for (leniency, at) in leniencies.into_iter().filter_map(|(one, at)| Some((one, at?))) {
            self.leniencies.add(leniency, at);
        }
        match branch {
            Some(_) => Output::Events(events.into_iter().flat_map(one_each).collect()),
            None => Output::Customers(events),
        }
    }

    /// The first row of a customer whose rows begin and end otherwise than the dialect has it, though
    /// they have as many events.
    fn odd_row(&self, events: &[EventsRow]) -> Option<Span> {
        let mut rows = events.iter().zip(&self.form.rows);
        if self.form.branch.is_some() {
            return rows.find(|(row, _)| row.recv.len() > 1).map(|(_, at)| *at);
        }
        let visits = self.parties.visits.iter();
        let visits = visits.map(|visit| (visit.customer, visit.events.len()));
        let lengths = events.iter().map(|row| (row.id, row.recv.len()));
        if lengths.clone().eq(visits.clone()) {
            return None;
        }
        let (visits, lengths) = (by_customer(visits), by_customer(lengths));
        let is_odd = |customer: CustomerId| {
            let [visits, rows] = [&visits, &lengths].map(|all| all.get(&customer));
            let total = |lengths: Option<&Vec<usize>>| lengths.map(|all| all.iter().sum::<usize>());
            visits != rows && total(visits) == total(rows)
        };
        rows.find(|(row, _)| is_odd(row.id)).map(|(_, at)| *at)
    }
}

/// How many events there are in each part of a customer's that has any.
fn by_customer(
    lengths: impl Iterator<Item = (CustomerId, usize)>,
) -> BTreeMap<CustomerId, Vec<usize>> {
    let mut customers: BTreeMap<CustomerId, Vec<usize>> = BTreeMap::new();
    for (customer, events) in lengths.filter(|(_, events)| *events > 0) {
        customers.entry(customer).or_default().push(events);
    }
    customers
}

/// Rows are either all of balances or all of events.
fn alone(member: Member<'_>, others: Option<Span>) -> Checked<()> {
    match others {
        None => Ok(()),
        Some(other) => Err(member.key.fault(Problem::MixedDialects).and(other)),
    }
}

fn start(node: Node<'_>) -> Span {
    Span::new(node.span().start, 1)
}

/// One row for each result, as dialect `events` has it; some programs group them.
fn one_each(row: EventsRow) -> impl Iterator<Item = EventsRow> {
    row.recv.into_iter().map(move |event| EventsRow { id: row.id, recv: vec![event] })
}
