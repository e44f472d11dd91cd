//! The apply log of a branch, with the write set of each customer.
//!
//! A write is known by its id *and* what it does. A customer that gives one id to two different
//! writes, at two branches which had not heard of each other, has made two: both are held.

use std::collections::BTreeMap;
use std::iter;

use super::write_set::WriteSet;
use super::{VersionVector, WriteSetDigest};
use crate::model::blocks::Blocks;
use crate::model::number::count;
use crate::model::{
    Amount, BranchIndex, CustomerId, Dot, EventId, LogEntry, LogPosition, Money, OriginLife,
    Roster, Sequence, Write, WriteId,
};

/// All writes in the order applied at one branch, and per customer which events they are.
///
/// Takes 29 bytes a write: 24 in the log, 5 in the write set.
#[derive(Debug, Clone, Default)]
pub(super) struct ApplyLog {
    entries: Blocks<CompactEntry>,
    customers: BTreeMap<CustomerId, Box<WriteSet>>,
    /// Writes that two branches had accepted, ascending by place. They are applied once; but a
    /// branch that catches up has to know of both, for the later writes of either wait for them.
    twice: Vec<Twice>,
    /// The later lives that accepted writes: their slots come after those of the first lives, which
    /// are the places of their branches.
    later_lives: Option<Box<LaterLives>>,
}

/// In the order in which they were first met.
#[derive(Debug, Clone, Default)]
struct LaterLives(Vec<OriginLife>);

/// A write that was in the log already when it came from another origin.
#[derive(Debug, Clone, Copy)]
struct Twice {
    /// How long the log was.
    at: LogPosition,
    dot: Dot,
    /// Index into the log.
    first: u32,
}

/// What is known of a write that comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known<T> {
    /// The write itself: it is applied.
    Write(T),
    /// Its id, which names other writes.
    Id {
        /// The one that was applied first.
        first: T,
    },
    /// Nothing.
    Nothing,
}

/// A place in the log: 0 is the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LogIndex(u32);

/// A log entry in 24 bytes: a bank of a thousand branches holds each write a thousand times.
#[derive(Debug, Clone, Copy)]
struct CompactEntry {
    id: WriteId,
    delta: Money,
    /// The place of the life that accepted it, among all.
    slot: u32,
    sequence: Sequence,
}

impl ApplyLog {
    /// The place of the newest write; 0 if there is none.
    pub(super) fn position(&self) -> LogPosition {
        position(&self.entries)
    }

    /// How many writes came: those of the log, and those that were there already.
    pub(super) fn came(&self) -> LogPosition {
        let twice = count(self.twice.len());
        LogPosition::new(self.position().get().saturating_add(twice))
    }

    /// Adds `entry`. One that came from another origin before is not in the log twice: it is remembered
    /// that both accepted it. Gives the customer's write set up to and with it, and what was known
    /// of it before.
    ///
    /// Panics past 2³² writes: the indexes of the write sets hold no more.
    #[inline(always)]
    pub(super) fn add(
        &mut self,
        LogEntry { dot, id, write }: LogEntry,
        origin: OriginLife,
        roster: &Roster,
    ) -> (WriteSetDigest, Known<LogIndex>) {
        let Self { entries, customers, twice, later_lives } = self;
        let set = customers.entry(id.customer).or_default();
        let delta = write.delta();
        // Ids mostly ascend as they come: such a one is new, and needs no search.
        let is_latest = set.latest(|at| write_at(entries, at)) < Some(id.event);
        let known = if is_latest { Known::Nothing } else { known(set, entries, id.event, delta) };
        if let Known::Write(LogIndex(first)) = known {
            twice.push(Twice { at: position(entries), dot, first });
            return (set.digest_at(id.event, |at| write_at(entries, at)), known);
        }
        let narrow = |count: u64| u32::try_from(count).expect("an apply log holds 2^32 writes");
        let index = narrow(position(entries).get());
        let slot = narrow(count(slot(later_lives, origin, roster)));
        entries.push(CompactEntry { id, delta, slot, sequence: dot.sequence });
        let write_set = if is_latest {
            set.append(index, id.event, delta)
        } else {
            set.insert(index, |at| write_at(entries, at))
        };
        (write_set, known)
    }

