//! What a scenario expects against what its customers saw, place by place.
//!
//! Rows are matched by customer, and a customer's results in order; the order of different
//! customers does not matter.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};

use crate::model::{CustomerId, Dialect, Money, RequestNumber};
use crate::run::RunResult;
use crate::scenario::{EventOutcome, EventResult, Output};

/// A place where the expected result and the run differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// Whose result it is.
    pub customer: CustomerId,
    /// Which of the customer's requests; absent where only balances are expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestNumber>,
    /// Which of the customer's visits; absent where no balance of each is expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visit: Option<usize>,
    /// What the scenario expects there; `None` if nothing.
    pub expected: Option<Seen>,
    /// What the customer saw; `None` if nothing.
    pub got: Option<Seen>,
}

/// What a customer saw, or was expected to see, in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The balance that it was told last; `None` if it was told none.
    Balance(Option<Money>),
    /// What became of an event.
    Event(EventResult),
}

/// The differences between `expected` and what `result` says in the same dialect.
pub(super) fn between(expected: &Output, result: &RunResult) -> Vec<Difference> {
    let dialect = match expected {
        Output::Balances(_) => Dialect::Balances,
        // An expected event may name its branch in any, so ask for the branches.
        Output::Events(_) | Output::Customers(_) | Output::Classic(_) => Dialect::Events,
    };
    let expected_by_customer = by_customer(expected);
    let mut got_by_customer = by_customer(&result.output(dialect));
    // Whoever made no request is told nothing.
    for customer in result.customers.iter().map(|customer| customer.id) {
        got_by_customer.entry(customer).or_default();
    }
    let customers = got_by_customer.keys().chain(
        expected_by_customer.keys().filter(|customer| !got_by_customer.contains_key(customer)),
    );
    let is_of_visits =
        |expected: &[Seen]| matches!(expected, [Seen::Balance(_), Seen::Balance(_), ..]);
    let mut by_visit = BTreeMap::new();
    if expected_by_customer.values().any(|rows| is_of_visits(rows)) {
        let balances = result.balances_by_visit().into_iter();
        by_visit.extend(balances.map(|(customer, told)| {
            (customer, told.into_iter().map(Seen::Balance).collect::<Vec<_>>())
        }));
    }
    let mut differences = Vec::new();
    for &customer in customers {
        let expected = expected_by_customer.get(&customer).map_or(&[][..], Vec::as_slice);
        let got = got_by_customer.get(&customer).map_or(&[][..], Vec::as_slice);
        let of_visits = is_of_visits(expected);
        let got = match by_visit.get(&customer) {
            Some(visits) if of_visits => visits,
            Some(_) | None => got,
        };
        let mut number = RequestNumber::default();
        for place in 0..expected.len().max(got.len()) {
            number = number.next();
            let (expected, got) = (expected.get(place).copied(), got.get(place).copied());
            if !matches(expected, got) {
                let request = match dialect {
                    Dialect::Balances => None,
                    Dialect::Events | Dialect::Customers | Dialect::Classic => Some(number),
                };
                let visit = of_visits.then_some(place + 1);
                differences.push(Difference { customer, request, visit, expected, got });
            }
        }
    }
    differences
}

fn by_customer(output: &Output) -> BTreeMap<CustomerId, Vec<Seen>> {
    let mut rows: BTreeMap<CustomerId, Vec<Seen>> = BTreeMap::new();
    match output {
        Output::Balances(balances) => {
            for row in balances {
                rows.entry(row.id).or_default().push(Seen::Balance(row.balance));
            }
        }
        Output::Events(events) | Output::Customers(events) | Output::Classic(events) => {
            for row in events {
                let seen = row.recv.iter().copied().map(Seen::Event);
                rows.entry(row.id).or_default().extend(seen);
            }
        }
    }
    rows
}

