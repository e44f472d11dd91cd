//! The writes that a branch has refused for want of money or of room: the same request gets the
//! same answer. So many are remembered, for else a client could fill the memory with them.

use std::collections::BTreeMap;

use super::Refused;
use crate::model::{CustomerId, EventId, Refusal, Write, WriteId};

/// How many are remembered of one customer.
const OF_ONE_MAX: usize = 1_000;

/// How many are remembered in a bank, each branch an equal share, but at least [`SHARE_MIN`].
const OF_ALL_MAX: usize = 100_000;

/// What each branch of a bank of very many remembers.
const SHARE_MIN: usize = 100;

/// The refusals that a branch remembers.
#[derive(Debug, Clone)]
pub(super) struct Refusals {
    of_one_max: usize,
    of_all_max: usize,
    by_customer: BTreeMap<CustomerId, BTreeMap<EventId, Refused>>,
    /// Which write was refused when, the first one first.
    by_age: BTreeMap<u64, WriteId>,
    next_number: u64,
}

impl Refusals {
    /// Those of one branch in a bank of so many `branches`: none yet.
    pub(super) fn new(branches: usize) -> Self {
        let of_all_max = OF_ALL_MAX.checked_div(branches).unwrap_or_default().max(SHARE_MIN);
        Self::bounded(OF_ONE_MAX, of_all_max)
    }

    fn bounded(of_one_max: usize, of_all_max: usize) -> Self {
        let (by_customer, by_age) = (BTreeMap::new(), BTreeMap::new());
        Self { of_one_max, of_all_max, by_customer, by_age, next_number: 0 }
    }

    /// What the write `id` would have done, and why it was refused.
    pub(super) fn find(&self, id: WriteId) -> Option<(Write, Refusal)> {
        let refused = self.by_customer.get(&id.customer)?.get(&id.event)?;
        Some((refused.write, refused.refusal))
    }

    /// The highest event id of the customer's refused writes.
    pub(super) fn latest(&self, customer: CustomerId) -> Option<EventId> {
        self.by_customer.get(&customer)?.last_key_value().map(|(&event, _)| event)
    }

    /// The number of the next refusal.
    pub(super) fn next_number(&self) -> u64 {
        self.next_number
    }

    /// Remembers a write that was refused, and is not remembered yet. Past the bounds it forgets the
    /// customer's lowest id, for its next write must be higher all the same; then the refusal that is
    /// the oldest of all. Says which it has forgotten, by their numbers.
    pub(super) fn remember(&mut self, refused: Refused) -> [Option<u64>; 2] {
        let Refused { number, id, .. } = refused;
        self.next_number = number + 1;
        let of_one = self.by_customer.entry(id.customer).or_default();
        of_one.insert(id.event, refused);
        self.by_age.insert(number, id);
        let mut forgotten = [None, None];
        if of_one.len() > self.of_one_max
            && let Some((_, lowest)) = of_one.pop_first()
        {
            self.by_age.remove(&lowest.number);
            forgotten[0] = Some(lowest.number);
        }
        if self.by_age.len() > self.of_all_max
            && let Some((number, oldest)) = self.by_age.pop_first()
        {
            self.forget(oldest);
            forgotten[1] = Some(number);
        }
        forgotten
    }

    fn forget(&mut self, id: WriteId) {
        if let Some(of_one) = self.by_customer.get_mut(&id.customer) {
            of_one.remove(&id.event);
            if of_one.is_empty() {
                self.by_customer.remove(&id.customer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Amount, Money};

    const WHY: Refusal = Refusal::BalanceOutOfRange { balance: Money::ZERO };

    fn id(customer: i64, event: i64) -> WriteId {
        let (customer, event) = (CustomerId::new(customer), EventId::new(event));
        WriteId { customer: customer.unwrap(), event: event.unwrap() }
    }

    /// Two of each customer at most, and four of all; after the writes `ids` were refused.
    fn after(ids: &[WriteId]) -> Refusals {
        let mut refusals = Refusals::bounded(2, 4);
        for &id in ids {
            let number = refusals.next_number();
            refusals.remember(Refused { number, id, write: write(), refusal: WHY });
        }
        let counted: usize = refusals.by_customer.values().map(BTreeMap::len).sum();
        assert_eq!(counted, refusals.by_age.len());
        assert!(refusals.by_customer.values().all(|of_one| !of_one.is_empty()));
        refusals
    }

    fn write() -> Write {
        Write::withdraw(Amount::try_from(Money::from_minor(1)).unwrap())
    }

    #[track_caller]
    fn remembers(refusals: &Refusals, asked: [(WriteId, bool); 5]) {
        for (id, is_there) in asked {
            assert_eq!(refusals.find(id), is_there.then(|| (write(), WHY)), "{id}");
        }
    }

    #[test]
    fn of_one_customer_the_highest_ids_are_remembered() {
        let refusals = after(&[id(1, 3), id(1, 5), id(1, 4), id(2, 1)]);
        let kept = [(id(1, 3), false), (id(1, 4), true), (id(1, 5), true), (id(2, 1), true)];
        remembers(&refusals, [kept[0], kept[1], kept[2], kept[3], (id(3, 1), false)]);
        assert_eq!(refusals.latest(id(1, 1).customer).map(EventId::get), Some(5));
    }

    #[test]
    fn of_all_the_newest_are_remembered_whoever_asks() {
        let refusals = after(&[id(9, 1), id(1, 1), id(2, 1), id(3, 1), id(4, 1)]);
        let kept = [1, 2, 3, 4].map(|customer| (id(customer, 1), true));
        remembers(&refusals, [(id(9, 1), false), kept[0], kept[1], kept[2], kept[3]]);
        assert_eq!(refusals.latest(id(9, 1).customer), None);
    }

    #[test]
    fn branches_of_a_large_bank_share_what_is_remembered() {
        let share = |branches| Refusals::new(branches).of_all_max;
        assert_eq!([share(1), share(2), share(10_000)], [100_000, 50_000, 100]);
    }
}