    /// The life at a slot.
    fn origin(&self, slot: u32, roster: &Roster) -> OriginLife {
        let slot = usize::try_from(slot).unwrap_or(usize::MAX);
        if slot < roster.len() {
            return BranchIndex::new(slot).into();
        }
        let LaterLives(lives) =
            self.later_lives.as_deref().expect("a later slot is of one of them");
        lives[slot - roster.len()]
    }

    #[inline]
    fn widen(&self, entry: &CompactEntry, roster: &Roster) -> LogEntry {
        let &CompactEntry { slot, sequence, .. } = entry;
        let first = usize::try_from(slot).ok().and_then(|slot| roster.ids().get(slot));
        let dot = match first {
            Some(&origin) => Dot { origin, life: roster.first_life(), sequence },
            None => roster.dot(self.origin(slot, roster), sequence),
        };
        LogEntry { dot, id: entry.id, write: write_of(entry.delta) }
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
            while let Some(&Twice { dot, first, .. }) = twice.next_if(|twice| twice.at == place) {
                came.push(LogEntry { dot, ..self.get(LogIndex(first), roster) });
            }
        }
        came
    }

    /// Where the write `id` that does `write` stands, or else the one that was applied first of
    /// those that `id` names. A write that equals any of them is known, and only one that equals
    /// none is a reuse of their id.
    pub(super) fn known(&self, id: WriteId, write: Write) -> Known<LogIndex> {
        let set = self.customers.get(&id.customer);
        set.map_or(Known::Nothing, |set| known(set, &self.entries, id.event, write.delta()))
    }

    /// The entry at `index`.
    pub(super) fn get(&self, LogIndex(index): LogIndex, roster: &Roster) -> LogEntry {
        self.widen(entry_at(&self.entries, index), roster)
    }

    /// The highest event id in the customer's write set.
    pub(super) fn latest(&self, customer: CustomerId) -> Option<EventId> {
        self.customers.get(&customer)?.latest(|at| write_at(&self.entries, at))
    }

    /// The customer's write set up to and with what `id` names, which is in the log.
    pub(super) fn digest_at(&self, id: WriteId) -> WriteSetDigest {
        let write_at = |at| write_at(&self.entries, at);
        match self.customers.get(&id.customer) {
            Some(set) => set.digest_at(id.event, write_at),
            None => WriteSet::default().digest_at(id.event, write_at),
        }
    }

    /// Whether one of the customer's event ids names several writes.
    pub(super) fn has_clash(&self, customer: CustomerId) -> bool {
        self.customers.get(&customer).is_some_and(|set| set.has_clash())
    }

    /// The customer's write set when the log was as long as `position`: event ids in the order
    /// applied.
    pub(super) fn write_set(&self, customer: CustomerId, position: LogPosition) -> Vec<EventId> {
        let end = u32::try_from(position.get()).unwrap_or(u32::MAX);
        match (self.customers.get(&customer), end.checked_sub(1)) {
            (Some(set), Some(last)) => set.in_order(last, |at| write_at(&self.entries, at)),
            (None, _) | (_, None) => Vec::new(),
        }
    }

    /// What was here before the entry at `index`; all is `now`. Reads no more of the log than came
    /// since.
    pub(super) fn version_before(
        &self,
        LogIndex(index): LogIndex,
        now: &VersionVector,
        roster: &Roster,
    ) -> VersionVector {
        let mut version = now.clone();
        let mut take_back = |origin, sequence: Sequence| {
            version.limit(origin, sequence.before());
        };
        let place = LogPosition::new(u64::from(index));
        for twice in self.twice.iter().rev().take_while(|twice| twice.at > place) {
            if let Some(origin) = roster.origin(twice.dot) {
                take_back(origin, twice.dot.sequence);
            }
        }
        let since = usize::try_from(index).unwrap_or(usize::MAX);
        for entry in self.entries.from(since).rev() {
            take_back(self.origin(entry.slot, roster), entry.sequence);
        }
        version
    }

    /// The place after which all came that is here `now` and that one who has `theirs` lacks.
    pub(super) fn lacks_after(
        &self,
        now: &VersionVector,
        theirs: &VersionVector,
        roster: &Roster,
    ) -> LogPosition {
        let lacks = |origin, sequence: Sequence| sequence > theirs.get(origin);
        let beyond = |(origin, here): (OriginLife, Sequence)| {
            here.get().saturating_sub(theirs.get(origin).get())
        };
        let mut left: u64 = now.used().map(beyond).sum();
        let mut after = self.position();
        for twice in self.twice.iter().rev() {
            let origin = roster.origin(twice.dot);
            if left > 0 && origin.is_some_and(|origin| lacks(origin, twice.dot.sequence)) {
                left -= 1;
                after = LogPosition::new(twice.at.get() - 1);
            }
        }
        for (place, entry) in self.entries.from(0).enumerate().rev() {
            if left == 0 {
                break;
            }
            let origin = self.origin(entry.slot, roster);
            if lacks(origin, entry.sequence) {
                left -= 1;
                after = after.min(LogPosition::new(count(place)));
            }
        }
        after
    }

    /// All entries in the order applied.
    pub(super) fn iter(
        &self,
        roster: &Roster,
    ) -> impl ExactSizeIterator<Item = LogEntry> + DoubleEndedIterator {
        self.entries.from(0).map(|entry| self.widen(entry, roster))
    }

    /// The entries after `position`.
    pub(super) fn after(
        &self,
        position: LogPosition,
        roster: &Roster,
    ) -> impl ExactSizeIterator<Item = LogEntry> {
        let skipped = usize::try_from(position.get()).unwrap_or(usize::MAX);
        self.entries.from(skipped).map(|entry| self.widen(entry, roster))
    }
}