/// Whether they are the same; an expected event that names no branch fits any, and nothing told is
/// neither a balance nor a success.
fn matches(expected: Option<Seen>, got: Option<Seen>) -> bool {
    match (expected, got) {
        (Some(Seen::Event(expected)), Some(Seen::Event(got))) => {
            let branch = expected.branch.and(got.branch);
            let told = match (expected.told, got.told) {
                (EventOutcome::Nothing, EventOutcome::Fail | EventOutcome::Unknown) => {
                    EventOutcome::Nothing
                }
                (_, told) => told,
            };
            expected == EventResult { branch, told, ..got }
        }
        (None, Some(Seen::Balance(None))) => true,
        (expected, got) => expected == got,
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "customer {}", self.customer)?;
        if let Some(request) = self.request {
            write!(f, ", request {request}")?;
        }
        match self.visit {
            Some(visit) => write!(f, ", visit {visit}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Balance(Some(balance)) => write!(f, "balance {balance}"),
            Self::Balance(None) => f.write_str("no balance"),
            Self::Event(EventResult { interface, branch, told }) => {
                write!(f, "{interface}")?;
                if let Some(branch) = branch {
                    write!(f, " at branch {branch}")?;
                }
                match told {
                    EventOutcome::Balance(balance) => write!(f, ": balance {balance}"),
                    EventOutcome::Success => f.write_str(": success"),
                    EventOutcome::Fail => f.write_str(": fail"),
                    EventOutcome::Unknown => f.write_str(": unknown"),
                    EventOutcome::Nothing => f.write_str(": nothing"),
                }
            }
        }
    }
}

/// As the output dialects write it: a balance as a number, an event as an object.
impl Serialize for Seen {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Balance(balance) => balance.map(Money::decimal).serialize(serializer),
            Self::Event(event) => event.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::OperationKind;
    use crate::report::fixture::{Bank, branch, customer, money};
    use crate::scenario::{BalanceRow, EventsRow};

    fn query(branch_number: Option<i64>, balance: i64) -> EventResult {
        EventResult {
            interface: OperationKind::Query,
            branch: branch_number.map(branch),
            told: EventOutcome::Balance(money(balance)),
        }
    }

    #[test]
    fn the_order_of_customers_does_not_matter() {
        let result = Bank::new("two", 2).query(1, 1, 1).query(2, 1, 2).run().result;
        let row = |id| BalanceRow { id: customer(id), balance: Some(money(0)) };
        assert_eq!(between(&Output::Balances(vec![row(2), row(1)]), &result), []);
    }

    #[test]
    fn a_customer_too_many_and_one_too_few_are_differences() {
        let result = Bank::new("one", 2).query(1, 1, 1).run().result;
        let row = BalanceRow { id: customer(3), balance: Some(money(7)) };
        let zero = Some(Seen::Balance(Some(money(0))));
        let seven = Some(Seen::Balance(Some(money(7))));
        assert_eq!(
            between(&Output::Balances(vec![row]), &result),
            [
                Difference {
                    customer: customer(1),
                    request: None,
                    visit: None,
                    expected: None,
                    got: zero
                },
                Difference {
                    customer: customer(3),
                    request: None,
                    visit: None,
                    expected: seven,
                    got: None
                },
            ]
        );
    }

    #[test]
    fn an_event_is_compared_with_its_branch_if_one_is_expected() {
        let result = Bank::new("one", 2).query(1, 1, 1).run().result;
        let expected =
            |event| Output::Events(vec![EventsRow { id: customer(1), recv: vec![event] }]);
        assert_eq!(between(&expected(query(None, 0)), &result), []);
        assert_eq!(between(&expected(query(Some(1), 0)), &result), []);
        let elsewhere = between(&expected(query(Some(2), 0)), &result);
        assert_eq!(elsewhere.len(), 1);
        assert_eq!(elsewhere[0].to_string(), "customer 1, request 1");
        assert_eq!(
            serde_json::to_string(&elsewhere).unwrap(),
            r#"[{"customer":1,"request":1,"expected":{"interface":"query","branch":2,"balance":0},"got":{"interface":"query","branch":1,"balance":0}}]"#
        );
    }
}
