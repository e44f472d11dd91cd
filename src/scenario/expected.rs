//! Results in the output dialects, as a scenario expects them, to an [`Output`].
//!
//! The dialect is recognised from the keys: rows with `balance` are `balances`; rows with `recv`
//! are `events` where the results bear `branch`, and `customers` where they do not.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{Checked, Fault};
use super::json::{Keys, Member, Node};
use super::problem::{BranchList, Problem, Thing};
use super::process::INTERFACES;
use super::source::Span;
use super::value::{Choice, Words, balance, id, required};
use super::{BalanceRow, EventResult, EventsRow, Output, Told, Visit};
use crate::model::{BranchId, CustomerId, Interface, Roster};

pub(super) const ROW_KEYS: Keys<3> = Keys { of: Thing::Row, names: ["id", "balance", "recv"] };
pub(super) const RESULT_KEYS: Keys<4> =
    Keys { of: Thing::EventResult, names: ["interface", "branch", "balance", "result"] };
pub(super) const RESULTS: Words<Told> = Words {
    of: "result",
    choices: &[
        Choice { word: "success", means: Told::Success },
        Choice { word: "fail", means: Told::Fail },
        Choice { word: "unknown", means: Told::Unknown },
    ],
};

/// Who can be in an expected result.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parties<'s> {
    pub(super) roster: &'s Roster,
    pub(super) visits: &'s [Visit],
}

/// Reads the array of rows `node`.
pub(super) fn read(node: Node<'_>, parties: Parties<'_>) -> Checked<Output> {
    let customers = parties.visits.iter().map(|visit| visit.customer).collect();
    let mut rows = Rows { customers, roster: parties.roster, seen: BTreeMap::new(), dialect: None };
    let mut balances = Vec::new();
    let mut events = Vec::new();
    for row in node.elements()? {
        let [id_member, balance_member, recv] = row.members(&ROW_KEYS)?;
        let customer = rows.customer(required(row, &ROW_KEYS, "id", id_member)?)?;
        match (balance_member, recv) {
            (None, None) => {
                return Err(
                    row.fault_at_start(Problem::MissingKey { of: Thing::Row, key: "balance" })
                );
            }
            (Some(one), Some(other)) => {
                return Err(other.key.fault(Problem::MixedDialects).and(one.key.span()));
            }
            (Some(member), None) => {
                rows.agree(Dialect::Balances, member.key.span())?;
                balances.push(BalanceRow { id: customer, balance: balance(member.value)? });
            }
            (None, Some(member)) => {
                let recv = rows.results(member)?;
                events.push(EventsRow { id: customer, recv });
            }
        }
        rows.one_for(customer, row)?;
    }
    Ok(match rows.dialect.map(|seen| seen.dialect) {
        // Without rows it says that there are no customers, as each dialect would.
        None if events.is_empty() => Output::Balances(balances),
        Some(Dialect::Balances) => Output::Balances(balances),
        Some(Dialect::Events) => Output::Events(events.into_iter().flat_map(one_each).collect()),
        None | Some(Dialect::Customers) => Output::Customers(events),
    })
}

/// One row for each result, as dialect `events` has it; some programs group them.
fn one_each(row: EventsRow) -> impl Iterator<Item = EventsRow> {
    row.recv.into_iter().map(move |event| EventsRow { id: row.id, recv: vec![event] })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Balances,
    Events,
    Customers,
}

struct SeenDialect {
    dialect: Dialect,
    at: Span,
}

/// What the rows so far allow the next to be.
struct Rows<'s> {
    customers: BTreeSet<CustomerId>,
    roster: &'s Roster,
    seen: BTreeMap<CustomerId, Span>,
    dialect: Option<SeenDialect>,
}

impl Rows<'_> {
    fn customer(&self, node: Node<'_>) -> Checked<CustomerId> {
        let customer = id(node)?;
        if !self.customers.contains(&customer) {
            return Err(node.fault(Problem::UnknownCustomer { id: customer }));
        }
        Ok(customer)
    }

    /// All rows are of one dialect.
    fn agree(&mut self, dialect: Dialect, at: Span) -> Checked<()> {
        match &self.dialect {
            None => self.dialect = Some(SeenDialect { dialect, at }),
            Some(seen) if seen.dialect == dialect => {}
            Some(seen) => return Err(Fault::new(Problem::MixedDialects, at).and(seen.at)),
        }
        Ok(())
    }

    /// Only dialect `events` has more than one row for a customer.
    fn one_for(&mut self, customer: CustomerId, row: Node<'_>) -> Checked<()> {
        let at = Span::new(row.span().start, 1);
        let first = *self.seen.entry(customer).or_insert(at);
        let many = self.dialect.as_ref().is_some_and(|seen| seen.dialect == Dialect::Events);
        if first == at || many {
            return Ok(());
        }
        Err(Fault::new(Problem::DuplicateRow { id: customer }, at).and(first))
    }

    fn results(&mut self, recv: Member<'_>) -> Checked<Vec<EventResult>> {
        recv.value.elements()?.into_iter().map(|node| self.result(node)).collect()
    }

    fn result(&mut self, node: Node<'_>) -> Checked<EventResult> {
        let [interface, branch, balance, result] = node.members(&RESULT_KEYS)?;
        let interface = INTERFACES.read(required(node, &RESULT_KEYS, "interface", interface)?)?;
        let branch = branch.map(|member| self.branch(member.value)).transpose()?;
        let dialect = if branch.is_some() { Dialect::Events } else { Dialect::Customers };
        self.agree(dialect, Span::new(node.span().start, 1))?;
        Ok(EventResult { interface, branch, told: told(node, interface, [balance, result])? })
    }

    fn branch(&self, node: Node<'_>) -> Checked<BranchId> {
        let branch = id(node)?;
        match self.roster.index(branch) {
            Some(_) => Ok(branch),
            None => {
                let bank = BranchList::of(self.roster);
                Err(node.fault(Problem::UnknownBranch { id: branch, bank }))
            }
        }
    }
}

/// What the customer was told: a query a balance, a write how it ended.
fn told(node: Node<'_>, interface: Interface, members: [Option<Member<'_>>; 2]) -> Checked<Told> {
    let wrong = Problem::WrongResult { interface };
    match (interface, members) {
        (Interface::Query, [Some(member), None]) => balance(member.value).map(Told::Balance),
        (Interface::Query, [None, Some(member)]) => match RESULTS.read(member.value)? {
            Told::Success => Err(member.value.fault(wrong)),
            told @ (Told::Balance(_) | Told::Fail | Told::Unknown) => Ok(told),
        },
        (Interface::Deposit | Interface::Withdraw, [None, Some(member)]) => {
            RESULTS.read(member.value)
        }
        (_, [Some(member), _]) => Err(member.key.fault(wrong)),
        (_, [None, None]) => Err(node.fault_at_start(wrong)),
    }
}
