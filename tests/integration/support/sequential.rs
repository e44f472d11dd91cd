//! One account, one event after the other: what a bank must come to when nothing goes on at the
//! same time. Shares no code with the bank beyond the words.

use std::collections::BTreeMap;

use passbook::model::{Operation, Overdraft, WriteKind};
use passbook::scenario::Scenario;

/// What one event comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventOutcome {
    Success,
    Balance(i64),
    Refused,
}

/// What a whole scenario comes to.
#[derive(Debug, Default)]
pub(crate) struct Sequential {
    pub(crate) balance: i64,
    /// Per customer, what it was told, in order.
    pub(crate) told: BTreeMap<u32, Vec<EventOutcome>>,
    /// Per customer, the event ids of its writes that took effect, in order.
    pub(crate) write_sets: BTreeMap<u32, Vec<u32>>,
    applied: BTreeMap<(u32, u32), i64>,
    /// A branch gives a write that it refused for want of money the same answer again.
    refused_at: BTreeMap<(u32, u32, u32), i64>,
    overdraft: Overdraft,
}

pub(crate) fn run(scenario: &Scenario, overdraft: Overdraft) -> Sequential {
    let mut bank = Sequential {
        balance: scenario.opening_balance.minor(),
        overdraft,
        ..Sequential::default()
    };
    for visit in &scenario.visits {
        let customer = visit.customer.get();
        bank.told.entry(customer).or_default();
        for event in &visit.events {
            let told = match event.operation {
                Operation::Query => EventOutcome::Balance(bank.balance),
                Operation::Write(write) => {
                    let minor = write.amount.money().minor();
                    let delta = if write.kind == WriteKind::Deposit { minor } else { -minor };
                    bank.write(customer, event.branch.get(), event.id.get(), delta)
                }
            };
            bank.told.entry(customer).or_default().push(told);
        }
    }
    bank
}

impl Sequential {
    fn write(&mut self, who: u32, at: u32, event: u32, delta: i64) -> EventOutcome {
        if let Some(&first) = self.applied.get(&(who, event)) {
            return if first == delta { EventOutcome::Success } else { EventOutcome::Refused };
        }
        if self.refused_at.contains_key(&(at, who, event)) {
            return EventOutcome::Refused;
        }
        let set = self.write_sets.entry(who).or_default();
        if set.iter().any(|&later| later > event) {
            return EventOutcome::Refused;
        }
        if delta < 0 && self.balance + delta < 0 && self.overdraft == Overdraft::Reject {
            self.refused_at.insert((at, who, event), delta);
            return EventOutcome::Refused;
        }
        self.balance += delta;
        self.applied.insert((who, event), delta);
        set.push(event);
        EventOutcome::Success
    }
}
