//! What the registry keeps of its customers, and for how many. Knows no branch and no message.

use std::collections::BTreeMap;

use crate::bank::Passbook;
use crate::model::{CustomerId, EventId, RequestNumber};

/// The customers that a registry remembers, each with what it keeps for it.
#[derive(Debug)]
pub(super) struct Sessions {
    remembers: Remembers,
    kept: BTreeMap<CustomerId, KeptSession>,
    /// The customers of whom nothing is under way, by when that came to be so: the oldest first.
    resting: BTreeMap<u64, CustomerId>,
    rests: u64,
    /// Whether some customer's event ids are not remembered any more.
    has_forgotten: bool,
    /// How many customers were forgotten past the bound.
    forgotten: u64,
}

/// How many customers a registry remembers, and how many it does not any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remembered {
    /// How many are remembered.
    pub customers: usize,
    /// How many are at most, beside those of whom something is under way; `None`: all.
    pub most: Option<usize>,
    /// How many were forgotten because there were more.
    pub forgotten: u64,
}

/// How many customers a registry remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remembers {
    /// All: a bank that is open for one scenario counts each customer's requests as it does itself.
    All,
    /// So many, and those of whom something is under way; the others are forgotten, the oldest
    /// first.
    AtMost(usize),
}

/// How many counts the passbooks of all remembered customers may hold: 128 MiB.
const COUNTS_MAX: usize = 16 << 20;

impl Remembers {
    /// `most` customers of a bank of so many `branches`, or as many as there is room for: a passbook
    /// holds two counts for each branch.
    pub(super) fn at_most(most: usize, branches: usize) -> Self {
        Self::AtMost(most.min(COUNTS_MAX / 2 / branches).max(1))
    }
}

/// What a registry keeps for a customer.
#[derive(Debug, Default)]
pub(super) struct KeptSession {
    /// Its passbook; `None`: it brings its own.
    pub(super) passbook: Option<Passbook>,
    /// The highest event id of its writes that the registry has heard of.
    pub(super) last_event: Option<EventId>,
    /// How many requests it has made.
    pub(super) requests: RequestNumber,
    /// Whether its earlier writes, too, are known here.
    pub(super) numbers: Numbers,
    under_way: usize,
    resting_since: Option<u64>,
}

/// What a registry knows of the event ids of a customer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Numbers {
    /// Those of writes that it brought since it keeps them. To be asked of the branches.
    #[default]
    Recent,
    /// All.
    All,
    /// All, and it has given some itself.
    Given,
}

impl Sessions {
    /// Nobody yet.
    pub(super) fn new(remembers: Remembers) -> Self {
        let (kept, resting) = (BTreeMap::new(), BTreeMap::new());
        Self { remembers, kept, resting, rests: 0, has_forgotten: false, forgotten: 0 }
    }

    /// Begins a request of `customer`, who is remembered until [`Sessions::end`].
    pub(super) fn begin(&mut self, customer: CustomerId) -> &mut KeptSession {
        let numbers = if self.has_forgotten { Numbers::Recent } else { Numbers::All };
        let new = || KeptSession { numbers, ..KeptSession::default() };
        let kept = self.kept.entry(customer).or_insert_with(new);
        if let Some(since) = kept.resting_since.take() {
            self.resting.remove(&since);
        }
        kept.under_way += 1;
        kept.requests = kept.requests.next();
        kept
    }

    /// Whether it must be told of the end of each request.
    pub(super) fn forgets(&self) -> bool {
        self.remembers != Remembers::All
    }

    /// What is kept for `customer`, if anything is.
    pub(super) fn get_mut(&mut self, customer: CustomerId) -> Option<&mut KeptSession> {
        self.kept.get_mut(&customer)
    }

