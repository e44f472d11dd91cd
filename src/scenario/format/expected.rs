//! Results in the output dialects, as a scenario expects them, to an [`Output`]. Lenient in form,
//! strict in content: what is understood otherwise than it stands is noted.
//!
//! The dialect is recognised from the keys: rows with `balance` are `balances`; rows with `recv`
//! are `events` where results bear `branch`; else `classic` where queries have `money` with
//! `result` beside it, and `customers` where they have `balance`.

use std::collections::{BTreeMap, BTreeSet};

use super::fault::{Checked, Fault};
use super::file::{ResultFile, RowFile};
use super::leniency::Leniency;
use super::list::List;
use super::locate::Node;
use super::object::Object;
use super::problem::Problem;
use super::reading::Reading;
use super::source::Span;
use super::value::{Ending, Field, Quotable, Seen};
use crate::model::{BranchId, CustomerId, Money, OperationKind, Roster};
use crate::scenario::{BalanceRow, EventOutcome, EventResult, EventsRow, Output, Visit};

/// Who can be in an expected result.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parties<'s> {
    pub(super) roster: &'s Roster,
    pub(super) visits: &'s [Visit],
}

/// What the rows in `documents` say: in an array, or each by itself. What is understood otherwise
/// than it stands is noted.
pub(super) fn output(
    reading: &Reading<'_>,
    documents: &[Node<'_>],
    parties: Parties<'_>,
) -> Option<Output> {
    let customers = parties.visits.iter().map(|visit| visit.customer).collect();
    let (told, form) = (BTreeSet::new(), Form::default());
    let mut rows = Rows { reading, parties, customers, told, form };
    let (mut balances, mut events) = (Vec::new(), Vec::new());
    for document in documents {
        let List(list) = reading.read_leniently(*document)?;
        for (start, row) in list {
            match reading.take(rows.row(start, row)) {
                Some(Row::Balance(row)) => balances.push(row),
                Some(Row::Events(row)) => events.push(row),
                None => {}
            }
        }
    }
    Some(rows.output(balances, events))
}

/// One row.
enum Row {
    Balance(BalanceRow),
    Events(EventsRow),
}

/// The rows so far.
struct Rows<'r, 's> {
    reading: &'r Reading<'r>,
    parties: Parties<'s>,
    customers: BTreeSet<CustomerId>,
    /// The customers that have a balance.
    told: BTreeSet<CustomerId>,
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

/// The keys of a balance.
const BALANCE: [&str; 2] = ["balance", "money"];

impl Rows<'_, '_> {
    fn row(&mut self, start: usize, row: RowFile) -> Checked<Row> {
        let object = self.reading.object(start, "a row of an expected result");
        let id = self.customer(object, row.id)?;
        let money_is_there = !row.money.is_absent();
        let mixed = |key, first| Err(Fault::new(Problem::MixedDialects).at(key).and(first));
        let key = object.key(&BALANCE);
        match (self.one_balance(object, [row.balance, row.money])?, row.recv) {
            (None, None) => Err(object.missing("balance")),
            (Some(_), Some(_)) => mixed(object.key(&["recv"]), key),
            (Some(balance), None) => {
                if money_is_there {
                    self.reading.note(Leniency::Money, object.key(&["money"]));
                }
                self.form.balance.get_or_insert(key);
                if !self.told.insert(id) {
                    self.reading.note(Leniency::SeveralBalances, object.bracket());
                }
                match self.form.recv {
                    Some(recv) => mixed(key, recv),
                    None => Ok(Row::Balance(BalanceRow { id, balance })),
                }
            }
            (None, Some(results)) => {
                let key = object.key(&["recv"]);
                self.form.recv.get_or_insert(key);
                self.form.rows.push(object.bracket());
                if let Some(balance) = self.form.balance {
                    return mixed(key, balance);
                }
                let List(results) = *results;
                let mut recv = Vec::with_capacity(results.len());
                for (start, result) in results {
                    let result = self.result(start, result);
                    recv.extend(self.reading.take(result));
                }
                Ok(Row::Events(EventsRow { id, recv }))
            }
        }
    }

    fn result(&mut self, start: usize, result: ResultFile) -> Checked<EventResult> {
        let object = self.reading.object(start, "the result of an event");
        let interface = object.required("interface", result.interface)?;
        if interface.is_odd {
            self.reading.note(Leniency::LetterCase, object.value(&["interface"]).span());
        }
        let interface = interface.value;
        let branch = self.branch(object, result.branch)?;
        if !result.id.is_absent() {
            self.reading.note(Leniency::EventId, object.key(&["id"]));
        }
        let balances = [result.balance, result.money];
        let ending = object.optional("result", result.result)?;
        if let Some(ending) = ending {
            let at = object.value(&["result"]).span();
            let odd = [
                (ending.is_other_word, Leniency::OtherWord),
                (ending.is_odd_case, Leniency::LetterCase),
            ];
            for (_, leniency) in odd.into_iter().filter(|(is_odd, _)| *is_odd) {
                self.reading.note(leniency, at);
            }
        }
        let told = match interface {
            OperationKind::Query => self.query(object, balances, ending)?,
            OperationKind::Deposit | OperationKind::Withdraw => {
                self.write(object, interface, &balances, ending)?
            }
        };
        Ok(EventResult { interface, branch, told })
    }

    fn query(
        &mut self,
        object: Object<'_>,
        balances: [Field<Seen>; 2],
        ending: Option<Ending>,
    ) -> Checked<EventOutcome> {
        let [has_balance, has_money] = [!balances[0].is_absent(), !balances[1].is_absent()];
        let seen = self.one_balance(object, balances)?;
        let wrong = Problem::WrongResult { interface: OperationKind::Query };
        let told = ending.map(|ending| ending.told);
        let told = match (seen, told) {
            (None, None) => Err(object.fault(wrong)),
            (None, Some(EventOutcome::Success)) => Err(object.fault_in(&["result"], wrong)),
            (None, Some(told)) => Ok(told),
            (Some(Some(balance)), None | Some(EventOutcome::Success | EventOutcome::Nothing)) => {
                Ok(EventOutcome::Balance(balance))
            }
            (Some(None), None | Some(EventOutcome::Nothing)) => Ok(EventOutcome::Nothing),
            (Some(None), Some(told @ (EventOutcome::Fail | EventOutcome::Unknown))) => Ok(told),
            (Some(_), Some(_)) => Err(object.fault_in(&["result"], wrong)),
        }?;
        if seen.is_some() {
            let form = &mut self.form;
            if has_money {
                form.money.get_or_insert_with(|| object.key(&["money"]));
            }
            if ending.is_some() {
                form.beside.get_or_insert_with(|| object.key(&["result"]));
            }
            if has_balance || ending.is_none() {
                form.not_classic.get_or_insert_with(|| object.key(&BALANCE));
            }
        }
        Ok(told)
    }

    fn write(
        &mut self,
        object: Object<'_>,
        interface: OperationKind,
        balances: &[Field<Seen>; 2],
        ending: Option<Ending>,
    ) -> Checked<EventOutcome> {
        let wrong = Problem::WrongResult { interface };
        let has_money = balances.iter().any(|field| !field.is_absent());
        match (ending, has_money) {
            (Some(ending), has_money) => {
                if has_money {
                    self.reading.note(Leniency::MoneyOfWrite, object.key(&BALANCE));
                }
                Ok(ending.told)
            }
            (None, true) => Err(Fault::new(wrong).at(object.key(&BALANCE))),
            (None, false) => Err(object.fault(wrong)),
        }
    }

    /// What `balance` and `money` say, of which one may be there, or both if they say the same.
    fn one_balance(
        &mut self,
        object: Object<'_>,
        [balance, money]: [Field<Seen>; 2],
    ) -> Checked<Option<Option<Money>>> {
        let seen = |name, field| -> Checked<Option<Option<Money>>> {
            Ok(object.optional(name, field)?.map(|seen| match seen {
                Seen::Balance(balance) => {
                    Some(self.reading.plain(object, name, balance, Leniency::NumberAsText))
                }
                Seen::Nothing => None,
            }))
        };
        let (balance, money) = (seen("balance", balance)?, seen("money", money)?);
        match (balance, money) {
            (Some(one), Some(other)) if one != other => Err(object.two_names(BALANCE)),
            (balance, money) => Ok(balance.or(money)),
        }
    }

    fn customer(
        &mut self,
        object: Object<'_>,
        field: Field<Quotable<CustomerId>>,
    ) -> Checked<CustomerId> {
        let id = object.required("id", field)?;
        let id = self.reading.plain(object, "id", id, Leniency::NumberAsText);
        if !self.customers.contains(&id) {
            return Err(object.fault_in(&["id"], Problem::UnknownCustomer { id }));
        }
        Ok(id)
    }

    fn branch(
        &mut self,
        object: Object<'_>,
        field: Field<Quotable<BranchId>>,
    ) -> Checked<Option<BranchId>> {
        let Some(id) = object.optional("branch", field)? else { return Ok(None) };
        self.form.branch.get_or_insert_with(|| object.key(&["branch"]));
        let id = self.reading.plain(object, "branch", id, Leniency::NumberAsText);
        object.branch("branch", id, self.parties.roster).map(Some)
    }

    /// The rows in the dialect that they are of.
    fn output(self, balances: Vec<BalanceRow>, events: Vec<EventsRow>) -> Output {
        if let Some(row) = self.odd_row(&events) {
            self.reading.note(Leniency::RowBorders, row);
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
            self.reading.note(leniency, at);
        }
        match branch {
            Some(_) => Output::Events(events.into_iter().flat_map(one_each).collect()),
            None => Output::Customers(events),
        }
    }

    /// The first row of a customer whose rows begin and end otherwise than the dialect has it,
    /// though they have as many events.
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

/// One row for each result, as dialect `events` has it; some programs group them.
fn one_each(row: EventsRow) -> impl Iterator<Item = EventsRow> {
    row.recv.into_iter().map(move |event| EventsRow { id: row.id, recv: vec![event] })
}
