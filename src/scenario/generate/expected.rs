//! What must come of a generated scenario, by going through its events one after the other. That is
//! right where nothing goes on at the same time: each write is everywhere before the next event.

use crate::model::{Dialect, Event, Money, Operation};
use crate::scenario::{BalanceRow, EventOutcome, EventResult, EventsRow, Output, Scenario, Visit};

/// What the customers of `scenario` must see. No sum of its writes may be out of range.
pub(super) fn expected(scenario: &Scenario, dialect: Dialect) -> Output {
    let mut balance = scenario.opening_balance;
    match dialect {
        Dialect::Balances => Output::Balances(
            scenario.visits.iter().map(|visit| balance_row(visit, &mut balance)).collect(),
        ),
        Dialect::Events => Output::Events(
            scenario.visits.iter().flat_map(|visit| event_rows(visit, &mut balance)).collect(),
        ),
        Dialect::Customers => Output::Customers(visit_rows(scenario, &mut balance)),
        Dialect::Classic => Output::Classic(visit_rows(scenario, &mut balance)),
    }
}

fn balance_row(visit: &Visit, balance: &mut Money) -> BalanceRow {
    for event in &visit.events {
        tell(event, balance);
    }
    BalanceRow { id: visit.customer, balance: visit.events.last().map(|_| *balance) }
}

fn event_rows(visit: &Visit, balance: &mut Money) -> Vec<EventsRow> {
    let row = |event: &Event| {
        let result = EventResult { branch: Some(event.branch), ..tell(event, balance) };
        EventsRow { id: visit.customer, recv: vec![result] }
    };
    visit.events.iter().map(row).collect()
}

fn visit_rows(scenario: &Scenario, balance: &mut Money) -> Vec<EventsRow> {
    let row = |visit: &Visit| {
        let recv = visit.events.iter().map(|event| tell(event, balance)).collect();
        EventsRow { id: visit.customer, recv }
    };
    scenario.visits.iter().map(row).collect()
}

/// What the customer is told, and what `balance` is afterwards.
fn tell(event: &Event, balance: &mut Money) -> EventResult {
    let told = match event.operation {
        Operation::Query => EventOutcome::Balance(*balance),
        Operation::Write(write) => {
            *balance = balance.checked_add(write.delta()).expect("no sum is out of range");
            EventOutcome::Success
        }
    };
    EventResult { interface: event.operation.interface(), branch: None, told }
}
