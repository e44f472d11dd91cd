//! The array of processes, in every dialect, to a roster and visits.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::{Checked, Fault};
use super::json::{Keys, Kind, Member, Node};
use super::numbering::{Numbering, Renumbered};
use super::problem::{BranchList, Problem, Thing};
use super::source::{Source, Span};
use super::value::{Choice, Words, amount, either, guarantees, id, opening_balance, required};
use crate::model::{
    Amount, BranchId, CustomerId, EventId, EventIds, Guarantees, Interface, Money, Operation,
    Roster, RosterError, Write,
};
use crate::scenario::{Event, Level, Visit, Warning, WrittenIds};

pub(super) const PROCESS_KEYS: Keys<6> = Keys {
    of: Thing::Process,
    names: ["type", "id", "balance", "events", "customer-requests", "guarantees"],
};
const BRANCH_KEYS: Keys<3> = Keys { of: Thing::Branch, names: ["type", "id", "balance"] };
const CUSTOMER_KEYS: Keys<5> = Keys {
    of: Thing::Customer,
    names: ["type", "id", "events", "customer-requests", "guarantees"],
};
pub(super) const EVENT_KEYS: Keys<6> = Keys {
    of: Thing::Event,
    names: ["id", "customer-request-id", "interface", "dest", "branch", "money"],
};

/// Which sort of process an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Branch,
    Customer,
}

pub(super) const ROLES: Words<Role> = Words {
    of: "type",
    choices: &[
        Choice { word: "branch", means: Role::Branch },
        Choice { word: "bank", means: Role::Branch },
        Choice { word: "customer", means: Role::Customer },
        Choice { word: "client", means: Role::Customer },
    ],
};
pub(super) const INTERFACES: Words<Interface> = Words {
    of: "interface",
    choices: &[
        Choice { word: Interface::Deposit.word(), means: Interface::Deposit },
        Choice { word: Interface::Withdraw.word(), means: Interface::Withdraw },
        Choice { word: Interface::Query.word(), means: Interface::Query },
    ],
};

/// What the processes of an input come to.
#[derive(Debug)]
pub(super) struct Processes {
    pub(super) roster: Arc<Roster>,
    pub(super) opening_balance: Money,
    pub(super) visits: Vec<Visit>,
    /// What some customers are promised.
    pub(super) guarantees: BTreeMap<CustomerId, Guarantees>,
    pub(super) written_ids: WrittenIds,
    /// Whose ids do not stay as they are written.
    pub(super) renumbered: Option<Renumbered>,
    pub(super) quoted: Quoted,
}

/// Amounts that stand in quotes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Quoted {
    pub(super) first: Option<Span>,
    pub(super) count: usize,
}

impl Quoted {
    fn see(&mut self, amount: Node<'_>) {
        if amount.kind() == Kind::String {
            self.first.get_or_insert(amount.span());
            self.count += 1;
        }
    }

    /// The warning that names the first one of `source`, if there is any.
    pub(super) fn warning(self, source: &Source) -> Option<Warning> {
        let first = source.place(self.first?);
        let more = match self.count {
            1 => String::new(),
            count => format!(", and {} more", count - 1),
        };
        let message = format!("{first}: an amount in quotes is read as a number{more}");
        Some(Warning::new(Level::Warning, message))
    }
}

impl Processes {
    /// Reads the array `node`. Branches may stand anywhere in it, so they are read first.
    pub(super) fn read(node: Node<'_>, event_ids: EventIds) -> Checked<Self> {
        let mut quoted = Quoted::default();
        let mut branches = Vec::new();
        let mut customers = Vec::new();
        for entry in node.elements()? {
            let members = entry.members(&PROCESS_KEYS)?;
            let kind = required(entry, &PROCESS_KEYS, "type", members[0])?;
            match ROLES.read(kind)? {
                Role::Branch => {
                    branches.push(BranchEntry::read(entry, members, &mut quoted)?);
                }
                Role::Customer => customers.push(CustomerEntry::read(entry, members)?),
            }
        }
        let roster = roster(node, &branches)?;
        let opening_balance = common_balance(node, &branches)?;
        let guarantees = promised(&customers)?;
        let mut reading = Reading { roster: &roster, numbering: Numbering::new(event_ids), quoted };
        let mut visits = customers
            .into_iter()
            .map(|customer| customer.visit(&mut reading))
            .collect::<Checked<Vec<Visit>>>()?;
        let quoted = reading.quoted;
        let (written_ids, renumbered) = reading.numbering.finish(&mut visits);
        let roster = Arc::new(roster);
        Ok(Self { roster, opening_balance, visits, guarantees, written_ids, renumbered, quoted })
    }
}

