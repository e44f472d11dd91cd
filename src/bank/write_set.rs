//! A customer's write set at one branch, and what branches tell each other of it.

use std::cmp::Ordering;
use std::ops::Range;

use crate::model::blocks::Blocks;
use crate::model::{EventId, Money};

/// A write set in a few numbers: equal sets in equal order have equal digests.
///
/// Unequal ones differ, but for one case in 2⁶⁴. An acknowledgement carries it in place of the
/// set, so that it stays as small after a hundred thousand writes as after one.
///
/// Two branches may have accepted two writes under one id at the same time. Both are then held
/// everywhere, but in another order, for ever. So the order of ids is that in which each came
/// first, and under an id its writes have no order, whenever the second one came: as soon as both
/// branches hold both, the digests are equal again, and until then they differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteSetDigest {
    /// How many writes the set holds.
    pub len: u32,
    /// Whether `contents` is known.
    has_contents: bool,
    /// A hash of the event ids.
    pub ids: u64,
    contents: u64,
}

impl WriteSetDigest {
    const EMPTY: Self = Self { len: 0, has_contents: true, ids: 0, contents: 0 };

    /// The digest that another branch tells of its set.
    pub fn told(len: u32, ids: u64, contents: Option<u64>) -> Self {
        let has_contents = contents.is_some();
        Self { len, has_contents, ids, contents: contents.unwrap_or_default() }
    }

    /// A hash of the event ids and what each write does; `None` of a set that was told as ids
    /// alone.
    pub fn contents(self) -> Option<u64> {
        self.has_contents.then_some(self.contents)
    }

    /// The digest of a write set of which only the event ids are known, in the order applied, up to
    /// and with `last`; `None` if it does not hold that.
    pub fn of_ids(events: &[EventId], last: EventId) -> Option<Self> {
        let at = |place: u32| (events[usize::try_from(place).unwrap_or(usize::MAX)], Money::ZERO);
        let mut by_event: Vec<u32> = (0..).zip(events).map(|(place, _)| place).collect();
        by_event.sort_by_key(|&place| at(place).0);
        let last = by_event.iter().copied().find(|&place| at(place).0 == last)?;
        let empty = Self::told(0, 0, None);
        let ids = by_first_place(&by_event, last, at);
        Some(ids.into_iter().fold(empty, |digest, (event, nothing)| digest.with(event, nothing)))
    }

    /// Whether a branch that holds this may take it that another, which gives `told` of itself,
    /// holds the same. Of one that gives its ids alone that is all that there is to compare.
    pub fn agrees(self, told: Self) -> bool {
        (self.len, self.ids) == (told.len, told.ids)
            && (!told.has_contents || self.contents() == told.contents())
    }

    /// The digest after one more write is applied, which changes the balance by `delta`.
    fn with(self, event: EventId, delta: Money) -> Self {
        let id = u64::from(event.get());
        let Self { len, has_contents, ids, contents } = self;
        let content = |hash| mix(mix(hash ^ id) ^ delta.minor().cast_unsigned());
        let contents = if has_contents { content(contents) } else { 0 };
        Self { len: len + 1, has_contents, ids: mix(ids ^ id), contents }
    }
}

