//! The apply log of a branch, with the write set of each customer.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{Dot, VersionVector};
use crate::model::{
    Amount, BranchIndex, CustomerId, EventId, LogPosition, Money, Refusal, Roster, Sequence, Write,
    WriteId,
};

/// All writes in the order applied at one branch, and per customer which events they are.
///
/// Takes 32 bytes a write: 24 in the log, 8 in the write set.
#[derive(Debug, Clone, Default)]
pub(super) struct ApplyLog {
    entries: Vec<CompactEntry>,
    customers: BTreeMap<CustomerId, WriteSet>,
    /// Writes that two branches had accepted, ascending by place. They are applied once; but a
    /// branch that catches up has to know of both, for the later writes of either wait for them.
    twice: Vec<Twice>,
}

/// A write that was in the log already when it came from another origin.
#[derive(Debug, Clone, Copy)]
struct Twice {
    /// How long the log was.
    at: LogPosition,
    dot: Dot,
    id: WriteId,
}

/// A write in an apply log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogEntry {
    /// Which of its origin's writes it is.
    pub dot: Dot,
    /// Its name.
    pub id: WriteId,
    /// What it does.
    pub write: Write,
}

/// A write set in one number: equal sets in equal order have equal digests.
///
/// Unequal ones differ, but for one case in 2⁶⁴. An acknowledgement carries it in place of the
/// set, so that it stays as small after a hundred thousand writes as after one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WriteSetDigest {
    /// How many writes the set holds.
    pub len: u32,
    /// A hash of the event ids in the order applied.
    pub hash: u64,
}

impl WriteSetDigest {
    /// The digest of a write set, given as its event ids in the order applied.
    pub fn of(events: impl IntoIterator<Item = EventId>) -> Self {
        events.into_iter().fold(Self::default(), Self::with)
    }

    /// The digest after one more write is applied.
    #[must_use]
    pub fn with(self, event: EventId) -> Self {
        Self { len: self.len + 1, hash: mix(self.hash ^ u64::from(event.get())) }
    }
}