/// What is known while the visits are read.
struct Reading<'r> {
    roster: &'r Roster,
    numbering: Numbering,
    quoted: Quoted,
}

struct BranchEntry {
    id: BranchId,
    id_at: Span,
    balance: Money,
    balance_at: Span,
}

impl BranchEntry {
    fn read<'a>(
        entry: Node<'a>,
        members: [Option<Member<'a>>; 6],
        quoted: &mut Quoted,
    ) -> Checked<Self> {
        let [_, id_member, balance, events, requests, guarantees] = members;
        misplaced(&BRANCH_KEYS, "guarantees", guarantees, Thing::Customer)?;
        misplaced(&BRANCH_KEYS, "events", events, Thing::Customer)?;
        misplaced(&BRANCH_KEYS, "customer-requests", requests, Thing::Customer)?;
        let id_node = required(entry, &BRANCH_KEYS, "id", id_member)?;
        let balance = required(entry, &BRANCH_KEYS, "balance", balance)?;
        quoted.see(balance);
        Ok(Self {
            id: id(id_node)?,
            id_at: id_node.span(),
            balance: opening_balance(balance)?,
            balance_at: balance.span(),
        })
    }
}

fn roster(node: Node<'_>, branches: &[BranchEntry]) -> Checked<Roster> {
    Roster::new(branches.iter().map(|branch| branch.id)).map_err(|error| match error {
        RosterError::Empty => node.fault_at_start(Problem::NoBranches),
        RosterError::Duplicate(id) => {
            let mut places = branches.iter().filter(|branch| branch.id == id).map(|b| b.id_at);
            let first = places.next().unwrap_or(node.span());
            let again = places.next().unwrap_or(node.span());
            Fault::new(Problem::DuplicateBranch { id }, again).and(first)
        }
    })
}

fn common_balance(node: Node<'_>, branches: &[BranchEntry]) -> Checked<Money> {
    let Some(first) = branches.first() else {
        return Err(node.fault_at_start(Problem::NoBranches));
    };
    match branches.iter().find(|branch| branch.balance != first.balance) {
        None => Ok(first.balance),
        Some(other) => {
            let problem = Problem::UnequalBalances {
                first: first.id,
                first_balance: first.balance,
                id: other.id,
                balance: other.balance,
            };
            Err(Fault::new(problem, other.balance_at).and(first.balance_at))
        }
    }
}

/// What customers are promised, where their entries say it: all entries of one say the same.
fn promised(customers: &[CustomerEntry<'_>]) -> Checked<BTreeMap<CustomerId, Guarantees>> {
    let mut promises: BTreeMap<CustomerId, (Guarantees, Span)> = BTreeMap::new();
    for &CustomerEntry { id: customer, promise, .. } in customers {
        let Some((found, at)) = promise else { continue };
        let (first, first_at) = *promises.entry(customer).or_insert((found, at));
        if first != found {
            let problem = Problem::GuaranteesDiffer { customer, first, found };
            return Err(Fault::new(problem, at).and(first_at));
        }
    }
    Ok(promises.into_iter().map(|(customer, (promised, _))| (customer, promised)).collect())
}

struct CustomerEntry<'a> {
    id: CustomerId,
    events: Vec<Node<'a>>,
    /// What it is promised, and where that stands.
    promise: Option<(Guarantees, Span)>,
}

