//! The array of processes, in every dialect, to a roster and visits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::fault::{Checked, Fault};
use super::file::{EventFile, ProcessFile};
use super::leniency::Leniency;
use super::list::List;
use super::numbering::{EVENT_ID, Numbering, Renumbered};
use super::object::Object;
use super::problem::{BranchList, Problem};
use super::reading::Reading;
use super::source::Span;
use super::value::{Field, ProcessType};
use super::weather_value::LongSpan;
use crate::model::{
    Amount, BranchId, CustomerId, EventId, EventIds, Guarantees, Money, Operation, OperationKind,
    Roster, RosterError, Write,
};
use crate::scenario::{Event, Visit, WrittenIds};

/// The processes of an input, checked.
#[derive(Debug)]
pub(super) struct Bank {
    pub(super) roster: Arc<Roster>,
    pub(super) opening_balance: Money,
    pub(super) visits: Vec<Visit>,
    /// What some customers are promised.
    pub(super) guarantees: BTreeMap<CustomerId, Guarantees>,
    pub(super) written_ids: WrittenIds,
    /// Whose ids do not stay as they are written.
    pub(super) renumbered: Option<Renumbered>,
}

impl Bank {
    /// What the array of `processes` says, which begins at the byte `start`. Branches may stand
    /// anywhere in it, so they are looked at first.
    pub(super) fn read(
        reading: &Reading<'_>,
        processes: List<ProcessFile>,
        start: usize,
        event_ids: EventIds,
    ) -> Option<Self> {
        let List(processes) = processes;
        let mut branches = Vec::with_capacity(processes.len());
        let mut customers = Vec::with_capacity(processes.len());
        for (start, process) in processes {
            let object = |of| reading.object(start, of);
            reading.take(match process.r#type {
                Field::Is(ProcessType::Branch | ProcessType::Bank) => {
                    BranchEntry::read(object("a branch"), process, reading)
                        .map(|branch| branches.push(branch))
                }
                Field::Is(ProcessType::Customer | ProcessType::Client) => {
                    CustomerEntry::read(object("a customer"), process)
                        .map(|customer| customers.push(customer))
                }
                Field::Absent | Field::Wrong => {
                    object("a process").required("type", process.r#type).map(|_| ())
                }
            });
        }
        // Where a process is not understood, others would be blamed for what it lacks.
        let roster =
            if reading.has_faults() { None } else { reading.take(roster(&branches, start)) };
        let opening_balance = reading.take(common_balance(&branches));
        let guarantees = reading.take(promised(&customers));
        let mut numbering = Numbering::new(event_ids);
        let mut visits = Vec::with_capacity(customers.len());
        for CustomerEntry { id: customer, events: List(written), .. } in customers {
            let mut session = numbering.visit_of(customer);
            let mut events = Vec::with_capacity(written.len());
            let mut pauses = Pauses::default();
            for (start, mut event) in written {
                let object = reading.object(start, "an event");
                let after = std::mem::take(&mut event.after);
                if !after.is_absent() {
                    pauses.add(events.len(), reading.field(object, "after", after));
                }
                let event = WrittenEvent::read(object, event, reading).and_then(|event| {
                    let branch = event.destination(customer, roster.as_ref())?;
                    let operation = event.operation;
                    let id = match event.id {
                        Some(id) => session.given(id, operation.interface(), start),
                        None => session.next(operation.interface(), start)?,
                    };
                    Ok(Event { id, branch, operation })
                });
                events.extend(reading.take(event));
            }
            visits.push(Visit { customer, after: pauses.of(events.len()), events });
        }
        let (roster, opening_balance, guarantees) = (roster?, opening_balance?, guarantees?);
        let (written_ids, renumbered) = numbering.finish(&mut visits);
        let roster = Arc::new(roster);
        Some(Self { roster, opening_balance, visits, guarantees, written_ids, renumbered })
    }
}

const DESTINATION: [&str; 2] = ["dest", "branch"];
const EVENTS: [&str; 2] = ["events", "customer-requests"];

struct BranchEntry<'a> {
    object: Object<'a>,
    id: BranchId,
    balance: Money,
}

impl<'a> BranchEntry<'a> {
    fn read(object: Object<'a>, process: ProcessFile, reading: &Reading<'_>) -> Checked<Self> {
        let ProcessFile { id, balance, guarantees, events, customer_requests, .. } = process;
        object.misplaced("guarantees", guarantees.is_absent(), "a customer")?;
        object.misplaced("events", events.is_none(), "a customer")?;
        object.misplaced("customer-requests", customer_requests.is_none(), "a customer")?;
        let id = branch_id(object.required("id", id)?);
        let balance = object.required("balance", balance)?;
        let balance = reading.plain(object, "balance", balance, Leniency::QuotedAmount);
        if balance < Money::ZERO {
            let problem = Problem::NegativeBalance { found: balance };
            return Err(object.fault_in(&["balance"], problem));
        }
        Ok(Self { object, id, balance })
    }
}