/// A one-to-one scrambling of 64 bits. Source: D. Stafford, "Better Bit Mixing", 2011, variant 13.
fn mix(bits: u64) -> u64 {
    let bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// The writes of one customer that are applied at a branch.
///
/// A write takes 4 bytes here, and a little less than one for the marks; 4 more where ids do not
/// ascend as they come. The rest of it stands in the log: `at` says of a place there which event it
/// is, and by how much that changes the balance.
#[derive(Debug, Clone)]
pub(super) struct WriteSet {
    /// Indexes into the log, ascending by event id and then by themselves. Ids mostly ascend as they
    /// come, and mostly each names one write.
    by_event: Blocks<u32>,
    digest: WriteSetDigest,
    /// What most sets do not need: they are small, and their ids ascend as they come.
    more: Option<Box<More>>,
}

#[derive(Debug, Clone, Default)]
struct More {
    /// Where each id came first in the log, ascending. Empty as long as that is what `by_event` says.
    order: Blocks<u32>,
    /// The digest when so many ids had come: after each [`MARK_EVERY`].
    marks: Blocks<WriteSetDigest>,
}

/// From a mark so many ids at most are gone through to the digest at any of them.
const MARK_EVERY: usize = 32;

impl Default for WriteSet {
    fn default() -> Self {
        Self { by_event: Blocks::default(), digest: WriteSetDigest::EMPTY, more: None }
    }
}

impl WriteSet {
    /// The indexes of the writes that `event` names, the first applied first: mostly one at most.
    pub(super) fn find(
        &self,
        event: EventId,
        at: impl Fn(u32) -> (EventId, Money),
    ) -> impl Iterator<Item = u32> {
        self.by_event.range(named(&self.by_event, event, at)).copied()
    }

    pub(super) fn latest(&self, at: impl Fn(u32) -> (EventId, Money)) -> Option<EventId> {
        self.by_event.last().map(|&index| at(index).0)
    }

    /// Adds the write at `index` of the log. Gives the digest up to and with it.
    pub(super) fn insert(
        &mut self,
        index: u32,
        at: impl Fn(u32) -> (EventId, Money),
    ) -> WriteSetDigest {
        let (event, delta) = at(index);
        if self.latest(&at) < Some(event) {
            return self.append(index, event, delta);
        }
        let more = self.more.get_or_insert_default();
        if more.order.is_empty() {
            more.order.clone_from(&self.by_event);
        }
        let place = self.by_event.partition_point(|&other| at(other).0 <= event);
        let is_second =
            place.checked_sub(1).is_some_and(|before| at(self.by_event[before]).0 == event);
        self.by_event.insert(place, index);
        if is_second {
            self.count_anew(&at);
            return self.digest_at(event, at);
        }
        self.more.get_or_insert_default().order.push(index);
        self.count(event, delta)
    }

    /// The same where `event` is above all that are there; the write changes the balance by `delta`.
    #[inline(always)]
    pub(super) fn append(&mut self, index: u32, event: EventId, delta: Money) -> WriteSetDigest {
        self.by_event.push(index);
        if let Some(more) = &mut self.more
            && !more.order.is_empty()
        {
            more.order.push(index);
        }
        self.count(event, delta)
    }

    /// Counts one more write in the digest, whose id is new and stands last.
    #[inline]
    fn count(&mut self, event: EventId, delta: Money) -> WriteSetDigest {
        self.digest = self.digest.with(event, delta);
        self.mark(self.ids());
        self.digest
    }

    /// Whether an id names several writes.
    pub(super) fn has_clash(&self) -> bool {
        self.by_event.len() > self.ids()
    }

    /// Where each id came first in the log, ascending, where `by_event` does not say it.
    fn order(&self) -> Option<&Blocks<u32>> {
        self.more.as_ref().map(|more| &more.order).filter(|order| !order.is_empty())
    }

    /// How many ids there are.
    fn ids(&self) -> usize {
        self.order().unwrap_or(&self.by_event).len()
    }

    /// Where the id came first that came after `before` others.
    fn first_of(&self, before: usize) -> u32 {
        self.order().unwrap_or(&self.by_event)[before]
    }

    /// Keeps the digest of the first `ids`, if it is the turn of one.
    fn mark(&mut self, ids: usize) {
        if ids.is_multiple_of(MARK_EVERY) {
            self.more.get_or_insert_default().marks.push(self.digest);
        }
    }

    /// An id that came before names one more write: all digests since are others.
    fn count_anew(&mut self, at: impl Fn(u32) -> (EventId, Money)) {
        self.more.get_or_insert_default().marks = Blocks::default();
        self.digest = WriteSetDigest::EMPTY;
        for before in 0..self.ids() {
            self.digest = self.with_id(self.digest, self.first_of(before), &at);
            self.mark(before + 1);
        }
    }

    /// The digest up to and with the writes that `last` names.
    pub(super) fn digest_at(
        &self,
        last: EventId,
        at: impl Fn(u32) -> (EventId, Money),
    ) -> WriteSetDigest {
        let Some(first) = first_place(&self.by_event, last, &at) else {
            return WriteSetDigest::EMPTY;
        };
        if self.first_of(self.ids() - 1) == first {
            return self.digest;
        }
        let ids = self.order().unwrap_or(&self.by_event).partition_point(|&place| place <= first);
        let marks = ids / MARK_EVERY;
        let kept = self.more.as_ref().zip(marks.checked_sub(1));
        let mark = kept.map_or(WriteSetDigest::EMPTY, |(more, mark)| more.marks[mark]);
        let since = (marks * MARK_EVERY..ids).map(|before| self.first_of(before));
        since.fold(mark, |digest, first| self.with_id(digest, first, &at))
    }

    /// The digest with the writes of the id that came first at `first` of the log.
    fn with_id(
        &self,
        digest: WriteSetDigest,
        first: u32,
        at: impl Fn(u32) -> (EventId, Money),
    ) -> WriteSetDigest {
        let (event, delta) = at(first);
        let several = named(&self.by_event, event, &at);
        if several.len() == 1 {
            return digest.with(event, delta);
        }
        let mut deltas: Vec<_> = self.by_event.range(several).map(|&place| at(place).1).collect();
        deltas.sort_unstable();
        deltas.into_iter().fold(digest, |digest, delta| digest.with(event, delta))
    }

    /// Event ids in the order applied, up to and with the write at `last` in the log.
    pub(super) fn in_order(&self, last: u32, at: impl Fn(u32) -> (EventId, Money)) -> Vec<EventId> {
        let mut applied: Vec<_> =
            self.by_event.from(0).filter(|&&index| index <= last).copied().collect();
        applied.sort_unstable();
        applied.into_iter().map(|index| at(index).0).collect()
    }
}

/// Where those of `event` stand among places that ascend by event id.
fn named(
    by_event: &Blocks<u32>,
    event: EventId,
    at: impl Fn(u32) -> (EventId, Money),
) -> Range<usize> {
    let id = |place: &u32| at(*place).0;
    // Mostly it is the latest one, or a later one still.
    let end = match by_event.last().map(|latest| id(latest).cmp(&event)) {
        None | Some(Ordering::Less) => return 0..0,
        Some(Ordering::Equal) => by_event.len(),
        Some(Ordering::Greater) => by_event.partition_point(|place| id(place) <= event),
    };
    let count = by_event.range(0..end).rev().take_while(|place| id(place) == event).count();
    end - count..end
}

fn first_place(
    by_event: &Blocks<u32>,
    event: EventId,
    at: impl Fn(u32) -> (EventId, Money),
) -> Option<u32> {
    by_event.range(named(by_event, event, at)).next().copied()
}

/// The writes whose id came first at `last` or before, in the order in which their ids came first;
/// those of one id by what they change.
fn by_first_place(
    by_event: &[u32],
    last: u32,
    at: impl Fn(u32) -> (EventId, Money),
) -> Vec<(EventId, Money)> {
    let mut writes: Vec<(u32, Money, EventId)> = Vec::new();
    for named in by_event.chunk_by(|&one, &next| at(one).0 == at(next).0) {
        let Some(&first) = named.first().filter(|&&first| first <= last) else { continue };
        writes.extend(named.iter().map(|&place| {
            let (event, delta) = at(place);
            (first, delta, event)
        }));
    }
    writes.sort_unstable();
    writes.into_iter().map(|(_, delta, event)| (event, delta)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event(id: u32) -> EventId {
        EventId::new(i64::from(id)).unwrap()
    }

    /// The set after these writes, each an event id and what it adds, were applied in this order.
    fn set(writes: &[(u32, i64)]) -> WriteSet {
        let mut set = WriteSet::default();
        for (index, _) in (0..).zip(writes) {
            set.insert(index, |at| write_at(writes, at));
        }
        set
    }

    fn write_at(writes: &[(u32, i64)], at: u32) -> (EventId, Money) {
        let (id, minor) = writes[usize::try_from(at).unwrap()];
        (event(id), Money::from_minor(minor))
    }

    /// The digest of the writes of the first ids up to `last`, each with all its writes.
    fn by_hand(writes: &[(u32, i64)], last: u32) -> WriteSetDigest {
        let mut ids: Vec<u32> = Vec::new();
        for &(id, _) in writes {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        let end = ids.iter().position(|id| *id == last).map_or(0, |place| place + 1);
        ids[..end].iter().fold(WriteSetDigest::EMPTY, |digest, id| {
            let mut minors: Vec<i64> =
                writes.iter().filter(|(other, _)| other == id).map(|(_, minor)| *minor).collect();
            minors.sort_unstable();
            minors
                .into_iter()
                .fold(digest, |digest, minor| digest.with(event(*id), Money::from_minor(minor)))
        })
    }

    fn digest(writes: &[(u32, i64)], last: u32) -> WriteSetDigest {
        set(writes).digest_at(event(last), |at| write_at(writes, at))
    }

    #[test]
    fn what_a_write_does_counts_and_not_its_id_alone() {
        assert!(!digest(&[(1, 8)], 1).agrees(digest(&[(1, 9)], 1)));
        assert!(!digest(&[(1, 8)], 1).agrees(digest(&[(1, -8)], 1)));
        assert!(digest(&[(1, 8)], 1).agrees(digest(&[(1, 8)], 1)));
    }

    #[test]
    fn the_order_of_ids_counts() {
        assert!(!digest(&[(1, 8), (2, 9)], 2).agrees(digest(&[(2, 9), (1, 8)], 2)));
        assert!(digest(&[(1, 8), (2, 9)], 1).agrees(digest(&[(1, 8)], 1)));
    }

    #[test]
    fn two_writes_of_one_id_count_as_soon_as_both_are_there_in_whatever_order_they_came() {
        let (here, there) = ([(1, 8), (2, 5), (1, 9)], [(1, 9), (1, 8), (2, 5)]);
        for last in [1, 2] {
            assert_eq!(digest(&here, last), digest(&there, last));
            assert!(!digest(&here[..2], last).agrees(digest(&there, last)));
        }
        assert_eq!(digest(&here, 2).len, 3);
        let applied = set(&here).in_order(u32::MAX, |at| write_at(&here, at));
        assert_eq!(applied, [1, 2, 1].map(event));
    }

    #[test]
    fn a_set_of_which_only_the_ids_are_known_is_compared_by_them() {
        let told = |ids: &[u32], last| {
            let events: Vec<_> = ids.iter().copied().map(event).collect();
            WriteSetDigest::of_ids(&events, event(last))
        };
        let here = digest(&[(1, 8), (2, 5)], 2);
        assert!(here.agrees(told(&[1, 2], 2).unwrap()));
        assert!(here.agrees(told(&[1, 2, 3], 2).unwrap()), "it has gone on since");
        assert!(!here.agrees(told(&[2, 1], 2).unwrap()));
        assert!(!here.agrees(told(&[2], 2).unwrap()));
        assert_eq!(told(&[1], 2), None);
        assert_eq!(told(&[], 2), None);
        let twice = digest(&[(1, 8), (1, 9), (2, 5)], 2);
        assert!(twice.agrees(told(&[1, 2, 1], 2).unwrap()));
        assert!(!twice.agrees(told(&[1, 2], 2).unwrap()));
    }

    proptest! {
        /// At each of its ids, however many and in whatever order they came.
        #[test]
        fn a_digest_is_that_of_the_ids_before(
            few in prop::collection::vec((1_u32..6, 1_i64..4), 0..20),
            many in prop::collection::vec((1_u32..200, 1_i64..3), 0..150),
        ) {
            let writes = [few, many].concat();
            let mut once: Vec<(u32, i64)> = Vec::new();
            for write in writes {
                if !once.contains(&write) {
                    once.push(write);
                }
            }
            let set = set(&once);
            for &(id, _) in &once {
                let told = set.digest_at(event(id), |at| write_at(&once, at));
                prop_assert_eq!(told, by_hand(&once, id));
                let named: Vec<u32> = set.find(event(id), |at| write_at(&once, at)).collect();
                let by_hand = (0..).zip(&once).filter(|(_, (other, _))| *other == id);
                prop_assert_eq!(named, by_hand.map(|(index, _)| index).collect::<Vec<u32>>());
            }
        }
    }
}