fn position(entries: &Blocks<CompactEntry>) -> LogPosition {
    LogPosition::new(count(entries.len()))
}

/// What is known of a write of the customer that has this `set`: the event `event`, which changes the
/// balance by `delta`.
fn known(
    set: &WriteSet,
    entries: &Blocks<CompactEntry>,
    event: EventId,
    delta: Money,
) -> Known<LogIndex> {
    let mut named = set.find(event, |at| write_at(entries, at));
    let Some(first) = named.next() else { return Known::Nothing };
    let is_same = |at: &u32| entry_at(entries, *at).delta == delta;
    match iter::once(first).chain(named).find(is_same) {
        Some(at) => Known::Write(LogIndex(at)),
        None => Known::Id { first: LogIndex(first) },
    }
}

/// The slot of a life, which gets one if it has none.
fn slot(later_lives: &mut Option<Box<LaterLives>>, origin: OriginLife, roster: &Roster) -> usize {
    if origin.is_first() {
        return origin.branch().get();
    }
    let LaterLives(lives) = &mut **later_lives.get_or_insert_default();
    let known = lives.iter().rposition(|&later| later == origin);
    let place = known.unwrap_or_else(|| {
        lives.push(origin);
        lives.len() - 1
    });
    roster.len() + place
}

fn write_at(entries: &Blocks<CompactEntry>, at: u32) -> (EventId, Money) {
    let entry = entry_at(entries, at);
    (entry.id.event, entry.delta)
}

fn entry_at(entries: &Blocks<CompactEntry>, at: u32) -> &CompactEntry {
    let entry = usize::try_from(at).ok().and_then(|at| entries.get(at));
    entry.expect("an index is of what is in the log")
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
            let sequence = Sequence::new(u32::try_from(place).unwrap() + 1);
            let id = WriteId { customer: customer(who), event: event(id) };
            let write = Write::deposit(Amount::try_from(Money::from_minor(1)).unwrap());
            let entry = LogEntry { dot: Dot::first_life(here, sequence), id, write };
            log.add(entry, roster.index(here).unwrap().into(), &roster);
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