fn roster(branches: &[BranchEntry<'_>], start: usize) -> Checked<Roster> {
    Roster::new(branches.iter().map(|branch| branch.id)).map_err(|error| match error {
        RosterError::Empty => Fault::new(Problem::NoBranches).at(Span::new(start, 1)),
        RosterError::Duplicate(id) => {
            let same = branches.iter().filter(|branch| branch.id == id);
            let mut places = same.map(|branch| branch.object.value(&["id"]).span());
            let (first, again) = (places.next(), places.next());
            let fault = Fault::new(Problem::DuplicateBranch { id });
            let array = Span::new(start, 1);
            fault.at(again.unwrap_or(array)).and(first.unwrap_or(array))
        }
    })
}

/// What all branches hold; nothing where there is none.
fn common_balance(branches: &[BranchEntry<'_>]) -> Checked<Money> {
    let Some(first) = branches.first() else { return Ok(Money::ZERO) };
    match branches.iter().find(|branch| branch.balance != first.balance) {
        None => Ok(first.balance),
        Some(other) => {
            let problem = Problem::UnequalBalances {
                first: first.id,
                first_balance: first.balance,
                id: other.id,
                balance: other.balance,
            };
            let first = first.object.value(&["balance"]).span();
            Err(other.object.fault_in(&["balance"], problem).and(first))
        }
    }
}

/// What customers are promised, where their entries say it: all entries of one say the same.
fn promised(customers: &[CustomerEntry<'_>]) -> Checked<BTreeMap<CustomerId, Guarantees>> {
    let mut promises: BTreeMap<CustomerId, (Guarantees, Object<'_>)> = BTreeMap::new();
    for &CustomerEntry { object, id: customer, promise, .. } in customers {
        let Some(found) = promise else { continue };
        let (first, first_object) = *promises.entry(customer).or_insert((found, object));
        if first != found {
            let problem = Problem::GuaranteesDiffer { customer, first, found };
            let first = first_object.value(&["guarantees"]).span();
            return Err(object.fault_in(&["guarantees"], problem).and(first));
        }
    }
    Ok(promises.into_iter().map(|(customer, (promised, _))| (customer, promised)).collect())
}

struct CustomerEntry<'a> {
    object: Object<'a>,
    id: CustomerId,
    events: List<EventFile>,
    /// What it is promised.
    promise: Option<Guarantees>,
}

impl<'a> CustomerEntry<'a> {
    fn read(object: Object<'a>, process: ProcessFile) -> Checked<Self> {
        let ProcessFile { id, balance, guarantees, events, customer_requests, .. } = process;
        object.misplaced("balance", balance.is_absent(), "a branch")?;
        let id = object.required("id", id)?;
        let id = CustomerId::new(id.into()).expect("it was read as one");
        let events = match (events, customer_requests) {
            (Some(_), Some(_)) => return Err(object.two_names(EVENTS)),
            (events, requests) => events.or(requests).ok_or_else(|| object.missing("events"))?,
        };
        let promise = object.optional("guarantees", guarantees)?;
        Ok(Self { object, id, events, promise })
    }
}

/// How long a customer waits before its events; empty while it waits before none.
#[derive(Debug, Default)]
struct Pauses(Vec<Option<Duration>>);

impl Pauses {
    /// Before the event with the place `event` it waits for `span`, if anything is said.
    fn add(&mut self, event: usize, span: Option<LongSpan>) {
        if let Some(LongSpan(span)) = span {
            self.0.resize(event, None);
            self.0.push(Some(span));
        }
    }

    /// Those of so many events.
    fn of(mut self, events: usize) -> Vec<Option<Duration>> {
        if !self.0.is_empty() {
            self.0.resize(events, None);
        }
        self.0
    }
}

/// An event as it is written: its id and where it goes may be left out.
struct WrittenEvent<'a> {
    object: Object<'a>,
    id: Option<EventId>,
    dest: Option<BranchId>,
    operation: Operation,
}

impl<'a> WrittenEvent<'a> {
    fn read(object: Object<'a>, event: EventFile, reading: &Reading<'_>) -> Checked<Self> {
        let EventFile { id, customer_request_id, interface, dest, branch, money, after: _ } = event;
        let interface = object.required("interface", interface)?;
        let id = object.either(EVENT_ID, [id, customer_request_id])?;
        let dest = object.either(DESTINATION, [dest, branch])?;
        let moved = || -> Checked<Amount> {
            let money = object.required("money", money)?;
            Ok(reading.plain(object, "money", money, Leniency::QuotedAmount))
        };
        let operation = match interface {
            // Course inputs give queries a meaningless amount, so it may be anything.
            OperationKind::Query => Operation::Query,
            OperationKind::Deposit => Operation::Write(Write::deposit(moved()?)),
            OperationKind::Withdraw => Operation::Write(Write::withdraw(moved()?)),
        };
        Ok(Self { object, id, dest, operation })
    }

    /// Where it goes, or to the branch with the customer's own id. That the branch is there is
    /// checked where all of them are known.
    fn destination(&self, customer: CustomerId, roster: Option<&Roster>) -> Checked<BranchId> {
        let branch = self.dest.unwrap_or_else(|| branch_id(customer.get()));
        match roster {
            Some(roster) if roster.index(branch).is_none() => {
                let bank = BranchList::of(roster);
                Err(match self.dest {
                    Some(id) => {
                        self.object.fault_in(&DESTINATION, Problem::UnknownBranch { id, bank })
                    }
                    None => self.object.fault(Problem::NoOwnBranch { customer, bank }),
                })
            }
            Some(_) | None => Ok(branch),
        }
    }
}

fn branch_id(id: u32) -> BranchId {
    BranchId::new(id.into()).expect("ids of branches have the range of all ids")
}