impl<'a> CustomerEntry<'a> {
    fn read(entry: Node<'a>, members: [Option<Member<'a>>; 6]) -> Checked<Self> {
        let [_, id_member, balance, events, requests, promise] = members;
        misplaced(&CUSTOMER_KEYS, "balance", balance, Thing::Branch)?;
        let id = id(required(entry, &CUSTOMER_KEYS, "id", id_member)?)?;
        let events = either(&CUSTOMER_KEYS, ["events", "customer-requests"], [events, requests])?;
        let events = required(entry, &CUSTOMER_KEYS, "events", events)?.elements()?;
        let promise = promise
            .map(|member| guarantees(member.value).map(|promised| (promised, member.value.span())))
            .transpose()?;
        Ok(Self { id, events, promise })
    }

    fn visit(self, reading: &mut Reading<'_>) -> Checked<Visit> {
        let mut events = Vec::with_capacity(self.events.len());
        let Reading { roster, numbering, quoted } = reading;
        let mut session = numbering.visit_of(self.id);
        for node in self.events {
            let written = WrittenEvent::read(node, self.id, roster, quoted)?;
            let interface = written.operation.interface();
            let id = match written.id {
                Some(id) => session.given(id, interface, written.at),
                None => session.next(interface, written.at)?,
            };
            events.push(Event { id, branch: written.branch, operation: written.operation });
        }
        Ok(Visit { customer: self.id, events })
    }
}

/// An event as it is written: its id may be left out.
struct WrittenEvent {
    id: Option<EventId>,
    /// The place of its id, or of the event where it has none.
    at: Span,
    branch: BranchId,
    operation: Operation,
}

impl WrittenEvent {
    fn read(
        node: Node<'_>,
        customer: CustomerId,
        roster: &Roster,
        quoted: &mut Quoted,
    ) -> Checked<Self> {
        let [plain_id, request_id, interface, dest, branch, money] = node.members(&EVENT_KEYS)?;
        let interface = required(node, &EVENT_KEYS, "interface", interface)?;
        let interface = INTERFACES.read(interface)?;
        let id_member = either(&EVENT_KEYS, ["id", "customer-request-id"], [plain_id, request_id])?;
        let event = id_member.map(|member| id(member.value)).transpose()?;
        let dest = either(&EVENT_KEYS, ["dest", "branch"], [dest, branch])?;
        let branch = destination(node, dest, customer, roster)?;
        let at = id_member.map_or(node.span(), |member| member.value.span());
        let operation = match interface {
            // Course inputs give queries a meaningless amount, so it may be anything.
            Interface::Query => Operation::Query,
            Interface::Deposit => Operation::Write(Write::deposit(moved(node, money, quoted)?)),
            Interface::Withdraw => Operation::Write(Write::withdraw(moved(node, money, quoted)?)),
        };
        Ok(Self { id: event, at, branch, operation })
    }
}

fn moved<'a>(event: Node<'a>, money: Option<Member<'a>>, quoted: &mut Quoted) -> Checked<Amount> {
    let money = required(event, &EVENT_KEYS, "money", money)?;
    quoted.see(money);
    amount(money)
}

fn destination(
    event: Node<'_>,
    dest: Option<Member<'_>>,
    customer: CustomerId,
    roster: &Roster,
) -> Checked<BranchId> {
    if let Some(dest) = dest {
        let branch = id(dest.value)?;
        return match roster.index(branch) {
            Some(_) => Ok(branch),
            None => {
                let bank = BranchList::of(roster);
                Err(dest.value.fault(Problem::UnknownBranch { id: branch, bank }))
            }
        };
    }
    let own = BranchId::new(i64::from(customer.get())).ok();
    own.filter(|branch| roster.index(*branch).is_some()).ok_or_else(|| {
        let bank = BranchList::of(roster);
        event.fault_at_start(Problem::NoOwnBranch { customer, bank })
    })
}

fn misplaced<const N: usize>(
    keys: &Keys<N>,
    key: &'static str,
    member: Option<Member<'_>>,
    owner: Thing,
) -> Checked<()> {
    match member {
        None => Ok(()),
        Some(member) => Err(member.key.fault(Problem::MisplacedKey { of: keys.of, key, owner })),
    }
}