    /// Ends a request that began. Of a customer that brings its own passbook and its own event ids
    /// nothing is kept any longer, and past the bound one who has asked for nothing is forgotten.
    pub(super) fn end(&mut self, customer: CustomerId) {
        let Remembers::AtMost(most) = self.remembers else { return };
        let Some(kept) = self.kept.get_mut(&customer) else { return };
        kept.under_way -= 1;
        if kept.under_way > 0 {
            return;
        }
        if kept.passbook.is_none() && kept.numbers != Numbers::Given {
            return self.forget(customer);
        }
        self.rests += 1;
        kept.resting_since = Some(self.rests);
        self.resting.insert(self.rests, customer);
        while self.resting.len() > most
            && let Some((_, oldest)) = self.resting.pop_first()
        {
            self.forgotten += 1;
            self.forget(oldest);
        }
    }

    /// How many are remembered.
    pub(super) fn remembered(&self) -> Remembered {
        let most = match self.remembers {
            Remembers::All => None,
            Remembers::AtMost(most) => Some(most),
        };
        Remembered { customers: self.kept.len(), most, forgotten: self.forgotten }
    }

    fn forget(&mut self, customer: CustomerId) {
        let forgotten = self.kept.remove(&customer);
        self.has_forgotten |= forgotten.is_some_and(|kept| kept.last_event.is_some());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BranchId, Roster};

    fn customer(id: i64) -> CustomerId {
        CustomerId::new(id).unwrap()
    }

    fn kept(sessions: &Sessions) -> Vec<u32> {
        sessions.kept.keys().map(|id| id.get()).collect()
    }

    /// A request of `id`, which brings its passbook and an event id.
    fn carried(sessions: &mut Sessions, id: i64) -> Numbers {
        let kept = sessions.begin(customer(id));
        kept.last_event = EventId::new(1).ok();
        let numbers = kept.numbers;
        sessions.end(customer(id));
        numbers
    }

    /// A request of `id`, whose passbook the registry keeps.
    fn shown(sessions: &mut Sessions, id: i64) {
        let roster = Roster::new([BranchId::new(1).unwrap()]).unwrap();
        sessions.begin(customer(id)).passbook = Some(Passbook::new(&roster));
        sessions.end(customer(id));
    }

    #[test]
    fn who_was_away_the_longest_is_forgotten_first() {
        let mut sessions = Sessions::new(Remembers::AtMost(2));
        for id in [1, 2, 1, 3] {
            shown(&mut sessions, id);
        }
        assert_eq!(kept(&sessions), [1, 3]);
        sessions.begin(customer(1));
        for id in 4..=9 {
            shown(&mut sessions, id);
        }
        assert_eq!(kept(&sessions), [1, 8, 9], "a request of customer 1 is under way");
        sessions.end(customer(1));
        assert_eq!(kept(&sessions), [1, 9]);
        assert_eq!(sessions.resting.len(), 2);
        let remembered = Remembered { customers: 2, most: Some(2), forgotten: 7 };
        assert_eq!(sessions.remembered(), remembered);
    }

    #[test]
    fn of_one_that_brings_its_passbook_and_ids_nothing_stays() {
        let mut sessions = Sessions::new(Remembers::AtMost(2));
        for id in 1..=1000 {
            carried(&mut sessions, id);
        }
        assert_eq!((kept(&sessions), sessions.resting.len()), (vec![], 0));
    }

    #[test]
    fn the_event_ids_of_one_that_was_forgotten_are_to_be_asked() {
        let mut sessions = Sessions::new(Remembers::AtMost(2));
        assert_eq!(carried(&mut sessions, 1), Numbers::All);
        assert_eq!(carried(&mut sessions, 1), Numbers::Recent);
    }

    #[test]
    fn large_passbooks_leave_room_for_fewer() {
        let room = |branches| Remembers::at_most(100_000, branches);
        assert_eq!(room(83), Remembers::AtMost(100_000));
        assert_eq!(room(10_000), Remembers::AtMost(838));
        assert_eq!(room(usize::MAX), Remembers::AtMost(1));
    }

    #[test]
    fn a_bank_for_one_scenario_forgets_nobody() {
        let mut sessions = Sessions::new(Remembers::All);
        for id in 1..=100 {
            carried(&mut sessions, id);
        }
        assert_eq!(kept(&sessions).len(), 100);
        assert_eq!(carried(&mut sessions, 1), Numbers::All);
        let requests = sessions.begin(customer(1)).requests;
        assert_eq!(requests, RequestNumber::new(3));
    }
}