/// A one-to-one scrambling of 64 bits. Source: D. Stafford, "Better Bit Mixing", 2011, variant 13.
fn mix(bits: u64) -> u64 {
    let bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// A log entry in 24 bytes: a bank of a thousand branches holds each write a thousand times.
#[derive(Debug, Clone, Copy)]
struct CompactEntry {
    id: WriteId,
    delta: Money,
    origin: u32,
    sequence: u32,
}

#[derive(Debug, Clone, Default)]
struct WriteSet {
    /// Event id and index into the log, ascending by event id. Ids mostly ascend as they come.
    by_event: Vec<(EventId, u32)>,
    /// Index into the log of the write that was applied last.
    newest: u32,
    digest: WriteSetDigest,
    /// Writes refused here for want of money: the same request gets the same answer.
    refused: BTreeMap<EventId, (Write, Refusal)>,
}

/// Makes room for one more, and for a quarter of what is there: a log that doubled its room would
/// leave up to half of it empty, a thousand times in a bank of a thousand branches.
fn make_room<T>(items: &mut Vec<T>) {
    if items.len() == items.capacity() {
        items.reserve_exact(items.len() / 4 + 4);
    }
}

impl WriteSet {
    fn find(&self, event: EventId) -> Option<u32> {
        // Mostly it is the latest one, or a later one still.
        let &(latest, index) = self.by_event.last()?;
        match latest.cmp(&event) {
            Ordering::Less => None,
            Ordering::Equal => Some(index),
            Ordering::Greater => {
                let at = self.by_event.binary_search_by_key(&event, |&(event, _)| event).ok()?;
                Some(self.by_event[at].1)
            }
        }
    }

    fn latest(&self) -> Option<EventId> {
        self.by_event.last().map(|&(event, _)| event)
    }

    fn insert(&mut self, event: EventId, index: u32) {
        let at = match self.latest() {
            Some(latest) if latest > event => {
                self.by_event.partition_point(|&(earlier, _)| earlier < event)
            }
            Some(_) | None => self.by_event.len(),
        };
        make_room(&mut self.by_event);
        self.by_event.insert(at, (event, index));
        self.newest = index;
        self.digest = self.digest.with(event);
    }

    /// Event ids in the order applied, up to and with the write at `last` in the log.
    fn in_order(&self, last: u32) -> Vec<EventId> {
        let mut applied: Vec<_> =
            self.by_event.iter().filter(|&&(_, index)| index <= last).copied().collect();
        applied.sort_unstable_by_key(|&(_, index)| index);
        applied.into_iter().map(|(event, _)| event).collect()
    }
}

impl ApplyLog {
    /// The place of the newest write; 0 if there is none.
    pub(super) fn position(&self) -> LogPosition {
        LogPosition::new(u64::try_from(self.entries.len()).unwrap_or(u64::MAX))
    }

    /// Adds `entry`, whose id is not in the log.
    ///
    /// Panics past 2³² writes: the indexes of the write sets hold no more.
    pub(super) fn push(&mut self, entry: LogEntry, origin: BranchIndex) {
        let narrow = |count: u64| u32::try_from(count).expect("an apply log holds 2^32 writes");
        let index = narrow(self.position().get());
        make_room(&mut self.entries);
        self.entries.push(CompactEntry {
            id: entry.id,
            delta: entry.write.delta(),
            origin: narrow(u64::try_from(origin.get()).unwrap_or(u64::MAX)),
            sequence: narrow(entry.dot.sequence.get()),
        });
        self.customers.entry(entry.id.customer).or_default().insert(entry.id.event, index);
    }

    /// Remembers that the write `id`, which is in the log, came from another origin too.
    pub(super) fn push_twice(&mut self, dot: Dot, id: WriteId) {
        self.twice.push(Twice { at: self.position(), dot, id });
    }

    /// What came after `position`, up to `most` entries of the log: those, and what came twice.
    pub(super) fn came_after(
        &self,
        position: LogPosition,
        most: usize,
        roster: &Roster,
    ) -> Vec<LogEntry> {
        let first = self.twice.partition_point(|twice| twice.at <= position);
        let mut twice = self.twice[first..].iter().peekable();
        let mut place = position;
        let mut came = Vec::new();
        for entry in self.after(position, roster).take(most) {
            place = place.next();
            came.push(entry);
            while let Some(&Twice { dot, id, .. }) = twice.next_if(|twice| twice.at == place) {
                came.extend(self.find(id, roster).map(|first| LogEntry { dot, ..first }));
            }
        }
        came
    }

    /// The write that `id` names, if it is applied here.
    pub(super) fn find(&self, id: WriteId, roster: &Roster) -> Option<LogEntry> {
        let index = self.customers.get(&id.customer)?.find(id.event)?;
        self.get(index, roster)
    }

    /// Whether the write `id` is applied here.
    pub(super) fn contains(&self, id: WriteId) -> bool {
        self.customers.get(&id.customer).is_some_and(|set| set.find(id.event).is_some())
    }

    /// The highest event id in the customer's write set.
    pub(super) fn latest(&self, customer: CustomerId) -> Option<EventId> {
        self.customers.get(&customer)?.latest()
    }

    /// The customer's write set up to and with the write `id`, which is in the log.
    pub(super) fn digest_at(&self, id: WriteId) -> WriteSetDigest {
        let Some(set) = self.customers.get(&id.customer) else {
            return WriteSetDigest::default();
        };
        let Some(last) = set.find(id.event) else { return WriteSetDigest::default() };
        if set.newest == last { set.digest } else { WriteSetDigest::of(set.in_order(last)) }
    }

    /// The customer's write set when the log was as long as `position`: event ids in the order
    /// applied.
    pub(super) fn write_set(&self, customer: CustomerId, position: LogPosition) -> Vec<EventId> {
        let end = u32::try_from(position.get()).unwrap_or(u32::MAX);
        match (self.customers.get(&customer), end.checked_sub(1)) {
            (Some(set), Some(last)) => set.in_order(last),
            (None, _) | (_, None) => Vec::new(),
        }
    }

    /// What was applied here before the write `id`.
    pub(super) fn version_before(&self, id: WriteId, roster: &Roster) -> VersionVector {
        let mut version = VersionVector::new(roster);
        for entry in self.iter(roster).take_while(|entry| entry.id != id) {
            if let Some(origin) = roster.index(entry.dot.origin) {
                version.cover(origin, entry.dot.sequence);
            }
        }
        version
    }

    /// The refusal that the write `id` got here before, and what it would have done.
    pub(super) fn refusal(&self, id: WriteId) -> Option<(Write, Refusal)> {
        self.customers.get(&id.customer)?.refused.get(&id.event).copied()
    }

    /// Remembers that the write `id` was refused.
    pub(super) fn remember_refusal(&mut self, id: WriteId, write: Write, refusal: Refusal) {
        let set = self.customers.entry(id.customer).or_default();
        set.refused.insert(id.event, (write, refusal));
    }

    /// All entries in the order applied.
    pub(super) fn iter(
        &self,
        roster: &Roster,
    ) -> impl ExactSizeIterator<Item = LogEntry> + DoubleEndedIterator {
        self.entries.iter().map(|entry| entry.widen(roster))
    }

    /// The entries after `position`.
    pub(super) fn after(
        &self,
        position: LogPosition,
        roster: &Roster,
    ) -> impl ExactSizeIterator<Item = LogEntry> {
        let skipped = usize::try_from(position.get()).unwrap_or(usize::MAX);
        let after = self.entries.get(skipped..).unwrap_or_default();
        after.iter().map(|entry| entry.widen(roster))
    }

    fn get(&self, index: u32, roster: &Roster) -> Option<LogEntry> {
        self.entries.get(usize::try_from(index).ok()?).map(|entry| entry.widen(roster))
    }
}

impl CompactEntry {
    fn widen(self, roster: &Roster) -> LogEntry {
        let origin = usize::try_from(self.origin).unwrap_or(usize::MAX);
        LogEntry {
            dot: Dot {
                origin: roster.ids()[origin],
                sequence: Sequence::new(u64::from(self.sequence)),
            },
            id: self.id,
            write: write_of(self.delta),
        }
    }
}

fn write_of(delta: Money) -> Write {
    let amount = |money: Money| Amount::try_from(money).expect("an applied write moves money");
    if delta > Money::ZERO {
        Write::deposit(amount(delta))
    } else {
        Write::withdraw(amount(Money::from_minor(-delta.minor())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::BranchId;

    #[test]
    fn a_write_set_is_told_as_it_was_at_any_place_of_the_log() {
        let here = BranchId::new(1).unwrap();
        let roster = Roster::new([here]).unwrap();
        let event = |id| EventId::new(id).unwrap();
        let customer = |id| CustomerId::new(id).unwrap();
        let mut log = ApplyLog::default();
        // Customer 1 writes at the places 1, 3 and 4, and not in the order of its ids.
        for (place, (who, id)) in [(1, 2), (2, 1), (1, 9), (1, 5)].into_iter().enumerate() {
            let sequence = Sequence::new(u64::try_from(place).unwrap() + 1);
            let id = WriteId { customer: customer(who), event: event(id) };
            let write = Write::deposit(Amount::try_from(Money::from_minor(1)).unwrap());
            let entry = LogEntry { dot: Dot { origin: here, sequence }, id, write };
            log.push(entry, roster.index(here).unwrap());
        }
        let set = |who, position| log.write_set(customer(who), LogPosition::new(position));
        assert_eq!(set(1, 0), []);
        assert_eq!(set(1, 1), [event(2)]);
        assert_eq!(set(1, 2), [event(2)]);
        assert_eq!(set(1, 3), [event(2), event(9)]);
        assert_eq!(set(1, 4), [event(2), event(9), event(5)]);
        assert_eq!(set(2, 4), [event(1)]);
        assert_eq!(set(3, 4), []);
    }
}
